"""The global norm at every scale, and clipping that keeps direction and dtype."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.optim import clip_by_global_norm, clip_by_value, global_norm

dtypes = st.sampled_from([np.float32, np.float64])


@given(st.integers(0, 2**32), dtypes, st.floats(-30, 30))
def test_the_global_norm_is_that_of_the_concatenation(seed, dtype, exponent):
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(rng.standard_normal(shape) * 10.0**exponent, dtype) for shape in [(), (3,), (4, 5), (0, 2)]]
    flat = np.concatenate([a.ravel() for a in arrays]).astype(np.longdouble)
    expected = float(np.sqrt(np.sum(flat * flat)))
    assert global_norm(arrays) == pytest.approx(expected, rel=4 * float(np.finfo(dtype).eps))


def test_a_long_float32_norm_keeps_float32_accuracy(rng):
    a = rng.uniform(0.9, 1.1, 3_000_001).astype(np.float32)
    expected = np.sqrt(np.sum(a.astype(np.float64) ** 2))
    assert global_norm([a]) == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize(("dtype", "large", "small"), [(np.float32, 3e38, 1e-38), (np.float64, 1e308, 1e-300)])
def test_squares_that_overflow_or_vanish_do_not_spoil_the_norm(dtype, large, small):
    for size in (large / 2, small):
        a = np.full(9, size, dtype)
        assert global_norm([a[:4], a[4:]]) == pytest.approx(3 * float(a[0]), rel=1e-6)


def test_norms_of_nothing_of_zeros_and_of_non_finite_entries():
    assert global_norm([]) == global_norm([np.zeros((0, 3))]) == global_norm([np.zeros(3), np.zeros((2, 2))]) == 0.0
    assert math.isnan(global_norm([np.ones(3), np.array([1.0, np.nan])]))
    assert global_norm([np.ones(3), np.array([-np.inf])]) == math.inf


def test_the_norm_does_not_depend_on_the_strides(rng):
    a = rng.standard_normal((6, 8, 10))
    expected = global_norm([a.ravel()])
    for view in (np.asfortranarray(a), a[::-1], a[:, ::-1], a.transpose(2, 0, 1), np.repeat(a, 2, axis=2)[:, :, ::2]):
        assert global_norm([view]) == pytest.approx(expected, rel=1e-14)


@given(st.integers(0, 2**32), dtypes, st.floats(-18, 18), st.floats(-30, 30))
def test_clipping_scales_all_arrays_by_one_factor_to_the_given_norm(seed, dtype, size, limit):
    rng = np.random.default_rng(seed)
    grads = [np.asarray(rng.standard_normal(shape) * 10.0**size, dtype) for shape in [(7,), (3, 4), ()]]
    before = [np.array(g, np.float64) for g in grads]
    max_norm, eps = 10.0**limit, float(np.finfo(dtype).eps)
    norm = clip_by_global_norm(grads, max_norm)
    assert norm == pytest.approx(global_norm(before), rel=4 * eps)
    factor = min(1.0, max_norm / global_norm(before))
    for g, old in zip(grads, before, strict=True):
        assert g.dtype == dtype
        np.testing.assert_allclose(g, old * factor, rtol=8 * eps, atol=4 * float(np.finfo(dtype).smallest_subnormal))


@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 3e38), (np.float64, 1.5e308)])
def test_gradients_whose_norm_overflows_are_clipped_nevertheless(dtype, size):
    grads = [np.full(50, size, dtype), np.full(50, -size, dtype)]
    clip_by_global_norm(grads, 1e-3)
    np.testing.assert_allclose(grads[0], 1e-4, rtol=1e-6)
    np.testing.assert_allclose(grads[1], -1e-4, rtol=1e-6)


def test_a_norm_so_small_that_the_factor_underflows_is_reached_nevertheless():
    g = np.array([3e9, -4e9], np.float32)
    assert clip_by_global_norm([g], 5e-35) == pytest.approx(
        5e9, rel=1e-6
    )  # the factor, 1e-44, has no digits in float32
    np.testing.assert_allclose(g, np.array([3e-35, -4e-35]), rtol=1e-6)


def test_gradients_within_the_norm_are_left_alone_bit_by_bit(rng):
    grads = [rng.standard_normal(5), rng.standard_normal((2, 3))]
    before = [g.copy() for g in grads]
    norm = clip_by_global_norm(grads, global_norm(grads))
    assert clip_by_global_norm(grads, math.inf) == clip_by_global_norm(grads, 1.001 * norm) == norm
    assert all(np.array_equal(g, b) for g, b in zip(grads, before, strict=True))


def test_strided_views_are_clipped_in_place(rng):
    base = rng.standard_normal((6, 8))
    expected = base.copy()
    expected[:, ::2] *= 0.5 / np.linalg.norm(base[:, ::2])
    clip_by_global_norm([base[::-1, :4:2], base[::-1, 4::2]], 0.5)
    np.testing.assert_allclose(base, expected, rtol=1e-14)


def test_interlaced_views_are_told_from_overlapping_ones():
    a = np.ones(8)
    clip_by_value([a[::2], a[1::2]], 0.5)
    assert np.all(a == 0.5)
    with pytest.raises(ValueError, match=r"grads\[0\] and grads\[2\] share memory"):
        clip_by_value([a[::2], a[1:2], a[4:5]], 0.5)


@given(st.integers(0, 2**32), dtypes, st.floats(0.01, 3))
def test_clipping_by_value_is_the_clamp(seed, dtype, limit):
    g = np.random.default_rng(seed).standard_normal((3, 5)).astype(dtype)
    g[0, 0] = np.inf
    bound = dtype(limit)
    expected = np.array([[min(max(v, -bound), bound) for v in row] for row in g], dtype)
    clip_by_value([g.T], limit)
    assert np.array_equal(g, expected)
    assert g.dtype == dtype


def test_non_finite_gradients_are_named_and_nothing_is_clipped():
    grads = [np.full(3, 9.0), np.array([[1.0, 2.0], [np.nan, np.inf]])]
    words = r"grads\[1\] of shape \(2, 2\) has 2 non-finite entries, the first nan at \(1, 0\); nothing was clipped"
    with pytest.raises(FloatingPointError, match=words):
        clip_by_global_norm(grads, 1.0)
    with pytest.raises(FloatingPointError, match=r"grads\[1\].*contains NaN"):
        clip_by_value(grads, 1.0)
    assert np.all(grads[0] == 9.0)


@pytest.mark.parametrize("clip", [clip_by_global_norm, clip_by_value])
def test_bad_arguments_of_clipping_have_clear_errors(clip):
    g, frozen = np.ones(4), np.ones(4)
    frozen.flags.writeable = False
    for arrays, error, words in [
        (g, TypeError, "grads is a single ndarray"),
        ([g, [1.0]], TypeError, r"grads\[1\] is of type list; a NumPy array is needed"),
        ([np.float64(1.0)], TypeError, r"grads\[0\] is of type float64"),
        ([np.ones(2, np.int64)], TypeError, r"grads\[0\] has dtype int64; float32 or float64"),
        ([g, g], ValueError, r"grads\[0\] and grads\[1\] share memory"),
        ([g[:3], np.ones(2), g[2:]], ValueError, r"grads\[0\] and grads\[2\] share memory"),
        ([g, frozen], ValueError, r"grads\[1\] of shape \(4,\) is read-only"),
    ]:
        with pytest.raises(error, match=words):
            clip(arrays, 1.0)
    for limit in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="it must be positive"):
            clip([g], limit)
