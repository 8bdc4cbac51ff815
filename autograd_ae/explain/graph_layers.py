"""The zoomed-out view: a layer with its weights becomes one node, and so does a chain of ops without weights.

A layer is an op that reads parameters together with what follows it alone: an added bias, an activation. Parameters
that several layers share (tied weights) stay nodes of their own. A chain is a run of ops of which each reads only the
one before, beside constants. One pass in the order of recording; nothing recurses, so a chain of 100,000 ops is one
node.
"""

from __future__ import annotations

from dataclasses import replace

from autograd_ae.explain.graph_model import ACTIVATIONS, GraphData, GraphNode


def collapse(data: GraphData) -> GraphData:
    """The same graph with a node per layer and per chain."""
    readers = data.readers
    clusters: list[list[int]] = []
    of: dict[int, int] = {}
    for k, node in enumerate(data.nodes):
        if node.leaf:
            continue
        home = _joins(data, k, of, clusters, readers)
        if home is None:
            home = len(clusters)
            clusters.append([])
        of[k] = home
        clusters[home].append(k)
    kept = []
    for k, node in enumerate(data.nodes):
        homes = {of[r] for r in readers[k]} if node.leaf else set()
        if node.leaf and len(homes) == 1 and node.kind != "data":
            of[k] = homes.pop()
        elif node.leaf:
            kept.append(k)
    return _assembled(data, kept, clusters, of)


def _joins(
    data: GraphData, k: int, of: dict[int, int], clusters: list[list[int]], readers: list[list[int]]
) -> int | None:
    """The cluster of the one op before, if op k belongs to it."""
    node = data.nodes[k]
    before = {i for i in node.inputs if not data.nodes[i].leaf}
    if len(before) != 1 or any(data.nodes[i].kind == "data" for i in node.inputs):
        return None
    previous = before.pop()
    if len(readers[previous]) != 1 or data.nodes[previous].group != node.group:
        return None
    weights = any(data.nodes[i].kind == "parameter" for i in node.inputs)
    layer = _has_weights(data, clusters[of[previous]][0])
    if layer:
        fits = (node.op == "add" and weights) or (node.op in ACTIVATIONS and node.kind != "loss")
    else:
        fits = not weights and node.kind != "loss"
    return of[previous] if fits else None


def _has_weights(data: GraphData, k: int) -> bool:
    return any(data.nodes[i].kind == "parameter" for i in data.nodes[k].inputs)


def _assembled(data: GraphData, kept: list[int], clusters: list[list[int]], of: dict[int, int]) -> GraphData:
    """New nodes, inputs before readers: a leaf comes where it is first read."""
    place: dict[int, int] = {}
    nodes: list[GraphNode] = []
    inside: list[list[int]] = [[] for _ in clusters]
    for k in of:
        if data.nodes[k].leaf:
            inside[of[k]].append(k)
    for k in kept:
        place[k] = len(nodes)
        nodes.append(data.nodes[k])
    spot: dict[int, int] = {}
    for c in sorted(range(len(clusters)), key=lambda c: clusters[c][-1]):
        members = clusters[c]
        read = [edge for k in members for edge in zip(data.nodes[k].inputs, data.nodes[k].arguments, strict=True)]
        outside = [(i, argument) for i, argument in read if of.get(i) != c]
        node = _cluster(data, members, inside[c])
        node.inputs = [place[i] if i in place else spot[of[i]] for i, _ in outside]
        node.arguments = [argument for _, argument in outside]
        spot[c] = len(nodes)
        nodes.append(node)
    return GraphData(nodes, data.scalar)


def _cluster(data: GraphData, members: list[int], leaves: list[int]) -> GraphNode:
    ops = [data.nodes[k] for k in members]
    node = replace(ops[-1])
    node.inside = [data.nodes[k] for k in leaves if data.nodes[k].kind == "parameter"]
    node.formula = _formula(ops)
    if node.kind == "loss":
        return node
    if node.inside:
        node.kind, node.title = "layer", _layer_name(node.inside)
    elif len(ops) > 1:
        names = [op.title for op in ops]
        node.title = " → ".join(names) if len(names) <= 3 else f"{len(names):,} ops"
    return node


def _layer_name(parameters: list[GraphNode]) -> str:
    """`layer 3` from W_3 and b_3; else the name of the first parameter."""
    suffixes = {p.title.partition("_")[2] for p in parameters}
    return f"layer {suffix.replace('_', ' ')}" if len(suffixes) == 1 and (suffix := suffixes.pop()) else (
        f"layer {parameters[0].title}"
    )  # fmt: skip


def _formula(ops: list[GraphNode]) -> str:
    """The formulas one after the other, `X W + b → softplus`; of a long chain its ends."""
    words = [ops[0].formula, *(op.title if op.op in ACTIVATIONS else op.formula for op in ops[1:])]
    return " → ".join(words if len(words) <= 3 else [words[0], "…", words[-1]])
