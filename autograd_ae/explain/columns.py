r"""The lecture's layout: samples in columns. From a formula over row quantities, the same formula over transposed ones.

Every matrix A of the code is the lecture's Aᵀ, and a vector, which the code adds to rows, is a column that is added to
columns. A formula is turned from the leaves up, so that the value of the result is the transposed value:

    (A B)ᵀ = Bᵀ Aᵀ,      (A ⊙ B)ᵀ = Aᵀ ⊙ Bᵀ,      (1ᵀ A)ᵀ = Aᵀ 1,      axis 0 ↔ axis 1,

so Y = X W + b reads Y = W X + b, dW = Xᵀ G reads dW = G Xᵀ, dX = G Wᵀ reads dX = Wᵀ G. What does not go through
transposition (an index, einsum) is put between two of them. Arrays of three axes or more stay as they are.

`values` does to arrays what `formula` does to formulas; a vector becomes a matrix of one column.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograd_ae.explain.expression import Expr, mat, outer, tr

Shape = tuple[int, ...]
BY_ENTRY = ("add", "mul", "div", "safe_div", "pow", "fn", "relation", "cases")
REDUCTIONS = ("sum", "mean", "prod", "max", "min", "logsumexp")
ALONG = ("softmax", "log_softmax", "cumsum", "rcumsum", "flip", "others")


def shape(rows: Shape) -> Shape:
    """The shape in columns of what has shape `rows` in rows."""
    return (*rows, 1) if len(rows) == 1 else rows[::-1] if len(rows) == 2 else rows


def values(a: np.ndarray) -> np.ndarray:
    return a[:, None] if a.ndim == 1 else a.T if a.ndim == 2 else a


def formula(e: Expr) -> Expr:
    """The formula whose value is `values(value of e)` when every symbol's array is turned by `values`."""
    if e.kind == "sym":
        return Expr("sym", (), shape(e.shape), **e.params)
    if not e.args:
        return e
    turned = [formula(a) for a in e.args]
    flat = e.ndim <= 2 and all(a.ndim <= 2 for a in e.args)
    if flat and e.kind in BY_ENTRY:
        return Expr(e.kind, tuple(turned), shape(e.shape), **e.params)
    if e.kind in ("sqnorm", "norm1"):
        return Expr(e.kind, tuple(turned), ())
    if flat and e.kind in RULES:
        return RULES[e.kind](e, *turned)
    back = tuple(_to_rows(t, a.shape) for t, a in zip(turned, e.args, strict=True))
    return _to_columns(Expr(e.kind, back, e.shape, **e.params))


def _to_rows(turned: Expr, rows: Shape) -> Expr:
    if len(rows) == 1:
        return _vector(turned)
    return tr(turned) if len(rows) == 2 else turned


def _to_columns(e: Expr) -> Expr:
    return _column(e) if e.ndim == 1 else tr(e) if e.ndim == 2 else e


def _vector(a: Expr) -> Expr:
    return a.args[0] if a.kind == "column" else Expr("vector", (a,), (a.shape[0] * a.shape[1],))


def _column(v: Expr) -> Expr:
    return v.args[0] if v.kind == "vector" and v.args[0].shape[1] == 1 else Expr("column", (v,), (v.shape[0], 1))


def _mat(e: Expr, a: Expr, b: Expr) -> Expr:
    left, right = (x.ndim for x in e.args)
    if left == right == 1:
        return mat(_vector(a), _vector(b))
    return mat(tr(a), b) if right == 1 else mat(b, a)


def _reduction(e: Expr, x: Expr) -> Expr:
    axis, rank = e.params["axis"], e.args[0].ndim
    if rank == 1:
        both = axis and not e.params["keepdims"]
        return Expr(e.kind, (x,), shape(e.shape), **{**e.params, "axis": (0, 1) if both else axis})
    turned = tuple(sorted(1 - k for k in axis)) if rank == 2 else axis
    if e.ndim == 1:
        return _column(Expr(e.kind, (x,), e.shape, **{**e.params, "axis": turned}))
    return Expr(e.kind, (x,), shape(e.shape), **{**e.params, "axis": turned})


def _spread(e: Expr, g: Expr) -> Expr:
    rank, axis, keepdims = e.args[0].ndim, e.params["axis"], e.params["keepdims"]
    if rank == 0:
        return Expr("spread", (g,), shape(e.shape), axis=(0, 1), keepdims=False)
    if e.ndim == 1:
        return Expr("spread", (g,), shape(e.shape), axis=axis, keepdims=True)
    turned = tuple(sorted(1 - k for k in axis))
    if rank == 1 and not keepdims and axis == (1,):
        g = tr(g)
    return Expr("spread", (g,), shape(e.shape), axis=turned, keepdims=True)


def _along(e: Expr, x: Expr) -> Expr:
    axis = e.params["axis"]
    turned = tuple(sorted(1 - k for k in axis)) if e.ndim == 2 else axis
    return Expr(e.kind, (x,), x.shape, axis=turned)


RULES: dict[str, Callable[..., Expr]] = {
    "tr": lambda e, a: tr(a),
    "let": lambda e, a: Expr("let", (a,), a.shape, **e.params),
    "mat": _mat,
    "outer": lambda e, a, b: outer(_vector(b), _vector(a)),
    "column": lambda e, v: tr(v),
    "row": lambda e, v: v,
    "vector": lambda e, a: a if e.args[0].shape[0] == 1 else tr(a),
    "spread": _spread,
    **dict.fromkeys(REDUCTIONS, _reduction),
    **dict.fromkeys(ALONG, _along),
}
