"""Extrapolated differences state their error honestly, find kinks, and measure how noisy a function is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.testing.differences import ridders
from autograd_ae.testing.noise import function_noise

EPS = float(np.finfo(np.float64).eps)
FUNCTIONS = {  # φ, φ′
    "exp": (np.exp, np.exp),
    "sin": (np.sin, np.cos),
    "tanh": (np.tanh, lambda t: 1 - np.tanh(t) ** 2),
    "cube": (lambda t: t**3, lambda t: 3 * t**2),
    "reciprocal": (lambda t: 1 / (3 + t), lambda t: -1 / (3 + t) ** 2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(at=st.floats(-2, 2), scale=st.sampled_from([1e-12, 1.0, 1e12]))
def test_the_error_lies_within_a_few_times_its_estimate(name, at, scale):
    f, slope = FUNCTIONS[name]
    found, error, _ = ridders(lambda t: scale * f(at + t), 0.1, EPS)
    exact = scale * slope(at)
    assert abs(found - exact) <= 4 * error
    assert error <= 1e-9 * scale * (1 + abs(f(at)))


@given(st.floats(1e-9, 1e3))
def test_a_step_that_leaves_the_domain_is_halved_until_it_does_not(x):
    def log(t):
        with np.errstate(all="ignore"):
            return float(np.log(x + t))

    found, error, kink = ridders(log, 1.0, EPS)
    assert abs(found - 1 / x) <= 4 * error <= 1e-4 / x
    assert not kink


def test_a_function_defined_on_one_side_only_has_no_derivative():
    with np.errstate(all="ignore"):
        found, error, _ = ridders(lambda t: float(np.sqrt(t)), 0.1, EPS)
    assert np.isnan(found)
    assert error == np.inf


@given(st.sampled_from([1e-12, 1.0, 1e12]), st.floats(0.1, 10))
def test_a_kink_is_told_from_a_smooth_point(scale, slope):
    assert ridders(lambda t: scale * slope * abs(t), 0.1, EPS)[2]
    assert ridders(lambda t: scale * (max(t, 0.0) + t), 0.1, EPS)[2]
    assert not ridders(lambda t: scale * slope * t * t, 0.1, EPS)[2]
    assert not ridders(lambda t: scale * abs(1.0 + t), 0.1, EPS)[2]


@pytest.mark.parametrize("sigma", [1e-12, 1e-9, 1e-6])
def test_noise_is_measured_within_a_factor_of_five(sigma, rng):
    scatter = np.random.default_rng(1)
    found = function_noise(lambda xs: float(np.sin(xs[0]).sum() + sigma * scatter.normal()), [rng.normal(size=4)], rng)
    assert sigma / 5 <= found <= 5 * sigma


@pytest.mark.parametrize("f", [np.sin, np.exp, lambda x: x**3, lambda x: np.exp(20 * x)])
def test_a_smooth_function_has_no_more_noise_than_rounding(f, rng):
    x = rng.normal(size=4)
    assert function_noise(lambda xs: float(f(xs[0]).sum()), [x], rng) <= 100 * EPS * np.abs(f(x)).sum()


def test_float32_inside_a_float64_function_is_noticed(rng):
    def value(xs):
        return float(np.sum(np.tanh(xs[0].astype(np.float32))))

    assert 1e-9 <= function_noise(value, [np.array([0.3, -1.2])], rng) <= 1e-6
