"""Reductions: NumPy's values and axes, exact gradients at zeros and ties, honest sums, clear errors."""

import math
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.testing.specs import SPECS

NUMPY = {
    "sum": np.sum,
    "mean": np.mean,
    "prod": np.prod,
    "cumsum": np.cumsum,
    "var": np.var,
    "std": np.std,
    "max": np.max,
    "min": np.min,
    "norm": partial(np.linalg.vector_norm, ord=2),
    "norm_1": partial(np.linalg.vector_norm, ord=1),
    "norm_inf": partial(np.linalg.vector_norm, ord=np.inf),
}


def gradient(fn, *arrays):
    return ae.value_and_grad(fn)(*arrays)[1]


@pytest.mark.parametrize("name", list(NUMPY))
@given(data=st.data())
def test_values_shapes_and_axes_are_numpys(op_tools, name, data):
    (x,), params, _ = data.draw(op_tools.cases(SPECS[name]))
    expected = NUMPY[name](x, **params)
    y = SPECS[name].call(ae.tensor(x), **params)
    assert y.shape == np.shape(expected)
    np.testing.assert_allclose(y.data, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("zeros", [0, 1, 2, 4])
def test_the_gradient_of_a_product_is_the_exact_product_of_the_others(zeros):
    factors = [2, -3, 5, 7]
    for k in range(zeros):
        factors[k] = 0
    others = [math.prod(factors[:i] + factors[i + 1 :]) for i in range(4)]
    (dx,) = gradient(ae.prod, np.array(factors, float))
    assert dx.tolist() == others


def test_the_hessian_of_a_product_is_the_product_without_the_pair():
    x = [2.0, 0.0, 5.0, 0.0]
    pairs = [
        [0 if i == j else math.prod(x[k] for k in range(4) if k not in (i, j)) for j in range(4)] for i in range(4)
    ]
    assert ae.hessian(ae.prod, np.array(x)).tolist() == pairs


def test_a_product_over_several_axes_groups_the_same_factors_as_its_gradient():
    x = np.arange(1.0, 25.0).reshape(2, 3, 4)
    (dx,) = gradient(lambda t: ae.sum(ae.prod(t, axis=(0, 2))), x)
    np.testing.assert_allclose(dx, np.prod(x, axis=(0, 2), keepdims=True) / x, rtol=1e-14)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("reduce", [ae.max, ae.min], ids=["max", "min"])
def test_tied_extremes_share_the_gradient_evenly(reduce, axis):
    x = np.array([[4.0, 1.0, 4.0], [4.0, 4.0, 1.0]])
    extreme = getattr(np, reduce.__name__)(x, axis=axis, keepdims=True)
    attained = x == extreme
    (dx,) = gradient(lambda t: ae.sum(reduce(t, axis=axis)), x)
    assert np.array_equal(dx, attained / attained.sum(axis=axis, keepdims=True))


@pytest.mark.parametrize("fn", [ae.max, ae.min, partial(ae.norm, ord=np.inf)], ids=["max", "min", "norm_inf"])
def test_forward_mode_agrees_with_reverse_mode_at_ties(fn, rng):
    x, v = np.array([2.0, -2.0, 2.0, -2.0, 1.0]), rng.normal(size=5)
    _, along = ae.jvp(fn, [x], [v])
    (dx,) = gradient(fn, x)
    assert along == pytest.approx(v @ dx, rel=1e-14)


@pytest.mark.parametrize("reduce", [ae.max, ae.min, partial(ae.norm, ord=np.inf)], ids=["max", "min", "norm_inf"])
def test_nan_is_the_extreme_and_receives_the_gradient(reduce):
    x = ae.tensor([[1.0, np.nan, 3.0, np.nan], [1.0, 2.0, 3.0, 4.0]])
    y = reduce(x, axis=1)
    assert np.isnan(y.data).tolist() == [True, False]
    (dx,) = ae.vjp(lambda t: reduce(t, axis=1), x.data)[1](np.ones(2))
    assert np.nan_to_num(dx[0], nan=0.5)[[0, 2]].tolist() == [0.0, 0.0]
    assert all(d == 0.5 or math.isnan(d) for d in dx[0, [1, 3]])
    assert set(dx[1].tolist()) <= {0.0, 1.0}


def test_max_of_infinities_is_infinite_with_a_finite_gradient():
    value, (dx,) = ae.value_and_grad(ae.max)(np.array([np.inf, 1.0, -np.inf, np.inf]))
    assert value == np.inf
    assert dx.tolist() == [0.5, 0.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("fn", "x"),
    [
        (ae.std, np.full((3,), 1.7)),
        (partial(ae.std, ddof=1), np.full((3,), 0.1)),
        (ae.norm, np.zeros(3)),
        (partial(ae.norm, ord=1), np.zeros(3)),
        (partial(ae.norm, ord=np.inf), np.zeros(3)),
    ],
    ids=["std", "std1", "norm", "norm_1", "norm_inf"],
)
def test_where_a_deviation_or_norm_is_zero_so_is_its_gradient(fn, x):
    value, (dx,) = ae.value_and_grad(fn)(x)
    _, along = ae.jvp(fn, [x], [np.array([1.0, 2.0, -4.0])])
    if value == 0.0:
        assert dx.tolist() == [0.0, 0.0, 0.0]
        assert along == 0.0
    else:  # the mean of equal numbers may be off by a rounding, and then all deviations are equal
        assert value < 1e-16
        assert np.ptp(dx) == 0.0


def test_zero_rows_do_not_disturb_the_norms_of_others():
    (dx,) = gradient(lambda t: ae.sum(ae.norm(t, axis=1)), np.array([[0.0, 0.0], [3.0, -4.0]]))
    assert dx.tolist() == [[0.0, 0.0], [0.6, -0.8]]


@given(st.lists(st.integers(-999, 999), min_size=2, max_size=9), st.integers(0, 1), st.sampled_from([0, 10**6, 10**9]))
def test_variance_is_the_exact_rational_number_whatever_the_offset(values, ddof, offset):
    """Two passes: an offset a million times the deviation costs no digit; E[x²] − E[x]² would lose all."""
    exact = [Fraction(v) for v in values]
    m = sum(exact) / len(exact)
    variance = sum((v - m) ** 2 for v in exact) / (len(exact) - ddof)
    y = ae.var(np.array(values, float) + offset, ddof=ddof).item()
    size = max(abs(v) for v in values) + offset + 1
    assert abs(y - float(variance)) <= 1e-14 * float(variance) + len(values) * (4e-16 * size) ** 2


def test_variance_of_a_textbook_example_of_cancellation():
    """{4, 7, 13, 16} + 10⁹ has sample variance 30 exactly."""
    assert ae.var(np.array([4.0, 7.0, 13.0, 16.0]) + 1e9, ddof=1).item() == 30.0


@pytest.mark.parametrize("ddof", [0, 1])
def test_the_hessian_of_a_variance_is_the_centring_matrix(rng, ddof):
    n = 4
    H = ae.hessian(partial(ae.var, ddof=ddof), rng.normal(size=n))
    np.testing.assert_allclose(H, 2 / (n - ddof) * (np.eye(n) - 1 / n), atol=1e-15)


def test_the_hessian_of_a_norm_is_the_projector_off_x_over_its_length(rng):
    x = rng.normal(size=4)
    length = math.hypot(*x)
    H = ae.hessian(ae.norm, x)
    np.testing.assert_allclose(H, (np.eye(4) - np.outer(x, x) / length**2) / length, atol=1e-14)


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [
        (1e200, np.float64),
        (1e-200, np.float64),
        (5e-324, np.float64),
        (2.0**1021, np.float64),
        (1e30, np.float32),
        (1e-30, np.float32),
    ],
)
def test_the_norm_neither_overflows_nor_vanishes(scale, dtype):
    x = np.array([3.0, -4.0, 0.0], dtype) * dtype(scale)
    y = ae.norm(x)
    assert y.dtype == dtype
    assert y.item() == pytest.approx(float(5 * dtype(scale)), rel=float(4 * np.finfo(dtype).eps))
    dx = ae.vjp(ae.norm, x)[1](dtype(1))[0]
    np.testing.assert_allclose(dx, [0.6, -0.8, 0.0], rtol=4 * np.finfo(dtype).eps)


