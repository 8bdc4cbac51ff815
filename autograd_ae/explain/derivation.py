"""`explain(loss)`: the derivation of a recorded computation, step by step, with numbers and an independent check.

Every step of the recording is a row: what it computes, forward; where its gradient comes from, backward. Beside each
gradient stands what the complex step finds, which knows no gradient rule (`check.py`).

    layout="rows"       samples in rows, as in the code:        Y = X W + b,   W̄ = Xᵀ Ȳ
    layout="columns"    samples in columns, as in the lecture:  Y = W X + b,   W̄ = Ȳ Xᵀ
    level="op"          one row for each op
    level="layer"       a layer is one row forward, and what it hands back is collected
    level="chain rule"  as "op", and each rule derived from its definition, entry by entry: ∂L/∂W_ij = Σ_n …

W̄ is short for ∂L/∂W, and Δ for ∂L/∂A with A the value to which a layer's activation is applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from autograd_ae.core.errors import GraphError
from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.explain.against import Against
from autograd_ae.explain.blocks import (
    Block,
    Break,
    Equations,
    Heading,
    Math,
    Page,
    Paragraph,
    Parts,
    Table,
    Values,
    Words,
)
from autograd_ae.explain.chain_rule import rules_of
from autograd_ae.explain.check import Check, ComplexStep
from autograd_ae.explain.compose import ClosedForm, closed_forms
from autograd_ae.explain.evaluation import evaluate
from autograd_ae.explain.facets import number
from autograd_ae.explain.layers import Layers
from autograd_ae.explain.legend import legend
from autograd_ae.explain.rows import Layout, Row, rows_of
from autograd_ae.explain.tape import Tape, start
from autograd_ae.explain.write_latex import aligned

Array = np.ndarray
LEVELS = ("op", "layer", "chain rule")
FORWARD = ("no", "step", "shape", "value")
BACKWARD = ("no", "step", "from", "local rule", "shape", "gradient", "complex step", "digits")
CLOSED = ("gradient", "shape", "value of the formula", "backward pass", "digits")
EXPLAINED = "The steps put into each other and simplified, beside what the backward pass computed."


class Derivation(Page):
    """What `explain` returns: rows, and the page made of them.

    Attributes
    ----------
    rows : the steps, forward and then backward.    layout : "rows" or "columns".    level : see `explain`.
    comparisons, diagnosis : of gradients that were given as `against`; see `against.Comparison`, `testing.Diagnosis`.
    digits : decimal digits to which every gradient agrees with the complex step (the least of all; None without check).
    """

    def __init__(self, tape: Tape, layout: Layout, level: str, rows: list[Row], against: Against | None = None):
        self.tape, self.rows, self.level, self._layout = tape, rows, level, layout
        self.comparisons = against.comparisons if against is not None else []
        self.diagnosis = against.diagnosis if against is not None else None
        self._against = against
        self.layout = layout.name
        found = [row.check.digits for row in rows if row.check is not None and row.check.digits is not None]
        self.digits = min(found) if found else None
        super().__init__(self._title(), ())
        self.blocks = self._blocks()

    @cached_property
    def closed_forms(self) -> list[ClosedForm]:
        """The gradients of codes and leaves as one formula each, and the formulas that these use by name."""
        wanted = {row.target for row in self.backward}
        return [form for form in closed_forms(self.tape, self._layout) if form.target is None or form.target in wanted]

    @property
    def forward(self) -> list[Row]:
        return [row for row in self.rows if row.direction == "forward"]

    @property
    def backward(self) -> list[Row]:
        return [row for row in self.rows if row.direction == "backward"]

    def evaluate(self, row: Row) -> Array:
        """The formula that a row shows, computed; `row.contribution` is what the engine computed."""
        env = {key: self._layout.array(a) for key, a in self.tape.env.items()}
        return evaluate(row.expr, env)

    # The page.

    def _title(self) -> str:
        from autograd_ae.explain.plain import plain

        return f"Derivation of {plain(self.tape.symbols.of[self.tape.symbols.output])}, samples in {self.layout}"

    def _blocks(self) -> list[Block]:
        blocks: list[Block] = [Paragraph(self._summary())]
        if self._against is not None:
            blocks += self._against.blocks()
        given = legend(self.tape, self._layout, [row.expr for row in self.rows])
        if given is not None:
            blocks += [Heading("Given"), given]
        blocks += [Heading("Forward"), Table(FORWARD, tuple(_forward(row) for row in self.forward), right=(0,))]
        if self.backward:
            cells = tuple(_backward(row) for row in self.backward)
            table = _without_empty(Table(BACKWARD, cells, under={3: 1}, right=(0, 7)))
            blocks += [Heading("Backward"), Paragraph((Words("A bar stands for the gradient: "), Math(r"\bar{W}"),
                       Words(" is "), Math(r"\partial L / \partial W"), Words("."))), table]  # fmt: skip
        blocks += self._rules()
        if self.closed_forms:
            found = tuple(_closed(form) for form in self.closed_forms)
            blocks += [Heading("In closed form"), Paragraph((Words(EXPLAINED),)), Table(CLOSED, found, right=(4,))]
        return blocks

    def _rules(self) -> list[Block]:
        """Each rule from its definition, once, with the steps that use it."""
        users: dict[tuple[str, ...], list[Row]] = {}
        for row in self.backward:
            if row.components:
                users.setdefault(row.components, []).append(row)
        blocks: list[Block] = [Heading("Each rule from its definition")] if users else []
        for lines, rows in users.items():
            steps = ", ".join(str(row.number) for row in rows)
            blocks += [Heading(f"{rows[0].op}, step {steps}", 3), Equations(tuple(aligned(line) for line in lines))]
        return blocks

    def _summary(self) -> Parts:
        steps = f"{len(self.forward)} steps forward, {len(self.backward)} back."
        if self.digits is None:
            return (Words(steps),)
        good = "good" if self.digits >= self._wanted else "bad"
        return (Words(f"{steps} Every gradient agrees with the complex step to at least "),
                Words(f"{self.digits:.1f} digits", good), Words("."))  # fmt: skip

    @property
    def _wanted(self) -> float:
        """Digits below which something is wrong: half of what the dtype has."""
        dtype = self.tape.program.values[self.tape.symbols.output].dtype
        return -0.5 * float(np.log10(np.finfo(dtype).eps))


def _forward(row: Row) -> tuple[Parts, ...]:
    return (Words(str(row.number)),), (Math(row.equation),), (Words(_shape(row.shape)),), (Values(row.value),)


def _backward(row: Row) -> tuple[Parts, ...]:
    rule: Parts = (Words(f"{row.op}: "), Math(row.rule)) if row.rule else ()
    upstream: Parts = (Math(row.upstream),) if row.upstream else ()
    digits: Parts = ()
    if row.check is not None and row.check.digits is not None:
        digits = (Words(f"{row.check.digits:.1f}"),)
    return (
        (Words(str(row.number)),),
        (Math(row.equation),),
        upstream,
        rule,
        (Words(_shape(row.shape)),),
        (Values(row.value),),
        _checked(row.check),
        digits,
    )


def _without_empty(table: Table) -> Table:
    """The table without columns in which nothing stands."""
    kept = [k for k in range(len(table.columns)) if any(row[k] for row in table.rows)]
    place = {k: i for i, k in enumerate(kept)}
    return Table(
        tuple(table.columns[k] for k in kept),
        tuple(tuple(row[k] for k in kept) for row in table.rows),
        {place[a]: place[b] for a, b in table.under.items() if a in place},
        tuple(place[k] for k in table.right if k in place),
    )


def _closed(form: ClosedForm) -> tuple[Parts, ...]:
    program: Parts = () if form.program is None else (Values(form.program),)
    digits: Parts = () if form.digits is None else (Words(f"{form.digits:.1f}"),)
    return (Math(form.equation),), (Words(_shape(form.value.shape)),), (Values(form.value),), program, digits


def _checked(check: Check | None) -> Parts:
    """A small gradient in full; of a large one a direction and a few entries."""
    if check is None:
        return ()
    kinks: Parts = (Break(), Words(f"{check.kinks} at a kink")) if check.kinks else ()
    if check.values is not None:
        return (Values(check.values), *kinks)
    parts: Parts = ()
    if check.along is not None:
        parts += (Words(f"along ±1: {number(check.along[1])}"),)
    for index, _, found in check.entries:
        parts += (Break(), Words(f"[{', '.join(map(str, index))}]: {number(found)}"))
    return parts + kinks


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) if shape else "number"


def derive(
    loss: Tensor,
    *,
    layout: str = "rows",
    symbols: Mapping[str, str] | None = None,
    upto: int | str | Tensor | None = None,
    level: str = "op",
    wrt: Any = None,
    cotangent: Any = None,
    check: bool = True,
    against: Any = None,
) -> Derivation:
    """The derivation of `loss`; see `autograd_ae.explain`."""
    if not isinstance(loss, Tensor):
        remedy = "compute the loss with tensors (ae.tensor) and functions of autograd_ae"
        if callable(loss):
            remedy = "call it first, as in ae.explain(model.loss(X[:64]))"
        raise TypeError(f"a derivation is made of a recorded tensor, {type(loss).__name__} arrived: {remedy}")
    if level not in LEVELS:
        raise ValueError(f"level is {level!r}; it is one of {', '.join(map(repr, LEVELS))}")
    turned = Layout(layout)
    if loss.node is None:
        raise GraphError(f"{loss._label()} was not computed from anything: there is nothing to derive")
    chosen = None if wrt is None else [wrt] if isinstance(wrt, Tensor) else list(wrt)
    tape = start(Program([loss], wrt=chosen), cotangent, dict(symbols or {}))
    checks = ComplexStep(tape.program, tape.cotangent) if check and tape.backward else None
    steps = [*tape.forward, *tape.backward]
    if level == "layer":
        layers = Layers(tape)
        steps = [*layers.forward(), *layers.backward()]
    derived = rules_of(turned) if level == "chain rule" else lambda step: ()
    rows = rows_of(tape, steps, turned, checks, derived)
    claims = Against(tape, turned, against) if against is not None else None
    return Derivation(tape, turned, level, _until(rows, upto, tape), claims)


def _until(rows: list[Row], upto: int | str | Tensor | None, tape: Tape) -> list[Row]:
    """The rows up to a number, a tensor, or a symbol by its LaTeX or by the tensor's name (`dW_1`: the gradient)."""
    if upto is None:
        return rows
    if isinstance(upto, int):
        if not 1 <= upto <= len(rows):
            raise ValueError(f"upto is step {upto}, but there are steps 1 to {len(rows)}")
        return rows[:upto]
    if isinstance(upto, Tensor):
        wanted = {("v", tape.program.place(upto))}
    else:
        named = {("v", k) for k, v in enumerate(tape.program.values) if v.name == upto}
        gradients = {("g", k) for k, v in enumerate(tape.program.values) if upto == f"d{v.name}"}
        wanted = named | gradients | {row.target for row in rows if row.symbol == upto}
    at = [k for k, row in enumerate(rows) if row.target in wanted]
    if not at:
        symbols = ", ".join(dict.fromkeys(row.symbol for row in rows))
        raise ValueError(f"upto is {upto!r}, which no step computes; there are {symbols}")
    return rows[: at[-1] + 1]
