"""A program as text: the derivation, unrolled into numbered forward and backward lines with names and shapes.

A value is called by its tensor's name, or by % and the number of the line that computes it; the gradient of h is dh.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_ae.core.lines import NOTHING, Line
from autograd_ae.core.sweep import accumulate

if TYPE_CHECKING:
    from autograd_ae.core.program import Program


LEAVES = ("input", "parameter", "constant")


class Listing:
    """The names and the lines of one program; made when first asked for, when the program is complete."""

    def __init__(self, program: Program):
        self.program = program

    def name(self, place: int) -> str:
        """The name of a value: its tensor's, or the number of the line that computes it."""
        return self.program.values[place].name or f"%{self._line_numbers[place]}"

    @cached_property
    def _line_numbers(self) -> dict[int, int]:
        """Leaves first, then forward results, the seed, and what the backward lines compute, in that order."""
        leaves = [
            place for place, value in enumerate(self.program.values) if value.kind in ("input", "parameter", "constant")
        ]
        computed = (
            [line.out for line in self.program.forward]
            + [self.program.seed]
            + [line.out for line in self.program.backward]
        )
        numbers: dict[int, int] = {}
        for number, place in enumerate([*leaves, *computed], start=1):
            numbers.setdefault(place, number)
        return numbers

    def text(self, line: Line) -> str:
        """A line's right-hand side, as `dense(x, W_1, b_1)`."""
        shown = [self._shown(a) for a in line.args if a != NOTHING]
        if not line.label:
            return shown[0]
        shown += [f"{k}={_short(v)}" for k, v in line.params.items()]
        return f"{line.label}({', '.join(shown)})"

    def _shown(self, place: int) -> str:
        """As `name`, with a gradient named after what it is the gradient of."""
        return f"d{self.name(self._primal[place])}" if place in self._primal else self.name(place)

    @cached_property
    def _primal(self) -> dict[int, int]:
        return {gradient: value for value, gradient in self.program.gradients.items()}

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = []
        for place, leaf in enumerate(self.program.values):
            if leaf.kind in LEAVES:
                rows.append((self.name(place), leaf.kind, str(leaf.shape), leaf.dtype.name))
        rows.append(("forward",))
        rows += self._rows(self.program.forward)
        rows.append(("backward",))
        if self.program.seed != NOTHING:
            value = self.program.values[self.program.seed]
            start = "= 1" if value.shape == () else "= cotangent"
            rows.append((self._shown(self.program.seed), start, str(value.shape), value.dtype.name))
        rows += self._rows(self.program.backward)
        widths = [max(len(row[i]) for row in rows if len(row) > 1) for i in range(3)]
        lines, number = [], 0
        for row in rows:
            if len(row) == 1:
                lines.append(row[0])
                continue
            number += 1
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)] + [row[3]]
            lines.append(f"{number:4d}  {'  '.join(cells).rstrip()}")
        return "\n".join(lines)

    def _rows(self, lines: Iterable[Line]) -> list[tuple[str, ...]]:
        def row(line: Line) -> tuple[str, ...]:
            value = self.program.values[line.out]
            sign = "+=" if line.run is accumulate else "="
            return self._shown(line.out), f"{sign} {self.text(line)}", str(value.shape), value.dtype.name

        return [row(line) for line in lines]


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array{value.shape}"
    if callable(value):
        return getattr(value, "__name__", "function")
    return repr(value)
