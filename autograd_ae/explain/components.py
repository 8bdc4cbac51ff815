r"""Formulas entry by entry, and their derivatives: how each matrix rule follows from its definition.

A matrix formula is written for one entry, Y_{nk} = Σ_i X_{ni} W_{ik} + b_k, and differentiated as one learns it: the
sum rule, the product rule, the chain rule, ∂X_{ni}/∂X_{pq} = δ_{np} δ_{iq}. Then

    ∂L/∂W_{ij} = Σ_{n,k} ∂L/∂Y_{nk} ∂Y_{nk}/∂W_{ij},

and every δ takes one sum away. What is left is the matrix rule read entry by entry, and it is computed from
the very terms that are shown (`component_values.py`).

    entry  num          an entry of an array; a number, which may have a name
    index               1 where a relation of two indices holds, else 0: δ_{ij} is index "="
    sum                 over one index of a known range
    over                max, min or prod over indices
    add mul div pow fn relation cases      as in `expression.py`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Index(NamedTuple):
    """An index by name, with the size of its axis; on an axis of size 1 it is left out when written."""

    name: str
    size: int


class Entry(NamedTuple):
    """A formula for numbers: `kind` of the module's table, its arguments, what else belongs to it."""

    kind: str
    args: tuple[Entry, ...] = ()
    data: Any = None


def number(value: float, latex: str | None = None) -> Entry:
    return Entry("num", (), (value, latex))


ZERO, ONE = number(0.0), number(1.0)


def entry(key: Any, indices: tuple[Index, ...]) -> Entry:
    return Entry("entry", (), (key, indices))


def plain_number(e: Entry) -> bool:
    return e.kind == "num" and e.data[1] is None


def add(*terms: Entry) -> Entry:
    flat = [t for term in terms for t in (term.args if term.kind == "add" else (term,)) if t != ZERO]
    return ZERO if not flat else flat[0] if len(flat) == 1 else Entry("add", tuple(flat))


def mul(*factors: Entry) -> Entry:
    """The product, a number in front; 0 if any factor is."""
    flat = [f for factor in factors for f in (factor.args if factor.kind == "mul" else (factor,))]
    value = float(np.prod([f.data[0] for f in flat if plain_number(f)]))
    rest = [f for f in flat if not plain_number(f)]
    if value == 0:
        return ZERO
    rest = rest if value == 1 and rest else [number(value), *rest]
    return rest[0] if len(rest) == 1 else Entry("mul", tuple(rest))


def div(a: Entry, b: Entry) -> Entry:
    """The quotient; δ stays in front of it."""
    if a == ZERO or b == ONE:
        return a
    if a.kind == "add" and any(deltas(t) for t in a.args):
        return add(*[div(t, b) for t in a.args])
    factors = a.args if a.kind == "mul" else (a,)
    front = [f for f in factors if f.kind == "index"]
    return mul(*front, Entry("div", (mul(*[f for f in factors if f.kind != "index"]), b)))


def deltas(e: Entry) -> set[Index]:
    """The indices that a δ in it holds."""
    if e.kind == "index":
        return set(e.data[1:]) if e.data[0] == "=" else set()
    return set().union(*(deltas(a) for a in e.args)) if e.args else set()


def power(a: Entry, b: Entry) -> Entry:
    return ONE if b == ZERO else a if b == ONE else Entry("pow", (a, b))


def fn(name: str, *args: Entry) -> Entry:
    return Entry("fn", args, name)


def delta(a: Index, b: Index) -> Entry:
    return ONE if a.name == b.name or a.size == b.size == 1 else Entry("index", (), ("=", a, b))


def total(index: Index, body: Entry) -> Entry:
    """Σ over an index: δ takes it away, what does not depend on it comes before it, sums are split."""
    if body == ZERO:
        return ZERO
    if body.kind == "add":
        return add(*[total(index, term) for term in body.args])
    factors = body.args if body.kind == "mul" else (body,)
    for k, f in enumerate(factors):
        if f.kind == "index" and f.data[0] == "=" and index in f.data[1:]:
            other = f.data[2] if f.data[1] == index else f.data[1]
            return renamed(mul(*factors[:k], *factors[k + 1 :]), {index: other})
    for k, f in enumerate(factors):
        if f.kind == "add" and index in deltas(f):
            return add(*[total(index, mul(*factors[:k], term, *factors[k + 1 :])) for term in f.args])
    if index.size == 1:
        return body
    outside = [f for f in factors if index not in free(f)]
    inside = [f for f in factors if index in free(f)]
    if not inside:
        return mul(number(float(index.size)), *outside)
    return mul(*outside, Entry("sum", (mul(*inside),), index))


def over(name: str, indices: tuple[Index, ...], body: Entry) -> Entry:
    """The maximum, minimum or product over indices."""
    kept = tuple(i for i in indices if i.size != 1)
    return Entry("over", (body,), (name, kept)) if kept else body


def free(e: Entry) -> set[Index]:
    """The indices that it depends on."""
    if e.kind == "entry":
        return set(e.data[1])
    if e.kind == "index":
        return set(e.data[1:])
    inner = set().union(*(free(a) for a in e.args)) if e.args else set()
    return inner - bound_here(e)


def bound(e: Entry) -> set[Index]:
    inner = set().union(*(bound(a) for a in e.args)) if e.args else set()
    return inner | bound_here(e)


def bound_here(e: Entry) -> set[Index]:
    """The indices that the sum, maximum, minimum or product itself runs over."""
    return {e.data} if e.kind == "sum" else set(e.data[1]) if e.kind == "over" else set()


