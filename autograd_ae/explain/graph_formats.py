"""A computation graph in the languages of other programs: Mermaid (Markdown on GitHub, GitLab, …) and DOT (Graphviz).

Both hold what the drawing holds: nodes by kind, shapes on edges, encoder, code and decoder as subgraphs; DOT has the
numbers too, as tooltips. Neither is laid out here, so there is no limit to the size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from autograd_ae.explain.graph_model import GraphData, GraphNode
from autograd_ae.explain.graph_text import printable, shape_text

_MERMAID_SHAPES = {
    "parameter": ("([", "])"),
    "data": ("[", "]"),
    "constant": ("((", "))"),
    "op": ("(", ")"),
    "layer": ("[[", "]]"),
    "loss": ("{{", "}}"),
}
_MERMAID_CLASSES = {
    "parameter": "fill:#e7f0fb,stroke:#3b78c3,color:#1b1f24",
    "data": "fill:#eef1f4,stroke:#8b949e,color:#1b1f24",
    "constant": "fill:#ffffff,stroke:#8b949e,color:#1b1f24,stroke-dasharray:3 2",
    "op": "fill:#ffffff,stroke:#8b949e,color:#1b1f24",
    "layer": "fill:#f3eefb,stroke:#7a55b5,color:#1b1f24",
    "loss": "fill:#fdeceb,stroke:#b3352c,color:#1b1f24",
}
_DOT_SHAPES = {
    "parameter": 'shape=box, style="rounded,filled", fillcolor="#e7f0fb", color="#3b78c3"',
    "data": 'shape=box, style="filled", fillcolor="#eef1f4", color="#8b949e"',
    "constant": 'shape=box, style="rounded,dashed", color="#8b949e"',
    "op": 'shape=box, style="rounded", color="#8b949e"',
    "layer": 'shape=box, style="rounded,filled", fillcolor="#f3eefb", color="#7a55b5"',
    "loss": 'shape=box, style="rounded,filled", fillcolor="#fdeceb", color="#b3352c"',
}


def mermaid(data: GraphData, *, right: bool = False) -> str:
    """A flowchart, to be put into a block of code of the language `mermaid`."""
    lines = [f"flowchart {'LR' if right else 'TD'}"]

    def node(k: int, n: GraphNode, indent: str) -> str:
        opens, closes = _MERMAID_SHAPES[n.kind]
        return f'{indent}n{k}{opens}"{"<br>".join(map(_mermaid, _words(n)))}"{closes}:::{n.kind}'

    for group, rows in _grouped(data, node):
        lines += [f'  subgraph {group}["{_mermaid(group)}"]', *rows, "  end"] if group else rows
    for source, target in _edges(data):
        label = _label(data.nodes[source])
        lines.append(f"  n{source} -->" + (f'|"{_mermaid(label)}"| ' if label else " ") + f"n{target}")
    kinds = {n.kind for n in data.nodes}
    lines += [f"  classDef {kind} {style}" for kind, style in _MERMAID_CLASSES.items() if kind in kinds]
    return "\n".join(lines) + "\n"


def dot(data: GraphData, *, right: bool = False) -> str:
    """A digraph for Graphviz: `dot -Tsvg`."""
    lines = [
        "digraph computation {",
        f'  rankdir="{"LR" if right else "TB"}";',
        '  node [fontname="Helvetica", fontsize=11];',
        '  edge [fontname="Helvetica", fontsize=9, color="#57606a"];',
    ]

    def node(k: int, n: GraphNode, indent: str) -> str:
        words, numbers = (r"\n".join(map(_dot, w)) for w in (_words(n), n.hover()))
        return f'{indent}n{k} [label="{words}", tooltip="{numbers}", {_DOT_SHAPES[n.kind]}];'

    for group, rows in _grouped(data, node):
        lines += (
            [f'  subgraph "cluster_{_dot(group)}" {{', f'    label="{_dot(group)}";', *rows, "  }"] if group else rows
        )
    for source, target in _edges(data):
        label = _label(data.nodes[source])
        lines.append(f"  n{source} -> n{target}" + (f' [label="{_dot(label)}"];' if label else ";"))
    return "\n".join([*lines, "}"]) + "\n"


def _grouped(data: GraphData, written: Callable[[int, GraphNode, str], str]) -> Iterator[tuple[str, list[str]]]:
    """The nodes' lines by group, those without one first."""
    for group in sorted({n.group for n in data.nodes}):
        indent = "    " if group else "  "
        yield group, [written(k, n, indent) for k, n in enumerate(data.nodes) if n.group == group]


def _edges(data: GraphData) -> Iterator[tuple[int, int]]:
    """An input that is read twice has two edges."""
    return ((i, k) for k, node in enumerate(data.nodes) for i in node.inputs)


def _words(node: GraphNode) -> list[str]:
    return [node.title, *([node.formula] if node.formula else [])]


def _label(node: GraphNode) -> str:
    return "" if node.kind == "constant" else " ".join(w for w in (node.label, shape_text(node.shape)) if w)


_ENTITIES = str.maketrans({c: f"#{ord(c)};" for c in '"#&<>;`\\|[]{}()*_~'})


def _mermaid(words: str) -> str:
    """Signs that mean something to Mermaid, HTML or Markdown as entities."""
    return printable(words).translate(_ENTITIES)


def _dot(words: str) -> str:
    return printable(words).replace("\\", "\\\\").replace('"', '\\"')
