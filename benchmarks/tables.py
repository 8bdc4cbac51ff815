"""Tables over several workloads: the bars as text, and all figures as Markdown for the README."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from benchmarks.bars import Verdict, verdicts
from benchmarks.summary import Spread, aligned, figure

Reports = Sequence[Mapping[str, Any]]


def bars_table(reports: Reports) -> str:
    """Per bar what was asked, what was measured, and whether it is met; empty where no workload has one."""
    rows = [(v.bar.workload, f"{v.bar.ours}: {v.bar.words}", _measured(v), _goal(v), v.word) for v in verdicts(reports)]
    if not rows:
        return ""
    return "\n".join(["Bars", *aligned([("", "bar", "measured", "stretch", ""), *rows], left=(0, 1, 2, 4))])


def _measured(v: Verdict) -> str:
    if v.measured is None:
        return "–"
    return f"{figure(v.measured.median)} ({figure(v.measured.low)}–{figure(v.measured.high)})"


def _goal(v: Verdict) -> str:
    return "" if v.bar.stretch is None else f"{v.bar.stretch:g}"


def markdown(measured: Mapping[str, Any]) -> str:
    """One table per group of workloads with the same contenders, then the bars; the machine is named above."""
    reports = measured["workloads"]
    parts = [machine(measured)]
    for _, group in groupby(reports, key=lambda r: (r["unit"], [c["name"] for c in r["contenders"]])):
        parts.append(figures_table(list(group)))
    rows = [[v.bar.workload, f"{v.bar.ours} {v.bar.words}", _measured(v), _goal(v), v.word] for v in verdicts(reports)]
    if rows:
        parts.append(pipes([["workload", "bar", "measured (range)", "stretch", ""], *rows], left=(0, 1, 4)))
    return "\n\n".join(parts)


def machine(measured: Mapping[str, Any]) -> str:
    """A sentence that names the machine, the BLAS and the versions."""
    facts = measured["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    quick = " Quick run: only a sign that all works." if measured["quick"] else ""
    return (
        f"{facts['cpu']}, {facts['cpus']} logical CPUs; {facts['threads']} pinned CPU and thread unless a row says "
        f"otherwise; {'; '.join(facts['blas']) or 'BLAS unknown'}; Python {facts['python']}, {versions}. "
        f"Medians over rounds; in brackets how many times ours, the figure in bold, in the same round.{quick}"
    )


def figures_table(reports: Reports) -> str:
    """Workloads in rows, contenders in columns: the median, and how many times ours."""
    names = [c["name"] for c in reports[0]["contenders"]]
    rows = [[f"{reports[0]['unit']}", *names]]
    for report in reports:
        entries = {c["name"]: c for c in report["contenders"]}
        rows.append([report["name"], *(_cell(entries[name], report["scale"]) for name in names)])
    return pipes(rows if len(rows) > len(names) else _turned(rows))


def _cell(contender: Mapping[str, Any], scale: float) -> str:
    if "times" not in contender:
        return next(kind for kind in ("skipped", "failed", "refused", "–") if kind in contender or kind == "–")
    t, q = Spread(*contender["seconds"]).median * scale, Spread(*contender["ratio"]).median
    return f"**{figure(t)}**" if contender["own"] and q == 1 else f"{figure(t)} ({figure(q)}×)"


def _turned(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [list(column) for column in zip(*rows, strict=True)]


def pipes(rows: Iterable[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """A Markdown table; the first row is the head, and all columns but those to the left are figures."""
    head, *body = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    rule = ["---" if i in left else "---:" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))
