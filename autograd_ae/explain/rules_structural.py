"""Formulas of reductions, of the softmax family, and of ops that move numbers between places. See `rules.py`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_ae.explain.expression import (
    Expr,
    add,
    along,
    fn,
    mul,
    num,
    operator,
    relation,
    reshape,
    safe_div,
    spread,
    sum_to,
    total,
    tr,
)
from autograd_ae.explain.rules import Rule, exp, rule, sign

Axis = tuple[int, ...]


def count(x: Expr, axis: Axis) -> Expr:
    """n, how many entries make one of the result."""
    return num(math.prod(x.shape[k] for k in axis), "n")


def back(g: Expr, x: Expr, axis: Axis, keepdims: bool) -> Expr:
    return spread(g, x.shape, axis, keepdims)


def centred(x: Expr, axis: Axis) -> Expr:
    return add(x, -back(total(x, axis, True, "mean"), x, axis, True)) if axis else x - x


def freedom(x: Expr, axis: Axis, ddof: int) -> Expr:
    n = math.prod(x.shape[k] for k in axis)
    return num(n - ddof, "n" if not ddof else f"(n - {ddof})")


def _var(x: Expr, *, axis: Axis, keepdims: bool, ddof: int) -> Expr:
    return total(centred(x, axis) ** 2, axis, keepdims) / freedom(x, axis, ddof)


def _ties(x: Expr, y: Expr, of: Expr, axis: Axis, keepdims: bool) -> Expr:
    """[x = y], shared evenly among the entries that attain it."""
    chosen = relation("=", of, back(y, x, axis, keepdims))
    return chosen / back(total(chosen, axis, True), x, axis, True) if axis else chosen


def _extremum(kind: str) -> Rule:
    return rule(
        lambda x, *, axis, keepdims: total(x, axis, keepdims, kind),
        lambda g, y, x, *, axis, keepdims: back(g, x, axis, keepdims) * _ties(x, y, x, axis, keepdims),
    )


REDUCTIONS: dict[str, Rule] = {
    "sum": rule(
        lambda x, *, axis, keepdims: total(x, axis, keepdims),
        lambda g, y, x, *, axis, keepdims: back(g, x, axis, keepdims),
    ),
    "mean": rule(
        lambda x, *, axis, keepdims: total(x, axis, keepdims) / count(x, axis),
        lambda g, y, x, *, axis, keepdims: back(g, x, axis, keepdims) / count(x, axis),
    ),
    "prod": rule(
        lambda x, *, axis, keepdims: total(x, axis, keepdims, "prod"),
        lambda g, y, x, *, axis, keepdims: back(g, x, axis, keepdims) * along("others", x, axis),
    ),
    "cumsum": rule(
        lambda x, *, axis: along("cumsum", x, (axis,)),
        lambda g, y, x, *, axis: along("rcumsum", g, (axis,)),
    ),
    "var": rule(
        _var,
        lambda g, y, x, *, axis, keepdims, ddof: (
            2 * back(g, x, axis, keepdims) * centred(x, axis) / freedom(x, axis, ddof)
        ),
    ),
    "std": rule(
        lambda x, **params: fn("sqrt", _var(x, **params)),
        lambda g, y, x, *, axis, keepdims, ddof: (
            back(g, x, axis, keepdims)
            * safe_div(centred(x, axis), mul(freedom(x, axis, ddof), back(y, x, axis, keepdims)))
        ),
    ),
    "max": _extremum("max"),
    "min": _extremum("min"),
    "norm": rule(
        lambda x, *, axis, keepdims: fn("sqrt", total(x**2, axis, keepdims)),
        lambda g, y, x, *, axis, keepdims: (
            back(g, x, axis, keepdims) * safe_div(x, back(y, x, axis, keepdims))
        ),
    ),
    "norm_1": rule(
        lambda x, *, axis, keepdims: total(fn("abs", x), axis, keepdims),
        lambda g, y, x, *, axis, keepdims: back(g, x, axis, keepdims) * sign(x),
    ),
    "norm_inf": rule(
        lambda x, *, axis, keepdims: total(fn("abs", x), axis, keepdims, "max"),
        lambda g, y, x, *, axis, keepdims: (
            back(g, x, axis, keepdims) * sign(x) * _ties(x, y, fn("abs", x), axis, keepdims)
        ),
    ),
    "softmax": rule(
        lambda x, *, axis: along("softmax", x, (axis,)),
        lambda g, s, x, *, axis: s * (g - back(total(g * s, (axis,), True), x, (axis,), True)),
    ),
    "log_softmax": rule(
        lambda x, *, axis: along("log_softmax", x, (axis,)),
        lambda g, y, x, *, axis: g - exp(y) * back(total(g, (axis,), True), x, (axis,), True),
    ),
    "logsumexp": rule(
        lambda x, *, axis, keepdims: total(x, axis, keepdims, "logsumexp"),
        lambda g, y, x, *, axis, keepdims: back(g, x, axis, keepdims) * along("softmax", x, axis),
    ),
}  # fmt: skip


# Moving numbers: y_k = x_{ι(k)}.


def transposed(x: Expr, axes: Axis) -> Expr:
    if axes == tuple(range(len(axes))):
        return x
    if axes == (*range(len(axes) - 2), len(axes) - 1, len(axes) - 2):
        return tr(x)
    return operator("transpose", x, shape=tuple(x.shape[k] for k in axes), axes=axes)


def _index(index: Any, arrays: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(arrays[entry] if isinstance(entry, str) else entry for entry in index)


def _written(index: Any, arrays: dict[str, Any]) -> str:
    """An index as it is written, short arrays in full."""

    def entry(e: Any) -> str:
        if isinstance(e, slice):
            parts = ["" if p is None else str(p) for p in (e.start, e.stop, e.step)]
            return ":".join(parts if parts[2] else parts[:2])
        if isinstance(e, str):
            a = arrays[e]
            return rf"({', '.join(str(int(v)) for v in a)})" if a.ndim == 1 and a.size <= 6 else rf"\iota_{{{e[1:]}}}"
        return r"\text{new}" if e is None else str(e)

    return f"[{', '.join(entry(e) for e in index)}]"


def _getitem(x: Expr, *, index: Any, **arrays: Any) -> Expr:
    where = _index(index, arrays)
    shape = np.empty(x.shape, bool)[where].shape
    return operator("getitem", x, shape=shape, index=where, written=_written(index, arrays))


def _put(add: bool) -> Any:
    def gradient(g: Expr, _y: Expr, x: Expr, *, index: Any, **arrays: Any) -> Expr:
        return operator("put", g, shape=x.shape, index=_index(index, arrays), add=add)

    return gradient


def _stretch(g: Expr, y: Expr, *x: Expr, wrt: int, axis: int | None, bounds: Axis) -> Expr:
    part = slice(bounds[wrt], bounds[wrt + 1])
    taken = _getitem(g, index=(*[slice(None)] * (axis or 0), part))
    return reshape(taken, x[wrt].shape)


def _concatenated(*x: Expr, axis: int | None, bounds: Axis) -> Expr:
    shape = (bounds[-1],) if axis is None else (*x[0].shape[:axis], bounds[-1], *x[0].shape[axis + 1 :])
    return operator("concatenate", *x, shape=shape, axis=axis)


def _stacked(*x: Expr, axis: int) -> Expr:
    return operator("stack", *x, shape=(*x[0].shape[:axis], len(x), *x[0].shape[axis:]), axis=axis)


def _padded(x: Expr, *, pad_width: Any, constant_values: float) -> Expr:
    shape = tuple(b + n + a for n, (b, a) in zip(x.shape, pad_width, strict=True))
    return operator("pad", x, shape=shape, pad_width=pad_width, constant_values=constant_values)


def _einsum_shape(letters: str, terms: list[str], x: list[Expr]) -> tuple[int, ...]:
    sizes = {c: n for term, e in zip(terms, x, strict=True) for c, n in zip(term, e.shape, strict=True)}
    return tuple(sizes[c] for c in letters)


def _einsum(*x: Expr, subscripts: str) -> Expr:
    inputs, output = subscripts.split("->")
    return operator("einsum", *x, shape=_einsum_shape(output, inputs.split(","), list(x)), subscripts=subscripts)


def _einsum_dx(g: Expr, _y: Expr, *x: Expr, wrt: int, subscripts: str) -> Expr:
    """Σ G Πⱼ≠ₖ xʲ, named by xᵏ's own letters; copied along letters that nobody else has, put on the diagonal of
    letters that it has twice."""
    left, output = subscripts.split("->")
    terms = left.split(",")
    others = [j for j in range(len(x)) if j != wrt]
    named, operands = [output, *[terms[j] for j in others]], [g, *[x[j] for j in others]]
    own = "".join(dict.fromkeys(terms[wrt]))
    shared = "".join(c for c in own if c in "".join(named))
    product = operator(
        "einsum", *operands, shape=_einsum_shape(shared, named, operands), subscripts=f"{','.join(named)}->{shared}"
    )
    whole = _einsum_shape(own, [terms[wrt]], [x[wrt]])
    result = spread(product, whole, tuple(k for k, c in enumerate(own) if c not in shared), False)
    if own == terms[wrt]:
        return result
    return operator("diagonal_put", result, shape=x[wrt].shape, letters=terms[wrt])


SHAPING: dict[str, Rule] = {
    "reshape": rule(lambda x, *, shape: reshape(x, shape), lambda g, y, x, *, shape: reshape(g, x.shape)),
    "transpose": rule(
        lambda x, *, axes: transposed(x, axes),
        lambda g, y, x, *, axes: transposed(g, tuple(int(k) for k in np.argsort(axes))),
    ),
    "flip": rule(lambda x, *, axis: along("flip", x, axis), lambda g, y, x, *, axis: along("flip", g, axis)),
    "broadcast_to": rule(
        lambda x, *, shape: broadcast(x, shape),
        lambda g, y, x, *, shape: sum_to(g, x.shape),
    ),
    "getitem": rule(_getitem, _put(False)),
    "gather": rule(_getitem, _put(True)),
    "concatenate": rule(_concatenated, _stretch, variadic=True),
    "stack": rule(
        _stacked,
        lambda g, y, *x, wrt, axis: _getitem(g, index=(*[slice(None)] * axis, wrt)),
        variadic=True,
    ),
    "pad": rule(
        _padded,
        lambda g, y, x, *, pad_width, constant_values: operator("unpad", g, shape=x.shape, pad_width=pad_width),
    ),
    "einsum": rule(_einsum, _einsum_dx, variadic=True),
}  # fmt: skip


def broadcast(x: Expr, shape: tuple[int, ...]) -> Expr:
    """x repeated to `shape`: first along new axes in front, then along axes of size 1."""
    lead = len(shape) - x.ndim
    x = spread(x, (*shape[:lead], *x.shape), tuple(range(lead)), False) if lead else x
    wide = tuple(k for k, n in enumerate(x.shape) if n != shape[k])
    return spread(x, shape, wide, True) if wide else x
