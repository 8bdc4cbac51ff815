"""The layered drawing: nothing overlaps, edges run forward through free space, crossings are as few as can be."""

import itertools
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.explain.layout import Box, TooLargeError, count_crossings, layered, longest_path_layers


@st.composite
def graphs(draw):
    """Boxes, and edges from smaller to larger numbers."""
    count = draw(st.integers(1, 25))
    sizes = st.floats(1, 200)
    boxes = [Box(draw(sizes), draw(sizes), draw(st.floats(0, 40))) for _ in range(count)]
    pairs = [(u, v) for v in range(count) for u in range(v)]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=40)) if pairs else []
    return boxes, edges


def inside(point, box, centre):
    return all(abs(p - c) < size / 2 - 1e-6 for p, c, size in zip(point, centre, (box.breadth, box.depth), strict=True))


@given(graphs())
def test_boxes_keep_their_distance(graph):
    boxes, edges = graph
    drawn = layered(boxes, edges, gap=24.0)
    for layer in drawn.order:
        nodes = [v for v in layer if v < len(boxes)]
        for u, v in pairwise(nodes):
            free = drawn.centres[v][0] - drawn.centres[u][0] - (boxes[u].breadth + boxes[v].breadth) / 2
            assert free >= 24.0 - 1e-6
    for (x, y), box in zip(drawn.centres, boxes, strict=True):
        assert x - box.breadth / 2 >= -1e-6
        assert x + box.breadth / 2 <= drawn.breadth + 1e-6
        assert y - box.depth / 2 + 1e-6 >= 0
        assert y + box.depth / 2 <= drawn.depth + 1e-6


@given(graphs())
def test_edges_run_forward_from_source_to_target_and_meet_no_other_box(graph):
    boxes, edges = graph
    drawn = layered(boxes, edges)
    for (source, target), route in zip(edges, drawn.routes, strict=True):
        positions = [p for _, begin, end in route for p in (begin, end)]
        assert positions == sorted(positions)
        start, end = (drawn.centres[v][1] for v in (source, target))
        assert positions[0] == pytest.approx(start + boxes[source].depth / 2)
        assert positions[-1] == pytest.approx(end - boxes[target].depth / 2)
        assert route[0][0] == drawn.centres[source][0]
        assert route[-1][0] == drawn.centres[target][0]
        others = [v for v in range(len(boxes)) if v not in (source, target)]
        for across, begin, stop in route:
            for along in np.linspace(begin, stop, 5):
                assert not any(inside((across, along), boxes[v], drawn.centres[v]) for v in others)
        for (_, _, before), (_, after, _) in pairwise(route):  # it bends where no box is, in the gap between two bands
            assert not any(
                y - boxes[v].depth / 2 < after - 1e-6 and before < y + boxes[v].depth / 2 - 1e-6
                for v, (_, y) in enumerate(drawn.centres)
            )


@given(graphs())
def test_layers_respect_every_edge_and_are_as_few_as_the_longest_path_needs(graph):
    boxes, edges = graph
    layers = longest_path_layers(len(boxes), edges)
    longest = [0] * len(boxes)
    for u, v in sorted(edges, key=lambda e: e[1]):
        longest[v] = max(longest[v], longest[u] + 1)
    assert all(layers[u] < layers[v] for u, v in edges)
    assert max(layers) == max(longest)


def crossings_by_pairs(order, pieces):
    """The definition: pairs of pieces between the same layers whose ends stand in opposite order."""
    place = {v: (i, k) for i, layer in enumerate(order) for k, v in enumerate(layer)}
    ends = [(*place[u], place[v][1]) for u, v in pieces]
    return sum(i == j and (a - c) * (b - d) < 0 for (i, a, b), (j, c, d) in itertools.combinations(ends, 2))


@given(st.permutations(range(6)), st.lists(st.tuples(st.integers(0, 5), st.integers(6, 11)), unique=True))
def test_crossings_are_counted_as_they_are_defined(lower, edges):
    order = [list(range(6)), [v + 6 for v in lower]]
    below = [[v for u, v in edges if u == k] for k in range(12)]
    assert count_crossings(*order, below) == crossings_by_pairs(order, edges)


def complete(m, n):
    return m + n, [(u, m + v) for u in range(m) for v in range(n)]


