"""Autoencoder: what it computes, that it learns, and what it says about settings and data that do not fit."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.ops.activations import ACTIVATIONS
from autograd_ae.testing import complex_step_gradient


@pytest.fixture(scope="module")
def images():
    """300 digits of 14×14 pixels in [0, 1]."""
    whole = ae.data.load_digits().train.images[:300]
    return whole.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196)


@pytest.fixture
def X(rng):
    return rng.uniform(0.1, 0.9, size=(12, 6))


def tiny(**settings):
    """A net of a few units, for tests of everything but learning."""
    return ae.Autoencoder(
        **{"hidden_layer_sizes": (5, 4), "max_iter": 2, "batch_size": 5, "random_state": 0} | settings
    )


@pytest.mark.parametrize("reconstruction_loss", ["squared_error", "bce"])
def test_it_learns_digits_past_the_plateau_of_the_mean_image(images, reconstruction_loss):
    model = ae.Autoencoder(
        hidden_layer_sizes=(32,),
        reconstruction_loss=reconstruction_loss,
        learning_rate_init=1e-2,
        batch_size=30,
        max_iter=30,
        random_state=0,
    ).fit(images)
    assert model.loss_ < 0.85 * model.plateau(images)
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert np.ptp(model.transform(images), axis=0).min() > 0.2  # neither number of the code is dead


def test_a_net_without_hidden_layers_and_with_a_linear_decoder_is_bounded_by_pca(images):
    """Bourlard & Kamp 1988: whatever the encoder, one linear decoder layer cannot beat PCA."""
    settings = {"hidden_layer_sizes": (), "output_activation": "identity", "solver": "lbfgs", "max_iter": 60}
    with pytest.warns(ae.ConvergenceWarning):
        model = ae.Autoencoder(3, random_state=0, **settings).fit(images)
    bound = ae.PCA(3).fit(images).loss_
    assert bound <= model.loss_ <= 1.3 * bound


def test_a_linear_autoencoder_reaches_pca(X):
    linear = dict.fromkeys(("activation", "code_activation", "output_activation"), "identity")
    model = ae.Autoencoder(2, hidden_layer_sizes=(), solver="lbfgs", tol=1e-10, max_iter=2000, random_state=0, **linear)
    assert model.fit(X).loss_ == pytest.approx(ae.PCA(2).fit(X).loss_, rel=1e-8)


def test_the_default_net_is_the_lectures():
    model = ae.Autoencoder(max_iter=1, random_state=0).fit(np.random.default_rng(0).uniform(size=(4, 784)))
    assert model.summary().startswith("Autoencoder: 784-512-256-64-2-64-256-512-784, 1,")
    layers = [*model.encoder_.layers, *model.decoder_.layers]
    assert [layer.activation for layer in layers] == ["sigmoid"] * 8
    assert [p.name for p in model.parameters()] == [f"{kind}_{i}" for i in range(1, 9) for kind in ("W", "b")]


def test_the_code_and_the_output_come_from_the_encoder_and_the_decoder(X):
    model = tiny(activation="tanh", code_activation="identity", output_activation="identity").fit(X)
    W1, b1, W2, b2, W3, b3, W4, b4, W5, b5, W6, b6 = (p.data for p in model.parameters())
    Z = np.tanh(np.tanh(X @ W1 + b1) @ W2 + b2) @ W3 + b3
    np.testing.assert_allclose(model.transform(X), Z, rtol=1e-13)
    decoded = np.tanh(np.tanh(Z @ W4 + b4) @ W5 + b5) @ W6 + b6
    np.testing.assert_allclose(model.inverse_transform(Z), decoded, rtol=1e-12)
    np.testing.assert_allclose(model.reconstruct(X), decoded, rtol=1e-12)


def test_the_recorded_loss_equals_the_reconstruction_error(X):
    model = tiny().fit(X)
    assert model.loss(X).item() == pytest.approx(model.reconstruction_error(X), rel=1e-13)
    assert float(ae.capture(model.loss, X)(X)) == pytest.approx(model.reconstruction_error(X), rel=1e-13)
    assert model.loss_ == model.reconstruction_error(X)
    assert list(model.loss_terms(X)) == list(model.loss_terms_) == ["reconstruction"]


def test_a_captured_loss_follows_new_data_and_new_parameters(X):
    model = tiny().fit(X[:8])
    step = ae.capture(model.loss, X[:8], runtime="replay")
    assert float(step(X[4:])) == model.loss(X[4:]).item()
    model.parameters()[0].data *= 0.5
    assert float(step(X[:8])) == model.loss(X[:8]).item()


def test_cross_entropy_is_that_of_bernoulli_pixels(X):
    model = tiny(reconstruction_loss="bce").fit(X)
    P = model.reconstruct(X)
    expected = -np.sum(X * np.log(P) + (1 - X) * np.log(1 - P)) / len(X)
    assert model.loss(X).item() == pytest.approx(expected, rel=1e-12)
    assert ((P > 0) & (P < 1)).all()


@pytest.mark.parametrize("reconstruction_loss", ["squared_error", "bce"])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus", "silu", "elu"])
def test_the_gradient_of_the_loss_agrees_with_the_complex_step(X, activation, reconstruction_loss):
    model = ae.Autoencoder(
        2,
        hidden_layer_sizes=(3,),
        activation=activation,
        reconstruction_loss=reconstruction_loss,
        max_iter=1,
        random_state=1,
    ).fit(X[:4])
    parameters = model.parameters()

    gradients = ae.grad(model.loss(X[:4]), parameters)

    def loss(*tensors):
        """The model's own loss, of these tensors in the place of its parameters."""
        for layer in (*model.encoder_.layers, *model.decoder_.layers):
            places = [[p.name for p in parameters].index(t.name) for t in (layer.W, layer.b)]
            layer.W, layer.b = (tensors[i] for i in places)
            layer.W.name, layer.b.name = (parameters[i].name for i in places)
        return model.loss(X[:4])

    oracle = complex_step_gradient(loss, [p.data for p in parameters])
    for gradient, true in zip(gradients, oracle, strict=True):
        assert np.abs(true).max() > 0
        assert np.abs(gradient - true).max() <= 1e-9 * np.abs(true).max()


