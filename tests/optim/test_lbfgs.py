"""L-BFGS: convergence, invariances, the Wolfe conditions at every step, the end game, and bad arguments."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_ae.optim import lbfgs

seeds = st.integers(0, 2**32)


@pytest.mark.parametrize("n", [2, 10, 100])
def test_rosenbrock_is_minimised(rosenbrock, run, n):
    result, steps = run(rosenbrock, np.tile([-1.2, 1.0], n // 2), tol_gradient=1e-12, tol_change=0.0)
    assert result.converged
    np.testing.assert_allclose(result.x, 1.0, atol=1e-9)
    assert result.iterations == len(steps) <= 40 + 6 * n
    assert result.evaluations <= 1.5 * result.iterations


@given(seeds, st.integers(1, 12))
def test_with_all_pairs_and_a_careful_line_search_a_quadratic_takes_about_n_steps(quadratic, seed, n):
    """With exact line searches BFGS ends after n steps (Nocedal & Wright 2006, theorem 6.4)."""
    rng = np.random.default_rng(seed)
    function = quadratic(rng.uniform(1, 1e4, n), rng.standard_normal(n))
    result = lbfgs(function, rng.standard_normal(n), history=n + 3, c2=1e-3, tol_gradient=1e-9, tol_change=0.0)
    assert result.status == "gradient"
    assert result.iterations <= n + 2


@given(seeds, st.integers(1, 30), st.floats(0, 6))
def test_quadratics_are_minimised_whatever_their_condition(quadratic, seed, n, decades):
    rng = np.random.default_rng(seed)
    minimum = rng.standard_normal(n)
    curvatures = 10.0 ** rng.uniform(-decades / 2, decades / 2, n)
    result = lbfgs(quadratic(curvatures, minimum), rng.standard_normal(n), max_iter=5000, tol_change=0.0)
    assert result.status == "gradient"
    np.testing.assert_allclose(curvatures * (result.x - minimum), 0.0, atol=1.01e-8 * 10 ** (decades / 2) * 10)


@pytest.mark.parametrize("history", [1, 5, 20])
@pytest.mark.parametrize("c2", [0.1, 0.9])
@settings(max_examples=3)
@given(seeds)
def test_every_accepted_step_meets_the_wolfe_conditions_that_it_claims(rosenbrock, quadratic, run, history, c2, seed):
    rng = np.random.default_rng(seed)
    constants = {"c1": 1e-4, "c2": c2}
    functions = [rosenbrock, quadratic(10.0 ** rng.uniform(-3, 3, 8), rng.standard_normal(8), floor=1e5)]
    for function in functions:
        x0 = rng.standard_normal(8)
        result, steps = run(function, x0, history=history, max_iter=200, tol_change=0.0, tol_gradient=0.0, **constants)
        assert len(steps) == result.iterations > 5
        value, gradient = function(x0)
        x = x0
        for number, step in enumerate(steps, start=1):
            assert (step.iteration, step.value_before) == (number, value)
            new_value, new_gradient = function(step.x)
            assert step.value == new_value
            moved = (step.x - x) / step.step_length
            noise = 1e-9 * np.abs(gradient) @ np.abs(moved) + 1e-9 * np.abs(new_gradient) @ np.abs(moved)
            noise += 4e-16 / step.step_length * (np.abs(x) @ (np.abs(gradient) + np.abs(new_gradient)))
            assert abs(gradient @ moved - step.slope_before) <= noise
            assert abs(new_gradient @ moved - step.slope) <= noise
            assert step.slope_before < 0
            if step.wolfe == "decrease":
                assert step.value < step.value_before
            else:
                assert abs(step.slope) <= c2 * abs(step.slope_before)
            if step.wolfe == "strong":
                assert step.value <= step.value_before + 1e-4 * step.step_length * step.slope_before
            if step.wolfe == "approximate":
                assert step.slope <= (2e-4 - 1) * step.slope_before
                assert abs(step.value - step.value_before) <= 2.0**-48 * max(abs(value), abs(new_value))
            x, value, gradient = step.x, new_value, new_gradient
        assert result.value == value
        assert np.array_equal(result.x, x)
        assert result.gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-14)


@settings(max_examples=10)
@given(seeds, st.integers(-100, 100), st.integers(-100, 100))
def test_changing_the_units_of_value_and_variables_scales_the_iterates_bit_by_bit(
    rosenbrock, run, seed, value_shift, x_shift
):
    f, a = 2.0**value_shift, 2.0**x_shift
    x0 = np.random.default_rng(seed).standard_normal(6)

    def scaled(x):
        value, gradient = rosenbrock(x / a)
        return f * value, f / a * gradient

    plain, steps = run(rosenbrock, x0)
    result, scaled_steps = run(scaled, a * x0)
    assert (result.status, result.evaluations) == (plain.status, plain.evaluations)
    assert all(np.array_equal(a * s.x, t.x) for s, t in zip(steps, scaled_steps, strict=True))


@given(seeds)
def test_rotating_the_variables_rotates_the_iterates(quadratic, run, seed):
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    function, x0 = quadratic(np.array([1.0, 2, 3, 5, 8, 13]), rng.standard_normal(6)), rng.standard_normal(6)

    def rotated(x):
        value, gradient = function(rotation.T @ x)
        return value, rotation @ gradient

    _, steps = run(function, x0)
    _, rotated_steps = run(rotated, rotation @ x0)
    for step, other in itertools.islice(zip(steps, rotated_steps, strict=False), 8):
        np.testing.assert_allclose(rotation @ step.x, other.x, atol=1e-9)


@pytest.mark.parametrize("floor", [1e4, 1e8, 1e12])
def test_the_gradient_is_followed_far_below_the_rounding_of_the_value(quadratic, run, floor):
    """The value cannot tell points apart that are nearer than √(1e-16·floor) to the minimum; the gradient can."""
    curvatures, minimum = np.geomspace(1, 100, 10), np.linspace(-1, 1, 10)
    result, _ = run(quadratic(curvatures, minimum, floor), np.zeros(10), tol_gradient=1e-12, tol_change=0.0)
    assert result.status == "gradient"
    np.testing.assert_allclose(result.x, minimum, atol=1e-9)


def test_a_noisy_value_does_not_stop_the_descent_and_the_steps_say_so(quadratic, run):
    """Each value is wrong by up to 1e-9 of itself; with value_noise=1e-8 the minimum is found to 1e-10."""
    rng = np.random.default_rng(3)
    exact = quadratic(np.geomspace(1, 100, 10), np.ones(10), 1.0)

    def noisy(x):
        value, gradient = exact(x)
        return value * (1 + 1e-9 * rng.uniform(-1, 1)), gradient

    result, steps = run(noisy, np.zeros(10), tol_gradient=1e-12, tol_change=0.0, value_noise=1e-8)
    assert result.status == "gradient"
    np.testing.assert_allclose(result.x, 1.0, atol=1e-10)
    kinds = {step.wolfe for step in steps}
    assert kinds == {"strong", "approximate"}
    assert all(step.value <= step.value_before * (1 + 1e-8) for step in steps)


def test_started_at_the_minimum_it_stays_there_and_says_converged(quadratic):
    minimum = np.linspace(1, 2, 5)
    function = quadratic(np.arange(1.0, 6.0), minimum, 3.0)
    first = lbfgs(function, np.zeros(5), tol_change=0.0)
    again = lbfgs(function, first.x)
    assert again.converged
    assert again.value <= first.value
    exact = lbfgs(function, minimum)
    assert (exact.status, exact.iterations, exact.evaluations) == ("gradient", 0, 1)


def test_it_leaves_the_neighbourhood_of_a_saddle():
    def saddle(x):  # minima at (±1, 0), a saddle at the origin
        return (x[0] ** 2 - 1) ** 2 + x[1] ** 2, np.array([4 * x[0] * (x[0] ** 2 - 1), 2 * x[1]])

    result = lbfgs(saddle, np.array([1e-9, 1e-9]))
    assert result.converged
    assert result.value == pytest.approx(0.0, abs=1e-12)


def test_it_steps_back_from_points_where_the_function_is_not_finite():
    def barrier(x):  # Σ x − ln x, defined for x > 0
        inside = x > 0
        return (np.sum(x - np.log(x)) if inside.all() else math.nan), 1 - 1 / np.where(inside, x, 1.0)

    result = lbfgs(barrier, np.full(3, 1e-3))
    np.testing.assert_allclose(result.x, 1.0, rtol=1e-6)

    def wall(x):  # the value is fine beyond the wall, the gradient is not
        return (x @ x, 2 * x) if x[0] > 0 else (-1.0, np.array([np.inf, -np.inf]))

    assert lbfgs(wall, np.array([1.0, 1.0])).x[0] > 0


def test_a_start_at_zero_is_no_special_case(quadratic):
    for floor in (0.0, 1.0, -27.0):
        result = lbfgs(quadratic(np.array([2.0, 2.0, 2.0]), np.full(3, 3.0), floor), np.zeros(3))
        np.testing.assert_allclose(result.x, 3.0, rtol=1e-7)


def test_x0_is_not_changed_steps_may_be_kept_and_buffers_may_be_reused(rosenbrock, run):
    x0, buffer = np.tile([-1.2, 1.0], 3), np.empty(6)
    kept = x0.copy()

    def reusing(x):
        assert not x.flags.writeable
        value, buffer[:] = rosenbrock(x)
        return value, buffer

    result, steps = run(reusing, x0[:])
    expected, expected_steps = run(rosenbrock, x0)
    assert np.array_equal(x0, kept)
    assert np.array_equal(result.x, expected.x)
    assert all(np.array_equal(s.x, t.x) for s, t in zip(steps, expected_steps, strict=True))


def test_the_same_run_twice_is_the_same_bit_by_bit(rosenbrock):
    x0 = np.tile([-1.2, 1.0], 3)
    assert np.array_equal(lbfgs(rosenbrock, x0).x, lbfgs(rosenbrock, x0).x)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"x0": [1.0, 2.0]}, TypeError, "x0 is of type list; a NumPy array of shape"),
        ({"x0": np.ones((2, 2))}, ValueError, r"x0 has shape \(2, 2\) and dtype float64; a flat"),
        ({"x0": np.ones(2, np.float32)}, ValueError, r"x0 has shape \(2,\) and dtype float32"),
        ({"x0": np.ones(0)}, ValueError, "non-empty float64 vector"),
        ({"x0": np.array([1.0, np.nan])}, FloatingPointError, "x0 contains NaN"),
        ({"history": 0}, ValueError, "history is 0; it must be at least 1"),
        ({"history": 2.5}, TypeError, "history is 2.5"),
        ({"max_iter": -1}, ValueError, "max_iter is -1"),
        ({"tol_gradient": -1e-3}, ValueError, "tol_gradient is -0.001; it must be at least 0 and below 1"),
        ({"tol_change": math.nan}, ValueError, "tol_change is nan"),
        ({"value_noise": 1.0}, ValueError, "value_noise is 1.0"),
        ({"c1": 0.0}, ValueError, "c1 is 0.0; it must be above 0 and below 1/2"),
        ({"c1": 0.4, "c2": 0.3}, ValueError, "c2 is 0.3; it must be above c1 = 0.4 and below 1"),
        ({"callback": 3}, TypeError, "callback is of type int; a callable or None"),
        ({"value_and_grad": lambda x: (math.inf, x)}, FloatingPointError, "the value at x0 is inf"),
        ({"value_and_grad": lambda x: (1.0, x * np.nan)}, FloatingPointError, "norm nan and 2 non-finite entries"),
        ({"value_and_grad": lambda x: (x, x)}, TypeError, "returned the value .* one real number is needed"),
        ({"value_and_grad": lambda x: (1j, x)}, TypeError, "returned the value 1j"),
        ({"value_and_grad": lambda x: (1.0, x[:1])}, ValueError, r"a gradient of shape \(1,\); x has shape \(2,\)"),
        ({"value_and_grad": lambda x: (1.0, [1, 2])}, TypeError, "gradient is of type list"),
    ],
)
def test_bad_arguments_have_clear_errors(changes, error, words):
    arguments = {"value_and_grad": lambda x: (x @ x, 2 * x), "x0": np.ones(2), **changes}
    with pytest.raises(error, match=words):
        lbfgs(arguments.pop("value_and_grad"), arguments.pop("x0"), **arguments)
