"""Learning-rate schedules: callables from the step number (0, 1, 2, …) to the learning rate of that step.

    constant       η_t = η
    linear_warmup  η_t = η_t · min(1, (t + 1)/w)           the first step is η/w, not an idle step at rate 0
    cosine         η_t = η_end + ½ (η − η_end)(1 + cos(π (t − w)/(T − w)))   for w ≤ t < T, then η_end for good
    step_decay     η_t = η · f^⌊t/e⌋

Any callable of one integer will do in their place.  These are frozen dataclasses, so that they print, compare
and pickle.  Sources: Loshchilov & Hutter 2017 (SGDR), eq. 5, without restarts; Goyal et al. 2017, section 2.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from autograd_ae.optim.checks import check_integer, check_number

Schedule = Callable[[int], float]


def check_rate(name: str, value: object) -> float:
    return check_number(name, value, "finite and not negative", minimum=0, below=math.inf)


@dataclass(frozen=True)
class constant:
    """The same rate at every step.

    >>> constant(0.1)(1000)
    0.1
    """

    base: float

    def __post_init__(self) -> None:
        check_rate("base", self.base)

    def __call__(self, step: int) -> float:
        return float(self.base)


@dataclass(frozen=True)
class linear_warmup:
    """`after` (a rate or a schedule), multiplied by (step + 1)/warmup during the first `warmup` steps.

    >>> schedule = linear_warmup(1.0, warmup=4)
    >>> [schedule(step) for step in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    after: float | Schedule
    warmup: int

    def __post_init__(self) -> None:
        check_integer("warmup", self.warmup, 0)
        if not callable(self.after):
            check_rate("after", self.after)

    def __call__(self, step: int) -> float:
        rate = float(self.after(step) if callable(self.after) else self.after)
        return rate * ((step + 1) / self.warmup) if step < self.warmup else rate  # at the last exactly `rate`


@dataclass(frozen=True)
class cosine:
    """Linear warm-up to `base`, then half a cosine down to `final` at `total_steps`, and `final` from there on.

    >>> schedule = cosine(1.0, total_steps=4)
    >>> [round(schedule(step), 4) for step in range(6)]
    [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]
    """

    base: float
    total_steps: int
    warmup: int = 0
    final: float = 0.0

    def __post_init__(self) -> None:
        check_rate("base", self.base)
        check_rate("final", self.final)
        check_integer("total_steps", self.total_steps, 1)
        if check_integer("warmup", self.warmup, 0) > self.total_steps:
            raise ValueError(f"warmup is {self.warmup}; it must be at most total_steps, {self.total_steps}")

    def __call__(self, step: int) -> float:
        if step < self.warmup:
            return self.base * (step + 1) / self.warmup
        if step >= self.total_steps:
            return float(self.final)
        phase = (step - self.warmup) / (self.total_steps - self.warmup)
        return self.final + (self.base - self.final) * (1 + math.cos(math.pi * phase)) / 2


@dataclass(frozen=True)
class step_decay:
    """The rate is multiplied by `factor` once every `every` steps.

    >>> schedule = step_decay(1.0, every=10, factor=0.5)
    >>> schedule(9), schedule(10), schedule(35)
    (1.0, 0.5, 0.125)
    """

    base: float
    every: int
    factor: float

    def __post_init__(self) -> None:
        check_rate("base", self.base)
        check_integer("every", self.every, 1)
        check_number("factor", self.factor, "above 0 and at most 1", above=0, maximum=1)

    def __call__(self, step: int) -> float:
        return self.base * self.factor ** (step // self.every)
