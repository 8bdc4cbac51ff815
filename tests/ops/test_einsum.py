"""einsum: NumPy's values for every kind of subscripts, gradients of diagonals and lonely indices, clear errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.testing.specs import SPECS
from autograd_ae.testing.specs.structural_products import BATCHED, SUBSCRIPTS


@pytest.mark.parametrize("name", ["einsum", "einsum_batched"])
@given(data=st.data())
def test_values_and_shapes_are_numpys(op_tools, name, data):
    arrays, params, _ = data.draw(op_tools.cases(SPECS[name]))
    expected = np.einsum(params["subscripts"], *arrays)
    y = SPECS[name].call(*op_tools.leaves_of(arrays), **params)
    assert y.shape == np.shape(expected)
    np.testing.assert_allclose(y.data, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("subscripts", [*SUBSCRIPTS, *BATCHED])
def test_every_gradient_is_the_transpose_of_its_linear_map(op_tools, subscripts):
    """⟨G, einsum(…, v, …)⟩ = ⟨dx, v⟩ for every operand: einsum is linear in each."""
    rng = np.random.default_rng(0)
    size = {letter: n for n, letter in enumerate(sorted({c for c in subscripts if c.isalpha()}), 2)}
    terms = subscripts.replace(" ", "").split("->")[0].split(",")
    shapes = [
        tuple(n for c in term.replace("...", "?") for n in ((2, 3) if c == "?" else (size[c],))) for term in terms
    ]
    arrays = [rng.normal(size=shape) for shape in shapes]
    y, pull = ae.vjp(lambda *xs: ae.einsum(subscripts, *xs), *arrays)
    G = rng.normal(size=np.shape(y))
    for k, dx in enumerate(pull(G)):
        v = rng.normal(size=arrays[k].shape)
        moved = np.einsum(subscripts, *arrays[:k], v, *arrays[k + 1 :])
        assert np.sum(G * moved) == pytest.approx(np.sum(dx * v), rel=1e-12, abs=1e-12)


def test_the_gradient_of_a_trace_is_the_identity():
    assert ae.value_and_grad(lambda X: ae.einsum("ii", X))(np.zeros((3, 3)))[1][0].tolist() == np.eye(3).tolist()


def test_the_gradient_of_a_diagonal_is_zero_off_it():
    (dx,) = ae.vjp(lambda X: ae.einsum("iij->ij", X), np.zeros((2, 2, 3)))[1](
        np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    )
    assert dx.tolist() == [[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [4.0, 5.0, 6.0]]]


def test_an_index_summed_in_one_operand_alone_gets_the_same_gradient_everywhere():
    (da, db) = ae.vjp(lambda a, b: ae.einsum("ij,k->i", a, b), np.ones((2, 3)), np.array([1.0, 2.0]))[1](
        np.array([1.0, 10.0])
    )
    assert da.tolist() == [[3.0] * 3, [30.0] * 3]
    assert db.tolist() == [33.0, 33.0]


def test_one_tensor_in_every_place_gives_the_derivative_of_a_power():
    x = np.array([1.0, 2.0, 3.0])
    (dx,) = ae.value_and_grad(lambda t: ae.einsum("i,i,i->", t, t, t))(x)[1]
    np.testing.assert_allclose(dx, 3 * x**2, rtol=1e-15)


def test_einsum_and_matmul_agree_in_all_derivatives(rng):
    A, B, G = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 4, 5)), rng.normal(size=(2, 3, 5))
    for mine, theirs in zip(
        ae.vjp(lambda a, b: ae.einsum("bij,bjk->bik", a, b), A, B)[1](G), ae.vjp(ae.matmul, A, B)[1](G), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, atol=1e-14)


def test_ellipsis_axes_of_size_one_are_broadcast_and_their_gradient_summed(rng):
    a, b = rng.normal(size=(1, 3, 4)), rng.normal(size=(5, 4))
    y, pull = ae.vjp(lambda u, v: ae.einsum("...ij,...j->...i", u, v), a, b)
    np.testing.assert_allclose(y, b @ a[0].T, atol=1e-14)
    G = rng.normal(size=(5, 3))
    np.testing.assert_allclose(pull(G)[0], (G.T @ b)[None], atol=1e-13)
    np.testing.assert_allclose(pull(G)[1], G @ a[0], atol=1e-13)


def test_the_recorded_subscripts_are_explicit():
    x = ae.tensor(np.ones((2, 3)))
    assert ae.einsum("ba", x).node.params["subscripts"] == "ba->ab"
    assert ae.einsum(" i j , k j -> i k ", x, x).node.params["subscripts"] == "ij,kj->ik"
    assert "..." not in ae.einsum("...j->...", x).node.params["subscripts"]


x23 = ae.tensor(np.ones((2, 3)), name="x")
ERRORS = [
    (
        ("ij,jk->ik", x23, x23),
        ae.ShapeError,
        r"index j of 'ij,jk->ik' is 3 in operand 0 but 2 in operand 1: one letter, one size",
    ),
    (("ii", x23), ae.ShapeError, r"index i of 'ii->' is 2 in operand 0 but 3 in operand 0"),
    (("i", x23), ae.ShapeError, r"einsum\(x \(2, 3\)\): term 'i' of 'i' names 1 axes, its operand has shape \(2, 3\)"),
    (("ijk...", x23), ae.ShapeError, r"names 3 axes, its operand has shape \(2, 3\)"),
    (
        ("...i,...i", np.ones((2, 3)), np.ones((4, 3))),
        ae.ShapeError,
        r"the batch axes \[\(2,\), \(4,\)\] do not broadcast",
    ),
    (("ij,jk", x23), ValueError, r"names 2 operands, 1 arrived"),
    (("ij->ik", x23), ValueError, r"must name indices of the operands, each once"),
    (("ij->ii", x23), ValueError, r"must name indices of the operands, each once"),
    (("...i->i", x23), ValueError, r"drops the ellipsis: write it there too, and sum afterwards"),
    (("i1->i", x23), ValueError, r"'i1->i' is not understood at 'i1': use letters"),
    (("..ij", x23), ValueError, r"is not understood at '..ij'"),
    (("ij->i->j", x23), ValueError, r"is not understood at 'i->j'"),
    ((x23, [0, 1]), TypeError, r"einsum starts with subscripts such as 'ij,jk->ik', Tensor arrived"),
    (("ij",), ValueError, r"was given no operand"),
]


@pytest.mark.parametrize(("args", "error", "message"), ERRORS)
def test_what_does_not_parse_or_fit_is_refused_with_a_remedy(args, error, message):
    with pytest.raises(error, match=message):
        ae.einsum(*args)
