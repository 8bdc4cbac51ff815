"""How L-BFGS ends: by each of its criteria, by failure, by the callback and by Ctrl-C, and what it says then."""

import itertools

import numpy as np
import pytest

from autograd_ae.optim import lbfgs
from autograd_ae.optim.lbfgs import Run
from autograd_ae.optim.lbfgs_types import Settings


@pytest.mark.parametrize("gradient", [lambda x: -2 * x, lambda x: 2 * x[::-1] * np.arange(1.0, 4.0)])
def test_a_wrong_gradient_is_not_called_convergence(gradient):
    result = lbfgs(lambda x: (np.arange(1.0, 4.0) @ x**2, gradient(x)), np.array([1.0, 2.0, -3.0]))
    assert result.status == "line_search"
    assert not result.converged
    assert "do value and gradient belong together" in result.message


def test_a_kink_ends_the_run_in_good_time_and_is_not_called_convergence():
    result = lbfgs(lambda x: (np.sum(np.abs(x)), np.sign(x)), np.array([1.0, 2.3]))
    assert (result.status, result.converged) == ("line_search", False)
    assert result.value < 3.3
    assert result.evaluations < 300


def test_when_a_search_fails_the_pairs_are_forgotten_and_the_negative_gradient_is_tried_once(rosenbrock):
    points = []

    def lying(x, good):
        points.append(x.copy())
        value, gradient = rosenbrock(x)
        return (value if good(len(points)) else value + 1e6), gradient

    x0 = np.tile([-1.2, 1.0], 3)
    result = lbfgs(lambda x: lying(x, lambda call: call <= 20), x0)
    assert (result.status, result.converged) == ("line_search", False)
    assert 20 + 2 * 25 <= result.evaluations <= 20 + 2 * 30
    last = max((x - result.x for x in points[-25:]), key=np.linalg.norm)
    directions = np.array([points[20] - result.x, last, -rosenbrock(result.x)[1]])
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    assert directions[0] @ directions[2] < 0.99
    assert directions[1] @ directions[2] > 1 - 1e-9

    points.clear()  # a second failure soon after the first ends the run
    result = lbfgs(lambda x: lying(x, lambda call: call <= 20 or 50 < call <= 56), x0)
    assert result.status == "line_search"
    assert 56 + 25 <= result.evaluations <= 56 + 30


def test_a_value_that_creeps_through_failing_searches_is_not_called_converged(rosenbrock):
    options = {"history": 5, "max_iter": 99, "tol_gradient": 0.0, "tol_change": 1e-6, "c1": 1e-4, "c2": 0.9}
    state = Run(rosenbrock, np.zeros(4), Settings(value_noise=0.0, callback=None, **options))
    state.past.extend([(state.point.value, state.point.norm)] * 10)
    state.iterations = 10
    for kind, status in [("strong", "change"), ("approximate", "change"), ("decrease", "line_search")]:
        state.wolfe = kind
        assert state._stop_reason() == status


def test_terms_that_cancel_make_a_floor_of_their_own(rng):
    """‖X − XW1W2‖²/B written as traces of S = XᵀX/B loses 1e-16·tr S, though the loss itself falls to zero."""
    X = rng.standard_normal((200, 3)) @ rng.standard_normal((3, 20))
    S = X.T @ X / 200

    def traces(x):
        W1, W2 = x[:60].reshape(20, 3), x[60:].reshape(3, 20)
        SW, C = S @ W1, W1.T @ S @ W1
        value = np.trace(S) - 2 * np.sum(SW * W2.T) + np.sum(C * (W2 @ W2.T))
        return value, np.concatenate([(-2 * S @ W2.T + 2 * SW @ W2 @ W2.T).ravel(), (-2 * SW.T + 2 * C @ W2).ravel()])

    result = lbfgs(traces, 0.1 * rng.standard_normal(120), tol_gradient=1e-15, tol_change=0.0)
    assert (result.status, result.converged) == ("floor", True)
    assert np.sum((X - X @ result.x[:60].reshape(20, 3) @ result.x[60:].reshape(3, 20)) ** 2) <= 1e-12 * np.sum(X * X)


def test_a_gradient_that_still_falls_slowly_is_not_taken_for_the_floor(quadratic):
    curvatures = np.geomspace(1, 1e4, 50)
    result = lbfgs(quadratic(curvatures, np.ones(50), 1e8), np.zeros(50), max_iter=5000, tol_change=0.0)
    assert result.status == "gradient"


def test_stopping_by_iterations_by_the_callback_and_by_the_change_of_the_value(rosenbrock, run):
    x0 = np.tile([-1.2, 1.0], 5)
    short = lbfgs(rosenbrock, x0, max_iter=7)
    assert (short.status, short.iterations, short.converged) == ("max_iter", 7, False)
    none = lbfgs(rosenbrock, x0, max_iter=0)
    assert (none.iterations, none.evaluations) == (0, 1)
    assert np.array_equal(none.x, x0)
    stopped = lbfgs(rosenbrock, x0, callback=lambda step: step.iteration == 5)
    assert (stopped.status, stopped.iterations, stopped.converged) == ("callback", 5, False)
    loose, steps = run(lambda x: (rosenbrock(x)[0] + 10, rosenbrock(x)[1]), x0, tol_change=1e-2)
    assert (loose.status, loose.converged) == ("change", True)
    falls = [old.value_before - new.value for old, new in zip(steps, steps[9:], strict=False)]
    below = [fall <= 1e-2 * new.value for fall, new in zip(falls, steps[9:], strict=True)]
    assert below == [False] * (len(below) - 1) + [True]


@pytest.mark.parametrize("place", ["callback", "function"])
def test_ctrl_c_returns_the_best_point_so_far(rosenbrock, place):
    calls = itertools.count(1)
    seen = []

    def function(x):
        if place == "function" and next(calls) == 25:
            raise KeyboardInterrupt
        return rosenbrock(x)

    def callback(step):
        seen.append(step)
        if place == "callback" and step.iteration == 12:
            raise KeyboardInterrupt

    result = lbfgs(function, np.tile([-1.2, 1.0], 5), callback=callback)
    assert (result.status, result.converged) == ("interrupted", False)
    assert result.iterations == len(seen) > 8
    assert np.array_equal(result.x, seen[-1].x)
    assert result.value == seen[-1].value == rosenbrock(result.x)[0]
