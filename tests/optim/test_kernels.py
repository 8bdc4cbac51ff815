"""Kernels of the optimisers against the NumPy lines that they replace."""

import numpy as np
import pytest

from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.optim import SGD
from autograd_ae.optim.adam import adam_kernel, adam_passes
from autograd_ae.optim.sgd import sgd_kernel


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", ["kernel", "python"])
def test_one_pass_of_adam_equals_the_numpy_passes_bit_for_bit(rng, dtype, form):
    if form == "kernel" and not JIT_ENABLED:
        pytest.skip("kernels are off")
    run = adam_kernel if form == "kernel" else adam_kernel.py_func
    size = 10_007 if form == "kernel" else 101
    arrays = [rng.normal(size=size).astype(dtype) for _ in range(3)] + [rng.random(size).astype(dtype)]
    scalars = [dtype(s) for s in (0.1, 0.999, 0.001, 1e-8, 1e-3)]
    one, many = [a.copy() for a in arrays], [a.copy() for a in arrays]
    assert run(*one, *scalars, dtype(0), dtype(1))
    a, b = np.empty((2, size), dtype)
    adam_passes(many[0], many[1], a, b, many[2], many[3], *scalars)
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_kernel_leaves_what_has_no_finite_gradient_as_it_was_and_says_so(rng, dtype, bad):
    w, g, m = (rng.normal(size=5_000).astype(dtype) for _ in range(3))
    v = rng.random(5_000).astype(dtype)
    g[3_333] = bad
    for kernel, state, scalars in (
        (adam_kernel, (m, v), (0.1, 0.999, 0.001, 1e-8, 1e-3, 0.01, 1)),
        (sgd_kernel, (m,), (0.1, 0.9, 0.01)),
    ):
        arrays = [w.copy(), g.copy(), *(a.copy() for a in state)]
        switches = () if kernel is adam_kernel else (True, True)
        assert not kernel(*arrays, *(dtype(s) for s in scalars), *switches)
        moved = arrays[0] != w
        assert not moved[3_333]
        assert moved.sum() == 4_999
        assert all(np.isfinite(a).all() for a in (arrays[0], *arrays[2:]))


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_one_pass_of_sgd_equals_the_numpy_passes_bit_for_bit(rng, monkeypatch, momentum, nesterov, decay):
    if nesterov and not momentum:
        pytest.skip("nesterov needs momentum")
    start, grads = rng.normal(size=3_000).astype(np.float32), rng.normal(size=(4, 3_000)).astype(np.float32)
    ends = []
    for kernels in (True, False):
        monkeypatch.setattr("autograd_ae.optim.sgd.JIT_ENABLED", kernels)
        w = start.copy()
        optimizer = SGD([w], learning_rate=0.1, momentum=momentum, nesterov=nesterov, weight_decay=decay)
        for g in grads:
            optimizer.step([g])
        ends.append(w)
    np.testing.assert_array_equal(*ends)
