"""level="chain rule": a rule derived from its definition, entry by entry.

    Y_{nk} = Σ_l X_{nl} W_{lk} + b_k                                  the definition, written for one entry
    ∂Y_{nk}/∂W_{ij} = X_{ni} δ_{kj}                                   differentiated (`components.derivative`)
    ∂L/∂W_{ij} = Σ_{n,k} ∂L/∂Y_{nk} ∂Y_{nk}/∂W_{ij} = Σ_n ∂L/∂Y_{nj} X_{ni}     the chain rule; δ takes sums away
    W̄ = Xᵀ Ȳ                                                          the same for all entries at once

Where an op moves entries about (an index, a reshape), y_k = x_{ι(k)} takes the place of the first line (`moved.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.op import Node
from autograd_ae.explain import components as c
from autograd_ae.explain.by_entry import ByEntry, NotByEntry, only
from autograd_ae.explain.component_values import value
from autograd_ae.explain.components import Entry, Index
from autograd_ae.explain.expression import Expr, Shape, sym
from autograd_ae.explain.moved import Moved, moved
from autograd_ae.explain.rows import Layout, generic
from autograd_ae.explain.table import RULES
from autograd_ae.explain.tape import Step
from autograd_ae.explain.write_entries import latex

Array = np.ndarray
OUTPUT = {"rows": ("", "k", "nk", "mnk", "emnk", "demnk"), "columns": ("", "k", "kn", "mnk", "emnk", "demnk")}
INPUT = ("", "i", "ij", "hij", "ghij", "fghij")
REARRANGING = {
    "reshape", "getitem", "gather", "concatenate", "stack", "pad", "flip", "broadcast_to", "transpose", "cast",
}  # fmt: skip


@dataclass(frozen=True)
class RuleDerivation:
    r"""The derivation of one rule of an op.

    op, wrt : the op's name, and the LaTeX of the input (or inner value) whose gradient it is.
    lines : LaTeX, from the definition to the matrix form.
    definition, slope, gradient : y, ∂y/∂x and ∂L/∂x for one entry, as expressions; None where entries are moved.
    out, at : the indices of the entries of y and of x.    matrix : the matrix form, as an expression.
    moved : where entries come from, for an op that moves them, and the number k of that input; else None.
    """

    op: str
    wrt: str
    lines: tuple[str, ...]
    definition: Entry | None
    slope: Entry | None
    gradient: Entry | None
    out: tuple[Index, ...]
    at: tuple[Index, ...]
    matrix: Expr
    moved: Moved | None = None
    k: int | None = None

    def made(self, env: Mapping[Any, Array]) -> Array:
        """The first line, computed for every entry; where an op that moves entries takes them elsewhere, "y" itself."""
        if self.moved is not None:
            return self.moved.output(env["x", self.k], env["y"])
        assert self.definition is not None
        return value(self.definition, env, self.out)

    def value(self, env: Mapping[Any, Array]) -> Array:
        """The last sum, computed for every entry; `env` has ("x", k) for inputs, "g" or "d" for the gradient."""
        if self.moved is not None:
            return self.moved.gradient(env["g"])
        assert self.gradient is not None
        return value(self.gradient, env, self.at)


def rules_of(layout: Layout) -> Callable[[Step], tuple[str, ...]]:
    """What derives the rule of a step; the same rule is derived once."""
    done: dict[Any, tuple[str, ...]] = {}

    def lines(step: Step) -> tuple[str, ...]:
        if step.node is None:
            return ()
        shapes = tuple(t.shape for t in step.node.inputs)
        key = (step.node.op.name, step.k, shapes, repr(step.node.params))
        if key not in done:
            done[key] = derive_rule(step.node, step.k, layout).lines
        return done[key]

    return lines


def indices(letters: Sequence[str], shape: Shape) -> tuple[Index, ...]:
    """A letter for each axis, chosen by how many there are."""
    if len(shape) >= len(letters):
        raise NotByEntry("more axes than there are letters for")
    return tuple(Index(letter, n) if n != 1 else only(1) for letter, n in zip(letters[len(shape)], shape, strict=True))


def derive_rule(node: Node, k: int | None, layout: Layout) -> RuleDerivation:
    """How the rule of input k follows from the op's definition; None: of the value that a layer activates."""
    shapes = [t.shape for t in node.inputs]
    bar, matrix, names = generic(node, k, shapes, node.value.shape)
    definition, made, of, upstream = _definition(node, k, shapes)
    turned = layout.formula(matrix)
    last = f"{bar} = {layout.latex(matrix, names)}"
    names = {**names, "a": "A" if definition.ndim > 1 else "a"}
    wrt = names[of]
    shape = layout.shape(node.value.shape if of == "a" else shapes[k or 0])
    y_shape = layout.shape(definition.shape)
    if node.op.name in REARRANGING:
        found = moved(layout.formula(definition), of, {("x", j): layout.shape(s) for j, s in enumerate(shapes)})
        lines = (*found.lines(names[made], wrt), last)
        return RuleDerivation(node.op.name, wrt, lines, None, None, None, (), (), turned, found, k)
    try:
        at, out = indices(INPUT, shape), indices(OUTPUT[layout.name], y_shape)
        write = ByEntry((*at, *out))
        whole = write(layout.formula(definition), out)
    except NotByEntry:
        lines = (*_general(names[made], wrt, node), last)
        return RuleDerivation(node.op.name, wrt, lines, None, None, None, (), (), turned)
    slope = c.derivative(whole, of, at)
    gradient = write.summed(out, c.mul(c.entry(upstream, out), slope))
    y, x = latex(c.entry(made, out), names), latex(c.entry(of, at), names)
    sums = "".join(rf"\sum_{{{i.name}}} " for i in out if i.size > 1)
    lines = (
        f"{y} = {latex(whole, names)}",
        rf"\frac{{\partial {y}}}{{\partial {x}}} = {latex(slope, names)}",
        rf"\frac{{\partial L}}{{\partial {x}}} = {sums}\frac{{\partial L}}{{\partial {y}}} \, "
        rf"\frac{{\partial {y}}}{{\partial {x}}} = {latex(gradient, names)}",
        last,
    )
    return RuleDerivation(node.op.name, wrt, lines, whole, slope, gradient, out, at, turned)


