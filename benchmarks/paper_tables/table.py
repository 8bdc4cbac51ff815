"""The table as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.paper_tables.running import QUICK_EPOCHS


def bar_in_words(bar: Sequence[float] | None) -> str:
    """
    >>> bar_in_words((0, 3.6)), bar_in_words((104.9, 106.3)), bar_in_words(None)
    ('≤ 3.6', '104.9 to 106.3', '')
    """
    if bar is None:
        return ""
    low, high = bar
    return f"≤ {high:g}" if low == 0 else f"{low:g} to {high:g}"


def table(report: dict[str, Any]) -> str:
    """The rows as text, and below them the levels and how each model was trained."""
    head = ("model", "test error", "published", "bar", "epochs", "seconds", "of CPU", "seed")
    lines = [head]
    for r in report["rows"]:
        found = f"{r['test']:.2f} nats" if r["unit"] == "nats" else f"{r['test']:.2f}"
        bar = bar_in_words(r["bar"]) + {True: " met", False: " MISSED", None: ""}[r["met"]]
        published = "none" if r["published"] is None else f"{r['published']:.2f}"
        epochs, seed = ("" if r[name] is None else str(r[name]) for name in ("epochs", "seed"))
        times = (f"{r[name]:.1f}" for name in ("seconds", "cpu_seconds"))
        lines.append((r["title"], found, published, "" if report["quick"] else bar, epochs, *times, seed))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines]
    at = report["levels"]
    text += [
        "",
        f"squared error per test image; the mean image has {at['mean_image_squared_error']:.3f}",
        f"nats per test image; floor {at['cross_entropy_floor']:.4f}, collapse {at['cross_entropy_collapse']:.4f}",
        *(f"{r['title']}: {r['settings']}; published: {r['source']}" for r in report["rows"]),
    ]
    if report["quick"]:
        n, m = report["images"]
        text.append(f"QUICK: {n:,} training and {m:,} test images, {QUICK_EPOCHS} epochs: not the table's figures")
    return "\n".join(text)
