"""The figure: for each workload every contender's time relative to ours, with the range over the rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.summary import Spread, figure

ROW, HEAD, NAMES, NOTES = 0.2, 0.7, 2.2, 1.5  # inches: a contender, a workload's title and axis, names, figures
LEFT = 0.12  # margin


def draw(measured: Mapping[str, Any], path: Path) -> None:
    """Write the figure; the file's ending says in which format."""
    from matplotlib import rc_context

    from autograd_ae.plot.style import STYLE, WIDTH, new_figure

    reports = [r for r in measured["workloads"] if any("times" in c for c in r["contenders"])]
    if not reports:
        raise ValueError("nothing was timed, so there is nothing to draw")
    heights = [HEAD + ROW * sum("times" in c for c in report["contenders"]) for report in reports]
    total = sum(heights) + 0.45
    with rc_context({**STYLE, "font.size": 8, "axes.titlesize": 9, "axes.labelsize": 8}):  # type: ignore[arg-type]
        page = new_figure(WIDTH, total, layout=None)
        top = total - 0.1
        for report, height in zip(reports, heights, strict=True):
            box = (NAMES / WIDTH, (top - height + 0.32) / total, 1 - (NAMES + NOTES) / WIDTH, (height - HEAD) / total)
            _panel(page.add_axes(box), report)
            title = {"y": (top - 0.16) / total, "va": "center", "fontsize": 9}
            page.text(LEFT / WIDTH, s=report["name"], weight="bold", **title)
            page.text((LEFT + 0.75) / WIDTH, s=report["title"], **title)
            top -= height
        facts = measured["environment"]
        where = f"{facts['cpu']}, {facts['threads']} pinned CPU unless said"
        foot = f"{where}. Dot: median over the rounds of time ÷ autograd_ae's; line: range. Grey: NumPy alone."
        page.text(LEFT / WIDTH, 0.1 / total, foot, fontsize=7.5, color="#5A5A5A")
        page.savefig(path, dpi=200)


def _panel(axes: Any, report: Mapping[str, Any]) -> None:
    from autograd_ae.plot.style import BLUE, FAINT, GRID, INK, VERMILION

    timed: Sequence[Mapping[str, Any]] = [c for c in report["contenders"] if "times" in c]
    order = sorted(timed, key=lambda c: -c["ratio"][0])
    for y, c in enumerate(order):
        q, t = Spread(*c["ratio"]), Spread(*c["seconds"]).median * report["scale"]
        colour = BLUE if c["own"] and c["name"].startswith("autograd_ae") else FAINT if c["own"] else VERMILION
        axes.plot([q.low, q.high], [y, y], color=colour, linewidth=1.6, solid_capstyle="round")
        axes.plot([q.median], [y], "o", color=colour, markersize=4.5)
        note = f"{figure(t)} {report['unit'].split()[0]}   {figure(q.median)}×"
        axes.text(1.02, y, note, transform=axes.get_yaxis_transform(), va="center", color=INK)
    axes.set_yticks(range(len(order)), [c["name"] for c in order])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.set_xscale("log")
    axes.axvline(1, color=GRID, linewidth=1, zorder=0)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.8), max(high, 1.25))
    axes.set_xticks(_ticks(*axes.get_xlim()))
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")


def _ticks(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, … within the limits; fewer where there would be more than seven."""
    every = [m * 10.0**k for k in range(-4, 5) for m in (1, 2, 5)]
    inside = [v for v in every if low <= v <= high]
    return inside if len(inside) <= 7 else [v for v in inside if f"{v:e}"[0] == "1"]
