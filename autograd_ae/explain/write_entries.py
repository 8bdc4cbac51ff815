r"""Entries as LaTeX: `\sum_{n} \frac{\partial L}{\partial Y_{nj}} \, X_{ni}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograd_ae.explain.components import Entry, Index, plain_number
from autograd_ae.explain.typeset import NAMED, number

ADD, SUM, MUL, ATOM = range(4)
LAST = {"index": 1, "sum": 2, "over": 2}  # where they stand in a product
UPSTREAM = {"g": "y", "d": "a"}  # entries of these are written ∂L/∂ of those


def latex(e: Entry, names: Mapping[Any, str]) -> str:
    return _written(e, names)[0]


def _at(e: Entry, names: Mapping[Any, str], least: int) -> str:
    text, tightness = _written(e, names)
    return text if tightness >= least else f"({text})"


def _subscript(symbol: str, indices: tuple[Index, ...]) -> str:
    if not indices:
        return symbol
    return f"{{{symbol}}}_{{{' '.join(i.name for i in indices)}}}"


def _written(e: Entry, names: Mapping[Any, str]) -> tuple[str, int]:
    if e.kind == "num":
        value, name = e.data
        return name or number(value), ADD if value < 0 and not name else ATOM
    if e.kind == "entry":
        key, indices = e.data
        if key in UPSTREAM:
            return rf"\frac{{\partial L}}{{\partial {_subscript(names[UPSTREAM[key]], indices)}}}", ATOM
        return _subscript(names[key], indices), ATOM
    if e.kind == "index":
        sign, a, b = e.data
        return (rf"\delta_{{{a.name} {b.name}}}" if sign == "=" else rf"[{a.name} {sign} {b.name}]"), ATOM
    if e.kind == "sum":
        return rf"\sum_{{{e.data.name}}} {_at(e.args[0], names, SUM)}", SUM
    if e.kind == "over":
        name, indices = e.data
        return rf"\{name}_{{{' '.join(i.name for i in indices)}}} {_at(e.args[0], names, MUL)}", SUM
    if e.kind in ("add", "mul"):
        return _add(e, names) if e.kind == "add" else _mul(e, names)
    if e.kind == "div":
        return rf"\frac{{{_at(e.args[0], names, ADD)}}}{{{_at(e.args[1], names, ADD)}}}", ATOM
    if e.kind == "pow":
        base = _at(e.args[0], names, ATOM)
        return rf"{{{base}}}^{{{_at(e.args[1], names, ADD)}}}", ATOM
    if e.kind == "relation":
        return f"[{_at(e.args[0], names, ADD)} {e.data} {_at(e.args[1], names, ADD)}]", ATOM
    if e.kind == "cases":
        a, holds, b = (_at(x, names, MUL) for x in e.args)
        return rf"{a} \text{{ where }} {holds}, \text{{ else }} {b}", ADD
    return _fn(e, names)


def _negative(e: Entry) -> bool:
    first = e.args[0] if e.kind == "mul" else e
    return plain_number(first) and first.data[0] < 0


def _add(e: Entry, names: Mapping[Any, str]) -> tuple[str, int]:
    text = _at(e.args[0], names, ADD)
    for term in e.args[1:]:
        shown = _at(term, names, ADD if _negative(term) else SUM)
        text += f" - {shown[1:].lstrip()}" if _negative(term) and shown.startswith("-") else f" + {shown}"
    return text, ADD


def _mul(e: Entry, names: Mapping[Any, str]) -> tuple[str, int]:
    factors = list(e.args)
    sign = ""
    if plain_number(factors[0]) and factors[0].data[0] < 0:
        sign, value = "-", -factors[0].data[0]
        factors = factors[1:] if value == 1 else [Entry("num", (), (value, None)), *factors[1:]]
    factors.sort(
        key=lambda f: ("index", "sum").index(f.kind) + 1 if f.kind in ("index", "sum") else 2 * (f.kind == "over")
    )
    shown = [_at(f, names, MUL) for f in factors[:-1]] + [_at(factors[-1], names, SUM)]
    ends = factors[-1].kind in ("sum", "over")
    return sign + r" \, ".join(shown), ADD if sign else SUM if ends else MUL


def _fn(e: Entry, names: Mapping[Any, str]) -> tuple[str, int]:
    inner = [_at(a, names, ADD) for a in e.args]
    if e.data == "exp":
        return f"e^{{{inner[0]}}}", ATOM
    if e.data == "sqrt":
        return rf"\sqrt{{{inner[0]}}}", ATOM
    if e.data == "abs":
        return rf"\lvert {inner[0]} \rvert", ATOM
    if e.data == "ln":
        return rf"\ln {_at(e.args[0], names, ATOM)}", MUL
    return rf"{NAMED[e.data]}({', '.join(inner)})", ATOM
