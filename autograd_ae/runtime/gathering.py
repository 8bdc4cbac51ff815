"""Batches straight from the data: numbered rows of an array, in memory or on disk, written into an input buffer.

The array may hold uint8, float32 or float64; a memory map is read where it lies, page by page. Nothing is allocated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_ae.core.errors import ShapeError
from autograd_ae.core.op import Array
from autograd_ae.runtime import instructions_training as do
from autograd_ae.runtime.lowering import Row
from autograd_ae.runtime.table import Table

KINDS = {
    np.dtype(np.uint8): do.gather_bytes,
    np.dtype(np.float32): do.gather_singles,
    np.dtype(np.float64): do.gather_doubles,
}


class Gather:
    """The first row of a table: it fills `buffer` (B, n) from rows of whatever array it is pointed at."""

    def __init__(self, buffer: Array):
        self.buffer = buffer
        self.chosen = np.zeros(len(buffer), np.int64)
        self.row = Row(do.gather_doubles, (buffer, buffer, self.chosen), (*buffer.shape, 0), (1.0,), buffer.dtype)
        self._source: Any = None
        self._scale: float | None = None

    def point(self, table: Table, X: Array, rows: Array, scale: float | None) -> None:
        """Make the row of `table` gather these rows of X, times `scale`, when the table runs next."""
        np.copyto(self.chosen, rows)
        self.aim(table, X, scale)

    def aim(self, table: Table, X: Array, scale: float | None) -> None:
        """Make it gather from X."""
        if X is self._source and scale == self._scale:
            return
        divisor = checked(X, self.buffer, scale)
        table.put(0, self.row._replace(instruction=KINDS[X.dtype]))
        table.words[0, 2], table.words[0, 7] = X.ctypes.data, len(X)
        table.factors[0, 0] = divisor
        self._source, self._scale = X, scale

    def forget(self) -> None:
        """The table is a new one: point anew."""
        self._source = None

    def refused(self, rows: Array | None = None) -> IndexError:
        """The error for a row that X does not have, among those chosen or among `rows`."""
        n, chosen = len(self._source), self.chosen if rows is None else rows
        wrong = chosen[(chosen < 0) | (chosen >= n)]
        return IndexError(f"row {int(wrong[0])} was asked for, and X has rows 0 to {n - 1}")


def checked(X: Array, buffer: Array, scale: float | None) -> float:
    """What to divide by; TypeError or ShapeError where X's rows are not what the program was recorded for."""
    if not isinstance(X, np.ndarray) or X.dtype not in KINDS or not X.flags.c_contiguous:
        got = f"{X.dtype}, {'' if X.flags.c_contiguous else 'not '}in C order" if isinstance(X, np.ndarray) else type(X)
        raise TypeError(f"an array of uint8, float32 or float64 in C order is needed to take rows from, not {got}")
    if X.ndim != 2 or X.shape[1] != buffer.shape[1]:
        raise ShapeError(f"X has shape {X.shape}, and the captured function takes rows of {buffer.shape[1]} numbers")
    if scale is None:
        return 255.0 if X.dtype == np.uint8 else 1.0
    return 1.0 / scale


def by_numpy(buffer: Array, X: Array, rows: Array, scale: float | None) -> None:
    """The same without kernels."""
    divisor = checked(X, buffer, scale)
    if rows.size and not 0 <= rows.min() <= rows.max() < len(X):
        wrong = rows[(rows < 0) | (rows >= len(X))]
        raise IndexError(f"row {int(wrong[0])} was asked for, and X has rows 0 to {len(X) - 1}")
    np.copyto(buffer, X[rows])
    if divisor != 1:
        np.divide(buffer, buffer.dtype.type(divisor), out=buffer)
