"""Conventions at kinks, ties and poles; powers of negative numbers; choices; what is refused."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.core.tensor import Tensor
from autograd_ae.ops import arithmetic as ops
from autograd_ae.ops.arithmetic import real_power

INF, NAN = np.inf, np.nan


def gradients(fn, *values, cotangent=1.0):
    """∂ fn/∂(each value) of numbers; the forward pass may warn as NumPy does, the rules may not."""
    leaves = [ae.tensor(float(v)) for v in values]
    with np.errstate(all="ignore"):
        y = fn(*leaves)
    return [float(g) for g in ae.grad(y, leaves, cotangent=cotangent)]


KINKS = [
    (ops.abs, (0.0,), [0.0]),
    (ops.maximum, (2.0, 2.0), [0.5, 0.5]),
    (ops.minimum, (2.0, 2.0), [0.5, 0.5]),
    (ops.maximum, (INF, INF), [0.5, 0.5]),
    (ops.maximum, (0.0, -0.0), [0.5, 0.5]),
    (lambda x: ops.clip(x, 0.0, 1.0), (0.0,), [1.0]),
    (lambda x: ops.clip(x, 0.0, 1.0), (1.0,), [1.0]),
    (lambda x: ops.clip(x, 0.0, 1.0), (1.5,), [0.0]),
]
POLES = [
    (ops.sqrt, (0.0,), [INF]),
    (ops.reciprocal, (0.0,), [-INF]),
    (ops.divide, (1.0, 0.0), [INF, -INF]),
    (ops.divide, (0.0, 2.0), [0.5, 0.0]),
    (ops.power, (0.0, 0.5), [INF, 0.0]),
    (ops.power, (0.0, 1.0), [1.0, 0.0]),
    (ops.power, (0.0, 2.0), [0.0, 0.0]),
    (ops.power, (0.0, 0.0), [0.0, 0.0]),
    (ops.power, (0.0, -1.0), [-INF, -INF]),
    (ops.power, (-2.0, 3.0), [12.0, NAN]),
    (ops.power, (-2.0, 0.0), [0.0, NAN]),
    (ops.power, (-2.0, 0.5), [NAN, NAN]),
]


@pytest.mark.parametrize(("fn", "at", "expected"), KINKS + POLES)
def test_gradients_at_kinks_ties_and_poles_follow_pytorch_and_do_not_warn(fn, at, expected):
    np.testing.assert_array_equal(gradients(fn, *at), expected)


CHOICES = [
    (ops.maximum, (2.0, 1.0), [INF, 0.0]),
    (ops.minimum, (2.0, 1.0), [0.0, INF]),
    (lambda a, b: ops.where(True, a, b), (2.0, 1.0), [INF, 0.0]),
    (lambda a, b: ops.where(False, a, b), (2.0, 1.0), [0.0, INF]),
    (lambda a: ops.clip(a, 0.0, 1.0), (2.0,), [0.0]),
]


@pytest.mark.parametrize(("fn", "at", "expected"), CHOICES)
def test_what_is_not_chosen_gets_zero_even_from_an_infinite_gradient(fn, at, expected):
    assert gradients(fn, *at, cotangent=INF) == expected


def test_where_keeps_the_nan_of_the_other_branch_out_of_value_and_gradient():
    x = ae.tensor([-1.0, 4.0])
    with np.errstate(invalid="ignore"):
        y = ops.where(ops.greater(x, 0.0), ae.log(x), 0.0)
    np.testing.assert_array_equal(y.data, [0.0, np.log(4.0)])
    np.testing.assert_array_equal(ae.grad(ae.sum(y), x), [0.0, 0.25])


@given(st.integers(-30, 30), st.integers(-9, 9).filter(bool))
def test_integer_powers_of_integers_and_their_gradients_are_right_to_an_ulp_for_negative_bases_too(n, a):
    exact, slope = float(Fraction(a) ** n), float(n * Fraction(a) ** (n - 1))
    x = ae.tensor(float(a))
    y = ops.power(x, float(n))
    assert y.item() == pytest.approx(exact, rel=2.3e-16, abs=0)
    assert float(ae.grad(y, x)) == pytest.approx(slope, rel=4.5e-16, abs=0)
    with np.errstate(under="ignore"):
        value = real_power(np.array(a + 1e-30j), np.array(n + 0j))
    assert value.real == pytest.approx(exact, rel=1e-15, abs=0)
    assert value.imag / 1e-30 == pytest.approx(slope, rel=4e-15, abs=0)


@pytest.mark.parametrize("n", [101, 200, 301, -200])
def test_large_powers_of_negative_bases_keep_their_complex_step(n):
    """NumPy's complex power goes through exp(n log a) here, where h is lost beside π."""
    value = real_power(np.array(-1.01 + 1e-30j), np.array(n + 0j))
    assert value.real == pytest.approx((-1.01) ** n, rel=1e-13, abs=0)
    assert value.imag / 1e-30 == pytest.approx(n * (-1.01) ** (n - 1), rel=1e-13, abs=0)


