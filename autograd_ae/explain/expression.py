"""Formulas that can be shown and computed: what a derivation prints is what its tests evaluate.

An `Expr` is a small tree: symbols and numbers at the leaves, one *kind* at each inner node. Every kind has one NumPy
function (`evaluation.py`) and one way of being written (`typeset.py`), so that a formula on the page cannot say
something else than the formula that was checked against the code. Shapes are known from the start: a 0-d factor is
written as a coefficient, a product of two matrices entry by entry as ⊙.

    sym  num            a symbol with the key of its array; a number, which may have a name (B, the batch)
    add mul div pow     element by element, with broadcasting; sums and products of any number
    mat tr              products of matrices (vectors are columns), transposition of the last two axes
    sum spread          over axes, and back over axes that went away
    fn                  the functions of `evaluation.FUNCTIONS`, element by element
    all others          written as operators, see `evaluation.KINDS`
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
Shape = tuple[int, ...]


class Expr:
    """A formula; immutable. Arithmetic on it builds larger ones."""

    __slots__ = ("_hash", "args", "key", "kind", "params", "shape")

    def __init__(self, kind: str, args: tuple[Expr, ...] = (), shape: Shape = (), **params: Any):
        self.kind, self.args, self.shape, self.params = kind, args, shape, params
        self.key: tuple[Any, ...] = (
            kind,
            shape,
            tuple(sorted((k, repr(v)) for k, v in params.items())),
            tuple(a.key for a in args),
        )
        self._hash: int = hash((*self.key[:3], *(a._hash for a in args)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expr) and self._hash == other._hash and self.key == other.key

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        inside = [str(v) for v in self.params.values()] + [repr(a) for a in self.args]
        return f"{self.kind}({', '.join(inside)})"

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def T(self) -> Expr:
        return tr(self)

    def __add__(self, other: Any) -> Expr:
        return add(self, lift(other))

    def __radd__(self, other: Any) -> Expr:
        return add(lift(other), self)

    def __sub__(self, other: Any) -> Expr:
        return add(self, -lift(other))

    def __rsub__(self, other: Any) -> Expr:
        return add(lift(other), -self)

    def __mul__(self, other: Any) -> Expr:
        return mul(self, lift(other))

    def __rmul__(self, other: Any) -> Expr:
        return mul(lift(other), self)

    def __truediv__(self, other: Any) -> Expr:
        return div(self, lift(other))

    def __rtruediv__(self, other: Any) -> Expr:
        return div(lift(other), self)

    def __neg__(self) -> Expr:
        return mul(num(-1), self)

    def __pow__(self, other: Any) -> Expr:
        exponent = lift(other)
        return Expr("pow", (self, exponent), np.broadcast_shapes(self.shape, exponent.shape))

    def __matmul__(self, other: Expr) -> Expr:
        return mat(self, other)


# What formulas are made with.


def sym(key: Any, shape: Shape) -> Expr:
    """The array that the environment holds under `key`."""
    return Expr("sym", (), tuple(shape), name=key)


def num(value: float, latex: str | None = None) -> Expr:
    """A number; with a name it is written by that (`B`)."""
    return Expr("num", (), (), value=value, latex=latex)


def lift(x: Any) -> Expr:
    return x if isinstance(x, Expr) else num(x)


def add(*terms: Expr) -> Expr:
    flat = [part for term in terms for part in (term.args if term.kind == "add" else (term,))]
    return Expr("add", tuple(flat), np.broadcast_shapes(*[t.shape for t in flat]))


def mul(*factors: Expr) -> Expr:
    """The product, element by element; numbers are gathered in front."""
    flat = [part for factor in factors for part in (factor.args if factor.kind == "mul" else (factor,))]
    value = 1.0
    rest = []
    for part in flat:
        if part.kind == "num" and part.params["latex"] is None:
            value *= part.params["value"]
        else:
            rest.append(part)
    if value != 1 or not rest:
        rest.insert(0, num(value))
    return rest[0] if len(rest) == 1 else Expr("mul", tuple(rest), np.broadcast_shapes(*[t.shape for t in rest]))


def div(a: Expr, b: Expr) -> Expr:
    return Expr("div", (a, b), np.broadcast_shapes(a.shape, b.shape))


def safe_div(a: Expr, b: Expr) -> Expr:
    """a / b, and 0 where b is 0: the convention at the kinks of roots and lengths."""
    return Expr("safe_div", (a, b), np.broadcast_shapes(a.shape, b.shape))


def tr(a: Expr) -> Expr:
    """The last two axes exchanged; a vector is left to `row`."""
    if a.kind == "tr":
        return a.args[0]
    return Expr("tr", (a,), (*a.shape[:-2], a.shape[-1], a.shape[-2]))


def mat(a: Expr, b: Expr) -> Expr:
    """The matrix product, of stacks of matrices too; a vector is a row at the left and a column at the right."""
    left, right = (1, *a.shape) if a.ndim == 1 else a.shape, (*b.shape, 1) if b.ndim == 1 else b.shape
    batch = np.broadcast_shapes(left[:-2], right[:-2])
    shape = (*batch, *(left[-2:-1] if a.ndim > 1 else ()), *(right[-1:] if b.ndim > 1 else ()))
    return Expr("mat", (a, b), shape)


def outer(a: Expr, b: Expr) -> Expr:
    return Expr("outer", (a, b), (*a.shape, *b.shape))


def fn(name: str, *args: Any, **params: Any) -> Expr:
    exprs = tuple(lift(a) for a in args)
    return Expr("fn", exprs, np.broadcast_shapes(*[a.shape for a in exprs]), name=name, **params)


def relation(sign: str, a: Any, b: Any) -> Expr:
    """Iverson's bracket: 1 where it holds, else 0."""
    a, b = lift(a), lift(b)
    return Expr("relation", (a, b), np.broadcast_shapes(a.shape, b.shape), sign=sign)


