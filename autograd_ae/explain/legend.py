"""What a derivation starts from: data, parameters and constants by symbol, and the numbers that have a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from autograd_ae.explain.blocks import Math, Parts, Table, Values, Words
from autograd_ae.explain.evaluation import evaluate
from autograd_ae.explain.expression import Expr, lets_of
from autograd_ae.explain.facets import number
from autograd_ae.explain.rows import Layout
from autograd_ae.explain.tape import Tape
from autograd_ae.explain.typeset import latex

MEANING = {"B": "number of samples", "n": "number of entries"}
KINDS = {"parameter": "learned", "constant": "given", "input": "given"}


def legend(tape: Tape, layout: Layout, shown: Sequence[Expr]) -> Table | None:
    """Symbol, what it is, shape, value."""
    rows: list[tuple[Parts, ...]] = []
    for place, value in enumerate(tape.program.values):
        if value.kind not in KINDS or tape.symbols.number_of(place):
            continue
        what = KINDS[value.kind] + (f", {value.name}" if value.name else "")
        array = layout.array(tape.env["v", place])
        shape = "×".join(map(str, array.shape)) if array.shape else "number"
        rows.append(((Math(tape.symbols.of[place]),), (Words(what),), (Words(shape),), (Values(array),)))
    for symbol, values in named_numbers(shown).items():
        words = MEANING.get(symbol, "number")
        rows.append(((Math(symbol),), (Words(words),), (), (Words(", ".join(number(v) for v in values)),)))
    env = {key: layout.array(a) for key, a in tape.env.items()}
    for e in dict.fromkeys(x for formula in shown for x in lets_of(formula)):
        equation = Math(f"{e.params['latex']} = {latex(e.args[0], tape.names)}")
        found = evaluate(e.args[0], env)
        shape = "×".join(map(str, found.shape))
        rows.append(((equation,), (Words("abbreviation"),), (Words(shape),), (Values(found),)))
    return Table(("symbol", "what", "shape", "value"), tuple(rows)) if rows else None


def named_numbers(shown: Iterable[Expr]) -> dict[str, list[float]]:
    """Numbers that formulas show by a name, and what they stand for, in order of appearance."""
    found: dict[str, list[float]] = {}
    for e in shown:
        for symbol, value in _numbers(e):
            if value not in found.setdefault(symbol, []):
                found[symbol].append(value)
    return {s: v for s, v in found.items() if "pi" not in s and "(" not in s}


def _numbers(e: Expr) -> Iterator[tuple[str, float]]:
    if e.kind == "num" and e.params["latex"] is not None:
        yield e.params["latex"], e.params["value"]
    for a in e.args:
        yield from _numbers(a)
