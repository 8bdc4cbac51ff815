"""Closed forms are composed from the rules, read as one finds them by hand, and equal what the program computes."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.core.program import Program
from autograd_ae.explain.compose import closed_forms
from autograd_ae.explain.evaluation import evaluate
from autograd_ae.explain.expression import add, mat, mul, num, spread, sym, total, tr
from autograd_ae.explain.plain import plain
from autograd_ae.explain.rows import Layout
from autograd_ae.explain.simplify import simplify
from autograd_ae.explain.tape import start

RNG = np.random.default_rng(1)
B, N, L = 6, 5, 2
X = ae.constant(RNG.random((B, N)), name="x")
NOISE = ae.constant(RNG.normal(size=(B, L)), name="E")
WEIGHT = ae.constant(np.array(0.7), name="lambda")


def composed(text):
    return unicodedata.normalize("NFC", text)


def weights(**shapes):
    return [ae.tensor(RNG.normal(size=shape), name=name) for name, shape in shapes.items()]


def linear():
    W_1, W_2 = weights(W_1=(N, L), W_2=(L, N))
    return ae.squared_error(X @ W_1 @ W_2, X)


def by_hand():
    W_1, W_2 = weights(W_1=(N, L), W_2=(L, N))
    R = X @ W_1 @ W_2 - X
    return ae.sum(R * R) / B


def tied():
    (W,) = weights(W=(N, L))
    return ae.squared_error(X @ W @ W.T, X)


def sparse():
    W_1, W_2 = weights(W_1=(N, L), W_2=(L, N))
    Z = X @ W_1
    return ae.squared_error(Z @ W_2, X) + WEIGHT * ae.l1(Z)


def sparse_kl():
    W_1, b_1, W_2 = weights(W_1=(N, L), b_1=(L,), W_2=(L, N))
    Z = ae.dense(X, W_1, b_1, "sigmoid")
    return ae.squared_error(Z @ W_2, X) + WEIGHT * ae.bernoulli_kl(Z, 0.05, over="batch")


def variance():
    W_2, M = weights(W_2=(L, N), M=(B, L))
    V = ae.tensor(RNG.uniform(0.3, 2.0, size=(B, L)), name="V")
    Z = ae.reparameterise_from_variance(M, V, NOISE)
    return ae.squared_error(Z @ W_2, X) + WEIGHT * ae.gaussian_kl_from_variance(M, V)


def log_variance():
    W_2, M, S = weights(W_2=(L, N), M=(B, L), S=(B, L))
    return ae.squared_error(ae.reparameterise(M, S, NOISE) @ W_2, X) + WEIGHT * ae.gaussian_kl(M, S)


def cross_entropy():
    W_1, W_2 = weights(W_1=(N, L), W_2=(L, N))
    return ae.bce_with_logits(X @ W_1 @ W_2, X)


# What one finds by hand, with R = X̂ − X (cross-entropy: σ(Â) − X).
EXPECTED = {
    (linear, "rows"): ["R = X̂ - X", "∇_Z L = (2/B) RW₂ᵀ", "∇_W₁ L = (2/B) XᵀRW₂ᵀ", "∇_W₂ L = (2/B) ZᵀR"],
    (linear, "columns"): ["R = X̂ - X", "∇_Z L = (2/B) W₂ᵀR", "∇_W₁ L = (2/B) W₂ᵀRXᵀ", "∇_W₂ L = (2/B) RZᵀ"],
    (by_hand, "rows"): ["∇_Z L = (1/3) RW₂ᵀ", "∇_W₁ L = (1/3) XᵀRW₂ᵀ", "∇_W₂ L = (1/3) ZᵀR"],
    (tied, "rows"): ["R = X̂ - X", "∇_Z L = (2/B) RW", "∇_W L = (2/B) RᵀZ + (2/B) XᵀRW"],
    (tied, "columns"): ["R = X̂ - X", "∇_Z L = (2/B) WR", "∇_W L = (2/B) ZRᵀ + (2/B) WRXᵀ"],
    (sparse, "rows"): [
        "R = X̂ - X", "∇_Z L = (2/B) RW₂ᵀ + (λ/B) sign(Z)", "∇_W₁ L = XᵀZ̄", "∇_W₂ L = (2/B) ZᵀR",
    ],
    (sparse_kl, "rows"): [
        "R = X̂ - X", "ρ̂ = (1/B) 1ᵀZ", "∇_Z L = (2/B) RW₂ᵀ + (λ/B) 1(ln (ρ̂/ρ) - ln ((1 - ρ̂)/(1 - ρ)))",
        "Δ = Z̄ ⊙ Z ⊙ (1 - Z)", "∇_W₁ L = XᵀΔ", "∇_b₁ L = 1ᵀΔ", "∇_W₂ L = (2/B) ZᵀR",
    ],
    (variance, "rows"): [
        "R = X̂ - X", "∇_Z L = (2/B) RW₂ᵀ", "∇_W₂ L = (2/B) ZᵀR", "∇_M L = (2/B) RW₂ᵀ + (λ/B) M",
        "∇_V L = (1/B) ((RW₂ᵀ ⊙ E)/√V) + (λ/(2 B)) (1 - (1/V))",
    ],
    (log_variance, "rows"): [
        "R = X̂ - X", "∇_Z L = (2/B) RW₂ᵀ", "∇_W₂ L = (2/B) ZᵀR", "∇_M L = (2/B) RW₂ᵀ + (λ/B) M",
        "∇_S L = (1/B) RW₂ᵀ ⊙ E ⊙ e^((1/2) S) + (λ/(2 B)) (e^S - 1)",
    ],
    (cross_entropy, "rows"): [
        "R = σ(Â) - X", "∇_Z L = (1/B) RW₂ᵀ", "∇_W₁ L = (1/B) XᵀRW₂ᵀ", "∇_W₂ L = (1/B) ZᵀR",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("loss", "layout"), list(EXPECTED), ids=lambda p: p if isinstance(p, str) else p.__name__)
def test_composition_ends_in_the_form_that_one_finds_by_hand(loss, layout):
    found = [plain(form.equation) for form in ae.explain(loss(), layout=layout).closed_forms]
    assert set(map(composed, found)) == set(map(composed, EXPECTED[loss, layout]))


LOSSES = [linear, by_hand, tied, sparse, sparse_kl, variance, log_variance, cross_entropy]


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: f.__name__)
def test_closed_forms_equal_the_gradients_of_the_program(loss, layout):
    recorded = loss()
    program = Program([recorded])
    tape = start(program, None, {})
    gradients = dict(zip(program.wrt, program.run_once(), strict=True))
    forms = closed_forms(tape, Layout(layout))
    leaves = {form.target[1]: form for form in forms if form.target and form.target[1] in gradients}
    assert set(leaves) == set(gradients)
    for place, form in leaves.items():
        wanted = Layout(layout).array(gradients[place])
        np.testing.assert_allclose(form.value, wanted, rtol=1e-10, atol=1e-13)
        assert form.digits > 12


def test_the_formula_that_is_shown_is_the_one_that_is_evaluated():
    loss = linear()
    program = Program([loss])
    W_1, W_2 = (leaf.data for _, leaf in program.leaves if leaf.traced)
    form = next(f for f in ae.explain(loss).closed_forms if f.symbol == r"\nabla_{W_1} L")
    assert form.formula == r"\frac{2}{B} \, X^\top R {W_2}^\top"
    R = X.data @ W_1 @ W_2 - X.data
    env = {("v", k): a for k, a in enumerate(program.arrays) if a is not None}
    np.testing.assert_allclose(evaluate(form.expr, env), 2 / B * X.data.T @ R @ W_2.T)


# Simplification keeps the value.


def formulas():
    """Formulas of 3×3 matrices over A, B and numbers."""
    leaves = st.sampled_from(["A", "B"]).map(lambda name: sym(name, (3, 3))) | st.sampled_from(
        [spread(num(1.0), (3, 3), (0, 1), False), spread(num(0.0), (3, 3), (0, 1), False)]
    )

    def larger(inner):
        pairs = st.tuples(inner, inner)
        numbers = st.sampled_from([-1.0, 0.0, 0.5, 2.0]).map(num)
        return (
            pairs.map(lambda p: mat(*p))
            | pairs.map(lambda p: mul(*p))
            | pairs.map(lambda p: add(*p))
            | inner.map(tr)
            | st.tuples(numbers, inner).map(lambda p: mul(*p))
            | st.tuples(inner, numbers).map(lambda p: mul(p[0], num(4.0, "c")) / num(2.0, "B") * p[1])
            | inner.map(lambda e: spread(total(e, (0,), True), (3, 3), (0,), True))
        )

    return st.recursive(leaves, larger, max_leaves=6)


@settings(max_examples=60)
@given(formulas())
def test_simplification_keeps_the_value_and_the_shape(e):
    env = {"A": np.arange(9.0).reshape(3, 3) - 3, "B": np.arange(9.0)[::-1].reshape(3, 3) / 4}
    short = simplify(e)
    found = evaluate(short, env)
    assert short.shape == e.shape
    np.testing.assert_allclose(np.broadcast_to(found, e.shape), evaluate(e, env), rtol=1e-12, atol=1e-9)


def test_a_chain_of_many_residual_blocks_is_composed_without_recursion_or_explosion():
    (W,) = weights(W=(N, N))
    h = X
    for _ in range(150):
        h = h + ae.tanh(h @ W) * 0.01
    derivation = ae.explain(ae.sum(h), check=False)
    form = derivation.closed_forms[-1]
    assert form.digits > 11
    assert len(derivation.closed_forms) < 400
