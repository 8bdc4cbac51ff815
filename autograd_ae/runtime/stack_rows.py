"""A stack's score as a row of a table: the one instruction that plays it."""

from __future__ import annotations

import numpy as np

from autograd_ae.core.jit import jit
from autograd_ae.core.op import Array
from autograd_ae.runtime.lowering import Row
from autograd_ae.runtime.team import perform


@jit
def play_score(score, _a, _b, _c, _i, _j, _k, _l, _factors, _like):
    """All phases of the score at an address (`team.py`); refuses where one of them says no."""
    return 1 - perform(score)


def play(score: Array) -> Row:
    """The row that plays a score."""
    return Row(play_score, (score,), dtype=np.dtype(np.float64))
