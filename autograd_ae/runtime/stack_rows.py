"""A stack's scores as rows of a table: the instruction that plays one, and the one that adds up what was noted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograd_ae.core.jit import jit
from autograd_ae.core.native import at
from autograd_ae.core.op import Array
from autograd_ae.runtime.emitter import doubles
from autograd_ae.runtime.lowering import Row
from autograd_ae.runtime.team import perform


@jit
def play_score(score, _a, _b, _c, _i, _j, _k, _l, _factors, _like):
    """All phases of the score at an address (`team.py`); refuses where one of them says no."""
    return 1 - perform(score)


@jit
def play_through(score, _a, _b, _c, _i, _j, _k, _l, _factors, _like):
    """The same where parameters have changed, so that it is too late to refuse."""
    perform(score)
    return 0


def play(score: Array, *, final: bool = False) -> Row:
    """The row that plays a score; a `final` one is not refused."""
    return Row(play_through if final else play_score, (score,), dtype=np.dtype(np.float64))


@jit
def add_up(out, numbers, _b, _c, n, first, _k, _l, _factors, _like):
    total, terms = at(out, 1, doubles()), at(numbers, n, doubles())
    if first != 0:
        total[0] = 0.0
    for i in range(n):
        total[0] += terms[i]
    return 0


def sums(out: Array, arrays: Sequence[Array]) -> list[Row]:
    """Rows that set out (1,) to the sum of all numbers in these arrays; float64."""
    return [Row(add_up, (out, a), (a.size, k == 0), dtype=np.dtype(np.float64)) for k, a in enumerate(arrays)]