def test_off_the_real_line_a_complex_step_sees_nan_like_the_forward_pass():
    with np.errstate(invalid="ignore"):
        for fn, x in ((ops.sqrt, -4.0), (lambda t: ops.power(t, 0.5), -4.0)):
            y, dy = ae.jvp(fn, [np.array(x)], [np.array(1.0)])
            assert np.isnan(y)
            assert np.isnan(dy)


def test_the_power_2_is_recorded_as_a_square_and_stays_weak():
    x = ae.tensor(np.array([3.0], np.float32))
    for y in (x**2, x**2.0):
        assert y.node.op.name == "square"
        assert y.dtype == np.float32
    assert (x ** np.array([2.0])).node.op.name == "power"


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_quotient_rule_survives_numbers_whose_squares_do_not(scale):
    da, db = gradients(ops.divide, scale, 2 * scale)
    assert da * scale == pytest.approx(0.5, rel=1e-14, abs=0)
    assert db * scale == pytest.approx(-0.25, rel=1e-14, abs=0)


def test_products_of_a_mask_and_a_tensor_mask_the_gradient():
    x = ae.tensor([-1.0, 2.0])
    y = x * (x > 0)
    np.testing.assert_array_equal(y.data, [0.0, 2.0])
    np.testing.assert_array_equal(ae.grad(ae.sum(y), x), [0.0, 1.0])


@pytest.mark.parametrize("name", ["greater", "greater_equal", "less", "less_equal", "equal", "not_equal"])
def test_comparisons_equal_numpys_are_boolean_and_carry_no_gradient(name):
    a, b = np.array([1.0, 2.0, 3.0, NAN, INF]), np.array([2.0, 2.0, 2.0, 2.0, INF])
    result = getattr(ops, name)(ae.tensor(a), b)
    assert result.dtype == bool
    assert not result.traced
    np.testing.assert_array_equal(result.data, getattr(np, name)(a, b))


def test_sign_carries_no_gradient():
    assert not ops.sign(ae.tensor([1.0])).traced


@pytest.mark.parametrize("fn", [ops.add, ops.multiply, ops.subtract, ops.maximum])
def test_arithmetic_of_two_masks_is_refused_with_the_remedy(fn):
    with pytest.raises(TypeError, match=r"boolean values arrived.*ae\.where"):
        fn(np.array([True]), np.array([False]))


def test_negative_of_a_mask_is_refused_with_the_remedy():
    with pytest.raises(TypeError, match=r"boolean values arrived.*ae\.where"):
        ops.negative(ops.greater([1.0], 0.0))


def test_python_numbers_stay_weak_and_mixed_precision_becomes_double():
    x = ae.tensor(np.ones(2, np.float32))
    assert ops.add(x, 1.5).dtype == np.float32
    assert ops.clip(x, 0, 0.1).dtype == np.float32
    assert ops.where(np.array([True, False]), x, 0).dtype == np.float32
    assert ops.add(x, np.ones(2)).dtype == np.float64


def test_clip_takes_one_sided_bounds():
    np.testing.assert_array_equal(ops.clip([-1.0, 2.0], 0.0).data, [0.0, 2.0])
    np.testing.assert_array_equal(ops.clip([-1.0, 2.0], a_max=1.0).data, [-1.0, 1.0])


@pytest.mark.parametrize(
    ("bounds", "error", "message"),
    [
        ((1.0, 0.0), ValueError, "a_min <= a_max was needed, a_min = 1.0 and a_max = 0.0 arrived"),
        ((NAN, 1.0), ValueError, "a_min <= a_max was needed"),
        ((np.zeros(2), 1.0), TypeError, r"a_min must be a number or None, ndarray arrived.*minimum\(maximum"),
        ((0.0, Tensor(np.ones(()))), TypeError, "a_max must be a number or None, Tensor arrived"),
    ],
)
def test_clip_refuses_bounds_that_it_cannot_keep(bounds, error, message):
    with pytest.raises(error, match=message):
        ops.clip([0.5], *bounds)


def test_where_refuses_a_condition_that_is_not_boolean():
    with pytest.raises(TypeError, match="boolean condition was needed, dtype float64 arrived; compare: x > 0"):
        ops.where(ae.tensor([1.0]), 1.0, 0.0)


def test_shapes_that_do_not_broadcast_are_refused_by_name():
    with pytest.raises(ae.ShapeError, match=r"add\(\(2,\), \(3,\)\).*do not broadcast"):
        ops.add([1.0, 2.0], [1.0, 2.0, 3.0])
