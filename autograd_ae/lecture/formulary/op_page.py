"""The page of a function: statement, gradients in both layouts, derivation, code, picture, an example with its check.

Everything on it is read off: the formulas are the expressions of `explain.RULES`, which the tests evaluate against the
code; the derivation is the docstring of the op's own file; the code is its source; the example is `ae.explain` of a
call.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from autograd_ae.core.op import Node, Op
from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.explain.blocks import (
    Block,
    Equations,
    Heading,
    Math,
    Page,
    Paragraph,
    Parts,
    Preformatted,
    Table,
    Words,
)
from autograd_ae.explain.chain_rule import derive_rule
from autograd_ae.explain.derivation import Derivation, aligned, derive
from autograd_ae.explain.expression import Expr, lets_of, sym
from autograd_ae.explain.rows import LAYOUTS, Layout, generic
from autograd_ae.explain.symbols import from_name
from autograd_ae.explain.table import RULES
from autograd_ae.lecture.formulary.examples import EXAMPLES, Example
from autograd_ae.lecture.formulary.lesson import lesson
from autograd_ae.lecture.formulary.plots import plot
from autograd_ae.ops import api

BAR = (
    "A bar stands for the gradient of whatever is differentiated, L: ", r"\bar{Y} = \partial L / \partial Y",
    ". It arrives from above; the rules hand it on.",
)  # fmt: skip


class Formula:
    """A line of the statement: a symbol and the expression it equals, with the names of the expression's symbols."""

    def __init__(self, symbol: str, expr: Expr, names: dict[Any, str]):
        self.symbol, self.expr, self.names = symbol, expr, names

    def written(self, layout: str) -> str:
        return f"{self.symbol} = {Layout(layout).latex(self.expr, self.names)}"


def formulas(node: Node) -> list[Formula]:
    """The value and the rules of a recorded op, in the op's own letters."""
    shapes, y = [t.shape for t in node.inputs], node.value.shape
    found = [Formula(*generic(node, k, shapes, y)) for k in rules(node)]
    names = found[0].names if found else _names(node)
    value = RULES[node.op.name].value(*[sym(("x", j), s) for j, s in enumerate(shapes)], **node.params)
    return [Formula(names["y"], value, names), *found]


def _names(node: Node) -> dict[Any, str]:
    """Symbols of an op without rules."""
    pairs = enumerate(zip(node.op.argument_names, node.inputs, strict=True))
    return {("x", j): from_name(a, t.ndim) for j, (a, t) in pairs} | {"y": from_name("y", node.value.ndim)}


def nodes(example: Example) -> list[Node]:
    """The ops that a call records, each kind once."""
    return list({node.op.name: node for node in Program([example.record()]).nodes}.values())


def op_page(name: str, *, layout: str = "rows", seed: int = 0) -> Page:
    """The page of a public function of the calculus.

    Parameters
    ----------
    layout : of the worked example.    seed : of the gradient that arrives in it.
    """
    examples = EXAMPLES[name]
    recorded = {node.op.name: node for example in examples for node in nodes(example)}
    modules = list(dict.fromkeys(_module(node.op, name) for node in recorded.values()))
    blocks: list[Block] = [*_described(name)]
    blocks += [Heading("Statement and gradients"), *_statements(examples)]
    blocks += _derivations(examples)
    picture = plot(name)
    if picture is not None:
        blocks += [Heading("Picture"), picture]
    for module in modules:
        blocks += [Heading(f"From {_path(module)}"), *lesson(module)]
    blocks += [Heading("In code"), *_code(node.op for node in recorded.values())]
    for k, example in enumerate(examples):
        title = "Worked example" if len(examples) == 1 else f"Worked example {k + 1}"
        blocks += [Heading(title), *worked(example, layout, seed)]
    return Page(name, tuple(blocks))


def signature(name: str) -> str:
    """The call as it is written, without types.

    >>> signature("elu")
    'ae.elu(x, *, alpha=1.0)'
    """
    found = inspect.signature(getattr(api, name))
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values()]
    return f"ae.{name}{found.replace(parameters=bare, return_annotation=inspect.Signature.empty)}"


def summary(name: str) -> str:
    """The first paragraph of the function's docstring."""
    return " ".join((inspect.getdoc(getattr(api, name)) or "").partition("\n\n")[0].split())


def _described(name: str) -> Iterator[Block]:
    """Signature and docstring, without its examples."""
    yield Preformatted(signature(name))
    yield Paragraph((Words(summary(name)),))
    rest = (inspect.getdoc(getattr(api, name)) or "").partition("\n\n")[2].partition(">>>")[0].strip()
    if rest:
        yield Preformatted(rest)


def _module(op: Op, name: str) -> ModuleType:
    """The file of the op: that of its rules or of its reference; for a shared one, that of the function."""
    rules = [rule.fn.__module__ for rule in op.pullbacks if rule is not None]
    home = rules[0] if rules else op.reference.__module__
    own = getattr(api, name).__module__
    return sys.modules[home if home.startswith("autograd_ae.ops") else own]


