"""Is this gradient right? Three verdicts, no absolute scale, and a reason.

    check_gradient(f, grad_f, x)   f scalar, grad_f hand-written: a student's own derivation in plain NumPy
    check_vjp(f, vjp, x)           f array-valued, vjp(x, u) = uᵀ ∂f/∂x
    gradcheck(fn, inputs)          fn written with this project's functions: its backward pass
    assert_gradient(f, grad_f, x)  raises with the report

How a verdict is reached. The oracle (`oracles.py`) gives each derivative with all digits where it can. How much
rounding may disturb an entry is measured (`noise.py`). An entry is right if it agrees to `rtol`, excused if it
differs by less than that noise, wrong otherwise; the rules that make a verdict of it are in `verdict.judge`. Nothing
is compared with a fixed number, so multiplying f by 1e-12 or x by 1e6 changes no verdict. Cotangents are random:
under a plain sum, permuted rows look right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.testing.arguments import (
    FLOATS,
    Array,
    Claim,
    array_of,
    as_list,
    called_twice,
    names_of,
    point_of,
    refuse_no_function,
    takes_cotangent_first,
    value_of,
    written_at,
    wrong_shape,
)
from autograd_ae.testing.engine_noise import blurred_change, bypasses, underflows
from autograd_ae.testing.noise import gradient_noise
from autograd_ae.testing.oracles import choose_oracle
from autograd_ae.testing.projections import view_of
from autograd_ae.testing.verdict import (
    AGREES,
    DISAGREES,
    Check,
    GradientError,
    combine,
    disagrees,
    judge,
    undecided,
)

METHODS = ("auto", "complex", "differences")
NEARBY = (0.15, 0.015, 0.0015)  # how far further points lie, relative to x: the first at which f is defined


Rounding = Callable[[list[Array], Array], list[Array]]  # of the engine's own gradients, entry by entry


def check_gradient(
    f: Callable[..., Any], grad_f: Callable[..., Any], x: Any, *, rtol: float | None = None, atol: float | None = None,
    points: int = 3, fast_mode: bool | None = None, method: str = "auto", seed: int = 0,
) -> Check:  # fmt: skip
    """Check a hand-written gradient of a scalar function.

    Parameters
    ----------
    f : takes arrays, returns a number.
    grad_f : takes the same arrays, returns ∂f/∂x of x's shape; a tuple of them when x is a tuple.
    x : an array, or a tuple of arrays for functions of several arguments; the first point checked. Others lie near it.
    rtol : relative error up to which an entry is right; by default 1e-6, and 2e-3 in float32.
    atol : limits what rounding noise may excuse; never certifies.
    points : how many points.
    fast_mode : random projections instead of every entry; by default for more than 600 entries.
    method : "auto", "complex" or "differences": see `oracles.py`.

    Raises
    ------
    TypeError : x, f or grad_f gives what is no real array; with method="complex", when f cannot be run in complex
        numbers.
    ValueError : f is not scalar, x is not finite, a gradient is missing.

    >>> f = lambda x: np.sum(x ** 3)
    >>> bool(check_gradient(f, lambda x: 3 * x**2, np.array([1.0, -2.0])))
    True
    >>> check_gradient(f, lambda x: 2 * x**2, np.array([1.0, -2.0])).verdict
    'disagrees'
    """
    refuse_no_function(f=f, grad_f=grad_f)

    def claim(xs: list[Array], u: Array) -> Sequence[Any]:
        return as_list(grad_f(*xs), xs, "grad_f")

    result = _check(
        f, claim, x, scalar=True, rtol=rtol, atol=atol, points=points, fast_mode=fast_mode, method=method, seed=seed
    )
    return _with_place(result, lambda: written_at(grad_f))


def check_vjp(
    f: Callable[..., Any], vjp: Callable[..., Any], x: Any, *, rtol: float | None = None, atol: float | None = None,
    points: int = 3, fast_mode: bool | None = None, method: str = "auto", seed: int = 0,
) -> Check:  # fmt: skip
    """Check a hand-written vector-Jacobian product.

    Parameters
    ----------
    f : takes arrays, returns an array.
    vjp : `vjp(x, u)` (or `vjp(x₁, x₂, …, u)`), with u of f's shape, returns uᵀ ∂f/∂x; a tuple when x is a tuple. If its
        first parameter is called u, g, ct, cotangent, dy, gy, grad_output or upstream, it is given u first.

    All others, and what is raised, as in `check_gradient`.

    >>> bool(check_vjp(np.tanh, lambda x, u: u * (1 - np.tanh(x) ** 2), np.array([0.3, -1.0])))
    True
    """
    refuse_no_function(f=f, vjp=vjp)
    first = takes_cotangent_first(vjp)

    def claim(xs: list[Array], u: Array) -> Sequence[Any]:
        return as_list(vjp(u.copy(), *xs) if first else vjp(*xs, u.copy()), xs, "vjp")

    result = _check(
        f, claim, x, scalar=False, rtol=rtol, atol=atol, points=points, fast_mode=fast_mode, method=method, seed=seed
    )
    return _with_place(result, lambda: written_at(vjp))


def gradcheck(
    func: Callable[..., Tensor], inputs: Any, *, rtol: float | None = None, atol: float | None = None, points: int = 3,
    fast_mode: bool | None = None, raise_exception: bool = False, seed: int = 0,
) -> Check:  # fmt: skip
    """Check this project's backward pass through `func` against complex step through the references.

    Parameters
    ----------
    func : takes tensors, returns a tensor of any shape.
    inputs : an array, or a tuple of arrays.
    raise_exception : raise GradientError unless the gradient agrees (as torch.autograd.gradcheck does by default).

    All others as in `check_gradient`. On a disagreement the op at fault and the line that recorded it are named.

    >>> import autograd_ae as ae
    >>> bool(gradcheck(lambda x, W: ae.tanh(x @ W), (np.ones((2, 3)), np.eye(3))))
    True
    """
    refuse_no_function(func=func)

    def claim(xs: list[Array], u: Array) -> Sequence[Any]:
        leaves = [Tensor(x) for x in xs]
        output = func(*leaves)
        if not isinstance(output, Tensor):
            raise TypeError(
                f"gradcheck needs a function of tensors that returns a tensor, it returned {type(output).__name__}. "
                "For a NumPy function with its own gradient use check_gradient or check_vjp"
            )
        return Program([output], wrt=leaves).run_once(u)

    def recorded(*arrays: Any) -> Tensor:
        return func(*[a if isinstance(a, Tensor) else Tensor(np.asarray(a)) for a in arrays])

    xs = point_of(inputs)[0]
    result = _check(
        recorded, claim, inputs, scalar=False, rtol=rtol, atol=atol, points=points, fast_mode=fast_mode,
        method="complex", seed=seed, rounding=lambda at, u: blurred_change(func, at, u),
    )  # fmt: skip
    if result.verdict == DISAGREES and xs[0].dtype == np.float32 and underflows(func, xs):
        result = undecided(
            "values on the way are too small for float32, and lose their digits: use float64", worst=result.worst
        )
    if result.verdict == AGREES and bypasses(func, xs):
        result = disagrees(
            "part of the function bypasses the recording (.data, detach or no_grad), so the gradient leaves it out: "
            "it is the gradient of the recorded part only"
        )
    from autograd_ae.testing.locate import faulty_rule

    result = _with_place(result, lambda: faulty_rule(func, xs))
    if raise_exception and not result:
        raise GradientError(str(result))
    return result


def assert_gradient(f: Callable[..., Any], grad_f: Callable[..., Any], x: Any, **options: Any) -> None:
    """`check_gradient`, raising GradientError (an AssertionError) with the full report unless the gradient agrees.

    >>> assert_gradient(lambda x: np.sum(x ** 2), lambda x: 2 * x, np.array([1.0, -2.0]))
    """
    result = check_gradient(f, grad_f, x, **options)
    if not result:
        raise GradientError(str(result))


# How a check is made.


def _check(
    f: Callable[..., Any], claim: Claim, x: Any, *, scalar: bool, rtol: float | None, atol: float | None, points: int,
    fast_mode: bool | None, method: str, seed: int, rounding: Rounding | None = None,
) -> Check:  # fmt: skip
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; one of {', '.join(map(repr, METHODS))} is needed")
    if points < 1:
        raise ValueError(f"points is {points}; at least 1 is needed")
    if rtol is not None and not 0 < rtol < 1:
        raise ValueError(f"rtol is {rtol!r}; a relative error between 0 and 1 is needed, such as 1e-6")
    if atol is not None and not atol >= 0:
        raise ValueError(f"atol is {atol!r}; a number of at least 0 is needed")
    rng = np.random.default_rng(seed)
    xs, names = point_of(x)
    names = [name or other for name, other in zip(names, names_of(f, len(xs)), strict=True)]
    checks: list[Check] = []
    for number in range(points):
        at = xs if number == 0 else _nearby(f, xs, rng)
        if at is None:
            break
        check = _check_point(
            f, claim, at, names, rng, scalar=scalar, rtol=rtol, atol=atol, fast_mode=fast_mode, method=method,
            rounding=rounding,
        )  # fmt: skip
        checks.append(check)
        if check.verdict == DISAGREES:
            break
    return combine(checks)


def _nearby(f: Callable[..., Any], xs: list[Array], rng: np.random.Generator) -> list[Array] | None:
    """A point near xs at which f is defined; None if there seems to be none."""
    for width in NEARBY:
        at = [(a * (1 - width * rng.random(size=a.shape))).astype(a.dtype) for a in xs]
        try:
            with np.errstate(all="ignore"):
                if np.isfinite(value_of(f(*[a.copy() for a in at]))).all():
                    return at
        except Exception:  # outside its domain, f may do what it likes
            continue
    return None


def _check_point(
    f: Callable[..., Any], claim: Claim, xs: list[Array], names: list[str], rng: np.random.Generator, *, scalar: bool,
    rtol: float | None, atol: float | None, fast_mode: bool | None, method: str, rounding: Rounding | None,
) -> Check:  # fmt: skip
    precisions: list[Any] = [np.result_type(*[a.dtype for a in xs])]

    def value(at: list[Array]) -> list[Any]:
        y = f(*at)
        precisions.append(_precision(y))
        return [value_of(y)]

    (y,), trouble = called_twice(value, xs, "f")
    if trouble is not None:
        return trouble
    if scalar and y.size != 1:
        raise ValueError(
            f"f returned shape {y.shape}; check_gradient needs a scalar function. "
            "Use check_vjp(f, vjp, x), or reduce f with random weights"
        )
    if not np.isfinite(y).all():
        return undecided("f is not finite at the point (NaN or infinity): choose a point inside its domain")
    u = (np.ones(y.shape) if scalar else rng.normal(size=y.shape)).astype(precisions[0])
    claimed, trouble = called_twice(lambda at: list(claim(at, u)), xs, "the gradient")
    if trouble is None:
        trouble = wrong_shape(claimed, xs, names)
    if trouble is not None:
        return trouble
    eps = max(float(np.finfo(t).eps) for t in (*precisions, *(_precision(g) for g in claimed)))
    oracle, wide = choose_oracle(f, xs, u.astype(np.float64), eps, method, rng)
    view = view_of(oracle, xs, wide, fast_mode, rng)
    given = view.along(claimed)
    expected, errors, kinks = view.ask(wide)
    size = float(np.abs(u * y).sum())

    def claim_again(at: list[Array]) -> list[Array]:
        return [array_of(g, "the gradient") for g in claim(at, u)]

    noise, jumps = gradient_noise(claim_again, view, given, expected, eps=eps, value=size, rng=rng)
    noise = [n + 4 * e for n, e in zip(noise, errors, strict=True)]
    kinks = [a | b for a, b in zip(kinks, jumps, strict=True)]
    tolerance = rtol if rtol is not None else 2e-3 if eps > 1e-10 else 1e-6
    largest = [float(np.finfo(_precision(g)).max) for g in claimed]
    about: dict[str, Any] = {"kinks": kinks, "names": names, "projected": view.projected, "largest": largest}
    result = judge(given, expected, noise, rtol=tolerance, atol=atol, **about)
    if result.verdict == DISAGREES and rounding is not None:
        more = [view.sizes(k, n) for k, n in enumerate(rounding(xs, u))]
        noise = [n + m for n, m in zip(noise, more, strict=True)]
        result = judge(given, expected, noise, rtol=tolerance, atol=atol, **about)
    return replace(result, oracle=oracle.name)


def _precision(value: Any) -> np.dtype:
    dtype = getattr(value, "dtype", None)
    return dtype if isinstance(dtype, np.dtype) and dtype in FLOATS else np.dtype(np.float64)


def _with_place(result: Check, where: Callable[[], str]) -> Check:
    return replace(result, where=where()) if result.verdict == DISAGREES else result
