"""Limited-memory BFGS (Nocedal & Wright 2006, algorithm 7.5) with a strong-Wolfe line search, over a flat vector.

    d = −H g                             H from the last `history` pairs: inverse_hessian
    x ← x + α d                          α from the strong, at last the approximate Wolfe conditions: line_search
    s = αd,  y = g⁺ − g  into H

It wants the value and gradient of one fixed function (the whole data set, no noise drawn inside) and then converges
superlinearly in practice, where a first-order method crawls.  The first step is 1 % of ‖x0‖ along −g (Hager & Zhang
2005, I0), and lengthens by up to ten per trial; from the second on α = 1 is tried first and mostly taken.

Units do not matter.  All tests are relative: multiplying the value by a power of two, or the variables by one, gives
the same iterates bit by bit; rotating the variables gives the same up to rounding.  It stops when

    gradient     ‖g‖ ≤ tol_gradient · ‖g at x0‖                                                       converged
    change       the value fell by at most tol_change · |value| in ten iterations                     converged
    floor        the line search fails where all there is to gain, ½ gᵀHg, is below the noise of the value, now
                 or at x0; or 100 iterations within that noise did not halve ‖g‖                    converged
    callback, interrupted, max_iter     asked to, or Ctrl-C, or out of iterations                     not converged
    line_search  it finds no lower point: value and gradient disagree, or there is a kink             not converged

When a line search fails, the pairs are forgotten and it is tried once more along −g; if that fails too, or another
one within ten iterations, the run stops.  The value may rise, but only by its noise, in steps marked "approximate".

Cost per iteration beside the evaluations: 4·history·n multiplications; memory (2·history + 8) n float64 numbers.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_ae.optim.checks import Array
from autograd_ae.optim.clipping import scaled_norm
from autograd_ae.optim.inverse_hessian import InverseHessian
from autograd_ae.optim.lbfgs_types import VALUE_NOISE, Callback, LBFGSResult, LBFGSStep, Settings
from autograd_ae.optim.line_search import WolfeSearch

WINDOW = 10  # iterations over which the change of the value is judged
PATIENCE = 100  # iterations without visible progress that are allowed for the gradient to fall

ValueAndGrad = Callable[[Array], tuple[Any, Array]]


def lbfgs(
    value_and_grad: ValueAndGrad,
    x0: Array,
    *,
    history: int = 10,
    max_iter: int = 1000,
    tol_gradient: float = 1e-8,
    tol_change: float = 1e-12,
    c1: float = 1e-4,
    c2: float = 0.9,
    value_noise: float = VALUE_NOISE,
    callback: Callback | None = None,
) -> LBFGSResult:
    """Minimise a smooth function of a flat vector, from x0 of shape (n,), float64, which is not changed.

    `value_and_grad(x)` returns a number and a gradient of shape (n,), and may return the same buffer each time; its x
    is read-only and changes afterwards.  Where the value or gradient is not finite the step is shortened.
    `callback(step)` is called with an LBFGSStep after each iteration; if it returns something true, the run stops.
    Ctrl-C after the first evaluation ends the run with status "interrupted" and the last accepted point, so that no
    work is lost; a caller that wants the KeyboardInterrupt looks at the status.
    `value_noise` is the relative rounding error of the value: 1e-7 or so for one computed in float32.

    Raises FloatingPointError if value or gradient is not finite at x0, TypeError or ValueError for bad arguments.

    >>> result = lbfgs(lambda x: ((x - 3) @ (x - 3), 2 * (x - 3)), np.zeros(2))
    >>> result.x.round(6), result.converged, result.status
    (array([3., 3.]), True, 'gradient')
    """
    settings = Settings(
        history=history,
        max_iter=max_iter,
        tol_gradient=tol_gradient,
        tol_change=tol_change,
        c1=c1,
        c2=c2,
        value_noise=value_noise,
        callback=callback,
    )
    run = Run(value_and_grad, x0, settings)
    run.minimise()
    return run.result()


class Point:
    """x, the value and gradient there, and the gradient's norm."""

    __slots__ = ("gradient", "norm", "value", "x")

    def __init__(self, size: int) -> None:
        self.x, self.gradient = np.zeros(size), np.zeros(size)
        self.value = self.norm = math.inf


