"""The drawing of a computation graph: whole, well-formed, nothing over anything; the texts for other programs parse."""

import re
import shutil
import subprocess
import warnings
from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.core.program import Program
from autograd_ae.explain import graph_svg
from autograd_ae.explain.facets import inline
from autograd_ae.explain.graph import MOST_DRAWN, MOST_OPS
from autograd_ae.explain.graph_svg import draw, frames, overlap, route
from autograd_ae.explain.graph_text import numbered, shape_text, text_width
from autograd_ae.explain.plain import plain, right_side
from autograd_ae.testing import specs

SVG = "{http://www.w3.org/2000/svg}"


def random_program(size, seed=0, reach=12):
    """A loss over `size` random ops, each on two of the `reach` latest values."""
    rng = np.random.default_rng(seed)
    values = [ae.tensor(rng.normal(size=(3, 3)), name=f"p_{k}") for k in range(4)]
    ops = (ae.add, ae.multiply, ae.matmul, ae.subtract, lambda a, _: ae.tanh(a), lambda a, _: ae.sigmoid(a))
    for _ in range(size):
        a, b = (values[-1 - rng.integers(min(reach, len(values)))] for _ in "ab")
        values.append(ops[rng.integers(len(ops))](a, b))
    return ae.mean(ae.stack(values[-reach:]))


def by_hand():
    """Tied weights, data read twice, a constant."""
    rng = np.random.default_rng(0)
    x, W, b = (
        ae.constant(rng.normal(size=(5, 3)), "x"),
        ae.tensor(rng.normal(size=(3, 2)), "W"),
        ae.tensor([0.0, 1], "b"),
    )
    return ae.sum((ae.sigmoid(x @ W + b) @ W.T - x) ** 2) / 5


def fitted(model):
    X = np.random.default_rng(0).random((40, 12))
    with warnings.catch_warnings(action="ignore", category=ae.ConvergenceWarning):
        return model.set_params(max_iter=1, random_state=0).fit(X).loss(X[:8])


@pytest.fixture(scope="module")
def losses():
    kinds = {
        "deep": ae.Autoencoder(2, hidden_layer_sizes=(9, 7, 4)),
        "sparse": ae.SparseAE(5),
        "denoising": ae.DenoisingAE(3),
        "linear": ae.LinearPCA(2),
        "VAE": ae.VAE(2, hidden_layer_sizes=(6,)),
    }
    found = {name: fitted(model) for name, model in kinds.items()}
    return {**found, "by hand": by_hand(), "random": random_program(40), "tangled": random_program(40, 1, 40)}


NAMES = ("deep", "sparse", "denoising", "linear", "VAE", "by hand", "random", "tangled")
VIEWS = [(view, direction) for view in ("ops", "layers") for direction in ("down", "right")]


def bezier(a, b, c, d, steps=12):
    for t in np.linspace(0, 1, steps):
        yield tuple(
            (1 - t) ** 3 * p + 3 * t * (1 - t) ** 2 * q + 3 * t**2 * (1 - t) * r + t**3 * s
            for p, q, r, s in zip(a, b, c, d, strict=True)
        )


def points_of(commands):
    """Points along a path, closely."""
    at, points = None, []
    for command, ends in commands:
        if command == "C":
            points += bezier(at, *ends)
        elif command == "L":
            points += [tuple(np.add(at, t * np.subtract(ends[0], at))) for t in np.linspace(0, 1, 12)]
        at = ends[-1]
    return points


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("view", "direction"), VIEWS)
def test_no_node_lies_over_another_and_no_edge_runs_through_a_foreign_node(losses, name, view, direction):
    data = ae.graph(losses[name], view=view).data
    drawing = draw(data, right=direction == "right")
    for a, b in combinations(drawing.boxes, 2):
        assert not overlap(a, b)
    for x, y, w, h in drawing.boxes:
        assert x >= 0
        assert y >= drawing.top - graph_svg.FRAME_TOP
        assert x + w <= drawing.width
        assert y + h <= drawing.height
    for k, ends in enumerate(drawing.edges):
        points = np.array(points_of(route(drawing, k)))[:, None]
        others = np.array([box for v, box in enumerate(drawing.boxes) if v not in ends]).reshape(-1, 4)
        beyond, short = points - others[:, :2] > 1e-6, others[:, :2] + others[:, 2:] - points > 1e-6
        assert not (beyond & short).all(axis=-1).any()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("direction", ["down", "right"])
