"""Rows 5 and 6: L2 on the weights, by long gradient descent from random starts and by brute force over assignments."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae import theory


def with_spectrum(seed, B, spectrum):
    rng = np.random.default_rng(seed)
    N = len(spectrum)
    Z = rng.normal(size=(B, N))
    U = np.linalg.qr(Z - Z.mean(axis=0))[0]
    V = np.linalg.qr(rng.normal(size=(N, N)))[0]
    return U * np.sqrt(B * np.asarray(spectrum)) @ V.T + rng.normal(size=N)


def loss(X, W1, W2, gamma):
    centred = X - X.mean(axis=0)
    squares = np.sum(W1**2, axis=0) + np.sum(W2**2, axis=1)
    return np.sum((centred - centred @ W1 @ W2) ** 2) / len(X) + gamma @ squares


def descend(X, gamma, seed, rate=0.02, momentum=0.97, steps=6_000):
    """Gradient descent with momentum on the loss above, from small random weights."""
    rng = np.random.default_rng(seed)
    N, L = X.shape[1], len(gamma)
    W1, W2 = 0.3 * rng.normal(size=(N, L)), 0.3 * rng.normal(size=(L, N))
    S, v1, v2 = np.cov(X.T, bias=True), 0.0, 0.0
    for _ in range(steps):
        R = W1 @ W2 - np.eye(N)
        dW1, dW2 = S @ R @ W2.T + W1 * gamma, W1.T @ S @ R + gamma[:, None] * W2
        v1, v2 = momentum * v1 - 2 * rate * dW1, momentum * v2 - 2 * rate * dW2
        W1, W2 = W1 + v1, W2 + v2
    return W1, W2


SPECTRUM = [4.0, 2.0, 1.0, 0.4]


def test_gradient_descent_with_uniform_l2_ends_at_the_stated_optimum():
    X = with_spectrum(0, 40, SPECTRUM)
    for seed, penalty in ((1, 0.2), (2, 1.5)):  # at 1.5 the third latent is off
        W1, W2 = descend(X, np.full(3, penalty), seed)
        optimum = theory.regularised_linear(X, 3, penalty=penalty)
        assert loss(X, W1, W2, np.full(3, penalty)) == pytest.approx(optimum.loss, rel=1e-12)
        np.testing.assert_allclose(W1, W2.T, atol=1e-10)  # encoder and decoder become transposes
        np.testing.assert_allclose(W1 @ W2, optimum.encoder @ optimum.decoder, atol=1e-10)
        sigma = np.linalg.svd(W2, compute_uv=False)
        np.testing.assert_allclose(sigma, optimum.singular_values, atol=1e-10)
        np.testing.assert_array_equal(optimum.active, np.array(SPECTRUM[:3]) > penalty)


def test_principal_directions_and_singular_values_are_read_off_a_decoder_trained_with_uniform_l2():
    X = with_spectrum(1, 40, SPECTRUM)
    _, W2 = descend(X, np.full(3, 0.3), seed=3)
    directions, s = theory.recover_principal_axes(W2, penalty=0.3, n_samples=len(X))
    centred = X - X.mean(axis=0)
    expected = np.linalg.svd(centred, compute_uv=False)[:3]
    np.testing.assert_allclose(s, expected, rtol=1e-8)
    assert theory.compare_directions(directions, np.linalg.svd(centred)[2][:3], spectrum=SPECTRUM).max() < 1e-8


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 3.0), st.integers(1, 4))
def test_recovery_inverts_the_optimum_in_every_gauge_and_finds_the_active_latents_only(seed, penalty, L):
    X = with_spectrum(seed, 12, SPECTRUM)
    optimum = theory.regularised_linear(X, L, penalty=penalty, reduction="sum")
    O = np.linalg.qr(np.random.default_rng(seed).normal(size=(L, L)))[0]
    directions, s = theory.recover_principal_axes(O.T @ optimum.decoder, penalty=penalty)
    expected = np.sqrt(12 * np.array(SPECTRUM[:L]))
    np.testing.assert_allclose(s, expected[: len(s)], rtol=1e-10)
    assert len(s) == len(directions) == optimum.active.sum() == L  # 12 × 0.4 > 3: all are on


def test_latents_that_are_off_are_not_recovered():
    X = with_spectrum(0, 40, SPECTRUM)
    optimum = theory.regularised_linear(X, 4, penalty=1.5)
    np.testing.assert_array_equal(optimum.active, [True, True, False, False])
    assert theory.recover_principal_axes(optimum.decoder, penalty=1.5)[1].shape == (2,)


@pytest.mark.parametrize("gamma", [[0.1, 0.4, 0.8], [0.9, 0.1, 0.4]])
def test_gradient_descent_with_distinct_penalties_finds_the_components_one_by_one(gamma):
    X = with_spectrum(2, 40, SPECTRUM)
    gamma = np.array(gamma)
    W1, W2 = descend(X, gamma, seed=4)
    optimum = theory.nonuniform_linear(X, gamma)
    assert loss(X, W1, W2, gamma) == pytest.approx(optimum.loss, rel=1e-12)
    signs = np.sign(np.sum(W2 * optimum.decoder, axis=1))[:, None]
    np.testing.assert_allclose(signs * W2, optimum.decoder, atol=1e-9)
    np.testing.assert_allclose(signs.T * W1, optimum.encoder, atol=1e-9)


@given(st.lists(st.floats(0, 5), min_size=1, max_size=4), st.lists(st.floats(0.05, 5), min_size=4, max_size=4))
def test_the_optimum_is_the_best_of_all_assignments_of_eigenvectors_to_latents(gamma, spectrum):
    X = with_spectrum(5, 20, spectrum)
    e = theory.spectrum(X)
    costs = []
    for chosen in permutations(range(4), len(gamma)):
        mode = [x if x <= g else 2 * g - g * g / x for g, x in zip(gamma, e[list(chosen)], strict=True)]
        costs.append(e.sum() - e[list(chosen)].sum() + sum(mode))
    optimum = theory.nonuniform_linear(X, gamma)
    assert optimum.loss == pytest.approx(min(costs), rel=1e-12)
    assert loss(X, optimum.encoder, optimum.decoder, np.array(gamma)) == pytest.approx(optimum.loss, rel=1e-11)


@given(st.integers(0, 2**32 - 1), st.lists(st.floats(0, 3), min_size=1, max_size=3))
def test_no_weights_are_better_than_the_optimum(seed, gamma):
    rng = np.random.default_rng(seed)
    X, gamma = with_spectrum(seed, 10, SPECTRUM), np.array(gamma)
    optimum = theory.nonuniform_linear(X, gamma)
    for scale in (1e-3, 0.1, 1.0):
        W1 = optimum.encoder + scale * rng.normal(size=optimum.encoder.shape)
        W2 = optimum.decoder + scale * rng.normal(size=optimum.decoder.shape)
        assert loss(X, W1, W2, gamma) >= optimum.loss * (1 - 1e-14)


def test_equal_penalties_are_the_uniform_theorem_and_zero_is_eckart_young():
    X = with_spectrum(0, 40, SPECTRUM)
    assert theory.nonuniform_linear(X, [0.3, 0.3]).loss == theory.regularised_linear(X, 2, penalty=0.3).loss
    free = theory.regularised_linear(X, 2, penalty=0.0)
    assert free.loss == pytest.approx(theory.eckart_young(X, 2).loss_, rel=1e-14)
    np.testing.assert_allclose(free.singular_values, 1)


def test_a_penalty_at_the_largest_eigenvalue_switches_everything_off():
    X = with_spectrum(0, 40, SPECTRUM)
    optimum = theory.regularised_linear(X, 2, penalty=theory.spectrum(X)[0])
    assert not optimum.active.any()
    assert not optimum.decoder.any()
    assert optimum.loss == pytest.approx(sum(SPECTRUM), rel=1e-14)


@given(st.floats(0.01, 5), st.integers(1, 4))
def test_the_sum_scale_is_the_mean_scale_times_the_number_of_samples(penalty, L):
    X = with_spectrum(3, 25, SPECTRUM)
    mean = theory.regularised_linear(X, L, penalty=penalty)
    total = theory.regularised_linear(X, L, penalty=25 * penalty, reduction="sum")
    assert total.loss == pytest.approx(25 * mean.loss, rel=1e-13)
    np.testing.assert_allclose(total.decoder, mean.decoder, atol=1e-13)


def test_a_decoder_that_is_not_at_a_minimum_is_refused():
    with pytest.raises(ValueError, match="at a minimum all are below 1"):
        theory.recover_principal_axes([[1.5, 0.0]], penalty=0.1)


def test_wrong_penalties_are_refused():
    X = with_spectrum(0, 10, SPECTRUM)
    with pytest.raises(ValueError, match="negative"):
        theory.nonuniform_linear(X, [0.1, -0.1])
    with pytest.raises(ValueError, match="penalty"):
        theory.regularised_linear(X, 2, penalty=-1.0)
    with pytest.raises(ValueError, match="at most the number of features"):
        theory.nonuniform_linear(X, [0.1] * 5)
    with pytest.raises(ValueError, match='"mean"'):
        theory.regularised_linear(X, 2, penalty=0.1, reduction="none")
    with pytest.raises(ValueError, match="penalty"):
        theory.recover_principal_axes([[0.5, 0.0]], penalty=0.0)
