"""The table: rows as machine words, and running stretches of it.

The machine code of a row is asked for when its stretch first runs, since to make it takes part of a second where the
machine has not met the instruction: a row that never runs costs nothing.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence

import numpy as np

from autograd_ae.core.object_code import Call
from autograd_ae.core.op import Array
from autograd_ae.runtime.instructions import COLUMNS, FACTORS, code
from autograd_ae.runtime.interpreter import interpreter
from autograd_ae.runtime.lowering import Row, dtype_of
from autograd_ae.runtime.straight import straight_code


class Table:
    """Rows in the form that the interpreter reads. It keeps their arrays alive."""

    def __init__(self, rows: Sequence[Row]):
        self.words = np.zeros((len(rows), COLUMNS), np.int64)
        self.factors = np.zeros((len(rows), FACTORS))
        self._kept: list[Array] = []
        factors_at = self.factors.ctypes.data
        for r, row in enumerate(rows):
            words = self.words[r]
            words[1 : 1 + len(row.arrays)] = [a.ctypes.data for a in row.arrays]
            words[5 : 5 + len(row.sizes)] = row.sizes
            words[9] = row.factors.ctypes.data if isinstance(row.factors, np.ndarray) else factors_at + 8 * FACTORS * r
            if not isinstance(row.factors, np.ndarray):
                self.factors[r, : len(row.factors)] = row.factors
            self._kept += [*row.arrays, *([row.factors] if isinstance(row.factors, np.ndarray) else [])]
        self._rows, self.address = list(rows), self.words.ctypes.data
        self._interpreter = interpreter()
        self._stretches: dict[tuple[int, int], tuple[Callable[[], None], ctypes.c_int64]] = {}

    def load(self, first: int, last: int) -> None:
        """Fetch the code of rows first … last − 1."""
        for r in range(first, last):
            if not self.words[r, 0]:
                self.words[r, 0] = code(self._rows[r].instruction, dtype_of(self._rows[r]))

    def put(self, r: int, row: Row) -> None:
        """Have another instruction on the same arrays as row r."""
        self._rows[r], self.words[r, 0] = row, 0
        self.load(r, r + 1)

    def run(self, first: int, last: int) -> int:
        """Execute rows first … last − 1; the row that refused its operands, or −1."""
        found = self._stretches.get((first, last))
        if found is None:
            self.load(first, last)
            run = self._interpreter
            found = self._stretches[first, last] = run.fixed(self.address, first, last), run.result
        found[0]()
        return found[1].value

    def straighten(self, first: int, last: int) -> int:
        """Run rows first … last − 1, when they are run together, by code of their own (`straight.py`); its address."""
        code = straight_code(self._rows[first:last], first)
        run = Call(code, brief=True)
        self._stretches[first, last] = run.fixed(self.address, first, last), run.result
        return code
