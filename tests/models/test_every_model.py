"""What all trained models obey, each in every notable configuration: one table, one set of laws."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.core.program import Program
from autograd_ae.core.transforms import STEP

pytestmark = pytest.mark.filterwarnings("ignore::autograd_ae.ConvergenceWarning")

COMMON = {"n_components": 2, "solver": "adam", "max_iter": 3, "batch_size": 7, "random_state": 0}
DEEP = {"hidden_layer_sizes": (3,), "activation": "tanh"}
LEARNED = {"likelihood": "gaussian", "observation_variance": "learned"}
UNBOUNDED = {"code_activation": "identity", "output_activation": "identity"}
TABLE = {
    "linear": (ae.LinearPCA, {}),
    "linear, tied": (ae.LinearPCA, {"tied": True}),
    "linear, l2": (ae.LinearPCA, {"l2": 0.01}),
    "linear, tied, l2 by component": (ae.LinearPCA, {"l2": [0.01, 0.02], "tied": True}),
    "linear code": (ae.DeepPCA, {"hidden_layer_sizes": (3,)}),
    "circular code": (ae.DeepPCA, {"hidden_layer_sizes": (3,), "code": "circular"}),
    "circular code, sigmoid output": (ae.DeepPCA, {"code": "circular", "output_activation": "sigmoid"}),
    "autoencoder": (ae.Autoencoder, DEEP),
    "autoencoder, unbounded": (ae.Autoencoder, DEEP | UNBOUNDED),
    "autoencoder, bce": (ae.Autoencoder, DEEP | {"reconstruction_loss": "bce"}),
    "l1": (ae.SparseAE, {"penalty": "l1", "code_activation": "tanh", "sparsity_weight": 0.1}),
    "kl over the batch": (ae.SparseAE, {"kl_over": "batch"}),
    "kl over units": (ae.SparseAE, {"kl_over": "units", "rho": 0.3}),
    "ufldl's kl over the batch": (ae.SparseAE, {"kl_form": "ufldl", "kl_over": "batch"}),
    "ufldl's kl over units": (ae.SparseAE, {"kl_form": "ufldl", "kl_over": "units", "sparsity_weight": 0.5}),
    "gaussian noise": (ae.DenoisingAE, DEEP),
    "masking": (ae.DenoisingAE, DEEP | {"corruption": "masking", "reconstruction_loss": "bce"}),
    "salt and pepper, sparse": (ae.DenoisingAE, DEEP | {"corruption": "salt_and_pepper", "sparsity_weight": 0.1}),
    "low resolution": (ae.DenoisingAE, DEEP | {"corruption": "low_resolution", "corruption_level": 2}),
    "vae": (ae.VAE, DEEP),
    "vae, warm-up": (ae.VAE, DEEP | {"beta": 0.5, "beta_warmup": 5}),
    "vae, gaussian": (ae.VAE, DEEP | {"likelihood": "gaussian", "observation_variance": 0.05}),
    "vae, learned variance": (ae.VAE, LEARNED | {"hidden_layer_sizes": ()}),
}  # fmt: skip
every_model = pytest.mark.parametrize("name", list(TABLE))
CLASSES = {cls.__name__: cls for cls, _ in TABLE.values()}


def make(name, **settings):
    cls, own = TABLE[name]
    return cls(**COMMON | own | settings)


@pytest.fixture
def X(rng):
    """30 images of 2 × 2 pixels, in (0, 1)."""
    return rng.uniform(0.1, 0.9, size=(30, 4))


def arrays(model):
    return [p.data.copy() for p in model.parameters()]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


# The loss and its gradient.


@every_model
def test_the_gradient_of_the_loss_is_that_of_the_complex_step(X, name):
    model = make(name).fit(X)
    batch = X[:5]
    noise = model._draw(batch, np.random.default_rng(1))
    gradients = ae.grad(model.loss(batch, *noise), model.parameters())
    program = Program([model.loss(batch, *noise)], wrt=())
    for p, gradient in zip(model.parameters(), gradients, strict=True):
        true, place = np.zeros(p.shape), program.place(p)
        for i in np.ndindex(p.shape):
            stepped = p.data.astype(complex)
            stepped[i] += 1j * STEP
            true[i] = program.run_complex({place: stepped})[program.outputs[0]].imag / STEP
        assert np.abs(true).max() > 0, p.name
        assert np.abs(gradient - true).max() <= 1e-9 * np.abs(true).max(), p.name


@every_model
def test_the_loss_is_the_sum_of_its_terms_and_begins_with_the_reconstruction(X, name):
    model = make(name).fit(X)
    noise = model._draw(X, np.random.default_rng(1))
    terms = model.loss_terms(X, *noise)
    assert next(iter(terms)) == "reconstruction"
    assert model.loss(X, *noise).item() == pytest.approx(sum(t.item() for t in terms.values()), rel=1e-13)
    assert list(model.loss_terms_) == list(terms)


@pytest.mark.parametrize(
    "name", [name for name in TABLE if "over the batch" not in name and name != "salt and pepper, sparse"]
)
def test_the_loss_of_a_batch_is_the_mean_of_its_samples_losses(X, name):
    """All but a KL of the batch's mean activation. A VAE's second argument is the weight of the KL, not a row each."""
    model = make(name).fit(X)
    noise = model._draw(X, np.random.default_rng(1))
    single = [
        model.loss(X[b : b + 1], *(n[b : b + 1] if len(n) == len(X) else n for n in noise)).item() for b in range(30)
    ]
    assert model.loss(X, *noise).item() == pytest.approx(np.mean(single), rel=1e-12)


@every_model
def test_what_is_recorded_once_serves_every_batch(X, name):
    """The captured loss of other samples and other noise is the loss recorded of them, bit for bit."""
    model = make(name).fit(X)
    first, second = (model._draw(batch, np.random.default_rng(seed)) for batch, seed in ((X[:8], 1), (X[8:16], 2)))
    step = ae.capture(model.loss, X[:8], *first, runtime="replay")
    assert float(step(X[8:16], *second)) == model.loss(X[8:16], *second).item()


# Training.


@every_model
def test_one_seed_gives_one_model_and_another_seed_another(X, name):
    first, second = make(name).fit(X), make(name).fit(X)
    assert same(arrays(first), arrays(second))
    assert first.history_ == second.history_
    assert not same(arrays(first), arrays(make(name, random_state=1).fit(X)))


@every_model
def test_history_has_one_entry_per_epoch_of_the_loss_and_of_each_term(X, name):
    seen = []
    before = X.copy()
    model = make(name)
    assert model.fit(X, callback=lambda m, epoch: seen.append((m is model, epoch))) is model
    assert seen == [(True, 1), (True, 2), (True, 3)]
    assert set(model.history_) == {"loss", *model.loss_terms_}
    assert {len(entries) for entries in model.history_.values()} == {model.n_iter_} == {3}
    assert model.loss_curve_ is model.history_["loss"]
    for epoch in range(3):
        total = sum(model.history_[term][epoch] for term in model.loss_terms_)
        assert model.history_["loss"][epoch] == pytest.approx(total, rel=1e-12)
    assert {term: entries[-1] for term, entries in model.history_.items() if term != "loss"} == model.loss_terms_
    assert model.loss_ == model.reconstruction_error(X)
    np.testing.assert_array_equal(X, before)


@every_model
def test_training_lowers_what_it_is_judged_by(X, name):
    """With noise that is drawn once for the comparison, and the final weight of the KL."""
    model = make(name, max_iter=1, learning_rate_init=1e-9).fit(X)
    longer = make(name, max_iter=25, learning_rate_init=2e-2).fit(X)
    noise = longer._draw(X, np.random.default_rng(1))
    assert longer.loss(X, *noise).item() < model.loss(X, *noise).item()


@every_model
def test_a_true_answer_of_the_callback_ends_training_and_ctrl_c_keeps_what_was_learned(X, name):
    stopped = make(name, max_iter=50).fit(X, callback=lambda m, epoch: epoch == 2)

    def interrupt(model, epoch):
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted after 2 whole epochs"):
        interrupted = make(name, max_iter=50).fit(X, callback=interrupt)
    assert stopped.n_iter_ == interrupted.n_iter_ == 2
    assert same(arrays(stopped), arrays(interrupted))
    assert interrupted.loss_ == interrupted.reconstruction_error(X)


@every_model
def test_early_stopping_records_held_out_errors_and_keeps_the_best_parameters(X, name):
    trail = []
    model = make(name, early_stopping=True, n_iter_no_change=2, tol=1e9, max_iter=50)
    model.fit(X, callback=lambda m, epoch: trail.append(arrays(m)))
    assert model.n_iter_ == len(model.history_["validation"]) == 3  # the first falls from infinity, two do not
    best = trail[int(np.argmin(model.history_["validation"]))]
    for a, b in zip(arrays(model), best, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


@every_model
def test_held_out_errors_do_not_depend_on_a_new_draw(X, name):
    """With a rate at which nothing moves, epochs differ in their noise only, and what is watched is the same."""
    model = make(name, early_stopping=True, learning_rate_init=1e-300).fit(X)
    assert model.history_["validation"] == pytest.approx([model.history_["validation"][0]] * 3, rel=1e-9)


@every_model
def test_partial_fit_is_an_epoch_that_goes_on(X, name):
    model = make(name).partial_fit(X)
    before = arrays(model)
    assert model.partial_fit(X[:20]) is model
    assert not same(arrays(model), before)
    assert model.n_iter_ == len(model.loss_curve_) == 2
    assert model.n_samples_seen_ == 50
    np.testing.assert_allclose(model.mean_, (X.sum(axis=0) + X[:20].sum(axis=0)) / 50, rtol=1e-12)


@every_model
def test_warm_start_goes_on_and_without_it_fit_begins_anew(X, name):
    model = make(name, warm_start=True).fit(X)
    first = arrays(model)
    model.fit(X)
    assert model.n_iter_ == len(model.loss_curve_) == 6
    assert not same(arrays(model), first)
    model.set_params(warm_start=False).fit(X)
    assert same(arrays(model), first)
    assert model.n_iter_ == 3


# What a fitted model is asked.


@every_model
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_codes_and_reconstructions_have_shape_and_dtype_of_the_samples(X, name, dtype):
    X = X.astype(dtype)
    model = make(name).fit(X)
    Z = model.transform(X)
    assert Z.shape == (30, len(model.get_feature_names_out()))
    assert len(set(model.get_feature_names_out())) == Z.shape[1]
    np.testing.assert_array_equal(model.inverse_transform(Z), model.reconstruct(X))
    assert model.reconstruct(X).shape == X.shape
    assert {Z.dtype, model.reconstruct(X).dtype, model.mean_.dtype, *(p.dtype for p in model.parameters())} == {
        np.dtype(dtype)
    }
    assert model.score(X) == -model.reconstruction_error(X)
    assert model.reconstruction_error(X) == pytest.approx(np.sum((model.reconstruct(X) - X) ** 2) / 30, rel=1e-6)


@every_model
@pytest.mark.parametrize("duplicate", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy], ids=["pickle", "copy"])
def test_a_copy_goes_on_bit_for_bit_as_the_original_and_shares_nothing_with_it(X, name, duplicate):
    model = make(name).fit(X).partial_fit(X)
    twin = duplicate(model)
    before = arrays(model)
    twin.partial_fit(X)
    assert same(arrays(model), before)
    model.partial_fit(X)
    assert same(arrays(twin), arrays(model))
    assert twin.history_ == model.history_
    np.testing.assert_array_equal(twin.transform(X), model.transform(X))


@every_model
def test_the_summary_prints_what_the_diagnostics_found(X, name):
    model = make(name).fit(X)
    found, text = model.diagnostics(X), model.summary(X)
    assert found["error"] == model.reconstruction_error(X)
    assert found["plateau"] == model.plateau(X) == pytest.approx(np.sum((X - X.mean(axis=0)) ** 2) / 30, rel=1e-12)
    assert text.startswith(f"{type(model).__name__}: 4-")
    assert "3 epochs of adam, loss " in text
    assert f"error                 {found['error']:.6g}" in text
    assert f"plateau (mean image)  {found['plateau']:.6g}   (the model is " in text
    assert len(text.splitlines()) == 3 + len(found)
    assert model.summary() == "\n".join(text.splitlines()[:3])


@every_model
def test_theory_understands_what_the_model_says_of_itself(X, name):
    model = make(name).fit(X)
    assert ae.theory.setting_of(model).n_components == model.transform(X).shape[1]
    assert ae.theory.compare(model, X).text


# Wrong input.

CHOICES = {
    "solver", "learning_rate", "activation", "code_activation", "output_activation", "init", "reconstruction_loss",
    "penalty", "kl_form", "kl_over", "corruption", "likelihood", "code", "runtime",
}  # fmt: skip
REFUSED = {
    "n_components": 0, "max_iter": 0, "batch_size": 0.5, "n_iter_no_change": 0, "learning_rate_init": 0.0, "tol": -1.0,
    "weight_decay": np.nan, "beta_1": 1.0, "beta_2": -0.5, "momentum": 1.0, "validation_fraction": 0.0,
    "hidden_layer_sizes": 3, "sparsity_weight": -1.0, "rho": 0.0, "corruption_level": -1.0, "beta": -1.0,
    "beta_warmup": -1, "observation_variance": "fixed", "l2": -1.0, "random_state": -1,
}  # fmt: skip


def settings_of(cls):
    return [(cls, name) for name in sorted(cls._parameter_names())]


@pytest.mark.parametrize(("cls", "name"), [pair for cls in CLASSES.values() for pair in settings_of(cls)])
def test_a_wrong_setting_is_named_with_its_value_and_with_the_choices_before_anything_is_built(X, cls, name):
    value = "bogus" if name in CHOICES else REFUSED.get(name)
    if value is None:
        assert name in ("early_stopping", "warm_start", "verbose", "tied")  # true or false
        return
    model = cls(**{"max_iter": 1, "n_components": 2} | {name: value})
    with pytest.raises(ValueError, match=rf"^(every entry of )?{name} is {value!r}") as error:
        model.fit(X)
    if name in CHOICES:
        assert "; one of " in str(error.value)
        for choice in choices_of(cls, name):
            assert repr(choice) in str(error.value)
    with pytest.raises(ae.NotFittedError):
        model.transform(X)


def choices_of(cls, name):
    """Values of the table that are accepted, so that they must be among those that are listed."""
    return {cls(**own).get_params()[name] for other, own in TABLE.values() if other is cls} | {cls().get_params()[name]}


def test_no_model_needs_scikit_learn_for_anything_but_its_tags():
    code = f"""
import sys
sys.modules["sklearn"] = None                       # from now on any import of it fails
import numpy as np, autograd_ae as ae
X = np.random.default_rng(0).uniform(0.1, 0.9, size=(20, 4))
for cls in (ae.PCA, {", ".join(f"ae.{name}" for name in CLASSES)}):
    settings = {{}} if cls is ae.PCA else {{"max_iter": 1, "solver": "adam"}}
    model = cls(2, **settings)
    repr(model.set_params(**model.get_params()).fit(X)), model.set_output(transform="default").transform(X)
    model.summary(X), model.score(X), model.get_feature_names_out()
"""
    quiet = {**os.environ, "AUTOGRAD_AE_QUIET": "1"}
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, env=quiet)
    assert (done.returncode, done.stderr) == (0, "")
