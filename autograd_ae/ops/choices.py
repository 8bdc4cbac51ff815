"""Choices by value: |x|, sign, the larger, the smaller, clip, where, and comparisons.

Each of these is linear on both sides of a kink, so its rule passes the gradient to what was chosen and 0 to the rest:

    y = max(a, b)      da = g [a > b] + ½ g [a = b],    db = g [b > a] + ½ g [a = b]
    y = where(c, a, b)     da = g [c],    db = g [¬c]

Kinks and ties (PyTorch's convention): |x| at 0 has gradient 0; maximum and minimum give half to each side at a tie;
clip passes the gradient at both bounds. What is not chosen gets 0 whatever g is: the rules select, since 0 · inf would
be NaN. sign and the comparisons are constant almost everywhere and carry no gradient. NaN in gives NaN out, except in
comparisons, which are then false (≠: true). Nothing is rounded. Cost: one or two passes over memory each way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_ae.core.op import Op, pullback
from autograd_ae.core.recording import record
from autograd_ae.core.tensor import Tensor
from autograd_ae.core.ufuncs import unary
from autograd_ae.ops.axes import TensorLike
from autograd_ae.ops.elementwise import on_numbers


@pullback(r"\bar{x} = \bar{y} \odot \operatorname{sign}(x)")
def abs_dx(out, g, _y, x):
    np.multiply(g, np.sign(x.real), out=out)


@pullback(r"\bar{a} = \bar{y} \odot ([a > b] + \tfrac12 [a = b])")
def maximum_da(out, g, _y, a, b):
    out[...] = np.where(a.real < b.real, 0, np.where(a.real == b.real, 0.5 * g, g))


@pullback(r"\bar{b} = \bar{y} \odot ([b > a] + \tfrac12 [a = b])")
def maximum_db(out, g, _y, a, b):
    out[...] = np.where(b.real < a.real, 0, np.where(a.real == b.real, 0.5 * g, g))


@pullback(r"\bar{a} = \bar{y} \odot ([a < b] + \tfrac12 [a = b])")
def minimum_da(out, g, _y, a, b):
    out[...] = np.where(a.real > b.real, 0, np.where(a.real == b.real, 0.5 * g, g))


@pullback(r"\bar{b} = \bar{y} \odot ([b < a] + \tfrac12 [a = b])")
def minimum_db(out, g, _y, a, b):
    out[...] = np.where(b.real > a.real, 0, np.where(a.real == b.real, 0.5 * g, g))


@pullback(r"\bar{x} = \bar{y} \odot [a_{\min} \le x \le a_{\max}]")
def clip_dx(out, g, _y, x, *, a_min, a_max):
    out[...] = np.where((x.real < a_min) | (x.real > a_max), 0, g)


@pullback(r"\bar{a} = \bar{y} \odot [c]")
def where_da(out, g, _y, condition, _a, _b):
    out[...] = np.where(condition, g, 0)


@pullback(r"\bar{b} = \bar{y} \odot [\lnot c]")
def where_db(out, g, _y, condition, _a, _b):
    out[...] = np.where(condition, 0, g)


_abs = Op("abs", lambda x: np.where(x.real < 0, -x, x), abs_dx, latex=r"y = \lvert x \rvert", forward=np.absolute)
_sign = Op("sign", lambda x: np.sign(x.real), None, latex=r"y = \operatorname{sign}(x)")
_maximum = Op(
    "maximum", lambda a, b: np.where((a.real >= b.real) | np.isnan(a), a, b), maximum_da, maximum_db,
    latex=r"y = \max(a, b)", forward=lambda out, a, b: np.maximum(a, b, out=out),
)  # fmt: skip
_minimum = Op(
    "minimum", lambda a, b: np.where((a.real <= b.real) | np.isnan(a), a, b), minimum_da, minimum_db,
    latex=r"y = \min(a, b)", forward=lambda out, a, b: np.minimum(a, b, out=out),
)  # fmt: skip
_clip = Op(
    "clip", lambda x, *, a_min, a_max: np.where(x.real < a_min, a_min, np.where(x.real > a_max, a_max, x)), clip_dx,
    latex=r"y = \min(\max(x, a_{\min}), a_{\max})",
    forward=lambda out, x, *, a_min, a_max: np.clip(x, a_min, a_max, out=out),
)  # fmt: skip
_where = Op(
    "where", lambda condition, a, b: np.where(condition, a, b), None, where_da, where_db,
    latex=r"y = a \text{ where } c, \text{ else } b",
)  # fmt: skip


def _comparison(name: str, ufunc: np.ufunc, latex: str) -> Op:
    return Op(name, lambda a, b: ufunc(a.real, b.real), None, None, latex=latex, forward=ufunc, dtype=bool)


_greater = _comparison("greater", np.greater, "y = [a > b]")
_greater_equal = _comparison("greater_equal", np.greater_equal, r"y = [a \ge b]")
_less = _comparison("less", np.less, "y = [a < b]")
_less_equal = _comparison("less_equal", np.less_equal, r"y = [a \le b]")
_equal = _comparison("equal", np.equal, "y = [a = b]")
_not_equal = _comparison("not_equal", np.not_equal, r"y = [a \ne b]")


# What users call. Shapes: whatever broadcasts to the result's shape.


@unary(_abs)
def abs(x: TensorLike) -> Tensor:
    """|x|; gradient 0 at 0.

    >>> abs([-1.0, 2.0]).data
    array([1., 2.])
    """
    return on_numbers(_abs, x)


def sign(x: TensorLike) -> Tensor:
    """−1, 0 or 1; no gradient.

    >>> sign([-3.0, 0.0, 2.0]).data
    array([-1.,  0.,  1.])
    """
    return on_numbers(_sign, x)


def maximum(a: TensorLike, b: TensorLike) -> Tensor:
    """The larger of a and b, NaN if one is; half of the gradient to each at a tie.

    >>> maximum([1.0, 5.0], 2.0).data
    array([2., 5.])
    """
    return on_numbers(_maximum, a, b)


def minimum(a: TensorLike, b: TensorLike) -> Tensor:
    """The smaller of a and b, NaN if one is; half of the gradient to each at a tie.

    >>> minimum([1.0, 5.0], 2.0).data
    array([1., 2.])
    """
    return on_numbers(_minimum, a, b)


def clip(x: TensorLike, a_min: float | None = None, a_max: float | None = None) -> Tensor:
    """x limited to [a_min, a_max], numbers or None for no limit; the gradient passes at both bounds.

    >>> clip([-1.0, 0.5, 2.0], 0.0, 1.0).data
    array([0. , 0.5, 1. ])
    """
    low, high = _bound("a_min", a_min, -math.inf), _bound("a_max", a_max, math.inf)
    if not low <= high:
        raise ValueError(f"clip: a_min <= a_max was needed, a_min = {a_min} and a_max = {a_max} arrived")
    return on_numbers(_clip, x, a_min=low, a_max=high)


def _bound(name: str, bound: Any, without: float) -> float:
    if bound is not None and not isinstance(bound, int | float | np.integer | np.floating):
        raise TypeError(
            f"clip: {name} must be a number or None, {type(bound).__name__} arrived; "
            "limits that are arrays or tensors: minimum(maximum(x, low), high)"
        )
    return without if bound is None else float(bound)


def where(condition: Tensor | np.ndarray | bool | Sequence[Any], a: TensorLike, b: TensorLike) -> Tensor:
    """a where the boolean condition holds, else b. Nothing of the other one, not even its NaN, reaches the result.

    >>> where([True, False], [1.0, 2.0], 0.0).data
    array([1., 0.])
    """
    condition = condition if isinstance(condition, Tensor) else np.asarray(condition)
    if condition.dtype != bool:
        raise TypeError(f"where: a boolean condition was needed, dtype {condition.dtype} arrived; compare: x > 0")
    return record(_where, (condition, a, b), {})


def greater(a: TensorLike, b: TensorLike) -> Tensor:
    """a > b as a boolean tensor; no gradient.

    >>> greater([1.0, 3.0], 2.0).data
    array([False,  True])
    """
    return record(_greater, (a, b), {})


def greater_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """a ≥ b as a boolean tensor; no gradient.

    >>> greater_equal([1.0, 2.0], 2.0).data
    array([False,  True])
    """
    return record(_greater_equal, (a, b), {})


def less(a: TensorLike, b: TensorLike) -> Tensor:
    """a < b as a boolean tensor; no gradient.

    >>> less([1.0, 3.0], 2.0).data
    array([ True, False])
    """
    return record(_less, (a, b), {})


def less_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """a ≤ b as a boolean tensor; no gradient.

    >>> less_equal([2.0, 3.0], 2.0).data
    array([ True, False])
    """
    return record(_less_equal, (a, b), {})


def equal(a: TensorLike, b: TensorLike) -> Tensor:
    """a = b as a boolean tensor; no gradient.

    >>> equal([1.0, 2.0], 2.0).data
    array([False,  True])
    """
    return record(_equal, (a, b), {})


def not_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """a ≠ b as a boolean tensor; no gradient.

    >>> not_equal([1.0, 2.0], 2.0).data
    array([ True, False])
    """
    return record(_not_equal, (a, b), {})