def test_edges_join_the_nodes_that_read_each_other(losses, name, direction):
    data = ae.graph(losses[name], view="ops").data
    drawing = draw(data, right=direction == "right")
    assert set(drawing.edges) == {(i, k) for k, node in enumerate(data.nodes) for i in node.inputs}
    for k, (source, target) in enumerate(drawing.edges):
        path = [p for _, ends in route(drawing, k) for p in ends]
        (x, y, w, h), (x2, y2, w2, h2) = drawing.boxes[source], drawing.boxes[target]
        if direction == "right":
            expected = (x + w, y + h / 2), (x2, y2 + h2 / 2)
        else:
            expected = (x + w / 2, y + h), (x2 + w2 / 2, y2)
        assert path[0] == pytest.approx(expected[0])
        assert path[-1] == pytest.approx(expected[1])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("view", ["ops", "layers"])
def test_the_svg_is_well_formed_and_needs_nothing_else(losses, name, view):
    text = ae.graph(losses[name], view=view).svg()
    tree = ElementTree.fromstring(text)
    assert tree.tag == f"{SVG}svg"
    assert not re.search(r"<script|<image|<foreignObject|url\(|@import|https?://(?!www\.w3\.org/2000/svg)", text)
    assert len(set(tree.itertext())) > 3
    assert not re.search(r"\bnan\b|\binf\b", " ".join(part for e in tree.iter() for part in e.attrib.values()))


@pytest.mark.parametrize("name", NAMES)
def test_every_tensor_and_every_op_has_a_node_with_its_numbers(losses, name):
    loss = losses[name]
    program = Program([loss])
    tree = ElementTree.fromstring(ae.graph(loss, view="ops").svg())
    cards = [
        g for g in tree.iter(f"{SVG}g") if g.get("class", "").startswith("node") and g.find(f"{SVG}title") is not None
    ]
    assert len(cards) == len(program.leaves) + len(program.nodes)
    hovers = [g.find(f"{SVG}title").text for g in cards]
    for place, leaf in program.leaves:
        assert any(h.startswith(leaf.name or program.name(place) if leaf.traced or leaf.name else "") for h in hovers)
        assert any(inline(leaf.data) in h for h in hovers)
    for node in program.nodes:
        assert any(
            h.startswith(node.op.name.replace("_", " "))
            and inline(node.value) in h
            and shape_text(node.value.shape) in h
            for h in hovers
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_gradients_shown_are_those_of_grad(losses, name):
    loss = losses[name]
    leaves = [leaf for _, leaf in Program([loss]).leaves if leaf.traced]
    shown = {id(n.value): n.gradient for n in ae.graph(loss, view="ops").data.nodes}
    for leaf, gradient in zip(leaves, ae.grad(loss, leaves), strict=True):
        np.testing.assert_array_equal(shown[id(leaf.data)], gradient)


def test_an_inner_value_has_its_gradient_too():
    x = ae.tensor([1.0, 2.0], name="x")
    h = ae.square(x)
    data = ae.graph(ae.sum(h * h)).data
    np.testing.assert_array_equal(next(n for n in data.nodes if n.op == "square").gradient, 2 * h.data)


@pytest.mark.parametrize("view", ["ops", "layers"])
def test_encoder_code_and_decoder_are_framed(losses, view):
    for name, groups in (("deep", {"encoder", "decoder"}), ("VAE", {"encoder", "code", "decoder"})):
        data = ae.graph(losses[name], view=view).data
        found = frames(data, draw(data))
        assert set(found) == groups
        assert not any(overlap(a, b) for a, b in combinations(found.values(), 2))


def test_zoomed_out_a_layer_with_its_weights_is_one_node(losses):
    graph = ae.graph(losses["deep"], view="layers")
    layers = [n for n in graph.data.nodes if n.kind == "layer"]
    assert [n.title for n in layers] == [f"layer {k}" for k in range(1, 9)]
    assert len(graph) == 10  # data and loss as well
    weights = sum(p.value.size for n in layers for p in n.inside)
    assert weights == sum(t.data.size for _, t in Program([losses["deep"]]).leaves if t.traced)
    hand = ae.graph(by_hand(), view="layers")
    assert [n.title for n in hand.data.nodes if n.kind in ("layer", "parameter")] == ["W", "layer b"]  # W is tied


def test_a_long_chain_is_zoomed_out_by_itself():
    y = ae.tensor([0.5], name="x")
    for _ in range(2 * MOST_DRAWN):
        y = ae.sin(y)
    loss = ae.sum(y)
    assert ae.graph(loss).view == "layers"
    assert len(ae.graph(loss)) == 3
    everything = ae.graph(loss, view="ops")
    with pytest.raises(ValueError, match=r"1,202 nodes are too many .* view='layers'\) has 3, or save as \.dot"):
        everything.svg()
    assert "too many" in everything._repr_html_()
    assert everything._repr_svg_() is None
    assert everything.dot().count("->") == 2 * MOST_DRAWN + 1


def test_auto_shows_ops_while_they_can_be_read(losses):
    assert ae.graph(losses["VAE"]).view == "ops"
    assert ae.graph(random_program(3 * MOST_OPS)).view == "layers"


# Mermaid and DOT.

TEXT = r'"[^"\\\n]*"'
MERMAID = [
    r"flowchart (TD|LR)",
    rf" +n\d+(\(\[{TEXT}\]\)|\[{TEXT}\]|\(\({TEXT}\)\)|\({TEXT}\)|\[\[{TEXT}\]\]|{{{{{TEXT}}}}}):::[a-z]+",
    rf"  n\d+ -->(\|{TEXT}\|)? n\d+",
    rf"  subgraph \w+\[{TEXT}\]",
    r"  end",
    r"  classDef [a-z]+ [a-z-]+:[#0-9a-z ]+(,[a-z-]+:[#0-9a-z ]+)*",
]
QUOTED = r'"(?:[^"\\\n]|\\.)*"'
DOT = [
    r"digraph computation {",
    rf"  rankdir={QUOTED};",
    rf" +(node|edge|n\d+) \[[a-z]+=({QUOTED}|\w+)(, [a-z]+=({QUOTED}|\w+))*\];",
    rf"  n\d+ -> n\d+( \[label={QUOTED}\])?;",
    rf"  subgraph {QUOTED} {{",
    rf"    label={QUOTED};",
    r"  }|}",
]


def parse(text, grammar):
    """Every line is a statement, blocks are closed, edges lead from declared nodes to declared nodes."""
    for line in text.splitlines():
        assert any(re.fullmatch(statement, line) for statement in grammar), line
    bare = re.sub(rf"{QUOTED}", '""', text)
    declared = set(re.findall(r"^ +n(\d+)[ (\[{]+(?!->)(?!-)", bare, re.MULTILINE))
    edges = re.findall(r'n(\d+) --?>(?:\|""\|)? ?n(\d+)', bare)
    assert {end for edge in edges for end in edge} <= declared
    return len(declared), len(edges)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("view", "direction"), VIEWS)
