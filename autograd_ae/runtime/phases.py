"""One training step of a stack of dense layers as lists of phases: who computes what, and who waits for whom.

Threads go through a list together, with a barrier after each phase (|), as a phase may read what other threads wrote in
the one before:

    forward     pack X | layer 1 | layer 2 | … | layer L, unpack Y
    deltas      D_L | back L | back L−1 | … | look over |
    gradients   of all layers

Within a phase threads share the panels out as they go (`shares.py`).

No parameter changes before all deltas are there and have been looked over: with ‖X_k‖ and ‖D_j‖ the norms of columns,
|dW_kj| ≤ ‖X_k‖ ‖D_j‖ (Cauchy and Schwarz), so where no sum of squares is near the largest number, no gradient can be
anything but finite. X and D stay in their panels until the next step: `gradients` may be played again to look at them.

A phase takes the address of its task, which names the plan (`shares.py`), the layer l and the thread. Phases are called
by the addresses of their machine code (`team.py`), so that one that no network asks for is never compiled, and a new
network costs tables, no compilation. The optimiser's kernel is called in the same way: by `gradients`, on each piece of
a gradient as it comes out of the tiles.

`like()` is an array without entries, of the dtype that a phase works in: each phase exists in float32 and float64.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np

from autograd_ae.core.jit import Kernel, jit
from autograd_ae.core.native import at, call
from autograd_ae.core.object_code import code_of
from autograd_ae.optim.adam import adam_kernel
from autograd_ae.optim.sgd import sgd_kernel
from autograd_ae.runtime.emitter import doubles, singles, words
from autograd_ae.runtime.gemm import columns, squares_of_panel
from autograd_ae.runtime.panels import pack_panel, unpack_panel
from autograd_ae.runtime.shares import (
    ACTIVATION,
    BIAS,
    D_TURNED,
    DB,
    DB_OUT,
    DW_OUT,
    DX_OUT,
    FIRST_B,
    FIRST_W,
    G_IN,
    INPUTS,
    LAYERS,
    NUMBERS,
    SAMPLES,
    SECOND_B,
    SECOND_W,
    SQUARES,
    THREADS,
    UNITS,
    UPDATE,
    WEIGHTS,
    X_IN,
    Y_OUT,
    D,
    Y,
    opened,
    panel_of,
    panels,
    panels_up_to,
    scratch,
    strip_bytes,
    take,
)
from autograd_ae.runtime.stack import (
    SIGMOID,
    TANH,
    back_panels,
    first_delta,
    forward_panels,
    gradient_rows,
    together,
)

PIECE = 6  # what the optimiser's kernel is told

like = singles  # bound anew for each dtype, below


# Forward.


def pack_input(task):
    plan, _l, _me, count = opened(task)
    units, strip = plan[1, UNITS], strip_bytes(like(), plan)
    first, last = take(count, panels(like(), units), plan[0, THREADS], units)
    while first < last:
        for p in range(first, last):
            pack_panel(like(), plan[1, Y] + p * strip, plan[0, X_IN], plan[0, SAMPLES], units, p)
        first, last = take(count, panels(like(), units), plan[0, THREADS], units)
    return 1


def forward(task):
    plan, l, me, count = opened(task)
    layer, below, strip = plan[l + 1], plan[l], strip_bytes(like(), plan)
    units, most = layer[UNITS], together(like(), layer[INPUTS])
    first, last = take(count, panels(like(), units), plan[0, THREADS], most)
    while first < last:
        forward_panels(
            like(), layer[Y], below[Y], layer[WEIGHTS], layer[BIAS], scratch(plan, me),
            plan[0, SAMPLES], layer[INPUTS], units, layer[ACTIVATION], first, last,
        )  # fmt: skip
        if l == plan[0, LAYERS]:
            for p in range(first, last):
                unpack_panel(like(), plan[0, Y_OUT], layer[Y] + p * strip, plan[0, SAMPLES], units, p)
        first, last = take(count, panels(like(), units), plan[0, THREADS], most)
    return 1


# Backward.


def top_delta(task):
    plan, l, me, count = opened(task)
    layer = plan[l + 1]
    units = layer[UNITS]
    first, last = take(count, panels(like(), units), plan[0, THREADS], units)
    while first < last:
        first_delta(
            like(), layer[D], layer[D_TURNED], layer[DB], plan[0, G_IN], layer[Y], scratch(plan, me),
            plan[0, SAMPLES], units, layer[ACTIVATION], first, last,
        )  # fmt: skip
        first, last = take(count, panels(like(), units), plan[0, THREADS], units)
    return 1


def back(task):
    plan, l, me, count = opened(task)
    layer, below, strip = plan[l + 1], plan[l], strip_bytes(like(), plan)
    inputs = layer[INPUTS]
    first, last = take(count, panels(like(), inputs), plan[0, THREADS], inputs)
    while first < last:
        back_panels(
            like(), below[D], below[D_TURNED], below[DB], layer[D_TURNED], layer[WEIGHTS], below[Y], scratch(plan, me),
            plan[0, SAMPLES], inputs, layer[UNITS], below[ACTIVATION], first, last,
        )  # fmt: skip
        if l == 1:
            for p in range(first, last):
                unpack_panel(like(), plan[0, DX_OUT], below[D] + p * strip, plan[0, SAMPLES], inputs, p)
        first, last = take(count, panels(like(), inputs), plan[0, THREADS], inputs)
    return 1


@jit
def small_enough(like, panel, samples, units, spare):
    """Whether the columns of a panel have squares whose sums are below a quarter of the largest number (NaN is not)."""
    squares_of_panel(like, (spare, panel, samples))
    sums, limit = at(spare, columns(like), like), like.dtype.type(8e37 if like.itemsize == 4 else 4e307)
    fine = True
    for j in range(min(columns(like), units)):
        fine &= sums[j] < limit
    return fine


@jit
def fine_panel(like, plan, l, p, spare):
    """Whether panel p of layer l's output and delta are small enough.

    An output of sigmoid or tanh is at most 1, or NaN; and then its delta is NaN too.
    """
    layer, place, samples = plan[l + 1], p * strip_bytes(like, plan), plan[0, SAMPLES]
    units, bounded = layer[UNITS] - p * columns(like), layer[ACTIVATION] == SIGMOID or layer[ACTIVATION] == TANH
    fine = True
    if l < plan[0, LAYERS] and not (l > 0 and bounded):
        fine &= small_enough(like, layer[Y] + place, samples, units, spare)
    if l > 0:
        fine &= small_enough(like, layer[D] + place, samples, units, spare)
    return fine


def look_over(task):
    """Whether no gradient of any layer can be infinite or NaN, as far as this thread's panels tell."""
    plan, _l, me, count = opened(task)
    total, fine = panels_up_to(like(), plan, plan[0, LAYERS] + 1), True
    first, last = take(count, total, plan[0, THREADS], total)
    while first < last:
        for i in range(first, last):
            l, p = panel_of(like(), plan, i, plan[0, LAYERS])
            fine &= fine_panel(like(), plan, l, p, scratch(plan, me))
        first, last = take(count, total, plan[0, THREADS], total)
    return 1 if fine else 0


