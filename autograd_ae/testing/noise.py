"""How much rounding may disturb a gradient, and a function: measured, never assumed.

*Of a function's values* (`function_noise`): the k-th difference of a smooth function at spacing h is of size hᵏ, that
of noise of size σ is σ √((2k)!/(k!)²) whatever h. So where the estimates of σ from the 4th, 5th and 6th differences
agree, it is noise (Hamming 1971; Moré & Wild 2011, "Estimating computational noise", which also gives the tables).
*Of a gradient* (`gradient_noise`): all inputs are moved by an ulp or two, and claim and oracle are asked again. Below
that, there is a floor: what moving x by all of itself would change less than f's own rounding does cannot be asked of
a gradient (a sigmoid at 40 is 1 to the last bit, and its gradient computed from 1 is 0). So is what underflows in the
dtype at hand. Where the oracle jumps between two sides of the point and stays put beyond, the point is a *kink*.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from autograd_ae.testing.projections import View

Array = np.ndarray
SPACINGS = (1e-13, 1e-10, 1e-7, 1e-5)  # relative to the size of the entries
COUNT = 11  # values per spacing
SIDES = (64.0, -64.0)  # steps to either side at which the oracle is asked
BEYOND = 1024.0
UNDERFLOW = 16  # in the smallest normal number
FLOOR = 64  # in ε|f|: y(1 − y) at |x| ≤ 36, where 1 − y still has a bit, errs by ½ε = 18 ε/|x|; times a margin


def function_noise(value: Callable[[list[Array]], float], xs: list[Array], rng: np.random.Generator) -> float:
    """σ of the scatter of a function's values around a smooth one, along a random line through xs; 0 if none is seen.

    >>> f = lambda xs: float(np.float32(np.sin(xs[0][0])))
    >>> 1e-9 < function_noise(f, [np.array([1.0])], np.random.default_rng(0)) < 1e-7
    True
    """
    lines = [rng.uniform(0.5, 1.0, size=a.shape) * rng.choice([-1.0, 1.0], size=a.shape) * lengths(a) for a in xs]
    found = 0.0
    for spacing in SPACINGS:
        steps = spacing * (np.arange(COUNT) - COUNT // 2)
        values = np.array([value([(a + t * d).astype(a.dtype) for a, d in zip(xs, lines, strict=True)]) for t in steps])
        if np.isfinite(values).all():
            found = max(found, _scatter(values))
    return found


def _scatter(values: Array) -> float:
    estimates = []
    for k in range(1, 7):
        values = np.diff(values)
        estimates.append(float(np.sqrt(factorial(k) ** 2 / factorial(2 * k) * np.mean(values**2))))
    high = estimates[3:]
    return max(high) if min(high) > 0 and max(high) <= 4 * min(high) else 0.0


def gradient_noise(
    claim: Callable[[list[Array]], list[Array]], view: View, given: list[Array], expected: list[Array], *, eps: float,
    value: float, rng: np.random.Generator,
) -> tuple[list[Array], list[Array]]:  # fmt: skip
    """Per entry that is compared: what rounding may change in it, and whether the point is a kink for it.

    Parameters
    ----------
    claim : the claimed gradients at a point.
    view : the oracle and what is compared (entries, or projections).
    given, expected : the two sides at the point.
    eps : of the coarsest dtype in play.
    value : Σ|uᵢ yᵢ|, the size of what is differentiated.
    """
    signs = _unequal([a.shape for a in view.xs], rng)

    def moved(xs: list[Array], ulps: float) -> list[Array]:
        steps = [ulps * 4 * eps * s * lengths(a) for a, s in zip(view.xs, signs, strict=True)]
        return [(a + d).astype(a.dtype) for a, d in zip(xs, steps, strict=True)]

    tiny = float(np.finfo(np.float32 if eps > 1e-10 else np.float64).tiny)
    noise = [
        np.full(t.shape, 64 * eps * (_largest(t) + (_largest(g) if view.projected else 0.0)))
        + view.sizes(k, FLOOR * eps * value / lengths(view.xs[k]) + UNDERFLOW * tiny)
        for k, (t, g) in enumerate(zip(expected, given, strict=True))
    ]
    with np.errstate(all="ignore"):
        for ulps in (1.0, -1.0):
            claimed = view.along(claim(moved(view.xs, ulps)))
            noise = [n + 8 * np.nan_to_num(np.abs(c - g)) for n, c, g in zip(noise, claimed, given, strict=True)]
        if not view.oracle.exact:
            return noise, [np.zeros(t.shape, bool) for t in expected]
        right, left = (view.ask(moved(view.wide, ulps))[0] for ulps in SIDES)
        return _sides(noise, expected, right, left, lambda: view.ask(moved(view.wide, BEYOND))[0])


def _largest(a: Array) -> float:
    """Of the entries that are finite: one that is not must not hide the others."""
    return float(np.abs(a[np.isfinite(a)]).max(initial=0.0))


def _unequal(shapes: list[tuple[int, ...]], rng: np.random.Generator) -> list[Array]:
    """Random signs times sizes in [½, 1], no two alike, since ties must part."""
    total = sum(int(np.prod(shape)) for shape in shapes)
    sizes = 0.5 + 0.5 * rng.permutation(total) / max(total, 1)
    moves = rng.choice([-1.0, 1.0], size=total) * sizes
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(moves, ends), shapes, strict=True)]


def _sides(
    noise: list[Array], expected: list[Array], right: list[Array], left: list[Array], beyond: Callable[[], list[Array]]
) -> tuple[list[Array], list[Array]]:
    """Add what the oracle itself changes nearby, and tell its jumps."""
    jumps, far = [], None
    for k, t in enumerate(expected):
        gap = np.abs(right[k] - left[k])
        scale = max(_largest(t), _largest(right[k]), _largest(left[k]))
        jump = gap > 1e-3 * scale
        if jump.any():
            far = beyond() if far is None else far
            jump &= np.abs(far[k] - right[k]) <= 0.1 * gap
        jumps.append(jump)
        near = np.maximum(np.abs(right[k] - t), np.abs(left[k] - t)) / 2
        noise[k] = noise[k] + np.where(jump, 0.0, np.nan_to_num(near))
    return noise, jumps


def lengths(a: Array) -> Array:
    """The size of each entry, and a thousandth of the largest for entries that are next to nothing."""
    size = float(np.abs(a).max(initial=0.0)) or 1.0
    return np.maximum(np.abs(a).astype(np.float64), 1e-3 * size)
