"""An optimiser's step as rows: its rule in one pass over each stretch of parameters that lie side by side.

Adam, AdamW and SGD have rows; any other optimiser is called back with the gradients. The optimiser remains the owner of
its state: the rows work on its moments where they lie, and `steps`, `learning_rate`, schedules and `state_dict` are
what they would be after `optimizer.step(gradients)`, bit for bit. What a step needs of it is compared before each step,
so a rate may change and a state be loaded at any time.

With `check_finite` all gradients are looked at before a parameter changes; ‖g‖² comes of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.core.op import Array
from autograd_ae.optim.adam import Adam, AdamW
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
    """The step of an optimiser whose rule is an instruction. `settings` are (rate, …, steps) as that one reads them."""

    def __init__(self, optimizer: Any, gradients: Sequence[Array]):
        super().__init__(optimizer, gradients)
        self.settings, self.squares = np.zeros(FACTORS), np.zeros(1)
        self._stretches = list(stretches(optimizer, gradients))
        if optimizer.check_finite:
            for k, (_, g, *_moments) in enumerate(self._stretches):
                self.rows.append(Row(do.check_finite, (self.squares, g), (g.size, k == 0)))
        self._checks = len(self.rows)
        self._rate = math.nan

    def before(self) -> None:
        optimizer = self.optimizer
        rate = optimizer._rate if optimizer.schedule is None else optimizer.learning_rate
        if rate != self._rate:
            self._rate = self.settings[0] = rate

    def after(self) -> None:
        self.optimizer.steps += 1
        if self._checks:
            self.optimizer.gradient_norm = math.sqrt(self.squares[0])

    def refused(self) -> int:
        self.optimizer._check_gradients(self.gradients)  # raises, unless only the sum of squares left the range
        return self._checks


class AdamRows(InRows):
    def __init__(self, optimizer: Adam, gradients: Sequence[Array]):
        super().__init__(optimizer, gradients)
        self._steps = -1
        self.settings[1:5] = optimizer._beta1, optimizer._beta2, optimizer._eps, optimizer._decay
        self.scalars = scalars = np.zeros(FACTORS)
        self.rows.append(Row(do.begin_adam, (scalars, scalars), (int(optimizer.decoupled),), self.settings))
        self.rows += [Row(do.adam, arrays, (arrays[0].size,), scalars) for arrays in self._stretches]

    def before(self) -> None:
        super().before()
        if self.optimizer.steps != self._steps:
            self._steps = self.optimizer.steps
            self.settings[5] = self._steps

    def after(self) -> None:
        super().after()
        self._steps += 1


class SGDRows(InRows):
    def __init__(self, optimizer: SGD, gradients: Sequence[Array]):
        super().__init__(optimizer, gradients)
        self.settings[1:3] = optimizer._momentum, optimizer._decay
        how = optimizer._momentum != 0, optimizer._nesterov
        for w, g, *velocity in self._stretches:
            self.rows.append(Row(do.sgd, (w, g, *(velocity or [w])), (w.size, *how), self.settings))


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