class Run:
    """A minimisation in progress.  `point` is the last accepted point, always whole, whatever interrupts the run."""

    def __init__(self, value_and_grad: ValueAndGrad, x0: Array, settings: Settings) -> None:
        start = _check_start(x0)
        self.value_and_grad, self.settings = value_and_grad, settings
        self.point, self.trial = Point(start.size), Point(start.size)
        self._s, self._y = np.empty(start.size), np.empty(start.size)
        self.iterations = self.evaluations = 0
        self.restarted = -WINDOW  # iteration of the last restart
        self.status = self.wolfe = ""
        np.copyto(self.point.x, start)
        self._evaluate(self.point)
        self._check_first()
        self.first_norm, self.first_value = self.point.norm, abs(self.point.value)
        self.memory = InverseHessian(start.size, settings.history, _first_scale(self.point))
        self.past = deque([(self.point.value, self.point.norm)], maxlen=PATIENCE + 1)

    def minimise(self) -> None:
        try:
            self.status = self._stop_reason()
            while not self.status:
                self.status = self._iterate()
        except KeyboardInterrupt:
            self.status = "interrupted"

    def _iterate(self) -> str:
        """One step; the reason to stop, or an empty string."""
        point, trial, options = self.point, self.trial, self.settings
        with quiet():
            d = self.memory.direction(point.gradient)
            slope = float(np.dot(point.gradient, d))
        search = WolfeSearch(self._along(d), point.value, slope, options.c1, options.c2, options.value_noise)
        found = search.run() if -math.inf < slope < 0 else None
        if found is None:
            return self._after_failure(slope)
        with quiet():
            np.subtract(trial.x, point.x, out=self._s)
            np.subtract(trial.gradient, point.gradient, out=self._y)
            self.memory.update(self._s, self._y)
        self.point, self.trial = trial, point
        self.iterations += 1
        self.past.append((trial.value, trial.norm))
        self.wolfe = search.kind(found)
        if options.callback is not None:
            step = LBFGSStep(
                x=trial.x.copy(),
                value=trial.value,
                gradient_norm=trial.norm,
                iteration=self.iterations,
                evaluations=self.evaluations,
                step_length=found.step,
                value_before=search.value,
                slope_before=slope,
                slope=found.slope,
                wolfe=self.wolfe,
            )
            if options.callback(step):
                return self._stop_reason() or "callback"
        return self._stop_reason()

    def _after_failure(self, slope: float) -> str:
        if len(self.memory) and self.iterations - self.restarted >= WINDOW:
            self.memory.clear()
            self.restarted = self.iterations
            return ""
        promised = -slope / 2  # the decrease to the minimum of the quadratic model, −½ gᵀd
        visible = self.settings.value_noise * max(abs(self.point.value), self.first_value)  # cancelling terms count
        return "floor" if promised <= visible else "line_search"

    def _stop_reason(self) -> str:
        point, options = self.point, self.settings
        if point.norm <= options.tol_gradient * self.first_norm:
            return "gradient"
        if self.iterations >= WINDOW and 0 < options.tol_change >= self._decrease(WINDOW):
            return "line_search" if self.wolfe == "decrease" else "change"
        if self.iterations >= PATIENCE and self._decrease(PATIENCE) <= options.value_noise:
            old, *recent = (norm for _, norm in self.past)
            if min(recent) > old / 2:
                return "floor"
        return "max_iter" if self.iterations >= options.max_iter else ""

    def _decrease(self, count: int) -> float:
        """By what share of itself the value fell in the last `count` iterations."""
        decrease = self.past[-1 - count][0] - self.point.value
        return decrease / abs(self.point.value) if self.point.value else math.copysign(math.inf, decrease)

    def _along(self, d: Array) -> Callable[[float], tuple[float, float]]:
        start, trial = self.point.x, self.trial

        def phi(step: float) -> tuple[float, float]:
            with quiet():
                np.add(start, np.multiply(d, step, out=trial.x), out=trial.x)
            self._evaluate(trial)
            with quiet():
                return trial.value, float(np.dot(trial.gradient, d))

        return phi

    def _evaluate(self, point: Point) -> None:
        x = point.x.view()
        x.flags.writeable = False
        value, gradient = self.value_and_grad(x)
        self.evaluations += 1
        point.value = _check_value(value)
        np.copyto(point.gradient, _check_gradient(gradient, point.x.size))
        scale, root = scaled_norm([point.gradient])
        point.norm = scale * root

    def _check_first(self) -> None:
        if not math.isfinite(self.point.value):
            raise FloatingPointError(f"the value at x0 is {self.point.value}; start where the function is finite")
        if not math.isfinite(self.point.norm):
            bad = int(np.count_nonzero(~np.isfinite(self.point.gradient)))
            raise FloatingPointError(f"the gradient at x0 has norm {self.point.norm} and {bad} non-finite entries")

    def result(self) -> LBFGSResult:
        point = self.point
        return LBFGSResult(
            x=point.x,
            value=point.value,
            gradient_norm=point.norm,
            iterations=self.iterations,
            evaluations=self.evaluations,
            converged=self.status in ("gradient", "change", "floor"),
            status=self.status,
            message=self._message(),
        )

    def _message(self) -> str:
        reduction = f"gradient norm {self.point.norm:.3g}, {self.first_norm:.3g} at the start"
        return {
            "gradient": f"converged: {reduction}",
            "change": f"converged: the value fell by at most {self.settings.tol_change:g} of itself in {WINDOW} "
            f"iterations ({reduction})",
            "floor": f"converged to the rounding of the value: no measurable decrease is left ({reduction})",
            "callback": f"stopped by the callback after {self.iterations} iterations ({reduction})",
            "interrupted": f"interrupted after {self.iterations} iterations, x is the last point reached ({reduction})",
            "max_iter": f"not converged in {self.settings.max_iter} iterations ({reduction})",
            "line_search": f"not converged: the line search finds no lower point ({reduction}); do value and gradient "
            "belong together, is the function smooth here, is value_noise large enough?",
        }[self.status]