# Gradients: kept, or handed to the optimiser's kernel while they are in the cache.


@jit(flags=frozenset({"reassoc", "contract"}))
def sum_of_squares(x):
    s = x.dtype.type(0)
    for i in range(x.size):
        s += x[i] * x[i]
    return s


@jit
def note_squares(like, place, x, n):
    """float64 at `place` ← Σ x², in short sums of x's dtype; where one of them overflows, in float64."""
    values, total = at(x, n, like), 0.0
    for i in range(0, n, 512):
        s = float(sum_of_squares(values[i : i + 512]))
        if not s < 8e37:
            s = 0.0
            for j in range(i, min(i + 512, n)):
                s += float(values[j]) * float(values[j])
        total += s
    at(place, 1, doubles())[0] = total


@jit
def update(plan, piece, w, g, m, v, n):
    """Let the optimiser's kernel update n entries at w; `piece` is room for what it is told."""
    told = at(piece, PIECE, words())
    told[0], told[1], told[2], told[3], told[4], told[5] = w, g, m, v, n, plan[0, NUMBERS]
    return call(plan[0, UPDATE], piece)


@jit
def gradient_panel(like, plan, l, p, spare):
    """Rows of dW that panel p of layer l's input gives, and with the first of them db: kept, or into the optimiser.

    0 where the optimiser met an entry that is not finite (it keeps its values).
    """
    C, size, layer, kept = columns(like), like.itemsize, plan[l + 1], plan[l + 1, DW_OUT] != 0
    inputs, units = layer[INPUTS], layer[UNITS]
    piece = spare + C * C * size  # then room for C rows of dW
    place, n, fine = p * C * units * size, min(C, inputs - p * C) * units, 1
    out = layer[DW_OUT] + place if kept else piece + 64
    gradient_rows(like, out, plan[l, Y], layer[D], spare, plan[0, SAMPLES], inputs, units, p)
    if layer[SQUARES] != 0:
        note_squares(like, layer[SQUARES] + 8 * p, out, n)
    if plan[0, UPDATE] != 0:
        w, m, v = layer[WEIGHTS] + place, layer[FIRST_W] + place, layer[SECOND_W] + place
        fine &= update(plan, piece, w, out, m, v, n)
    if p == 0 and kept:
        out_b, db = at(layer[DB_OUT], units, like), at(layer[DB], units, like)
        for j in range(units):
            out_b[j] = db[j]
    if p == 0 and layer[SQUARES] != 0:
        note_squares(like, layer[SQUARES] + 8 * panels(like, inputs), layer[DB], units)
    if p == 0 and plan[0, UPDATE] != 0:
        fine &= update(plan, piece, layer[BIAS], layer[DB], layer[FIRST_B], layer[SECOND_B], units)
    return fine


