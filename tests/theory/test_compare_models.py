"""compare(model, X) over every model class: which theorem, which value, what is refused."""

import functools
import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae import theory
from autograd_ae.lecture.theorems.linear import DeepEncoder
from autograd_ae.lecture.theorems.training import LINEAR, built, data, descend, put, with_masks, with_pairs
from autograd_ae.lecture.theorems.variational import linear_vae

X = 0.5 + 0.08 * data((4.0, 2.0, 1.0, 0.5), seed=0, n_samples=32)  # in (0, 1), and 2×2 pixels
SPECTRUM = theory.spectrum(X)
SHORT = {"max_iter": 1, "random_state": 0}
GAUSSIAN = {"hidden_layer_sizes": (), "likelihood": "gaussian", **SHORT}


@dataclass(frozen=True)
class Given:
    """A model, the row of its theorem, and how that holds: "equality", "bound" or "none"."""

    model: object
    row: int | None
    relation: str


def dae(**options):
    return ae.DenoisingAE(2, **{**LINEAR, **SHORT, **options})


def vae(**options):
    return ae.VAE(options.pop("L", 2), **{**GAUSSIAN, **options})


def deep(cls=ae.Autoencoder, **options):
    return cls(2, **{"hidden_layer_sizes": (3,), **SHORT, **options})


TANH = {**LINEAR, "hidden_layer_sizes": (3,), "activation": "tanh"}
MODELS = {
    "PCA": Given(ae.PCA(2), 1, "equality"),
    "PCA with all components": Given(ae.PCA(), 20, "equality"),
    "LinearPCA": Given(ae.LinearPCA(2, **SHORT), 1, "equality"),
    "LinearPCA, tied": Given(ae.LinearPCA(2, tied=True, **SHORT), 1, "equality"),
    "LinearPCA, as wide as the data": Given(ae.LinearPCA(4, **SHORT), 20, "equality"),
    "LinearPCA, wider than the data": Given(ae.LinearPCA(6, **SHORT), 20, "equality"),
    "LinearPCA, uniform L2": Given(ae.LinearPCA(2, l2=0.001, **SHORT), 5, "equality"),
    "LinearPCA, uniform L2, tied": Given(ae.LinearPCA(2, l2=0.001, tied=True, **SHORT), 5, "equality"),
    "LinearPCA, non-uniform L2": Given(ae.LinearPCA(3, l2=[0.002, 0.001, 0.1], **SHORT), 6, "equality"),
    "LinearPCA, L2, wider than the data": Given(ae.LinearPCA(5, l2=0.001, **SHORT), 3, "bound"),
    "Autoencoder, linear": Given(deep(**LINEAR), 1, "equality"),
    "Autoencoder, linear and deep": Given(deep(**{**TANH, "activation": "identity"}), 1, "equality"),
    "Autoencoder, one linear decoder layer": Given(deep(DeepEncoder, **TANH), 3, "bound"),
    "Autoencoder, deep": Given(deep(), None, "none"),
    "Autoencoder, cross-entropy": Given(deep(reconstruction_loss="bce"), None, "none"),
    "Autoencoder, linear, decayed weights": Given(deep(**LINEAR, weight_decay=0.01), 1, "bound"),
    "DeepPCA": Given(deep(ae.DeepPCA), None, "none"),
    "DeepPCA, circular": Given(ae.DeepPCA(1, code="circular", **SHORT), None, "none"),
    "DeepPCA, no hidden layer": Given(ae.DeepPCA(1, hidden_layer_sizes=(), **SHORT), 1, "equality"),
    "DeepPCA, circular, no hidden layer": Given(
        ae.DeepPCA(1, hidden_layer_sizes=(), code="circular", **SHORT), 3, "bound"
    ),
    "SparseAE, KL": Given(ae.SparseAE(3, **SHORT), 3, "bound"),
    "SparseAE, L1": Given(ae.SparseAE(3, penalty="l1", code_activation="relu", **SHORT), 3, "bound"),
    "SparseAE, λ = 0, linear": Given(ae.SparseAE(2, **{**LINEAR, **SHORT}, sparsity_weight=0), 1, "equality"),
    "DenoisingAE, Gaussian": Given(dae(corruption="gaussian"), 7, "equality"),
    "DenoisingAE, masking": Given(dae(corruption="masking"), 8, "equality"),
    "DenoisingAE, everything masked": Given(dae(corruption="masking", corruption_level=1.0), 3, "bound"),
    "DenoisingAE, salt and pepper": Given(dae(corruption="salt_and_pepper"), 3, "bound"),
    "DenoisingAE, low resolution": Given(dae(corruption="low_resolution", corruption_level=2), 3, "bound"),
    "DenoisingAE, sparse": Given(
        dae(code_activation="relu", penalty="l1", sparsity_weight=0.1), 3, "bound"
    ),
    "DenoisingAE, deep": Given(dae(hidden_layer_sizes=(3,), activation="tanh"), None, "none"),
    "VAE, learned variance": Given(vae(observation_variance="learned"), 10, "equality"),
    "VAE, learned variance, β": Given(vae(observation_variance="learned", beta=2.0), 11, "equality"),
    "VAE, learned variance, as wide as the data": Given(vae(L=4, observation_variance="learned"), 3, "bound"),
    "VAE, fixed variance": Given(vae(observation_variance=0.01), 11, "equality"),
    "VAE, wider than the data": Given(vae(L=5), 3, "bound"),
    "VAE, β = 0": Given(vae(beta=0.0), 3, "bound"),
    "VAE, deep": Given(vae(hidden_layer_sizes=(3,)), None, "none"),
    "VAE, Bernoulli": Given(vae(likelihood="bernoulli"), None, "none"),
}  # fmt: skip


