"""The way into a small compiled program past Python: one built-in function for a step, another for many of them.

A step of a net of a few units takes about as long as NumPy needs to copy its batch. So what `Step.__call__` and
`Compiled.run` do step by step for any program is one kernel for a small one (`core/entry.py` tells how Python calls
it): see that nothing has changed since the program was bound, that the arrays are what it was recorded for, copy them
into the input buffers, run the rows.

What must not have changed are words in memory (*guards*): the array of each parameter, whether somebody looks for NaN,
whether a schedule gives the rate. Where a guard or an array is not as expected the kernel does nothing and says so;
then Python does the step in its own way, and binds anew what has to be.

The interpreter lock is held, so only programs enter in this way that are done in a fraction of a millisecond; many
steps are cut into stretches of some milliseconds, between which Ctrl-C and other threads have their turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from autograd_ae.core.entry import built_in, layout
from autograd_ae.core.jit import jit
from autograd_ae.core.modes import watching
from autograd_ae.core.native import at, call_three
from autograd_ae.core.object_code import code_of
from autograd_ae.core.op import Array
from autograd_ae.optim.optimizer import SCHEDULED
from autograd_ae.runtime.interpreter import interpreter_code
from autograd_ae.runtime.table import Table

DONE, ELSEWHERE = -1, -2  # instead of the row that refused its operands
# A block of words, all that the kernels know.
(
    CODE, RUN, TABLE, FIRST, LAST, INPUTS, WANTED, GUARDS, GUARDED, NDARRAY, ITEMS, READ, BATCH, OUTPUTS, VALUES,
    RATE_AT, REFUSED,
) = range(17)  # fmt: skip
WORDS, PER_INPUT = 17, 5
_INTEGER, _HALF, _BYTE = np.zeros(1, np.int64), np.zeros(1, np.int32), np.zeros(1, np.uint8)
_REAL, _SINGLE = np.zeros(1), np.zeros(1, np.float32)
TYPE, DATA, AXES, SHAPE, DTYPE, FLAGS = 1, 2, 6, 4, 7, 16  # of an array, in words; AXES and FLAGS in half words
IN_ORDER = 0x101  # flags: C order, aligned


@jit
def unchanged(block):
    """Whether all guards hold what they should."""
    guards = at(block[GUARDED], 2 * block[GUARDS], _INTEGER)
    fine = True
    for k in range(block[GUARDS]):
        fine &= at(guards[2 * k], 1, _INTEGER)[0] == guards[2 * k + 1]
    return fine


@jit
def fits(place, wanted, ndarray):
    """Whether the object at `place` is an array of the dtype and shape that is wanted, in C order."""
    array = at(place, 8, _INTEGER)
    if array[TYPE] != ndarray:
        return False
    halves = at(place, 18, _HALF)
    if array[DTYPE] != wanted[0] or halves[AXES] != wanted[1] or halves[FLAGS] & IN_ORDER != IN_ORDER:
        return False
    shape, other = at(array[SHAPE], wanted[1], _INTEGER), at(wanted[2], wanted[1], _INTEGER)
    fine = abs(array[DATA] - wanted[4]) >= wanted[3]  # no overlap with the buffer
    for k in range(wanted[1]):
        fine &= shape[k] == other[k]
    return fine


@jit
def enter(arguments, place):
    """A step on the arrays of a tuple; without any, on what the buffers hold."""
    block = at(place, WORDS, _INTEGER)
    given = at(arguments + 16, 1, _INTEGER)[0]
    if (given != 0 and given != block[INPUTS]) or not unchanged(block):
        return ELSEWHERE
    items = at(arguments + block[ITEMS], given, _INTEGER)
    for k in range(given):
        wanted = at(block[WANTED] + 8 * PER_INPUT * k, PER_INPUT, _INTEGER)
        if not fits(items[k], wanted, block[NDARRAY]):
            return ELSEWHERE
    for k in range(given):
        wanted = at(block[WANTED] + 8 * PER_INPUT * k, PER_INPUT, _INTEGER)
        source, buffer = at(at(items[k], 3, _INTEGER)[DATA], wanted[3], _BYTE), at(wanted[4], wanted[3], _BYTE)
        for i in range(wanted[3]):
            buffer[i] = source[i]
    return call_three(block[RUN], block[TABLE], block[FIRST], block[LAST])


@jit
def enter_many(arguments, place):
    """A step on each row of (rows, values, rates): int64 (steps, B), float64 (steps, outputs), float64 (steps,) or ().

    How many steps were done; where fewer than asked for, block[REFUSED] says which row of the table refused.
    """
    block = at(place, WORDS, _INTEGER)
    if not unchanged(block):
        return ELSEWHERE
    items = at(arguments + block[ITEMS], 3, _INTEGER)
    rows, values, rates = at(items[0], 5, _INTEGER), at(items[1], 5, _INTEGER), at(items[2], 5, _INTEGER)
    steps, rated = at(rows[SHAPE], 1, _INTEGER)[0], at(rates[SHAPE], 1, _INTEGER)[0]
    outputs = at(block[VALUES], 2 * block[OUTPUTS], _INTEGER)
    kept, chosen = at(values[DATA], steps * block[OUTPUTS], _REAL), at(block[TABLE], 4, _INTEGER)
    before = chosen[3]
    for step in range(steps):
        chosen[3] = rows[DATA] + 8 * block[BATCH] * step
        if rated != 0:
            at(block[RATE_AT], 1, _REAL)[0] = at(rates[DATA], steps, _REAL)[step]
        refused = call_three(block[READ], block[TABLE], 0, 1)
        if refused < 0:
            refused = call_three(block[RUN], block[TABLE], block[FIRST], block[LAST])
        if refused >= 0:
            block[REFUSED], chosen[3] = refused, before
            return step
        for k in range(block[OUTPUTS]):
            single = outputs[2 * k + 1] == 4
            value = at(outputs[2 * k], 1, _SINGLE)[0] if single else at(outputs[2 * k], 1, _REAL)[0]
            kept[step * block[OUTPUTS] + k] = value
    chosen[3] = before
    return steps


class Entry:
    """`step(arrays)` does a step on a tuple of arrays: the row that refused, DONE or ELSEWHERE.

    `code` is the address of what runs rows `first` … `last` − 1 of the table; `guards` are addresses of words and what
    they should hold. All that the kernels look at lives as long as this object.
    """

    def __init__(
        self,
        table: Table,
        stretch: tuple[int, int],
        code: int | None,
        inputs: Sequence[Array],
        outputs: Sequence[Array],
        guards: Sequence[tuple[int, int]],
    ):
        found = layout()
        assert found is not None  # `possible` was asked
        shapes = [np.array(a.shape or (0,), np.int64) for a in inputs]
        wanted = [
            (id(a.dtype), a.ndim, s.ctypes.data, a.nbytes, a.ctypes.data) for a, s in zip(inputs, shapes, strict=True)
        ]
        self._wanted = np.array(wanted, np.int64).reshape(-1, PER_INPUT)
        self._values = np.array([(o.ctypes.data, o.itemsize) for o in outputs], np.int64)
        self._guards = np.array(guards, np.int64)
        self._kept = table, shapes, inputs, outputs, [a.dtype for a in inputs]
        self._block = b = np.zeros(WORDS, np.int64)
        b[CODE], b[READ] = code_of(enter, 2), interpreter_code()
        b[RUN] = b[READ] if code is None else code
        if code is None:
            table.load(*stretch)
        b[TABLE], b[FIRST], b[LAST] = table.address, *stretch
        b[INPUTS], b[WANTED], b[NDARRAY], b[ITEMS] = len(inputs), self._wanted.ctypes.data, id(np.ndarray), found.items
        b[GUARDS], b[GUARDED] = len(guards), self._guards.ctypes.data
        b[BATCH] = len(inputs[0]) if inputs and inputs[0].ndim else 0
        b[OUTPUTS], b[VALUES] = len(outputs), self._values.ctypes.data
        self.step: Callable[[tuple[Any, ...]], int] = built_in(b)

    @cached_property
    def _second(self) -> tuple[Array, Callable[[tuple[Any, ...]], int]]:
        block = self._block.copy()
        block[CODE] = code_of(enter_many, 2)
        return block, built_in(block)

    def many(self, rows: Array, values: Array, rates: Array, rate: Array | None) -> tuple[int, int]:
        """A step for each row of `rows` (steps, B): how many were done, and which row of the table refused the next.

        ELSEWHERE instead of the first where Python has to do it. The rate of each step is put in the cell `rate`.
        """
        block, run = self._second
        block[GUARDS] = len(self._guards) - (rate is not None)
        if rate is not None:
            block[RATE_AT] = rate.ctypes.data
        return run((rows, values, rates)), int(block[REFUSED])


def possible() -> bool:
    """Whether kernels can be entered in this way here."""
    return layout() is not None


def guards_of(leaves: Sequence[tuple[Any, Array | None]], optimizer: Any) -> list[tuple[int, int]]:
    """What must be as it was for a program to run as it was bound: (address of a word, the word).

    The last one says that no schedule gives the rate, where there is an optimiser.
    """
    found = layout()
    data = 0 if found is None else found.data
    scheduled = [] if optimizer is None else [(optimizer.cells.ctypes.data + 8 * SCHEDULED, 0)]
    return [(watching.ctypes.data, 0), *((id(leaf) + data, id(array)) for leaf, array in leaves), *scheduled]
