"""Is this gradient right? Three verdicts, no absolute scale, and a reason.

    check_gradient(f, grad_f, x)      f scalar, grad_f hand-written: the student's own derivation, in NumPy, knowing nothing of this project
    check_vjp(f, vjp, x)              f array-valued, vjp(x, u) = uᵀ ∂f/∂x
    gradcheck(fn, inputs)             fn written with this project's functions: its backward pass
    assert_gradient(f, grad_f, x)     raises with the report

How a verdict is reached. The oracle (see `oracles.py`) gives each derivative with all digits where it can. How much rounding may disturb an
entry is *measured*: all inputs are moved by an ulp or two, and the claim and the oracle are asked again. An entry is right if it
agrees to `rtol`, excused if it differs by less than that noise, wrong otherwise; the rules that make a verdict of it are in `verdict.judge`.
To it comes a floor: what moving x by all of itself would change less than f's own rounding does cannot be
asked of a gradient (a sigmoid at 40 is 1 to the last bit, and its gradient computed from 1 is 0).
Nothing is compared with a fixed number, so multiplying f by 1e-12 or x by 1e6 changes no verdict. Cotangents are random: under a plain sum,
permuted rows look right.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.testing.oracles import (
    COMPLEX,
    DIFFERENCES,
    TRACED,
    Oracle,
    complex_oracle,
    difference_oracle,
    traced_oracle,
    value_of,
)
from autograd_ae.testing.verdict import Check, GradientError, combine, disagrees, judge, undecided

Claim = Callable[[list[np.ndarray], np.ndarray], Sequence[Any]]
Array = np.ndarray

ELEMENTWISE_LIMIT = 600  # entries up to which each is checked by itself
DIRECTIONS = 8  # random projections per argument beyond that


def check_gradient(
    f: Callable[..., Any], grad_f: Callable[..., Any], x: Any, *, rtol: float | None = None, atol: float | None = None, points: int = 3,
    fast_mode: bool | None = None, method: str = "auto", seed: int = 0,
) -> Check:  # fmt: skip
    """Check a hand-written gradient of a scalar function.

    Parameters
    ----------
    f : takes arrays, returns a number.
    grad_f : takes the same arrays, returns ∂f/∂x of x's shape; a tuple of them when x is a tuple.
    x : an array, or a tuple of arrays for functions of several arguments; the first point checked. The others lie near it.
    rtol : relative error up to which an entry is right; by default 1e-6, and 2e-3 in float32.
    atol : limits what rounding noise may excuse; never certifies.
    points : how many points.
    fast_mode : random projections instead of every entry; by default for more than 600 entries.
    method : "auto", "complex" or "differences": see `oracles.py`.

    >>> f = lambda x: np.sum(x ** 3)
    >>> bool(check_gradient(f, lambda x: 3 * x**2, np.array([1.0, -2.0])))
    True
    >>> check_gradient(f, lambda x: 2 * x**2, np.array([1.0, -2.0])).verdict
    'disagrees'
    """

    def claim(xs: list[Array], u: Array) -> Sequence[Any]:
        gradients = grad_f(*xs)
        return [g if float(u) == 1 else float(u) * np.asarray(g) for g in _as_list(gradients, len(xs), "grad_f")]

    return _check(
        f, claim, x, scalar=True, rtol=rtol, atol=atol, points=points, fast_mode=fast_mode, method=method, seed=seed
    )


def check_vjp(
    f: Callable[..., Any], vjp: Callable[..., Any], x: Any, *, rtol: float | None = None, atol: float | None = None, points: int = 3,
    fast_mode: bool | None = None, method: str = "auto", seed: int = 0,
) -> Check:  # fmt: skip
    """Check a hand-written vector-Jacobian product.

    Parameters
    ----------
    f : takes arrays, returns an array.
    vjp : `vjp(x, u)` (or `vjp(x₁, x₂, …, u)`), with u of f's shape, returns uᵀ ∂f/∂x; a tuple when x is a tuple. If its first
        parameter is called u, g, ct, cotangent, dy, grad_output or upstream, it is given u first.
    All others as in `check_gradient`.

    >>> bool(check_vjp(np.tanh, lambda x, u: u * (1 - np.tanh(x) ** 2), np.array([0.3, -1.0])))
    True
    """
    first = _takes_cotangent_first(vjp)

    def claim(xs: list[Array], u: Array) -> Sequence[Any]:
        return _as_list(vjp(u, *xs) if first else vjp(*xs, u), len(xs), "vjp")

    return _check(
        f, claim, x, scalar=False, rtol=rtol, atol=atol, points=points, fast_mode=fast_mode, method=method, seed=seed
    )


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
    """
    from autograd_ae.testing.locate import faulty_rule

    def claim(xs: list[Array], u: Array) -> Sequence[Any]:
        leaves = [Tensor(x) for x in xs]
        output = func(*leaves)
        if not isinstance(output, Tensor):
            raise TypeError(
                f"gradcheck needs a function of tensors that returns a tensor, it returned {type(output).__name__}. For a NumPy function with its own gradient use check_gradient or check_vjp"
            )
        return Program([output], wrt=leaves).run_once(u)

    result = _check(
        func,
        claim,
        inputs,
        scalar=False,
        rtol=rtol,
        atol=atol,
        points=points,
        fast_mode=fast_mode,
        method="complex",
        seed=seed,
    )
    if result.verdict == "disagrees":
        result = _with_place(result, faulty_rule(func, _arrays(inputs)[0]))
    if raise_exception and not result:
        raise GradientError(str(result))
    return result


