"""What an experiment returns: rows of a table, sentences, numbers for the record, figures.

A row may carry a verdict: `holds` is True or False where a theorem or a claim of the lecture is put to the test, None
where a number is only reported. Sentences (`say`) are written by code that has looked at the numbers, so a text never
says "below" of a figure that is above.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VERDICTS = {None: "", True: "holds", False: "FAILS"}


@dataclass(frozen=True)
class Row:
    """One line of a section's table: what was measured, the value, what it is held against, and whether that holds."""

    quantity: str
    value: float | str
    reference: str = ""
    holds: bool | None = None
    note: str = ""  # an explanation, for the page

    @property
    def shown(self) -> str:
        return self.value if isinstance(self.value, str) else f"{self.value:.6g}".replace("-", "−")

    def cells(self) -> tuple[str, str, str, str]:
        return self.quantity, self.shown, self.reference, VERDICTS[self.holds]


@dataclass(frozen=True)
class Picture:
    """A Matplotlib figure, what it shows for those who cannot see it, and what to read from it."""

    figure: Figure
    alt: str
    caption: str = ""


@dataclass
class Section:
    """One experiment's outcome.

    key : short name, as of `--only`.    title : of the section.    claim : what the lecture or a theorem says.
    lecture : the sections of the chapter that it runs.    formulas : LaTeX, shown under the claim.
    rows : the table.   sentences : what was found.   settings : how it was run, name → value.
    numbers : all figures by name, for results.json.   pictures : by file name.
    error : the traceback of an experiment that failed; empty if it went through.
    """

    key: str
    title: str
    claim: str
    lecture: str = ""
    formulas: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    error: str = ""

    def add(
        self,
        quantity: str,
        value: float | str,
        reference: str = "",
        *,
        key: str = "",
        holds: bool | None = None,
        note: str = "",
    ) -> None:
        """A row of the table and, under `key`, the number itself."""
        self.rows.append(Row(quantity, value, reference, holds, note))
        if key:
            self.numbers[key] = value

    def at_most(self, quantity: str, value: float, bound: float, reference: str = "", *, key: str = "") -> None:
        """A row that holds where value ≤ bound, which NaN is not."""
        self.add(quantity, value, _joined(reference, f"at most {bound:.3g}"), key=key, holds=bool(value <= bound))

    def below(self, quantity: str, value: float, bound: float, reference: str = "", *, key: str = "") -> None:
        """A row that holds where value < bound."""
        self.add(quantity, value, _joined(reference, f"below {bound:.4g}"), key=key, holds=bool(value < bound))

    def at_least(self, quantity: str, value: float, bound: float, reference: str = "", *, key: str = "") -> None:
        """A row that holds where value ≥ bound."""
        self.add(quantity, value, _joined(reference, f"at least {bound:.3g}"), key=key, holds=bool(value >= bound))

    def say(self, sentence: str) -> None:
        """A sentence on what was found."""
        self.sentences.append(sentence)

    def show(self, name: str, figure: Figure, alt: str, caption: str = "") -> None:
        """A figure, to be saved as `name`.png."""
        self.pictures[name] = Picture(figure, alt, caption)

    @property
    def verdicts(self) -> list[bool]:
        """Of all rows that are put to a test."""
        return [row.holds for row in self.rows if row.holds is not None]

    @property
    def ok(self) -> bool:
        """Whether it went through and all that was put to a test holds."""
        return not self.error and all(self.verdicts)

    @property
    def outcome(self) -> str:
        """The section in a few words: "3 of 3 hold", "failed: ValueError: …"."""
        if self.error:
            return f"failed: {self.error.strip().splitlines()[-1]}"
        return f"{sum(self.verdicts)} of {len(self.verdicts)} hold" if self.verdicts else "done"

    def text(self) -> str:
        """Title, claim, table and findings, for a terminal."""
        head = f"{self.title}   [{self.seconds:.1f} s, {self.outcome}]"
        wrapped = [
            textwrap.fill(t, 118, initial_indent="  ", subsequent_indent="  ") for t in (self.claim, *self.sentences)
        ]
        return "\n".join([head, wrapped[0], *table([row.cells() for row in self.rows]), *wrapped[1:]])

    def to_dict(self) -> dict[str, Any]:
        """What results.json keeps of it."""
        kept = {"outcome": self.outcome, "ok": self.ok, "seconds": self.seconds, "cpu_seconds": self.cpu_seconds}
        rows = [
            {"quantity": r.quantity, "value": r.value, "reference": r.reference, "holds": r.holds} for r in self.rows
        ]
        return {**kept, "settings": self.settings, "numbers": self.numbers, "rows": rows, "error": self.error}


def _joined(reference: str, bound: str) -> str:
    return f"{reference}; {bound}" if reference else bound


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as aligned lines."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    return ["  " + "   ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
