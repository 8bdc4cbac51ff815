"""Rows 18 and 19: the lecture's two examples, points on a line and points on a circle."""

from __future__ import annotations

import numpy as np

import autograd_ae as ae
from autograd_ae.lecture.theorems.measure import Measure
from autograd_ae.lecture.theorems.training import linear_autoencoder

STARTS = 4


def line(seed: int) -> list[Measure]:
    """x = (2α, α): every minimum of ‖(x·w)ŵ − x‖² has ŵ ∝ (2, 1) and w·ŵ = 1, loss 0, from whatever start.

    Source: the lecture; elementary.
    """
    X = ae.data.rank_one_line(100, rng=seed)
    X -= X.mean(axis=0)
    found = [linear_autoencoder(X, 1, seed=seed + i, tol=1e-14) for i in range(STARTS)]
    pairs = [(m.encoder_.layers[0].W.data[:, 0], m.decoder_.layers[0].W.data[0]) for m in found]
    lecture = linear_autoencoder(X, 1, seed=seed, max_iter=1, tol=0.5)
    for parameter, value in zip(lecture.parameters(), ([[1.0], [-1.0]], [0.0], [[2.0, 1.0]], [0.0, 0.0]), strict=True):
        parameter.data[...] = value
    forms = [ae.theory.rank_one_projector(w) - np.outer(w, w_hat) for w, w_hat in pairs]
    return [
        Measure("loss of the lecture's w = (1, −1), ŵ = (2, 1)", lecture.loss(X).item(), 0.0),
        Measure(
            f"loss after training, relative, worst of {STARTS} starts", max(m.loss_ for m in found) / X.var(), 1e-12
        ),
        Measure("ŵ₁/ŵ₂ against 2, worst start", max(abs(v[0] / v[1] - 2) for _, v in pairs), 1e-6),
        Measure("w·ŵ against 1, worst start", max(abs(w @ v - 1) for w, v in pairs), 1e-6),
        Measure("w ŵᵀ against the projector that w determines", max(float(np.abs(f).max()) for f in forms), 1e-6),
    ]
