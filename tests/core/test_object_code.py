"""Machine code at addresses: kept on disk, loaded by the next process without Numba, compiled anew where damaged."""

import os
import subprocess
import sys

import pytest

from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.core.object_code import machine_code

pytestmark = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")

MODULE = """
from autograd_ae.core.jit import jit

@jit
def helper(n):
    return 3 * n

@jit
def triple_and_one(n):
    return helper(n) + 1
"""
RUN = """
import sys
from mine import triple_and_one
from autograd_ae.core.object_code import Call, code_of
call = Call(code_of(triple_and_one))
call.fixed(14)()
assert call.result.value == call(14)
print(call(14), "numba" in sys.modules)
"""


def run(folder):
    (folder / "mine.py").write_text(MODULE)
    path = os.pathsep.join([str(folder), *sys.path])
    env = {**os.environ, "AUTOGRAD_AE_CACHE_DIR": str(folder), "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", RUN], env=env, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_second_process_loads_what_the_first_compiled_without_numba(tmp_path):
    assert run(tmp_path) == ["43", "True"]
    assert run(tmp_path) == ["43", "False"]


def test_a_damaged_file_is_compiled_anew(tmp_path):
    run(tmp_path)
    (path,) = tmp_path.rglob("*.o")
    path.write_bytes(path.read_bytes()[:-5] + b"other")
    assert run(tmp_path) == ["43", "True"]
    assert run(tmp_path) == ["43", "False"]
    path.write_bytes(b"")
    assert run(tmp_path) == ["43", "True"]


def test_code_is_loaded_once_however_many_programs_ask_for_it(monkeypatch):
    first = machine_code("test-once", lambda: lambda n: n + 1)
    monkeypatch.setattr("autograd_ae.core.object_code._loaded", None)
    monkeypatch.setattr("autograd_ae.core.object_code._compiled", None)
    assert machine_code("test-once", lambda: lambda n: n + 1) == first
