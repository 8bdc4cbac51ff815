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


def run(folder, script=RUN, *arguments):
    (folder / "mine.py").write_text(MODULE)
    path = os.pathsep.join([str(folder), *sys.path])
    env = {**os.environ, "AUTOGRAD_AE_CACHE_DIR": str(folder), "PYTHONPATH": path}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
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


SEVERAL = """
import sys
from autograd_ae.core.jit import jit
from autograd_ae.core.object_code import Call, machine_code

@jit
def double(n):
    return 2 * n

@jit
def triple(n):
    return 3 * n

def entry_of(kernel):
    part = kernel.part()

    def entry(n):
        return part(n)

    return entry

for name in sys.argv[1:]:
    print(Call(machine_code(name, lambda name=name: entry_of(globals()[name])))(7))
print("numba" in sys.modules)
"""


def test_codes_that_different_processes_compiled_keep_apart_in_a_third(tmp_path):
    """Functions of one name, each the first that its process compiled."""
    assert run(tmp_path, SEVERAL, "double") == ["14", "True"]
    assert run(tmp_path, SEVERAL, "triple") == ["21", "True"]
    assert run(tmp_path, SEVERAL, "double", "triple") == ["14", "21", "False"]
    symbols = [path.read_bytes().split(b"\n")[0].split(b" ")[0] for path in tmp_path.rglob("*.o")]
    assert len(set(symbols)) == 2


def test_a_symbol_that_was_loaded_from_another_file_is_compiled_anew(tmp_path):
    """As files have them that a copied folder brings together."""
    run(tmp_path, SEVERAL, "double")
    (path,) = tmp_path.rglob("*.o")
    (path.parent / path.name.replace("double", "triple")).write_bytes(path.read_bytes())
    assert run(tmp_path, SEVERAL, "double", "triple") == ["14", "21", "True"]