def test_mermaid_and_dot_hold_every_node_and_every_edge(losses, name, view, direction):
    graph = ae.graph(losses[name], view=view, direction=direction)
    expected = len(graph), sum(len(n.inputs) for n in graph.data.nodes)
    assert parse(graph.mermaid(), MERMAID) == expected
    assert parse(graph.dot(), DOT) == expected
    assert graph.mermaid().count("subgraph ") == graph.mermaid().count("  end\n")
    assert graph.dot().count("{") == graph.dot().count("}")


needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def by_graphviz(text):
    """The numbers of nodes and edges that Graphviz reads; its complaints are failures."""
    run = subprocess.run(["dot", "-Tplain"], input=text.encode(), capture_output=True)
    assert (run.returncode, run.stderr.decode()) == (0, "")
    kinds = [line.split(" ", 1)[0] for line in run.stdout.decode().splitlines()]
    return kinds.count("node"), kinds.count("edge")


@needs_dot
@pytest.mark.parametrize("name", NAMES)
def test_graphviz_reads_every_node_and_every_edge(losses, name):
    for view, direction in VIEWS:
        graph = ae.graph(losses[name], view=view, direction=direction)
        assert by_graphviz(graph.dot()) == (len(graph), sum(len(n.inputs) for n in graph.data.nodes))


@needs_dot
def test_graphviz_reads_names_that_mean_something_to_it():
    names = [
        'a"b',
        "a\\",
        "\\",
        "end",
        "node",
        "subgraph",
        "{x|y}",
        "<b>",
        "&amp;",
        "\\n",
        "a;b",
        "//",
        "/*",
        "#",
        "ä😀",
    ]
    tensors = [ae.tensor(np.ones((2, 2)), name=name) for name in names]
    graph = ae.graph(ae.sum(ae.stack(tensors)))
    assert by_graphviz(graph.dot()) == (len(names) + 2, len(names) + 1)


