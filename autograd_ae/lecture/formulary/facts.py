"""A page for programs: its formulas as LaTeX in both layouts, and how well its example's gradients agree."""

from __future__ import annotations

from typing import Any

from autograd_ae.explain.derivation import derive
from autograd_ae.lecture.formulary.examples import EXAMPLES
from autograd_ae.lecture.formulary.loss_page import LOSSES
from autograd_ae.lecture.formulary.op_page import derivation, formulas, nodes


def facts(name: str, *, seed: int = 0) -> dict[str, Any]:
    """Formulas and digits of each variant of a page.

    >>> facts("square")["variants"][0]["formulas"][1]["rows"]
    '\\\\bar{X} = 2 \\\\, \\\\bar{Y} \\\\odot X'
    """
    variants = _of_loss(name, seed) if name in LOSSES else _of_function(name, seed)
    digits = [v["digits"] for v in variants if v["digits"] is not None]
    return {"variants": variants, "digits": min(digits) if digits else None}


def _of_function(name: str, seed: int) -> list[dict[str, Any]]:
    found = []
    for example in EXAMPLES[name]:
        shown = [
            {"op": node.op.name, "rows": f.written("rows"), "columns": f.written("columns")}
            for node in nodes(example)
            for f in formulas(node)
        ]
        digits = derivation(example, "rows", seed).digits if example.record().traced else None
        found.append({"call": example.written, "formulas": shown, "digits": digits})
    return found


def _of_loss(name: str, seed: int) -> list[dict[str, Any]]:
    found = []
    for variant in LOSSES[name]:
        loss = variant.record(seed)
        rows, columns = derive(loss), derive(loss, layout="columns", check=False)
        pairs = zip(rows.rows, columns.rows, strict=True)
        shown = [{"op": a.op, "rows": a.equation, "columns": b.equation} for a, b in pairs]
        found.append({"call": variant.written, "formulas": shown, "digits": rows.digits})
    return found
