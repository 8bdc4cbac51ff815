"""Lists of arrays as one vector, and L-BFGS on them in place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.optim import lbfgs, lbfgs_in_place, pack, unpack

SHAPES = [(2, 3), (), (0, 4), (5,)]


@given(st.integers(0, 2**32), st.sampled_from([np.float32, np.float64]))
def test_packing_and_unpacking_are_inverse(seed, dtype):
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]
    vector = pack(arrays)
    assert vector.dtype == np.float64
    assert np.array_equal(vector, np.concatenate([a.ravel() for a in arrays]))
    copies = [np.zeros_like(a) for a in arrays]
    unpack(vector, copies)
    assert all(np.array_equal(a, c) and a.dtype == c.dtype for a, c in zip(arrays, copies, strict=True))


def test_fortran_arrays_are_packed_in_c_order():
    a = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert np.array_equal(pack([a]), np.arange(6.0))
    unpack(np.arange(6.0) + 1, [a])
    assert np.array_equal(a, np.arange(6.0).reshape(2, 3) + 1)


def quartic(W, b):
    """‖WWᵀ − 2I‖² + Σ (b − 1)⁴ + (b − 1)²"""
    R, c = W @ W.T - 2 * np.eye(2), b - 1
    return np.sum(R * R) + np.sum(c**4 + c**2), [4 * R @ W, 4 * c**3 + 2 * c]


def test_in_place_is_lbfgs_on_the_packed_vector(rng):
    W, b = rng.standard_normal((2, 3)), rng.standard_normal(4)

    def flat(x):
        value, grads = quartic(x[:6].reshape(2, 3), x[6:])
        return value, pack(grads)

    expected = lbfgs(flat, pack([W, b]))
    result = lbfgs_in_place(quartic, [W, b])
    assert np.array_equal(result.x, expected.x)
    assert np.array_equal(pack([W, b]), expected.x)
    assert (result.iterations, result.evaluations) == (expected.iterations, expected.evaluations)
    assert result.converged
    np.testing.assert_allclose(W @ W.T, 2 * np.eye(2), atol=1e-6)


def test_gradients_may_have_any_strides(rng):
    start = rng.standard_normal((2, 3)), rng.standard_normal(4)
    results = []
    for layout in (np.array, np.asfortranarray):
        W, b = start[0].copy(), start[1].copy()

        def function(W, b, layout=layout):
            value, grads = quartic(W, b)
            return value, [layout(g) for g in grads]

        results.append(lbfgs_in_place(function, [W, b]).x)
    assert np.array_equal(*results)


def test_float32_arrays_stay_float32_and_reach_float32_accuracy():
    curvatures = np.geomspace(1, 100, 10).astype(np.float32)
    w = np.zeros(10, np.float32)

    def function(w):
        pull = curvatures * (w - np.float32(0.7))
        return np.float32(0.5) * (w - np.float32(0.7)) @ pull + np.float32(3.0), [pull]

    result = lbfgs_in_place(function, [w], tol_gradient=1e-6, tol_change=0.0)
    assert result.converged
    assert w.dtype == np.float32
    np.testing.assert_allclose(w, 0.7, rtol=1e-4)
    assert np.array_equal(w, result.x.astype(np.float32))


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_whatever_interrupts_the_run_the_arrays_hold_the_last_accepted_point(rng, error):
    W, b = rng.standard_normal((2, 3)), rng.standard_normal(4)
    steps, calls = [], []

    def function(W, b):
        calls.append(1)
        if len(calls) == 9:
            raise error("stop")
        return quartic(W, b)

    if error is KeyboardInterrupt:
        result = lbfgs_in_place(function, [W, b], callback=steps.append)
        assert result.status == "interrupted"
    else:
        with pytest.raises(RuntimeError, match="stop"):
            lbfgs_in_place(function, [W, b], callback=steps.append)
    assert len(steps) > 3
    assert np.array_equal(pack([W, b]), steps[-1].x)


def test_a_failure_at_the_start_leaves_the_arrays_as_they_were():
    w = np.full(3, 2.0)
    with pytest.raises(FloatingPointError, match="the value at x0 is nan"):
        lbfgs_in_place(lambda w: (np.nan, [w]), [w])
    assert np.all(w == 2.0)


def test_bad_arguments_have_clear_errors():
    w = np.ones((2, 2))
    with pytest.raises(TypeError, match="arrays is a single ndarray"):
        pack(w)
    with pytest.raises(ValueError, match=r"the arrays have 4 entries but the vector has shape \(3,\)"):
        unpack(np.ones(3), [w])
    with pytest.raises(ValueError, match="share memory"):
        unpack(np.ones(8), [w, w])
    with pytest.raises(ValueError, match=r"arrays\[0\] of shape .* not a C-contiguous"):
        lbfgs_in_place(lambda w: (0.0, [w]), [np.asfortranarray(np.ones((2, 3)))])
    with pytest.raises(ValueError, match=r"gradients of shapes \[\(4,\)\]; the arrays have \[\(2, 2\)\]"):
        lbfgs_in_place(lambda w: (0.0, [w.ravel()]), [w])
    with pytest.raises(TypeError, match=r"the gradients\[0\] is of type list"):
        lbfgs_in_place(lambda w: (0.0, [[1.0]]), [w])
    with pytest.raises(ValueError, match="c1 is 2"):
        lbfgs_in_place(quartic, [w], c1=2)
