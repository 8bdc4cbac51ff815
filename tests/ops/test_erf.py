"""erf and erfc: kernels and the analytic reference against the C library, tables and identities."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.ops.erf import SERIES_BELOW, erf, erf_reference, erfc, erfc_reference

H = 1e-30
GRID = np.concatenate(
    [np.linspace(-6, 6, 4001), SERIES_BELOW + np.linspace(-1e-6, 1e-6, 21), 10.0 ** np.arange(-300, 0)]
)
TAIL = np.linspace(SERIES_BELOW, 26.5, 2001)
C_ERF = np.array([math.erf(x) for x in GRID])
C_ERFC = np.array([math.erfc(x) for x in GRID])
C_TAIL = np.array([math.erfc(x) for x in TAIL])


def in_ulp(value, exact):
    return np.abs(value - exact) / np.spacing(np.abs(exact))


# Abramowitz & Stegun 1964, table 7.1, and 30-digit values from the series.
TABLE = {0.1: 0.1124629160182849, 0.5: 0.5204998778130465, 1.0: 0.8427007929497149, 2.0: 0.9953222650189527}
TAIL_TABLE = {
    1.0: 0.15729920705028513,
    3.0: 2.209049699858544e-05,
    5.0: 1.5374597944280349e-12,
    10.0: 2.088487583762545e-45,
}


@pytest.mark.parametrize("form", [lambda x: erf([x]).data[0], lambda x: erf_reference(np.array(x))])
def test_erf_equals_published_values(form):
    for x, exact in TABLE.items():
        assert form(x) == pytest.approx(exact, rel=8e-16, abs=0)


@pytest.mark.parametrize("form", [lambda x: erfc([x]).data[0], lambda x: erfc_reference(np.array(x))])
def test_erfc_equals_published_values(form):
    for x, exact in TAIL_TABLE.items():
        assert form(x) == pytest.approx(exact, rel=8e-15, abs=0)


def test_the_reference_of_erf_is_right_to_5_ulp_on_the_real_line():
    assert in_ulp(erf_reference(GRID), C_ERF).max() <= 5


def test_the_reference_of_erfc_is_right_to_4_ulp_beyond_the_split_and_to_2e_14_before():
    assert in_ulp(erfc_reference(TAIL), C_TAIL).max() <= 4
    np.testing.assert_allclose(erfc_reference(GRID), C_ERFC, rtol=2e-14)


def test_the_op_is_the_c_library_function():
    np.testing.assert_allclose(erf(GRID).data, C_ERF, rtol=1.2e-15)
    np.testing.assert_allclose(erfc(GRID).data, C_ERFC, rtol=2e-14)


def test_the_complex_step_through_both_expansions_is_the_gaussian():
    exact = 2 / np.sqrt(np.pi) * np.exp(-GRID * GRID)
    np.testing.assert_allclose(erf_reference(GRID + H * 1j).imag / H, exact, rtol=2e-14)
    np.testing.assert_allclose(erfc_reference(GRID + H * 1j).imag / H, -exact, rtol=2e-14)


@given(st.floats(-5, 5), st.floats(-0.1, 0.1))
def test_the_reference_obeys_the_cauchy_riemann_equations_off_the_real_line(x, y):
    """Analytic, not only first order: the derivative along the imaginary axis is i f′(z), by a 4th-order difference."""
    z, d = x + 1j * y, 1e-3
    points = np.array([z + k * d * 1j for k in (-2, -1, 1, 2)])
    f = erf_reference(points)
    slope = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * d)
    assert slope == pytest.approx(1j * 2 / np.sqrt(np.pi) * np.exp(-z * z), abs=1e-10)


@given(st.floats(-30, 30))
def test_erf_is_odd_and_erfc_completes_it(x):
    assert erf([-x]).data[0] == -erf([x]).data[0]
    assert erf([x]).data[0] + erfc([x]).data[0] == pytest.approx(1.0, rel=4e-16, abs=0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_infinities_give_the_limits_and_nan_gives_nan(dtype):
    x = ae.tensor(np.array([-np.inf, np.inf, np.nan], dtype))
    for fn, values in ((erf, [-1.0, 1.0, np.nan]), (erfc, [2.0, 0.0, np.nan])):
        y = fn(x)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y.data, values)
        np.testing.assert_array_equal(np.abs(ae.grad(ae.sum(y), x)), [0.0, 0.0, np.nan])
