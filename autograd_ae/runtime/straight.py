"""Tiny networks: a table written out as one function without a loop, with all sizes known.

A step of a net of a few units takes microseconds, most of which are spent on finding out how little there is to do.
Here the rows are written one after another as calls of their instructions, with their sizes as numbers, and all is
merged and compiled as a whole: the compiler then unrolls the loops. Addresses are still read from the table, so the
code depends on shapes alone; it is kept on disk like that of instructions, and a later process with a net of the same
shapes loads it at once. Compiling takes its time, so it happens on request (`step.compile()`); the interpreter runs
meanwhile.

Products are plain loops whatever their size: for nets whose layers have more than some 30 units, BLAS and the
interpreter are faster. Small dense layers run in lanes (`lanes.py`) under the interpreter too, which leaves so little
between the rows that nothing is gained by writing them out: workload T of the benchmarks shows both. It takes half a
minute to compile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_ae.core.native import at
from autograd_ae.core.object_code import is_kept, machine_code
from autograd_ae.runtime.interpreter import ROW_BYTES
from autograd_ae.runtime.lowering import Row, dtype_of

MOST_WORK = 1 << 18  # multiplications of a step beyond which nothing is gained


def work(rows: Sequence[Row]) -> int:
    """About how many numbers the rows go through."""
    return sum(int(np.prod([n for n in row.sizes[:3] if n > 0], dtype=np.int64)) for row in rows)


def name_of(rows: Sequence[Row], first: int) -> str:
    """What the code is kept under: instructions, dtypes, sizes and the place in the table decide it."""
    parts = [f"{row.instruction.__name__} {dtype_of(row)} {tuple(map(int, row.sizes))}" for row in rows]
    return f"straight-{first}-{hashlib.sha256(';'.join(parts).encode()).hexdigest()[:24]}"


def compiled_before(rows: Sequence[Row], first: int) -> bool:
    """Whether the code lies on disk."""
    return is_kept(name_of(rows, first), 3)


def straight_code(rows: Sequence[Row], first: int) -> int:
    """The address of the code of these rows, which begin at row `first` of a table; called as the interpreter is."""
    return machine_code(name_of(rows, first), lambda: _written_out(rows, first), 3, takes_long=True)


def _written_out(rows: Sequence[Row], first: int) -> Callable[..., int]:
    names: dict[str, Any] = {"at": at.compiled(), "integer": np.zeros(1, np.int64), "real": np.zeros(1)}
    lines = ["def straight(table, first, last):"]
    for r, row in enumerate(rows, start=first):
        dtype = dtype_of(row)
        run, like = f"run_{row.instruction.__name__}", f"like_{dtype}"
        names[run], names[like] = row.instruction.inlined(), np.zeros(1, dtype)
        sizes = ", ".join(str(int(n)) for n in (*row.sizes, 0, 0, 0, 0)[:4])
        lines += [
            f"    t = at(table + {ROW_BYTES * r}, 10, integer)",
            f"    if {run}(t[1], t[2], t[3], t[4], {sizes}, at(t[9], 8, real), {like}) != 0:",
            f"        return {r}",
        ]
    exec("\n".join([*lines, "    return -1"]), names)  # of what this module wrote; nothing comes from outside
    written: Callable[..., int] = names["straight"]
    return written