def test_the_norm_of_infinite_and_nan_vectors_is_infinite_and_nan():
    with np.errstate(invalid="ignore"):
        assert ae.norm([1.0, np.inf]).item() == np.inf
        assert math.isnan(ae.norm([1.0, np.nan]).item())


def test_a_norm_over_two_axes_is_of_one_vector_never_of_an_operator(rng):
    X = rng.normal(size=(3, 4))
    assert ae.norm(X).item() == pytest.approx(np.sqrt((X**2).sum()), rel=1e-15)
    assert ae.norm(X, 1, axis=(0, 1)).item() == pytest.approx(np.abs(X).sum(), rel=1e-15)


def test_cumsum_is_summed_from_the_other_end_in_its_gradient():
    g = np.array([1.0, 10.0, 100.0])
    (dx,) = ae.vjp(ae.cumsum, np.zeros(3))[1](g)
    assert dx.tolist() == [111.0, 110.0, 100.0]


def test_an_empty_axis_has_sum_zero_product_one_and_norm_zero():
    x = np.zeros((2, 0))
    assert ae.sum(x, axis=1).data.tolist() == [0.0, 0.0]
    assert ae.prod(x, axis=1).data.tolist() == [1.0, 1.0]
    assert ae.norm(x, axis=1).data.tolist() == [0.0, 0.0]
    assert ae.norm(x, 1, axis=1).data.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("fn", [ae.mean, ae.var, ae.std, ae.max, ae.min, partial(ae.norm, ord=np.inf)])
