"""Section 5 of the chapter: nonlinear PCA on the circle, x = (sin θ, cos θ).

One number, θ, says all, but PCA looks for a line, finds none, and returns one of least error: ½ for every direction,
because S = ½I. A deep encoder and decoder do better in the mean, and still fail somewhere. A continuous code f of the
circle in one number has opposite points p, −p with f(p) = f(−p) (Borsuk 1933), and whatever the decoder answers for
both, ‖p − g‖ + ‖−p − g‖ ≥ 2: one of the two errs by at least 1. `theory.borsuk_ulam` finds that pair by bisection in
the very network that was trained. A circular code, (p, q)/√(p² + q²), is a point of a circle itself and is spared.
"""

from __future__ import annotations

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture import figures
from autograd_ae.lecture.section import Section
from autograd_ae.lecture.theorems.training import quietly

POINTS, DIRECTIONS, FINE, STARTS = 100, 7, 2000, 3


def run(digits: Dataset | None = None, *, seed: int = 0, quick: bool = False, verbose: bool = True) -> Section:
    section = Section(
        "circle",
        "Nonlinear PCA: the circle",
        "Points of a circle have one latent variable, but no line carries them: PCA leaves exactly ½ whatever its "
        "direction. A nonlinear code of one number must fail somewhere by at least 1; a circular code need not.",
        "Section 5 of the chapter; theorem of Borsuk and Ulam in dimension one",
        (
            r"x = (\sin\theta, \cos\theta), \qquad \tfrac{1}{B} X^\top X = \tfrac{1}{2} I",
            r"c = \frac{(p, q)}{\sqrt{p^2 + q^2}}",
        ),
    )
    X, _ = ae.data.circle(POINTS)
    _lines(section, X, seed)
    starts = 1 if quick else STARTS
    linear = min((quietly(ae.DeepPCA(code="linear", random_state=seed + i).fit, X) for i in range(starts)), key=_loss)
    circular = quietly(ae.DeepPCA(code="circular", random_state=seed).fit, X)
    pair = ae.theory.borsuk_ulam(linear.transform, linear.inverse_transform)
    assert pair.errors is not None  # a decoder was given
    fine, theta = (a for a in ae.data.circle(FINE))
    error = {name: np.linalg.norm(fine - m.reconstruct(fine), axis=1) for name, m in _named(linear, circular).items()}
    section.below("linear code of one number: mean squared error", linear.loss_, 0.5, "PCA leaves ½", key="linear_loss")
    section.at_least(
        "linear code: its largest error on the circle",
        float(error["linear code"].max()),
        1.0,
        "Borsuk & Ulam",
        key="linear_worst",
    )
    section.at_most(
        "two opposite points: difference of their codes",
        pair.code_gap,
        1e-9 * float(np.ptp(linear.transform(fine))),
        f"found at θ = {pair.angle:.3f} and θ + π",
        key="code_gap",
    )
    section.at_least(
        "the larger of their two errors", float(pair.errors.max()), pair.bound, "1 by the theorem", key="pair_error"
    )
    section.at_most("circular code: mean squared error", circular.loss_, 1e-3, "0 can be reached", key="circular_loss")
    section.below(
        "circular code: its largest error on the circle",
        float(error["circular code"].max()),
        1.0,
        "no obstruction",
        key="circular_worst",
    )
    turns = _turns(circular.angles(fine)[:, 0])
    section.add(
        "turns of the learned angle as θ turns once",
        f"{turns:+d}".replace("-", "−"),
        "+1 or −1: it is θ, from some origin",
        holds=abs(turns) == 1,
    )
    section.numbers["turns"] = turns
    _say(section, linear, circular, error)
    _draw(section, X, fine, theta, linear, circular, error, pair, seed)
    section.settings |= {
        "points": f"{POINTS}, evenly spaced",
        "networks": "2-16-16-code-16-16-2, tanh, L-BFGS",
        "iterations": f"linear {linear.n_iter_} (best of {starts} starts), circular {circular.n_iter_}",
    }
    return section


def _loss(model: ae.DeepPCA) -> float:
    return model.loss_


def _named(linear: ae.DeepPCA, circular: ae.DeepPCA) -> dict[str, ae.DeepPCA]:
    return {"linear code": linear, "circular code": circular}


def _lines(section: Section, X: np.ndarray, seed: int) -> None:
    """PCA, and other directions, which are as good."""
    pca = ae.PCA(1).fit(X)
    angles = np.random.default_rng(seed).uniform(0, np.pi, DIRECTIONS)
    W = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    others = [float(np.mean(np.sum((X - np.outer(X @ w, w)) ** 2, axis=1))) for w in W]
    worst = max(abs(loss - 0.5) for loss in (pca.loss_, *others))
    section.add("PCA, one component: mean squared error", pca.loss_, "½ exactly", key="pca_loss")
    section.at_most(
        f"distance to ½, PCA and {DIRECTIONS} random directions, worst",
        worst,
        1e-12,
        "every direction is optimal",
        key="pca_gap",
    )


def _turns(angle: np.ndarray) -> int:
    """How often the angle goes round as θ does, with its sign: the winding number."""
    steps = np.diff(np.append(angle, angle[:1]))
    return round(float(np.sum((steps + np.pi) % (2 * np.pi) - np.pi) / (2 * np.pi)))


def _say(section: Section, linear: ae.DeepPCA, circular: ae.DeepPCA, error: dict[str, np.ndarray]) -> None:
    share = float(np.mean(error["linear code"] > 0.5))
    section.numbers["linear_share_above_half"] = share
    section.say(
        f"The linear code reaches a mean squared error of {linear.loss_:.2g}, against ½ for any line, by spending its "
        f"failure on a short arc: {share:.1%} of the circle is missed by more than ½, one point by "
        f"{error['linear code'].max():.2f}."
    )
    section.say(
        f"The circular code reaches {circular.loss_:.2g} in {circular.n_iter_} iterations, and its worst point is off "
        f"by {error['circular code'].max():.2g}."
    )


def _draw(section, X, fine, theta, linear, circular, error, pair, seed) -> None:
    pca = ae.PCA(1).fit(X)
    titles = ("PCA: a line", "linear code", "circular code")
    panels = dict(zip(titles, (m.reconstruct(X) for m in (pca, linear, circular)), strict=True))
    section.show(
        "circle",
        figures.circle_panels(X, panels, {"linear code": (pair.points, pair.outputs)}),
        "Three panels with the circle in grey and its reconstruction in blue. PCA's is a line through the centre, "
        "that of the linear code follows the circle for the most part and leaves it where the code jumps, that of the "
        "circular code covers it.",
        "Reconstructions of the circle. Squares: the two opposite points with one code; arrows lead to the common "
        "point that the decoder makes of both.",
    )
    codes = {"linear code": linear.transform(fine)[:, 0]}
    both = (pair.angle, pair.angle + np.pi)
    section.show(
        "circle_codes",
        figures.codes_around(theta, codes, error, both),
        "Above, the code of the linear network against the angle, a continuous curve that ends where it began. Two "
        "angles half a turn apart, marked by squares, have the same code. Below, the errors of both networks "
        "against the angle.",
        "The code of every point, and its error. The marked angles differ by π and share a code.",
    )
