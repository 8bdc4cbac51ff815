"""What an experiment returns: rows of a table, numbers for the record, figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of a section's table: what was measured, the value, and what it is to be held against."""

    quantity: str
    value: float | str
    reference: str = ""

    def cells(self) -> tuple[str, str, str]:
        shown = self.value if isinstance(self.value, str) else f"{self.value:.8g}"
        return self.quantity, shown, self.reference


@dataclass
class Section:
    """One experiment's outcome.

    key : short name.   title : of the section.   claim : what the lecture or a theorem says, in a sentence.
    rows : the table.   numbers : all figures by name, for results.json.   figures : matplotlib figures by file name.
    """

    key: str
    title: str
    claim: str
    rows: list[Row] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, quantity: str, value: float | str, reference: str = "", *, key: str = "") -> None:
        """A row of the table and, under `key`, the number itself."""
        self.rows.append(Row(quantity, value, reference))
        if key:
            self.numbers[key] = value

    def text(self) -> str:
        return "\n".join(
            [f"{self.title}   [{self.seconds:.1f} s]", f"  {self.claim}", *table([row.cells() for row in self.rows])]
        )


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as aligned lines."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    return ["  " + "   ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
