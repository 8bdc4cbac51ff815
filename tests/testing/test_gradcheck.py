"""The checker rejects what is wrong, accepts what is right, and says so when it cannot tell."""

import json

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.testing import GradientError, assert_gradient, check_gradient, check_vjp, gradcheck

METHODS = ("auto", "differences")
methods = pytest.mark.parametrize("method", METHODS)
SCALES = (1e-12, 1.0, 1e12)


def squares(x):
    return np.sum(x**2)


def twice(x):
    return 2 * x


# Scale.


@methods
@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-6, 1e-9, 1e-12, 1e12])
@pytest.mark.parametrize("x_scale", [1e-6, 1.0, 1e6])
def test_no_scale_of_f_or_x_hides_a_fault_or_makes_one(dense_sigmoid, method, scale, x_scale):
    case = dense_sigmoid(scale, x_scale)
    assert check_gradient(case.f, case.gradient, case.W, method=method).verdict == "agrees"
    for name, wrong in case.wrong.items():
        assert check_gradient(case.f, wrong, case.W, method=method).verdict == "disagrees", name


@methods
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e-12])
def test_projections_find_what_is_wrong_in_one_row(dense_sigmoid, method, scale):
    case = dense_sigmoid(scale, rows=41, columns=17)

    def wrong(change):
        def gradient(W):
            g = case.gradient(W)
            change(g)
            return g

        return gradient

    def too_large(g):
        g[7] *= 1.01

    def copied(g):
        g[7] = g[8]

    def one_sign(g):
        i = np.unravel_index(np.abs(g).argmax(), g.shape)
        g[i] *= -1

    options = {"method": method, "points": 1}
    assert check_gradient(case.f, case.gradient, case.W, **options).verdict == "agrees"
    for change in (too_large, copied, one_sign):
        result = check_gradient(case.f, wrong(change), case.W, **options)
        assert result.verdict == "disagrees", change.__name__
        assert result.worst.projected
        assert "random projection" in str(result)


# Kinks.


@methods
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(
    ("f", "claimed", "x"),
    [
        (lambda x: np.sum(np.abs(x)), lambda c: [c, 1.0], [0.0, 1.0]),
        (lambda x: np.sum(np.abs(x)), lambda c: [c, 1.0], [1e-300, 1.0]),
        (lambda x: np.sum(np.maximum(x, 0)), lambda c: [c, 1.0], [0.0, 1.0]),
        (np.max, lambda c: [c, 1 - c, 0.0], [1.0, 1.0, 0.0]),
    ],
    ids=["abs", "abs next to 0", "relu", "tied maximum"],
)
@pytest.mark.parametrize("convention", [0.0, 0.5, 1.0])
def test_a_kink_is_undecided_whatever_convention_is_claimed(f, claimed, x, convention, method, scale):
    result = check_gradient(
        lambda x: scale * f(x), lambda _: scale * np.array(claimed(convention)), np.array(x), method=method, points=1
    )
    assert result.verdict == "undecided"
    assert "kink" in result.reason


@methods
def test_what_is_wrong_beside_a_kink_is_wrong(method):
    result = check_gradient(lambda x: np.sum(np.abs(x)), lambda x: 2 * np.sign(x), np.array([0.0, 1.0]), method=method)
    assert result.verdict == "disagrees"
    assert result.worst.index == (1,)


# What cannot be compared.


@methods
@pytest.mark.parametrize("f", [lambda x: 3.0, lambda x: np.sum(0 * x)], ids=["ignores x", "times 0"])
def test_a_constant_function_is_undecided_and_a_slope_of_it_is_wrong(f, method):
    x = np.array([1.0, 2.0])
    assert check_gradient(f, np.zeros_like, x, method=method).verdict == "undecided"
    assert "constant" in check_gradient(f, np.zeros_like, x, method=method).reason
    assert check_gradient(f, np.ones_like, x, method=method).verdict == "disagrees"


@methods
@pytest.mark.parametrize("size", [1.0, 1e-9])
def test_a_random_function_or_gradient_is_undecided(method, size):
    noise = np.random.default_rng(0)
    for f, g in (
        (lambda x: squares(x) + size * noise.normal(), twice),
        (squares, lambda x: 2 * x + size * noise.normal()),
    ):
        result = check_gradient(f, g, np.ones(3), method=method)
        assert result.verdict == "undecided"
        assert "not deterministic" in result.reason


