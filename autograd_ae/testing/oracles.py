"""Where the true derivative comes from: three oracles, the most exact that a function allows.

1. *Complex step through the references.* The function runs on tensors, so its program is known and is run in complex arithmetic: all digits.
2. *Complex step through NumPy.* The function itself takes complex arrays: all digits, provided that it is analytic (no abs, no conj, no comparison
   of complex numbers); so one random direction is compared with differences first.
3. *Extrapolated differences*, with an error estimate, for whatever can only be called.

An oracle is a function (k, v) → (derivative of ⟨u, f⟩ along v in argument k, its error, whether the point is a kink).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.core.transforms import STEP
from autograd_ae.testing.differences import ridders

Oracle = Callable[[int, np.ndarray], tuple[float, float, bool]]
Function = Callable[..., Any]

TRACED, COMPLEX, DIFFERENCES = (
    "complex step through the references",
    "complex step through NumPy",
    "extrapolated differences",
)


def traced_program(f: Function, xs: list[np.ndarray]) -> tuple[Program, list[Tensor]] | None:
    """The program of f at xs, or None when f does not run on tensors to the same value."""
    leaves = [Tensor(np.array(x, order="C")) for x in xs]
    try:
        output = f(*leaves)
        plain = f(*[x.copy() for x in xs])
    except Exception:  # whatever f does not like about tensors: there are other oracles
        return None
    if not isinstance(output, Tensor) or not output.traced:
        return None
    if not isinstance(plain, Tensor):  # a NumPy function: does the recording compute the same?
        value = np.asarray(plain)
        if value.shape != output.shape or not np.allclose(
            value, output.data, rtol=1e-6, atol=1e-12 * float(np.abs(value).max(initial=0))
        ):
            return None
    return Program([output], wrt=leaves), leaves


def traced_oracle(f: Function, xs: list[np.ndarray], u: np.ndarray) -> Oracle | None:
    found = traced_program(f, xs)
    if found is None:
        return None
    program, leaves = found

    def derivative(k: int, v: np.ndarray) -> tuple[float, float, bool]:
        h = STEP / float(np.abs(v).max(initial=0.0) or 1.0)
        place = program.place(leaves[k])
        with np.errstate(all="ignore"):
            y = program.run_complex({place: xs[k] + 1j * h * v.astype(np.float64)})[program.outputs[0]]
        return float(np.sum(u * y.imag)) / h, 0.0, False  # type: ignore[union-attr]

    return derivative


def complex_oracle(
    f: Function, xs: list[np.ndarray], u: np.ndarray, eps: float, rng: np.random.Generator
) -> Oracle | None:
    """Complex arrays through f itself, when differences confirm along a random direction that f is analytic."""

    def derivative(k: int, v: np.ndarray) -> tuple[float, float, bool]:
        h = STEP / float(np.abs(v).max(initial=0.0) or 1.0)
        arguments: list[Any] = [x.copy() for x in xs]
        arguments[k] = xs[k] + 1j * h * v.astype(np.float64)
        with np.errstate(all="ignore"):
            y = np.asarray(f(*arguments))
        return float(np.sum(u * y.imag)) / h, 0.0, False

    differences = difference_oracle(f, xs, u, eps)
    try:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            for k, x in enumerate(xs):
                v = rng.normal(size=x.shape)
                exact, (rough, error, kink) = derivative(k, v)[0], differences(k, v)
                if kink or not np.isfinite(exact) or not abs(exact - rough) <= 10 * error + 1e-6 * abs(rough):
                    return None
    except Exception:  # f does not take complex arrays
        return None
    return derivative


def difference_oracle(f: Function, xs: list[np.ndarray], u: np.ndarray, eps: float) -> Oracle:
    def derivative(k: int, v: np.ndarray) -> tuple[float, float, bool]:
        size = float(np.abs(xs[k]).max(initial=0.0)) or 1.0
        moved_size = float(np.abs(xs[k][v != 0]).max(initial=0.0))
        step = 0.1 * max(moved_size, 1e-2 * size) / float(np.abs(v).max(initial=0.0) or 1.0)

        def phi(t: float) -> float:
            arguments = [x.copy() for x in xs]
            arguments[k] = (xs[k] + t * v).astype(xs[k].dtype)
            with np.errstate(all="ignore"):
                return float(np.sum(u * value_of(f(*arguments))))

        return ridders(phi, step, eps)

    return derivative


def value_of(y: Any) -> np.ndarray:
    """The value of a function as a float64 array, whatever array type it came in."""
    if isinstance(y, Tensor):
        return y.data.astype(np.float64)
    if hasattr(y, "detach"):  # torch
        y = y.detach().numpy()
    return np.asarray(y, dtype=np.float64)
