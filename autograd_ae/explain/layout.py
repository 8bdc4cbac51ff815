"""Layered drawing of a directed acyclic graph: layers, order within layers, coordinates, routes.

The framework is Sugiyama's (Sugiyama, Tagawa & Toda 1981, "Methods for visual understanding of hierarchical system
structures", IEEE Trans. SMC 11) as dot made it practical (Gansner, Koutsofios, North & Vo 1993, "A technique for
drawing directed graphs", IEEE TSE 19):

1. **Layers** by longest path, counted back from the sinks, so that a weight stands just before the op that reads it.
2. **Dummies**: an edge over several layers is cut into pieces of one layer each. A dummy is a lane of its own, so that
   no edge runs through a node.
3. **Order**: sweeps down and up that sort each layer by the barycentres of its neighbours, and exchanges of
   neighbours (Gansner et al. §3), keep the order with the fewest crossings. The start is a depth-first
   walk, which draws trees without crossings; small graphs with crossings are started again at random.
4. **Coordinates** by Brandes & Köpf (`explain.layout_coordinates`), which keeps long edges straight.

Within the band of a layer every edge runs straight through its lane; it bends only in the gap between two bands.
Hence a node can be touched by no edge but its own, whatever the graph. Cost: O(sweeps · E log E) for E edge pieces.

Sizes are given across the flow (`breadth`: side by side) and along it (`depth`); the caller turns the picture.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from autograd_ae.explain.layout_coordinates import coordinates

Edge = tuple[int, int]
Stretch = tuple[float, float, float]
MAX_PIECES = 20_000  # dummies; beyond that no picture can be read
_SWEEPS, _PATIENCE = 12, 3
_STARTS = 24
_WORK = 20_000  # nodes and dummies, times sweeps: large graphs get fewer


class TooLargeError(ValueError):
    """More pieces of edges than a drawing can show."""


@dataclass
class Box:
    """What is to be placed: its sizes across and along the flow, and the free stretch after it (for a label)."""

    breadth: float
    depth: float
    stem: float = 0.0


@dataclass
class Layout:
    """A drawing: a centre (across, along) per node, a route per edge, how many crossings.

    A route lists the straight stretches of an edge, (across, begins at, ends at); between them the edge bends.
    """

    centres: list[tuple[float, float]]
    routes: list[list[Stretch]]
    layers: list[int]
    crossings: int
    breadth: float
    depth: float
    order: list[list[int]] = field(repr=False)


def layered(
    boxes: Sequence[Box],
    edges: Sequence[Edge],
    *,
    after: Sequence[Edge] = (),
    lane: float = 10.0,
    gap: float = 24.0,
    layer_gap: float = 36.0,
) -> Layout:
    """Place boxes so that every edge runs forward.

    Parameters
    ----------
    boxes, edges : the nodes' sizes, and pairs (source, target) of their indices, without cycles.
    after : pairs (a, b) where b has to lie in a later layer than a, though no edge is drawn.
    lane : breadth of an edge that passes a layer.    gap : between neighbours of a layer.
    layer_gap : between layers, in which the edges bend.

    Raises
    ------
    ValueError : a cycle.    TooLargeError : so many edges over so many layers that a drawing would be of no use.
    """
    layers = longest_path_layers(len(boxes), [*edges, *after])
    pieces, lanes, total = _cut(len(boxes), edges, layers)
    order, crossings = _order(total, pieces, lanes, layers, len(boxes))
    breadths = [box.breadth for box in boxes] + [lane] * (total - len(boxes))
    across = coordinates(order, pieces, breadths, gap, first_dummy=len(boxes))
    along, thickness = _bands(boxes, layers, len(order), layer_gap)
    centres = [(across[v], along[layer] + boxes[v].depth / 2) for v, layer in enumerate(layers[: len(boxes)])]
    routes = [_route(path, [across[v] for v in path], boxes, layers, along, thickness) for path in lanes]
    breadth = max((across[v] + breadths[v] / 2 for v in range(total)), default=0.0)
    depth = along[-1] + thickness[-1] if along else 0.0
    return Layout(centres, routes, layers[: len(boxes)], crossings, breadth, depth, order)


def longest_path_layers(count: int, edges: Sequence[Edge]) -> list[int]:
    """The layer of each node: as far from the end as its longest path to a sink is long."""
    before: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for source, target in edges:
        before[target].append(source)
        waiting[source] += 1
    height = [0] * count
    ready = [v for v in range(count) if waiting[v] == 0]
    for v in ready:  # grows while it is read: sinks first
        for u in before[v]:
            height[u] = max(height[u], height[v] + 1)
            waiting[u] -= 1
            if waiting[u] == 0:
                ready.append(u)
    if len(ready) < count:
        raise ValueError("the graph has a cycle, so it has no layers")
    top = max(height, default=0)
    return [top - h for h in height]


def _cut(count: int, edges: Sequence[Edge], layers: list[int]) -> tuple[list[Edge], list[list[int]], int]:
    """Edges in pieces of one layer; the nodes and dummies along each edge; how many there are. Extends `layers`."""
    length = sum(layers[target] - layers[source] - 1 for source, target in edges)
    if length > MAX_PIECES:
        raise TooLargeError(f"edges that pass {length:,} layers in all")
    pieces, lanes, total = [], [], count
    for source, target in edges:
        inner = list(range(total, total + layers[target] - layers[source] - 1))
        total += len(inner)
        layers += range(layers[source] + 1, layers[target])
        path = [source, *inner, target]
        pieces += list(pairwise(path))
        lanes.append(path)
    return pieces, lanes, total


# Order within layers.


def _order(
    total: int, pieces: list[Edge], lanes: list[list[int]], layers: list[int], count: int
) -> tuple[list[list[int]], int]:
    above: list[list[int]] = [[] for _ in range(total)]
    below: list[list[int]] = [[] for _ in range(total)]
    for u, v in pieces:
        below[u].append(v)
        above[v].append(u)
    best: list[list[int]] = []
    fewest = -1
    for start in _starts(above, below, layers):
        stale = 0
        for order in _swept(start, above, below):
            crossings = sum(count_crossings(a, b, below) for a, b in pairwise(order))
            stale += 1
            if fewest < 0 or crossings < fewest:
                best, fewest, stale = [list(layer) for layer in order], crossings, 0
            if fewest == 0 or stale > _PATIENCE:
                break
        if fewest == 0:
            break
    return best, max(fewest, 0)


def _starts(above: list[list[int]], below: list[list[int]], layers: list[int]) -> Iterator[list[list[int]]]:
    """Orders to improve: a walk from the ends, one from the beginnings, and for small graphs some at random."""
    yield _depth_first(len(above), above, below, layers)
    order = _depth_first(len(above), below, above, layers)
    shuffled = [list(layer) for layer in order]
    yield order
    random = Random(0)
    for _ in range(min(_STARTS, _WORK // (10 * len(above) + 1))):
        for layer in shuffled:
            random.shuffle(layer)
        yield [list(layer) for layer in shuffled]


def _depth_first(total: int, first: list[list[int]], then: list[list[int]], layers: list[int]) -> list[list[int]]:
    """Layers in the order in which a walk from the ends (nodes without `then`) meets the nodes."""
    order: list[list[int]] = [[] for _ in range(max(layers, default=-1) + 1)]
    seen = [False] * total
    ends = [v for v in range(total) if not then[v]]
    stack = ends[::-1]
    while stack:
        v = stack.pop()
        if seen[v]:
            continue
        seen[v] = True
        order[layers[v]].append(v)
        stack += first[v][::-1]
    return order


def _swept(order: list[list[int]], above: list[list[int]], below: list[list[int]]) -> Iterator[list[list[int]]]:
    """The start, then the order after each sweep."""
    yield order
    for sweep in range(min(_SWEEPS, 2 + _WORK // (len(above) + 1))):
        down = sweep % 2 == 0
        neighbours = above if down else below
        indices = range(1, len(order)) if down else range(len(order) - 2, -1, -1)
        for i in indices:
            fixed = {v: k for k, v in enumerate(order[i - 1 if down else i + 1])}
            order[i] = _by_barycentre(order[i], neighbours, fixed)
        _exchange(order, above, below)
        yield order


def _by_barycentre(layer: list[int], neighbours: list[list[int]], fixed: dict[int, int]) -> list[int]:
    """Sorted by the mean place of the neighbours; a node without any keeps its place."""
    means = {v: sum(fixed[u] for u in neighbours[v]) / len(neighbours[v]) for v in layer if neighbours[v]}
    moved = iter(sorted(means, key=means.__getitem__))
    return [next(moved) if v in means else v for v in layer]


def _exchange(order: list[list[int]], above: list[list[int]], below: list[list[int]]) -> None:
    """Exchange neighbours while that removes crossings (the transpose step of Gansner et al.).

    A layer is looked at again only after itself or one beside it changed.
    """
    place = [0] * len(above)
    for layer in order:
        for k, v in enumerate(layer):
            place[v] = k
    waiting, rounds = set(range(len(order))), min(8, 1 + _WORK // (len(place) + 1))
    for _ in range(rounds):
        changed = {i for i in sorted(waiting) if _exchange_layer(order[i], above, below, place)}
        waiting = {i + d for i in changed for d in (-1, 0, 1) if 0 <= i + d < len(order)}


def _exchange_layer(layer: list[int], above: list[list[int]], below: list[list[int]], place: list[int]) -> bool:
    improved = False
    for k in range(len(layer) - 1):
        v, w = layer[k], layer[k + 1]
        gain = 0
        for side in (above, below):
            left, right = side[v], side[w]
            if len(left) == 1 == len(right):
                a, b = place[left[0]], place[right[0]]
                gain += (a > b) - (a < b)
            elif left and right:
                gain += _pair(left, right, place) - _pair(right, left, place)
        if gain > 0:
            layer[k], layer[k + 1] = w, v
            place[v], place[w] = k + 1, k
            improved = True
    return improved


def _pair(left: list[int], right: list[int], place: list[int]) -> int:
    """Crossings between the edges of a node and those of its right neighbour."""
    ends = sorted(place[b] for b in right)
    return sum(bisect_left(ends, place[a]) for a in left)


def count_crossings(upper: Sequence[int], lower: Sequence[int], below: Sequence[Sequence[int]]) -> int:
    """Crossings between two ordered layers: the inversions among the ends of their edges, read from left to right."""
    place = {v: k for k, v in enumerate(lower)}
    passed: list[int] = []
    crossings = 0
    for u in upper:
        ends = sorted(place[v] for v in below[u] if v in place)
        crossings += sum(len(passed) - bisect_right(passed, end) for end in ends)
        for end in ends:
            insort(passed, end)
    return crossings


# Bands and routes.


def _bands(boxes: Sequence[Box], layers: list[int], count: int, gap: float) -> tuple[list[float], list[float]]:
    """Where each layer begins along the flow, and how thick it is: nodes are aligned at its beginning."""
    thickness = [0.0] * count
    for box, layer in zip(boxes, layers, strict=False):
        thickness[layer] = max(thickness[layer], box.depth + box.stem)
    begins, position = [], 0.0
    for thick in thickness:
        begins.append(position)
        position += thick + gap
    return begins, thickness


def _route(
    path: list[int],
    across: list[float],
    boxes: Sequence[Box],
    layers: list[int],
    begins: list[float],
    thick: list[float],
) -> list[Stretch]:
    """From the end of the source through its stem and the lanes to the beginning of the target."""
    bands = [(begins[layers[v]], begins[layers[v]] + thick[layers[v]]) for v in path]
    route = [(x, start, end) for x, (start, end) in zip(across, bands, strict=True)]
    route[0] = (across[0], bands[0][0] + boxes[path[0]].depth, bands[0][1])
    route[-1] = (across[-1], bands[-1][0], bands[-1][0])
    return route
