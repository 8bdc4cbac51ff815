"""Rows 9, 10 and 11: probabilistic PCA by EM and by its density; the linear VAE by alternating minimisation of its
definition, E‖x − x̂‖²/(2η²) + β KL, over encoder, variances, decoder and biases, each step a least-squares problem."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae import theory

SPECTRUM = [5.0, 2.5, 1.2, 0.5, 0.3, 0.1]
N = len(SPECTRUM)


def with_spectrum(seed, spectrum=SPECTRUM, B=40):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(B, len(spectrum)))
    U = np.linalg.qr(Z - Z.mean(axis=0))[0]
    V = np.linalg.qr(rng.normal(size=(len(spectrum), len(spectrum))))[0]
    return U * np.sqrt(B * np.asarray(spectrum)) @ V.T + 2 * rng.normal(size=len(spectrum))


def mean_log_density(X, mean, covariance):
    """Gaussian log-density, averaged over the rows of X, straight from its definition."""
    centred = X - mean
    quadratic = np.sum(centred * np.linalg.solve(covariance, centred.T).T, axis=1)
    return -0.5 * np.mean(quadratic + np.linalg.slogdet(covariance)[1] + len(mean) * np.log(2 * np.pi))


def vae_terms(X, E, e, v, A, b):
    """(E‖x − x̂‖², KL) of a linear VAE by definition, sums over features and means over samples."""
    m = X @ E + e
    error = np.mean(np.sum((m @ A + b - X) ** 2, axis=1)) + v @ np.sum(A**2, axis=1)
    return error, 0.5 * np.mean(np.sum(m**2 + v - 1 - np.log(v), axis=1))


def alternate(X, L, beta, noise_variance, seed, steps=1500):
    """Best encoder for the decoder, best decoder for the encoder, in turn; the noise too if it is None."""
    rng = np.random.default_rng(seed)
    A, b = rng.normal(size=(L, X.shape[1])), np.zeros(X.shape[1])
    eta2 = noise_variance or 1.0
    for _ in range(steps):
        c = beta * eta2
        v = c / (c + np.sum(A**2, axis=1))
        E = A.T @ np.linalg.inv(A @ A.T + c * np.eye(L))
        e = -b @ E
        m = X @ E + e
        second = m.T @ m / len(X) + np.diag(v)  # E[zᵀz]
        moments = np.block([[second, m.mean(axis=0)[:, None]], [m.mean(axis=0)[None], np.ones((1, 1))]])
        fit = np.linalg.solve(moments, np.vstack([m.T @ X / len(X), X.mean(axis=0)]))
        A, b = fit[:L], fit[L]
        if noise_variance is None:
            eta2 = vae_terms(X, E, e, v, A, b)[0] / X.shape[1]
    return E, e, v, A, b, eta2


@pytest.mark.parametrize("L", [0, 1, 3, 5])
def test_the_likelihood_of_ppca_is_that_of_its_own_gaussian(L):
    X = with_spectrum(L)
    model = theory.ppca(X, L)
    covariance = model.loadings @ model.loadings.T + model.noise_variance * np.eye(N)
    assert model.log_likelihood == pytest.approx(mean_log_density(X, X.mean(axis=0), covariance), rel=1e-13)
    assert model.noise_variance == pytest.approx(np.mean(SPECTRUM[L:]), rel=1e-13)


def test_expectation_maximisation_ends_at_ppca():
    X, L = with_spectrum(1), 2
    centred = X - X.mean(axis=0)
    S = centred.T @ centred / len(X)
    W, variance = np.random.default_rng(0).normal(size=(N, L)), 1.0
    for _ in range(400):  # the EM steps of Tipping & Bishop 1999
        M = np.linalg.inv(W.T @ W + variance * np.eye(L))
        new = S @ W @ np.linalg.inv(variance * np.eye(L) + M @ W.T @ S @ W)
        variance, W = np.trace(S - S @ W @ M @ new.T) / N, new
    model = theory.ppca(X, L)
    assert variance == pytest.approx(model.noise_variance, rel=1e-12)
    np.testing.assert_allclose(W @ W.T, model.loadings @ model.loadings.T, atol=1e-11)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.floats(-3, 0))
def test_no_other_factor_model_is_likelier(seed, L, exponent):
    rng = np.random.default_rng(seed)
    X = with_spectrum(seed)
    model = theory.ppca(X, L)
    W = model.loadings + 10**exponent * rng.normal(size=(N, L))
    variance = model.noise_variance * np.exp(10**exponent * rng.normal())
    mean = model.mean + 10**exponent * rng.normal(size=N)
    assert mean_log_density(X, mean, W @ W.T + variance * np.eye(N)) < model.log_likelihood


def test_the_posterior_mean_is_that_of_the_joint_gaussian():
    X = with_spectrum(2)
    model = theory.ppca(X, 3)
    covariance = model.loadings @ model.loadings.T + model.noise_variance * np.eye(N)
    expected = (X - X.mean(axis=0)) @ np.linalg.solve(covariance, model.loadings)
    np.testing.assert_allclose(model.posterior_mean(X), expected, atol=1e-12)


@pytest.mark.parametrize(("noise", "beta", "dead"), [(0.3, 1.0, 0), (0.8, 1.0, 1), (0.5, 3.5, 2), (2.0, 4.0, 4)])
def test_minimising_the_vae_of_fixed_noise_ends_at_the_optimum_with_the_predicted_dead_latents(noise, beta, dead):
    X, L = with_spectrum(3), 4
    E, e, v, A, b, _ = alternate(X, L, beta, noise, seed=1)
    error, kl = vae_terms(X, E, e, v, A, b)
    vae = theory.linear_vae(X, L, noise_variance=noise, beta=beta)
    assert vae.dead.sum() == np.sum(v > 1 - 1e-6) == dead  # predicted, and found
    assert error / (2 * noise) + beta * kl == pytest.approx(vae.loss, rel=1e-11)
    assert error == pytest.approx(vae.reconstruction, rel=1e-6)
    assert kl == pytest.approx(vae.kl, rel=1e-6, abs=1e-6)
    order = np.argsort(v, kind="stable")  # the latents come out in any order, with any sign
    np.testing.assert_allclose(v[order], vae.variance, atol=1e-6)
    np.testing.assert_allclose(A[order].T @ A[order], vae.decoder.T @ vae.decoder, atol=1e-5)
    np.testing.assert_allclose(
        np.sum(A[order] ** 2, axis=1), np.maximum(np.array(SPECTRUM[:L]) - beta * noise, 0), atol=1e-5
    )


@pytest.mark.parametrize("beta", [1.0, 0.6, 1.4])
def test_minimising_the_vae_of_learned_noise_ends_at_the_optimum(beta):
    X, L = with_spectrum(4), 2
    E, e, v, A, b, eta2 = alternate(X, L, beta, None, seed=2)
    error, kl = vae_terms(X, E, e, v, A, b)
    vae = theory.linear_vae(X, L, beta=beta)
    assert eta2 == pytest.approx(vae.noise_variance, rel=1e-9)
    assert error / (2 * eta2) + beta * kl == pytest.approx(vae.loss, rel=1e-9)


@given(st.lists(st.floats(0.05, 6), min_size=3, max_size=6), st.floats(0.1, 4), st.integers(1, 5), st.integers(0, 99))
def test_the_learned_noise_is_the_best_on_a_fine_grid(spectrum, beta, L, seed):
    X = with_spectrum(seed, sorted(spectrum, reverse=True), B=12)
    L = min(L, len(spectrum) - 1)

    def objective(eta2):
        return theory.linear_vae(X, L, noise_variance=eta2, beta=beta).loss + len(spectrum) / 2 * np.log(
            2 * np.pi * eta2
        )

    best = theory.linear_vae(X, L, beta=beta)
    at_best = objective(best.noise_variance)
    grid = np.geomspace(1e-3, 1e2, 80)
    assert min(objective(eta2) for eta2 in grid) >= at_best - 1e-10
    assert min(objective(best.noise_variance * (1 + h)) for h in (-1e-3, 1e-3)) >= at_best - 1e-12


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_the_largest_elbo_is_the_ppca_likelihood_and_its_posterior_is_exact(seed, L):
    X = with_spectrum(seed)
    vae, model = theory.linear_vae(X, L), theory.ppca(X, L)
    assert vae.elbo == pytest.approx(model.log_likelihood, rel=1e-12)
    assert vae.noise_variance == pytest.approx(model.noise_variance, rel=1e-12)
    np.testing.assert_allclose(vae.decoder, model.loadings.T, atol=1e-9)
    np.testing.assert_allclose(X @ vae.encoder + vae.encoder_bias, model.posterior_mean(X), atol=1e-9)
    np.testing.assert_allclose(vae.variance, vae.noise_variance / theory.spectrum(X)[:L], rtol=1e-10)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 3), st.floats(0.2, 4), st.integers(1, 4))
def test_the_optimum_has_the_terms_and_the_loss_that_it_states(seed, noise, beta, L):
    X = with_spectrum(seed)
    vae = theory.linear_vae(X, L, noise_variance=noise, beta=beta)
    error, kl = vae_terms(X, vae.encoder, vae.encoder_bias, vae.variance, vae.decoder, vae.decoder_bias)
    assert error == pytest.approx(vae.reconstruction, rel=1e-11)
    assert kl == pytest.approx(vae.kl, rel=1e-11, abs=1e-12)
    assert vae.loss == pytest.approx(error / (2 * noise) + beta * kl, rel=1e-11)
    elbo = -error / (2 * noise) - kl - N / 2 * np.log(2 * np.pi * noise)
    assert vae.elbo == pytest.approx(elbo, rel=1e-11, abs=1e-11)
    λ = theory.spectrum(X)
    c, active = beta * noise, λ[:L][λ[:L] > beta * noise]
    printed = (λ.sum() - np.sum(active * (1 + c / active * (np.log(c / active) - 1)))) / (2 * noise)
    assert vae.loss == pytest.approx(printed, rel=1e-11)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 3), st.floats(0.2, 4), st.integers(1, 4), st.floats(-3, 0.5))
def test_the_profile_is_the_least_loss_over_encoders_and_no_decoder_is_below_the_optimum(
    seed, noise, beta, L, exponent
):
    rng = np.random.default_rng(seed)
    X = with_spectrum(seed)
    vae = theory.linear_vae(X, L, noise_variance=noise, beta=beta)
    A = vae.decoder + 10**exponent * rng.normal(size=(L, N))
    profile = theory.linear_vae_loss(X, A, noise_variance=noise, beta=beta)
    c = beta * noise
    E = A.T @ np.linalg.inv(A @ A.T + c * np.eye(L))
    best = (E, -X.mean(axis=0) @ E, c / (c + np.sum(A**2, axis=1)))

    def loss(E, e, v):
        error, kl = vae_terms(X, E, e, v, A, X.mean(axis=0))
        return error / (2 * noise) + beta * kl

    assert profile == pytest.approx(loss(*best), rel=1e-10)
    worse = [part * np.exp(0.1 * rng.normal(size=np.shape(part))) for part in best]
    assert loss(*worse) >= profile * (1 - 1e-13)
    assert profile >= vae.loss * (1 - 1e-13)


@given(st.floats(0.05, 1.5), st.integers(0, 2**32 - 1), st.floats(0.5, 2))
def test_a_rotated_decoder_is_worse_by_the_gap_in_hadamards_inequality(angle, seed, beta):
    X = with_spectrum(seed)
    vae = theory.linear_vae(X, 2, noise_variance=0.4, beta=beta)
    R = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    A = R @ vae.decoder
    M = np.eye(2) + A @ A.T / (0.4 * beta)  # posterior precision
    gap = beta / 2 * (np.log(np.diag(M)).sum() - np.linalg.slogdet(M)[1])
    rotated = theory.linear_vae_loss(X, A, noise_variance=0.4, beta=beta)
    assert rotated - vae.loss == pytest.approx(gap, rel=1e-9, abs=1e-12)
    assert gap > 1e-6


def test_beta_is_one_unless_given():
    X = with_spectrum(0)
    assert theory.linear_vae(X, 3, noise_variance=0.7).loss == theory.linear_vae(X, 3, noise_variance=0.7, beta=1).loss
    A = np.random.default_rng(0).normal(size=(2, N))
    default = theory.linear_vae_loss(X, A, noise_variance=0.7)
    assert default == theory.linear_vae_loss(X, A, noise_variance=0.7, beta=1)


def test_a_latent_dies_exactly_at_the_threshold():
    X = with_spectrum(0)
    top = theory.spectrum(X)[1]
    assert theory.linear_vae(X, 2, noise_variance=top).dead.tolist() == [False, True]
    assert theory.linear_vae(X, 2, noise_variance=np.nextafter(top, 0)).dead.tolist() == [False, False]
    assert theory.linear_vae(X, 2, noise_variance=0.5, beta=2 * top).dead.tolist() == [
        False,
        True,
    ]  # the lecture's scale


@given(st.floats(0.01, 8), st.floats(0.1, 4), st.integers(0, 2**32 - 1))
def test_the_vae_turns_and_moves_with_the_data(noise, beta, seed):
    X = with_spectrum(seed)
    rng = np.random.default_rng(seed)
    R = np.linalg.qr(rng.normal(size=(N, N)))[0]
    before = theory.linear_vae(X, 3, noise_variance=noise, beta=beta)
    after = theory.linear_vae(rng.permutation(X) @ R + 1, 3, noise_variance=noise, beta=beta)
    assert after.loss == pytest.approx(before.loss, rel=1e-12)
    np.testing.assert_allclose(np.abs(after.decoder), np.abs(before.decoder @ R), atol=1e-9)


@given(st.floats(0.1, 10))
def test_scaling_data_and_noise_together_changes_no_kl(scale):
    X = with_spectrum(0)
    before = theory.linear_vae(X, 3, noise_variance=0.3)
    after = theory.linear_vae(scale * X, 3, noise_variance=0.3 * scale**2)
    assert (after.kl, after.loss) == pytest.approx((before.kl, before.loss), rel=1e-11)


def test_equal_eigenvalues_leave_the_learned_noise_well_defined():
    isotropic = np.vstack([np.eye(3), -np.eye(3)])
    vae = theory.linear_vae(isotropic, 2)
    assert vae.noise_variance == pytest.approx(1 / 3, rel=1e-14)
    np.testing.assert_allclose(vae.decoder, 0, atol=1e-7)
    assert vae.elbo == pytest.approx(theory.ppca(isotropic, 2).log_likelihood, rel=1e-13)


def test_data_without_noise_have_no_likeliest_model():
    X = np.outer(np.arange(5.0), [1.0, 2.0, 3.0]) + 7.0
    for fit in (theory.ppca, theory.linear_vae):
        with pytest.raises(ValueError, match="rank 1, which leaves no noise"):
            fit(X, 1)
    with pytest.raises(ValueError, match="no noise"):
        theory.linear_vae(with_spectrum(0), N)
    assert np.isfinite(theory.linear_vae(X, 3, noise_variance=0.1).loss)


def test_wrong_hyperparameters_are_refused():
    X = with_spectrum(0)
    with pytest.raises(ValueError, match="at least one direction"):
        theory.ppca(X, N)
    with pytest.raises(ValueError, match="noise_variance"):
        theory.linear_vae(X, 2, noise_variance=0.0)
    with pytest.raises(ValueError, match="beta"):
        theory.linear_vae(X, 2, beta=0.0)
    with pytest.raises(ValueError, match="n_components=0"):
        theory.linear_vae(X, 0, noise_variance=0.1)
    with pytest.raises(ValueError, match="6 columns are needed"):
        theory.linear_vae_loss(X, np.ones((2, 5)), noise_variance=0.1)
