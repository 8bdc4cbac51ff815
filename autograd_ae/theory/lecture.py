"""The lecture's two examples whose answer is known by hand: points on a line, points on a circle (rows 18, 19).

Rank one. x = αd, d = (2, 1). Samples in rows, x̂ = (x·w) ŵ, so x̂ = α(w·d)ŵ, and the loss is 0 exactly if

    ŵ = d/(w·d):   ŵ ∝ d  and  w·ŵ = 1.

P = w ŵᵀ is then a projector onto the line (P² = P), whatever w is: an oblique one unless w ∝ d, as in the lecture's
w = (1, −1), ŵ = (2, 1). It agrees with PCA's orthogonal projector ddᵀ/‖d‖² on the line and nowhere else; off it, noise
is multiplied by up to ‖P‖₂ = ‖w‖‖ŵ‖ = 1/cos∠(w, d) ≥ 1. Gradient descent may end at any of them.

Circle. x = (sin θ, cos θ), uniform: S = ½I, so every direction is a first principal component, and the line it spans
leaves exactly ½ (n ≥ 3 equally spaced points have the same S). A nonlinear code of one number can do better in the
mean, as near to 0 as one likes, and never better than 1 at its worst point:

    a continuous f: S¹ → ℝ has a point with f(p) = f(−p): h(θ) = f(p_θ) − f(−p_θ) changes sign between θ = 0 and π;
    any decoder g gives both the same output, and ‖p − g‖ + ‖−p − g‖ ≥ ‖2p‖ = 2, so one of them errs by at least 1.

A circular code (p, q)/√(p² + q²) is not a map into ℝ, and has no such pair.

Sources: the lecture; Borsuk 1933 in dimension one, which is the intermediate value theorem; Scholz 2007 (circular PCA);
Kvalheim & Sontag 2024, "Why should autoencoders work?".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._inputs import Array, as_float, as_number, as_vector


@dataclass(frozen=True, eq=False)
class AntipodalPair:
    """Two opposite points of the circle that a continuous encoder cannot tell apart.

    angle       θ of the first, in [0, π]; the second is θ + π
    points      (2, 2), p and −p in rows, p = (sin θ, cos θ)
    codes       (2,), f(p) and f(−p); `code_gap` is the size of their difference
    outputs     (2, 2), the decoder's, or None without one; `errors` (2,) are ‖p − g(f(p))‖ and ‖−p − g(f(−p))‖
    bound       a lower bound for the largest error on the circle: 1 by the theorem; with a decoder, what these two
                points alone prove, max(errors) ≥ 1 − ‖difference of the outputs‖/2
    """

    angle: float
    points: Array
    codes: Array
    code_gap: float
    outputs: Array | None
    errors: Array | None
    bound: float


def rank_one_decoder(w: ArrayLike, direction: ArrayLike = (2.0, 1.0)) -> Array:
    """Row 18. The only ŵ (N,) with loss 0 on x = αd for this encoder w (N,): ŵ = d/(w·d).

    ValueError if w·d = 0: such an encoder maps the whole line to 0.

    >>> rank_one_decoder([1.0, -1.0])
    array([2., 1.])
    """
    d = _direction(direction, "direction")
    w = as_vector(w, "w", d.size)
    alignment = w @ d
    if abs(alignment) <= d.size * np.finfo(float).eps * np.linalg.norm(w) * np.linalg.norm(d):
        raise ValueError("w: it is orthogonal to the direction of the data; every code is 0 and nothing can be decoded")
    return d / alignment


def rank_one_projector(w: ArrayLike, direction: ArrayLike = (2.0, 1.0)) -> Array:
    """Row 18. P = w ŵᵀ (N, N) for samples in rows, x̂ = xP; the lecture's ŵwᵀ for columns is its transpose.

    w = d, up to scale, gives PCA's own, the orthogonal one; all others are oblique.

    >>> rank_one_projector([1.0, -1.0])                           # the lecture's w
    array([[ 2.,  1.],
           [-2., -1.]])
    >>> rank_one_projector([2.0, 1.0])                            # PCA
    array([[0.8, 0.4],
           [0.4, 0.2]])
    """
    return np.outer(as_vector(w, "w"), rank_one_decoder(w, direction))


def rank_one_amplification(w: ArrayLike, direction: ArrayLike = (2.0, 1.0)) -> float:
    """Row 18. ‖P‖₂ = ‖w‖‖d‖/|w·d| ≥ 1: how much the reconstruction magnifies noise that leaves the line; 1 for PCA.

    >>> round(rank_one_amplification([1.0, -1.0]) ** 2, 12)
    10.0
    """
    return float(np.linalg.norm(as_vector(w, "w")) * np.linalg.norm(rank_one_decoder(w, direction)))


def circle_line_loss(direction: ArrayLike) -> float:
    """Row 19. E‖x − (x·w)w‖² on the uniform circle, for the line along `direction` (2,), any length: always ½.

    tr S − wᵀSw/wᵀw with S = ½I; the same for n ≥ 3 equally spaced points, whose second moments are the circle's.

    >>> circle_line_loss([1.0, 0.0]), circle_line_loss([3.0, -4.0])
    (0.5, 0.5)
    """
    w = _direction(direction, "direction", 2)
    S = np.eye(2) / 2
    return float(np.trace(S) - w @ S @ w / (w @ w))


def circle_points(theta: ArrayLike) -> Array:
    """(sin θ, cos θ) in rows, the lecture's order: (n, 2) for θ (n,) in radians.

    >>> circle_points([0.0])
    array([[0., 1.]])
    """
    theta = as_float(theta, "theta", (1,))
    return np.column_stack([np.sin(theta), np.cos(theta)])


def cut_circle_code(theta: ArrayLike, *, cut: float) -> Array:
    """Row 19. A continuous code of the circle whose mean squared error, cut/π, is as small as one likes: (n,).

    f(θ) = θ on [0, 2π − δ], then back to 0 linearly over the arc of length δ = `cut` in (0, 2π); decoded by z ↦ (sin z,
    cos z). Only the arc is wrong: there, at θ = 2π − δs, z − θ = 2πs − 2π runs once round the circle, so that
    ‖x − x̂‖² = 2 − 2cos 2πs has mean 2 and the whole mean is 2δ/2π. Its worst error is 2 however short the arc.

    Source: elementary; Kvalheim & Sontag 2024 for the general statement.

    >>> cut_circle_code([0.0, 3.0, 2 * np.pi - 0.05], cut=0.1).round(4)
    array([0.    , 3.    , 3.0916])
    """
    theta = np.mod(as_float(theta, "theta", (1,)), 2 * np.pi)
    cut = as_number(cut, "cut", above=0, high=float(np.nextafter(2 * np.pi, 0)))
    return np.minimum(theta, (2 * np.pi - theta) * (2 * np.pi - cut) / cut)


def borsuk_ulam(
    encoder: Callable[[Array], ArrayLike], decoder: Callable[[NDArray], ArrayLike] | None = None
) -> AntipodalPair:
    """Row 19, shown: finds the pair p, −p with one code, by bisection, for any continuous encoder of the circle.

    encoder   points (n, 2) → codes (n,) or (n, 1), one finite number each; called some 60 times
    decoder   codes of the encoder's own shape → points (n, 2); then outputs and errors are measured at the pair

    The codes agree to the last bits of their dtype. A jump at the crossing (arctan2, a circular code read as an angle)
    raises ValueError: the theorem asks for continuity, and that is how such codes escape it.

    >>> pair = borsuk_ulam(lambda x: x @ [3.0, -4.0], lambda z: np.outer(z, [0.12, -0.16]))    # PCA's kind of code
    >>> bool(max(pair.errors) >= pair.bound), round(pair.bound, 9), pair.points[0].round(3)
    (True, 1.0, array([0.8, 0.6]))
    """
    around = _codes(encoder, circle_points(np.linspace(0, 2 * np.pi, 257)))
    spread = float(np.ptp(around.astype(float)))

    def difference(theta: float) -> float:
        f, f_opposite = _codes(encoder, _pair(theta)).astype(float)
        return float(f - f_opposite)

    low, high, start = 0.0, np.pi, difference(0.0)
    best, gap = 0.0, abs(start)
    while gap > 0 and low < (middle := (low + high) / 2) < high:
        h = difference(middle)
        best, gap = (middle, abs(h)) if abs(h) <= gap else (best, gap)
        low, high = (middle, high) if (h > 0) == (start > 0) else (low, middle)

    eps = np.finfo(around.dtype).eps
    if gap > np.sqrt(eps) * spread:
        raise ValueError(
            f"encoder: its code jumps by {gap:.3g} near θ = {low:.6g}; Borsuk-Ulam needs a continuous encoder, and a "
            "code that is cut somewhere, as an angle is, is not one"
        )
    return _measured(best, gap, encoder, decoder)


def _measured(theta: float, gap: float, encoder: Callable, decoder: Callable | None) -> AntipodalPair:
    points = _pair(theta)
    raw = np.asarray(encoder(points))
    codes = _codes(encoder, points).astype(float)
    if decoder is None:
        return AntipodalPair(theta, points, codes, gap, None, None, 1.0)
    outputs = as_float(decoder(raw), "decoder's output", (2,))
    if outputs.shape != (2, 2):
        raise ValueError(
            f"decoder: for two codes it must return points of shape (2, 2), but it returned {outputs.shape}"
        )
    errors = np.linalg.norm(points - outputs, axis=1)
    bound = max(0.0, 1 - float(np.linalg.norm(outputs[0] - outputs[1])) / 2)
    return AntipodalPair(theta, points, codes, gap, outputs, errors, bound)


def _pair(theta: float) -> Array:
    p = np.array([np.sin(theta), np.cos(theta)])
    return np.stack([p, -p])


def _codes(encoder: Callable, points: Array) -> NDArray:
    """One finite number per point, as the encoder's own float dtype."""
    codes = np.asarray(encoder(points))
    if codes.shape not in ((len(points),), (len(points), 1)):
        raise ValueError(
            f"encoder: for points of shape {points.shape} it must return one number each, ({len(points)},) or "
            f"({len(points)}, 1), but it returned {codes.shape}"
        )
    as_float(codes, "encoder's code", (1, 2))
    return codes.ravel().astype(codes.dtype if codes.dtype.kind == "f" else float)


def _direction(value: ArrayLike, name: str, size: int | None = None) -> Array:
    direction = as_vector(value, name, size)
    if not np.any(direction):
        raise ValueError(f"{name}: the zero vector has no direction")
    return direction
