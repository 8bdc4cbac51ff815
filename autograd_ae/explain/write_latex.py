r"""Blocks as LaTeX: a document that compiles by itself, and the equations alone for a notebook."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograd_ae.explain import blocks as b
from autograd_ae.explain import facets
from autograd_ae.explain.latex_document import document
from autograd_ae.explain.latex_document import text as escaped

RELATION = re.compile(r" (=|\\leftarrow) ")


def latex(title: str, blocks: Sequence[b.Block]) -> str:
    """The document, on landscape pages, where the tables have room."""
    return document("\n\n".join(_block(block) for block in blocks), title, landscape=True)


def equations(blocks: Sequence[b.Block]) -> str:
    """The formulas alone, for a notebook's MathJax: displayed equations, and the first formula of each table row."""
    lines: list[str] = []
    for block in blocks:
        if isinstance(block, b.Equations):
            lines += block.lines
        elif isinstance(block, b.Table):
            firsts = [[p.latex for cell in row for p in cell if isinstance(p, b.Math)][:1] for row in block.rows]
            lines += [aligned(first[0]) for first in firsts if first and RELATION.search(first[0])]
    return "$$\n\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}\n$$"


def aligned(equation: str) -> str:
    """With a mark before its first relation sign, where displayed lines are aligned."""
    return RELATION.sub(lambda found: f" &{found[0].lstrip()}", equation, count=1)


def _block(block: b.Block) -> str:
    if isinstance(block, b.Heading):
        return rf"\{'sub' * (block.level - 1)}section*{{{escaped(block.text)}}}"
    if isinstance(block, b.Paragraph):
        return _parts(block.parts)
    if isinstance(block, b.Equations):
        return "\\begin{align*}\n" + " \\\\\n".join(block.lines) + "\n\\end{align*}"
    if isinstance(block, b.Preformatted):
        return r"\par ".join(rf"\mbox{{}}{escaped(line)}" for line in block.text.splitlines())
    if isinstance(block, b.Picture):
        return rf"\emph{{{escaped(block.caption)}}}"
    return _table(block)


def _table(table: b.Table) -> str:
    kinds = "".join("r" if k in table.right else "l" for k in range(len(table.columns)))
    heads = " & ".join(rf"\textbf{{{escaped(head)}}}" for head in table.columns)
    rows = "\n".join(" & ".join(_cell(cell) for cell in row) + r" \\[0.3em]" for row in table.rows)
    size = "scriptsize" if len(table.columns) > 6 else "footnotesize"
    return (
        rf"{{\{size}\setlength{{\tabcolsep}}{{4pt}}" + "\n"
        f"\\begin{{longtable}}{{@{{}}{kinds}@{{}}}}\n\\toprule\n{heads} \\\\\n\\midrule\n\\endhead\n"
        f"{rows}\n\\bottomrule\n\\end{{longtable}}}}"
    )


def _cell(parts: b.Parts) -> str:
    if any(isinstance(part, b.Break) for part in parts):
        return rf"\begin{{tabular}}[t]{{@{{}}l@{{}}}}{_parts(parts)}\end{{tabular}}"
    return _parts(parts)


def _array(values: b.Values) -> str:
    """A matrix, a number, or the facets on two lines."""
    a = values.array
    if facets.small(a) and a.size:
        return rf"\({facets.latex(a)}\)"
    pairs = [rf"{escaped(name)} \({facets.in_math(x)}\)" for name, x in facets.facets(a)]
    lines = [", ".join(pairs[:2]), ", ".join(pairs[2:])] if len(pairs) > 2 else [", ".join(pairs)]
    body = r" \\{} ".join(lines)
    return rf"\begin{{tabular}}[t]{{@{{}}l@{{}}}}{body}\end{{tabular}}"


def _parts(parts: b.Parts) -> str:
    shown = ""
    for part in parts:
        if isinstance(part, b.Break):
            shown += r" \\{} "  # braces: a [ that follows would be read as a length
        elif isinstance(part, b.Values):
            shown += _array(part)
        else:
            shown += rf"\({part.latex}\)" if isinstance(part, b.Math) else escaped(part.text)
    return shown
