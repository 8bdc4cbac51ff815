"""An optimiser's step as rows: its rule in one pass over each stretch of parameters that lie side by side.

Adam, AdamW and SGD have rows; any other optimiser is called back with the gradients. The optimiser remains the owner of
its state: the rows work on its moments and `cells` where they lie, and `steps`, `learning_rate`, schedules and
`state_dict` are what they would be after `optimizer.step(gradients)`, bit for bit. So a rate may change and a state be
loaded at any time.

With `check_finite` all gradients are looked at before a parameter changes; ‖g‖² comes of it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.core.op import Array
from autograd_ae.optim.adam import Adam, AdamW
from autograd_ae.optim.optimizer import NORM, RATE
from autograd_ae.optim.sgd import SGD
from autograd_ae.runtime import instructions_training as do
from autograd_ae.runtime.instructions import FACTORS
from autograd_ae.runtime.lowering import Row


class Update:
    """The step of any optimiser: called back."""

    def __init__(self, optimizer: Any, gradients: Sequence[Array]):
        self.optimizer, self.gradients = optimizer, gradients
        self.rows: list[Row] = []

    def before(self) -> None:
        """Bring what the rows read up to date."""

    def after(self) -> None:
        """What is left to do, or to note, when the rows have run."""
        self.optimizer.step(self.gradients)

    def refused(self) -> int:
        """A gradient was refused: raise, or return the row to go on with."""
        raise NotImplementedError


class InRows(Update):
    """The step of an optimiser whose rule is an instruction.

    Its `cells` (see `optim/optimizer.py`) are the factors of the rows: they read the rate there, count the step and
    leave the norm, so that between two steps Python has nothing to do, unless a schedule gives the rate.
    """

    def __init__(self, optimizer: Any, gradients: Sequence[Array]):
        super().__init__(optimizer, gradients)
        self.settings, self.squares = optimizer.cells, np.zeros(1)
        self._stretches, self._brought, self._put_back = brought_together(list(stretches(optimizer, gradients)))
        if optimizer.check_finite:
            for k, g in enumerate(side_by_side(gradients)):
                self.rows.append(Row(do.check_finite, (self.squares, g), (g.size, k == 0)))
        self._checks = len(self.rows)

    def before(self) -> None:
        if self.optimizer.schedule is not None:
            self.settings[RATE] = self.optimizer.learning_rate

    def after(self) -> None:
        if self._checks and math.isfinite(self.squares[0]):  # where it is not, `refused` has found the norm
            self.settings[NORM] = math.sqrt(self.squares[0])

    def refused(self) -> int:
        self.optimizer._check_gradients(self.gradients)  # raises, unless only the sum of squares left the range
        return self._checks


class AdamRows(InRows):
    def __init__(self, optimizer: Adam, gradients: Sequence[Array]):
        super().__init__(optimizer, gradients)
        self.settings[1:5] = optimizer._beta1, optimizer._beta2, optimizer._eps, optimizer._decay
        self.scalars = scalars = np.zeros(FACTORS)
        how = int(optimizer.decoupled), int(optimizer.check_finite)
        self.rows.append(Row(do.begin_adam, (scalars, self.squares), how, self.settings))
        rule = [Row(do.adam, arrays, (arrays[0].size,), scalars) for arrays in self._stretches]
        self.rows += [*self._brought, *rule, *self._put_back]


class SGDRows(InRows):
    def __init__(self, optimizer: SGD, gradients: Sequence[Array]):
        super().__init__(optimizer, gradients)
        self.settings[1:3] = optimizer._momentum, optimizer._decay
        how = optimizer._momentum != 0, optimizer._nesterov
        self.rows.append(Row(do.begin_sgd, (self.squares,), (int(optimizer.check_finite),), self.settings))
        rule = [
            Row(do.sgd, (w, g, *(velocity or [w])), (w.size, *how), self.settings)
            for w, g, *velocity in self._stretches
        ]
        self.rows += [*self._brought, *rule, *self._put_back]


ROWS_OF: dict[type, type[Update]] = {Adam: AdamRows, AdamW: AdamRows, SGD: SGDRows}


def update_of(optimizer: Any, gradients: Sequence[Array]) -> Update:
    """How this optimiser's step is done."""
    kind = ROWS_OF.get(type(optimizer), Update)
    plain = all(p.flags.c_contiguous for p in optimizer.params)
    return (kind if plain and JIT_ENABLED else Update)(optimizer, gradients)


def stretches(optimizer: Any, gradients: Sequence[Array]) -> Any:
    """(parameter, gradient, *moments), flat: one for each run of parameters whose arrays lie side by side."""
    used: dict[np.dtype, int] = {}
    runs: list[list[Any]] = []  # first parameter, first gradient, start among the moments, length
    for p, g in zip(optimizer.params, gradients, strict=True):
        start = used.get(p.dtype, 0)
        used[p.dtype] = start + p.size
        if runs and p.size and all(follows(runs[-1][i], runs[-1][3], a) for i, a in enumerate((p, g))):
            runs[-1][3] += p.size
        elif p.size:
            runs.append([p, g, start, p.size])
    for p, g, start, length in runs:
        moments = [flat[p.dtype][start : start + length] for flat in optimizer.moments.values()]
        yield _flat(p, length), _flat(g, length), *moments


FEW = 1 << 13  # parameters in all that are rather moved twice than updated piece by piece


def brought_together(parts: list[Any]) -> tuple[list[Any], list[Row], list[Row]]:
    """Stretches (parameter, gradient, *moments), made one where only small parameters lie apart; rows before and after.

    A call of a rule's kernel takes as long as it needs for a hundred parameters, so many small ones are copied side by
    side, updated at once, and put back.
    """
    sizes = [arrays[0].size for arrays in parts]
    one_by_one: tuple[list[Any], list[Row], list[Row]] = parts, [], []
    if len(parts) < 2 or sum(sizes) > FEW or len({arrays[0].dtype for arrays in parts}) > 1:
        return one_by_one
    columns = list(zip(*parts, strict=True))[1:]  # gradients and moments, which lie side by side already
    ends = [[a.ctypes.data + a.nbytes == b.ctypes.data for a, b in itertools.pairwise(column)] for column in columns]
    if not all(map(all, ends)):
        return one_by_one
    together = np.zeros(sum(sizes), parts[0][0].dtype)
    pieces = np.array([(p[0].ctypes.data, p[0].size) for p in parts], np.int64)
    rows = [Row(do.move, (together, pieces), (len(parts), back), dtype=together.dtype) for back in (0, 1)]
    return [[together, *(_flat(column[0], together.size) for column in columns)]], rows[:1], rows[1:]


def side_by_side(arrays: Sequence[Array]) -> Any:
    """The arrays, flat: one for each run of those that lie side by side."""
    runs: list[list[Any]] = []
    for a in arrays:
        if runs and a.size and follows(runs[-1][0], runs[-1][1], a):
            runs[-1][1] += a.size
        elif a.size:
            runs.append([a, a.size])
    return [_flat(a, length) for a, length in runs]


def follows(first: Array, length: int, a: Array) -> bool:
    """Whether `a` begins where `length` entries from the beginning of `first` end, in one block of memory."""
    return (
        a.dtype == first.dtype
        and a.base is not None
        and a.base is first.base
        and a.ctypes.data == first.ctypes.data + length * first.itemsize
    )


def _flat(first: Array, length: int) -> Array:
    """`length` entries from the beginning of `first`, which may reach beyond it."""
    return np.lib.stride_tricks.as_strided(first.reshape(-1), (length,), (first.itemsize,))
