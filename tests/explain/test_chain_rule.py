"""Rules derived from definitions, entry by entry, are the rules of the code."""

from functools import lru_cache

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.explain import latex_document
from autograd_ae.explain.chain_rule import derive_rule
from autograd_ae.explain.component_values import value
from autograd_ae.explain.mathml import mathml
from autograd_ae.explain.plain import plain
from autograd_ae.explain.rows import Layout
from autograd_ae.explain.tape import start
from autograd_ae.testing.specs import SPECS

DRAWS = 4
DIFFERENTIABLE = [name for name, spec in SPECS.items() if spec.differentiable]


@lru_cache
def tapes(name):
    rng, found = np.random.default_rng(len(name)), []
    for _ in range(DRAWS):
        arrays, params = SPECS[name].draw(lambda low, high: int(rng.integers(low, high + 1)), rng)
        y = SPECS[name].call(*[Tensor(a, traced=a.dtype != bool) for a in arrays], **params)
        y = y[0] if isinstance(y, (list, tuple)) else y
        if y.node is not None and y.size:
            found.append(start(Program([y]), rng.normal(size=y.shape), {}))
    return found


def arrays_of(tape, step, layout):
    """What the derivation of a step's rule is computed from."""
    line = tape.program.forward[step.line]
    env = {("x", j): layout.array(tape.env["v", a]) for j, a in enumerate(line.args)}
    env["y"] = layout.array(tape.env["v", line.out])
    env["g"] = layout.array(tape.env["g", line.out])
    if ("d", line.out) in tape.env:
        env["d"] = layout.array(tape.env["d", line.out])
        x, W, b = (tape.env["v", a] for a in line.args)
        env["a"] = layout.array(x @ W + b)
    return env


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_the_derived_sum_over_entries_is_the_gradient_that_the_code_computes(name, layout):
    turned, compared = Layout(layout), 0
    for tape in tapes(name):
        for step in tape.backward[1:]:
            rule = derive_rule(step.node, step.k, turned)
            for line in rule.lines:
                mathml(line)
            env = arrays_of(tape, step, turned)
            found, wanted = rule.value(env), turned.array(step.array)
            assert found.shape == wanted.shape
            known = np.isfinite(found)  # the root at 0: the code has a convention there
            np.testing.assert_allclose(found[known], wanted[known], rtol=1e-8, atol=1e-10)
            made = env["a"] if step.node.op.delta is not None and step.k is not None else env["y"]
            np.testing.assert_allclose(rule.made(env), made, rtol=1e-8, atol=1e-10)
            if rule.slope is not None:  # the second line: Σ over y's entries of ∂L/∂y ∂y/∂x
                slope = value(rule.slope, env, (*rule.out, *rule.at))
                upstream = env["d" if step.node.op.delta is not None and step.k is not None else "g"]
                summed = np.tensordot(upstream, slope, axes=upstream.ndim)
                np.testing.assert_allclose(summed[known], wanted[known], rtol=1e-8, atol=1e-10)
            compared += 1
    assert compared > 0


def test_what_has_more_axes_than_letters_is_left_to_the_chain_rule_in_general():
    x = ae.tensor(np.ones((1, 1, 1, 1, 1, 2)))
    rule = derive_rule(ae.exp(x).node, 0, Layout("rows"))
    assert [plain(line) for line in rule.lines[:2]] == ["y = eˣ", "∂L/∂Xᵢ = Σₖ(∂L/∂Yₖ) (∂Yₖ/∂Xᵢ)"]
    assert rule.gradient is None


PICKED = {
    "max": (
        lambda x: ae.max(x, axis=1),
        "∂yₖ/∂Xᵢⱼ = ([Xₖⱼ = max_(l')X_(kl')]/(Σ_(l'')[X_(kl'') = max_(l')X_(kl')])) δₖᵢ",
    ),
    "prod": (lambda x: ae.prod(x, axis=0), "∂yₖ/∂Xᵢⱼ = δₖⱼ Π_(l')X_(l'k)^([l' ≠ i])"),
    "getitem": (lambda x: x[:, [0, 0]], "∂Yₖ/∂Xᵢ = [ι(k) = i]"),
    "pad": (lambda x: ae.pad(x, 1), "∂Yₖ/∂Xᵢ = [ι(k) = i]"),
}


@pytest.mark.parametrize("name", PICKED)
def test_ops_that_pick_or_move_entries_say_which(name):
    call, slope = PICKED[name]
    node = call(ae.tensor(np.arange(6.0).reshape(2, 3))).node
    assert plain(derive_rule(node, 0, Layout("rows")).lines[1]) == slope


@pytest.mark.parametrize("constant", [0.0, 3.0, 7.0])
def test_a_frame_is_no_entry_whatever_it_is_filled_with(constant):
    node = ae.pad(ae.tensor(np.arange(6.0)), ((1, 2),), constant_values=constant).node
    rule = derive_rule(node, 0, Layout("rows"))
    assert rule.moved.sources.tolist() == [-1, 0, 1, 2, 3, 4, 5, -1, -1]
    assert plain(rule.lines[0]) == "yₖ = x_(ι(k)) where it comes from x"


DENSE = {
    "rows": [
        "Aₙₖ = ΣₗXₙₗ Wₗₖ + bₖ",
        "∂Aₙₖ/∂Wᵢⱼ = Xₙᵢ δₖⱼ",
        "∂L/∂Wᵢⱼ = ΣₙΣₖ(∂L/∂Aₙₖ) (∂Aₙₖ/∂Wᵢⱼ) = Σₙ(∂L/∂Aₙⱼ) Xₙᵢ",
        "W̄ = XᵀΔ",
    ],
    "columns": [
        "Aₖₙ = ΣₗWₖₗ Xₗₙ + bₖ₁",
        "∂Aₖₙ/∂Wᵢⱼ = Xⱼₙ δₖᵢ",
        "∂L/∂Wᵢⱼ = ΣₖΣₙ(∂L/∂Aₖₙ) (∂Aₖₙ/∂Wᵢⱼ) = Σₙ(∂L/∂Aᵢₙ) Xⱼₙ",
        "W̄ = ΔXᵀ",
    ],
}


def a_layer():
    rng = np.random.default_rng(0)
    W, b = ae.tensor(rng.normal(size=(3, 2)), name="W_1"), ae.tensor(np.ones(2), name="b_1")
    x = ae.constant(rng.normal(size=(4, 3)), name="x")
    return ae.mean(ae.dense(x, W, b, "sigmoid"))


@pytest.mark.parametrize("layout", list(DENSE))
def test_the_weights_of_a_layer_are_derived_as_on_the_board(layout):
    node = a_layer().node.inputs[0].node
    assert [plain(line) for line in derive_rule(node, 1, Layout(layout)).lines] == DENSE[layout]


@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_a_derivation_at_the_level_of_the_chain_rule_shows_each_rule_once(layout):
    derivation = ae.explain(a_layer(), level="chain rule", layout=layout)
    assert [
        plain(line) for row in derivation.backward if row.symbol == r"\bar{W}_1" for line in row.components
    ] == DENSE[layout]
    shown = str(derivation)
    assert "Each rule from its definition" in shown
    assert all(line in shown for line in DENSE[layout])
    latex_document.check(derivation.latex())
    assert "<math" in derivation.html()
