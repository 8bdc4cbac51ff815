"""ae.explain: rows, layouts, symbols, outputs, refusals."""

import importlib
import subprocess
import sys
import warnings
from functools import lru_cache
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.explain import latex_document
from autograd_ae.explain.plain import plain

RNG = np.random.default_rng(0)
X = RNG.random((5, 4))
SMALL = {"max_iter": 1, "random_state": 0}
MODELS = {
    "linear": ae.LinearPCA(2, **SMALL),
    "linear, tied": ae.LinearPCA(2, tied=True, **SMALL),
    "vanilla": ae.Autoencoder(2, hidden_layer_sizes=(4, 3), **SMALL),
    "cross-entropy": ae.Autoencoder(2, hidden_layer_sizes=(3,), reconstruction_loss="bce", **SMALL),
    "sparse, l1": ae.SparseAE(4, penalty="l1", code_activation="relu", **SMALL),
    "sparse, kl": ae.SparseAE(4, penalty="kl", **SMALL),
    "denoising": ae.DenoisingAE(3, hidden_layer_sizes=(4,), **SMALL),
    "deep": ae.DeepPCA(1, hidden_layer_sizes=(4,), **SMALL),
    "deep, circular": ae.DeepPCA(1, hidden_layer_sizes=(4,), code="circular", **SMALL),
    "variational, bernoulli": ae.VAE(2, hidden_layer_sizes=(3,), **SMALL),
    "variational, gaussian": ae.VAE(2, hidden_layer_sizes=(3,), likelihood="gaussian", **SMALL),
    "variational, learned variance": ae.VAE(
        2, hidden_layer_sizes=(3,), likelihood="gaussian", observation_variance="learned", **SMALL
    ),
}


@lru_cache
def loss_of(name, dtype=float):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MODELS[name].fit(X.astype(dtype)).loss(X.astype(dtype))


@lru_cache
def explained(name, layout, level="op"):
    return ae.explain(loss_of(name), layout=layout, level=level)


def equations(derivation):
    return [plain(row.equation) for row in derivation.rows]


@pytest.fixture
def two_layers():
    W_1, b_1, W_2, b_2 = (ae.tensor(RNG.normal(size=s), name=n) for n, s in
                          {"W_1": (4, 3), "b_1": (3,), "W_2": (3, 4), "b_2": (4,)}.items())  # fmt: skip
    x = ae.constant(X, name="x")
    return ae.squared_error(ae.dense(ae.dense(x, W_1, b_1, "sigmoid"), W_2, b_2), x)