def cases(a: Any, condition: Expr, b: Any) -> Expr:
    """a where the condition holds, else b."""
    a, b = lift(a), lift(b)
    return Expr("cases", (a, condition, b), np.broadcast_shapes(a.shape, condition.shape, b.shape))


def total(x: Expr, axis: tuple[int, ...] | None = None, keepdims: bool = False, kind: str = "sum") -> Expr:
    """The sum over axes, or another reduction of the same form: mean, prod, max, min, logsumexp."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    shape = tuple(1 if k in axis else n for k, n in enumerate(x.shape) if keepdims or k not in axis)
    return Expr(kind, (x,), shape, axis=axis, keepdims=keepdims)


def spread(g: Expr, shape: Shape, axis: tuple[int, ...], keepdims: bool) -> Expr:
    """g copied along the axes that a reduction took away, to `shape`."""
    return Expr("spread", (g,), shape, axis=axis, keepdims=keepdims) if g.shape != shape else g


def sum_to(x: Expr, shape: Shape) -> Expr:
    """x summed over the axes along which something of `shape` was broadcast."""
    if x.shape == shape:
        return x
    lead = x.ndim - len(shape)
    x = total(x, tuple(range(lead))) if lead else x
    wide = tuple(k for k, n in enumerate(shape) if n == 1 and x.shape[k] != 1)
    return total(x, wide, keepdims=True) if wide else x


def along(kind: str, x: Expr, axis: Any) -> Expr:
    """A function along axes that keeps the shape: softmax, log_softmax, cumsum, rcumsum, flip, others."""
    return Expr(kind, (x,), x.shape, axis=axis)


def reshape(x: Expr, shape: Shape) -> Expr:
    """The same entries; between a vector and a matrix of one column or row it is only a way of looking."""
    if x.shape == shape:
        return x
    if len(shape) == 1 and x.ndim == 2 and 1 in x.shape:
        inner = x.args[0] if x.kind in ("column", "row") else None
        return inner if inner is not None else Expr("vector", (x,), shape)
    if x.ndim == 1 and len(shape) == 2 and 1 in shape:
        return Expr("column" if shape[1] == 1 else "row", (x,), shape)
    return Expr("reshape", (x,), shape, to=shape)


def let(e: Expr, latex: str) -> Expr:
    """A formula that is written by a name of its own, R for X̂ − X, and computed as what it is."""
    return Expr("let", (e,), e.shape, latex=latex)


def lets_of(e: Expr) -> list[Expr]:
    """The named formulas in it, inner ones first, each once."""
    inner = [x for a in e.args for x in lets_of(a)]
    return list(dict.fromkeys([*inner, e] if e.kind == "let" else inner))


def operator(kind: str, *args: Expr, shape: Shape, **params: Any) -> Expr:
    """Any other kind."""
    return Expr(kind, args, shape, **params)


def substitute(e: Expr, replace: Callable[[Expr], Expr | None]) -> Expr:
    """The formula with every symbol for which `replace` gives something replaced."""
    if e.kind == "sym":
        return replace(e) or e
    if not e.args:
        return e
    args = tuple(substitute(a, replace) for a in e.args)
    if all(a is b for a, b in zip(args, e.args, strict=True)):
        return e
    if e.kind == "add":
        return add(*args)
    if e.kind == "mul":
        return mul(*args)
    return Expr(e.kind, args, e.shape, **e.params)


def symbols_of(e: Expr) -> list[Any]:
    """Keys of the symbols in it, in order of appearance, each once."""
    if e.kind == "sym":
        return [e.params["name"]]
    return list(dict.fromkeys(key for a in e.args for key in symbols_of(a)))


def size_of(e: Expr) -> int:
    """How many symbols and named numbers it shows."""
    if e.kind in ("sym", "num", "let"):
        return 1
    return sum(size_of(a) for a in e.args)
