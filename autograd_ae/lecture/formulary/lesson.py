"""The docstring of an op's file as blocks of a page: paragraphs, formulas that keep their lines, headings.

Formulas stand indented in docstrings and stay as they are. A paragraph that begins with one of `LEADS` and a full stop
begins a section.
"""

from __future__ import annotations

import inspect
import re
from types import ModuleType

from autograd_ae.explain.blocks import Block, Heading, Paragraph, Preformatted, Words

LEADS = (
    "Derivation", "Where digits are lost", "Accuracy", "Traps", "Domain", "Poles", "Powers", "Second derivatives",
    "Analytic forms", "Infinities", "Sources", "Cost", "Samples",
)  # fmt: skip
_LEAD = re.compile(rf"({'|'.join(LEADS)})\. +(?=\S)")

_MARKS = re.compile(r"`([^`]+)`|\*(\w[^*]*)\*")  # of code and of emphasis: not every output has them


def lesson(module: ModuleType) -> list[Block]:
    """What a module says about itself, under headings of the third rank."""
    blocks: list[Block] = []
    for part in re.split(r"\n[ \t]*\n", inspect.getdoc(module) or ""):
        blocks += _paragraph(part)
    return blocks


def _paragraph(part: str) -> list[Block]:
    """One paragraph; lines of it that are indented are formulas."""
    blocks: list[Block] = []
    found = _LEAD.match(part)
    if found is not None:
        blocks.append(Heading(found[1], 3))
        part = part[found.end() :]
    for indented, lines in _runs(part.splitlines()):
        if indented:
            blocks.append(Preformatted(inspect.cleandoc("\n" + "\n".join(lines))))
        else:
            blocks.append(Paragraph((Words(_MARKS.sub(r"\1\2", " ".join(line.strip() for line in lines))),)))
    return blocks


def _runs(lines: list[str]) -> list[tuple[bool, list[str]]]:
    """Neighbouring lines that are indented or not."""
    runs: list[tuple[bool, list[str]]] = []
    for line in lines:
        indented = line.startswith("    ")
        if not runs or runs[-1][0] != indented:
            runs.append((indented, []))
        runs[-1][1].append(line)
    return runs
