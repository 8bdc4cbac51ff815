"""Derivatives of functions that can only be called: central differences, extrapolated, with an error estimate.

D(h) = (φ(x + h) − φ(x − h)) / 2h = φ′ + c₂h² + c₄h⁴ + …, so from D(h) and D(h/2) Richardson's (4D(h/2) − D(h))/3
removes the h² term, and so on along a triangle (Ridders 1982, "Accurate computation of F′(x) and F″(x)"). The error
of a place in the triangle is estimated by its distance from its two ancestors plus the rounding of the differences,
(ε|φ| + noise)/h; the place with the smallest estimate is taken. A step that leaves the domain of φ is halved until it
does not. A kink at x shows as one-sided slopes that stay apart however small h is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LEVELS = 14  # rows of the triangle
SHRINK = 2.0
OUTSIDE = 60  # halvings spent on getting into the domain


def ridders(phi: Callable[[float], float], h: float, eps: float, *, noise: float = 0.0) -> tuple[float, float, bool]:
    """φ′(0), its estimated error, and whether 0 is a kink.

    Where φ is defined on one side only: NaN, with an infinite error.

    Parameters
    ----------
    phi : a function of one number.
    h : the largest step.
    eps : relative rounding error of φ's values.
    noise : how much they scatter beyond that.

    >>> slope, error, kink = ridders(np.exp, 0.1, 2.2e-16)
    >>> bool(abs(slope - 1) <= error < 1e-11), kink
    (True, False)
    """
    best, best_error = np.nan, np.inf
    previous: list[float] = []
    centre = phi(0.0)
    gaps: list[tuple[float, float]] = []  # distance of the one-sided slopes, and the rounding in it
    outside = 0
    while len(gaps) < LEVELS and outside < OUTSIDE:
        up, down = phi(h), phi(-h)
        if not (np.isfinite(up) and np.isfinite(down)):
            outside += 1
            previous = []
            h /= SHRINK
            continue
        rounding = (4 * eps * max(abs(up), abs(down), abs(centre)) + 4 * noise) / h
        row = [(up - down) / (2 * h)]
        gaps.append((abs(up - 2 * centre + down) / h, 2 * rounding))
        factor = 1.0
        for j, above in enumerate(previous):
            factor *= SHRINK**2
            row.append((factor * row[j] - above) / (factor - 1))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - above)) + rounding
            if error < best_error:
                best, best_error = row[-1], error
        previous = row
        h /= SHRINK
    return float(best), float(best_error), _is_kink(gaps)


def _is_kink(gaps: list[tuple[float, float]]) -> bool:
    """At a kink φ(h) − 2φ(0) + φ(−h) falls as h; at a smooth point as h². Judged where it stands above the rounding."""
    clear = [gap for gap, noise in gaps if gap > 50 * noise]
    return bool(len(clear) >= 6 and clear[-1] > 0.4 * clear[-5] and clear[-1] > 0)
