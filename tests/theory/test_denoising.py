"""Rows 7 and 8: linear denoisers. The noise is not sampled but enumerated: every mask with its probability, and for
additive noise the 2N points ±σ√N eᵢ, which have exactly its mean and covariance."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_ae import theory

N = 4
QUALITY = st.floats(0.05, 1.0)


def samples():
    return hnp.arrays(np.float64, st.tuples(st.integers(1, 8), st.just(N)), elements=st.floats(-4, 4, width=16))


def random_samples(seed, B=9):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(B, N)) * [3.0, 1.5, 0.8, 0.4] @ np.linalg.qr(rng.normal(size=(N, N)))[0] + 1.0


def with_additive_noise(X, variance):
    """(corrupted, clean, weight) of which the weighted moments are those of x + n and x."""
    shifts = np.sqrt(N * variance) * np.vstack([np.eye(N), -np.eye(N)])
    corrupted = (X[:, None] + shifts).reshape(-1, N)
    return corrupted, np.repeat(X, 2 * N, axis=0), np.full(len(corrupted), 1 / len(corrupted))


def with_masks(X, q):
    masks = np.array(list(product([0.0, 1.0], repeat=N)))
    probability = q ** masks.sum(axis=1) * (1 - q) ** (N - masks.sum(axis=1))
    corrupted = (X[:, None] * masks).reshape(-1, N)
    return corrupted, np.repeat(X, len(masks), axis=0), np.tile(probability, len(X)) / len(X)


def loss(data, W, b):
    corrupted, clean, weight = data
    return weight @ np.sum((clean - corrupted @ W - b) ** 2, axis=1)


def least_squares(data):
    corrupted, clean, weight = data
    root = np.sqrt(weight)[:, None]
    design = root * np.column_stack([corrupted, np.ones(len(corrupted))])
    fit = np.linalg.lstsq(design, root * clean, rcond=None)[0]
    return fit[:N], fit[N]


def least_squares_of_rank(data, L, steps=400):
    """Alternating least squares over W₁ (N×L), then W₂ and b."""
    corrupted, clean, weight = data
    root = np.sqrt(weight)[:, None]
    design = root * np.column_stack([corrupted, np.ones(len(corrupted))])
    W1 = np.random.default_rng(0).normal(size=(N, L))
    for _ in range(steps):
        fit = np.linalg.lstsq(np.column_stack([design[:, :N] @ W1, design[:, N]]), root * clean, rcond=None)[0]
        W2, b = fit[:L], fit[L]
        target = (root * (clean - b)) @ np.linalg.pinv(W2)
        W1 = np.linalg.lstsq(design[:, :N], target, rcond=None)[0]
    return W1 @ W2, b


@given(samples(), st.floats(0.01, 10))
def test_the_additive_denoiser_is_the_least_squares_fit_to_all_noise(X, variance):
    dae = theory.additive_dae(X, noise_variance=variance)
    data = with_additive_noise(X, variance)
    W, b = least_squares(data)
    np.testing.assert_allclose(dae.weight, W, atol=1e-10)
    np.testing.assert_allclose(dae.bias, b, atol=1e-10)
    assert dae.loss == pytest.approx(loss(data, W, b), abs=1e-10)


@given(samples(), QUALITY)
def test_the_masking_denoiser_is_the_least_squares_fit_to_all_masks(X, q):
    dae = theory.masking_dae(X, keep_probability=q)
    data = with_masks(X, q)
    assert dae.loss == pytest.approx(loss(data, *least_squares(data)), abs=1e-10)
    assert loss(data, dae.weight, dae.bias) == pytest.approx(dae.loss, abs=1e-10)


@pytest.mark.parametrize("q", [0.2, 0.7])
def test_the_masking_denoiser_is_unique_where_every_pixel_is_lit(q):
    X = random_samples(0)
    W, b = least_squares(with_masks(X, q))
    dae = theory.masking_dae(X, keep_probability=q)
    np.testing.assert_allclose(dae.weight, W, atol=1e-12)
    np.testing.assert_allclose(dae.bias, b, atol=1e-12)


def test_on_centred_data_masking_has_the_moments_of_the_paper():
    X = random_samples(1)
    X -= X.mean(axis=0)
    S, q = X.T @ X / len(X), 0.6
    Q = q**2 * S + q * (1 - q) * np.diag(np.diag(S))
    dae = theory.masking_dae(X, keep_probability=q)
    np.testing.assert_allclose(dae.weight, np.linalg.solve(Q, q * S), atol=1e-12)
    np.testing.assert_allclose(dae.bias, 0, atol=1e-12)


def test_the_full_additive_denoiser_is_the_ridge_formula():
    X = random_samples(2)
    S = np.cov(X.T, bias=True)
    dae = theory.additive_dae(X, noise_variance=0.3)
    np.testing.assert_allclose(dae.weight, np.linalg.solve(S + 0.3 * np.eye(N), S), atol=1e-13)


@pytest.mark.parametrize("L", [1, 2, 3])
@pytest.mark.parametrize("kind", ["additive", "masking"])
def test_under_a_rank_the_denoiser_is_where_alternating_least_squares_ends(kind, L):
    X = random_samples(L)
    if kind == "additive":
        dae, data = theory.additive_dae(X, noise_variance=0.5, n_components=L), with_additive_noise(X, 0.5)
    else:
        dae, data = theory.masking_dae(X, keep_probability=0.7, n_components=L), with_masks(X, 0.7)
    W, b = least_squares_of_rank(data, L)
    assert dae.loss == pytest.approx(loss(data, W, b), rel=1e-11)
    np.testing.assert_allclose(dae.weight, W, atol=1e-6)
    np.testing.assert_allclose(dae.bias, b, atol=1e-6)
    assert np.linalg.matrix_rank(dae.weight) == L


@given(samples(), st.floats(0, 10), QUALITY, st.integers(0, 2**32 - 1))
def test_expected_losses_of_any_linear_map_are_exact_and_never_below_the_optimum(X, variance, q, seed):
    rng = np.random.default_rng(seed)
    W, b = rng.normal(size=(N, N)), rng.normal(size=N)
    additive = theory.additive_dae_loss(X, W, b, noise_variance=variance)
    masking = theory.masking_dae_loss(X, W, b, keep_probability=q)
    assert additive == pytest.approx(loss(with_additive_noise(X, variance), W, b), rel=1e-11)
    assert masking == pytest.approx(loss(with_masks(X, q), W, b), rel=1e-11)
    assert additive >= theory.additive_dae(X, noise_variance=variance).loss - 1e-12
    assert masking >= theory.masking_dae(X, keep_probability=q).loss - 1e-12


def test_expected_losses_agree_with_sampled_noise_within_its_error():
    rng = np.random.default_rng(4)
    X = random_samples(3)
    W, b = rng.normal(size=(N, N)), rng.normal(size=N)
    repeats = np.tile(X, (20_000, 1))
    for noisy, expected in (
        (
            repeats + np.sqrt(0.4) * rng.normal(size=repeats.shape),
            theory.additive_dae_loss(X, W, b, noise_variance=0.4),
        ),
        (repeats * (rng.random(repeats.shape) < 0.7), theory.masking_dae_loss(X, W, b, keep_probability=0.7)),
    ):
        draws = np.sum((repeats - noisy @ W - b) ** 2, axis=1)
        assert abs(draws.mean() - expected) < 4 * draws.std() / np.sqrt(draws.size)


@given(samples(), st.integers(1, N))
def test_without_noise_both_denoisers_are_pca(X, L):
    best = theory.eckart_young(X, L).loss_
    assert theory.additive_dae(X, noise_variance=0.0, n_components=L).loss == pytest.approx(best, abs=1e-11)
    assert theory.masking_dae(X, keep_probability=1.0, n_components=L).loss == pytest.approx(best, abs=1e-11)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 10))
def test_the_additive_denoiser_turns_with_the_data(seed, variance):
    X = random_samples(seed)
    R = np.linalg.qr(np.random.default_rng(seed).normal(size=(N, N)))[0]
    before = theory.additive_dae(X, noise_variance=variance, n_components=2)
    after = theory.additive_dae(X @ R, noise_variance=variance, n_components=2)
    assert after.loss == pytest.approx(before.loss, rel=1e-12)


def test_masking_depends_on_where_zero_is():
    X = random_samples(0)
    shifted = theory.masking_dae(X + 5, keep_probability=0.5).loss
    assert shifted > 1.05 * theory.masking_dae(X, keep_probability=0.5).loss


def test_a_pixel_that_is_never_lit_does_no_harm():
    X = random_samples(0)
    X[:, 2] = 0
    dae = theory.masking_dae(X, keep_probability=0.5)
    assert np.isfinite(dae.weight).all()
    np.testing.assert_allclose(dae.weight[2], 0, atol=1e-14)
    np.testing.assert_allclose(dae.weight[:, 2], 0, atol=1e-14)


def test_wrong_noise_is_refused():
    X = random_samples(0)
    with pytest.raises(ValueError, match=r"noise_variance=-0\.1"):
        theory.additive_dae(X, noise_variance=-0.1)
    for q in (0.0, 1.5, float("nan")):
        with pytest.raises(ValueError, match="keep_probability"):
            theory.masking_dae(X, keep_probability=q)
        with pytest.raises(ValueError, match="keep_probability"):
            theory.masking_dae_loss(X, np.eye(N), np.zeros(N), keep_probability=q)
    with pytest.raises(ValueError, match="n_components=5"):
        theory.masking_dae(X, keep_probability=0.5, n_components=5)
    with pytest.raises(ValueError, match="4 rows are needed"):
        theory.additive_dae_loss(X, np.eye(3), np.zeros(4), noise_variance=0.1)
