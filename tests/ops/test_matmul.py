"""Products: NumPy's values, exact integer gradients, batches that broadcast, remedies in the errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.testing.specs import SPECS

NUMPY = {"matmul": np.matmul, "matmul_vectors": np.matmul, "dot": np.dot, "outer": np.outer}


@pytest.mark.parametrize("name", list(NUMPY))
@given(data=st.data())
def test_values_and_shapes_are_numpys(op_tools, name, data):
    (a, b), _, _ = data.draw(op_tools.cases(SPECS[name]))
    expected = NUMPY[name](a, b)
    y = SPECS[name].call(*op_tools.leaves_of([a, b]))
    assert y.shape == np.shape(expected)
    np.testing.assert_allclose(y.data, expected, rtol=1e-13, atol=1e-13)


def integers(rng, *shape):
    return rng.integers(-9, 10, size=shape).astype(float)


def test_the_gradients_are_g_bt_and_at_g_exactly(rng):
    A, B, G = integers(rng, 3, 4), integers(rng, 4, 2), integers(rng, 3, 2)
    dA, dB = ae.vjp(ae.matmul, A, B)[1](G)
    exact = lambda f, n, m: [[f(i, j) for j in range(m)] for i in range(n)]  # noqa: E731
    assert dA.tolist() == exact(lambda i, k: sum(G[i, j] * B[k, j] for j in range(2)), 3, 4)
    assert dB.tolist() == exact(lambda k, j: sum(A[i, k] * G[i, j] for i in range(3)), 4, 2)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((5, 3, 4), (4, 2)),
        ((3, 4), (5, 4, 2)),
        ((1, 3, 4), (5, 4, 2)),
        ((5, 1, 3, 4), (6, 4, 2)),
        ((5, 3, 4), (1, 4, 2)),
    ],
)
def test_a_matrix_that_serves_a_batch_receives_the_sum_of_its_gradients(a, b, rng):
    A, B = integers(rng, *a), integers(rng, *b)
    y, pull = ae.vjp(ae.matmul, A, B)
    G = integers(rng, *y.shape)
    batch = y.shape[:-2]
    A_all, B_all = np.broadcast_to(A, (*batch, *a[-2:])), np.broadcast_to(B, (*batch, *b[-2:]))
    dA, dB = np.zeros_like(A), np.zeros_like(B)
    for at in np.ndindex(batch):
        assert np.array_equal(y[at], A_all[at] @ B_all[at])
        own_a = tuple(0 if n == 1 else i for i, n in zip(at[len(batch) - len(a) + 2 :], a[:-2], strict=True))
        own_b = tuple(0 if n == 1 else i for i, n in zip(at[len(batch) - len(b) + 2 :], b[:-2], strict=True))
        dA[own_a] += G[at] @ B_all[at].T
        dB[own_b] += A_all[at].T @ G[at]
    got = pull(G)
    assert np.array_equal(got[0], dA)
    assert np.array_equal(got[1], dB)


def test_the_product_of_two_vectors_is_a_number_whose_gradients_are_the_vectors(rng):
    a, b = integers(rng, 5), integers(rng, 5)
    value, (da, db) = ae.value_and_grad(ae.matmul)(a, b)
    assert value == sum(a * b)
    assert np.array_equal(da, b)
    assert np.array_equal(db, a)


def test_the_hessian_of_a_quadratic_form_is_a_plus_its_transpose(rng):
    A = integers(rng, 4, 4)
    H = ae.hessian(lambda x: ae.matmul(ae.matmul(x, A), x), rng.normal(size=4))
    np.testing.assert_allclose(H, A + A.T, atol=1e-14)


def test_matmul_is_associative_in_its_gradients(rng):
    A, B, C = rng.normal(size=(3, 4)), rng.normal(size=(4, 5)), rng.normal(size=(5, 2))
    G = rng.normal(size=(3, 2))
    left = ae.vjp(lambda a, b, c: ae.matmul(ae.matmul(a, b), c), A, B, C)[1](G)
    right = ae.vjp(lambda a, b, c: ae.matmul(a, ae.matmul(b, c)), A, B, C)[1](G)
    for x, y in zip(left, right, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-13)


def test_dot_of_matrices_is_matmul_and_dot_with_a_number_multiplies(rng):
    A, B = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    assert np.array_equal(ae.dot(A, B).data, ae.matmul(A, B).data)
    assert np.array_equal(ae.dot(2.0, A).data, 2.0 * A)


def test_outer_flattens_as_numpy_does(rng):
    A, b = rng.normal(size=(2, 3)), rng.normal(size=4)
    y, pull = ae.vjp(ae.outer, A, b)
    assert np.array_equal(y, np.outer(A, b))
    G = rng.normal(size=(6, 4))
    np.testing.assert_allclose(pull(G)[0], (G @ b).reshape(2, 3), atol=1e-14)


def t(name, *shape):
    return ae.tensor(np.ones(shape), name=name)


ERRORS = [
    (ae.matmul, (5, 3), (4, 3), r"a has 3 columns but b has 4 rows \(did you mean b.T\?\)$"),
    (ae.matmul, (4, 3), (4, 5), r"a has 3 columns but b has 4 rows \(did you mean a.T\?\)$"),
    (ae.matmul, (5, 3), (4, 2), r"a has 3 columns but b has 4 rows$"),
    (ae.matmul, (7, 5, 3), (7, 4, 3), r"a has 3 columns but b has 4 rows \(did you mean swapaxes\(b, -1, -2\)\?\)$"),
    (ae.matmul, (7, 4, 3), (7, 4, 5), r"a has 3 columns but b has 4 rows \(did you mean swapaxes\(a, -1, -2\)\?\)$"),
    (ae.matmul, (3,), (4, 3), r"a has 3 entries but b has 4 rows \(did you mean b.T\?\)$"),
    (ae.matmul, (4, 3), (4,), r"a has 3 columns but b has 4 entries \(did you mean a.T\?\)$"),
    (ae.matmul, (3,), (4,), r"matmul\(a \(3,\), b \(4,\)\): a has 3 entries but b has 4 entries$"),
    (ae.matmul, (2, 3, 4), (5, 4, 6), r"the batch axes \(2,\) of a and \(5,\) of b do not broadcast"),
    (ae.matmul, (), (4,), r"a is a single number, and matmul takes matrices and vectors: use a \* b$"),
    (ae.matmul, (4,), (), r"b is a single number"),
    (ae.dot, (2, 3), (4, 5, 6), r"dot\(a \(2, 3\), b \(4, 5, 6\)\): a has 3 columns but b has 5 rows"),
]


@pytest.mark.parametrize(("fn", "a", "b", "message"), ERRORS)
def test_shapes_that_do_not_fit_are_refused_with_the_remedy(fn, a, b, message):
    with pytest.raises(ae.ShapeError, match=message):
        fn(t("a", *a), t("b", *b))


@pytest.mark.parametrize("fn", [ae.matmul, ae.dot, ae.outer])
def test_two_boolean_arrays_are_not_multiplied_in_silence(fn):
    mask = np.array([True, False])
    with pytest.raises(TypeError, match="boolean values arrived; numbers are needed"):
        fn(mask, mask)


def test_a_mask_may_select_rows_by_multiplication(rng):
    X, mask = rng.normal(size=(3, 2)), np.array([True, False, True])
    y, pull = ae.vjp(lambda x: ae.matmul(mask, x), X)
    assert np.array_equal(y, X[0] + X[2])
    assert pull(np.array([1.0, 2.0]))[0].tolist() == [[1.0, 2.0], [0.0, 0.0], [1.0, 2.0]]