def assert_gradient(f: Callable[..., Any], grad_f: Callable[..., Any], x: Any, **options: Any) -> None:
    """`check_gradient`, raising GradientError (an AssertionError) with the full report unless the gradient agrees."""
    result = check_gradient(f, grad_f, x, **options)
    if not result:
        raise GradientError(str(result))


# How a check is made.


def _check(
    f: Callable[..., Any], claim: Claim, x: Any, *, scalar: bool, rtol: float | None, atol: float | None, points: int,
    fast_mode: bool | None, method: str, seed: int,
) -> Check:  # fmt: skip
    if method not in ("auto", "complex", "differences"):
        raise ValueError(f"method is {method!r}; 'auto', 'complex' or 'differences' is needed")
    if points < 1:
        raise ValueError(f"points is {points}; at least 1 is needed")
    rng = np.random.default_rng(seed)
    xs, names = _arrays(x)
    checks = []
    for number in range(points):
        at = xs if number == 0 else [(a * rng.uniform(0.85, 1.0, size=a.shape)).astype(a.dtype) for a in xs]
        checks.append(
            _check_point(
                f, claim, at, names, rng, scalar=scalar, rtol=rtol, atol=atol, fast_mode=fast_mode, method=method
            )
        )
        if checks[-1].verdict == "disagrees":
            break
    return combine(checks)