@functools.cache
def fitted(name):
    model = MODELS[name].model
    if "solver" in model.get_params() and model.solver == "lbfgs":
        model.set_params(solver="adam")
    return model.fit(X)


@pytest.mark.parametrize("name", MODELS)
def test_the_theorem_is_found_and_nothing_is_below_its_optimum(name):
    found, expected = theory.compare(fitted(name), X), MODELS[name]
    assert (found.law.row, found.law.relation) == (expected.row, expected.relation)
    assert not found.suspect
    assert (found.excess_loss is None) == (expected.row is None)
    assert found.excess_loss is None or found.excess_loss > -1e-12
    assert found.references["reconstruction"] == pytest.approx(fitted(name).reconstruction_error(X))
    assert found.references["plateau"] == pytest.approx(SPECTRUM.sum())
    assert found.n_samples == len(X)


@pytest.mark.parametrize("name", MODELS)
def test_a_verdict_is_a_table_that_fits_and_json_without_nan(name):
    found = theory.compare(fitted(name), X)
    assert str(found).startswith(f"{type(fitted(name)).__name__}: {found.n_components} of 4 dimensions, 32 samples\n")
    assert max(map(len, str(found).splitlines())) <= 160
    assert (f"row {found.law.row}," in str(found)) == (found.law.row is not None)
    assert found.law.row is not None or f"none: {found.law.why}" in str(found)
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert values["law"]["row"] == MODELS[name].row
    assert values["loss"] == found.loss


TRAINED = [name for name, given in MODELS.items() if given.row is not None and not name.startswith("PCA")]


@given(st.sampled_from(TRAINED), st.integers(0, 2**32 - 1), st.floats(-3, 0))
def test_no_weights_whatever_are_below_the_optimum_on_any_data(name, seed, exponent):
    rng, model = np.random.default_rng(seed), fitted(name)
    before = [p.data.copy() for p in model.parameters()]
    other = rng.normal(size=(7, 4)) * 10 ** rng.uniform(-2, 1) + 10 ** rng.uniform(-2, 1)
    try:
        for p in model.parameters():
            p.data[...] = 10**exponent * rng.normal(size=p.shape)
        for samples in (X, other):
            found = theory.compare(model, samples)
            assert found.excess_loss >= -1e-10 * max(abs(found.loss), abs(found.reference_loss))
            assert not found.suspect
            if found.angle_bound is not None:
                assert found.largest_angle <= found.angle_bound + 1e-6
    finally:
        put(model, *before)


# At the optimum.


