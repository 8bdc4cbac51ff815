"""The line search against the Wolfe conditions, on functions that are made to be hard."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.optim.line_search import Trial, WolfeSearch, cubic_minimiser

LANDSCAPES = {  # φ and φ′; the first three are those of Moré & Thuente 1994, section 5
    "one wide valley": (lambda a: -a / (a * a + 2), lambda a: (a * a - 2) / (a * a + 2) ** 2),
    "flat, then steep": (
        lambda a: (a + 0.004) ** 5 - 2 * (a + 0.004) ** 4,
        lambda a: 5 * (a + 0.004) ** 4 - 8 * (a + 0.004) ** 3,
    ),
    "ripples": (
        lambda a: 1 - a + 0.1 * math.sin(20 * math.pi * a) / (20 * math.pi) + 0.5 * a * a,
        lambda a: a - 1 + 0.1 * math.cos(20 * math.pi * a),
    ),
    "parabola": (lambda a: (a - 3.0) ** 2, lambda a: 2 * (a - 3.0)),
    "double well": (lambda a: (a * a - 4) ** 2 - a, lambda a: 4 * a * (a * a - 4) - 1),
    "exponential": (lambda a: math.exp(min(a, 700.0)) - 5 * a, lambda a: math.exp(min(a, 700.0)) - 5),
    "steep beyond 1": (lambda a: -a + 50 * max(0.0, a - 1) ** 2, lambda a: -1 + 100 * max(0.0, a - 1)),
    "sharp and lopsided": (
        lambda a: math.hypot(a - 1, 1e-3) - 0.9 * (a - 1),
        lambda a: (a - 1) / math.hypot(a - 1, 1e-3) - 0.9,
    ),
    "barrier": (
        lambda a: a - 2 * math.log(a + 1e-3) if a > -1e-3 else math.nan,
        lambda a: 1 - 2 / (a + 1e-3),
    ),
    "walled in": (lambda a: (a - 1e-4) ** 2 if a < 2e-4 else math.inf, lambda a: 2 * (a - 1e-4)),
}


def search(phi, slope, calls=None, **options):
    def both(step):
        if calls is not None:
            calls.append(step)
        return phi(step), slope(step)

    options = {"c1": 1e-4, "c2": 0.9, "noise": 4e-15, **options}
    return WolfeSearch(both, phi(0.0), slope(0.0), **options)


@pytest.mark.parametrize("name", LANDSCAPES)
@given(st.floats(-4, 4), st.sampled_from([(1e-4, 0.9), (1e-4, 0.1), (0.1, 0.2), (1e-3, 1e-2)]))
def test_the_accepted_step_meets_both_strong_wolfe_conditions(name, exponent, constants):
    phi, slope = LANDSCAPES[name]
    c1, c2 = constants
    calls = []
    wolfe = search(phi, slope, calls, c1=c1, c2=c2)
    found = wolfe.run(first=10.0**exponent)
    assert found is not None
    assert found.step == calls[-1]
    assert len(calls) <= 25
    assert phi(found.step) <= phi(0.0) + c1 * found.step * slope(0.0)
    assert abs(slope(found.step)) <= c2 * abs(slope(0.0))
    assert wolfe.kind(found) == "strong"


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.1, 5), st.floats(-2, 2), st.floats(-2, 2))
def test_interpolation_finds_the_minimum_of_a_cubic_exactly(p, q, curvature, left, right):
    """φ = p (a − q)³/6 + c (a − q)²/2 has its minimum at q."""
    if abs(left - right) < 1e-2:
        return

    def trial(a):
        value = p * (a - q) ** 3 / 6 + curvature * (a - q) ** 2 / 2
        return Trial(a, value, p * (a - q) ** 2 / 2 + curvature * (a - q))

    a, b = trial(left), trial(right)
    assert cubic_minimiser(a, b, b.value - a.value) == pytest.approx(q, abs=1e-6)


def test_interpolation_without_a_minimum_gives_nan():
    assert math.isnan(cubic_minimiser(Trial(0.0, 0.0, -1.0), Trial(1.0, -1.0, -1.0), -1.0))
    assert math.isnan(cubic_minimiser(Trial(0.0, 0.0, -1.0), Trial(1.0, 1e308, -1e308), 1e308))


@given(st.integers(-300, 300), st.integers(-300, 300))
def test_units_do_not_matter(value_shift, step_shift):
    """φ scaled by one power of two and α by another: the same trials, scaled."""
    phi, slope = LANDSCAPES["ripples"]
    f, a = 2.0**value_shift, 2.0**step_shift
    plain, scaled = [], []
    search(phi, slope, plain, c2=0.01).run(first=10.0)
    search(lambda t: f * phi(t / a), lambda t: f / a * slope(t / a), scaled, c2=0.01).run(first=10.0 * a)
    assert [t * a for t in plain] == scaled


def test_without_a_lower_point_there_is_no_step():
    assert search(lambda a: 1.0 + a, lambda a: -1.0).run() is None  # the slope is wrong
    assert search(lambda a: 1.0, lambda a: -1.0, noise=1e-10).run(first=1e-15) is None  # nor does noise make one
    assert search(lambda a: 1.0 if a == 0 else math.nan, lambda a: -1.0).run() is None


def test_without_a_point_of_small_slope_the_lowest_decrease_is_taken_and_says_so():
    calls = []
    wolfe = search(lambda a: abs(a - 1.0), lambda a: math.copysign(1.0, a - 1.0), calls)
    found = wolfe.run(first=0.3)
    assert wolfe.kind(found) == "decrease"
    assert found.step == calls[-1]
    assert found.value == min(abs(a - 1.0) for a in calls)
    assert 0.5 < found.step < 1.5
    ripples = search(
        lambda a: abs(a - 1.0) + abs(math.sin(9 * a)) / 9, lambda a: -0.5 if a == 0 else -1.0 if a < 1 else 1, calls
    )
    calls.clear()
    found = ripples.run(first=0.9)
    assert found.value == min(abs(a - 1.0) + abs(math.sin(9 * a)) / 9 for a in calls)
    unbounded = search(lambda a: -a, lambda a: -1.0)
    assert unbounded.kind(unbounded.run()) == "decrease"


def test_a_step_is_called_strong_only_if_the_value_itself_falls_enough():
    wolfe = search(lambda a: 1.0 - a, lambda a: -1.0)
    for value, kind in [(1.0 - 1.1e-4, "strong"), (1.0 - 0.9e-4, "approximate"), (1.0, "approximate")]:
        assert wolfe.kind(Trial(1.0, value, 0.1)) == kind
        assert wolfe.kind(Trial(1.0, value, -0.95)) == "decrease"


@given(st.floats(0.5, 2), st.floats(-1, 1))
def test_below_the_noise_of_the_value_the_slopes_decide(minimum, jitter):
    """φ = 1 + ½κ(a − m)² with κ so small that φ is rounded to 1 or to a neighbour of 1; m is found by the slopes."""
    kappa = 1e-18
    rounding = iter(np.random.default_rng(int(abs(jitter) * 1e6)).choice([-4e-16, 0.0, 4e-16], 100))

    def phi(a):
        return 1.0 + float(next(rounding)) if a else 1.0

    def slope(a):
        return kappa * (a - minimum)

    wolfe = search(phi, slope, c2=1e-3, noise=4e-15)
    found = wolfe.run(first=30.0)
    assert found.step == pytest.approx(minimum, rel=2e-3)
    assert wolfe.kind(found) in ("strong", "approximate")
    assert slope(found.step) <= (2e-4 - 1) * slope(0.0)
    assert wolfe.kind(found) == ("approximate" if found.value > 1.0 else "strong")


@given(st.floats(-2, 2))
def test_the_slopes_do_not_decide_where_the_value_can(exponent):
    """Equal values at both ends of a wide valley: the sum of the slopes promises a decrease that is not there."""
    phi, slope = (lambda a: -(math.sin(a) ** 2)), (lambda a: -math.sin(2 * a) - 1e-3)
    wolfe = search(phi, slope, noise=1e-12, c2=0.9999)
    found = wolfe.run(first=math.pi * 10.0 ** round(exponent))
    assert phi(found.step) <= wolfe.c1 * found.step * slope(0.0)
