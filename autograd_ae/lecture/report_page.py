"""A report as one HTML file: no script, no network, figures inside, formulas as MathML; for screens wide and narrow,
dark and light, and for paper (`explain.page` sees to those).
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from autograd_ae.explain.mathml import mathml
from autograd_ae.explain.page import page
from autograd_ae.lecture.section import Picture, Row, Section

if TYPE_CHECKING:
    from autograd_ae.lecture.report import Report

TITLE = "Autoencoders: the chapter, run"
STYLE = """
section > math[display="block"] { width: fit-content; margin: 0.5rem 0 0.5rem 1rem; }
.lead { font-size: 1.06em; } .claim { border-left: 3px solid var(--accent); padding-left: 0.8rem; }
figure > img { background: #fff; border: 1px solid var(--line); border-radius: 6px; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; margin: 0.8rem 0; }
dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
table.stack tbody th { white-space: normal; color: var(--ink); } td.number, td.value { white-space: nowrap; }
.note { font-weight: normal; color: var(--soft); font-size: 0.92em; max-width: 38rem; }
table.stack td { max-width: 34rem; }
.scroll.fit { width: fit-content; max-width: 100%; } table.summary th { white-space: normal; }
@media (max-width: 40rem) { table.summary th, table.summary td { padding: 0.35em 0.4em; font-size: 0.93em; }
  table.stack td:empty { display: none; }
  table.stack td[data-label] { padding-left: 7.2rem; text-indent: -6.5rem; }
  table.stack td[data-label]::before { display: inline-block; width: 6.5rem; text-indent: 0; }
  figure > img.wide { max-width: none; width: 40rem; }
  dl.facts { grid-template-columns: 1fr; gap: 0 0; } dl.facts dd { margin-bottom: 0.4rem; } }
@media print { figure > img, figure > img.wide { max-width: 100%; width: auto; border: 0; } }
""".strip()


def document(report: Report, pngs: Mapping[str, bytes]) -> str:
    """The page of a run; `pngs` holds the bytes of each picture's file, by its name."""
    body = [_head(report), *(_section(section, pngs) for section in report.sections), _colophon(report)]
    return page(TITLE, "\n".join(body), style=STYLE)  # the table at the top is the contents, too


def _head(report: Report) -> str:
    settings, good = report.settings, report.code == 0
    mode = "quick: fewer epochs and seeds, to see it run" if settings["quick"] else "in full"
    text = (
        f'<p class="lead">Every experiment of the chapter, run on {escape(str(settings["data"]))} with seed '
        f"{settings['seed']} ({mode}), each held against its closed form where there is one. "
        f'<span class="{"good" if good else "bad"}">{escape(report.outcome)}.</span></p>'
    )
    rows = "".join(_summary(section) for section in report.sections)
    heads = '<th scope="col">Section</th><th scope="col">Outcome</th>'
    heads += '<th scope="col" class="number">Seconds</th><th scope="col" class="number">CPU seconds</th>'
    total = f"{report.seconds:.0f} s by the clock, {report.cpu_seconds:.0f} CPU-s in all"
    table = f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>"
    below = f'<p class="soft">{total}. <a href="#colophon">How this was run</a>: versions, machine, seed.</p>'
    return f'{text}\n<div class="scroll fit"><table class="summary">{table}</table></div>\n{below}'


def _summary(section: Section) -> str:
    cells = [_cell("Outcome", escape(section.outcome), section.ok)]
    times = {"Seconds": section.seconds, "CPU seconds": section.cpu_seconds}
    cells += [_cell(label, f"{time:.1f}", None, "number") for label, time in times.items()]
    return f'<tr><th scope="row"><a href="#{section.key}">{escape(section.title)}</a></th>{"".join(cells)}</tr>'


def _cell(label: str, html: str, holds: bool | None, kind: str = "") -> str:
    colour = {None: "", True: "good", False: "bad"}[holds]
    classes = " ".join(filter(None, (kind, colour)))
    return f'<td data-label="{label}" class="{classes}">{html}</td>'


def _section(section: Section, pngs: Mapping[str, bytes]) -> str:
    parts = [f'<section aria-labelledby="{section.key}">\n<h2 id="{section.key}">{escape(section.title)}</h2>']
    if section.lecture:
        parts.append(f'<p class="soft">{escape(section.lecture)}</p>')
    parts.append(f'<p class="claim">{escape(section.claim)}</p>')
    parts += [mathml(formula, display=True) for formula in section.formulas]
    if section.error:
        parts.append(f'<p class="bad">{escape(section.outcome)}</p>')
        parts.append(f"<details><summary>Traceback</summary><pre><code>{escape(section.error)}</code></pre></details>")
    parts += [f"<p>{escape(sentence)}</p>" for sentence in section.sentences]
    if section.rows:
        parts.append(_table(section.rows))
    parts += [_figure(picture, pngs[name]) for name, picture in section.pictures.items()]
    if section.settings:
        parts.append(f"<details><summary>Settings</summary>{_facts(section.settings)}</details>")
    return "\n".join([*parts, "</section>"])


def _table(rows: list[Row]) -> str:
    judged = any(row.holds is not None for row in rows)
    heads = ["Quantity", "Value", "Held against", *(["Verdict"] if judged else [])]
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join(_row(row, judged) for row in rows)
    return f'<table class="stack"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(row: Row, judged: bool) -> str:
    quantity, value, reference, verdict = (escape(cell) for cell in row.cells())
    kind = "" if isinstance(row.value, str) else "number"
    note = f'<div class="note">{escape(row.note)}</div>' if row.note else ""
    cells = f'<th scope="row">{quantity}{note}</th>{_cell("Value", value, None, kind)}'
    cells += _cell("Held against", reference, None)
    return f"<tr>{cells}{_cell('Verdict', verdict, row.holds) if judged else ''}</tr>"


def _figure(picture: Picture, png: bytes) -> str:
    """An image of its own size at two dots to the pixel; drawings with small type keep it on a narrow screen."""
    width, height = (size // 2 for size in struct.unpack(">II", png[16:24]))  # of the PNG's header
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    caption = f"<figcaption>{escape(picture.caption)}</figcaption>" if picture.caption else ""
    image = f'<img class="wide" src="{source}" width="{width}" height="{height}" alt="{escape(picture.alt)}">'
    return f'<figure tabindex="0" role="group">{image}{caption}</figure>'


def _facts(facts: Mapping[str, Any]) -> str:
    pairs = "".join(f"<dt>{escape(str(k))}</dt><dd>{escape(str(v))}</dd>" for k, v in facts.items())
    return f'<dl class="facts">{pairs}</dl>'


def _colophon(report: Report) -> str:
    settings = report.settings
    facts = {"data": settings["data"], "seed": settings["seed"], "mode": "quick" if settings["quick"] else "full"}
    again = f"autograd-ae demo --seed {settings['seed']}{' --quick' if settings['quick'] else ''}"
    return (
        '<section aria-labelledby="colophon">\n<h2 id="colophon">How this was run</h2>\n'
        f"{_facts(facts | report.environment)}\n<p>Again: <code>{escape(again)}</code>. "
        f"Losses are squared errors summed over features and averaged over samples, "
        f"unless said otherwise. {escape(str(settings['notice']))}</p>\n</section>"
    )
