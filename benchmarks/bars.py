"""What the project sets out to reach, and whether it did: a bar is a bound on one ratio of one workload.

The ratio is taken round by round, as in `summary.py`, and its median is held against the bar. "× as fast as a peer" is
the peer's time over ours; "× the floor" is ours over the floor's.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.summary import Spread, ratios

EAGER, FUSED, COMPILE, JAX = (
    "torch eager, default Adam",
    "torch eager, fused Adam",
    "torch.compile, fused Adam",
    "jax.jit",
)
FLOOR = "floor: its matrix products"


@dataclass(frozen=True)
class Bar:
    """`ours` against `theirs` in a workload. `faster`: their figure over ours is at least the bar; else ours over
    theirs is at most the bar. `stretch` is what we should like to reach.
    """

    workload: str
    theirs: str
    bar: float
    stretch: float | None
    faster: bool = True
    ours: str = "autograd_ae"

    @property
    def words(self) -> str:
        """What is asked, such as `≥ 1.35 × as fast as torch`."""
        return f"≥ {self.bar:g} × as fast as {self.theirs}" if self.faster else f"≤ {self.bar:g} × {self.theirs}"

    def ratio(self, times: Mapping[str, Sequence[float]]) -> Spread:
        """Median and range of the ratio over the rounds."""
        ours, theirs = times[self.ours], times[self.theirs]
        return ratios(theirs, ours) if self.faster else ratios(ours, theirs)

    def met_by(self, measured: float, bound: float) -> bool:
        """Whether a ratio is on the right side of a bound."""
        return (operator.ge if self.faster else operator.le)(measured, bound)


def _training(name: str, eager: tuple, others: tuple, floor: tuple | None) -> list[Bar]:
    """(bar, stretch) against torch's default, against each of the others, and over the floor."""
    bars = [Bar(name, EAGER, *eager), *(Bar(name, peer, *others) for peer in (FUSED, COMPILE, JAX))]
    return bars + ([] if floor is None else [Bar(name, FLOOR, *floor, faster=False)])


BARS = [
    *_training("S/32", (2.0, 2.5), (1.25, 1.5), (1.25, 1.0)),
    *_training("S/128", (1.35, 1.5), (1.12, 1.25), (1.15, 1.02)),
    *_training("S/512", (1.1, 1.08), (1.0, 1.08), (1.10, 1.05)),
    *_training("H/256", (1.1, 1.08), (1.0, 1.08), (1.10, 1.05)),
    *_training("S/128@2", (1.4, 1.9), (1.1, 1.5), None),
    Bar("T", EAGER, 80, 250),
    Bar("T", JAX, 10, 30),
    *(
        Bar(f"E/{size}", "torch eager", 0.25, None, faster=False, ours=f"autograd_ae {way}")
        for size in ("1", "32x32")
        for way in ("eager", "captured")
    ),
    *(
        Bar(f"P/{k}", "scikit-learn covariance_eigh", bar, stretch, ours=f"autograd_ae, {kind}")
        for k in (2, 30)
        for kind, bar, stretch in (("float64", 1.05, None), ("uint8", 1.05, 1.5))
    ),
    Bar("Start", EAGER, 0.25, 0.1, faster=False),
    Bar("Memory", EAGER, 0.65, 0.4, faster=False),
]


@dataclass(frozen=True)
class Verdict:
    """A bar and what was measured; None where the one or the other was not timed."""

    bar: Bar
    measured: Spread | None

    @property
    def met(self) -> bool | None:
        return None if self.measured is None else self.bar.met_by(self.measured.median, self.bar.bar)

    @property
    def stretched(self) -> bool:
        """Whether the stretch is reached too."""
        goal = self.bar.stretch
        return bool(self.met) and goal is not None and self.bar.met_by(self.measured.median, goal)  # type: ignore[union-attr]

    @property
    def word(self) -> str:
        return (
            "not timed"
            if self.met is None
            else "met, stretch too"
            if self.stretched
            else "met"
            if self.met
            else "not met"
        )


def verdicts(reports: Sequence[Mapping[str, Any]]) -> Iterator[Verdict]:
    """Of every bar whose workload was run."""
    times = {
        report["name"]: {c["name"]: c["times"] for c in report["contenders"] if "times" in c} for report in reports
    }
    for bar in BARS:
        if bar.workload in times:
            found = times[bar.workload]
            yield Verdict(bar, bar.ratio(found) if {bar.ours, bar.theirs} <= found.keys() else None)
