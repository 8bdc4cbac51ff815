"""What holding a model against a theorem gives: errors, each with the tolerance that it has to keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any


@dataclass(frozen=True)
class Measure:
    """One error ≥ 0 and its tolerance: it holds where achieved ≤ tolerance, so never for NaN."""

    quantity: str
    achieved: float
    tolerance: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "achieved", float(self.achieved))  # of a NumPy scalar too

    @property
    def holds(self) -> bool:
        return bool(self.achieved <= self.tolerance)

    @property
    def share(self) -> float:
        """achieved/tolerance: how much of the tolerance is used up; NaN counts as infinite."""
        if not self.holds:
            return float("inf")
        return self.achieved / self.tolerance if self.tolerance else 0.0


Theorem = Callable[[int], list[Measure]]  # of a seed; its docstring is the statement, and the source


@dataclass(frozen=True)
class Finding:
    """A theorem, and how well a trained model kept it.

    row        "1" to "20" as in `theory`, "I" to "IV" for the identities of gradients
    measures   every error with its tolerance; `achieved` and `tolerance` are those of the one that comes nearest to
               failing, `passed` says that all hold
    """

    row: str
    statement: str
    source: str
    measures: tuple[Measure, ...]
    seconds: float

    @property
    def worst(self) -> Measure:
        return max(self.measures, key=lambda m: m.share)

    @property
    def achieved(self) -> float:
        return self.worst.achieved

    @property
    def tolerance(self) -> float:
        return self.worst.tolerance

    @property
    def passed(self) -> bool:
        return all(m.holds for m in self.measures)

    @property
    def text(self) -> str:
        """The statement, and a line per measure."""
        lines = [f"{self.row:>4}  {self.statement}"]
        lines += [
            f"        {m.quantity:<66} {m.achieved:>8.1e} ≤ {m.tolerance:<7.0e} {'holds' if m.holds else 'FAILS'}"
            for m in self.measures
        ]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {
            "row": self.row,
            "statement": self.statement,
            "source": self.source,
            "achieved": self.achieved,
            "tolerance": self.tolerance,
            "passed": self.passed,
            "seconds": self.seconds,
            "measures": [{**vars(m), "holds": m.holds} for m in self.measures],
        }


def examine(row: str, theorem: Theorem, seed: int) -> Finding:
    """Train and measure. A theorem that raises has failed, and its only measure says how."""
    started = perf_counter()
    try:
        measures = tuple(theorem(seed))
    except (ValueError, ArithmeticError) as error:
        measures = (Measure(f"{type(error).__name__}: {error}", float("nan"), 0.0),)
    statement, source = stated(theorem)
    return Finding(row, statement, source, measures, perf_counter() - started)


def stated(theorem: Theorem) -> tuple[str, str]:
    """Statement and source of a theorem: the first paragraph of its docstring, and what follows "Source:"."""
    said, _, source = (theorem.__doc__ or "").partition("Source:")
    return " ".join(said.partition("\n\n")[0].split()), " ".join(source.split()).rstrip(".")
