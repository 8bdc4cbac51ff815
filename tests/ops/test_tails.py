"""Value and gradient keep their relative digits where the usual one-line formulas overflow, cancel or round to 0 or 1.

The oracle is `decimal` with 700 digits, which has room for 1 + e⁻¹⁴⁰⁰; its formulas are the textbook's.
"""

from decimal import Decimal, localcontext

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.ops.activations import gelu, log_sigmoid, silu, softplus
from autograd_ae.ops.elementary import tanh
from autograd_ae.ops.losses import bce_with_logits, cross_entropy
from autograd_ae.ops.sigmoid import sigmoid
from autograd_ae.ops.softmax import log_softmax, logsumexp, softmax

DIGITS = 700
FEW_ULP = 4e-15
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")
ONE = Decimal(1)
POINTS = [-700.0, -350.3, -40.0, -37.0, -20.0, -1.0, -1e-9, 0.0, 1e-9, 0.5, 1.0, 20.0, 37.0, 40.0, 350.3, 700.0]


@pytest.fixture(autouse=True)
def _many_digits():
    with localcontext() as context:
        context.prec = DIGITS
        yield


def exp(x):
    return Decimal(x).exp()


def logistic(x):
    return ONE / (ONE + exp(-Decimal(x)))


def phi(x):
    """The normal density."""
    return (-Decimal(x) * Decimal(x) / 2).exp() / (2 * PI).sqrt()


def upper_tail(x):
    """1 − Φ(x) for x ≥ 4 to 30 digits: Laplace's continued fraction, 400 levels."""
    x = Decimal(x)
    with localcontext() as context:
        context.prec = 50
        fraction = x
        for k in range(400, 0, -1):
            fraction = x + k / fraction
    return phi(x) / fraction


def value_and_gradient(fn, x):
    value, (gradient,) = ae.value_and_grad(lambda t: fn(t).sum())(np.array([x]))
    return value, gradient[0]


def assert_equal_to(ours, exact, tolerance):
    """To a relative tolerance; below the smallest normal number to the same fraction of that."""
    smallest = Decimal(float(np.finfo(ours.dtype).tiny))
    error = abs(Decimal(float(ours)) - exact)
    assert error <= Decimal(tolerance) * max(abs(exact), smallest), f"{ours!r} against {exact:.20e}"


EXACT = {
    sigmoid: (logistic, lambda x: logistic(x) * logistic(-x)),
    log_sigmoid: (lambda x: logistic(x).ln(), lambda x: logistic(-x)),
    softplus: (lambda x: (ONE + exp(x)).ln(), logistic),
    silu: (lambda x: Decimal(x) * logistic(x), lambda x: logistic(x) * (ONE + Decimal(x) * logistic(-x))),
    tanh: (lambda x: 2 * logistic(2 * x) - ONE, lambda x: 4 * logistic(2 * x) * logistic(-2 * x)),
}


@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("fn", EXACT, ids=lambda fn: fn.__name__)
def test_an_activation_and_its_gradient_keep_their_digits(fn, x):
    value, gradient = value_and_gradient(fn, x)
    exact_value, exact_gradient = EXACT[fn]
    assert_equal_to(value, exact_value(Decimal(x)), FEW_ULP)
    assert_equal_to(gradient, exact_gradient(Decimal(x)), FEW_ULP)


@pytest.mark.parametrize("x", [-37.5, -30.0, -20.0, -12.3, -5.0, -4.0])
def test_the_left_tail_of_gelu_keeps_the_digits_that_one_rounding_of_x_leaves(x):
    value, gradient = value_and_gradient(gelu, x)
    tolerance = x * x * 2.3e-16 + FEW_ULP
    assert_equal_to(value, Decimal(x) * upper_tail(-x), tolerance)
    assert_equal_to(gradient, upper_tail(-x) + Decimal(x) * phi(x), tolerance)


ROWS = [
    [0.0, -700.0],
    [-700.0, 700.0],
    [700.0, 699.0, 698.5],
    [-700.0, -700.0, -700.0],
    [1e-9, -37.0, -40.0],
    [700.3, 699.1],
    [-1e6, -1e6 - 0.5],
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_logsumexp_and_its_gradient_keep_their_digits(row):
    value, (gradient,) = ae.value_and_grad(logsumexp)(np.array(row))
    total = sum(exp(x) for x in row)
    assert_equal_to(value, total.ln(), FEW_ULP)
    for ours, x in zip(gradient, row, strict=True):
        assert_equal_to(ours, exp(x) / total, FEW_ULP)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_softmax_and_log_softmax_keep_their_digits(row):
    total = sum(exp(x) for x in row)
    with ae.no_grad():
        for s, ell, x in zip(softmax(row).data, log_softmax(row).data, row, strict=True):
            assert_equal_to(ell, (exp(x) / total).ln(), FEW_ULP)
            assert_equal_to(s, exp(x) / total, FEW_ULP)


@pytest.mark.parametrize("t", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("a", POINTS)
def test_bce_with_logits_and_its_gradient_keep_their_digits(a, t):
    value, (da, dt) = ae.value_and_grad(bce_with_logits)(np.array([a]), np.array([t]))
    a_, t_ = Decimal(a), Decimal(t)
    assert_equal_to(value, (ONE + a_.exp()).ln() - t_ * a_, FEW_ULP)
    assert_equal_to(da[0], logistic(a_) - t_, FEW_ULP)
    assert dt[0] == -a


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("right", [0, 1])
def test_cross_entropy_and_its_gradient_keep_their_digits_for_a_confident_right_answer(row, right):
    value, (gradient,) = ae.value_and_grad(lambda a: cross_entropy(a, np.array(right)))(np.array(row))
    total = sum(exp(x) for x in row)
    assert_equal_to(value, total.ln() - Decimal(row[right]), FEW_ULP)
    for k, x in enumerate(row):
        exact = -sum(exp(y) for j, y in enumerate(row) if j != k) / total if k == right else exp(x) / total
        assert_equal_to(gradient[k], exact, FEW_ULP)


@pytest.mark.parametrize("fn", EXACT, ids=lambda fn: fn.__name__)
@pytest.mark.parametrize("x", [-80.0, -20.0, -1.0, 0.0, 1.0, 20.0, 40.0])
def test_in_float32_the_tails_keep_the_digits_of_float32(fn, x):
    value, (gradient,) = ae.value_and_grad(lambda t: fn(t).sum())(np.array([x], np.float32))
    assert gradient.dtype == np.float32
    assert_equal_to(value, EXACT[fn][0](Decimal(x)), 1e-6)
    assert_equal_to(gradient[0], EXACT[fn][1](Decimal(x)), 1e-6)