def _check_point(
    f: Callable[..., Any], claim: Claim, xs: list[Array], names: list[str], rng: np.random.Generator, *, scalar: bool, rtol: float | None,
    atol: float | None, fast_mode: bool | None, method: str,
) -> Check:  # fmt: skip
    value, trouble = _called_twice(lambda a: f(*a), xs, "f")
    if trouble is not None:
        return trouble
    y = value_of(value)
    if scalar and y.size != 1:
        raise ValueError(
            f"f returned shape {y.shape}; check_gradient needs a scalar function. Use check_vjp(f, vjp, x), or reduce f with random weights"
        )
    if not np.isfinite(y).all():
        return undecided("f is not finite at the point (NaN or infinity): choose a point inside its domain")
    u = np.ones(y.shape) if scalar else rng.normal(size=y.shape)
    dtype = np.result_type(*[a.dtype for a in xs])
    claimed, trouble = _called_twice(lambda a: claim(a, u.astype(dtype)), xs, "the gradient")
    if trouble is not None:
        return trouble
    claimed, trouble = _claimed_arrays(claimed, xs)
    if trouble is not None:
        return trouble
    eps = max(np.finfo(t).eps for t in (dtype, _precision(value), *(g.dtype for g in claimed)))
    oracle, name = _choose_oracle(f, xs, u, eps, method, rng)
    fast = fast_mode if fast_mode is not None else sum(a.size for a in xs) > ELEMENTWISE_LIMIT
    directions = [_directions(a, rng, fast) for a in xs]
    given = _along(claimed, directions, fast)
    expected, errors, kinks = _ask(oracle, directions, xs, fast)
    noise, jumps = _noise(f, claim, xs, u, name, directions, given, expected, eps, rng, fast)
    floor = 4 * eps * float(np.abs(u * y).sum())
    noise = [n + _along_sizes(floor / _lengths(a), vs, fast) for n, a, vs in zip(noise, xs, directions, strict=True)]
    total = [n + 4 * e for n, e in zip(noise, errors, strict=True)]
    kinks = [a | b for a, b in zip(kinks, jumps, strict=True)]
    tolerance = rtol if rtol is not None else 2e-3 if eps > 1e-10 else 1e-6
    result = judge(given, expected, total, rtol=tolerance, atol=atol, kinks=kinks, names=names)
    return _with_place(result, "", oracle=name)


def _noise(
    f: Callable[..., Any], claim: Claim, xs: list[Array], u: Array, name: str, directions: list[list[Array]], given: list[Array],
    expected: list[Array], eps: float, rng: np.random.Generator, fast: bool,
) -> tuple[list[Array], list[Array]]:  # fmt: skip
    """What rounding may change in each entry: measured by moving the inputs by an ulp, with 64 ε of the largest entry as the least.

    Where the oracle jumps between two sides of the point and stays put beyond, the point is a kink.
    """
    signs = [
        rng.choice([-1.0, 1.0], size=a.shape) * rng.uniform(0.5, 1.0, size=a.shape) for a in xs
    ]  # unequal: ties must part
    steps = [4 * eps * _lengths(a) for a in xs]

    def moved(factor: float) -> list[Array]:
        return [(a + factor * s * d).astype(a.dtype) for a, s, d in zip(xs, signs, steps, strict=True)]

    noise = [
        64 * eps * (np.abs(t).max(initial=0.0) + _cancellation(g, d, fast)) * np.ones(t.shape)
        for t, g, d in zip(expected, given, directions, strict=True)
    ]
    for factor in (1.0, -1.0):
        answers = claim(moved(factor), u.astype(np.result_type(*[a.dtype for a in xs])))
        claimed = _along([value_of(g) for g in answers], directions, fast)
        noise = [n + 8 * np.nan_to_num(np.abs(c - g)) for n, c, g in zip(noise, claimed, given, strict=True)]
    if name == DIFFERENCES:
        return noise, [np.zeros(t.shape, bool) for t in expected]
    seen = []
    for factor in (16.0, -16.0, 256.0):
        at = moved(factor)
        oracle = traced_oracle(f, at, u) if name == TRACED else _same_complex(f, at, u)
        seen.append(expected if oracle is None else _ask(oracle, directions, xs, fast)[0])
    jumps = []
    for k, t in enumerate(expected):
        right, left, far = seen[0][k], seen[1][k], seen[2][k]
        scale = max(
            float(np.abs(t).max(initial=0.0)),
            float(np.abs(right).max(initial=0.0)),
            float(np.abs(left).max(initial=0.0)),
        )
        jump = (np.abs(right - left) > 1e-3 * scale) & (np.abs(far - right) <= 0.1 * np.abs(right - left))
        jumps.append(jump)
        noise[k] = noise[k] + np.where(jump, 0.0, np.maximum(np.abs(right - t), np.abs(left - t)) / 2)
    return noise, jumps