def test_an_empty_axis_has_no_mean_or_extreme(fn):
    assert fn(np.zeros((0, 2)), axis=1).shape == (0,)
    with pytest.raises(ae.ShapeError, match=r"\(h \(0, 2\)\).*axes \(0,\) of shape \(0, 2\) hold no entry. Give every"):
        fn(ae.tensor(np.zeros((0, 2)), name="h"), axis=0)


@pytest.mark.parametrize("fn", [ae.var, ae.std])
def test_without_a_degree_of_freedom_there_is_no_variance(fn):
    with pytest.raises(
        ae.ShapeError, match=r"n - ddof = 1 - 1 is not positive: reduce over more than 1 entries, or use"
    ):
        fn([[1.0], [2.0]], axis=1, ddof=1)


REDUCTIONS = [ae.sum, ae.mean, ae.prod, ae.var, ae.std, ae.max, ae.min, ae.norm]


@pytest.mark.parametrize("fn", REDUCTIONS)
def test_a_wrong_axis_is_named_with_the_shape_and_what_there_is(fn):
    h = ae.tensor(np.ones((2, 3)), name="h")
    for wrong in (2, -3, (0, 2)):
        with pytest.raises(ae.ShapeError, match=rf"^{fn.__name__}\(h \(2, 3\)\): there is no axis -?\d: use -2 to 1$"):
            fn(h, axis=wrong)
    with pytest.raises(ae.ShapeError, match=r"there is no axis 0: a 0-d tensor has none"):
        fn(1.0, axis=0)
    with pytest.raises(ae.ShapeError, match=r"axis=\(0, -2\) names an axis of 2 twice: name each once"):
        fn(h, axis=(0, -2))
    with pytest.raises(TypeError, match="an axis must be an integer, float arrived"):
        fn(h, axis=1.0)
    with pytest.raises(TypeError, match="an axis must be an integer, bool arrived"):
        fn(h, axis=True)


@pytest.mark.parametrize("fn", [*REDUCTIONS, ae.cumsum])
def test_booleans_are_not_summed_in_silence(fn):
    with pytest.raises(TypeError, match=r"boolean values arrived; numbers are needed. To count, use ae.where"):
        fn(np.array([True, False]))


def test_max_of_two_tensors_points_to_maximum():
    x = ae.tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"of two arrays take ae.maximum\(a, b\)"):
        ae.max(x, x)
    with pytest.raises(TypeError, match=r"of two arrays take ae.minimum\(a, b\)"):
        ae.min(x, x.data)


def test_other_norms_are_refused_with_the_way_to_write_them():
    for wrong in (3, "fro", None):
        with pytest.raises(ValueError, match=r"norm has ord 2, 1 and inf, .* arrived; other powers are ae.sum"):
            ae.norm([1.0], ord=wrong)


def test_ddof_is_an_integer():
    with pytest.raises(TypeError, match="ddof must be an integer, float arrived"):
        ae.var([1.0, 2.0], ddof=0.5)
