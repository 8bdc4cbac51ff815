"""Rows 5 and 6: L2 penalties give the linear autoencoder the principal directions, not only their span."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_ae as ae
from autograd_ae.lecture.theorems.measure import Measure, difference, given
from autograd_ae.lecture.theorems.training import data, quietly

SPECTRUM = (4.0, 2.5, 1.5, 0.8, 0.4, 0.2)
MEAN = (1.0, -2.0, 0.0, 3.0, 0.5, 0.0)


def _trained(X: np.ndarray, l2: Any, seed: int) -> Any:
    return quietly(ae.LinearPCA(4, l2=l2, tol=1e-12, max_iter=5000, random_state=seed).fit, X)


def uniform(seed: int) -> list[Measure]:
    """Uniform L2 γ: W₁ = W₂ᵀ = V_L diag(√(1 − γ/λ_i)₊) O, so the decoder's SVD gives back directions and λ_i.

    γ = 1 switches off the fourth latent, λ₄ = 0.8.

    Source: Kunin et al. 2019.
    """
    X = data(SPECTRUM, mean=MEAN, seed=seed)
    model = _trained(X, 1.0, seed)
    best = ae.theory.regularised_linear(X, 4, penalty=1.0)
    W1, W2 = model.encoder_weight_, model.components_
    sigma = np.linalg.svd(W2, compute_uv=False)
    directions, s = ae.theory.recover_principal_axes(W2, penalty=1.0, n_samples=len(X))
    _, spectrum, axes = ae.theory.principal_axes(X)
    angles = ae.theory.compare_directions(directions, axes[: len(directions)], spectrum=spectrum)
    found = ae.theory.compare(model, X)
    return [
        Measure("excess loss, relative", abs(given(found.relative_excess_loss)), 1e-10),
        Measure("W₁ against W₂ᵀ", np.abs(W1 - W2.T).max(), 1e-6),
        Measure(
            "singular values √(1 − γ/λ_i) of the living latents", np.abs(sigma - best.singular_values)[:3].max(), 1e-6
        ),
        Measure("singular value of the dead latent", sigma[3], 1e-6),
        Measure("s_i of the data, recovered, relative", np.abs(s[:3] / np.sqrt(len(X) * spectrum[:3]) - 1).max(), 1e-6),
        Measure("angle of each recovered direction", angles[:3].max(), 1e-6),
        Measure(
            "number of dead latents against the predicted one",
            difference(found.dead, found.predicted_dead),
            0.0,
        ),
    ]


def nonuniform(seed: int) -> list[Measure]:
    """Non-uniform L2: the rows of the decoder are the principal directions one by one, the smallest γ the first.

    Source: Bao et al. 2020.
    """
    X = data(SPECTRUM, mean=MEAN, seed=seed)
    gamma = np.array([0.3, 0.1, 1.0, 0.2])  # the third latent gets λ₄ = 0.8 and dies
    model = _trained(X, gamma, seed)
    best, found = ae.theory.nonuniform_linear(X, gamma), ae.theory.compare(model, X)
    rows = model.components_
    signs = np.sign(np.sum(rows * best.decoder, axis=1))
    alive = best.active
    return [
        Measure("excess loss, relative", abs(given(found.relative_excess_loss)), 1e-10),
        Measure(
            "decoder rows against √(1 − γ_j/λ) v, up to sign",
            np.abs(rows - signs[:, None] * best.decoder)[alive].max(),
            1e-6,
        ),
        Measure("the dead row, largest entry", np.abs(rows[~alive]).max(), 1e-6),
        Measure(
            "number of dead latents against the predicted one",
            difference(found.dead, found.predicted_dead),
            0.0,
        ),
    ]