def _lengths(a: Array) -> Array:
    """The size of each entry, and a thousandth of the largest for entries that are next to nothing."""
    size = float(np.abs(a).max(initial=0.0)) or 1.0
    return np.maximum(np.abs(a).astype(np.float64), 1e-3 * size)


def _along_sizes(sizes: Array, directions: list[Array], fast: bool) -> Array:
    return np.array([np.sum(np.abs(v) * sizes) for v in directions]) if fast else sizes


def _cancellation(given: Array, directions: list[Array], fast: bool) -> float:
    return float(np.abs(given).max(initial=0.0)) if fast else 0.0


def _same_complex(f: Callable[..., Any], xs: list[Array], u: Array) -> Oracle:
    from autograd_ae.core.transforms import STEP

    def derivative(k: int, v: Array) -> tuple[float, float, bool]:
        h = STEP / float(np.abs(v).max(initial=0.0) or 1.0)
        arguments: list[Any] = [a.copy() for a in xs]
        arguments[k] = xs[k] + 1j * h * v
        with np.errstate(all="ignore"):
            return float(np.sum(u * np.asarray(f(*arguments)).imag)) / h, 0.0, False

    return derivative


def _choose_oracle(
    f: Callable[..., Any], xs: list[Array], u: Array, eps: float, method: str, rng: np.random.Generator
) -> tuple[Oracle, str]:
    if method != "differences":
        traced = traced_oracle(f, xs, u)
        if traced is not None:
            return traced, TRACED
        through = complex_oracle(f, xs, u, eps, rng) if eps < 1e-10 else None
        if through is not None:
            return through, COMPLEX
        if method == "complex":
            raise TypeError(
                "f runs neither on tensors nor on complex arrays (or is not analytic): use method='differences' or 'auto'"
            )
    return difference_oracle(f, xs, u, eps), DIFFERENCES


def _directions(a: Array, rng: np.random.Generator, fast: bool) -> list[Array]:
    """Unit vectors for all entries of an argument, or a few random directions."""
    if fast:
        return [rng.normal(size=a.shape) for _ in range(DIRECTIONS)] if a.size else []
    units = []
    for i in np.ndindex(a.shape):
        unit = np.zeros(a.shape)
        unit[i] = 1.0
        units.append(unit)
    return units


def _along(gradients: list[Array], directions: list[list[Array]], fast: bool) -> list[Array]:
    if not fast:
        return gradients
    return [np.array([np.sum(g * v) for v in vs]) for g, vs in zip(gradients, directions, strict=True)]


def _ask(
    oracle: Oracle, directions: list[list[Array]], xs: list[Array], fast: bool
) -> tuple[list[Array], list[Array], list[Array]]:
    values, errors, kinks = [], [], []
    for k, vs in enumerate(directions):
        shape = (len(vs),) if fast else xs[k].shape
        answers = [oracle(k, v) for v in vs]
        values.append(np.array([a[0] for a in answers]).reshape(shape))
        errors.append(np.array([a[1] for a in answers]).reshape(shape))
        kinks.append(np.array([a[2] for a in answers], dtype=bool).reshape(shape))
    return values, errors, kinks


# What arrives.


def _arrays(x: Any) -> tuple[list[Array], list[str]]:
    """The point as float arrays, copies."""
    given = list(x) if isinstance(x, tuple) else [x]
    names = [t.name or "" if isinstance(t, Tensor) else "" for t in given]
    arrays = []
    for a in given:
        array = np.array(a.data if isinstance(a, Tensor) else a, order="C")
        arrays.append(array if array.dtype in (np.float32, np.float64) else array.astype(np.float64))
    if not arrays or not all(np.isfinite(a).all() for a in arrays):
        raise ValueError("x must be an array or a tuple of arrays of finite numbers")
    return arrays, names