def at_the_optimum():
    exactly = {"tol": 1e-12, "max_iter": 3000, "random_state": 0}
    yield "PCA", ae.PCA(2).fit(X)
    yield "PCA with all components", ae.PCA().fit(X)
    for name in ("LinearPCA", "LinearPCA, tied", "LinearPCA, uniform L2", "LinearPCA, non-uniform L2"):
        kept = {key: getattr(MODELS[name].model, key) for key in ("n_components", "tied", "l2")}
        yield name, ae.LinearPCA(**kept, **exactly).fit(X)
    yield "DeepPCA, no hidden layer", ae.DeepPCA(1, hidden_layer_sizes=(), **exactly).fit(X)
    yield "Autoencoder, linear and deep", descend(built(deep(**{**TANH, "activation": "identity"}), X), X)
    yield "DenoisingAE, Gaussian", descend(built(dae(corruption_level=0.1), X), *with_pairs(X, 0.1, seed=0))
    model = built(dae(corruption="masking", corruption_level=1 / 3), X)
    yield "DenoisingAE, masking", descend(model, *with_masks(X, 3))
    yield "VAE, learned variance", linear_vae(X, 2, seed=0)
    yield "VAE, learned variance, β", linear_vae(X, 2, seed=0, beta=2.0)
    yield "VAE, fixed variance", linear_vae(X, 3, seed=0, variance=0.01)


@functools.cache
def optima():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ae.ConvergenceWarning)  # the gradient stops at rounding, above tol
        return dict(at_the_optimum())


OPTIMA = ["PCA", "PCA with all components", "LinearPCA", "LinearPCA, tied", "LinearPCA, uniform L2",
          "LinearPCA, non-uniform L2", "DeepPCA, no hidden layer", "Autoencoder, linear and deep",
          "DenoisingAE, Gaussian", "DenoisingAE, masking", "VAE, learned variance", "VAE, learned variance, β",
          "VAE, fixed variance"]  # fmt: skip


@pytest.mark.parametrize("name", OPTIMA)
def test_a_model_at_its_optimum_has_no_excess_and_the_principal_subspace(name):
    found = theory.compare(optima()[name], X)
    assert found.law.row == MODELS[name].row
    assert abs(found.relative_excess_loss) < 1e-9
    if found.law.row not in (8, 20):  # masking means no principal subspace; all of ℝ⁴ is no subspace
        assert found.largest_angle < 1e-5
    else:
        assert found.angles_refused
    if found.law.row in (5, 6, 10, 11):
        assert found.direction_angles.max() < 1e-5
        assert "one by one" in found.text
    assert found.dead == found.predicted_dead


@pytest.mark.parametrize(
    ("name", "dead"),
    [("LinearPCA, uniform L2", 0), ("LinearPCA, non-uniform L2", 1), ("VAE, fixed variance", 1), ("PCA", None)],
)
def test_dead_latents_are_counted_where_a_theorem_predicts_them(name, dead):
    found = theory.compare(optima()[name], X)
    assert (found.dead, found.predicted_dead) == (dead, dead)
    assert ("dead latents" in found.text) == (dead is not None)


def test_latents_of_a_vae_without_a_theorem_are_counted_and_nothing_is_predicted():
    found = theory.compare(vae(hidden_layer_sizes=(3,), beta=100.0, max_iter=200, batch_size=32).fit(X), X)
    assert (found.dead, found.predicted_dead) == (2, None)
    assert "dead latents     2 of 2\n" in found.text


def test_a_soft_threshold_is_the_optimum_of_an_orthonormal_decoder_and_another_decoder_is_told_why_not():
    D = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 3)))[0].T
    model = built(ae.SparseAE(3, penalty="l1", sparsity_weight=0.2, code_activation="relu"), X)
    put(model, D.T, -0.1, D, 0.0)  # relu(u − λ/2) is the soft threshold where u ≥ 0
    found = theory.compare(model, X)
    assert (found.law.row, found.law.relation) == (14, "bound")
    assert (found.relative_excess_loss < 1e-12) == bool((X @ D.T > -0.1).all())
    positive = np.maximum(X @ D.T, 0) @ D
    assert theory.compare(model, positive).relative_excess_loss == pytest.approx(0, abs=1e-12)
    put(model, D.T, -0.1, 2 * D, 0.0)
    assert "orthonormal" in theory.compare(model, X).law.why


