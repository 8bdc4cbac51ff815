"""Blocks as GitHub's Markdown: formulas between dollars, tables with pipes, a cell's lines parted by `<br>`."""

from __future__ import annotations

from collections.abc import Sequence

from autograd_ae.explain import blocks as b
from autograd_ae.explain import facets


def markdown(title: str, blocks: Sequence[b.Block]) -> str:
    """The page, with its title as the first heading."""
    return "\n\n".join([f"# {_escaped(title)}", *(_block(block) for block in blocks)]) + "\n"


def _block(block: b.Block) -> str:
    if isinstance(block, b.Heading):
        return f"{'#' * block.level} {_escaped(block.text)}"
    if isinstance(block, b.Paragraph):
        return _parts(block.parts)
    if isinstance(block, b.Equations):
        aligned = " \\\\\n".join(block.lines)
        return f"$$\n\\begin{{aligned}}\n{aligned}\n\\end{{aligned}}\n$$"
    if isinstance(block, b.Preformatted):
        return f"```text\n{block.text}\n```"
    if isinstance(block, b.Picture):
        return f"*{_escaped(block.caption)}*"
    rule = ["--:" if k in block.right else ":--" for k in range(len(block.columns))]
    rows = [[_escaped(head) for head in block.columns], rule]
    rows += [[_parts(cell).replace("|", r"\|") for cell in row] for row in block.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _parts(parts: b.Parts) -> str:
    shown = ""
    for part in parts:
        if isinstance(part, b.Break):
            shown += "<br>"
        elif isinstance(part, b.Values):
            shown += facets.inline(part.array)
        else:
            shown += f"${part.latex}$" if isinstance(part, b.Math) else _escaped(part.text)
    return shown


def _escaped(words: str) -> str:
    """Words of which Markdown makes nothing else."""
    for sign in "\\`*_[]<>|$":
        words = words.replace(sign, f"\\{sign}")
    return words
