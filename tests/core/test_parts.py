"""Parts of kernels: compiled no farther than instructions, where Numba is built as expected, and else as Numba does."""

import numpy as np
import pytest

from autograd_ae.core import parts
from autograd_ae.core.jit import JIT_ENABLED, jit

pytestmark = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")


@jit
def doubled(x):
    return 2.0 * x


@jit
def double_all(out, x):
    for i in range(x.size):
        out[i] = doubled(x[i])


def test_this_version_of_numba_is_built_as_expected():
    from numba.core import compiler

    assert parts.pipeline_of_parts() is not compiler.Compiler


def test_a_part_has_no_machine_code_of_its_own_and_its_caller_computes():
    out = np.zeros(3)
    double_all(out, np.arange(3.0))
    assert out.tolist() == [0.0, 2.0, 4.0]
    doubled.part().compile("(float64,)")  # where the caller was found on disk nobody asked for the part
    (part,) = doubled.part().overloads.values()
    assert part.library.get_pointer_to_function(part.fndesc.llvm_func_name) == 0


def test_another_numba_compiles_parts_in_its_own_way(monkeypatch):
    def unknown():
        raise AttributeError("no such method")

    from numba.core import compiler

    monkeypatch.setattr(parts, "_pipeline", unknown)
    assert parts.pipeline_of_parts.__wrapped__() is compiler.Compiler
