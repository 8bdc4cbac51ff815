"""What holding a model against a theorem gives: errors, each with the tolerance that it has to keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np


def relative(found: Any, expected: Any) -> float:
    """‖found − expected‖/‖expected‖, of arrays."""
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@dataclass(frozen=True)
class Measure:
    """One error ≥ 0 and its tolerance: it holds where error ≤ tolerance, so never for NaN."""

    quantity: str
    error: float
    tolerance: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "error", float(self.error))  # of a NumPy scalar too

    @property
    def ok(self) -> bool:
        return bool(self.error <= self.tolerance)

    @property
    def share(self) -> float:
        """error/tolerance: how much of the tolerance is used up; what does not hold counts as infinite."""
        if not self.ok:
            return float("inf")
        return self.error / self.tolerance if self.tolerance else 0.0

    @property
    def text(self) -> str:
        return f"{self.error:>8.1e} ≤ {self.tolerance:<7.0e} {self.verdict:<6} {self.quantity}"

    @property
    def verdict(self) -> str:
        return "holds" if self.ok else "FAILS"


Z_BOUND, PRECISION = 4.0, 0.01  # a correct z-score leaves ±4 once in 16,000; standard error wanted, relative


def monte_carlo(quantity: str, draws: Sequence[float] | np.ndarray, exact: float) -> list[Measure]:
    """The mean of independent draws against what it should be: |z|, and how precise that makes the comparison."""
    error = np.std(draws, ddof=1) / np.sqrt(len(draws))
    return [
        Measure(f"{quantity}, {len(draws)} draws: |z| of the mean", abs(np.mean(draws) - exact) / error, Z_BOUND),
        Measure(f"{quantity}: its standard error, relative", error / abs(exact), PRECISION),
    ]


def difference(found: int | None, predicted: int | None) -> float:
    """Between two numbers of latents; NaN where a verdict does not give both."""
    return abs(given(found) - given(predicted))


def given(value: float | None) -> float:
    """A number of a verdict; NaN, which no tolerance admits, where no theorem gives one."""
    return float("nan") if value is None else float(value)


@dataclass(frozen=True)
class Theorem:
    """A row of the table: `run(seed)` trains and measures; its docstring is the statement, and the source."""

    number: str
    title: str
    run: Callable[[int], list[Measure]]

    @property
    def statement(self) -> str:
        """The first paragraph of the docstring."""
        return " ".join((self.run.__doc__ or "").partition("\n\n")[0].split())

    @property
    def source(self) -> str:
        """What follows "Source:" in it."""
        return " ".join((self.run.__doc__ or "").partition("Source:")[2].split()).rstrip(".")


@dataclass(frozen=True)
class Finding:
    """A theorem, and how well a trained model kept it.

    number     "1" to "20" as in `theory`, "I" to "VI" for the identities of gradients
    title, statement, source
    measures   every error with its tolerance; `error` and `tolerance` are those of the `worst`, the one that comes
               nearest to failing, and `ok` says that all hold
    seconds    that training and measuring took
    """

    number: str
    title: str
    statement: str
    source: str
    measures: tuple[Measure, ...]
    seconds: float

    @property
    def worst(self) -> Measure:
        return max(self.measures, key=lambda m: m.share)

    @property
    def error(self) -> float:
        return self.worst.error

    @property
    def tolerance(self) -> float:
        return self.worst.tolerance

    @property
    def ok(self) -> bool:
        return all(m.ok for m in self.measures)

    @property
    def text(self) -> str:
        """Title, statement, and a line per measure."""
        return "\n".join([f"{self.number:>4}  {self.statement}", *(f"      {m.text}" for m in self.measures)])

    @property
    def line(self) -> str:
        """Number, title, and the measure that comes nearest to failing."""
        return f"{self.number:>4}  {self.title:<58} {self.worst.text}"

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON but for an error that is NaN."""
        kept = ("number", "title", "statement", "source", "error", "tolerance", "ok", "seconds")
        measures = [{**vars(m), "ok": m.ok} for m in self.measures]
        return {**{name: getattr(self, name) for name in kept}, "worst": self.worst.quantity, "measures": measures}


def examine(theorem: Theorem, seed: int) -> Finding:
    """Train and measure. A theorem that raises has failed, and its only measure says how."""
    started = perf_counter()
    try:
        measures = tuple(theorem.run(seed))
    except (ValueError, ArithmeticError) as error:
        measures = (Measure(f"{type(error).__name__}: {error}", float("nan"), 0.0),)
    said = (theorem.number, theorem.title, theorem.statement, theorem.source)
    return Finding(*said, measures, perf_counter() - started)