@pytest.mark.parametrize("role", ["activation", "code_activation", "output_activation"])
@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_every_choice_of_activation_trains(X, role, name):
    model = tiny(**{"output_activation": "identity", role: name}).fit(X)
    assert np.isfinite(model.loss_curve_).all()
    assert model.loss_ == pytest.approx(model.loss(X).item(), rel=1e-12)


@pytest.mark.parametrize("init", [None, *ae.nn.INITIALISERS])
def test_every_initialiser_trains(X, init):
    assert np.isfinite(tiny(init=init).fit(X).loss_)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore::autograd_ae.ConvergenceWarning")
def test_parameters_codes_and_reconstructions_have_the_dtype_of_the_samples(X, solver, dtype):
    model = tiny(solver=solver).fit(X.astype(dtype))
    assert {p.dtype for p in model.parameters()} == {np.dtype(dtype)}
    for array in (model.transform(X.astype(dtype)), model.reconstruct(X.astype(dtype)), model.mean_):
        assert array.dtype == dtype
    assert model.loss(X.astype(dtype)).dtype == dtype


BAD = [
    ({"activation": "sigmod"}, "activation is 'sigmod'; one of .*'sigmoid'.* is needed"),
    ({"code_activation": None}, "code_activation is None; one of "),
    ({"output_activation": ["relu"]}, r"output_activation is \['relu'\]; one of "),
    ({"reconstruction_loss": "mse"}, "reconstruction_loss is 'mse'; one of 'squared_error', 'bce' is needed"),
    (
        {"reconstruction_loss": "bce", "output_activation": "tanh"},
        "'bce' needs output_activation='sigmoid', 'tanh' was",
    ),
    ({"init": "xavier"}, "init is 'xavier'; one of None, 'glorot'"),
    ({"solver": "rmsprop"}, "solver is 'rmsprop'; one of 'adam', 'sgd', 'lbfgs' is needed"),
    ({"learning_rate": "step"}, "learning_rate is 'step'; one of 'constant', 'cosine' is needed"),
    ({"learning_rate": 0.01}, r"learning_rate is 0\.01, and names a schedule.*step size is learning_rate_init=0\.01"),
    ({"hidden_layer_sizes": 32}, r"hidden_layer_sizes is 32; a tuple of whole numbers is needed, such as \(64, 16\)"),
    ({"hidden_layer_sizes": (4, 0)}, "every entry of hidden_layer_sizes is 0; a whole number of at least 1"),
    ({"n_components": 2.0}, "n_components is 2.0; a whole number"),
    ({"max_iter": 0}, "max_iter is 0; a whole number of at least 1"),
    ({"batch_size": "auto"}, "batch_size is 'auto'; a whole number"),
    ({"learning_rate_init": 0.0}, "learning_rate_init is 0.0; a finite number above 0 is needed"),
    ({"learning_rate_init": np.inf}, "learning_rate_init is inf; a finite number above 0"),
    ({"weight_decay": -1.0}, "weight_decay is -1.0; a finite number of at least 0"),
    ({"tol": "small"}, "tol is 'small'; a finite number"),
    ({"beta_1": 1.0}, "beta_1 is 1.0; a number below 1"),
    ({"momentum": -0.1}, "momentum is -0.1; a finite number of at least 0"),
    ({"validation_fraction": 1.0}, "validation_fraction is 1.0; a number below 1"),
    ({"early_stopping": True, "validation_fraction": 0.99}, "would hold out 12 of 12 samples: lower validation_frac"),
    ({"early_stopping": True, "solver": "lbfgs"}, "early_stopping is True, which solver='lbfgs' does not know"),
    ({"random_state": "zero"}, "random_state is 'zero'; None, a seed of at least 0 or a numpy Generator is needed"),
]


