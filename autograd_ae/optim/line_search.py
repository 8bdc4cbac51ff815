"""Line search for the strong Wolfe conditions, down to and below the rounding of the value.

Along a descent direction d write φ(α) = f(x + αd), φ′(α) = ∇f(x + αd)ᵀd, φ′(0) < 0.  Wanted is a step α with

    φ(α) ≤ φ(0) + c₁ α φ′(0)       sufficient decrease
    |φ′(α)| ≤ c₂ |φ′(0)|           curvature                           (strong Wolfe, Nocedal & Wright 2006, 3.7)

Algorithm 3.5 lengthens the step until an interval is known to hold such an α; algorithm 3.6 shrinks the interval.
Both take the minimiser of the cubic through two values and two slopes (3.59), kept away from the ends of the interval;
an interval that shrinks too slowly is bisected (Moré & Thuente 1994, section 4).

The end game.  Near a minimum φ(α) − φ(0) is of second order in the distance and drowns in the rounding of φ when the
slopes still have half their digits.  A change of the value is therefore replaced by what the slopes say,

    φ(β) − φ(α) ≈ ½ (β − α) (φ′(α) + φ′(β))       (trapezoidal rule, exact if φ is quadratic)

where both are at most the noise ε of the value.  Sufficient decrease then reads φ′(α) ≤ (2c₁ − 1) φ′(0): the
approximate Wolfe condition of Hager & Zhang 2005 (eqs. 4.1 and 4.2, with our ε for their 1e-6 |f|).  So the slopes
decide only where c₁ α |φ′(0)| ≤ ε, which no value could.  A step that is accepted so is marked "approximate".
The interpolation uses the same change, and so becomes the secant rule for the slope.

A trial point whose value or gradient is not finite counts as infinitely high.
Cost: usually one evaluation per search once the direction is well scaled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_GROWTH = 10.0  # a longer step is at most this many times the last
SHORTEST_GROWTH = 2.0
MARGIN = 0.05  # a trial keeps this share of the interval from either end
SLOW = 2 / 3  # two trials that shrink the interval to more than this are followed by a bisection
BACKTRACK = 0.2  # share of the interval that is tried when its far end is not finite

Phi = Callable[[float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Trial:
    """A step length α with φ(α) and φ′(α); (inf, NaN) where either is not finite."""

    step: float
    value: float
    slope: float


@dataclass(frozen=True, slots=True)
class WolfeSearch:
    """One search: `phi(α)` returns (φ(α), φ′(α)); `value`, `slope` are φ(0), φ′(0); `noise` is relative, ε/|φ|."""

    phi: Phi
    value: float
    slope: float
    c1: float
    c2: float
    noise: float
    max_trials: int = 30

    def run(self, first: float = 1.0) -> Trial | None:
        """The accepted trial, which is the last point that `phi` was called with, or None if there is no decrease.

        When `max_trials` are used up, the lowest point with sufficient decrease is taken although the curvature
        condition fails there, provided that its value is lower indeed.
        """
        low, high = self._start, None
        step, widths = first, (math.inf, math.inf)
        for _ in range(self.max_trials):
            trial = self._evaluate(step)
            rises = not self._decreases(trial) or self.change(low, trial) >= 0
            if not rises and self._flat(trial):
                return trial
            if high is None and not rises and trial.slope < 0:  # algorithm 3.5: still downhill
                step, low = self._beyond(low, trial), trial
                continue
            if rises:  # algorithm 3.6, or its first interval
                high = trial
            else:
                low, high = trial, low if high is None or trial.slope * (high.step - low.step) >= 0 else high
            width = abs(high.step - low.step)
            if width <= math.ulp(max(high.step, low.step)):
                break
            step = (low.step + high.step) / 2 if width > SLOW * widths[0] else self._between(low, high)
            widths = (widths[1], width)
        return self._evaluate(low.step) if low.value < self.value else None

    def kind(self, trial: Trial) -> str:
        """Which conditions the accepted trial meets: "strong", "approximate" or "decrease"."""
        if not self._flat(trial):
            return "decrease"
        return "strong" if trial.value <= self.value + self.c1 * trial.step * self.slope else "approximate"

    def change(self, a: Trial, b: Trial) -> float:
        """φ(b) − φ(a): from the slopes where it is below the rounding of the values."""
        difference = b.value - a.value
        from_slopes = (b.step - a.step) * (a.slope + b.slope) / 2
        noise = self.noise * max(abs(a.value), abs(b.value))
        return from_slopes if max(abs(difference), abs(from_slopes)) <= noise < math.inf else difference

    @property
    def _start(self) -> Trial:
        return Trial(0.0, self.value, self.slope)

    def _evaluate(self, step: float) -> Trial:
        value, slope = self.phi(step)
        finite = math.isfinite(value) and math.isfinite(slope)
        return Trial(step, value, slope) if finite else Trial(step, math.inf, math.nan)

    def _decreases(self, trial: Trial) -> bool:
        return self.change(self._start, trial) <= self.c1 * trial.step * self.slope

    def _flat(self, trial: Trial) -> bool:
        return abs(trial.slope) <= -self.c2 * self.slope

    def _between(self, low: Trial, high: Trial) -> float:
        width = high.step - low.step  # negative if the interval lies to the left of its lower end
        if not math.isfinite(high.value):
            return low.step + BACKTRACK * width
        share = (cubic_minimiser(low, high, self.change(low, high)) - low.step) / width
        return low.step + width * (min(max(share, MARGIN), 1 - MARGIN) if math.isfinite(share) else 0.5)

    def _beyond(self, previous: Trial, low: Trial) -> float:
        growth = cubic_minimiser(previous, low, self.change(previous, low)) / low.step
        return low.step * (min(max(growth, SHORTEST_GROWTH), LONGEST_GROWTH) if growth > 1 else LONGEST_GROWTH)


def cubic_minimiser(a: Trial, b: Trial, change: float) -> float:
    """Where the cubic through both slopes, with φ(b) − φ(a) = change, has its minimum (3.59); NaN if nowhere."""
    d1 = a.slope + b.slope - 3 * change / (b.step - a.step)
    size = max(abs(d1), abs(a.slope), abs(b.slope))
    if not 0 < size < math.inf:
        return math.nan
    radicand = (d1 / size) ** 2 - (a.slope / size) * (b.slope / size)
    if radicand < 0:
        return math.nan
    d2 = math.copysign(size * math.sqrt(radicand), b.step - a.step)
    denominator = b.slope - a.slope + 2 * d2
    return b.step - (b.step - a.step) * ((b.slope + d2 - d1) / denominator) if denominator else math.nan
