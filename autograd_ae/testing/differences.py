"""Derivatives of functions that can only be called: central differences, extrapolated, with an error estimate.

D(h) = (φ(x + h) − φ(x − h)) / 2h = φ′ + c₂h² + c₄h⁴ + …, so from D(h) and D(h/2) Richardson's (4D(h/2) − D(h))/3 removes the h² term, and
so on along a triangle (Ridders 1982, "Accurate computation of F′(x) and F″(x)"). The error of a place in the triangle is estimated by
its distance from its two ancestors plus the rounding of the differences, ε|φ|/h; the place with the smallest estimate is taken.
A kink at x shows as one-sided slopes that stay apart however small h is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LEVELS = 14
SHRINK = 2.0


def ridders(phi: Callable[[float], float], h: float, eps: float) -> tuple[float, float, bool]:
    """φ′(0), its estimated error, and whether 0 is a kink.

    Parameters
    ----------
    phi : a function of one number.   h : the largest step.   eps : relative rounding error of φ's values.
    """
    best, best_error = np.nan, np.inf
    previous: list[float] = []
    centre = phi(0.0)
    gaps: list[tuple[float, float]] = []  # distance of the one-sided slopes, and the rounding in it
    for _ in range(LEVELS):
        up, down = phi(h), phi(-h)
        rounding = 4 * eps * max(abs(up), abs(down), abs(centre)) / h
        if np.isfinite(up) and np.isfinite(down):
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
    return best, best_error, _is_kink(gaps)


def _is_kink(gaps: list[tuple[float, float]]) -> bool:
    """At a kink φ(h) − 2φ(0) + φ(−h) falls as h; at a smooth point as h². Judged where it stands above the rounding."""
    clear = [gap for gap, noise in gaps if gap > 50 * noise]
    return len(clear) >= 6 and clear[-1] > 0.4 * clear[-5] and clear[-1] > 0