def _path(module: ModuleType) -> str:
    return f"{module.__name__.replace('.', '/')}.py"


def _statements(examples: list[Example]) -> Iterator[Block]:
    for example in examples:
        for node in nodes(example):
            rows: list[tuple[Parts, ...]] = []
            for k, formula in enumerate(formulas(node)):
                what = "value" if k == 0 else "gradient"
                rows.append(((Words(what),), (Math(formula.written("rows")),), (Math(formula.written("columns")),)))
            rows += _abbreviations(formulas(node))
            shapes = ", ".join(_shape(t.shape) for t in node.inputs)
            yield Paragraph((Words(f"{example.written} records {node.op.name}, here of shapes {shapes}:"),))
            yield Table(("", "samples in rows, as in the code", "samples in columns, as in the lecture"), tuple(rows))
    if any(node.op.differentiable for example in examples for node in nodes(example)):
        before, equation, after = BAR
        yield Paragraph((Words(before), Math(equation), Words(after)))
    else:
        yield Paragraph((Words("It is constant almost everywhere and carries no gradient."),))


def _abbreviations(found: list[Formula]) -> Iterator[tuple[Parts, ...]]:
    """What formulas name by a letter of its own, such as the mean activation."""
    named = {e: formula.names for formula in found for e in lets_of(formula.expr)}
    for e, names in named.items():
        both = (Formula(e.params["latex"], e.args[0], names).written(layout) for layout in LAYOUTS)
        yield (Words("where"),), *((Math(written),) for written in both)


def rules(node: Node) -> list[int | None]:
    """The inputs that have a gradient; None first where the rules start from an inner value."""
    inner: list[int | None] = [] if node.op.delta is None else [None]
    return inner + [k for k in range(len(node.inputs)) if node.op.differentiable and node.op.rule(k) is not None]


def _derivations(examples: list[Example]) -> Iterator[Block]:
    """Each rule from its definition by components, once; in the lecture's layout too where its form differs there."""
    shown: set[tuple[str, ...]] = set()
    for example in examples:
        for node in nodes(example):
            for formula, k in zip(formulas(node)[1:], rules(node), strict=True):
                same = formula.written("rows") == formula.written("columns")
                for layout in LAYOUTS[:1] if same else LAYOUTS:
                    found = derive_rule(node, k, Layout(layout))
                    if found.lines not in shown:
                        if not shown:
                            yield Heading("Derivation by components")
                        shown.add(found.lines)
                        yield Heading(
                            f"{node.op.name}, {_wrt(node, k)}" + ("" if same else f", samples in {layout}"), 3
                        )
                        yield Equations(tuple(aligned(line) for line in found.lines))


def _wrt(node: Node, k: int | None) -> str:
    if k is None:
        return "the value before the activation"
    return f"input {node.op.argument_names[0 if node.op.variadic else k]}"


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) if shape else "number"


def _code(ops: Iterable[Op]) -> Iterator[Block]:
    """The NumPy reference and the rules, as they stand in the op's file."""
    shown: dict[str, None] = {}
    for op in ops:
        rules = [rule.fn for rule in (op.delta, *op.pullbacks) if rule is not None]
        for function in (op.reference, *rules):
            shown[_source(function)] = None
    yield Paragraph((Words("The reference, in analytic NumPy, and the rules: each writes the gradient into out."),))
    yield Preformatted("\n\n".join(text for text in shown if text))


def _source(function: Any) -> str:
    try:
        return inspect.cleandoc("\n" + inspect.getsource(function)).strip()
    except (OSError, TypeError):  # a ufunc, or made by a factory without a source of its own
        return ""


def worked(example: Example, layout: str, seed: int) -> Iterator[Block]:
    """The derivation of the call with numbers, and what the complex step says of each gradient."""
    yield Paragraph((Words(f"y = {example.written}"),))
    y = example.record()
    if not y.traced:
        yield Preformatted(f"{np.array2string(y.data.astype(int) if y.data.dtype == bool else y.data)}")
        return
    yield from lowered(derivation(example, layout, seed).blocks, 3)


def lowered(blocks: Iterable[Block], level: int) -> Iterator[Block]:
    """The blocks with headings of a lower rank, below that of a section."""
    return (Heading(b.text, level) if isinstance(b, Heading) else b for b in blocks)


def derivation(example: Example, layout: str, seed: int) -> Derivation:
    """The call derived for a gradient that arrives: 1 where y is a number, else drawn and rounded to tenths."""
    y = example.call(*example.leaves())
    return derive(y, layout=layout, cotangent=cotangent(y, seed))


def cotangent(y: Tensor, seed: int) -> np.ndarray | None:
    return None if y.shape == () else np.random.default_rng(seed).normal(size=y.shape).round(1)
