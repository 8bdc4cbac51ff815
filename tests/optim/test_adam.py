"""Laws of Adam and AdamW: what they do not see of the gradient's scale, and how weight decay acts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.optim import Adam, AdamW

dtypes = st.sampled_from([np.float32, np.float64])
seeds = st.integers(0, 2**32)


def draw(seed, shapes, dtype, count):
    rng = np.random.default_rng(seed)
    params = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    grads = [[rng.standard_normal(shape).astype(dtype) for shape in shapes] for _ in range(count)]
    return params, grads


@pytest.mark.parametrize("kind", [Adam, AdamW])
@given(seeds, dtypes, st.integers(-20, 20))
def test_adam_does_not_see_the_scale_of_gradient_and_eps_together(kind, seed, dtype, exponent):
    (w,), grads = draw(seed, [(9,)], dtype, 5)
    scaled, factor = w.copy(), 2.0**exponent
    a = kind([w], eps=1e-6, weight_decay=0.0)
    b = kind([scaled], eps=1e-6 * factor, weight_decay=0.0)
    for (g,) in grads:
        a.step([g])
        b.step([g * dtype(factor)])
    assert np.array_equal(w, scaled)


@given(seeds, st.floats(-2, 6))
def test_scaling_the_gradient_alone_changes_adam_only_by_eps(seed, exponent):
    (w,), grads = draw(seed, [(9,)], np.float64, 5)
    scaled = w.copy()
    a, b = Adam([w], learning_rate=1.0, eps=1e-12), Adam([scaled], learning_rate=1.0, eps=1e-12)
    smallest = min(np.abs(g).min() for (g,) in grads) * min(1.0, 10.0**exponent)
    for (g,) in grads:
        a.step([g])
        b.step([g * 10.0**exponent])
    np.testing.assert_allclose(w, scaled, atol=1e4 * 1e-12 / smallest + 1e-12)


def test_adams_step_for_a_constant_gradient_is_the_learning_rate():
    w, g = np.zeros(3), np.array([1e-3, -5.0, 2e4])
    opt = Adam([w], learning_rate=0.25)
    for t in range(1, 200):
        opt.step([g])
        np.testing.assert_allclose(w, -0.25 * t * np.sign(g), rtol=2e-5)


def test_decay_shrinks_in_adamw_by_the_rate_alone_and_in_adam_through_the_gradient():
    w, u = np.array([2.0, -7.0]), np.array([2.0, -7.0])
    decoupled, coupled = (kind([p], learning_rate=0.1, weight_decay=0.5) for kind, p in ((AdamW, w), (Adam, u)))
    for _ in range(10):
        decoupled.step([np.zeros(2)])
    np.testing.assert_allclose(w, np.array([2.0, -7.0]) * 0.95**10, rtol=1e-14)
    coupled.step([np.zeros(2)])
    np.testing.assert_allclose(u, [1.9, -6.9], rtol=1e-7)


def test_adamw_without_decay_is_adam():
    (w,), grads = draw(0, [(8,)], np.float64, 6)
    u = w.copy()
    a, b = Adam([w]), AdamW([u], weight_decay=0.0)
    for g in grads:
        a.step(g)
        b.step(g)
    assert np.array_equal(w, u)
