"""Blocks as text for a terminal: formulas in Unicode, arrays in columns, tables aligned by what a terminal shows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from autograd_ae.explain import blocks as b
from autograd_ae.explain import facets
from autograd_ae.explain.plain import plain, width

GAP = "  "


def text(title: str, blocks: Sequence[b.Block], columns: int = 120) -> str:
    """The page for a terminal; a table is as wide as its formulas need, words are wrapped at `columns`."""
    parts = [title, "=" * width(title)]
    for block in blocks:
        parts.append(_block(block, columns))
    return "\n".join(part for part in parts if part)


def _block(block: b.Block, columns: int) -> str:
    if isinstance(block, b.Heading):
        return f"\n{block.text}" + (f"\n{'-' * width(block.text)}" if block.level <= 2 else "")
    if isinstance(block, b.Paragraph):
        return "\n".join(
            line for part in " ".join(_parts(block.parts)).splitlines() for line in textwrap.wrap(part, columns)
        )
    if isinstance(block, b.Equations):
        return "\n".join(f"    {plain(line.replace('&', ''))}" for line in block.lines)
    if isinstance(block, b.Preformatted):
        return textwrap.indent(block.text, "    ")
    if isinstance(block, b.Picture):
        return f"[{block.caption}]"
    return _table(block, columns)


def _parts(parts: b.Parts) -> list[str]:
    """The lines of a cell."""
    lines = [""]
    for part in parts:
        if isinstance(part, b.Break):
            lines.append("")
        elif isinstance(part, b.Values):
            shown = facets.lines(part.array)
            lines = [*lines[:-1], lines[-1] + shown[0], *shown[1:]]
        else:
            lines[-1] += plain(part.latex) if isinstance(part, b.Math) else part.text
    return lines


def _table(table: b.Table, columns: int) -> str:
    cells = [[_parts(cell) for cell in row] for row in table.rows]
    heads = [[head] for head in table.columns]
    if _total(heads, cells) > columns:
        for column, below in table.under.items():
            heads[below] = [*heads[below], *(f"    {line}" for line in heads[column])]
            for row in cells:
                row[below] = [*row[below], *(f"    {line}" for line in row[column] if line)]
        kept = [k for k in range(len(heads)) if k not in table.under]
        right = tuple(kept.index(k) for k in table.right if k in kept)
        heads, cells = [heads[k] for k in kept], [[row[k] for k in kept] for row in cells]
    else:
        right = table.right
    widths = [max(width(line) for row in (heads, *cells) for line in row[k]) for k in range(len(heads))]
    lines = [*_lines(heads, widths, right), GAP.join("-" * w for w in widths)]
    for row in cells:
        lines += _lines(row, widths, right)
    return "\n".join(lines)


def _total(heads: list[list[str]], cells: list[list[list[str]]]) -> int:
    widest = [max(width(line) for row in (heads, *cells) for line in row[k]) for k in range(len(heads))]
    return sum(widest) + len(GAP) * (len(widest) - 1)


def _lines(row: list[list[str]], widths: list[int], right: tuple[int, ...]) -> list[str]:
    shown = []
    for i in range(max(len(cell) for cell in row)):
        line = []
        for k, cell in enumerate(row):
            part = cell[i] if i < len(cell) else ""
            room = " " * (widths[k] - width(part))
            line.append(room + part if k in right else part + room)
        shown.append(GAP.join(line).rstrip())
    return shown