def quiet() -> np.errstate:
    """Overflow along a far too long step is expected and seen in value or slope; the caller's function may warn."""
    return np.errstate(over="ignore", invalid="ignore")


def _first_scale(start: Point) -> float:
    """γ of the first direction −γ g: a step of 1 % of ‖x0‖, or for x0 = 0 one that changes the value by 1 %."""
    if start.norm == 0:
        return 1.0
    scale, root = scaled_norm([start.x])
    if root > 0:
        return 0.01 * scale * root / start.norm
    return 0.01 * abs(start.value) / start.norm / start.norm if start.value else 1 / start.norm


def _check_start(x0: object) -> Array:
    if not isinstance(x0, np.ndarray):
        raise TypeError(f"x0 is of type {type(x0).__name__}; a NumPy array of shape (n,) is needed")
    if x0.dtype != np.float64 or x0.ndim != 1 or x0.size == 0:
        raise ValueError(f"x0 has shape {x0.shape} and dtype {x0.dtype}; a flat, non-empty float64 vector is needed")
    if not np.isfinite(x0).all():
        raise FloatingPointError("x0 contains NaN or infinity; start from finite numbers")
    return x0


def _check_value(value: Any) -> float:
    number = np.asarray(value)
    if number.size != 1 or number.dtype.kind not in "fiu":
        raise TypeError(f"value_and_grad returned the value {value!r}; one real number is needed")
    return float(number.reshape(()))


def _check_gradient(gradient: object, size: int) -> Array:
    if not isinstance(gradient, np.ndarray) or not np.issubdtype(gradient.dtype, np.floating):
        raise TypeError(f"value_and_grad's gradient is of type {type(gradient).__name__}; a float array is needed")
    if gradient.shape != (size,):
        raise ValueError(f"value_and_grad returned a gradient of shape {gradient.shape}; x has shape ({size},)")
    return gradient
