"""`ae.graph(loss)`: the computation graph that was recorded, drawn without any other program.

    ae.graph(loss)                          # in a notebook: the drawing
    ae.graph(loss).save("loss.svg")         # also .html, .mmd (Mermaid), .dot (Graphviz)
    ae.graph(loss, view="layers")           # zoomed out: a layer with its weights is one node

Leaves and ops are nodes, what flows between them is an edge with its shape. Pointing at a node shows its formula, its
value and, where the output is a scalar, ∂output/∂value: small arrays in full, large ones by minimum, median, maximum
and norm. Where the recording tells which part is an encoder and which a decoder, both are framed.
"""

from __future__ import annotations

from functools import cached_property
from html import escape
from pathlib import Path

from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor, not_a_graph
from autograd_ae.explain import graph_formats, graph_svg
from autograd_ae.explain.graph_layers import collapse
from autograd_ae.explain.graph_model import GraphData, find_groups, read
from autograd_ae.explain.layout import TooLargeError
from autograd_ae.explain.page import page

VIEWS, DIRECTIONS = ("auto", "ops", "layers"), ("down", "right")
MOST_OPS, MOST_DRAWN = 120, 600  # nodes: beyond the first, "auto" zooms out; beyond the second nothing is drawn


class Graph:
    """A computation graph, to be looked at or written. Made by `ae.graph`.

    Attributes
    ----------
    view : "ops" or "layers".    direction : "down" or "right".
    """

    def __init__(self, data: GraphData, view: str, direction: str):
        self.data, self.view, self.direction = data, view, direction

    def __len__(self) -> int:
        """The number of nodes."""
        return len(self.data.nodes)

    def __repr__(self) -> str:
        edges = sum(len(node.inputs) for node in self.data.nodes)
        return (
            f"<graph of {len(self):,} nodes and {edges:,} edges, view={self.view!r}; .svg() .mermaid() .dot() .save()>"
        )

    def svg(self) -> str:
        """The drawing as an SVG document, light and dark, without script or fonts of its own.

        Raises
        ------
        ValueError : more nodes than a drawing can show; the message says what to do.
        """
        return self._svg

    @cached_property
    def _svg(self) -> str:
        words = f"computation graph of {len(self)} nodes"
        if len(self) > MOST_DRAWN:
            raise ValueError(self._too_large(f"{len(self):,} nodes"))
        try:
            return graph_svg.svg(self.data, right=self.direction == "right", label=words)
        except TooLargeError as error:
            raise ValueError(self._too_large(str(error))) from None

    def _too_large(self, what: str) -> str:
        zoomed = len(collapse(self.data).nodes) if self.view == "ops" else 0
        remedy = f"ae.graph(loss, view='layers') has {zoomed:,}" if 0 < zoomed <= MOST_DRAWN else "draw a part of it"
        return f"{what} are too many to be read in a drawing (at most {MOST_DRAWN} nodes): {remedy}, or save as .dot"

    def mermaid(self) -> str:
        """The graph as a Mermaid flowchart."""
        return graph_formats.mermaid(self.data, right=self.direction == "right")

    def dot(self) -> str:
        """The graph in Graphviz's language, with the numbers as tooltips."""
        return graph_formats.dot(self.data, right=self.direction == "right")

    def html(self) -> str:
        """The drawing to be put into a page: on a narrow screen it scrolls instead of becoming too small to read."""
        drawing = self.svg()
        width = drawing.split('width="', 1)[1].split('"', 1)[0]
        style = f"max-width:100%;min-width:min({width}px,max(22rem,{0.8 * float(width):.0f}px));height:auto"
        return f"""<div style="overflow-x:auto">{drawing.replace("<svg ", f'<svg style="{style}" ', 1)}</div>"""

    def save(self, path: str | Path) -> Path:
        """Write a file, by its ending: .svg, .html, .mmd or .mermaid, .dot or .gv. Returns the path."""
        path = Path(path)
        writers = {".svg": self.svg, ".mmd": self.mermaid, ".mermaid": self.mermaid, ".dot": self.dot, ".gv": self.dot}
        writers[".html"] = lambda: page("Computation graph", self.html())
        if path.suffix not in writers:
            raise ValueError(f"a graph is written as {', '.join(sorted(writers))}; {path.name!r} has another ending")
        path.write_text(writers[path.suffix](), encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        try:
            return self.html()
        except ValueError as error:
            return f"<p>{escape(str(error))}</p>"

    def _repr_svg_(self) -> str | None:
        return self.svg() if len(self) <= MOST_DRAWN else None


def graph(output: Tensor, *, view: str = "auto", direction: str = "down") -> Graph:
    """The computation graph of a recorded tensor.

    Parameters
    ----------
    output : what was computed, usually a loss; a scalar has gradients, anything else only values.
    view : "ops", a node for each tensor and op; "layers", a node for each layer with its weights, and for each run of
        ops without weights; "auto", ops up to 120 nodes, else layers.
    direction : "down" or "right".

    Raises
    ------
    GraphError : nothing was recorded, or backward() has already freed it (keep it with `retain_graph=True`).

    >>> import numpy as np, autograd_ae as ae
    >>> W = ae.tensor(np.ones((3, 2)), name="W")
    >>> loss = ae.sum(ae.constant(np.ones((5, 3)), name="x") @ W)
    >>> ae.graph(loss)
    <graph of 4 nodes and 3 edges, view='ops'; .svg() .mermaid() .dot() .save()>
    >>> print(ae.graph(loss).mermaid().splitlines()[1].strip())
    n0["x"]:::data
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"ae.graph needs a tensor that was computed from others, {type(output).__name__} arrived")
    for name, given, known in (("view", view, VIEWS), ("direction", direction, DIRECTIONS)):
        if given not in known:
            raise ValueError(f"{name}={given!r}; there are {', '.join(map(repr, known))}")
    if output.node is None:
        raise not_a_graph(output)
    data = read(Program([output]))
    find_groups(data)
    zoomed_out = view == "layers" or (view == "auto" and len(data.nodes) > MOST_OPS)
    return Graph(collapse(data) if zoomed_out else data, "layers" if zoomed_out else "ops", direction)
