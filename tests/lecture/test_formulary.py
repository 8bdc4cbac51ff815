"""Every page says what the code does: its formulas are evaluated, its code is the source, its example is checked."""

import re
from itertools import chain, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.core.program import Program
from autograd_ae.explain import columns
from autograd_ae.explain.blocks import Heading, Math, Paragraph, Picture, Preformatted, Table, Words
from autograd_ae.explain.chain_rule import derive_rule
from autograd_ae.explain.evaluation import evaluate
from autograd_ae.explain.latex_document import check
from autograd_ae.explain.rows import Layout
from autograd_ae.lecture.formulary import entries, find, page
from autograd_ae.lecture.formulary.curves import Curve, picture, ticks
from autograd_ae.lecture.formulary.examples import EXAMPLES
from autograd_ae.lecture.formulary.facts import facts
from autograd_ae.lecture.formulary.lesson import lesson
from autograd_ae.lecture.formulary.loss_page import LOSSES
from autograd_ae.lecture.formulary.op_page import cotangent, derivation, formulas, nodes, rules
from autograd_ae.lecture.formulary.plots import along, plot

CASES = [(name, k) for name, examples in EXAMPLES.items() for k in range(len(examples))]
PUBLIC = [name for name, home in ae._HOME_OF.items() if home == "ops.api"]


def test_there_is_a_page_for_every_public_function_and_every_model_with_a_loss():
    assert set(EXAMPLES) == set(PUBLIC)
    assert {losses[0].model for losses in LOSSES.values()} == {
        ae.LinearPCA, ae.DeepPCA, ae.Autoencoder, ae.SparseAE, ae.DenoisingAE, ae.VAE,
    }  # fmt: skip
    assert [e.name for e in entries()] == list(dict.fromkeys(e.name for e in entries()))
    assert len(entries()) == len(EXAMPLES) + len(LOSSES)
    assert all(e.summary for e in entries())


@pytest.mark.parametrize(("name", "k"), CASES)
def test_every_formula_of_a_page_computes_what_the_op_computes_in_both_layouts(name, k):
    example = EXAMPLES[name][k]
    for node in nodes(example):
        arrays = [t.data for t in node.inputs]
        y = node.value
        g = np.random.default_rng(0).normal(size=y.shape)
        env = {("x", j): a for j, a in enumerate(arrays)} | {"y": y, "g": g}
        wanted = [y, *pulled_back(node, g, env)]
        shown = formulas(node)
        assert len(shown) == len(wanted)
        turned = {key: columns.values(a) for key, a in env.items()}
        for formula, array in zip(shown, wanted, strict=True):
            np.testing.assert_allclose(evaluate(formula.expr, env), array, rtol=1e-12, atol=1e-13)
            found = evaluate(Layout("columns").formula(formula.expr), turned)
            np.testing.assert_allclose(found, columns.values(np.asarray(array)), rtol=1e-12, atol=1e-13)


def pulled_back(node, g, env):
    """What the op's own rules give, in the order of the page; `env` gets the inner value."""
    op, arrays, y = node.op, [t.data for t in node.inputs], node.value
    found = []
    if op.delta is not None:
        env["d"] = np.empty(y.shape)
        op.delta.fn(env["d"], g, y, *arrays, **node.params)
        found.append(env["d"])
        g = env["d"]
    for j, a in enumerate(arrays):
        if op.differentiable and op.rule(j) is not None:
            out = np.empty(y.shape if op.broadcasts else a.shape)
            params = {**node.params, "wrt": j} if op.variadic else node.params
            op.rule(j).fn(out, g, y, *arrays, **params)
            found.append(out)
    return found


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize(("name", "k"), CASES)
def test_the_sums_over_entries_of_a_derivation_are_what_the_rules_compute(name, k, layout):
    turned = Layout(layout)
    for node in nodes(EXAMPLES[name][k]):
        arrays, g = [t.data for t in node.inputs], np.random.default_rng(0).normal(size=node.value.shape)
        env = {("x", j): a for j, a in enumerate(arrays)} | {"y": node.value, "g": g}
        wanted = pulled_back(node, g, env)
        if node.op.delta is not None:
            x, W, b = arrays
            env["a"] = x @ W + b
        env = {key: turned.array(a) for key, a in env.items()}
        for which, array in zip(rules(node), wanted, strict=True):
            derived = derive_rule(node, which, turned)
            assert len(derived.lines) > 2
            np.testing.assert_allclose(derived.value(env), turned.array(np.asarray(array)), rtol=1e-10, atol=1e-12)
            inner = node.op.delta is not None and which is not None
            np.testing.assert_allclose(derived.made(env), env["a" if inner else "y"], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("name", "k"), [c for c in CASES if EXAMPLES[c[0]][c[1]].record().traced])
