"""Rows 7 and 8: linear denoising, trained on designs of noise with exact moments (see `training`)."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_ae as ae
from autograd_ae.lecture.theorems.measure import Measure, given, monte_carlo, relative
from autograd_ae.lecture.theorems.training import LINEAR, built, data, descend, with_masks, with_pairs

SPECTRUM = (4.0, 2.5, 1.5, 0.8, 0.4, 0.2)
MEAN = (1.0, -2.0, 0.0, 3.0, 0.5, 0.0)
SIGMA, P = 0.7, 5  # the noise's deviation; every fifth entry is masked
DRAWS = 400


def additive(seed: int) -> list[Measure]:
    """Linear denoising, Gaussian noise: W = V_L diag(λ_i/(λ_i + σ²)) V_Lᵀ, loss Σλ_i − Σ_{i≤L} λ_i²/(λ_i + σ²).

    With a code as large as the input W = (S + σ²I)⁻¹S.

    Source: Bishop 1995; Pretorius et al. 2018.
    """
    X, measures = data(SPECTRUM, mean=MEAN, seed=seed), []
    clean, spoiled = with_pairs(X, SIGMA, seed=seed)
    for L in (2, 6):
        model = built(ae.DenoisingAE(L, corruption="gaussian", corruption_level=SIGMA, **LINEAR, random_state=seed), X)
        descend(model, clean, spoiled)
        best = ae.theory.additive_dae(X, noise_variance=SIGMA**2, n_components=L)
        measures += _held(model, X, best, L)
    return [*measures, *_own_noise(model, X, seed)]


def masking(seed: int) -> list[Measure]:
    """Linear denoising, masking noise, keep probability q: W = Q⁻¹P, P = qS, Q_ij = q²S_ij, Q_ii = qE x_i² − q²μ_i².

    Source: Chen et al. 2012.
    """
    X, measures = data(SPECTRUM, mean=MEAN, seed=seed), []
    clean, spoiled = with_masks(X, P)
    for L in (2, 6):
        model = built(ae.DenoisingAE(L, corruption="masking", corruption_level=1 / P, **LINEAR, random_state=seed), X)
        descend(model, clean, spoiled)
        best = ae.theory.masking_dae(X, keep_probability=1 - 1 / P, n_components=L)
        measures += _held(model, X, best, L)
    return [*measures, *_own_noise(model, X, seed)]


def _held(model: Any, X: np.ndarray, best: Any, L: int) -> list[Measure]:
    W1, b1, W2, b2 = (p.data for p in model.parameters())
    found = ae.theory.compare(model, X)
    return [
        Measure(f"excess expected loss, relative, L = {L}", abs(given(found.relative_excess_loss)), 1e-10),
        Measure(f"W₁W₂, relative, L = {L}", relative(W1 @ W2, best.weight), 1e-6),
        Measure(f"b₁W₂ + b₂, relative, L = {L}", relative(b1 @ W2 + b2, best.bias), 1e-6),
    ]


def _own_noise(model: Any, X: np.ndarray, seed: int) -> list[Measure]:
    """Whether the noise that the model draws is the theorem's: its mean denoising error against the exact one."""
    rng = np.random.default_rng(seed + 1)
    drawn = [model.denoising_error(X, random_state=rng) for _ in range(DRAWS)]
    return monte_carlo("loss with the model's own noise", drawn, given(ae.theory.compare(model, X).loss))
