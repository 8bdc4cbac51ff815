"""Sections 1 to 3 of the chapter: data on a line, x = (2α, α), compressed to one number and back.

    z = wᵀx,   x̂ = ŵ z,   loss ‖X̂ − X‖² / B

The lecture shows w = (1, −1), ŵ = (2, 1): every point is recovered although ŵwᵀ is not the identity,
nor the orthogonal projector of PCA, [[.8, .4], [.4, .2]]. The loss is 0 exactly when ŵ ∝ (2, 1) and wᵀŵ = 1,
a line of solutions: only ŵ's direction and one number of w are fixed by the data. Gradient descent, dw = 2 XᵀR ŵ / B
and dŵ = 2 RᵀX w / B with R = X̂ − X in rows, finds one of them, another from each start.

Real data lie around a line, not on it. There the loss has PCA as its one minimum, and noise of variance σ² in each
coordinate costs σ²‖I − P‖²_F under a projector P = wŵᵀ onto the line: σ² with PCA's, 10 σ² with the lecture's.
"""

from __future__ import annotations

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture.section import Section

STARTS, STEPS, RATE, NOISE = 8, 1000, 0.02, 0.2


def loss(X):
    """The loss as a function of w and ŵ, both (2,)."""
    return lambda w, w_hat: ae.squared_error(ae.outer(ae.matmul(X, w), w_hat), X)


def descend(X: np.ndarray, w: np.ndarray, w_hat: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Plain gradient descent from (w, ŵ); the losses on the way."""
    step = ae.capture(loss(X), w, w_hat)
    losses = []
    for _ in range(STEPS):
        losses.append(float(step(w, w_hat)))
        w, w_hat = w - RATE * step.gradients["w"], w_hat - RATE * step.gradients["w_hat"]
    return w, w_hat, losses


def run(digits: Dataset | None = None, *, seed: int = 0, quick: bool = False, verbose: bool = True) -> Section:
    section = Section(
        "rank-one",
        "Data on a line",
        "x = (2α, α) is recovered from one number whenever ŵ ∝ (2, 1) and wᵀŵ = 1, not by PCA's projector only.",
        "Sections 1 to 3 of the chapter",
        (
            r"z = w^\top x, \qquad \hat{x} = \hat{w} z",
            r"\hat{R} = \tfrac{1}{B} \lVert \hat{w} w^\top X - X \rVert^2",
        ),
    )
    X = ae.data.rank_one_line(200, rng=seed)
    value, _ = ae.value_and_grad(loss(X))(np.array([1.0, -1.0]), np.array([2.0, 1.0]))
    section.at_most("loss of the lecture's w = (1, −1), ŵ = (2, 1)", float(value), 0.0, "0 exactly", key="lecture_loss")
    rng = np.random.default_rng(seed)
    found = [descend(X, rng.normal(size=2), rng.normal(size=2)) for _ in range(STARTS)]
    _minima(section, found)
    _projectors(section, X, seed)
    directions = {"lecture's w": np.array([1.0, -1.0]), "lecture's ŵ": np.array([2.0, 1.0])}
    directions |= {f"w found, start {i + 1}": found[i][0] for i in range(3)}
    section.show(
        "rank_one",
        ae.plot.line_data(X, directions, title="One line, many encoders"),
        "Points on the line through (2, 1), with the lecture's w and ŵ and three encoders that gradient descent "
        "found, as arrows in different directions.",
        "The decoder ŵ must point along the line. The encoder w may point anywhere but at a right angle to it.",
    )
    section.settings |= {"points": f"{len(X)}", "descent": f"{STARTS} starts, {STEPS} steps of {RATE}, noise {NOISE}"}
    return section


def _minima(section: Section, found: list) -> None:
    """What gradient descent reached."""
    slopes = [float(w_hat[0] / w_hat[1]) for _, w_hat, _ in found]
    products = [float(w @ w_hat) for w, w_hat, _ in found]
    worst = max(losses[-1] for *_, losses in found)
    section.at_most(f"largest loss after descent from {STARTS} starts", worst, 1e-6, "0", key="descent_loss")
    slope, product = max(slopes, key=lambda s: abs(s - 2)), max(products, key=lambda p: abs(p - 1))
    section.add("ŵ₁/ŵ₂ found, farthest from 2", slope, "2", key="slope", holds=abs(slope - 2) < 1e-3)
    section.add("wᵀŵ found, farthest from 1", product, "1", key="product", holds=abs(product - 1) < 1e-3)
    angles = [
        float(np.degrees(np.arccos(np.clip(abs(w @ [2, 1]) / np.linalg.norm(w) / 5**0.5, 0, 1)))) for w, *_ in found
    ]
    section.numbers["angles_to_the_line"] = angles
    section.add(
        "w found: angles to the line",
        ", ".join(f"{a:.0f}°" for a in angles),
        "0° for PCA, 72° for the lecture's w: any but 90°",
    )
    section.say(
        f"From {STARTS} starts, gradient descent ends at {STARTS} encoders whose angles to the line run from "
        f"{min(angles):.0f}° to {max(angles):.0f}°, all with the same decoder direction and a loss of at most "
        f"{worst:.1g}: the data fix the decoder, not the encoder."
    )


def _projectors(section: Section, X: np.ndarray, seed: int) -> None:
    """PCA's projector, and what the lecture's costs once points leave the line."""
    pca = ae.PCA(n_components=1).fit(X)
    projector = pca.components_.T @ pca.components_
    section.numbers["pca_projector"] = projector.round(12).tolist()
    gap = float(np.abs(projector - [[0.8, 0.4], [0.4, 0.2]]).max())
    section.at_most("PCA's projector against [[.8, .4], [.4, .2]], largest difference", gap, 1e-12, key="projector_gap")
    around = ae.data.noisy_line(20_000, noise=NOISE, rng=seed)
    oblique = ae.theory.rank_one_projector([1.0, -1.0])
    errors = [float(np.mean(np.sum((around - around @ P) ** 2, axis=1))) for P in (projector, oblique)]
    predicted = NOISE**2 * float(np.sum((np.eye(2) - oblique) ** 2))
    section.add(
        f"points around the line (σ = {NOISE}): error of PCA's projector",
        errors[0],
        f"σ² = {NOISE**2:.4g}",
        key="noisy_pca",
    )
    section.add(
        "and of the lecture's, which is oblique",
        errors[1],
        f"σ²‖I − P‖² = {predicted:.4g}",
        key="noisy_lecture",
        holds=abs(errors[1] / predicted - 1) < 0.05,
    )
    section.say(
        f"On the line both lose nothing. Around it, with noise of σ = {NOISE} in each coordinate, the oblique "
        f"projector loses {errors[1] / errors[0]:.1f} times as much as PCA's: real data are only nearly compressible, "
        "and there the encoder matters."
    )