@pytest.mark.parametrize("level", ["op", "layer"])
@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_loss_is_explained_and_every_row_computes_what_the_engine_computed(name, layout, level):
    derivation = explained(name, layout, level)
    assert derivation.digits > 11
    assert derivation.backward
    for row in derivation.rows:
        found = derivation.evaluate(row)
        assert found.shape == row.contribution.shape
        np.testing.assert_allclose(found, row.contribution, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(("name", "layout"), [(m, ("rows", "columns")[k % 2]) for k, m in enumerate(MODELS)])
def test_every_output_of_every_model_is_well_formed(name, layout):
    derivation = explained(name, layout)
    html = derivation.html()
    ElementTree.fromstring(html.replace("<!DOCTYPE html>", "").replace("&nbsp;", " ").replace("<br>", "<br/>")
                           .replace('<meta charset="utf-8">', "").replace(META, ""))  # fmt: skip
    assert "<script" not in html
    assert not [url for url in html.split('"') if url.startswith("http") and "w3.org" not in url]
    latex_document.check(derivation.latex())
    latex_document.check(derivation._repr_latex_())
    assert "\\" not in str(derivation)
    assert derivation.markdown().startswith("# Derivation of L")


META = '<meta name="viewport" content="width=device-width, initial-scale=1">'


def test_rows_and_columns_are_written_as_code_and_lecture_write_them(two_layers):
    assert equations(ae.explain(two_layers)) == [
        "Z = σ(XW₁ + b₁)",
        "X̂ = ZW₂ + b₂",
        "L = (1/B) ‖X̂ - X‖²",
        "L̄ = 1",
        "X̂̄ = (2 L̄/B) (X̂ - X)",
        "Z̄ = X̂̄W₂ᵀ",
        "W̄₂ = ZᵀX̂̄",
        "b̄₂ = 1ᵀX̂̄",
        "Δ = Z̄ ⊙ Z ⊙ (1 - Z)",
        "W̄₁ = XᵀΔ",
        "b̄₁ = 1ᵀΔ",
    ]
    assert equations(ae.explain(two_layers, layout="columns")) == [
        "Z = σ(W₁X + b₁)",
        "X̂ = W₂Z + b₂",
        "L = (1/B) ‖X̂ - X‖²",
        "L̄ = 1",
        "X̂̄ = (2 L̄/B) (X̂ - X)",
        "Z̄ = W₂ᵀX̂̄",
        "W̄₂ = X̂̄Zᵀ",
        "b̄₂ = X̂̄1",
        "Δ = Z̄ ⊙ Z ⊙ (1 - Z)",
        "W̄₁ = ΔXᵀ",
        "b̄₁ = Δ1",
    ]


def test_layers_of_a_deep_net_are_numbered():
    x = ae.constant(X, name="x")
    h = x
    for k in range(1, 5):
        W, b = ae.tensor(RNG.normal(size=(4, 4)), name=f"W_{k}"), ae.tensor(np.zeros(4), name=f"b_{k}")
        h = ae.dense(h, W, b, "sigmoid")
    shown = equations(ae.explain(ae.mean(h)))
    assert shown[:4] == [
        "H⁽¹⁾ = σ(XW₁ + b₁)", "H⁽²⁾ = σ(H⁽¹⁾W₂ + b₂)", "H⁽³⁾ = σ(H⁽²⁾W₃ + b₃)", "H⁽⁴⁾ = σ(H⁽³⁾W₄ + b₄)",
    ]  # fmt: skip


def test_a_layer_made_of_three_ops_is_one_row_at_the_level_of_layers():
    x = ae.constant(X, name="x")
    h = x
    for k, sizes in enumerate([(4, 2), (2, 4)], start=1):
        h = ae.sigmoid(
            h @ ae.tensor(RNG.normal(size=sizes), name=f"W_{k}") + ae.tensor(np.ones(sizes[1]), name=f"b_{k}")
        )
    assert equations(ae.explain(ae.squared_error(h, x), level="layer")) == [
        "Z = σ(XW₁ + b₁)",
        "X̂ = σ(ZW₂ + b₂)",
        "L = (1/B) ‖X̂ - X‖²",
        "X̂̄ = (2/B) (X̂ - X)",
        "Δ⁽²⁾ = X̂̄ ⊙ X̂ ⊙ (1 - X̂)",
        "b̄₂ = 1ᵀΔ⁽²⁾",
        "Z̄ = Δ⁽²⁾W₂ᵀ",
        "W̄₂ = ZᵀΔ⁽²⁾",
        "Δ⁽¹⁾ = Z̄ ⊙ Z ⊙ (1 - Z)",
        "b̄₁ = 1ᵀΔ⁽¹⁾",
        "W̄₁ = XᵀΔ⁽¹⁾",
    ]


def test_a_value_used_twice_gets_two_contributions_and_one_check():
    w = ae.tensor([1.0, -2.0], name="w")
    rows = [row for row in ae.explain(ae.sum(ae.exp(w) * w)).backward if row.symbol == r"\bar{w}"]
    assert [row.adds for row in rows] == [False, True]
    assert [row.check is None for row in rows] == [True, False]
    np.testing.assert_allclose(rows[-1].value, np.exp([1, -2]) * np.array([2.0, -1.0]))


def test_symbols_can_be_chosen_by_name_and_by_symbol(two_layers):
    shown = equations(ae.explain(two_layers, symbols={"W_1": "W", "Z": "C"}))
    assert shown[0] == "C = σ(XW + b₁)"
    with pytest.raises(ae.GraphError, match=r"'W_9'.*does not have"):
        ae.explain(two_layers, symbols={"W_9": "W"})


@pytest.mark.parametrize(
    ("upto", "last"),
    [(2, "X̂ = ZW₂ + b₂"), ("Z", "Z = σ(XW₁ + b₁)"), ("dW_2", "W̄₂ = ZᵀX̂̄"), (r"\Delta", "Δ = Z̄ ⊙ Z ⊙ (1 - Z)")],
)
def test_a_derivation_can_stop_early(two_layers, upto, last):
    assert equations(ae.explain(two_layers, upto=upto))[-1] == last


def test_only_the_gradients_that_are_asked_for_are_derived(two_layers):
    W_2 = next(t for t in two_layers.node.inputs[0].node.inputs if t.name == "W_2")
    assert [row.symbol for row in ae.explain(two_layers, wrt=W_2).backward] == [
        r"\bar{L}",
        r"\bar{\hat{X}}",
        r"\bar{W}_2",
    ]


def test_float32_is_explained_with_the_digits_that_it_has():
    assert 3.5 < ae.explain(loss_of("vanilla", np.float32)).digits < 9


def test_a_wrong_rule_is_caught_by_the_complex_step(monkeypatch, two_layers):
    from autograd_ae.core.op import pullback

    op = two_layers.node.inputs[0].node.op
    wrong = pullback(r"\bar{W} = 2 X^\top \bar{Y}")(lambda out, g, y, x, W, b: np.matmul(2 * x.T, g, out=out))
    monkeypatch.setattr(op, "pullbacks", (op.pullbacks[0], wrong, op.pullbacks[2]))
    derivation = ae.explain(two_layers)
    assert derivation.digits < 1
    assert 'class="bad"' in derivation.html()


def test_small_arrays_are_shown_in_full_and_large_ones_by_facets():
    small, large = ae.tensor(np.eye(2), name="a"), ae.tensor(np.arange(100.0), name="b")
    shown = str(ae.explain(ae.sum(small) + ae.sum(large)))
    assert "[1  0]" in shown
    assert "min 0, median 49.5" in shown
    assert "max 99, norm 573" in shown


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"layout": "diagonal"}, ValueError, "'rows'.*'columns'"),
        ({"level": "atom"}, ValueError, "one of 'op'"),
        ({"upto": 99}, ValueError, "steps 1 to 11"),
        ({"upto": "nothing"}, ValueError, "no step computes"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(two_layers, arguments, error, message):
    with pytest.raises(error, match=message):
        ae.explain(two_layers, **arguments)


def test_only_recorded_tensors_are_explained(two_layers):
    with pytest.raises(TypeError, match="float arrived"):
        ae.explain(1.0)
    with pytest.raises(ae.GraphError, match="not computed from anything"):
        ae.explain(ae.tensor([1.0], name="w"))
    two_layers.backward()
    with pytest.raises(ae.GraphError, match="freed"):
        ae.explain(two_layers)


@pytest.mark.parametrize(("suffix", "begins"), [
    (".html", "<!DOCTYPE html>"), (".md", "# Derivation"), (".tex", r"\documentclass"), (".txt", "Derivation of L"),
])  # fmt: skip
def test_a_derivation_is_saved_by_the_suffix_of_the_file(tmp_path, two_layers, suffix, begins):
    path = ae.explain(two_layers).save(tmp_path / f"derivation{suffix}")
    assert path.read_text("utf-8").startswith(begins)


def test_an_unknown_suffix_is_refused(tmp_path, two_layers):
    with pytest.raises(ValueError, match=r"\.html"):
        ae.explain(two_layers).save(tmp_path / "derivation.docx")


def test_explain_is_a_function_and_a_package():
    page = importlib.import_module("autograd_ae.explain.page")
    assert callable(ae.explain)
    assert callable(page.page)
    assert ae.explain.page is page
    code = (
        "import autograd_ae.explain.page, autograd_ae as ae; x = ae.tensor([1.0]); print(len(ae.explain(x * x).rows))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "4"


def test_the_page_of_an_eight_layer_net_on_digits_is_small():
    digits = ae.data.load_digits().train.images[:64]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ae.Autoencoder(2, hidden_layer_sizes=(512, 256, 64), **SMALL).fit(digits)
    derivation = ae.explain(model.loss(digits))
    assert len(derivation.forward) == 9
    assert len(derivation.html().encode()) < 2_000_000
