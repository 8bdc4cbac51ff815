"""Poles, domains and analytic references of the elementary functions; the digits of tanh are in test_tails.py."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.ops import elementary as ops

H = 1e-30
angles = st.floats(-20, 20)


def gradient_of(fn, *values):
    leaves = [ae.tensor(float(v)) for v in values]
    with np.errstate(all="ignore"):
        y = fn(*leaves)
    return [float(g) for g in ae.grad(y, leaves)]  # warnings of rules are errors


@pytest.mark.parametrize(
    ("fn", "at", "expected"),
    [
        (ops.log, 0.0, np.inf),
        (ops.log1p, -1.0, np.inf),
        (ops.exp, -np.inf, 0.0),
        (ops.exp, 1000.0, np.inf),
        (ops.expm1, -np.inf, 0.0),
        (ops.expm1, 1000.0, np.inf),
        (ops.sinh, 1000.0, np.inf),
        (ops.cosh, -1000.0, -np.inf),
        (ops.tanh, np.inf, 0.0),
        (ops.tanh, -np.inf, 0.0),
        (ops.sin, np.nan, np.nan),
    ],
)
def test_gradients_at_poles_and_infinities_are_the_limits_and_do_not_warn(fn, at, expected):
    np.testing.assert_array_equal(gradient_of(fn, at), [expected])


def test_outside_the_domain_value_and_complex_step_are_nan():
    for fn, x in ((ops.log, -1.0), (ops.log1p, -2.0)):
        with np.errstate(invalid="ignore"):
            y, dy = ae.jvp(fn, [np.array(x)], [np.array(1.0)])
        assert np.isnan(y)
        assert np.isnan(dy)


@given(angles)
def test_sine_and_cosine_and_their_gradients_lie_on_the_unit_circle(x):
    s, c = ops.sin(x).item(), ops.cos(x).item()
    assert s * s + c * c == pytest.approx(1.0, rel=1e-15, abs=0)
    assert gradient_of(ops.sin, x) + gradient_of(ops.cos, x) == [c, -s]


@given(st.floats(-300, 300))
def test_the_gradient_of_tanh_is_even_and_agrees_with_1_minus_y_squared_to_a_rounding_of_1(x):
    (slope,), (mirrored,) = gradient_of(ops.tanh, x), gradient_of(ops.tanh, -x)
    assert slope == mirrored
    assert slope == pytest.approx(1 - np.tanh(x) ** 2, abs=3e-16)


@given(st.floats(1e-18, 1e-4), st.sampled_from([-1.0, 1.0]))
def test_near_zero_complex_log1p_and_expm1_keep_real_and_imaginary_digits(size, sign):
    x = sign * size
    exact_log = float((1 + Decimal(x)).ln()) if size > 1e-10 else x - x * x / 2
    z = ops.real_log1p(np.array(x + H * 1j))
    assert z.real == pytest.approx(exact_log, rel=4e-15, abs=0)
    assert z.imag / H == pytest.approx(1 / (1 + x), rel=4e-16, abs=0)
    w = ops._expm1.reference(np.array(x + H * 1j))
    assert w.real == pytest.approx(np.expm1(x), rel=4e-16, abs=0)
    assert w.imag / H == pytest.approx(np.exp(x), rel=4e-16, abs=0)


# arctan2.

QUADRANTS = [(3.0, 4.0), (3.0, -4.0), (-3.0, 4.0), (-3.0, -4.0), (0.0, 2.0), (0.0, -2.0), (2.0, 0.0), (-2.0, 0.0)]


@pytest.mark.parametrize(("y", "x"), QUADRANTS)
def test_arctan2_has_rational_gradients_in_every_quadrant_and_on_the_axes(y, x):
    square = Fraction(x) ** 2 + Fraction(y) ** 2
    exact = [float(Fraction(x) / square), float(-Fraction(y) / square)]
    assert gradient_of(ops.arctan2, y, x) == pytest.approx(exact, rel=4e-16, abs=0)
    steps = [
        ops.real_arctan2(np.array(y + H * 1j), np.array(x + 0j)),
        ops.real_arctan2(np.array(y + 0j), np.array(x + H * 1j)),
    ]
    assert [float(s.imag) / H for s in steps] == pytest.approx(exact, rel=4e-16, abs=0)
    assert [s.real for s in steps] == [np.arctan2(y, x)] * 2


@given(st.floats(-3, 3), st.floats(0.1, 10), st.floats(-1e-3, 1e-3), st.floats(-1e-3, 1e-3))
def test_the_complex_arctan2_inverts_the_complex_sine_and_cosine(angle, radius, a, b):
    """Analytic to all orders, not only for a small step: arctan2(r sin w, r cos w) = w for complex w and r."""
    w, r = angle + 1j * a, radius + 1j * b
    result = ops.real_arctan2(np.array(r * np.sin(w)), np.array(r * np.cos(w)))
    assert result == pytest.approx(w, abs=2e-15)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
def test_arctan2_has_finite_gradients_where_the_squares_leave_the_range(scale):
    dy, dx = gradient_of(ops.arctan2, 3 * scale, 4 * scale)
    assert dy * scale == pytest.approx(4 / 25, rel=1e-14, abs=0)
    assert dx * scale == pytest.approx(-3 / 25, rel=1e-14, abs=0)


def test_arctan2_has_no_gradient_at_the_origin():
    assert np.isnan(gradient_of(ops.arctan2, 0.0, 0.0)).all()


@given(st.floats(-3, 3), st.floats(0.1, 10))
def test_arctan2_does_not_change_along_a_ray(angle, radius):
    y, x = radius * np.sin(angle), radius * np.cos(angle)
    dy, dx = gradient_of(ops.arctan2, y, x)
    assert dy * y + dx * x == pytest.approx(0.0, abs=1e-15)
