"""What rounding does to this project's own backward pass: asked only where a gradient seems wrong.

Stored values are rounded (1 − y² of a saturated unit keeps few digits of y), and in float32 small numbers vanish. The
first is measured by running the recorded lines on blurred values (see `laws_report.py`); the second shows as recorded
values below the smallest normal number of their dtype, for which relative errors mean nothing. And a function part of
which bypasses the recording is found by recording it at two points: a constant that changes was data.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograd_ae.core.op import wengert_list
from autograd_ae.core.tensor import Tensor
from autograd_ae.testing.laws_report import Recording

Array = np.ndarray
RUNS = 6
SAFETY = 8


def blurred_change(func: Callable[..., Tensor], xs: list[Array], u: Array) -> list[Array]:
    """How far each entry of each gradient moves when every stored value is blurred by its rounding, times `SAFETY`."""
    recording = Recording(func, xs)
    exact = recording.gradients(u)
    worst = [np.zeros(g.shape) for g in exact]
    with np.errstate(all="ignore"):
        for run in range(RUNS):
            moved = recording.gradients(u, blur=np.random.default_rng(run))
            worst = [np.fmax(w, np.abs(m - g, dtype=np.float64)) for w, m, g in zip(worst, moved, exact, strict=True)]
    return [SAFETY * w for w in worst]


def underflows(func: Callable[..., Tensor], xs: list[Array]) -> bool:
    """Does a recorded value lie below the smallest normal number of its dtype, without being 0 on purpose?"""
    nodes = wengert_list([func(*[Tensor(x.copy()) for x in xs])])
    wide = wengert_list([func(*[Tensor(x.astype(np.float64)) for x in xs])])
    for node, exact in zip(nodes, wide, strict=True):
        if node.value.dtype == np.float32:
            size = np.abs(exact.value)
            if np.any((size > 0) & (size < np.finfo(np.float32).tiny)):
                return True
    return False


def bypasses(func: Callable[..., Tensor], xs: list[Array]) -> bool:
    """Is a constant of the recording computed from the arguments (through .data, detach or no_grad)?"""

    def constants(at: list[Array]) -> list[Array]:
        nodes = wengert_list([func(*[Tensor(a) for a in at])])
        return [t.data for node in nodes for t in node.inputs if t.node is None and not t.traced]

    try:
        here, there = constants([x.copy() for x in xs]), constants([x * x.dtype.type(0.75) for x in xs])
    except Exception:  # the other point is outside the domain
        return False
    return len(here) != len(there) or any(
        not np.array_equal(a, b, equal_nan=True) for a, b in zip(here, there, strict=True)
    )