def tree(depth):
    return 2**depth - 1, [(child, (child - 1) // 2) for child in range(1, 2**depth - 1)]


def butterfly(stages):
    """The graph of the fast Fourier transform: 2ˢ lines."""
    n = 2**stages
    edges = [(s * n + i, (s + 1) * n + (j)) for s in range(stages) for i in range(n) for j in (i, i ^ (1 << s))]
    return n * (stages + 1), edges


def spine(length):
    """A chain of layers with two weights each, and data that are read at its beginning and at its end."""
    edges = [(k, k + 1) for k in range(length)] + [(0, length)]
    weights = [(length + 1 + 2 * k + side, k + 1) for k in range(length) for side in (0, 1)]
    return 3 * length + 1, edges + weights


KNOWN = {
    "a tree": (*tree(5), 0),
    "a chain with weights and one long edge": (*spine(8), 0),
    "K₂,₂": (*complete(2, 2), 1),
    "K₂,₃": (*complete(2, 3), 3),
    "K₃,₃": (*complete(3, 3), 9),
    "K₄,₅": (*complete(4, 5), 60),  # (4 choose 2) (5 choose 2)
    "the fast Fourier transform of 4": (*butterfly(2), 8),
    "two paths that read each other's middle": (6, [(0, 1), (1, 2), (3, 4), (4, 5), (1, 5), (4, 2)], 1),
    "one node": (1, [], 0),
    "no edges": (4, [], 0),
}


@pytest.mark.parametrize("name", KNOWN)
def test_no_more_crossings_than_the_known_least(name):
    count, edges, least = KNOWN[name]
    assert layered([Box(30.0, 20.0)] * count, edges).crossings == least


def least_crossings(layers, pieces):
    """By trying all orders of each layer beside all of the next: crossings add up along the layers."""
    best = dict.fromkeys(itertools.permutations(layers[0]), 0)
    for lower in layers[1:]:
        own = [(u, v) for u, v in pieces if v in lower]
        orders = list(itertools.permutations(lower))
        best = {new: min(best[old] + crossings_by_pairs([old, new], own) for old in best) for new in orders}
    return min(best.values())


def test_the_least_of_the_fast_fourier_transform_is_right():
    count, edges, least = KNOWN["the fast Fourier transform of 4"]
    n = count // 3
    assert least_crossings([list(range(k, k + n)) for k in range(0, count, n)], edges) == least


@pytest.mark.parametrize("seed", range(20))
def test_no_more_crossings_than_any_order_of_a_small_graph(seed):
    rng = np.random.default_rng(seed)
    layers = [list(range(k, k + 4)) for k in (0, 4, 8)]
    pairs = [(u, v) for a, b in pairwise(layers) for u in a for v in b]
    pieces = [pairs[k] for k in rng.choice(len(pairs), size=12, replace=False)]
    chain = [(0, 4), (4, 8)]  # keeps three layers; the others stand where their edges put them
    edges = sorted({*pieces, *chain})
    drawn = layered([Box(30.0, 20.0)] * 12, edges)
    long = [(u, v) for u, v in edges if drawn.layers[v] - drawn.layers[u] > 1]
    if not long:
        found = [[v for v in range(12) if drawn.layers[v] == k] for k in range(max(drawn.layers) + 1)]
        assert drawn.crossings == least_crossings(found, edges)
    assert drawn.crossings == crossings_by_pairs(drawn.order, pieces_of(drawn, edges))


def pieces_of(drawn, edges):
    """Edges cut at the layers that they pass, with the dummies in the order in which they were numbered."""
    dummies = itertools.count(len(drawn.centres))
    pieces = []
    for u, v in edges:
        path = [u, *itertools.islice(dummies, drawn.layers[v] - drawn.layers[u] - 1), v]
        pieces += pairwise(path)
    return pieces


def test_a_cycle_has_no_layers():
    with pytest.raises(ValueError, match="cycle"):
        layered([Box(1, 1)] * 2, [(0, 1), (1, 0)])


def test_edges_over_too_many_layers_are_refused():
    count = 300
    edges = [(k, k + 1) for k in range(count - 1)] + [(k, count - 1) for k in range(200)]
    with pytest.raises(TooLargeError, match="pass 39,"):
        layered([Box(1, 1)] * count, edges)


def test_what_has_to_come_later_does_without_an_edge():
    drawn = layered([Box(10, 10)] * 4, [(0, 1), (2, 3)], after=[(1, 2)])
    assert drawn.layers == [0, 1, 2, 3]
    assert len(drawn.routes) == 2