def renamed(e: Entry, names: Mapping[Index, Index]) -> Entry:
    """With other indices in place of the free ones."""
    if e.kind == "entry":
        return entry(e.data[0], tuple(names.get(i, i) for i in e.data[1]))
    if e.kind == "index":
        sign, a, b = e.data
        a, b = names.get(a, a), names.get(b, b)
        return delta(a, b) if sign == "=" else Entry("index", (), (sign, a, b))
    args = [renamed(a, names) for a in e.args]
    if e.kind == "sum":
        return total(e.data, args[0])
    return rebuilt(e, args)


def rebuilt(e: Entry, args: list[Entry]) -> Entry:
    if e.kind in ("add", "mul"):
        return add(*args) if e.kind == "add" else mul(*args)
    if e.kind in ("div", "pow"):
        return div(*args) if e.kind == "div" else power(*args)
    return Entry(e.kind, tuple(args), e.data)


# The derivative.

HALF, TWO = number(0.5), number(2.0)


def minus(e: Entry) -> Entry:
    return mul(number(-1.0), e)


SLOPES: dict[str, Any] = {
    "exp": lambda x: fn("exp", x),
    "ln": lambda x: div(ONE, x),
    "sqrt": lambda x: div(ONE, mul(TWO, fn("sqrt", x))),
    "sin": lambda x: fn("cos", x),
    "cos": lambda x: minus(fn("sin", x)),
    "tan": lambda x: add(ONE, power(fn("tan", x), TWO)),
    "sinh": lambda x: fn("cosh", x),
    "cosh": lambda x: fn("sinh", x),
    "tanh": lambda x: add(ONE, minus(power(fn("tanh", x), TWO))),
    "abs": lambda x: fn("sign", x),
    "sign": lambda x: ZERO,
    "sigma": lambda x: mul(fn("sigma", x), add(ONE, minus(fn("sigma", x)))),
    "softplus": lambda x: fn("sigma", x),
    "erf": lambda x: mul(number(2 / np.sqrt(np.pi), r"\tfrac{2}{\sqrt{\pi}}"), fn("exp", minus(power(x, TWO)))),
    "erfc": lambda x: mul(number(-2 / np.sqrt(np.pi), r"\tfrac{-2}{\sqrt{\pi}}"), fn("exp", minus(power(x, TWO)))),
    "Phi": lambda x: fn("phi", x),
}


def relation(sign: str, a: Entry, b: Entry) -> Entry:
    return Entry("relation", (a, b), sign)


def derivative(e: Entry, key: Any, at: tuple[Index, ...]) -> Entry:
    """∂e/∂(the entry of `key` at the indices `at`)."""
    if e.kind == "entry":
        return mul(*[delta(i, j) for i, j in zip(e.data[1], at, strict=True)]) if e.data[0] == key else ZERO
    inner = [derivative(a, key, at) for a in e.args]
    if e.kind == "add":
        return add(*inner)
    if e.kind == "mul":
        return add(*[mul(d, *e.args[:k], *e.args[k + 1 :]) for k, d in enumerate(inner)])
    if e.kind == "sum":
        return total(e.data, inner[0])
    if all(d == ZERO for d in inner) or e.kind == "relation":
        return ZERO
    if e.kind == "div":
        (a, b), (da, db) = e.args, inner
        return add(div(da, b), minus(div(mul(a, db), power(b, TWO))))
    if e.kind == "pow":
        (a, b), (da, db) = e.args, inner
        return add(mul(b, power(a, add(b, number(-1.0)) if not plain_number(b) else number(b.data[0] - 1)), da),
                   mul(e, fn("ln", a), db) if db != ZERO else ZERO)  # fmt: skip
    if e.kind == "cases":
        holds = e.args[1]
        return add(mul(holds, inner[0]), mul(add(ONE, minus(holds)), inner[2]))
    if e.kind == "fn" and len(e.args) == 1:
        return mul(inner[0], SLOPES[e.data](e.args[0]))
    if e.kind == "fn" and e.data in ("max", "min"):
        return _choice(e, inner)
    if e.kind == "over":
        return _of_many(e, inner[0])
    if e.kind == "fn" and e.data == "arctan2":
        (y, x), (dy, dx) = e.args, inner
        square = add(power(x, TWO), power(y, TWO))
        return add(mul(dy, div(x, square)), minus(mul(dx, div(y, square))))
    raise NotImplementedError(f"no derivative of {e.kind} {e.data}")


def _choice(e: Entry, inner: list[Entry]) -> Entry:
    """max and min of two: the larger one's, half of each at a tie; of a number and x: nothing at the tie with relu."""
    (a, b), sign = e.args, ">" if e.data == "max" else "<"
    tie = mul(HALF, relation("=", a, b))
    if plain_number(b):
        tie = ZERO if b == ZERO else relation("=", a, b)
    return add(mul(inner[0], add(relation(sign, a, b), tie)), mul(inner[1], add(relation(sign, b, a), tie)))


def _of_many(e: Entry, inner: Entry) -> Entry:
    """Of a product, the other factors; of a maximum or minimum, a share for each entry that attains it."""
    name, indices = e.data
    (body,) = e.args
    others, again = ({i: Index(i.name + prime, i.size) for i in indices} for prime in ("'", "''"))
    if name == "prod":
        same = mul(*[delta(other, i) for i, other in others.items()])
        apart = (
            add(ONE, minus(same)) if len(indices) > 1 else Entry("index", (), (r"\ne", others[indices[0]], indices[0]))
        )
        slope = over(name, tuple(others.values()), power(renamed(body, others), apart))
    else:
        extreme = over(name, tuple(others.values()), renamed(body, others))
        ties = relation("=", renamed(body, again), extreme)
        for i in again.values():
            ties = Entry("sum", (ties,), i)
        slope = div(relation("=", body, extreme), ties)
    whole = mul(inner, slope)
    for i in reversed(indices):
        whole = total(i, whole)
    return whole