@pytest.mark.parametrize(("setting", "message"), BAD, ids=[str(setting) for setting, _ in BAD])
def test_a_bad_setting_is_refused_before_anything_is_built(X, setting, message):
    model = tiny(**setting)
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    with pytest.raises(ae.NotFittedError):
        model.transform(X)


def test_cross_entropy_refuses_data_outside_the_unit_interval(X):
    with pytest.raises(ValueError, match=r"binary cross-entropy needs data in \[0, 1\]; X lies in .*2\]\. Scale it"):
        tiny(reconstruction_loss="bce").fit(np.vstack([X, np.full((1, 6), 2.0)]))


def test_data_that_a_sigmoid_output_cannot_reach_are_warned_about_where_fit_was_called(X):
    with pytest.warns(ae.DataRangeWarning, match=r"but a sigmoid output reaches only \(0, 1\): scale X, or") as record:
        tiny().fit(X - 0.5)
    assert record[0].filename == __file__
    tiny(output_activation="identity").fit(X - 0.5)
    tiny().fit(np.round(X))  # 0 and 1 themselves are fine


def test_looking_inside_needs_a_fitted_model(X):
    for method in ("loss", "loss_terms", "reconstruct", "summary"):
        with pytest.raises(ae.NotFittedError, match="This Autoencoder instance is not fitted yet"):
            getattr(tiny(), method)(X)


def test_the_summary_says_where_the_model_stands_between_plateau_and_zero(images):
    model = ae.Autoencoder(hidden_layer_sizes=(8,), max_iter=2, random_state=0).fit(images)
    text = model.summary(images)
    assert "196-8-2-8-196" in text
    assert "2 epochs of adam, loss " in text
    assert f"plateau (mean image)  {model.plateau(images):.6g}" in text