def test_a_gradient_added_to_a_buffer_at_each_call_is_not_certified():
    buffer = np.zeros(3)

    def accumulates(x):
        nonlocal buffer
        buffer += 2 * x
        return buffer

    assert not check_gradient(squares, accumulates, np.ones(3))


@methods
def test_a_function_that_is_not_finite_is_undecided_and_a_gradient_that_is_not_is_wrong(method):
    x = np.array([1.0, -2.0])
    assert "not finite" in check_gradient(lambda x: np.nan * np.sum(x), np.ones_like, x, method=method).reason
    for bad in (np.nan, np.inf, -np.inf):
        for g in (lambda x, bad=bad: 2 * x * np.array([1, bad]), lambda x, bad=bad: np.full(2, bad)):
            result = check_gradient(squares, g, x, method=method)
            assert result.verdict == "disagrees"
            json.dumps(result.to_dict(), allow_nan=False)


@methods
def test_noise_above_the_signal_is_undecided_and_never_certified_by_atol(method):
    x = np.array([1.0, 2.0])

    def f(x):
        return np.sum(1 + 1e-17 * x**2)

    for g in (lambda x: 2e-17 * x, lambda x: 4e-17 * x, np.zeros_like):
        result = check_gradient(f, g, x, method="differences", atol=1e3)
        assert result.verdict == "undecided"
        assert ("noise" if np.any(g(x)) else "constant") in result.reason
    assert not check_gradient(squares, np.zeros_like, 1e-9 * x, method=method, atol=1.0)


def test_a_border_of_the_domain_is_undecided_for_differences():
    result = check_gradient(
        lambda x: np.sum(np.sqrt(x)), np.ones_like, np.array([0.0, 0.25]), method="differences", points=1
    )
    assert result.verdict == "undecided"
    assert "one side" in result.reason


# What a call reveals.


def test_mutation_of_inputs_is_a_disagreement():
    def f(x):
        x *= 2
        return np.sum(x**2) / 4

    def g(x):
        x *= 2
        return x

    for result, who in (
        (check_gradient(f, twice, np.ones(3)), "f"),
        (check_gradient(squares, g, np.ones(3)), "gradient"),
    ):
        assert result.verdict == "disagrees"
        assert who in result.reason
        assert "mutates" in result.reason


def test_gradients_that_are_views_of_each_other_are_a_disagreement():
    def shared(x, y):
        g = np.ones(3)
        return g, g[::-1]

    def parts(x, y):
        g = np.ones(6)
        return g[:3], g[3:]

    point = (np.zeros(3), np.ones(3))
    result = check_gradient(lambda x, y: np.sum(x) + np.sum(y), shared, point)
    assert result.verdict == "disagrees"
    assert "share memory" in result.reason
    assert check_gradient(lambda x, y: np.sum(x) + np.sum(y), parts, point)


@methods
def test_a_wrong_shape_is_a_disagreement_with_a_hint(method):
    x = np.ones((3, 2))
    assert "transposed" in check_gradient(squares, lambda x: 2 * x.T, x, method=method).reason
    result = check_gradient(lambda b: squares(b + np.ones((5, 3))), lambda b: 2 * (b + np.ones((5, 3))), np.ones(3))
    assert result.verdict == "disagrees"
    assert "sum" in result.reason


# VJPs, and this project's own functions.


def test_a_random_cotangent_sees_rows_that_a_sum_does_not():
    x = np.random.default_rng(0).normal(size=(4, 3))
    assert check_vjp(np.tanh, lambda x, u: u * (1 - np.tanh(x) ** 2), x)
    assert not check_vjp(lambda x: 2 * x, lambda x, u: 2 * u[::-1], x)
    assert check_vjp(lambda x: 2 * x, lambda u, x: 2 * u, x)


def test_gradcheck_names_the_rule_and_the_line(monkeypatch):
    from autograd_ae.ops.elementary import _tanh

    def wrong(out, g, y, _x):
        out[...] = 1.5 * g

    monkeypatch.setattr(_tanh.pullbacks[0], "fn", wrong)
    monkeypatch.setattr(_tanh.pullbacks[0], "kernel", None)
    result = gradcheck(lambda x: ae.sum(ae.exp(ae.tanh(x))), np.array([0.3, 0.5]))
    assert result.verdict == "disagrees"
    assert "tanh.dx" in result.where
    assert "test_gradcheck.py" in result.where
    with pytest.raises(GradientError, match="tanh"):
        gradcheck(lambda x: ae.tanh(x), np.array([0.3]), raise_exception=True)


