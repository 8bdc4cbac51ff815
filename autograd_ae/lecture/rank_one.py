"""Section 1 and 2 of the chapter: data on a line, x = (2α, α), compressed to one number and back.

    z = wᵀx,   x̂ = ŵ z,   loss ‖X̂ − X‖² / B

The lecture shows w = (1, −1), ŵ = (2, 1): every point is recovered although ŵwᵀ is not the identity,
nor the orthogonal projector of PCA, [[.8, .4], [.4, .2]]. The loss is 0 exactly when ŵ ∝ (2, 1) and wᵀŵ = 1,
a line of solutions: only ŵ's direction and one number of w are fixed by the data. Gradient descent, dw = 2 XᵀR ŵ / B
and dŵ = 2 RᵀX w / B with R = X̂ − X in rows, finds one of them, another from each start.
"""

from __future__ import annotations

import numpy as np

import autograd_ae as ae
from autograd_ae.lecture.section import Section

STARTS, STEPS, RATE = 8, 2000, 0.02


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


def run(*, seed: int = 0) -> Section:
    section = Section(
        "rank_one",
        "Data on a line",
        "x = (2α, α) is recovered from one number whenever ŵ ∝ (2, 1) and wᵀŵ = 1, not by PCA's projector only.",
    )
    X = ae.data.rank_one_line(200, rng=seed)
    value, _ = ae.value_and_grad(loss(X))(np.array([1.0, -1.0]), np.array([2.0, 1.0]))
    section.add("loss of the lecture's w = (1, −1), ŵ = (2, 1)", float(value), "0 exactly", key="lecture_loss")
    rng = np.random.default_rng(seed)
    found = [descend(X, rng.normal(size=2), rng.normal(size=2)) for _ in range(STARTS)]
    slopes = [float(w_hat[0] / w_hat[1]) for _, w_hat, _ in found]
    products = [float(w @ w_hat) for w, w_hat, _ in found]
    section.add(
        f"largest loss after descent from {STARTS} starts",
        max(losses[-1] for *_, losses in found),
        "0",
        key="descent_loss",
    )
    section.add("ŵ₁/ŵ₂ found, farthest from 2", max(slopes, key=lambda s: abs(s - 2)), "2", key="slope")
    section.add("wᵀŵ found, farthest from 1", max(products, key=lambda p: abs(p - 1)), "1", key="product")
    spread = np.array([w / np.linalg.norm(w) for w, *_ in found])
    section.add(
        "w found: angles to the line",
        ", ".join(f"{np.degrees(np.arccos(np.clip(abs(w @ [2, 1]) / np.sqrt(5), 0, 1))):.0f}°" for w in spread),
        "0° for PCA, 72° for the lecture's w: any but 90°",
    )
    pca = ae.PCA(n_components=1).fit(X)
    section.numbers["pca_projector"] = (pca.components_.T @ pca.components_).round(12).tolist()
    section.add(
        "PCA's projector", str(np.round(pca.components_.T @ pca.components_, 6).tolist()), "[[.8, .4], [.4, .2]]"
    )
    directions = {"lecture's w": np.array([1.0, -1.0]), "lecture's ŵ": np.array([2.0, 1.0])}
    directions |= {f"w found, start {i + 1}": found[i][0] for i in range(3)}
    section.figures["rank_one"] = ae.plot.line_data(X, directions, title="One line, many encoders")
    return section