def _definition(node: Node, k: int | None, shapes: list[Shape]) -> tuple[Expr, Any, Any, str]:
    """(what is differentiated, the symbol that it makes, the symbol by which, the gradient that comes in).

    A layer has two stages: A = X W + b, and Y = f(A)."""
    rule = RULES[node.op.name]
    x: list[Any] = [sym(("x", j), s) for j, s in enumerate(shapes)]
    value = rule.value(*x, **node.params)
    if rule.delta is None:
        return value, "y", ("x", k), "g"
    inner = next(e for e in _walk(value) if e.kind == "add" and e.args[0].kind == "mat")
    if k is None:
        return _put(value, inner, sym("a", inner.shape)), "y", "a", "g"
    return inner, "a", ("x", k), "d"


def _walk(e: Expr) -> list[Expr]:
    return [e, *(part for a in e.args for part in _walk(a))]


def _put(e: Expr, old: Expr, new: Expr) -> Expr:
    if e == old:
        return new
    return Expr(e.kind, tuple(_put(a, old, new) for a in e.args), e.shape, **e.params) if e.args else e


def _general(y: str, x: str, node: Node) -> tuple[str, ...]:
    """The op's own statement, and the chain rule."""
    y, x = f"{{{y}}}", f"{{{x}}}"
    return (
        node.op.latex,
        rf"\frac{{\partial L}}{{\partial {x}_i}} = \sum_k \frac{{\partial L}}{{\partial {y}_k}} \, "
        rf"\frac{{\partial {y}_k}}{{\partial {x}_i}}",
    )
