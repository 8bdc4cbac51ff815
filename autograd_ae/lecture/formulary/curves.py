"""Functions of one variable and their derivatives as SVG: no library, light and dark, sharp at any size.

A curve is cut where a value is not finite and where it leaves the picture. Which range is shown follows from the values
between two quantiles, so that a pole does not flatten everything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from autograd_ae.explain.graph_text import text_width

Array = np.ndarray
Scale = Callable[[float], float]
WIDTH, PLOT, LEFT, RIGHT, BOTTOM, ROW = 460.0, 240.0, 48.0, 14.0, 44.0, 20.0
STYLE = """
.aec { --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --grid: #e4e8ec; --c0: #0b57a4; --c1: #b3352c; --c2: #12664a;
  --c3: #7a55b5; background: var(--paper);
  font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { .aec { --paper: #14171b; --ink: #e6e9ed; --soft: #a3acb8; --grid: #2a3038;
  --c0: #7ab7ff; --c1: #ff9a8f; --c2: #6fd0a4; --c3: #b497e6; } }
.aec text { fill: var(--soft); }
.aec .name { fill: var(--ink); }
.aec .grid { stroke: var(--grid); }
.aec .axis { stroke: var(--soft); }
.aec .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
""".strip()
DASHES = ("", "7 4", "2 3", "9 3 2 3")  # curves differ without colour too


@dataclass(frozen=True)
class Curve:
    """A name and values y at x."""

    name: str
    x: Array
    y: Array


def picture(curves: Sequence[Curve], *, xlabel: str, label: str) -> str:
    """The curves in one frame, with a key below it.

    Parameters
    ----------
    label : what the picture shows, for those who hear it.
    """
    low, high = float(min(c.x[0] for c in curves)), float(max(c.x[-1] for c in curves))
    bottom, top = _range(np.concatenate([c.y for c in curves]))
    key, above = _key(curves)
    below = above + PLOT
    height = below + BOTTOM

    def across(x: float) -> float:
        return LEFT + (x - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def down(y: float) -> float:
        return above + (top - y) / (top - bottom) * PLOT

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="aec" role="img" aria-label="{escape(label)}" '
        f'width="{WIDTH:g}" height="{height:g}" viewBox="0 0 {WIDTH:g} {height:g}">',
        f"<style>\n{STYLE}\n</style>",
        f'<rect width="{WIDTH:g}" height="{height:g}" style="fill:var(--paper)"/>',
        *key,
    ]
    for x in ticks(low, high):
        parts.append(_line("axis" if x == 0 else "grid", across(x), above, across(x), below))
        parts.append(_words(across(x), below + 16, _number(x), "middle"))
    for y in ticks(bottom, top):
        parts.append(_line("axis" if y == 0 else "grid", LEFT, down(y), WIDTH - RIGHT, down(y)))
        parts.append(_words(LEFT - 6, down(y) + 4, _number(y), "end"))
    for k, curve in enumerate(curves):
        path = _path(curve, across, down, bottom, top)
        parts.append(f'<path class="curve" style="stroke:var(--c{k % 4})"{_dash(k)} d="{path}"/>')
    parts.append(_words((LEFT + WIDTH - RIGHT) / 2, height - 8, xlabel, "middle", "name"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _range(y: Array) -> tuple[float, float]:
    """What is shown: all values if they are of one size, else those between the 3rd and the 97th percentile."""
    finite = y[np.isfinite(y)]
    low, high = float(finite.min()), float(finite.max())
    inner = np.quantile(finite, [0.03, 0.97])
    spread = float(inner[1] - inner[0])
    if high - low > 3 * spread > 0:
        low, high = max(low, float(inner[0]) - 0.2 * spread), min(high, float(inner[1]) + 0.2 * spread)
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def ticks(low: float, high: float) -> list[float]:
    """Round numbers in the range, four to nine of them.

    >>> ticks(-1.1, 1.1)
    [-1.0, -0.5, 0.0, 0.5, 1.0]
    """
    raw = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1.0, 2.0, 5.0, 10.0) if s * power >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) + 0.0 for k in range(first, last + 1)]


def _number(x: float) -> str:
    return f"{x:.6g}".replace("-", "−")


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _words(x: float, y: float, words: str, anchor: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _path(curve: Curve, across: Scale, down: Scale, bottom: float, top: float) -> str:
    path, pen = [], False
    for x, y in zip(curve.x, curve.y, strict=True):
        if not np.isfinite(y) or not bottom <= y <= top:
            pen = False
            continue
        path.append(f"{'L' if pen else 'M'}{across(x):.1f},{down(y):.1f}")
        pen = True
    return "".join(path)


def _key(curves: Sequence[Curve]) -> tuple[list[str], float]:
    """Names beside short lines, in as many rows as they need, and where the frame can begin."""
    parts, x, y = [], LEFT, 16.0
    for k, curve in enumerate(curves):
        width = 32 + text_width(curve.name, 13.0) + 18
        if x > LEFT and x + width > WIDTH:
            x, y = LEFT, y + ROW
        style = f'style="stroke:var(--c{k % 4});stroke-width:2"'
        parts.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x + 26:.1f}" y2="{y:.1f}" {style}{_dash(k)}/>')
        parts.append(_words(x + 32, y + 4, curve.name, "start", "name"))
        x += width
    return parts, y + ROW


def _dash(k: int) -> str:
    return f' stroke-dasharray="{DASHES[k % 4]}"' if DASHES[k % 4] else ""
