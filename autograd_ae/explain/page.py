"""A self-contained HTML page for derivations: no script, no network, light and dark, on paper and on a phone.

Formulas are MathML (`explain.mathml`); the page names the mathematical fonts that systems bring along, since only
those hold the sizes of brackets and the heights of accents. Colours are variables set once for light and once for dark
(contrast at least 4.5 : 1, WCAG 2.2, 1.4.3). Two ways let a table be read on a narrow screen: inside
`<div class="scroll">` it scrolls by itself, and `<table class="stack">` turns each row into a block in which a cell is
labelled by its `data-label`.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --tint: #f3f5f8;
  --accent: #0b57a4; --good: #12664a; --bad: #a8201a; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e6e9ed; --soft: #a3acb8; --line: #3a424d;
  --tint: #1d2229; --accent: #7ab7ff; --good: #6fd0a4; --bad: #ff9a8f; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.5rem clamp(0.75rem, 3vw, 2.5rem) 3rem; max-width: 84rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1, h2, h3, h4 { line-height: 1.25; margin: 1.6em 0 0.5em; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.4rem, 4vw, 2rem); margin-top: 0; }
h2 { font-size: 1.3rem; border-bottom: 1px solid var(--line); padding-bottom: 0.2em; }
h3 { font-size: 1.1rem; }
p, li, dd { max-width: 46rem; overflow-wrap: break-word; }
a { color: var(--accent); }
code, pre, kbd { font: 0.9em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: 0.75rem 1rem; background: var(--tint); border: 1px solid var(--line);
  border-radius: 6px; }
pre code { overflow-wrap: normal; }
math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", "Libertinus Math", "TeX Gyre Termes Math",
  "DejaVu Math TeX Gyre", math; font-size: 1.08em; }
math[display="block"] { overflow-x: auto; overflow-y: hidden; max-width: 100%; padding: 0.35em 0.1em; }
.scroll { overflow-x: auto; margin: 1rem 0; border: 1px solid var(--line); border-radius: 6px; }
.scroll > table { margin: 0; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.95em; font-variant-numeric: tabular-nums; }
.scroll > table { min-width: 100%; }
caption { text-align: left; color: var(--soft); padding: 0.4em 0.7em; }
th, td { padding: 0.4em 0.7em; border-bottom: 1px solid var(--line); text-align: left; vertical-align: baseline; }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
thead th { background: var(--tint); }
tbody tr:last-child > * { border-bottom: 0; }
tbody tr:hover > * { background: var(--tint); }
td.number, th.number { text-align: right; white-space: nowrap; }
td.formula { white-space: nowrap; }
td.formula math { white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; } .soft { color: var(--soft); }
figure { margin: 1.2rem 0; overflow-x: auto; }
figure > svg, figure > img { max-width: 100%; height: auto; display: block; }
figcaption { color: var(--soft); font-size: 0.92em; max-width: 46rem; margin-top: 0.4em; }
details { margin: 0.6rem 0; } summary { cursor: pointer; color: var(--accent); }
nav.contents { border: 1px solid var(--line); border-radius: 6px; background: var(--tint);
  padding: 0.6rem 1rem; margin: 1rem 0; }
nav.contents ol { margin: 0; padding-left: 1.6em; columns: 18rem auto; column-gap: 2rem; }
nav.contents li { break-inside: avoid; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  table.stack, table.stack tbody, table.stack tr, table.stack td, table.stack tbody th { display: block; width: 100%; }
  table.stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.stack tr { border-bottom: 2px solid var(--line); padding: 0.4em 0; }
  table.stack td, table.stack tbody th { border: 0; padding: 0.2em 0.7em; text-align: left; white-space: normal;
    overflow-x: auto; }
  table.stack td[data-label]::before { content: attr(data-label); display: block; color: var(--soft);
    font-size: 0.85em; }
}
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #999; --tint: #fff; --accent: #000;
    --good: #000; --bad: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .scroll, figure, pre { overflow: visible; } pre { white-space: pre-wrap; }
  tr, figure { break-inside: avoid; } h2, h3 { break-after: avoid; } thead { display: table-header-group; }
}
""".strip()


def page(title: str, body: str, *, toc: Iterable[tuple[str, str]] | None = None, style: str = "") -> str:
    """A whole HTML document around a body.

    Parameters
    ----------
    title : plain text, for the heading and the window.
    body : HTML; write tables inside `<div class="scroll">` or as `<table class="stack">`, numbers in `td.number`,
        formulas in `td.formula`.
    toc : contents as (id of a heading, its plain text), drawn as links below the title.
    style : CSS of this page, after what all pages share.

    Raises
    ------
    TypeError : title or body is no string.

    >>> print(page("a < b", "<p>…</p>", toc=[("one", "First")]).split("<body>")[1])
    <BLANKLINE>
    <h1>a &lt; b</h1>
    <nav class="contents" aria-label="Contents"><ol>
    <li><a href="#one">First</a></li>
    </ol></nav>
    <p>…</p>
    </body>
    </html>
    <BLANKLINE>
    """
    for what, text in (("title", title), ("body", body)):
        if not isinstance(text, str):
            raise TypeError(f"the page's {what} is a string, {type(text).__name__} arrived")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{_STYLE}{style and chr(10) + style}
</style>
</head>
<body>
<h1>{escape(title)}</h1>
{_contents(toc or ())}{body}
</body>
</html>
"""


def _contents(toc: Iterable[tuple[str, str]]) -> str:
    links = [f'<li><a href="#{escape(anchor)}">{escape(text)}</a></li>' for anchor, text in toc]
    if not links:
        return ""
    return '<nav class="contents" aria-label="Contents"><ol>\n' + "\n".join(links) + "\n</ol></nav>\n"
