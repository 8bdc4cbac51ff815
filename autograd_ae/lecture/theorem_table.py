"""The theorems that the chapter rests on, each held against a model that is trained for it (`lecture/theorems`)."""

from __future__ import annotations

import sys

from autograd_ae.data import Dataset
from autograd_ae.lecture import figures, theorems
from autograd_ae.lecture.section import Section
from autograd_ae.lecture.theorems import THEOREMS

QUICK = ("1", "3", "4", "5", "18", "19", "20")  # those that take a second at most


def run(
    digits: Dataset | None = None,
    *,
    seed: int = 0,
    quick: bool = False,
    verbose: bool = True,
    only: tuple[str, ...] | None = None,
) -> Section:
    section = Section(
        "theorems",
        "The table of theorems",
        "Each model of the chapter has an exact answer. A model is trained for each, and must meet it within the "
        "tolerance that the theorem allows.",
        "The closed forms behind all sections; the command autograd-ae theorems --details prints every measure",
    )
    rows = only or (QUICK if quick else tuple(THEOREMS))
    note = (lambda text: print(f"  {text} …", file=sys.stderr, flush=True)) if verbose else None
    findings = theorems.check(rows, seed=seed, note=note)
    for found in findings:
        section.add(
            f"{found.number}. {found.title}",
            f"{found.error:.1e} ≤ {found.tolerance:.0e}".replace("-", "−"),
            f"{found.worst.quantity}" if found.ok else f"{found.worst.quantity}: {found.worst.text}",
            holds=found.ok,
            note=f"{found.statement} ({found.source})",
        )
    section.numbers["theorems"] = [found.to_dict() for found in findings]
    measured = sum(len(found.measures) for found in findings)
    kept = sum(found.ok for found in findings)
    section.say(
        f"{kept} of {len(findings)} theorems are kept, by {measured} measures in all; the table shows, for each, the "
        f"measure that comes nearest to its tolerance."
        + (
            f" {len(THEOREMS) - len(findings)} longer ones run without --quick."
            if len(findings) < len(THEOREMS)
            else ""
        )
    )
    section.show(
        "theorems",
        figures.margins({f.number: (max(f.error, 1e-18), f.tolerance) for f in findings}),
        "For each theorem a dot for the achieved error and a bar for the tolerance, on a logarithmic scale.",
        "Errors left of their tolerance hold; an error of exactly 0 is drawn at 10⁻¹⁸.",
    )
    section.settings |= {"seed": str(seed), "rows": ", ".join(found.number for found in findings)}
    return section
