"""Rows 9 to 11: probabilistic PCA and the linear VAE, trained on a design of ε with exact moments (see `training`)."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_ae as ae
from autograd_ae.lecture.theorems.measure import Measure, difference, given, relative
from autograd_ae.lecture.theorems.training import built, data, descend, with_signs

SPECTRUM = (4.0, 2.5, 1.5, 0.8, 0.4, 0.2)
SAMPLES = 24
MEAN = (1.0, -2.0, 0.0, 3.0, 0.5, 0.0)


def linear_vae(X: np.ndarray, L: int, *, seed: int, variance: float | str = "learned", beta: float = 1.0) -> Any:
    """A `VAE` of linear layers, trained on its exact expected loss."""
    options: dict[str, Any] = {"hidden_layer_sizes": (), "likelihood": "gaussian", "random_state": seed}
    model = built(ae.VAE(L, observation_variance=variance, beta=beta, **options), X)
    return descend(model, *with_signs(X, L), np.full(1, beta))


def probabilistic_pca(seed: int) -> list[Measure]:
    """Probabilistic PCA: σ² = mean tail eigenvalue, W = V_L(Λ_L − σ²I)^½ R, its likelihood in closed form.

    From the decoder A and σ² of a trained linear VAE, whose marginal is N(b, AᵀA + σ²I).

    Source: Tipping & Bishop 1999.
    """
    X = data(SPECTRUM, mean=MEAN, seed=seed, n_samples=SAMPLES)
    model, best = linear_vae(X, 3, seed=seed), ae.theory.ppca(X, 3)
    A, b = model.decoder_.layers[0].W.data, model.decoder_.layers[0].b.data
    sigma2 = model.observation_variance_
    C = A.T @ A + sigma2 * np.eye(len(b))
    likelihood, weighted = _gaussian_log_likelihood(X, b, C), model.log_likelihood(X, n_samples=20, random_state=seed)
    covariance = best.loadings @ best.loadings.T + best.noise_variance * np.eye(len(b))
    return [
        Measure("σ² against the mean of the tail, relative", abs(sigma2 / best.noise_variance - 1), 1e-6),
        Measure("AᵀA + σ²I against WWᵀ + σ²I, relative", relative(C, covariance), 1e-6),
        Measure("ln p(x) of the decoder's marginal, nats per sample", abs(likelihood - best.log_likelihood), 1e-9),
        Measure("ln p(x) by the model's importance weights, nats", abs(weighted - best.log_likelihood), 1e-8),
    ]


def learned_noise(seed: int) -> list[Measure]:
    """Linear VAE, learned σ²: the largest ELBO is pPCA's log-likelihood, at V_i = σ²/λ_i and with rows along v_i.

    A rotated decoder is strictly worse: the predicted excess is found.

    Source: Lucas et al. 2019; Dai et al. 2018.
    """
    X = data(SPECTRUM, mean=MEAN, seed=seed, n_samples=SAMPLES)
    model, best = linear_vae(X, 3, seed=seed), ae.theory.linear_vae(X, 3)
    A, sigma2 = model.decoder_.layers[0].W.data, model.observation_variance_
    order = np.argsort(-np.linalg.norm(A, axis=1))
    mean, variance = (a[:, order] for a in model.encode_distribution(X))
    _, spectrum, axes = ae.theory.principal_axes(X)
    angles = ae.theory.compare_directions(A[order], axes[:3], spectrum=spectrum)
    signs = np.sign(np.sum(A[order] * best.decoder, axis=1))
    posterior = ae.theory.ppca(X, 3).posterior_mean(X) * signs
    elbo = -_exact_loss(model, X)
    rise, predicted = _rise_when_rotated(model, X, seed)
    return [
        Measure(
            "ELBO against pPCA's log-likelihood, nats per sample", abs(elbo - ae.theory.ppca(X, 3).log_likelihood), 1e-9
        ),
        Measure("V_i against σ²/λ_i, relative, worst sample", np.abs(variance * spectrum[:3] / sigma2 - 1).max(), 1e-6),
        Measure("M against XW(WᵀW + σ²I)⁻¹", np.abs(mean - posterior).max(), 1e-6),
        Measure("angle of each decoder row to its v_i", angles.max(), 1e-6),
        Measure("rise of the loss under a rotated decoder, relative", abs(rise / predicted - 1), 1e-6),
    ]


def _rise_when_rotated(model: Any, X: np.ndarray, seed: int) -> tuple[float, float]:
    """By how much the loss rises if the decoder is rotated and the encoder trained anew: found, and predicted (> 0)."""
    before, decoder = _exact_loss(model, X), model.decoder_.layers[0].W
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    eta2 = {"noise_variance": model.observation_variance_}
    optimum = ae.theory.linear_vae_loss(X, decoder.data, **eta2)
    decoder.data[...] = turn @ decoder.data
    predicted = ae.theory.linear_vae_loss(X, decoder.data, **eta2) - optimum
    descend(model, *with_signs(X, 3), np.full(1, 1.0), parameters=ae.nn.parameters(model.encoder_))
    return _exact_loss(model, X) - before, predicted


def posterior_collapse(seed: int) -> list[Measure]:
    """Linear VAE, fixed η², weight β: latent i is dead exactly when λ_i ≤ βη²; ‖w_i‖² = (λ_i − βη²)₊, V_i = βη²/λ_i.

    Predicted from the data before training, for β from 0.5 to 6, of which the last kills all latents, and found after.

    Source: Wang & Ziyin 2022.
    """
    X, eta2 = data(SPECTRUM, mean=MEAN, seed=seed, n_samples=SAMPLES), 0.8
    worst = dict.fromkeys(("dead", "loss", "lengths", "variances"), 0.0)
    for beta in (0.5, 1.5, 3.0, 3.25, 6.0):  # βη² = 0.4, 1.2, 2.4, 2.6, 4.8, and λ₂ = 2.5
        predicted = ae.theory.linear_vae(X, 4, noise_variance=eta2, beta=beta)
        model = linear_vae(X, 4, seed=seed, variance=eta2, beta=beta)
        found = ae.theory.compare(model, X)
        A = model.decoder_.layers[0].W.data
        order = np.argsort(-np.linalg.norm(A, axis=1), kind="stable")
        _, variance = model.encode_distribution(X)
        errors = {
            "dead": difference(found.dead, int(predicted.dead.sum())),
            "loss": abs(given(found.relative_excess_loss)),
            "lengths": np.abs(np.sum(A[order] ** 2, axis=1) - np.sum(predicted.decoder**2, axis=1)).max(),
            "variances": np.abs(np.sort(variance, axis=1) - predicted.variance).max(),
        }
        worst = {name: max(value, float(errors[name])) for name, value in worst.items()}
    return [
        Measure("number of dead latents against the predicted one, five β", worst["dead"], 0.0),
        Measure("excess loss, relative", worst["loss"], 1e-10),
        Measure("‖w_i‖² against (λ_i − βη²)₊", worst["lengths"], 1e-6),
        Measure("V_i against min(1, βη²/λ_i), worst sample", worst["variances"], 1e-6),
    ]


def _exact_loss(model: Any, X: np.ndarray) -> float:
    """The model's own loss, averaged over a design of ε: its exact expectation for a linear decoder."""
    x, noise = with_signs(X, model.n_components)
    return float(model.loss(x, noise, np.full(1, model.beta)).item())


def _gaussian_log_likelihood(X: np.ndarray, mean: np.ndarray, C: np.ndarray) -> float:
    """ln N(x; mean, C), mean over samples."""
    centred = X - mean
    quadratic = np.sum(centred * np.linalg.solve(C, centred.T).T) / len(X)
    return float(-0.5 * (len(C) * np.log(2 * np.pi) + np.linalg.slogdet(C)[1] + quadratic))
