"""Chains of small dense layers as rows of `lanes.py`, in place of the rows of their lines.

A chain (`chains.py`) is seen by the rest of the program through what goes in and comes out: x, y, g and the gradients
of its parameters and of x. What lies between is in turned arrays of its own. So all its forward rows stand where its
last forward line was, all its backward rows where its last backward line was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autograd_ae.core.lines import Line
from autograd_ae.core.op import Array
from autograd_ae.core.program import Program
from autograd_ae.ops.dense import rows as in_rows
from autograd_ae.runtime import lanes as do
from autograd_ae.runtime.chains import Chain, find_chains
from autograd_ae.runtime.emitter import tile_of
from autograd_ae.runtime.lowering import Row
from autograd_ae.runtime.panels import aligned
from autograd_ae.runtime.stack import ACTIVATION_CODES

MOST_WORK, MOST_WEIGHTS = 1 << 18, 1 << 10  # multiplications of a forward pass; entries of a W


class Replaced(NamedTuple):
    """What runs at a line instead of it: rows, and then lines that follow upon them."""

    rows: list[Row]
    after: Sequence[Line] = ()


def replaced(program: Program, arrays: Sequence[Array | None]) -> dict[tuple[str, int], Replaced]:
    """What stands for lines that are done in lanes, by ("forward" or "backward", number)."""
    found: dict[tuple[str, int], Replaced] = {}
    for chain in find_chains(program):
        if _small(chain, program) and _plain(chain, arrays):
            found |= {("forward", k): Replaced([]) for k in chain.forward}
            found |= {("backward", k): Replaced([]) for k in chain.backward}
            forward, backward = _rows(chain, arrays)
            found["forward", chain.forward[-1]] = Replaced(forward)
            found["backward", chain.backward[-1]] = Replaced(backward, chain.after)
    return found


def _small(chain: Chain, program: Program) -> bool:
    """Whether lanes are faster than BLAS: by measurement, on one machine, where it was 1.3 to 7 times for such nets."""
    weights = (math.prod(program.values[link.W].shape) for link in chain.links)
    return chain.work(program) <= MOST_WORK and max(weights) <= MOST_WEIGHTS


def _plain(chain: Chain, arrays: Sequence[Array | None]) -> bool:
    """Whether the parameters lie in C order."""
    places = [place for link in chain.links for place in (link.W, link.b)]
    return all(a is not None and a.flags.c_contiguous for a in (arrays[place] for place in places))


def _rows(chain: Chain, arrays: Sequence[Array | None]) -> tuple[list[Row], list[Row]]:
    def array(place: int) -> Array:
        return arrays[place]  # type: ignore[return-value]  # None only at NOTHING

    x, y, g = (in_rows(array(place)) for place in (chain.x, chain.y, chain.g))
    samples, lanes = len(x), tile_of(x.dtype).lanes
    S = -(-samples // lanes) * lanes
    widths = [x.shape[1], *(array(link.W).shape[1] for link in chain.links)]
    codes = [ACTIVATION_CODES[link.activation] for link in chain.links]
    Y = [turned(n, S, lanes, x.dtype) for n in widths]
    D = [turned(n, S, lanes, x.dtype) for n in widths]
    forward = [Row(do.lanes_turn, (Y[0], x), (samples, widths[0], S))]
    for l, link in enumerate(chain.links):
        sizes = (widths[l], widths[l + 1], S, codes[l])
        forward.append(Row(do.lanes_forward, (Y[l + 1], Y[l], array(link.W), array(link.b)), sizes))
    forward.append(Row(do.lanes_turn, (y, Y[-1]), (samples, widths[-1], S, 1)))
    backward = [Row(do.lanes_turn, (D[-1], g), (samples, widths[-1], S))]
    if codes[-1] != do.IDENTITY:
        backward.append(Row(do.lanes_slope, (D[-1], Y[-1]), (widths[-1] * S, codes[-1])))
    for l, link in reversed(list(enumerate(chain.links))):
        shape = (widths[l], widths[l + 1], S)
        gradients = array(link.dW), array(link.db)
        backward.append(Row(do.lanes_gradient, (gradients[0], Y[l], D[l + 1], gradients[1]), shape))
        if l > 0 or chain.dx is not None:
            code = codes[l - 1] if l > 0 else do.IDENTITY
            backward.append(Row(do.lanes_back, (D[l], D[l + 1], array(link.W), Y[l]), (*shape, code)))
    if chain.dx is not None:
        backward.append(Row(do.lanes_turn, (in_rows(array(chain.dx)), D[0]), (samples, widths[0], S, 1)))
    return forward, backward


def turned(units: int, S: int, lanes: int, dtype: np.dtype) -> Array:
    """Room for a turned array: `units` rows of zeros, the row of ones, a register."""
    room = aligned((units + 1) * S + lanes, dtype)
    room[units * S : (units + 1) * S] = 1
    return room
