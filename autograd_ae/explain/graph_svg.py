"""A computation graph as SVG: self-contained, light and dark, no script.

`layout.layered` says where things stand; here they get their looks. Colours are variables set once for light and once
for dark (contrast at least 4.5 : 1). Arrowheads are drawn, not markers, so that several drawings on one page share no
names. Pointing at a node shows its formula, its value and ∂L/∂value; pointing at an edge shows what flows along it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from autograd_ae.explain.graph_model import GraphData, GraphNode
from autograd_ae.explain.graph_text import numbered, printable, shape_text, shortened, text_width
from autograd_ae.explain.layout import Box, Layout, layered

TITLE, LINE, LABEL = 13.0, 12.0, 11.0  # sizes of text, px
PAD, MARGIN, WIDEST, HEAD, RISE = 10.0, 16.0, 230.0, 7.0, 18.0
FRAME, FRAME_TOP = 9.0, 20.0  # a frame's distance from what it holds
LEGEND = {
    "parameter": "parameter",
    "data": "data",
    "constant": "constant",
    "op": "operation",
    "layer": "layer with its parameters",
    "loss": "loss",
}

STYLE = """
.aeg { --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #8b949e; --card: #ffffff; --edge: #57606a;
  --data: #eef1f4; --par: #e7f0fb; --parline: #3b78c3; --layer: #f3eefb; --layerline: #7a55b5; --loss: #fdeceb;
  --lossline: #b3352c; --frame: #f6f8fa; --frameline: #d0d7de; background: var(--paper);
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { .aeg { --paper: #14171b; --ink: #e6e9ed; --soft: #a3acb8; --line: #6e7885;
  --card: #1d2229; --edge: #a3acb8; --data: #262c34; --par: #16283f; --parline: #6aa9f2; --layer: #271f38;
  --layerline: #b497e6; --loss: #3b1d1c; --lossline: #f08a80; --frame: #191d22; --frameline: #39414b; } }
.aeg text { fill: var(--ink); font-size: 12px; }
.aeg .t { font-size: 13px; font-weight: 600; }
.aeg .l { fill: var(--soft); font-size: 11px; }
.aeg .halo { stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; paint-order: stroke; }
.aeg .node rect { fill: var(--card); stroke: var(--line); stroke-width: 1.2; }
.aeg .data rect { fill: var(--data); }
.aeg .constant rect { fill: none; stroke-dasharray: 3 2; }
.aeg .parameter rect { fill: var(--par); stroke: var(--parline); }
.aeg .layer rect { fill: var(--layer); stroke: var(--layerline); stroke-width: 1.6; }
.aeg .loss rect { fill: var(--loss); stroke: var(--lossline); stroke-width: 1.6; }
.aeg .frame { fill: var(--frame); stroke: var(--frameline); }
.aeg .edge path { fill: none; stroke: var(--edge); stroke-width: 1.3; }
.aeg .edge .head { fill: var(--edge); stroke: none; }
.aeg .edge .wide { stroke: transparent; stroke-width: 9; }
.aeg .edge:hover path, .aeg .node:hover rect { stroke-width: 2.6; }
.aeg .edge:hover .wide { stroke-width: 9; }
.aeg .edge:hover .head { stroke: var(--edge); }
""".strip()


@dataclass
class Card:
    """What a node shows, and its sizes."""

    title: str
    lines: list[str]
    label: str
    width: float
    height: float


@dataclass
class Drawing:
    """The layout of a graph, and its pieces in the plane of the picture: boxes (x, y, width, height) by node."""

    cards: list[Card]
    edges: list[tuple[int, int]]
    layout: Layout
    boxes: list[tuple[float, float, float, float]]
    right: bool
    width: float
    height: float
    top: float


def draw(data: GraphData, *, right: bool = False) -> Drawing:
    """Lay the graph out, downwards or to the right."""
    cards = [card(node) for node in data.nodes]
    edges = [(i, k) for k, node in enumerate(data.nodes) for i in _arranged(data, node)]
    read = {source for source, _ in edges}
    boxes = []
    for k, c in enumerate(cards):
        aside = text_width(c.label, LABEL) if k in read else 0.0
        if right:
            boxes.append(Box(max(c.height, 2 * (LABEL + 6)), c.width, aside + 12 if aside else 0.0))
        else:
            boxes.append(Box(max(c.width, 2 * (aside + 8)), c.height, RISE if aside else 0.0))
    layout = layered(boxes, edges, after=_apart(data), gap=24.0, layer_gap=34.0)
    left = top = MARGIN + (FRAME if any(node.group for node in data.nodes) else 0.0)
    top += FRAME_TOP - FRAME if left > MARGIN else 0.0
    legend = _legend_height(data)
    top += legend
    across, along = (top, left) if right else (left, top)
    placed = []
    for (x, y), c in zip(layout.centres, cards, strict=True):
        x, y = (y + along, x + across) if right else (x + across, y + along)
        placed.append((x - c.width / 2, y - c.height / 2, c.width, c.height))
    breadth, depth = (layout.depth, layout.breadth) if right else (layout.breadth, layout.depth)
    width = max(breadth + 2 * left, _legend_width(data) + 2 * MARGIN)
    return Drawing(cards, edges, layout, placed, right, width, depth + top + left, top)


def card(node: GraphNode) -> Card:
    """Title, formula, and the label of the outgoing edge: a word for the code, and the shape."""
    title = shortened(numbered(printable(node.title)), WIDEST, TITLE)
    lines = [shortened(node.formula, WIDEST, LINE)] if node.formula else []
    if node.inside:
        lines.append(f"{sum(p.value.size for p in node.inside):,} parameters")
    label = "" if node.kind == "constant" else " ".join(w for w in (node.label, shape_text(node.shape)) if w)
    width = max([text_width(title, TITLE), *(text_width(line, LINE) for line in lines)]) + 2 * PAD
    return Card(title, lines, label, max(width, 40.0), 25.0 + 16.0 * len(lines))


def _arranged(data: GraphData, node: GraphNode) -> list[int]:
    """The different inputs from left to right: what was computed in the middle, weights and data at its sides.

    The layout's first order follows this one, so a chain of layers becomes a straight spine.
    """
    inputs = list(dict.fromkeys(node.inputs))
    leaves = [i for i in inputs if data.nodes[i].leaf]
    half = (len(leaves) + 1) // 2
    return leaves[:half] + [i for i in inputs if not data.nodes[i].leaf] + leaves[half:]


def _apart(data: GraphData) -> list[tuple[int, int]]:
    """Pairs that keep encoder, code and decoder in different layers, weights too, so that their frames do not meet."""
    pairs = []
    members = {g: [k for k, node in enumerate(data.nodes) if node.group == g] for g in ("encoder", "code", "decoder")}
    for first, second in (("encoder", "code"), ("code", "decoder"), ("encoder", "decoder")):
        last = [k for k in members[first] if not any(data.nodes[r].group == first for r in data.readers[k])]
        pairs += [(k, leaf) for k in last for leaf in members[second] if data.nodes[leaf].leaf]
    return pairs


def svg(data: GraphData, *, right: bool = False, label: str = "computation graph") -> str:
    """The drawing as a document of its own, which may also stand inside HTML."""
    drawing = draw(data, right=right)
    width, height = drawing.width, drawing.height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="aeg" role="img" aria-label="{_attribute(label)}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.1f} {height:.1f}">',
        f"<style>\n{STYLE}\n</style>",
        f'<rect width="{width:.1f}" height="{height:.1f}" style="fill:var(--paper)"/>',
        *_frames(data, drawing),
        *(_edge(data, drawing, k) for k in range(len(drawing.edges))),
        *(_node(node, c, box) for node, c, box in zip(data.nodes, drawing.cards, drawing.boxes, strict=True)),
        *_labels(drawing),
        *_legend(data),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _text(words: str) -> str:
    return escape(printable(words), quote=False)


def _attribute(words: str) -> str:
    return escape(printable(words))


# Nodes and edges.


def _node(node: GraphNode, c: Card, box: tuple[float, float, float, float]) -> str:
    x, y, w, h = box
    radius = {"parameter": h / 2, "constant": h / 2, "data": 0.0}.get(node.kind, 6.0)
    rows = [f'<text class="t" x="{x + w / 2:.1f}" y="{y + 17:.1f}" text-anchor="middle">{_text(c.title)}</text>']
    for k, line in enumerate(c.lines):
        rows.append(f'<text x="{x + w / 2:.1f}" y="{y + 33 + 16 * k:.1f}" text-anchor="middle">{_text(line)}</text>')
    return (
        f'<g class="node {node.kind}"><title>{_text_lines(node.hover())}</title>'
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{radius:g}"/>' + "".join(rows) + "</g>"
    )


def _text_lines(lines: Iterable[str]) -> str:
    return "\n".join(_text(line) for line in lines)


def route(drawing: Drawing, k: int) -> list[tuple[str, list[tuple[float, float]]]]:
    """An edge as SVG's path commands, M, L and C, with their points in the plane of the picture."""
    stretches = drawing.layout.routes[k]
    left = drawing.boxes[0][0] - _corner(drawing)[0]
    top = drawing.boxes[0][1] - _corner(drawing)[1]

    def at(across: float, along: float) -> tuple[float, float]:
        return (along + left, across + top) if drawing.right else (across + left, along + top)

    x, begin, end = stretches[0]
    commands = [("M", [at(x, begin)]), ("L", [at(x, end)])]
    for x1, begin1, end1 in stretches[1:]:
        middle = (end + begin1) / 2
        commands.append(("C", [at(x, middle), at(x1, middle), at(x1, begin1)]))
        if end1 > begin1:
            commands.append(("L", [at(x1, end1)]))
        x, end = x1, end1
    return commands


def _corner(drawing: Drawing) -> tuple[float, float]:
    """Where the first box would stand if the layout were not moved."""
    x, y = drawing.layout.centres[0]
    x, y = (y, x) if drawing.right else (x, y)
    return x - drawing.cards[0].width / 2, y - drawing.cards[0].height / 2


def _edge(data: GraphData, drawing: Drawing, k: int) -> str:
    source, target = (data.nodes[v] for v in drawing.edges[k])
    commands = route(drawing, k)
    tip = commands[-1][1][-1]
    path = " ".join(c + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) for c, points in commands)
    x, y = tip
    half = HEAD / 2
    if drawing.right:
        head = f"M{x:.1f},{y:.1f} l{-HEAD:g},{-half:g} v{HEAD:g} z"
    else:
        head = f"M{x:.1f},{y:.1f} l{-half:g},{-HEAD:g} h{HEAD:g} z"
    names = [a for i, a in zip(target.inputs, target.arguments, strict=True) if i == drawing.edges[k][0]]
    words = f"{source.title} → {target.title} (as {' and '.join(names)}), {shape_text(source.shape)}"
    return (
        f'<g class="edge"><title>{_text(words)}</title><path class="wide" d="{path}"/><path d="{path}"/>'
        f'<path class="head" d="{head}"/></g>'
    )


def _labels(drawing: Drawing) -> list[str]:
    """The shape beside the stem of each node that is read."""
    written = []
    for k in sorted({source for source, _ in drawing.edges}):
        x, y, w, h = drawing.boxes[k]
        words = drawing.cards[k].label
        if not words:
            continue
        x, y = (x + w + 4, y + h / 2 - 4) if drawing.right else (x + w / 2 + 5, y + h + 13)
        written.append(f'<text class="l halo" x="{x:.1f}" y="{y:.1f}">{_text(words)}</text>')
    return written


# Frames around encoder, code and decoder.


def frames(data: GraphData, drawing: Drawing) -> dict[str, tuple[float, float, float, float]]:
    """Rectangles around the groups; one that would hold another group's node is left out."""
    found: dict[str, tuple[float, float, float, float]] = {}
    for group in dict.fromkeys(node.group for node in data.nodes if node.group):
        inside = [box for node, box in zip(data.nodes, drawing.boxes, strict=True) if node.group == group]
        x, y = min(b[0] for b in inside) - FRAME, min(b[1] for b in inside) - FRAME_TOP
        right, bottom = max(b[0] + b[2] for b in inside) + FRAME, max(b[1] + b[3] for b in inside) + FRAME
        frame = (x, y, right - x, bottom - y)
        strangers = [box for node, box in zip(data.nodes, drawing.boxes, strict=True) if node.group != group]
        if not any(overlap(frame, box) for box in [*strangers, *found.values()]):
            found[group] = frame
    return found


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def _frames(data: GraphData, drawing: Drawing) -> list[str]:
    return [
        f'<rect class="frame" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="8"/>'
        f'<text class="l" x="{x + 8:.1f}" y="{y + 13:.1f}">{_text(group)}</text>'
        for group, (x, y, w, h) in frames(data, drawing).items()
    ]


# The legend.

_KEY, _ROW, _ACROSS = 14.0, 20.0, 360.0


def _legend_places(data: GraphData) -> list[tuple[str, float, float]]:
    counts = Counter(node.kind for node in data.nodes)
    places, x, y = [], MARGIN, MARGIN
    for kind, words in LEGEND.items():
        if kind in counts:
            width = _KEY + 6 + text_width(words, LABEL) + 12
            if x > MARGIN and x + width > _ACROSS:
                x, y = MARGIN, y + _ROW
            places.append((kind, x, y))
            x += width
    return places


def _legend_height(data: GraphData) -> float:
    return max((y for _, _, y in _legend_places(data)), default=0.0) + _ROW + 6 - MARGIN


def _legend_width(data: GraphData) -> float:
    return max((x - MARGIN + 20 + text_width(LEGEND[k], LABEL) for k, x, _ in _legend_places(data)), default=0.0)


def _legend(data: GraphData) -> list[str]:
    rows = []
    for kind, x, y in _legend_places(data):
        radius = {"parameter": 5, "constant": 5, "data": 0}.get(kind, 3)
        rows.append(
            f'<g class="node {kind}"><rect x="{x:.1f}" y="{y:.1f}" width="{_KEY:g}" height="11" rx="{radius}"/>'
            f'<text class="l" x="{x + _KEY + 5:.1f}" y="{y + 9.5:.1f}">{LEGEND[kind]}</text></g>'
        )
    return rows
