"""Coordinates across the flow, given the order within layers: Brandes & Köpf (2001).

"Fast and simple horizontal coordinate assignment", GD 2001. Every node wants to stand over the median of its
neighbours, and a piece of a long edge between two dummies has to be straight. Nodes are joined into **blocks**, each a
vertical line: reading layers in one direction, a node joins the block of a median neighbour unless that would cross
a block that is already there or a long edge. Blocks are pushed together as far as the gaps allow. Doing so from above
or below and towards left or right gives four placements, each extreme; the mean of the two middle ones is the answer.
It keeps order and gaps: if xᵢ(u) + d ≤ xᵢ(v) in each of the four, so it is for the k-th smallest of the four.

Compaction is a longest path over the blocks, then a pass back that draws each block towards what follows; this takes
the place of the paper's classes, whose shifts needed an erratum (Brandes, Walter & Zink 2020).

The mean of extremes leaves what hangs on one edge, a weight or the lane of a long edge, further off than need be. So at
last each straight run is moved towards the median of its neighbours as far as the gaps allow. Cost O(E log E).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf

Edge = tuple[int, int]


def coordinates(
    order: Sequence[Sequence[int]], pieces: Sequence[Edge], breadths: Sequence[float], gap: float, *, first_dummy: int
) -> list[float]:
    """The coordinate of each node's middle; the leftmost edge of all is at 0.

    Parameters
    ----------
    order : layers from first to last, each in its order.    pieces : edges between neighbouring layers.
    breadths : size of each node.    gap : between two neighbours.    first_dummy : nodes from here on are dummies.
    """
    if not breadths:
        return []
    above: list[list[int]] = [[] for _ in breadths]
    below: list[list[int]] = [[] for _ in breadths]
    for u, v in pieces:
        above[v].append(u)
        below[u].append(v)
    straight = _marked(order, above, first_dummy)
    placements = []
    for layers, neighbours in ((order, above), (order[::-1], below)):
        for mirror in (1, -1):
            turned = [layer[::mirror] for layer in layers]
            x = _compacted(turned, _aligned(turned, neighbours, straight), breadths, gap)
            placements.append([mirror * value for value in x])
    aligned = _side_by_side(placements, breadths)
    middle = [sum(sorted(values)[1:3]) / 2 for values in zip(*aligned, strict=True)]
    _draw_in(middle, order, pieces, breadths, gap)
    left = min(x - breadth / 2 for x, breadth in zip(middle, breadths, strict=True))
    return [x - left for x in middle]


def _marked(order: Sequence[Sequence[int]], above: list[list[int]], first_dummy: int) -> set[Edge]:
    """Pieces that cross an inner piece of a long edge, as (upper, lower): they must give way."""
    marked: set[Edge] = set()
    for upper, lower in pairwise(order):
        place = {u: k for k, u in enumerate(upper)}
        inner = {v: above[v][0] for v in lower if v >= first_dummy and above[v][0] >= first_dummy}
        low, done = -1, 0
        for k, v in enumerate(lower):
            last = k == len(lower) - 1
            if v not in inner and not last:
                continue
            high = place[inner[v]] if v in inner else len(upper)
            for w in lower[done : k + 1]:
                marked |= {(u, w) for u in above[w] if w not in inner and not low <= place[u] <= high}
            low, done = high, k + 1
    return marked


def _aligned(layers: Sequence[Sequence[int]], neighbours: list[list[int]], marked: set[Edge]) -> dict[int, int]:
    """The root of each node's block: nodes join median neighbours in the layer before, never crossing."""
    root = {v: v for layer in layers for v in layer}
    taken: set[int] = set()
    for before, layer in pairwise(layers):
        place = {u: k for k, u in enumerate(before)}
        rightmost = -1
        for v in layer:
            near = sorted(neighbours[v], key=place.__getitem__)
            for u in dict.fromkeys((near[(len(near) - 1) // 2], near[len(near) // 2])) if near else ():
                free = u not in taken and (u, v) not in marked and (v, u) not in marked
                if free and place[u] > rightmost:
                    root[v], rightmost = root[u], place[u]
                    taken.add(u)
                    break
    return root


def _compacted(
    layers: Sequence[Sequence[int]], root: dict[int, int], breadths: Sequence[float], gap: float
) -> list[float]:
    """Blocks as far left as the gaps allow, then each drawn right as far as what follows it allows."""
    apart: dict[int, dict[int, float]] = {r: {} for r in root.values()}
    waiting = dict.fromkeys(apart, 0)
    for layer in layers:
        for u, v in pairwise(layer):
            needed = (breadths[u] + breadths[v]) / 2 + gap
            a, b = root[u], root[v]
            if b not in apart[a]:
                waiting[b] += 1
            apart[a][b] = max(needed, apart[a].get(b, 0.0))
    sequence = [r for r, count in waiting.items() if count == 0]
    x = dict.fromkeys(apart, 0.0)
    for a in sequence:  # grows while it is read
        for b, needed in apart[a].items():
            x[b] = max(x[b], x[a] + needed)
            waiting[b] -= 1
            if waiting[b] == 0:
                sequence.append(b)
    for a in reversed(sequence):
        if apart[a]:
            x[a] = max(x[a], min(x[b] - needed for b, needed in apart[a].items()))
    return [x[root[v]] for v in range(len(breadths))]


def _side_by_side(placements: list[list[float]], breadths: Sequence[float]) -> list[list[float]]:
    """The four placements moved onto the narrowest: left ones at its left edge, right ones at its right edge."""

    def ends(x: list[float]) -> tuple[float, float]:
        pairs = list(zip(x, breadths, strict=True))
        return min(v - b / 2 for v, b in pairs), max(v + b / 2 for v, b in pairs)

    left, right = min((ends(x) for x in placements), key=lambda e: e[1] - e[0])
    moved = []
    for k, x in enumerate(placements):
        low, high = ends(x)
        shift = left - low if k % 2 == 0 else right - high
        moved.append([value + shift for value in x])
    return moved


_SWEEPS = 4


def _draw_in(
    x: list[float], order: Sequence[Sequence[int]], pieces: Sequence[Edge], breadths: Sequence[float], gap: float
) -> None:
    """Move straight runs to the median of their neighbours, between which the sum of distances is least; in place."""
    run = list(range(len(x)))
    for u, v in sorted(pieces):
        if abs(x[u] - x[v]) < 1e-9:
            run[_end(run, v)] = _end(run, u)
    members: dict[int, list[int]] = {}
    for v in range(len(x)):
        members.setdefault(_end(run, v), []).append(v)
    near: dict[int, list[int]] = {r: [] for r in members}
    for u, v in pieces:
        a, b = _end(run, u), _end(run, v)
        if a != b:
            near[a].append(v)
            near[b].append(u)

    def apart(u: int, v: int) -> float:
        return (breadths[u] + breadths[v]) / 2 + gap

    before, after = ({v: u for layer in order for u, v in pairwise(layer[::way])} for way in (1, -1))
    for sweep in range(_SWEEPS):
        for r in sorted((r for r in members if near[r]), key=lambda r: x[r], reverse=sweep % 2 == 0):
            ends = sorted(x[v] for v in near[r])
            target = min(max(x[r], ends[(len(ends) - 1) // 2]), ends[len(ends) // 2])
            low = max((x[before[v]] + apart(v, before[v]) for v in members[r] if v in before), default=-inf)
            high = min((x[after[v]] - apart(v, after[v]) for v in members[r] if v in after), default=inf)
            for v in members[r]:
                x[v] = max(min(target, high), low)


def _end(run: list[int], v: int) -> int:
    while run[v] != v:
        run[v] = run[run[v]]
        v = run[v]
    return v
