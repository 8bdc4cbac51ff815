"""Rows 18 and 19: the lecture's two examples, points on a line and points on a circle."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_ae as ae
from autograd_ae.lecture.theorems.measure import Measure
from autograd_ae.lecture.theorems.training import LINEAR, built, linear_autoencoder, put, quietly

STARTS = 4
AROUND = np.linspace(0, 2 * np.pi, 2001)[:-1]  # where the circle is looked at


def line(seed: int) -> list[Measure]:
    """x = (2α, α): every minimum of ‖(x·w)ŵ − x‖² has ŵ ∝ (2, 1) and w·ŵ = 1, loss 0, from whatever start.

    The lecture's w = (1, −1), ŵ = (2, 1) is one of them, an oblique projector; PCA's is [[.8, .4], [.4, .2]].

    Source: the lecture; elementary.
    """
    X = ae.data.rank_one_line(100, rng=seed)
    X -= X.mean(axis=0)
    found = [linear_autoencoder(X, 1, seed=seed + i, tol=1e-14) for i in range(STARTS)]
    pairs = [(m.parameters()[0].data[:, 0], m.parameters()[2].data[0]) for m in found]
    lecture = built(ae.Autoencoder(1, **LINEAR, random_state=seed), X)
    put(lecture, [[1.0], [-1.0]], 0.0, [[2.0, 1.0]], 0.0)
    forms = [ae.theory.rank_one_projector(w) - np.outer(w, w_hat) for w, w_hat in pairs]
    axis = ae.PCA(1).fit(X).components_
    return [
        Measure("loss of the lecture's w and ŵ", lecture.loss(X).item(), 0.0),
        Measure(
            f"loss after training, relative, worst of {STARTS} starts", max(m.loss_ for m in found) / X.var(), 1e-12
        ),
        Measure("ŵ₁/ŵ₂ against 2, worst start", max(abs(v[0] / v[1] - 2) for _, v in pairs), 1e-6),
        Measure("w·ŵ against 1, worst start", max(abs(w @ v - 1) for w, v in pairs), 1e-6),
        Measure("w ŵᵀ against the projector that w determines", max(float(np.abs(f).max()) for f in forms), 1e-6),
        Measure("PCA's projector", np.abs(axis.T @ axis - [[0.8, 0.4], [0.4, 0.2]]).max(), 1e-12),
    ]


def circle(seed: int) -> list[Measure]:
    """The circle (sin θ, cos θ): PCA to one number leaves ½; a continuous code of one number is wrong by 1 or more at
    one of two opposite points that it cannot tell apart, however small its mean error; a circular code is not.

    The two points are found by bisection in the nonlinear PCA that was trained.

    Source: Borsuk & Ulam; Scholz 2007; Kvalheim & Sontag 2024.
    """
    X = ae.data.circle(100).X
    number = quietly(ae.DeepPCA(code="linear", random_state=seed).fit, X)
    angle = quietly(ae.DeepPCA(code="circular", random_state=seed).fit, X)
    pair = ae.theory.borsuk_ulam(number.transform, number.inverse_transform)
    assert pair.errors is not None  # a decoder was given
    return [
        Measure("squared error of PCA to one number against ½", abs(ae.PCA(1).fit(X).loss_ - 0.5), 1e-12),
        Measure(
            "code of one number: p and −p share it, difference", pair.code_gap / np.ptp(number.transform(X)), 1e-12
        ),
        Measure("by how much both of them err by less than 1", max(0.0, 1 - pair.errors.max()), 1e-9),
        Measure("its mean squared error all the same, share of PCA's", number.loss_ / 0.5, 0.2),
        Measure("circular code: largest error on the circle", _largest_error(angle), 0.1),
        Measure("its codes of p and −p: radians from being opposite (π: the same)", _from_opposite(angle), 2.0),
        Measure("its turns while p goes round once, against ±1", abs(abs(_turns(angle)) - 1), 1e-9),
    ]


def _largest_error(model: Any) -> float:
    points = ae.theory.circle_points(AROUND)
    return float(np.linalg.norm(model.reconstruct(points) - points, axis=1).max())


def _from_opposite(model: Any) -> float:
    """π less the angle between the codes of p and −p, largest on the circle."""
    points = ae.theory.circle_points(AROUND)
    difference = model.angles(points) - model.angles(-points)
    return float(np.abs(np.mod(difference, 2 * np.pi) - np.pi).max())


def _turns(model: Any) -> float:
    """How often the angle goes round."""
    angles = model.angles(ae.theory.circle_points(np.append(AROUND, 0.0)))[:, 0]
    steps = np.mod(np.diff(angles) + np.pi, 2 * np.pi) - np.pi
    return float(steps.sum() / (2 * np.pi))
