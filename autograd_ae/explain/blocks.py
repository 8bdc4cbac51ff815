"""What a derivation page consists of, before it is text, Markdown, LaTeX or HTML.

A page is a list of blocks: headings, paragraphs, displayed equations, tables. The content of a cell or a paragraph is a
tuple of parts, each words, a formula in LaTeX, or an array. The writers (`write_text.py`, `write_markdown.py`,
`write_latex.py`, `write_html.py`) know these few classes and nothing of derivations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Words:
    """Plain text; tone "good" or "bad" is shown in colour where there is colour."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Math:
    """A formula in LaTeX."""

    latex: str


@dataclass(frozen=True)
class Values:
    """An array: in full when small, else by facets."""

    array: np.ndarray


@dataclass(frozen=True)
class Break:
    """A new line inside a cell."""


Part = Words | Math | Values | Break
Parts = tuple[Part, ...]


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    parts: Parts


@dataclass(frozen=True)
class Equations:
    """Displayed equations, one below the other, aligned at their first relation sign."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of cells. `under` maps a column to the one below whose cells it is put where there is no room (text);
    `right` are the columns of numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Parts, ...], ...]
    under: dict[int, int] = field(default_factory=dict)
    right: tuple[int, ...] = ()


@dataclass(frozen=True)
class Preformatted:
    """Text that keeps its line ends, such as a diagnosis."""

    text: str


@dataclass(frozen=True)
class Picture:
    """An SVG, as text, with a caption; outputs without pictures show the caption."""

    svg: str
    caption: str


Block = Heading | Paragraph | Equations | Table | Preformatted | Picture
WRITERS = {".txt": "text", ".md": "markdown", ".tex": "latex", ".html": "html"}


class Page:
    """Blocks under a title, in four outputs.

    `print(page)` is for a terminal; in a notebook it is shown as HTML; `save("x.html")` (.md, .tex, .txt) writes a file
    that stands by itself.
    """

    title: str
    blocks: Sequence[Block]

    def __init__(self, title: str, blocks: Sequence[Block]):
        self.title, self.blocks = title, blocks

    def text(self, width: int = 120) -> str:
        """Unicode for a terminal of at least `width` columns where formulas allow it."""
        from autograd_ae.explain.write_text import text

        return text(self.title, self.blocks, width)

    def markdown(self) -> str:
        """GitHub's Markdown, formulas between dollars."""
        from autograd_ae.explain.write_markdown import markdown

        return markdown(self.title, self.blocks)

    def latex(self) -> str:
        """A document that compiles by itself with pdflatex."""
        from autograd_ae.explain.write_latex import latex

        return latex(self.title, self.blocks)

    def html(self) -> str:
        """A self-contained document with MathML: no script, no network."""
        from autograd_ae.explain.page import page
        from autograd_ae.explain.write_html import STYLE, html

        return page(self.title, f'<style>{STYLE}</style>\n<div class="derivation">\n{html(self.blocks)}\n</div>')

    def save(self, path: str | Path) -> Path:
        """Write to `path`, in the form that its suffix names.

        Raises
        ------
        ValueError : another suffix than .html, .md, .tex, .txt.
        """
        path = Path(path)
        if path.suffix not in WRITERS:
            raise ValueError(f"{path.name} ends in {path.suffix!r}; a derivation is written as {', '.join(WRITERS)}")
        path.write_text(getattr(self, WRITERS[path.suffix])() + ("\n" if path.suffix == ".txt" else ""), "utf-8")
        return path

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from autograd_ae.explain.write_html import fragment

        return fragment(self.title, self.blocks)

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_latex_(self) -> str:
        from autograd_ae.explain.write_latex import equations

        return equations(self.blocks)