def test_every_example_agrees_with_the_complex_step_in_both_layouts(name, k):
    for layout in ("rows", "columns"):
        made = derivation(EXAMPLES[name][k], layout, seed=0)
        assert made.digits > 13
        for row in made.rows:
            np.testing.assert_allclose(made.evaluate(row), row.contribution, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_derived_with_gradients_that_agree_with_the_complex_step(name):
    assert facts(name)["digits"] > 10
    for variant in LOSSES[name]:
        assert len(Program([variant.record(0)]).wrt) >= 3


def parts_of(blocks):
    for block in blocks:
        if isinstance(block, Paragraph):
            yield from block.parts
        elif isinstance(block, Table):
            yield from chain.from_iterable(cell for row in block.rows for cell in row)


@pytest.mark.parametrize("name", [*EXAMPLES, *LOSSES])
def test_every_page_is_written_in_every_form(name):
    made = page(name)
    for part in parts_of(made.blocks):
        if isinstance(part, Math):
            check(part.latex)
    check(made.latex())
    assert made.title in made.text()
    assert made.markdown().startswith("# ")
    text = made.html()
    assert not re.search(r"<script|<link|<img|https?://(?!www\.w3\.org/)", text)
    for block in made.blocks:
        if isinstance(block, Picture):
            ElementTree.fromstring(block.svg)


@pytest.mark.parametrize("name", ["sigmoid", "dense", "softmax", "gaussian_kl", "vae", "sparse"])
def test_a_page_holds_the_lesson_of_the_file_and_the_code_that_runs(name):
    made = page(name)
    headings = [b.text for b in made.blocks if isinstance(b, Heading)]
    assert any(h.startswith("From autograd_ae/") for h in headings)
    assert any(h in ("Derivation by components", "Each rule from its definition") for h in headings)
    if name in EXAMPLES:
        code = "\n".join(b.text for b in made.blocks if isinstance(b, Preformatted))
        for example in EXAMPLES[name]:
            for node in nodes(example):
                for rule in node.op.pullbacks:
                    assert f"def {rule.fn.__name__}(" in code


def test_a_lesson_keeps_formulas_and_finds_its_sections():
    from autograd_ae.ops import sigmoid

    blocks = lesson(sigmoid)
    assert [b.text for b in blocks if isinstance(b, Heading)] == ["Derivation", "Where digits are lost"]
    assert any(
        "so the pullback of g is   dx = g · σ(x) σ(−x)." in b.text for b in blocks if isinstance(b, Preformatted)
    )
    words = "".join(p.text for p in parts_of(blocks) if isinstance(p, Words))
    assert "`" not in words
    assert "The fused dense keeps only y" in words


def test_names_are_forgiven_their_case_and_hyphens_and_misspelt_ones_get_a_suggestion():
    assert [find(n) for n in ("SparseAE", "gaussian-kl", "ae.sigmoid", "VAE", "Dense")] == [
        "sparse", "gaussian_kl", "sigmoid", "vae", "dense",
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"no page 'sigmoyd'; did you mean sigmoid"):
        find("sigmoyd")
    with pytest.raises(ValueError, match=r"no page 'qqqq'; the name list shows all"):
        find("qqqq")
    with pytest.raises(ValueError, match="layout='row'"):
        page("sum", layout="row")


def test_seeds_choose_the_numbers_of_an_example():
    y = EXAMPLES["exp"][0].record()
    assert not np.array_equal(cotangent(y, 0), cotangent(y, 1))
    assert page("exp", seed=1).text() == page("exp", seed=1).text() != page("exp", seed=2).text()
    assert page("sparse", seed=1).text() != page("sparse", seed=2).text()


# Pictures.


@pytest.mark.parametrize("name", [n for n in PUBLIC if n in ("sigmoid", "relu", "reciprocal", "tan", "clip", "log")])
def test_a_slope_in_a_picture_is_the_slope_of_the_curve(name):
    tree = ElementTree.fromstring(plot(name).svg)
    paths = [p.get("d") for p in tree.iter("{http://www.w3.org/2000/svg}path")]
    assert len(paths) == 2
    assert all(re.fullmatch(r"([ML]-?[\d.]+,-?[\d.]+)+", path) for path in paths)


def test_values_along_a_loss_are_its_own():
    points = np.array([0.1, 0.5])
    values, slopes = along(lambda z: ae.bernoulli_kl(z, 0.2), points)
    h = 1e-6
    near = [along(lambda z: ae.bernoulli_kl(z, 0.2), points + d)[0] for d in (-h, h)]
    np.testing.assert_allclose(slopes, (near[1] - near[0]) / (2 * h), rtol=1e-6)
    assert values[1] == pytest.approx(float(ae.bernoulli_kl([0.5], 0.2).data))


def test_curves_are_cut_at_poles_and_where_they_leave_the_frame():
    x = np.linspace(-1, 1, 9)
    with np.errstate(divide="ignore"):
        svg = picture([Curve("1/x", x, 1 / x)], xlabel="x", label="a pole")
    path = re.search(r'class="curve"[^>]* d="([^"]*)"', svg)[1]
    assert path.count("M") == 2
    assert "nan" not in svg
    assert "inf" not in svg


@pytest.mark.parametrize(("low", "high"), [(-1.1, 1.1), (0.0, 1e-3), (-6.0, 6.0), (2.0, 700.0)])
def test_ticks_are_few_round_and_inside(low, high):
    found = ticks(low, high)
    assert 3 <= len(found) <= 9
    assert all(low <= t <= high for t in found)
    assert len({f"{b - a:.6g}" for a, b in pairwise(found)}) == 1
