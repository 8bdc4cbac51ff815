"""The rows of a derivation: every step of a tape, turned to the layout that was asked for, and written.

A row holds the formula twice, as the expression that tests evaluate and as the LaTeX that is written from this
expression, and nothing else is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_ae.core.op import Node
from autograd_ae.core.program import Line
from autograd_ae.explain import columns
from autograd_ae.explain.check import Check, ComplexStep
from autograd_ae.explain.evaluation import magnitude
from autograd_ae.explain.expression import Expr, Shape, sym
from autograd_ae.explain.symbols import barred, from_name
from autograd_ae.explain.table import RULES
from autograd_ae.explain.tape import Step, Tape
from autograd_ae.explain.typeset import latex

Array = np.ndarray
LAYOUTS = ("rows", "columns")
LETTERS = {"mean": "m", "log_variance": "s", "variance": "v", "noise": "e", "condition": "c", "exponent": "p"}


@dataclass(frozen=True)
class Row:
    """One step of a derivation.

    Attributes
    ----------
    number : from 1, forward and backward steps counted on.    direction : "forward" or "backward".
    symbol, formula : LaTeX of the two sides.    adds : whether the formula is added to what the symbol held.
    shape, value : of the symbol after this step, in the layout of the derivation.
    op : name of the op that the step belongs to; empty for the start of the way back.
    upstream : LaTeX of the gradient that the rule starts from.    rule : the rule in the op's own letters, LaTeX.
    check : what the complex step says of a gradient that is complete with this step.
    components : the rule derived from its definition, entry by entry, as LaTeX lines (level="chain rule").
    expr, contribution : the formula as an expression, and the engine's value of it.
    """

    number: int
    direction: str
    symbol: str
    formula: str
    adds: bool
    shape: Shape
    value: Array
    op: str
    upstream: str
    rule: str
    check: Check | None
    components: tuple[str, ...]
    expr: Expr = field(repr=False)
    contribution: Array = field(repr=False)
    target: tuple[str, int] = ("v", 0)

    @property
    def equation(self) -> str:
        r"""The whole line: `Z = X W_1`, or `\bar{Z} \leftarrow \bar{Z} + …` where it adds."""
        if not self.adds:
            return f"{self.symbol} = {self.formula}"
        sign = " - " if self.formula.startswith("-") else " + "
        return rf"{self.symbol} \leftarrow {self.symbol}{sign}{self.formula.removeprefix('-')}"


class Layout:
    """Rows as they are, or columns: what it does to shapes, arrays and formulas."""

    def __init__(self, name: str):
        if name not in LAYOUTS:
            raise ValueError(f"layout is {name!r}; it is 'rows' (as in the code) or 'columns' (as in the lecture)")
        self.name, self.columns = name, name == "columns"

    def shape(self, rows: Shape) -> Shape:
        return columns.shape(rows) if self.columns else rows

    def array(self, a: Array) -> Array:
        return columns.values(a) if self.columns else a

    def formula(self, e: Expr) -> Expr:
        return columns.formula(e) if self.columns else e

    def index(self, rows: tuple[int, ...]) -> tuple[int, ...]:
        return rows[::-1] if self.columns and len(rows) == 2 else rows

    def latex(self, e: Expr, names: Mapping[Any, str]) -> str:
        """An expression that is in rows, turned and written."""
        return latex(self.formula(e), names)


def local_rule(step: Step, layout: Layout) -> str:
    r"""The rule of a backward step in the op's own letters: `\bar{W} = X^\top \bar{Y}` of a dense layer."""
    node = step.node
    if node is None:
        return ""
    left, right, names = generic(node, step.k, [t.shape for t in node.inputs], node.value.shape)
    return f"{left} = {layout.latex(right, names)}"


def generic(node: Node, k: int | None, shapes: list[Shape], y_shape: Shape) -> tuple[str, Expr, dict[Any, str]]:
    """The rule of input k (None: of the inner value) as (symbol, formula, names), for inputs of these shapes."""
    op, rule = node.op, RULES[node.op.name]
    arguments = op.argument_names
    if op.variadic:
        arguments = tuple(f"{arguments[0]}_{j}" for j in range(len(shapes)))
    letter = "y" if "y" not in arguments else "r"
    arguments = tuple(LETTERS.get(a, a) for a in arguments)
    pairs = enumerate(zip(arguments, shapes, strict=True))
    names: dict[Any, str] = {("x", j): from_name(a, len(s)) for j, (a, s) in pairs}
    names["y"] = from_name(letter, len(y_shape))
    names["g"], names["d"] = barred(names["y"]), r"\Delta"
    x = [sym(("x", j), s) for j, s in enumerate(shapes)]
    y, g = sym("y", y_shape), sym("g", y_shape)
    if k is None:
        assert rule.delta is not None
        return r"\Delta", rule.delta(g, y, *x, **node.params), names
    if rule.delta is not None:
        g = sym("d", y_shape)
    state = rule.gradient(k)
    assert state is not None
    params = {**node.params, "wrt": k} if op.variadic else node.params
    return barred(names["x", k]), state(g, y, *x, **params), names


def rows_of(
    tape: Tape,
    steps: Iterable[Step],
    layout: Layout,
    checks: ComplexStep | None,
    derived: Callable[[Step], tuple[str, ...]] = lambda step: (),
) -> list[Row]:
    """The rows of steps, numbered; `derived` gives the lines that derive a step's rule."""
    rows: list[Row] = []
    sizes: dict[tuple[str, int], float] = {}
    for step in steps:
        backward = step.target[0] != "v"
        check = None
        if backward:
            largest = magnitude(step.formula, tape.env)
            sizes[step.target] = sizes.get(step.target, 0.0) + largest
            if step.last and checks is not None and step.total.dtype != bool and step.total.size:
                check = checked(step, tape, checks, sizes[step.target])
        rows.append(
            Row(
                number=len(rows) + 1,
                direction="backward" if backward else "forward",
                symbol=tape.names[step.target],
                formula=layout.latex(step.formula, tape.names),
                adds=step.adds,
                shape=layout.shape(step.total.shape),
                value=layout.array(step.total),
                op=step.node.op.name if step.node is not None else "",
                upstream=tape.names[step.upstream] if step.upstream is not None else "",
                rule=local_rule(step, layout) if backward else "",
                check=turned(check, layout),
                components=derived(step) if backward else (),
                expr=layout.formula(step.formula),
                contribution=layout.array(step.array),
                target=step.target,
            )
        )
    return rows


def checked(step: Step, tape: Tape, checks: ComplexStep, terms: float) -> Check:
    kind, place = step.target
    layer: Line | None = tape.program.forward[step.line] if kind == "d" else None
    return checks.check(place, step.total, terms, layer)


def turned(check: Check | None, layout: Layout) -> Check | None:
    """The numbers of a check in the layout of the page."""
    if check is None or not layout.columns:
        return check
    values = None if check.values is None else layout.array(check.values)
    return Check(
        values, check.along, tuple((layout.index(i), a, b) for i, a, b in check.entries), check.digits, check.kinks
    )
