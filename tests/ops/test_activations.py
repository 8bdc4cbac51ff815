"""Kinks, limits and identities of activations and of the softmax family; their digits are in test_tails.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.ops import activations as ops
from autograd_ae.ops.activations import ACTIVATIONS
from autograd_ae.ops.softmax import log_softmax, logsumexp, softmax
from autograd_ae.testing.complex_step import complex_step_gradient

INF, NAN = np.inf, np.nan
finite = st.floats(-50, 50)


def value_and_gradient(fn, values):
    x = ae.tensor(values)
    y = fn(x)
    return y.data, ae.grad(y, x, cotangent=np.ones(y.shape))


@pytest.mark.parametrize(
    ("fn", "left_slope"),
    [
        (ops.relu, 0.0),
        (lambda x: ops.leaky_relu(x, negative_slope=0.2), 0.2),
        (lambda x: ops.elu(x, alpha=0.7), 0.7),
    ],
)
def test_at_the_kink_the_left_slope_is_the_gradient(fn, left_slope):
    value, gradient = value_and_gradient(fn, [0.0, -0.0])
    np.testing.assert_array_equal(value, [0.0, 0.0])
    np.testing.assert_array_equal(gradient, [left_slope, left_slope])


@pytest.mark.parametrize(
    ("fn", "slope"),
    [(ops.softplus, 0.5), (ops.log_sigmoid, 0.5), (ops.silu, 0.5), (ops.gelu, 0.5), (ae.sigmoid, 0.25), (ae.tanh, 1.0)],
)
def test_what_is_smooth_at_0_has_one_slope_there_for_rule_and_reference(fn, slope):
    for zero in (0.0, -0.0):
        assert value_and_gradient(fn, [zero])[1][0] == slope
        assert complex_step_gradient(fn, [np.array(zero)])[0] == pytest.approx(slope, rel=1e-15, abs=0)


LIMITS = {  # (f(−∞), f(∞)), (f′(−∞), f′(∞))
    "sigmoid": ((0.0, 1.0), (0.0, 0.0)),
    "tanh": ((-1.0, 1.0), (0.0, 0.0)),
    "relu": ((0.0, INF), (0.0, 1.0)),
    "leaky_relu": ((-INF, INF), (0.01, 1.0)),
    "elu": ((-1.0, INF), (0.0, 1.0)),
    "silu": ((0.0, INF), (0.0, 1.0)),
    "gelu": ((0.0, INF), (0.0, 1.0)),
    "softplus": ((0.0, INF), (0.0, 1.0)),
    "log_sigmoid": ((-INF, 0.0), (1.0, 0.0)),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", LIMITS)
def test_infinities_give_the_limits_without_a_warning_and_nan_gives_nan(name, dtype):
    value, gradient = value_and_gradient(ACTIVATIONS[name], np.array([-INF, INF, NAN], dtype))
    values, slopes = LIMITS[name]
    np.testing.assert_array_equal(value, np.array([*values, NAN], dtype))
    np.testing.assert_array_equal(gradient[:2], np.array(slopes, dtype))


@pytest.mark.parametrize("name", LIMITS)
def test_numpy_form_and_kernel_agree_in_value_and_rule(rng, name):
    """What runs without kernels is what runs with them, to 1e-14 (gelu: to the rounding of x² in its tail)."""
    x, g = 8 * rng.normal(size=500), rng.normal(size=500)
    node = ACTIVATIONS[name](ae.tensor(x)).node
    op, (rule,) = node.op, node.op.pullbacks
    plain, compiled = np.empty_like(x), np.empty_like(x)
    np.testing.assert_allclose(op.reference(x, **node.params), node.value, rtol=1e-13, atol=1e-300)
    rule.fn(plain, g, node.value, x, **node.params)
    (rule.kernel or rule.fn)(compiled, g, node.value, x, **node.params)
    np.testing.assert_allclose(plain, compiled, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", ["softplus", "log_sigmoid", "silu", "gelu"])
@given(x=finite)
def test_the_odd_part_is_half_of_x(name, x):
    """f(x) − f(−x) = x, since σ(x) + σ(−x) = 1 and Φ(x) + Φ(−x) = 1."""
    there, back = ACTIVATIONS[name]([x, -x]).data
    assert there - back == pytest.approx(x, abs=1e-14)


@given(finite)
def test_softplus_is_minus_the_log_sigmoid_of_minus_x_and_its_slope_the_sigmoid(x):
    value, slope = value_and_gradient(ops.softplus, [x])
    assert value[0] == -ops.log_sigmoid([-x]).data[0]
    assert slope[0] == pytest.approx(ae.sigmoid([x]).data[0], rel=4e-16, abs=0)


def test_the_minimum_of_gelu_and_of_silu_is_where_the_literature_has_it():
    for fn, at, least in (
        (ops.gelu, -0.7517915246935645, -0.16997120747990369),
        (ops.silu, -1.278464542761074, -0.278464542761074),
    ):
        value, slope = value_and_gradient(fn, [at])
        assert value[0] == pytest.approx(least, rel=1e-14, abs=0)
        assert slope[0] == pytest.approx(0.0, abs=2e-16)


def test_relu_gives_zero_where_it_is_off_even_from_an_infinite_gradient():
    x = ae.tensor([-1.0, 1.0])
    np.testing.assert_array_equal(ae.grad(ops.relu(x), x, cotangent=np.array([INF, INF])), [0.0, INF])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_of_the_table_keeps_shape_and_dtype_and_is_recorded(name):
    for dtype in (np.float32, np.float64):
        x = ae.tensor(np.full((2, 3), 0.5, dtype))
        y = ACTIVATIONS[name](x)
        assert (y.shape, y.dtype, y.traced) == ((2, 3), dtype, True)


@pytest.mark.parametrize("call", [lambda v: ops.leaky_relu([1.0], negative_slope=v), lambda v: ops.elu([1.0], alpha=v)])
@pytest.mark.parametrize("bad", [NAN, INF, "0.1", None])
def test_hyper_parameters_that_are_no_finite_numbers_are_refused(call, bad):
    with pytest.raises(ValueError, match="must be a finite number"):
        call(bad)


# The softmax family.

rows = st.lists(st.floats(-30, 30), min_size=1, max_size=6)


@given(rows, st.floats(-1e4, 1e4))
def test_softmax_is_a_distribution_that_a_shift_does_not_change(row, shift):
    s = softmax(row).data
    assert s.sum() == pytest.approx(1.0, rel=1e-15, abs=0)
    assert (s >= 0).all()
    np.testing.assert_allclose(softmax(np.array(row) + shift).data, s, rtol=1e-11)
    np.testing.assert_allclose(np.exp(log_softmax(row).data), s, rtol=1e-14)


@given(rows)
def test_the_gradient_of_logsumexp_is_softmax(row):
    value, gradient = value_and_gradient(logsumexp, row)
    np.testing.assert_allclose(gradient, softmax(row).data, rtol=1e-15)
    assert value == pytest.approx(np.log(np.sum(np.exp(row))), rel=1e-13, abs=1e-13)


def test_of_two_logits_softmax_is_the_sigmoid_of_their_difference(rng):
    a, b = rng.normal(size=(2, 100))
    np.testing.assert_allclose(softmax(np.stack([a, b]), axis=0).data[0], ae.sigmoid(a - b).data, rtol=1e-14)


def test_masked_entries_have_probability_zero_and_finite_gradients():
    x = ae.tensor([[0.0, -INF, np.log(3.0)]])
    for fn in (softmax, logsumexp, log_softmax):
        y = fn(x, axis=1)
        finite_part = ae.where(y > -INF, y, 0.0)
        assert np.isfinite(ae.grad(ae.sum(finite_part), x)).all()
    np.testing.assert_allclose(softmax(x).data, [[0.25, 0.0, 0.75]], rtol=1e-15)
    np.testing.assert_allclose(logsumexp(x).data, np.log(4.0), rtol=1e-15)
    assert log_softmax(x).data[0, 1] == -INF


@pytest.mark.parametrize(
    ("row", "total"), [([-INF, -INF], -INF), ([INF, 0.0], INF), ([NAN, 0.0], NAN), ([INF, -INF], INF)]
)
def test_rows_without_a_distribution_are_nan_and_their_logsumexp_is_what_it_is_without_a_warning(row, total):
    np.testing.assert_array_equal(softmax(row).data, [NAN, NAN])
    np.testing.assert_array_equal(log_softmax(row).data, [NAN, NAN])
    value, gradient = value_and_gradient(logsumexp, row)
    np.testing.assert_array_equal(value, total)
    np.testing.assert_array_equal(gradient, [NAN, NAN])


def test_the_logarithm_of_an_empty_sum_is_minus_infinity():
    assert logsumexp(np.empty(0)).data == -INF
    np.testing.assert_array_equal(logsumexp(np.empty((2, 0)), axis=1).data, [-INF, -INF])
    assert logsumexp(np.empty((0, 3)), axis=1, keepdims=True).shape == (0, 1)
    assert logsumexp(np.empty((2, 0), np.float32), axis=1).dtype == np.float32


def test_logsumexp_over_several_axes_is_that_over_one_after_the_other(rng):
    x = rng.normal(size=(2, 3, 4))
    at_once = logsumexp(x, axis=(0, -1), keepdims=True)
    np.testing.assert_allclose(
        at_once.data, logsumexp(logsumexp(x, axis=0, keepdims=True), axis=2, keepdims=True).data, rtol=1e-14
    )


def test_axes_that_do_not_exist_are_refused_by_name():
    with pytest.raises(ae.ShapeError, match=r"softmax\(h \(2, 3\)\): there is no axis 2"):
        softmax(ae.tensor(np.ones((2, 3)), name="h"), axis=2)
    with pytest.raises(ae.ShapeError, match=r"log_softmax\(\(\)\): .*a 0-d tensor has none"):
        log_softmax(1.0)
    with pytest.raises(ae.ShapeError, match="twice"):
        logsumexp(np.ones((2, 3)), axis=(1, -1))
    with pytest.raises(TypeError, match="must be an integer"):
        softmax(np.ones(3), axis=1.0)