def gradients(task):
    """dW and db of all layers, to where they are kept or straight into the optimiser; 0 where one was not finite.

    From the top: so the first layer's weights are the last that were touched when the next step begins with them.
    """
    plan, _l, me, count = opened(task)
    total, fine = panels_up_to(like(), plan, plan[0, LAYERS]), 1
    first, last = take(count, total, plan[0, THREADS], 1)
    while first < last:
        for i in range(first, last):
            l, p = panel_of(like(), plan, i, plan[0, LAYERS] - 1)
            fine &= gradient_panel(like(), plan, l + 1, p, scratch(plan, me))
        first, last = take(count, total, plan[0, THREADS], 1)
    return fine


def adam(piece):
    """Adam on the entries that `update` tells of."""
    told = at(piece, PIECE, words())
    n, s, t = told[4], at(told[5], 7, doubles()), like().dtype.type
    w, g, m, v = at(told[0], n, like()), at(told[1], n, like()), at(told[2], n, like()), at(told[3], n, like())
    return 1 if adam_kernel(w, g, m, v, t(s[0]), t(s[1]), t(s[2]), t(s[3]), t(s[4]), t(s[5]), t(s[6])) else 0


def sgd(piece):
    """SGD likewise; without momentum there is no velocity, and what stands for it is not read."""
    told = at(piece, PIECE, words())
    n, s, t = told[4], at(told[5], 5, doubles()), like().dtype.type
    w, g, v = at(told[0], n, like()), at(told[1], n, like()), at(told[2], n, like())
    return 1 if sgd_kernel(w, g, v, t(s[0]), t(s[1]), t(s[2]), s[3] != 0, s[4] != 0) else 0


# Machine code: each of these for each dtype, as a kernel of one integer.


def _kernels(function: FunctionType) -> dict[Any, Kernel]:
    made = {}
    for dtype, empty in ((np.dtype(np.float32), singles), (np.dtype(np.float64), doubles)):
        name = f"{function.__name__}_{dtype}"
        bound: Any = FunctionType(function.__code__, {**globals(), "like": empty}, name)
        bound.__qualname__, bound.__module__ = name, __name__
        made[dtype] = jit(bound)
    return made


_FUNCTIONS: tuple[Any, ...] = (
    pack_input, forward, top_delta, back, look_over, gradients, adam, sgd,
)  # fmt: skip
_KERNELS = {function.__name__: _kernels(function) for function in _FUNCTIONS}


def phase_code(name: str, dtype: Any) -> int:
    """The address of a phase's machine code; compiled where this machine has not met it yet."""
    return code_of(_KERNELS[name][np.dtype(dtype)])
