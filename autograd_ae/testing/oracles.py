"""Where the true derivative comes from: three oracles, the most exact that a function allows.

1. *Complex step through the references.* The function runs on tensors, so its program is known and is run in complex
   arithmetic: all digits.
2. *Complex step through NumPy.* The function itself takes complex arrays: all digits, provided that it is analytic
   (no abs, no conj, no comparison of complex numbers); so a random direction per argument is compared with
   differences first.
3. *Extrapolated differences*, with an error estimate, for whatever can only be called.

float32 inputs are widened where f lets them: the derivative is that of the same function at the same point, and
differences of float32 values would leave two or three digits of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.core.transforms import STEP
from autograd_ae.testing.arguments import value_of
from autograd_ae.testing.differences import ridders
from autograd_ae.testing.noise import function_noise

Array = np.ndarray
Function = Callable[..., Any]
Derivative = Callable[[list[Array], int, Array], tuple[float, float, bool]]

TRACED = "complex step through the references"
COMPLEX = "complex step through NumPy"
DIFFERENCES = "extrapolated differences"
TINY = float(np.finfo(np.float64).tiny)  # an imaginary part h·f′ below it underflows: the one error of a complex step


@dataclass(frozen=True)
class Oracle:
    """`derivative(xs, k, v)`: of ⟨u, f⟩ at xs along v in argument k; its error; whether the point is a kink."""

    name: str
    derivative: Derivative

    @property
    def exact(self) -> bool:
        return self.name != DIFFERENCES


def choose_oracle(
    f: Function, xs: list[Array], u: Array, eps: float, method: str, rng: np.random.Generator
) -> tuple[Oracle, list[Array]]:
    """The most exact oracle that f allows and `method` wants, and the point in the precision to ask it in.

    Raises
    ------
    TypeError : method is "complex" and f runs neither on tensors nor on complex arrays.
    """
    if method != "differences":
        traced = traced_oracle(f, xs, u)
        if traced is not None:
            return traced, xs
    wide, wide_eps = widened(f, xs, eps)
    if method != "differences":
        through = complex_oracle(f, wide, u, wide_eps, rng) if wide_eps < 1e-10 else None
        if through is not None:
            return through, wide
        if method == "complex":
            raise TypeError(
                "f runs neither on tensors nor on complex arrays (or is not analytic): "
                "use method='differences' or method='auto'"
            )
    return difference_oracle(f, wide, u, wide_eps, rng), wide


def widened(f: Function, xs: list[Array], eps: float) -> tuple[list[Array], float]:
    """The point in float64, when f takes it to the same value there, else as it is; and the precision of f's values."""
    if eps < 1e-10:
        return xs, eps
    wide = [x.astype(np.float64) for x in xs]
    try:
        with np.errstate(all="ignore"):
            narrow_value, raw = value_of(f(*[x.copy() for x in xs])), f(*[x.copy() for x in wide])
        value = value_of(raw)
    except Exception:  # f insists on float32
        return xs, eps
    if getattr(raw, "dtype", None) == np.float32 or value.shape != narrow_value.shape:
        return xs, eps
    largest = float(np.abs(narrow_value).max(initial=0.0))
    if not np.allclose(value, narrow_value, rtol=1e-3, atol=1e-3 * largest):
        return xs, eps
    return wide, float(np.finfo(np.float64).eps)


def traced_program(f: Function, xs: list[Array]) -> tuple[Program, list[Tensor]] | None:
    """The program of f at xs, or None when f does not run on tensors to the same value."""
    leaves = [Tensor(np.array(x, order="C")) for x in xs]
    try:
        output = f(*leaves)
        if not isinstance(output, Tensor) or not output.traced:
            return None
        plain = f(*[x.copy() for x in xs])
        if not isinstance(plain, Tensor):  # a NumPy function: does the recording compute the same?
            value = value_of(plain)
            size = float(np.abs(value).max(initial=0))
            if value.shape != output.shape or not np.allclose(value, output.data, rtol=1e-6, atol=1e-12 * size):
                return None
        return Program([output], wrt=leaves), leaves
    except Exception:  # whatever f does not like about tensors: there are other oracles
        return None


def traced_oracle(f: Function, xs: list[Array], u: Array) -> Oracle | None:
    """Complex step through the recorded program, recorded once."""
    found = traced_program(f, xs)
    if found is None:
        return None
    program, leaves = found
    lost = TINY * float(np.abs(u).sum())
    places, output = [program.place(leaf) for leaf in leaves], program.outputs[0]

    def derivative(at: list[Array], k: int, v: Array) -> tuple[float, float, bool]:
        h = _step(v)
        stepped = {place: a.astype(complex) for place, a in zip(places, at, strict=True)}
        stepped[places[k]] += 1j * h * v
        with np.errstate(all="ignore"):
            y = program.run_complex(stepped)[output]
        return float(np.sum(u * y.imag)) / h, lost / h, False  # type: ignore[union-attr]

    return Oracle(TRACED, derivative)


def complex_oracle(f: Function, xs: list[Array], u: Array, eps: float, rng: np.random.Generator) -> Oracle | None:
    """Complex arrays through f itself, when differences confirm along a random direction that f is analytic."""
    lost = TINY * float(np.abs(u).sum())

    def derivative(at: list[Array], k: int, v: Array) -> tuple[float, float, bool]:
        h = _step(v)
        arguments: list[Any] = [a.copy() for a in at]
        arguments[k] = at[k] + 1j * h * v
        with np.errstate(all="ignore"):
            y = np.asarray(f(*arguments))
        return float(np.sum(u * y.imag)) / h, lost / h, False

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            first = [rng.normal(size=x.shape) * (np.abs(x) if np.any(x) else 1.0) for x in xs]
            exact = [derivative(xs, k, v)[0] for k, v in enumerate(first)]
            differences = difference_oracle(f, xs, u, eps, rng).derivative
            for k, v in enumerate(first):
                rough, error, kink = differences(xs, k, v)
                if kink or not np.isfinite(exact[k]) or not abs(exact[k] - rough) <= 10 * error + 1e-6 * abs(rough):
                    return None
    except Exception:  # f does not take complex arrays
        return None
    return Oracle(COMPLEX, derivative)


def difference_oracle(f: Function, xs: list[Array], u: Array, eps: float, rng: np.random.Generator) -> Oracle:
    """Extrapolated central differences; how noisy f is beyond its dtype (float32 inside, say) is measured at xs."""

    def value(at: list[Array]) -> float:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return float(np.sum(u * value_of(f(*at))))

    noise = function_noise(value, xs, rng)

    def derivative(at: list[Array], k: int, v: Array) -> tuple[float, float, bool]:
        size = float(np.abs(at[k]).max(initial=0.0)) or 1.0
        moved_size = float(np.abs(at[k][v != 0]).max(initial=0.0))
        step = 0.1 * max(moved_size, 1e-2 * size) / float(np.abs(v).max(initial=0.0) or 1.0)

        def phi(t: float) -> float:
            moved = (at[k] + t * v).astype(at[k].dtype)
            return value([moved if j == k else a.copy() for j, a in enumerate(at)])

        return ridders(phi, step, eps, noise=noise)

    return Oracle(DIFFERENCES, derivative)


def _step(v: Array) -> float:
    return STEP / float(np.abs(v).max(initial=0.0) or 1.0)
