"""The algebra that turns a chain of rules into the form one finds by hand.

Only what is always true is used, so a simplified formula has the value of the one it was made from:

    X (c Y) = c (X Y),  Σ c X = c Σ X,  …      numbers and 0-d factors come to the front of everything linear
    (A B)ᵀ = Bᵀ Aᵀ,   (A + B)ᵀ = Aᵀ + Bᵀ       transposition goes inwards
    1 ⊙ X = X,   X + 0 = X,   0 X = 0          where the shapes allow it
    σ(x) σ(−x) = σ(x) (1 − σ(x))               and what is known by a symbol is called by it (`recall`)
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autograd_ae.explain.expression import Expr, add, div, lift, mat, mul, num, outer, tr

ONE = num(1.0)
LINEAR = ("tr", "row", "column", "vector", "reshape", "transpose", "sum", "spread", "getitem", "put", "unpad")


def simplify(e: Expr) -> Expr:
    """The same value, written shorter."""
    if not e.args or e.kind == "let":
        return e
    args = [simplify(a) for a in e.args]
    if e.kind == "add":
        terms = _collected([a for a in args if not _is_number(a, 0)])
        whole = terms[0] if len(terms) == 1 else add(*terms) if terms else num(0.0)
        return whole if whole.shape == e.shape else add(*args)
    if e.kind == "tr":
        return _transposed(args[0])
    coefficients, core = factors(_rebuilt(e, args))
    return _product(coefficients, core, e)


def _collected(terms: list[Expr]) -> list[Expr]:
    """Multiples of the same as one: X + X = 2 X."""
    found: dict[Expr, float] = {}
    for term in terms:
        number, rest = 1.0, term
        if term.kind == "mul" and bare(term.args[0]):
            number, rest = term.args[0].params["value"], mul(*term.args[1:])
        found[rest] = found.get(rest, 0.0) + number
    if len(found) == len(terms):
        return terms
    return [rest if number == 1 else mul(num(number), rest) for rest, number in found.items() if number != 0]


def _rebuilt(e: Expr, args: list[Expr]) -> Expr:
    if e.kind == "mul":
        return mul(*args)
    if e.kind == "sum" and all(e.args[0].shape[k] == 1 for k in e.params["axis"]) and args[0].shape == e.shape:
        return args[0]
    return Expr(e.kind, tuple(args), e.shape, **e.params)


def _transposed(a: Expr) -> Expr:
    coefficients, core = factors(a)
    if core is None:
        return _product(coefficients, core, tr(a))
    if core.kind == "mat" and all(x.ndim == 2 for x in core.args):
        core = mat(_transposed(core.args[1]), _transposed(core.args[0]))
    elif core.kind == "outer":
        core = outer(core.args[1], core.args[0])
    elif core.kind == "add" and all(x.ndim == 2 for x in core.args):
        core = add(*[_transposed(x) for x in core.args])
    else:
        core = tr(core)
    return _product(coefficients, core, tr(a))


def factors(e: Expr) -> tuple[list[Expr], Expr | None]:
    """A formula as (0-d factors, what is left); nothing is left of a 0-d formula."""
    if e.kind == "mul":
        parts = [factors(a) for a in e.args]
        cores = [core for _, core in parts if core is not None]
        return [c for coefficients, _ in parts for c in coefficients], _entrywise(cores, e)
    if e.kind == "div" and e.args[1].ndim == 0:
        coefficients, core = factors(e.args[0])
        return [*coefficients, div(ONE, e.args[1])], core
    if e.ndim == 0 and e.kind not in ("sum", "mat"):
        return [e], None
    if e.kind in ("div", "mat", "outer"):
        return _of_two(e)
    if e.kind in LINEAR:
        coefficients, core = factors(e.args[0])
        if core is not None:
            return coefficients, Expr(e.kind, (core,), e.shape, **e.params)
        if e.kind == "spread":
            return coefficients, Expr("spread", (ONE,), e.shape, **e.params)
    return ([e], None) if e.ndim == 0 else ([], e)


def _of_two(e: Expr) -> tuple[list[Expr], Expr | None]:
    """The factors of a product of matrices, or of a quotient of arrays."""
    (first, a), (second, b) = factors(e.args[0]), factors(e.args[1])
    if e.kind == "div":
        second = [div(ONE, c) for c in second]
        a = ONE if a is None else a
    if a is None or b is None or (e.kind == "div" and np.broadcast_shapes(a.shape, b.shape) != e.shape):
        return ([e], None) if e.ndim == 0 else ([], e)
    return [*first, *second], Expr(e.kind, (a, b), e.shape)


def _entrywise(cores: list[Expr], e: Expr) -> Expr | None:
    """The product of arrays, without ones that do not widen it."""
    kept = [c for c in cores if not (c.kind == "spread" and _is_number(c.args[0], 1))]
    if not cores:
        return None
    if not kept or mul(*kept).shape != e.shape:
        return mul(*cores)
    return mul(*kept)


def _product(coefficients: list[Expr], core: Expr | None, e: Expr) -> Expr:
    value = 1.0
    above: list[Expr] = []
    below: list[Expr] = []
    for c in coefficients:
        top, bottom = (c.args if c.kind == "div" and c.args[0] == ONE else (c, None)) if c.kind == "div" else (c, None)
        if top is not None and bare(top):
            value *= top.params["value"]
        elif top is not None:
            above.append(top)
        if bottom is not None:
            below.append(bottom)
    front = mul(num(value), *above)
    if value == 0 and core is not None:
        return Expr("spread", (num(0.0),), e.shape, axis=tuple(range(e.ndim)), keepdims=False)
    if below:
        front = div(front, mul(*below))
    if core is None:
        return front
    return core if front == ONE else mul(front, core)


def bare(e: Expr) -> bool:
    return e.kind == "num" and e.params["latex"] is None


def _is_number(e: Expr, value: float) -> bool:
    if e.kind == "spread":
        return _is_number(e.args[0], value)
    return bare(e) and e.params["value"] == value


def recall(e: Expr, known: Mapping[Expr, Expr]) -> Expr:
    """Formulas that a symbol stands for, replaced by it; σ(x) σ(−x) by H (1 − H) where H = σ(x) has a symbol."""
    if e in known:
        return known[e]
    if not e.args or e.kind == "let":
        return e
    if e.kind == "mul":
        e = _sigmoids(e, known)
    args = tuple(recall(a, known) for a in e.args)
    return add(*args) if e.kind == "add" else mul(*args) if e.kind == "mul" else Expr(e.kind, args, e.shape, **e.params)


def _sigmoids(e: Expr, known: Mapping[Expr, Expr]) -> Expr:
    sigmoids = {a.args[0]: a for a in e.args if a.kind == "fn" and a.params["name"] == "sigma"}
    replaced = {}
    for x, whole in sigmoids.items():
        mirrored = mul(num(-1.0), x)
        if whole in known and mirrored in sigmoids:
            replaced[sigmoids[mirrored]] = lift(1) - known[whole]
    return mul(*[replaced.get(a, a) for a in e.args]) if replaced else e
