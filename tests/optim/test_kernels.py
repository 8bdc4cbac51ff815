"""Kernels of the optimisers against the NumPy lines that they replace."""

import numpy as np
import pytest

from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.optim.adam import adam_kernel, adam_passes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", ["kernel", "python"])
def test_one_pass_of_adam_equals_the_numpy_passes_bit_for_bit(rng, dtype, form):
    if form == "kernel" and not JIT_ENABLED:
        pytest.skip("kernels are off")
    run = adam_kernel if form == "kernel" else adam_kernel.py_func
    size = 10_007 if form == "kernel" else 101
    arrays = [rng.normal(size=size).astype(dtype) for _ in range(3)] + [rng.random(size).astype(dtype)]
    scalars = [dtype(s) for s in (0.1, 0.999, 0.001, 0.3, 1e-8, 1e-3)]
    one, many = [a.copy() for a in arrays], [a.copy() for a in arrays]
    run(*one, *scalars)
    adam_passes(many[0], many[1], np.empty(size, dtype), many[2], many[3], *scalars)
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)
