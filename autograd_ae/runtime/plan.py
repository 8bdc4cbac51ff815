"""Memory of a program: a place for every value, before the first step, in one block.

A value lives from the line that first writes it to the line that last reads it. When it dies its memory is free for
later values, so the block is about as large as what is alive at the busiest line, not as the sum of all values. Kept
until the next step: inputs, outputs, gradients that were asked for. Each value takes the smallest free gap that holds
it (best fit); places begin at multiples of 64 bytes, a cache line and a vector register.

Where all gradients are kept, they lie side by side in the order asked for, as the optimisers' moments do, so that
one pass can go over them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from autograd_ae.core.lines import NOTHING
from autograd_ae.core.op import Array
from autograd_ae.core.program import Program

ALIGNMENT = 64


@dataclass
class Plan:
    """`arrays[place]` for every value of a program; leaves that are not inputs are where they were.

    `nbytes` is the block's size, `peak` how many bytes are alive at the busiest line, each rounded up to 64.
    """

    arrays: list[Array | None]
    nbytes: int
    peak: int


class Gaps:
    """Free stretches of a block that grows at its end."""

    def __init__(self, start: int) -> None:
        self.size = start
        self._free: list[tuple[int, int]] = []  # (length, offset), shortest first

    def take(self, length: int) -> int:
        k = bisect_left(self._free, (length, 0))
        if k < len(self._free):
            found, offset = self._free.pop(k)
            if found > length:
                insort(self._free, (found - length, offset + length))
            return offset
        last = next((gap for gap in self._free if gap[0] + gap[1] == self.size), None)
        if last is not None:  # a gap at the end is made longer
            self._free.remove(last)
        offset = self.size if last is None else last[1]
        self.size = offset + length
        return offset

    def give_back(self, offset: int, length: int) -> None:
        for gap in [g for g in self._free if g[1] + g[0] == offset or g[1] == offset + length]:
            self._free.remove(gap)
            offset, length = min(offset, gap[1]), length + gap[0]
        insort(self._free, (length, offset))


def plan(program: Program, together: Sequence[int] = ()) -> Plan:
    """Places for all values; those `together` lie side by side, by dtype, and are kept."""
    sizes = {
        place: padded(value.dtype.itemsize * int(np.prod(value.shape, dtype=np.int64)))
        for place, value in enumerate(program.values)
        if value.kind in ("input", "result", "gradient", "partial") and place != program.seed
    }
    offsets, start = _side_by_side(program, together)
    kept = {place for place in _kept(program) if place in sizes and place not in offsets}
    for place in sorted(kept):
        offsets[place], start = start, start + sizes[place]
    gaps, alive, peak = Gaps(start), start, start
    born, dies = _lives(program, [place for place in sizes if place not in offsets])
    for k in range(len(program.forward) + len(program.backward)):
        for place in born.get(k, ()):
            offsets[place] = gaps.take(sizes[place])
            alive += sizes[place]
        peak = max(peak, alive)
        for place in dies.get(k, ()):
            gaps.give_back(offsets[place], sizes[place])
            alive -= sizes[place]
    return Plan(_arrays(program, offsets, gaps.size), gaps.size, peak)


def padded(nbytes: int) -> int:
    return max(-(-nbytes // ALIGNMENT), 1) * ALIGNMENT


def _kept(program: Program) -> set[int]:
    gradients = {program.gradients[place] for place in program.wrt if place in program.gradients}
    return {*program.inputs, *program.outputs, *gradients}


def _side_by_side(program: Program, together: Iterable[int]) -> tuple[dict[int, int], int]:
    offsets, end = {}, 0
    places = list(together)
    for dtype in dict.fromkeys(program.values[place].dtype for place in places):
        for place in (p for p in places if program.values[p].dtype == dtype):
            offsets[place] = end
            end += dtype.itemsize * int(np.prod(program.values[place].shape, dtype=np.int64))
        end = padded(end)
    return offsets, end


def _lives(program: Program, places: list[int]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Which values begin and end at each line."""
    wanted = set(places)
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for k, line in enumerate((*program.forward, *program.backward)):
        for place in (line.out, *line.args):
            if place != NOTHING and place in wanted:
                first.setdefault(place, k)
                last[place] = k
    born: dict[int, list[int]] = {}
    dies: dict[int, list[int]] = {}
    for place in first:
        born.setdefault(first[place], []).append(place)
        dies.setdefault(last[place], []).append(place)
    return born, dies


def _arrays(program: Program, offsets: dict[int, int], size: int) -> list[Array | None]:
    block = np.zeros(size + ALIGNMENT, np.uint8)
    shift = -block.ctypes.data % ALIGNMENT
    arrays = list(program.arrays)
    for place, offset in offsets.items():
        _, shape, dtype, _ = program.values[place]
        nbytes = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        arrays[place] = block[shift + offset : shift + offset + nbytes].view(dtype).reshape(shape)
    return arrays
