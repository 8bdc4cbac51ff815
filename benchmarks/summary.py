"""The statistics of a workload's rounds, and the table.

With t_{c,r} the time of contender c in round r, the figure that counts is the ratio of one round

    q_{c,r} = t_{c,r} / t_{baseline,r}:      how many times as long as the baseline,

since what disturbs a whole round cancels in it. Reported are the medians over rounds and the least and greatest value.
The median of ratios is not the ratio of medians; where they differ much, the machine was not quiet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

Results = Sequence[Sequence[Sequence[float]]]  # checked step, array, entry


class Spread(NamedTuple):
    """Median, least and greatest of some values."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Of at least one finite positive value.

    >>> spread([3.0, 1.0, 2.0])
    Spread(median=2.0, low=1.0, high=3.0)
    """
    if not values or not all(math.isfinite(v) and v > 0 for v in values):
        raise ValueError(f"finite positive times are needed, {list(values)} arrived")
    return Spread(median(values), min(values), max(values))


def ratios(times: Sequence[float], baseline: Sequence[float]) -> Spread:
    """Times over the baseline's, round by round.

    >>> ratios([2.0, 40.0, 6.0], [1.0, 10.0, 2.0])      # the second round was slow for both
    Spread(median=3.0, low=2.0, high=4.0)
    """
    if len(times) != len(baseline):
        raise ValueError(f"one time per round of each contender is needed, {len(times)} and {len(baseline)} arrived")
    return spread([t / b for t, b in zip(times, baseline, strict=True)])


def summarise(times: Mapping[str, Sequence[float]], baseline: str) -> dict[str, dict[str, Spread]]:
    """Time and ratio of each contender."""
    base = times[baseline]
    return {name: {"seconds": spread(values), "ratio": ratios(values, base)} for name, values in times.items()}


def disagreement(results: Results, reference: Results) -> float:
    """The largest difference between two contenders' arrays, relative to each array's largest entry.

    Infinite where an entry is not a finite number, or where the arrays are of other number or size.

    >>> disagreement([[[1.0, 2.0]]], [[[1.0, 2.5]]])
    0.2
    """
    if sizes(results) != sizes(reference):
        return math.inf
    pairs = [pair for steps in zip(results, reference, strict=True) for pair in zip(*steps, strict=True)]
    return max((relative_difference(array, wanted) for array, wanted in pairs), default=0.0)


def relative_difference(array: Sequence[float], wanted: Sequence[float]) -> float:
    """max |a − w| / max |w|, or max |a| where all w are 0."""
    if not all(map(math.isfinite, (*array, *wanted))):
        return math.inf
    scale = max(map(abs, wanted), default=0.0) or 1.0
    return max((abs(a - w) for a, w in zip(array, wanted, strict=True)), default=0.0) / scale


def sizes(results: Results) -> list[list[int]]:
    """How many entries each array has."""
    return [[len(array) for array in step] for step in results]


COLUMNS = ("(min–max)", "ratio", "(min–max)", "first step", "import")


def table(report: Mapping[str, Any]) -> str:
    """One workload's report as text: who was timed, then who was not and why."""
    timed = [c for c in report["contenders"] if "times" in c]
    lines = [f"{report['name']}: {report['title']}"]
    if timed:
        rows = [("", report["unit"], *COLUMNS), *(row(c, report["scale"]) for c in timed)]
        lines += aligned(rows)
        rounds, baseline = len(timed[0]["times"]), timed[0]["name"]
        lines.append(f"  {rounds} rounds; ratio: how many times as long as {baseline} in the same round")
    for c in report["contenders"]:
        lines += [f"  {c['name']}: {kind}, {c[kind]}" for kind in ("skipped", "failed", "refused") if kind in c]
    return "\n".join(lines)


def row(contender: Mapping[str, Any], scale: float) -> tuple[str, ...]:
    """The cells of one contender."""
    t, q = Spread(*contender["seconds"]), Spread(*contender["ratio"])
    return (
        contender["name"],
        figure(t.median * scale),
        f"({figure(t.low * scale)}–{figure(t.high * scale)})",
        f"{q.median:.2f}",
        f"({q.low:.2f}–{q.high:.2f})",
        f"{contender['first_step_s']:.2f} s",
        f"{contender['import_s']:.2f} s",
    )


def aligned(rows: Sequence[Sequence[str]], left: Sequence[int] = (0, 2, 4)) -> list[str]:
    """Columns of equal width; names and ranges to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths, strict=True)))
        for r in rows
    ]


def figure(value: float) -> str:
    """Three significant digits without an exponent.

    >>> figure(0.012345), figure(12.345), figure(1234.5)
    ('0.0123', '12.3', '1234')
    """
    digits = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:.{digits}f}"
