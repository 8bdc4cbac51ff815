"""What a stack's phases read: its plan as a table; and how threads share out the panels of a phase.

**The plan** is a table (2 + layers, COLUMNS) of int64: the step in row 0, the input as layer 0 in row 1, layer l in row
1 + l; sizes, and addresses of arrays (0: there is none). **A task**, TASK int64, is what a thread is told of a phase:
the address of the plan, the layer l, the thread, the address of the phase's count.

**Shares.** A thread takes some panels of the phase's work, then some of those that are left, until there are none: so
whoever is faster does more, and nobody waits for longer than a panel lasts. The count says how often panels were taken.
A panel is computed by one thread from start to end, so no bit depends on who took it.
"""

from __future__ import annotations

from autograd_ae.core.jit import jit
from autograd_ae.core.native import at, matrix_at
from autograd_ae.runtime.emitter import words
from autograd_ae.runtime.gemm import columns
from autograd_ae.runtime.team import atomic_add

COLUMNS, TASK = 16, 4
# Row 0 of a plan: the step.
SAMPLES, LAYERS, X_IN, Y_OUT, G_IN, DX_OUT, SCRATCH, SCRATCH_BYTES, THREADS, UPDATE, NUMBERS = range(11)
# A layer.
(
    INPUTS, UNITS, ACTIVATION, WEIGHTS, BIAS, Y, D, D_TURNED, DB, DW_OUT, DB_OUT, FIRST_W, SECOND_W, FIRST_B, SECOND_B,
    SQUARES,
) = range(16)  # fmt: skip


@jit
def opened(task):
    """plan, l, me, count of a task."""
    fields = at(task, TASK, words())
    layers = at(fields[0], COLUMNS, words())[LAYERS]
    return matrix_at(fields[0], layers + 2, COLUMNS, words()), fields[1], fields[2], fields[3]


@jit
def panels(like, units):
    """How many panels `units` make."""
    return -(-units // columns(like))


@jit
def take(count, total, threads, most):
    """The next of `total` panels that nobody has taken yet: from, to. They are equal when none are left.

    One thread takes all. Of several each takes its share of half of what is left, so the last pieces are small.
    """
    first, last = 0, 0
    for _ in range(atomic_add(count, 1) + 1):
        first = last
        left = total - first
        last += min(most, -(-left // (2 * threads))) if threads > 1 else left
    return first, last


@jit
def strip_bytes(like, plan):
    """Between one panel of a batch and the next."""
    C = columns(like)
    return -(-plan[0, SAMPLES] // C) * C * C * like.itemsize


@jit
def scratch(plan, me):
    """The address of thread me's own memory."""
    return plan[0, SCRATCH] + me * plan[0, SCRATCH_BYTES]


@jit
def panels_up_to(like, plan, layers):
    """How many panels the input and the outputs of layers 1 … layers − 1 have."""
    total = 0
    for l in range(layers):
        total += panels(like, plan[l + 1, UNITS])
    return total


@jit
def panel_of(like, plan, i, top):
    """Of the i-th panel of layers top, top − 1, … (0: the input): its layer, and its number there."""
    l = top
    while i >= panels(like, plan[l + 1, UNITS]):
        i -= panels(like, plan[l + 1, UNITS])
        l -= 1
    return l, i