# What is refused.


def spread(*spectrum):
    return data(spectrum, seed=1, n_samples=20)


def test_without_a_gap_after_it_the_subspace_is_not_compared_and_the_loss_is():
    flat = spread(4.0, 2.0, 2.0, 0.5)
    found = theory.compare(ae.PCA(2).fit(flat), flat)
    assert abs(found.relative_excess_loss) < 1e-12
    assert (found.principal_angles, found.largest_angle, found.angle_bound) == (None, None, None)
    assert "without an eigengap" in found.angles_refused
    assert "not compared" in found.text


def test_without_gaps_between_them_directions_are_not_compared_one_by_one_and_the_subspace_is():
    flat = spread(2.0, 2.0, 0.5, 0.1)
    for model in (ae.LinearPCA(2, l2=[0.1, 0.2], random_state=0).fit(flat), linear_vae(flat, 2, seed=0)):
        found = theory.compare(model, flat)
        assert found.largest_angle < 1e-3
        assert found.direction_angles is None
        assert "eigenvalue 1, 2 (counting from 1) has no gap" in found.directions_refused
        assert "one by one       not compared" in found.text


def test_latents_with_the_same_penalty_are_compared_as_a_subspace_only():
    found = theory.compare(ae.LinearPCA(3, l2=[0.001, 0.001, 0.002], random_state=0).fit(X), X)
    assert (found.law.row, found.direction_angles) == (6, None)
    assert found.largest_angle < 1e-3
    assert "same γ" in found.directions_refused


def test_a_theorem_that_leaves_the_directions_free_says_so():
    assert "free" in theory.compare(ae.PCA(2).fit(X), X).directions_refused


def test_where_all_latents_are_to_die_there_is_no_subspace():
    found = theory.compare(ae.LinearPCA(2, l2=1.0, random_state=0).fit(X), X)
    assert (found.predicted_dead, found.dead) == (2, 2)
    assert found.angles_refused == found.directions_refused == "no latent is predicted to live"


def test_a_decoder_of_too_low_a_rank_has_no_such_subspace():
    model = ae.LinearPCA(2, solver="adam", **SHORT).fit(X)
    model.components_[1] = model.components_[0]
    assert "spans only 1" in theory.compare(model, X).angles_refused


# Data at the edges.


@pytest.mark.parametrize("name", ["LinearPCA", "DenoisingAE, Gaussian", "DenoisingAE, masking", "VAE, fixed variance"])
@pytest.mark.parametrize("samples", [np.zeros((3, 4)), np.ones((3, 4)), X[:1], X[:3]], ids=["0", "1", "one", "few"])
def test_constant_data_and_few_samples_have_their_optimum_too(name, samples):
    found = theory.compare(fitted(name), samples)
    assert found.excess_loss >= -1e-12
    assert np.isfinite(found.relative_excess_loss)


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_float32_rounds_and_is_not_suspected(offset):
    single = (X + offset).astype(np.float32)
    for model in (ae.PCA(2), ae.LinearPCA(2, random_state=0)):
        found = theory.compare(model.fit(single), single)
        assert abs(found.excess_loss) < 1e-6 * np.mean(np.sum(single.astype(float) ** 2, axis=1))
        assert not found.suspect


def test_integers_and_lists_are_data_too():
    pixels = np.random.default_rng(0).integers(0, 256, size=(20, 4), dtype=np.uint8)
    assert abs(theory.compare(ae.PCA(2).fit(pixels), pixels).relative_excess_loss) < 1e-10
    assert theory.compare(fitted("PCA"), X.tolist()).loss == theory.compare(fitted("PCA"), X).loss


class Frame:
    """What a table of named columns looks like from outside."""

    columns = ("a", "b", "c", "d")
    shape = X.shape

    def __array__(self, dtype=None, copy=None):
        return np.array(X, dtype=dtype)


def test_named_columns_reach_the_model_that_was_fitted_on_them():
    found = theory.compare(ae.PCA(2).fit(Frame()), Frame())  # without its names, X would be warned of
    assert found.loss == pytest.approx(theory.compare(fitted("PCA"), X).loss)


