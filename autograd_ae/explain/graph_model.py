"""What a computation graph holds before it is drawn: nodes for leaves and ops, edges, values and gradients in words.

The graph is read off a `Program`: its leaves and forward lines are the nodes, the arguments of the lines are the edges.
Gradients come from running the backward lines once and keeping every result, so that the gradient of an inner value is
there as well (`backward()` drops those).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from autograd_ae.core.op import Array, Node, Shape, source_line
from autograd_ae.core.program import NOTHING, Program, refuse_edited
from autograd_ae.explain.facets import inline
from autograd_ae.explain.graph_text import printable, shape_text
from autograd_ae.explain.plain import right_side

KINDS = ("parameter", "data", "constant", "op", "layer", "loss")
ACTIVATIONS = (
    "sigmoid", "tanh", "relu", "leaky_relu", "elu", "silu", "gelu", "softplus", "softmax", "log_softmax", "log_sigmoid",
)  # fmt: skip


@dataclass
class GraphNode:
    """One node: its kind (one of `KINDS`), title, a further line, its value and ∂output/∂value.

    `inputs` are nodes in the op's order, an input read twice twice; `arguments` are the op's names for them. A node
    that stands for a layer has its parameters in `inside`.
    """

    kind: str
    title: str
    value: Array
    gradient: Array | None = None
    inputs: list[int] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    op: str = ""
    formula: str = ""
    made: Node | None = None
    group: str = ""
    label: str = ""  # a word beside the shape on the outgoing edge
    inside: list[GraphNode] = field(default_factory=list)

    @property
    def leaf(self) -> bool:
        return self.kind in ("parameter", "data", "constant")

    @property
    def shape(self) -> Shape:
        return self.value.shape

    def hover(self) -> list[str]:
        """What pointing at the node shows: formula, shape, numbers, the source line."""
        kind = {"op": "operation"}.get(self.kind, self.kind)
        words = [f"{self.title}: {self.formula}" if self.formula else f"{self.title}: {kind}"]
        words += self.numbers()
        if self.inside:
            weights = sum(p.value.size for p in self.inside)
            words.append(f"{weights:,} parameters: {', '.join(p.title for p in self.inside)}")
            for p in self.inside:
                words += [p.title, *("  " + line for line in p.numbers())]
        return words if self.made is None else [*words, f"recorded at {source_line(self.made.where)}"]

    def numbers(self) -> list[str]:
        words = [f"shape {shape_text(self.shape)}, {self.value.dtype.name}", f"value: {inline(self.value)}"]
        return words if self.gradient is None else [*words, f"gradient: {inline(self.gradient)}"]


@dataclass
class GraphData:
    """Nodes in the order of recording, inputs before what reads them; the last is the output."""

    nodes: list[GraphNode]
    scalar: bool  # whether the output is a scalar, which has gradients

    @cached_property
    def readers(self) -> list[list[int]]:
        """For each node, the different nodes that read it."""
        readers: list[list[int]] = [[] for _ in self.nodes]
        for k, node in enumerate(self.nodes):
            for i in dict.fromkeys(node.inputs):
                readers[i].append(k)
        return readers


def read(program: Program) -> GraphData:
    """The nodes of a recorded program, with values and gradients."""
    scalar = program.values[program.outputs[0]].shape == ()
    gradients = all_gradients(program) if scalar else {}
    nodes: list[GraphNode] = []
    index: dict[int, int] = {}
    for place, tensor in program.leaves:
        index[place] = len(nodes)
        nodes.append(_leaf(program, place, tensor.traced, tensor.data, gradients.get(place)))
    for line in program.forward:
        node = program.nodes[line.node]
        index[line.out] = len(nodes)
        nodes.append(
            GraphNode(
                "loss" if line.out == program.outputs[0] and scalar else "op",
                node.op.name.replace("_", " "),
                node.value,
                gradients.get(line.out),
                inputs=[index[a] for a in line.args],
                arguments=_arguments(node),
                op=node.op.name,
                formula=right_side(node.op.latex),
                made=node,
            )
        )
    return GraphData(nodes, scalar)


def _leaf(program: Program, place: int, traced: bool, value: Array, gradient: Array | None) -> GraphNode:
    name = printable(program.values[place].name)
    if traced:
        return GraphNode("parameter", name or program.name(place), value, gradient)
    if name or value.size > 1:
        return GraphNode("data", name or "data", value)
    return GraphNode("constant", f"{value.item():.6g}", value)


def _arguments(node: Node) -> list[str]:
    names = node.op.argument_names
    return [f"{names[0]}[{k}]" if node.op.variadic else names[k] for k in range(len(node.inputs))]


def all_gradients(program: Program) -> dict[int, Array]:
    """∂output/∂value by the number of the value, for every value that a gradient flows through."""
    if program.seed == NOTHING:
        return {}
    env: list[Array | None] = list(program.arrays)
    env[program.seed] = program.cotangent(None)
    checked = -1
    for line in program.backward:
        if line.node != checked:
            checked = line.node
            refuse_edited(program.nodes[checked])
        if env[line.out] is None:
            value = program.values[line.out]
            env[line.out] = np.empty(value.shape, value.dtype)
        line.run(env[line.out], *[env[a] for a in line.args], **line.params)
    found = {place: env[gradient] for place, gradient in program.gradients.items()}
    return {place: gradient for place, gradient in found.items() if gradient is not None}


# Groups: encoder, code, decoder.


def find_groups(data: GraphData) -> None:
    """Name the nodes of encoder and decoder where the recording tells which they are.

    First by names that hold the word "encoder" or "decoder"; else by structure: a reparameterisation is the code of a
    variational autoencoder; and where data are both the input of the first layer and the target at the end, the
    narrowest layer between them is the code.
    """
    if len(data.nodes) > 1000 or _by_names(data):
        return
    layers = [k for k, node in enumerate(data.nodes) if _reads_weights(data, node)]
    if not layers:
        return
    readers = data.readers
    drawn = [k for k, node in enumerate(data.nodes) if node.op.startswith("reparameterise")]
    if len(drawn) == 1:
        code, first = drawn[0], drawn[0]
    elif (narrowest := _narrowest(data, layers, readers)) is not None:
        first, code = narrowest, _with_activation(data, narrowest, readers)
    else:
        return
    before, after = _ancestors(data, code), _descendants(data, code)
    last = max((k for k in layers if k in after), default=None)
    if last is None or not any(k in before or k == code for k in layers):
        return
    encoder = [k for k in before if not data.nodes[k].leaf] + ([code] if not drawn else [])
    decoder = after & (_ancestors(data, last) | {last}) | {_with_activation(data, last, readers)}
    data.nodes[code].label = "code"
    for k in encoder:
        data.nodes[k].group = "encoder"
    for k in decoder:
        data.nodes[k].group = "decoder"
    if drawn:
        data.nodes[first].group = "code"
    group_leaves(data)


def _by_names(data: GraphData) -> bool:
    for node in data.nodes:
        names = [data.nodes[i].title.lower() for i in node.inputs if data.nodes[i].kind == "parameter"]
        found = {word for word in ("encoder", "decoder") for name in names if word in name}
        if len(found) == 1:
            node.group = found.pop()
    group_leaves(data)
    return any(node.group for node in data.nodes)


def group_leaves(data: GraphData) -> None:
    """A leaf belongs to the group of its readers where they agree; data that enter the first layer stay outside."""
    for k, readers in enumerate(data.readers):
        groups = {data.nodes[r].group for r in readers}
        first = data.nodes[k].kind == "data" and groups == {"encoder"}
        if data.nodes[k].leaf and len(groups) == 1 and not first:
            data.nodes[k].group = groups.pop()


def _reads_weights(data: GraphData, node: GraphNode) -> bool:
    return any(data.nodes[i].kind == "parameter" and len(data.nodes[i].shape) >= 2 for i in node.inputs)


def _narrowest(data: GraphData, layers: Sequence[int], readers: list[list[int]]) -> int | None:
    """The layer of least width between data and their reconstruction; None where there is no such thing."""
    inputs = [i for i in data.nodes[layers[0]].inputs if data.nodes[i].kind == "data"]
    targets = [i for i in inputs if any(r not in layers for r in readers[i])]
    widths = [data.nodes[k].shape[-1] if data.nodes[k].shape else 1 for k in layers]
    if not targets or len(layers) < 2 or widths[-1] != data.nodes[targets[0]].shape[-1]:
        return None
    least = min(widths[:-1])
    return layers[widths.index(least)] if least < widths[-1] else None


def _with_activation(data: GraphData, k: int, readers: list[list[int]]) -> int:
    """The end of what belongs to a layer: a bias that is added and an activation, each read by the next alone."""
    while len(readers[k]) == 1:
        reader = data.nodes[readers[k][0]]
        others = [i for i in reader.inputs if i != k]
        bias = reader.op == "add" and all(data.nodes[i].kind == "parameter" for i in others)
        if reader.kind == "loss" or not (bias or (reader.op in ACTIVATIONS and not others)):
            return k
        k = readers[k][0]
    return k


def _ancestors(data: GraphData, k: int) -> set[int]:
    found, stack = set(), list(data.nodes[k].inputs)
    while stack:
        i = stack.pop()
        if i not in found:
            found.add(i)
            stack += data.nodes[i].inputs
    return found


def _descendants(data: GraphData, k: int) -> set[int]:
    found = {k}
    for j in range(k + 1, len(data.nodes)):
        if any(i in found for i in data.nodes[j].inputs):
            found.add(j)
    return found - {k}
