"""All pages as a small site: one HTML file each and an index, without network or script."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from itertools import groupby
from pathlib import Path

from autograd_ae.explain.page import page as document
from autograd_ae.explain.write_html import STYLE, html
from autograd_ae.lecture.formulary.index import entries, page

OWN = (
    STYLE
    + """
nav.site { margin: 0 0 1rem; color: var(--soft); } nav.site a { margin-right: 1.2em; }
table.index td { vertical-align: baseline; } table.index td:first-child { white-space: nowrap; }
table.index code { white-space: nowrap; }
"""
)
ABOUT = (
    "A page for every function of the calculus and for the loss of every model: statement, gradients in both layouts, "
    "derivation, code, and an example whose gradients are checked by complex step."
)
HOME = '<nav class="site"><a href="index.html">All pages</a>{before}{after}</nav>\n'


def write(
    folder: str | Path, *, layout: str = "rows", seed: int = 0, note: Callable[[str], None] = lambda _: None
) -> Path:
    """Write index.html and one file per page into a folder, which is made if need be.

    Parameters
    ----------
    note : told the name of each page before it is made.

    Returns
    -------
    the path of the index.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    names = [entry.name for entry in entries()]
    for k, name in enumerate(names):
        note(name)
        made = page(name, layout=layout, seed=seed)
        before = _link(names[k - 1], "← ") if k else ""
        after = _link(names[k + 1], "→ ") if k + 1 < len(names) else ""
        body = f'{HOME.format(before=before, after=after)}<div class="derivation">\n{html(made.blocks)}\n</div>'
        (target / f"{name}.html").write_text(document(made.title, body, style=OWN), encoding="utf-8")
    index = target / "index.html"
    index.write_text(_index(), encoding="utf-8")
    return index


def _link(name: str, arrow: str) -> str:
    return f'<a href="{name}.html">{arrow}{name}</a>'


def _index() -> str:
    parts, toc = [], []
    for k, (family, members) in enumerate(groupby(entries(), key=lambda e: e.family)):
        toc.append((f"family-{k}", family))
        rows = "\n".join(
            f'<tr><td><a href="{e.name}.html">{e.name}</a></td><td>{escape(e.summary)}</td></tr>' for e in members
        )
        table = f'<table class="index stack"><tbody>\n{rows}\n</tbody></table>'
        parts.append(f'<h2 id="family-{k}">{escape(family)}</h2>\n<div class="scroll">{table}</div>')
    return document("Formulary", "\n".join([f"<p>{ABOUT}</p>", *parts]), toc=toc, style=OWN)