def test_decayed_weights_stay_above_the_optimum_and_the_reason_is_given():
    decayed = deep(solver="sgd", weight_decay=0.01, **{**LINEAR, "hidden_layer_sizes": (), "max_iter": 500}).fit(X)
    found = theory.compare(decayed, X)
    assert found.relative_excess_loss > 0.01
    assert "a bound: nothing gets below it (weight decay asks for smaller weights" in found.text


# Models of other people.


class Foreign:
    """A line through (3, 4)."""

    def __init__(self, loss=None, **setting):
        self.loss, self.setting = loss, setting

    def theory_setting(self):
        return {"n_components": 1, "decoder_weight": [[0.6, 0.8]], **self.setting}

    def reconstruction_error(self, X):
        residual = X - np.outer(X @ [0.6, 0.8], [0.6, 0.8])
        return np.sum(residual**2) / len(X) if self.loss is None else self.loss


LINE = np.array([[3.0, 4.0], [-6.0, -8.0], [3.0, 4.0]])


def test_a_model_of_ones_own_needs_a_setting_and_the_methods_that_its_theorem_asks_for():
    found = theory.compare(Foreign(), LINE)
    assert (found.law.row, found.model) == (3, "Foreign")
    assert found.excess_loss < 1e-12
    assert theory.compare(Foreign(encoder_weight=[[0.6], [0.8]]), LINE).law.row == 20
    with pytest.raises(TypeError, match=r"Foreign, which has no `encode_distribution\(\)`"):
        theory.compare(Foreign(variational=True, decoder_bias=[0.0, 0.0], noise_variance=1.0), LINE)


def test_a_loss_below_the_optimum_is_suspected_and_the_text_says_so():
    off_the_line = LINE + np.array([[0.0, 1.0], [0.0, 0.0], [0.0, -1.0]])
    found = theory.compare(Foreign(loss=0.0), off_the_line)
    assert found.suspect
    assert "theory_setting() describe this model?" in found.text


@pytest.mark.parametrize(
    ("setting", "error", "message"),
    [
        ({"n_component": 1}, TypeError, "unknown n_component; there are n_components"),
        ({"n_components": 0}, ValueError, "n_components=0: it must lie between 1"),
        ({"decoder_weight": [[1.0, 2.0], [3.0, 4.0]]}, ValueError, "decoder_weight: 1 rows are needed"),
        ({"decoder_bias": [1.0]}, ValueError, "decoder_bias: 2 entries are needed"),
        ({"encoder_weight": [[1.0], [1.0], [1.0]]}, ValueError, "differ in features"),
        ({"reconstruction": "mse"}, ValueError, "one of squared_error, bernoulli"),
        ({"l2": [-1.0]}, ValueError, "must not be negative"),
        ({"beta": -1.0}, ValueError, "at least 0"),
        ({"variational": True}, TypeError, "noise_variance"),
        ({"decoder_weight": [[1.0, 2.0, 3.0]]}, ValueError, "X: 2 columns, but the model's decoder returns 3"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(setting, error, message):
    with pytest.raises(error, match=message):
        theory.compare(Foreign(**setting), LINE)


def test_a_setting_must_be_a_dict_or_a_setting():
    model = Foreign()
    model.theory_setting = lambda: theory.Setting(n_components=1, decoder_weight=[[0.6, 0.8]])
    assert theory.compare(model, LINE).law.row == 3
    model.theory_setting = lambda: [1]
    with pytest.raises(TypeError, match="returned an object of type list; a dict is needed"):
        theory.compare(model, LINE)
    model.theory_setting = dict
    with pytest.raises(TypeError, match="n_components, the width of the code, is needed"):
        theory.compare(model, LINE)


@pytest.mark.parametrize("cls", [ae.PCA, ae.LinearPCA, ae.DeepPCA, ae.Autoencoder, ae.SparseAE, ae.DenoisingAE, ae.VAE])
def test_a_model_that_was_not_fitted_says_so(cls):
    with pytest.raises(ValueError, match=f"This {cls.__name__} instance is not fitted yet"):
        theory.compare(cls(), X)
