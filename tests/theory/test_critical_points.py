"""Row 2: all critical points of the linear autoencoder, by derivatives that know nothing of eigenvectors."""

from itertools import combinations

import numpy as np
import pytest

from autograd_ae import theory

N, L = 5, 2
BASIS = np.linalg.qr(np.random.default_rng(7).normal(size=(N, N)))[0]
X = np.random.default_rng(8).normal(size=(30, N)) * [3.0, 2.0, 1.5, 1.0, 0.5] @ BASIS + 1.0
GAUGE = np.array([[1.0, 0.5], [-0.25, 2.0]])
SETS = list(combinations(range(N), L))


def loss(weights):
    """Mean SE of the linear autoencoder with its best bias; analytic, so it takes complex weights. weights (2NL,)."""
    W1, W2 = weights[: N * L].reshape(N, L), weights[N * L :].reshape(L, N)
    centred = X - X.mean(axis=0)
    return np.sum((centred - centred @ W1 @ W2) ** 2) / len(X)


def gradient(weights):
    """By complex step, exact to rounding; for complex weights by the derived formula."""
    if not np.iscomplexobj(weights):
        return np.array([loss(weights + 1e-30j * e).imag / 1e-30 for e in np.eye(weights.size)])
    W1, W2 = weights[: N * L].reshape(N, L), weights[N * L :].reshape(L, N)
    centred = X - X.mean(axis=0)
    R = centred @ W1 @ W2 - centred
    return 2 / len(X) * np.concatenate([(centred.T @ R @ W2.T).ravel(), ((centred @ W1).T @ R).ravel()])


def hessian(weights):
    return np.array([gradient(weights + 1e-30j * e).imag / 1e-30 for e in np.eye(weights.size)])


def flat(W1, W2):
    return np.concatenate([W1.ravel(), W2.ravel()])


def test_the_two_gradients_of_this_test_agree():
    weights = np.random.default_rng(0).normal(size=2 * N * L)
    np.testing.assert_allclose(gradient(weights), gradient(weights + 0j).real, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("indices", SETS)
def test_every_index_set_is_a_critical_point_with_the_stated_loss_for_every_gauge(indices):
    for C in (None, GAUGE):
        weights = flat(*theory.critical_weights(X, indices, C=C))
        assert np.abs(gradient(weights)).max() < 1e-12
        assert theory.critical_loss(X, indices) == pytest.approx(loss(weights), rel=1e-13)


@pytest.mark.parametrize("indices", SETS)
def test_only_the_first_eigenvectors_are_a_minimum_and_each_profitable_exchange_is_one_negative_direction(indices):
    weights = flat(*theory.critical_weights(X, indices, C=GAUGE))
    negative = np.sum(np.linalg.eigvalsh(hessian(weights)) < -1e-9)
    exchanges = sum(k < i for i in indices for k in set(range(N)) - set(indices))
    assert negative == exchanges
    assert (negative == 0) == (indices == (0, 1))


@pytest.mark.parametrize("indices", SETS[1:])
def test_the_escape_direction_has_its_curvature_and_lowers_the_loss(indices):
    weights = flat(*theory.critical_weights(X, indices, C=GAUGE))
    escape = theory.escape_direction(X, indices, C=GAUGE)
    d = flat(escape.dW1, escape.dW2)
    assert escape.curvature < 0
    assert d @ hessian(weights) @ d == pytest.approx(escape.curvature, rel=1e-11)
    assert loss(weights + 0.1 * d) < loss(weights) > loss(weights - 0.1 * d)


def test_the_exchange_follows_the_stated_sine():
    W1, W2 = theory.critical_weights(X, (0, 3))
    spectrum = theory.spectrum(X)
    escape = theory.escape_direction(X, (0, 3))
    for t in (0.1, 0.7, 1.5):  # v₄ cos t + v₂ sin t
        turned = flat(
            W1 + [[0, 1]] * ((np.cos(t) - 1) * W1 + np.sin(t) * escape.dW1),
            W2 + [[0], [1]] * ((np.cos(t) - 1) * W2 + np.sin(t) * escape.dW2),
        )
        expected = theory.critical_loss(X, (0, 3)) - (spectrum[1] - spectrum[3]) * np.sin(t) ** 2
        assert loss(turned) == pytest.approx(expected, rel=1e-12)


def test_the_order_of_the_index_set_does_not_matter_to_the_loss():
    assert theory.critical_loss(X, (3, 1)) == theory.critical_loss(X, (1, 3))


def test_the_first_index_set_has_the_loss_of_the_optimum():
    assert theory.critical_loss(X, range(L)) == pytest.approx(theory.eckart_young(X, L).loss_, rel=1e-14)


def test_there_is_no_escape_from_a_minimum_nor_between_equal_eigenvalues():
    with pytest.raises(ValueError, match="global minimum"):
        theory.escape_direction(X, (1, 0))
    cross = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]  # λ₁ = λ₂
    with pytest.raises(ValueError, match="global minimum"):
        theory.escape_direction(cross, (1,))


@pytest.mark.parametrize(
    ("indices", "error", "message"),
    [
        ((), ValueError, "at least one"),
        ((1, 1), ValueError, "once"),
        ((0, 5), ValueError, "between 0 and 4"),
        ((-1,), ValueError, "between 0 and 4"),
        ((0.5,), TypeError, "whole number"),
        ((True,), TypeError, "whole number"),
    ],
)
def test_a_wrong_index_set_is_refused(indices, error, message):
    with pytest.raises(error, match=message):
        theory.critical_loss(X, indices)


def test_a_singular_gauge_is_refused():
    with pytest.raises(ValueError, match="invertible"):
        theory.critical_weights(X, (0, 1), C=[[1.0, 2.0], [2.0, 4.0]])