@given(st.text(min_size=1))
def test_any_name_can_be_drawn(name):
    W = ae.tensor(np.ones((2, 2)), name=name)
    graph = ae.graph(ae.sum(W @ W))
    ElementTree.fromstring(graph.svg())
    parse(graph.dot(), DOT)
    parse(graph.mermaid(), MERMAID)


@pytest.mark.parametrize("name", [name for name, spec in specs.SPECS.items() if spec.differentiable])
def test_every_op_can_be_drawn(name):
    spec = specs.SPECS[name]
    rng = np.random.default_rng(0)
    arrays, params = spec.draw(lambda low, high: min(max(low, 2), high), rng)
    leaves = [a if a.dtype == bool else ae.tensor(a) for a in arrays]
    y = spec.call(*leaves, **params)
    y = y[0] if isinstance(y, tuple | list) else y
    ElementTree.fromstring(ae.graph(y).svg())


# Words.


def test_widths_are_upper_bounds_for_the_widest_font_at_hand():
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font, LoadFlags

    font = FT2Font(findfont("DejaVu Sans:bold"))
    font.set_size(1000, 72)
    words = [plain(op.latex) for op in every_op()] + ["The quick brown fox, W₁₂ · ½‖x̂ − x‖²"]
    for line in [*words, *map(chr, range(33, 127))]:
        if all(ord(c) in font.get_charmap() for c in line):
            font.set_text(line, flags=LoadFlags.NO_HINTING)
            assert font.get_width_height()[0] / 64 <= text_width(line, 1000.0) + 1, line


def every_op():
    import importlib
    import pkgutil

    from autograd_ae import ops
    from autograd_ae.core.op import Op

    modules = [importlib.import_module(f"autograd_ae.ops.{m.name}") for m in pkgutil.iter_modules(ops.__path__)]
    return {id(v): v for module in modules for v in vars(module).values() if isinstance(v, Op)}.values()


def test_every_op_has_a_formula_in_one_line():
    for op in every_op():
        assert not re.search(r"[\\{}]", right_side(op.latex)), op.name


def test_names_numbers_and_shapes_are_written_as_a_reader_expects():
    assert [numbered(n) for n in ("W_1", "W_mean", "_1", "x", "b_10")] == ["W₁", "W_mean", "_1", "x", "b₁₀"]
    assert inline(np.array([1.0, 2.0])) == "[1, 2]"
    assert inline(np.arange(101.0)) == "min 0, median 50, max 100, norm 581.7"
    assert inline(np.array([np.nan] * 13)) == "not finite 13, of 13"


# Errors and files.


def test_files_are_written_by_their_ending(tmp_path):
    graph = ae.graph(by_hand())
    starts = {"svg": "<svg", "html": "<!DOCTYPE html>", "mmd": "flowchart", "dot": "digraph", "gv": "digraph"}
    for ending, start in starts.items():
        assert graph.save(tmp_path / f"loss.{ending}").read_text(encoding="utf-8").startswith(start)
    with pytest.raises(ValueError, match=r"'loss\.pdf' has another ending"):
        graph.save(tmp_path / "loss.pdf")


def test_wrong_arguments_say_what_is_needed():
    with pytest.raises(TypeError, match="float arrived"):
        ae.graph(1.0)
    with pytest.raises(ValueError, match="view='op'; there are 'auto', 'ops', 'layers'"):
        ae.graph(by_hand(), view="op")
    with pytest.raises(ae.GraphError, match="no recorded history"):
        ae.graph(ae.tensor([1.0]))
    loss = by_hand()
    loss.backward()
    with pytest.raises(ae.GraphError, match="retain_graph=True"):
        ae.graph(loss)


def test_an_output_that_is_no_scalar_has_values_but_no_gradients():
    x = ae.tensor([1.0, 2.0], name="x")
    data = ae.graph(ae.exp(x)).data
    assert all(node.gradient is None for node in data.nodes)
    assert data.nodes[-1].kind == "op"


def test_an_input_that_is_read_twice_says_so():
    x = ae.tensor([[1.0, 2.0], [3.0, 4.0]], name="x")
    svg = ae.graph(ae.sum(ae.matmul(x, x))).svg()
    assert "x → matmul (as a and b), 2×2" in svg


def test_layers_are_aligned_along_the_flow():
    data = ae.graph(by_hand(), view="ops").data
    drawing = draw(data)
    for layer in drawing.layout.order:
        tops = [drawing.boxes[v][1] for v in layer if v < len(data.nodes)]
        assert all(a == pytest.approx(b) for a, b in pairwise(tops))