def _as_list(gradients: Any, count: int, who: str) -> list[Any]:
    if count == 1 and not isinstance(gradients, tuple | list):
        return [gradients]
    if not isinstance(gradients, tuple | list) or len(gradients) != count:
        got = len(gradients) if isinstance(gradients, tuple | list) else 1
        raise ValueError(f"{who} returned {got} gradient(s) for {count} argument(s): return a tuple with one for each")
    return list(gradients)


def _called_twice(call: Callable[[list[Array]], Any], xs: list[Array], who: str) -> tuple[Any, Check | None]:
    """The result, unless calling shows that it mutates its inputs or answers differently the second time."""
    copies = [x.copy() for x in xs]
    first = call(copies)
    kept = (
        [np.array(g.data if isinstance(g, Tensor) else g) for g in first]
        if isinstance(first, list | tuple)
        else np.array(value_of(first))
    )
    if not all(np.array_equal(a, b) for a, b in zip(copies, xs, strict=True)):
        changed = [k for k, (a, b) in enumerate(zip(copies, xs, strict=True)) if not np.array_equal(a, b)]
        return first, disagrees(f"{who} mutates its inputs: argument {changed[0]} was changed in place. Work on a copy")
    second = call([x.copy() for x in xs])
    again = (
        [np.array(g.data if isinstance(g, Tensor) else g) for g in second]
        if isinstance(second, list | tuple)
        else np.array(value_of(second))
    )
    same = (
        len(kept) == len(again) and all(np.array_equal(a, b, equal_nan=True) for a, b in zip(kept, again, strict=True))
        if isinstance(kept, list)
        else np.array_equal(kept, again, equal_nan=True)
    )  # type: ignore[arg-type]
    if not same:
        return first, undecided(
            f"{who} is not deterministic: two calls at one point gave different results. Pass the random numbers in, or seed inside"
        )
    return first, None


def _claimed_arrays(claimed: Any, xs: list[Array]) -> tuple[list[Array], Check | None]:
    arrays = [
        value.data
        if isinstance(value, Tensor)
        else value.detach().numpy()
        if hasattr(value, "detach")
        else np.asarray(value)
        for value in claimed
    ]
    for k, (g, a) in enumerate(zip(arrays, xs, strict=True)):
        if g.shape != a.shape:
            hint = (
                " (transposed?)"
                if g.shape == a.shape[::-1] and g.ndim > 1
                else " (was a sum over broadcast axes forgotten?)"
                if g.size > a.size
                else ""
            )
            return arrays, disagrees(
                f"the gradient of argument {k} has shape {g.shape}, the argument has shape {a.shape}{hint}"
            )
    for k, g in enumerate(arrays):
        for j, h in enumerate(arrays[:k]):
            if np.shares_memory(g, h):
                return arrays, disagrees(
                    f"the gradients of arguments {j} and {k} share memory (views of each other): adding to one changes the other. Return copies"
                )
    return [g if g.dtype in (np.float32, np.float64) else g.astype(np.float64) for g in arrays], None


def _precision(value: Any) -> Any:
    dtype = value.dtype if isinstance(value, Tensor | np.ndarray | np.generic) else np.dtype(np.float64)
    return dtype if dtype in (np.float32, np.float64) else np.dtype(np.float64)


def _takes_cotangent_first(vjp: Callable[..., Any]) -> bool:
    try:
        first = next(iter(inspect.signature(vjp).parameters))
    except (TypeError, ValueError, StopIteration):
        return False
    return first in ("u", "g", "ct", "cotangent", "dy", "gy", "grad_output", "upstream")


def _with_place(result: Check, where: str, *, oracle: str | None = None) -> Check:
    from dataclasses import replace

    return replace(result, where=where or result.where, oracle=oracle if oracle is not None else result.oracle)
