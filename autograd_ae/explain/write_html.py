"""Blocks as HTML: formulas as MathML, tables that become blocks on a narrow screen, no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from autograd_ae.explain import blocks as b
from autograd_ae.explain import facets
from autograd_ae.explain.mathml import mathml

# All selectors stay inside .derivation, so that a notebook around it keeps its own looks.
STYLE = """
.derivation .matrix { display: inline-grid; grid-template-columns: repeat(var(--n), auto); column-gap: 0.7em;
  text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; padding: 0.05em 0.4em;
  border: solid currentColor; border-width: 0 1px; border-radius: 0.35em; }
.derivation .facet { white-space: nowrap; margin-right: 0.5em; display: inline-block; }
.derivation .facet i { font-style: normal; opacity: 0.7; font-size: 0.88em; }
.derivation td.values { font-variant-numeric: tabular-nums; min-width: 8.5rem; }
.derivation table { font-size: 0.86em; }
.derivation td, .derivation th { padding: 0.35em 0.5em; text-align: left; vertical-align: baseline; }
.derivation td.number, .derivation th.number { text-align: right; white-space: nowrap; }
.derivation td.formula { white-space: nowrap; }
.derivation .good { color: var(--good, #12664a); } .derivation .bad { color: var(--bad, #a8201a); font-weight: 600; }
@media (max-width: 40rem) {
  .derivation table.stack td { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); align-items: baseline;
    white-space: normal; text-align: left; }
  .derivation table.stack td::before { grid-column: 1; } .derivation table.stack td > div { grid-column: 2;
    overflow-x: auto; min-width: 0; }
}
.derivation .wide { overflow-x: auto; max-width: 100%; }
""".strip()


def html(blocks: Sequence[b.Block]) -> str:
    """The blocks as a body."""
    return "\n".join(_block(block) for block in blocks)


def fragment(title: str, blocks: Sequence[b.Block]) -> str:
    """The page for a notebook's cell: its own few styles, the title as a heading of the third rank."""
    return f'<style>{STYLE}</style><div class="derivation"><h3>{escape(title)}</h3>\n{html(blocks)}\n</div>'


def _block(block: b.Block) -> str:
    if isinstance(block, b.Heading):
        return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
    if isinstance(block, b.Paragraph):
        return f"<p>{_parts(block.parts)}</p>"
    if isinstance(block, b.Equations):
        aligned = r" \\ ".join(block.lines)
        formula = mathml(rf"\begin{{aligned}}{aligned}\end{{aligned}}", display=True)
        return f'<div class="wide">{formula}</div>'
    if isinstance(block, b.Preformatted):
        return f"<pre>{escape(block.text)}</pre>"
    if isinstance(block, b.Picture):
        return f"<figure>{block.svg}<figcaption>{escape(block.caption)}</figcaption></figure>"
    return _table(block)


def _table(table: b.Table) -> str:
    number = ['class="number"' if k in table.right else "" for k in range(len(table.columns))]
    heads = "".join(f"<th {n}>{escape(head)}</th>" for n, head in zip(number, table.columns, strict=True))
    rows = "\n".join(
        "<tr>" + "".join(_cell(table, k, cell) for k, cell in enumerate(row)) + "</tr>" for row in table.rows
    )
    table_ = f'<table class="stack"><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>'
    return f'<div class="scroll">{table_}</div>'


def _cell(table: b.Table, k: int, cell: b.Parts) -> str:
    kind = "number" if k in table.right else "values" if any(isinstance(p, b.Values) for p in cell) else "formula"
    label = f' data-label="{escape(table.columns[k])}"' if cell else ""
    return f'<td class="{kind}"{label}><div>{_parts(cell)}</div></td>'


def _parts(parts: b.Parts) -> str:
    shown = ""
    for part in parts:
        if isinstance(part, b.Break):
            shown += "<br>"
        elif isinstance(part, b.Math):
            shown += mathml(part.latex)
        elif isinstance(part, b.Values):
            shown += facets.html(part.array)
        else:
            words = escape(part.text)
            shown += f'<span class="{part.tone}">{words}</span>' if part.tone else words
    return shown
