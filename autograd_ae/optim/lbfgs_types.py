"""What goes into a run of L-BFGS and what comes out: options, one step as a callback sees it, the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from autograd_ae.optim.checks import Array, check_integer, check_number

VALUE_NOISE = 2.0**-48  # relative rounding of a float64 value summed over many terms, 3.6e-15


@dataclass(frozen=True)
class LBFGSStep:
    """One accepted step, as the callback sees it.  `x` is a copy and may be kept.

    `value_before`, `slope_before` are φ(0), φ′(0); `value`, `slope` are φ(α), φ′(α) for α = `step_length`; `wolfe`
    says which conditions hold: "strong", "approximate" (below the noise of the value), or "decrease" (value only).
    """

    x: Array
    value: float
    gradient_norm: float
    iteration: int
    evaluations: int
    step_length: float
    value_before: float
    slope_before: float
    slope: float
    wolfe: str


@dataclass(frozen=True)
class LBFGSResult:
    """Where lbfgs stopped and why: `status` is the first word of the table in the module's docstring."""

    x: Array
    value: float
    gradient_norm: float
    iterations: int
    evaluations: int
    converged: bool
    status: str
    message: str


Callback = Callable[[LBFGSStep], object]


@dataclass(frozen=True)
class Settings:
    """The options of lbfgs, checked."""

    history: int
    max_iter: int
    tol_gradient: float
    tol_change: float
    c1: float
    c2: float
    value_noise: float
    callback: Callback | None

    def __post_init__(self) -> None:
        check_integer("history", self.history, 1)
        check_integer("max_iter", self.max_iter, 0)
        for name in ("tol_gradient", "tol_change", "value_noise"):
            check_number(name, getattr(self, name), "at least 0 and below 1", minimum=0, below=1)
        check_number("c1", self.c1, "above 0 and below 1/2", above=0, below=0.5)
        check_number("c2", self.c2, f"above c1 = {self.c1} and below 1", above=self.c1, below=1)
        if self.callback is not None and not callable(self.callback):
            raise TypeError(f"callback is of type {type(self.callback).__name__}; a callable or None is needed")
