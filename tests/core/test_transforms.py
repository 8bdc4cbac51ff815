"""jvp, hvp, hessian by complex step; vjp; and how they agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae

seeds = st.integers(0, 2**32 - 1)


def net(x, W, b):
    return ae.tanh(ae.dense(x, W, b, "sigmoid") * 2.0)


def point(seed):
    rng = np.random.default_rng(seed)
    return rng, [rng.normal(size=s) for s in ((4, 3), (3, 2), (2,))]


@given(seeds)
def test_jvp_and_vjp_are_adjoint(seed):
    """⟨J v, u⟩ = ⟨v, Jᵀ u⟩."""
    rng, arrays = point(seed)
    v = [rng.normal(size=a.shape) for a in arrays]
    y, Jv = ae.jvp(net, arrays, v)
    value, pull = ae.vjp(net, *arrays)
    u = rng.normal(size=y.shape)
    left = np.sum(Jv * u)
    right = sum(np.sum(a * b) for a, b in zip(v, pull(u), strict=True))
    assert abs(left - right) <= 1e-12 * (np.abs(Jv * u).sum() + 1e-300)
    np.testing.assert_array_equal(value, y)


@given(seeds)
def test_hessian_is_symmetric_and_hvp_is_its_product(seed):
    rng = np.random.default_rng(seed)
    x, v = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    fn = lambda t: (ae.exp(ae.sin(t)) * ae.sigmoid(t).sum()).sum()  # noqa: E731
    H = ae.hessian(fn, x)
    assert H.shape == (2, 3, 2, 3)
    flat = H.reshape(6, 6)
    np.testing.assert_allclose(flat, flat.T, atol=1e-13 * np.abs(flat).max())
    np.testing.assert_allclose(ae.hvp(fn, x, v).ravel(), flat @ v.ravel(), atol=1e-12 * np.abs(flat).max())


@given(seeds)
def test_hessian_of_a_quadratic_form_is_its_matrix(seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(4, 4))
    H = ae.hessian(lambda x: x @ ae.matmul(A, x), rng.normal(size=4))
    np.testing.assert_allclose(H, A + A.T, atol=1e-14 * np.abs(A).max() * 4)


def test_hvp_over_several_arrays_mixes_their_derivatives():
    W, b = np.array([[1.0, 2.0]]), np.array([0.5, 0.25])
    products = ae.hvp(lambda W, b: (W * W * b).sum(), (W, b), (np.ones_like(W), np.zeros_like(b)))
    np.testing.assert_allclose(products[0], 2 * b[None])
    np.testing.assert_allclose(products[1], (2 * W)[0])


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_directions_may_have_any_scale(scale):
    _, dy = ae.jvp(lambda x: ae.exp(x), np.array([0.5]), np.array([scale]))
    np.testing.assert_allclose(dy, scale * np.exp(0.5), rtol=1e-15)
    assert ae.hvp(lambda x: ae.exp(x).sum(), np.array([0.5]), np.array([scale])) == pytest.approx(
        scale * np.exp(0.5), rel=1e-14
    )


def test_a_zero_direction_gives_zero():
    assert ae.jvp(lambda x: ae.exp(x), np.ones(2), np.zeros(2))[1].tolist() == [0.0, 0.0]


def test_float32_points_keep_their_dtype_and_get_derivatives_of_double_precision():
    x = np.array([0.3, -2.0], np.float32)
    _, dy = ae.jvp(ae.sigmoid, x, np.ones(2, np.float32))
    assert dy.dtype == np.float32
    s = 1 / (1 + np.exp(-x.astype(float)))
    np.testing.assert_allclose(dy, s * (1 - s), rtol=1e-7)


def test_vjp_can_be_pulled_more_than_once():
    _, pull = ae.vjp(lambda x: x * x, np.array([1.0, 2.0]))
    np.testing.assert_array_equal(pull(np.array([1.0, 0.0]))[0], [2.0, 0.0])
    np.testing.assert_array_equal(pull(np.array([0.0, 1.0]))[0], [0.0, 4.0])


def test_an_argument_that_does_not_matter_has_gradient_zero():
    value, (dx, dy) = ae.value_and_grad(lambda x, y: (x * x).sum())(np.ones(2), np.ones(3))
    assert value == 2.0
    np.testing.assert_array_equal(dx, np.full(2, 2.0))
    np.testing.assert_array_equal(dy, np.zeros(3))
    assert ae.value_and_grad(lambda x: ae.constant(1.0))(np.ones(2))[1][0].tolist() == [0.0, 0.0]


def test_mismatched_directions_are_refused():
    with pytest.raises(ae.ShapeError, match=r"one tangent per array.*\(2,\).*\(3,\)"):
        ae.jvp(lambda x: x, np.ones(2), np.ones(3))
    with pytest.raises(ae.GraphError, match="starts from a scalar"):
        ae.hvp(lambda x: x, np.ones(2), np.ones(2))
    with pytest.raises(TypeError, match="must return a tensor, it returned float"):
        ae.value_and_grad(lambda x: 1.0)(np.ones(2))


def test_gauss_newton_products_follow_from_jvp_and_vjp(rng):
    """For ½‖r(x)‖² with linear r the Gauss–Newton product JᵀJv is the Hessian's."""
    A = rng.normal(size=(5, 3))
    r = lambda x: ae.matmul(A, x)  # noqa: E731
    x, v = rng.normal(size=3), rng.normal(size=3)
    _, Jv = ae.jvp(r, x, v)
    (GNv,) = ae.vjp(r, x)[1](Jv)
    np.testing.assert_allclose(GNv, ae.hvp(lambda x: 0.5 * (r(x) * r(x)).sum(), x, v), rtol=1e-12)


@pytest.mark.parametrize(
    "call",
    [ae.value_and_grad, lambda t: ae.vjp(t, np.ones(2)), lambda t: ae.hvp(t, np.ones(2), np.ones(2))],
)
def test_a_tensor_in_place_of_a_function_is_refused_with_what_takes_it(call):
    with pytest.raises(TypeError, match=r"fn is of type Tensor; a function of tensors.*ae\.grad\(loss"):
        call(ae.tensor(1.0))
