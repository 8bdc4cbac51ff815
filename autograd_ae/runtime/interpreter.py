"""One kernel that runs a whole table, without going back to Python between its rows.

A row is ten integers: the address of an instruction's machine code (`instructions.py`), the addresses of its
destination and of up to three operands, four sizes, and the address of its factors. The same loop serves every program
and dtype, so a new network costs no compilation, only a table.

Whoever makes a table keeps the arrays alive whose addresses stand in it (`compiled.py`).
"""

from __future__ import annotations

import numpy as np

from autograd_ae.core.jit import jit
from autograd_ae.core.native import at, call
from autograd_ae.core.object_code import Call, code_of

ROW_BYTES = 80
_INTEGER = np.zeros(1, np.int64)


@jit
def run_rows(table, first, last):
    """Execute rows first … last − 1; the number of the row that refused its operands, or −1."""
    for r in range(first, last):
        row = table + ROW_BYTES * r
        if call(at(row, 1, _INTEGER)[0], row) != 0:
            return r
    return -1


def interpreter_code() -> int:
    """The address of the machine code of `run_rows`."""
    return code_of(run_rows, 3)


def interpreter() -> Call:
    """`run(address of the table, first, last)`: the row that refused, or −1."""
    return Call(interpreter_code())