def test_gradcheck_wants_tensors():
    with pytest.raises(TypeError, match="check_gradient"):
        gradcheck(lambda x: 1.0, np.ones(2))


# The report.


def test_a_failure_names_argument_index_values_digits_and_line():
    def gradient(W, b):
        g = 2 * W * np.sum(b)
        g[1, 2] *= 1.5
        return g, np.full(b.shape, np.sum(W**2))

    W, b = np.arange(1.0, 7.0).reshape(2, 3), np.array([0.25, 0.75])
    result = check_gradient(lambda W, b: np.sum(W**2) * np.sum(b), gradient, (W, b), points=1)
    worst = result.worst
    assert (worst.name, worst.argument, worst.index, worst.given) == ("W", 0, (1, 2), 18.0)
    assert worst.expected == pytest.approx(12.0)
    assert result.digits == pytest.approx(-np.log10(0.5))
    report = str(result)
    for words in ("disagrees", "W[1, 2]", "given 18", "expected 12", "gradient (test_gradcheck.py:"):
        assert words in report
    assert max(map(len, report.splitlines())) <= 160
    with pytest.raises(GradientError, match=r"W\[1, 2\]"):
        assert_gradient(lambda W, b: np.sum(W**2) * np.sum(b), gradient, (W, b))


def test_results_are_true_only_when_they_agree_and_go_into_json():
    x = np.array([1.0, 2.0])
    results = [
        check_gradient(f, g, x) for f, g in ((squares, twice), (squares, np.zeros_like), (lambda x: 1.0, np.zeros_like))
    ]
    assert [r.verdict for r in results] == ["agrees", "disagrees", "undecided"]
    assert [bool(r) for r in results] == [True, False, False]
    for r in results:
        assert r.reason
        assert 0 <= r.digits <= 16
        assert json.loads(json.dumps(r.to_dict(), allow_nan=False))["verdict"] == r.verdict
    assert "zero throughout" in results[1].reason
    assert results[0].digits > 12


def test_a_float32_gradient_that_overflows_is_undecided_and_of_the_wrong_sign_wrong():
    x = np.array([80.0, 1.0], np.float32)

    def f(x):
        return 1e10 * np.sum(np.exp(x.astype(np.float64)))

    def gradient(x, sign=1.0):
        with np.errstate(over="ignore"):
            return (sign * 1e10 * np.exp(x)).astype(np.float32)

    assert check_gradient(f, gradient, x, points=1).verdict == "undecided"
    assert check_gradient(f, lambda x: gradient(x, -1.0), x, points=1).verdict == "disagrees"


@pytest.mark.parametrize("part", [lambda x: x.data, ae.detach])
def test_a_function_that_bypasses_the_recording_disagrees_and_says_why(part):
    result = gradcheck(lambda x: ae.sum(x * part(x)), np.array([2.0, 1.0]))
    assert result.verdict == "disagrees"
    assert "bypasses the recording" in result.reason


def test_a_saturated_unit_whose_output_keeps_few_digits_is_no_disagreement():
    """1 − y² of tanh at 18 is a few ulp of 1: the fused layer's gradient is as right as y allows."""
    x, W, b = np.array([[18.2]]), np.array([[1.0]]), np.zeros(1)
    assert gradcheck(lambda x, W, b: ae.dense(x, W, b, "tanh"), (x, W, b), points=1).verdict != "disagrees"


@pytest.mark.parametrize(("option", "value"), [("rtol", 10.0), ("rtol", -1.0), ("rtol", np.inf), ("atol", -1.0)])
def test_tolerances_that_would_pass_anything_are_refused(option, value):
    with pytest.raises(ValueError, match=f"{option} is "):
        check_gradient(lambda x: np.sum(x**2), lambda x: -2 * x, np.ones(2), **{option: value})


def test_entries_that_noise_hides_are_counted_and_not_certified():
    """1e16 sin(x₀) + x₁²: beside a slope of 1e16 nothing can be said of one of 1."""
    result = check_gradient(
        lambda x: 1e16 * np.sin(x[0]) + x[1] ** 2,
        lambda x: np.array([1e16 * np.cos(x[0]), -5.0]),
        np.array([0.3, 0.4]),
        method="differences",
        points=1,
    )
    assert result.verdict != "agrees" or "1 of 2 entries agree" in result.reason
    clean = check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, np.array([0.3, 0.4]))
    assert clean.reason.startswith("every entry agrees")
