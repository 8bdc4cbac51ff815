"""The Numba wrapper: damaged and unwritable caches cost a compilation, never a crash."""

import os
import subprocess
import sys

import numpy as np
import pytest

from autograd_ae.core import fingerprint
from autograd_ae.core.jit import Kernel, _source_hash, jit

RUN = "import numpy as np, autograd_ae as ae; print(ae.sigmoid(np.zeros(2)).data.tolist())"
IMPATIENT = "from autograd_ae.core import jit; jit.PATIENCE = 0; " + RUN
pytestmark = pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"), reason="kernels are off")


def run(cache, code=RUN, **more):
    env = {**os.environ, "AUTOGRAD_AE_CACHE_DIR": str(cache), **more}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[0.5, 0.5]"
    return done.stderr


def test_kernels_are_kept_and_the_first_compilation_is_announced_once(tmp_path):
    assert run(tmp_path, IMPATIENT).count("compiling kernels") == 1
    assert list(tmp_path.rglob("*.nbc"))
    assert run(tmp_path, IMPATIENT) == ""


def test_what_takes_a_moment_only_is_not_announced(tmp_path):
    assert (
        run(tmp_path, RUN.replace("import numpy", "from autograd_ae.core import jit; jit.PATIENCE = 60; import numpy"))
        == ""
    )


@pytest.mark.parametrize("pattern", ["*.nbc", pytest.param("*.nbi", marks=pytest.mark.slow)])
def test_damaged_cache_files_are_compiled_anew(tmp_path, pattern):
    run(tmp_path)
    for path in tmp_path.rglob(pattern):
        path.write_bytes(path.read_bytes()[:20])
    run(tmp_path)
    assert run(tmp_path) == ""


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    run(blocked)


def test_without_jit_the_numpy_forms_run(tmp_path):
    assert run(tmp_path, NUMBA_DISABLE_JIT="1") == ""
    assert not list(tmp_path.rglob("*.nbc"))


@jit
def double(x):
    return 2 * x


@jit
def quadruple(x):
    return double(double(x))


def test_a_kernel_may_call_another_of_its_file():
    assert isinstance(quadruple, Kernel)
    assert quadruple(3.0) == 12.0
    assert double.py_func(3.0) == 6.0


def test_the_fingerprint_kernel_is_its_python(rng):
    words = rng.integers(0, 2**32, size=77, dtype=np.uint32)
    fast, slow = np.zeros(32, np.uint32), np.zeros(32, np.uint32)
    fingerprint.hash_words(words, fast)
    with np.errstate(over="ignore"):
        fingerprint.hash_words.py_func(words, slow)
    np.testing.assert_array_equal(fast, slow)


def test_a_change_to_any_file_with_kernels_starts_a_new_cache(tmp_path, monkeypatch):
    caller, helper, other = (tmp_path / name for name in ("caller.py", "helper.py", "other.py"))
    caller.write_text("from helper import h\n@jit\ndef f(x): return h(x)\n")
    helper.write_text("@jit\ndef h(x): return x\n")
    other.write_text("no kernels here\n")
    monkeypatch.setattr("autograd_ae.core.jit._PACKAGE", tmp_path)

    def stamp():
        _source_hash.cache_clear()
        return _source_hash()

    try:
        first = stamp()
        other.write_text("changed\n")
        assert stamp() == first
        helper.write_text("@jit\ndef h(x): return 2 * x\n")
        assert stamp() != first
    finally:
        _source_hash.cache_clear()
