"""The penalty on the code: what it adds to loss and gradient, and what it does to the code."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.testing import complex_step_gradient


@pytest.fixture
def X():
    return ae.data.sparse_codes(120, 12, n_atoms=12, n_nonzero=2, rng=0)[0]


def fitted(X, **settings):
    return ae.SparseAE(**{"n_components": 12, "max_iter": 1, "random_state": 0} | settings).fit(X)


@pytest.mark.parametrize(
    "settings",
    [
        {"penalty": "l1", "code_activation": "relu"},
        {"penalty": "l1", "code_activation": "identity"},
        {"penalty": "kl", "kl_form": "lecture", "kl_over": "units"},
        {"penalty": "kl", "kl_form": "ufldl", "kl_over": "batch", "rho": 0.2},
    ],
)
def test_the_loss_is_reconstruction_plus_lambda_times_the_penalty_of_the_code(X, settings):
    model = fitted(X, sparsity_weight=0.7, **settings)
    terms = model.loss_terms(X)
    Z = model.transform(X)
    if settings["penalty"] == "l1":
        S = np.abs(Z).sum() / len(X)
    else:
        axis = 1 if settings["kl_over"] == "units" else 0
        mean, rho = Z.mean(axis=axis), model.rho
        p, q = (mean, rho) if settings["kl_form"] == "lecture" else (rho, mean)
        kl = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
        S = kl.mean() if settings["kl_over"] == "units" else kl.sum()
    assert terms["reconstruction"].item() == pytest.approx(model.reconstruction_error(X), rel=1e-12)
    assert terms["sparsity"].item() == pytest.approx(0.7 * S, rel=1e-10)
    assert model.loss(X).item() == pytest.approx(sum(t.item() for t in terms.values()), rel=1e-14)


@pytest.mark.parametrize("penalty", ["l1", "kl"])
def test_both_gradients_meet_at_the_bottleneck(X, penalty):
    """∇_Z loss = backpropagated + λ ∇_Z S(Z): each parameter's gradient against complex step through the whole loss."""
    model = fitted(X, penalty=penalty, sparsity_weight=0.3, n_components=4)
    batch, parameters = X[:6], model.parameters()
    gradients = ae.grad(model.loss(batch), parameters)

    def loss(*arrays):
        W1, b1, W2, b2 = arrays
        z = ae.dense(batch, W1, b1, "sigmoid")
        S = ae.l1(z) if penalty == "l1" else ae.bernoulli_kl(z, 0.05, over="batch")
        return ae.squared_error(ae.dense(z, W2, b2), batch) + 0.3 * S

    for gradient, true in zip(gradients, complex_step_gradient(loss, [p.data for p in parameters]), strict=True):
        assert np.abs(gradient - true).max() <= 1e-9 * np.abs(true).max()


def test_a_larger_weight_gives_a_sparser_code(X):
    shares = [
        fitted(X, penalty="l1", code_activation="relu", sparsity_weight=weight, max_iter=60, learning_rate_init=1e-2)
        .active_share(X, threshold=1e-3)
        for weight in (0.0, 0.3, 3.0)
    ]  # fmt: skip
    assert shares[0] > shares[1] > shares[2]


def test_the_kl_penalty_brings_the_mean_activation_to_rho(X):
    model = fitted(X, rho=0.1, sparsity_weight=100.0, max_iter=150, learning_rate_init=3e-2)
    np.testing.assert_allclose(model.transform(X).mean(axis=0), 0.1, atol=0.02)
    assert "active code units" in model.summary(X)


def test_weight_zero_is_the_autoencoder(X):
    sparse = fitted(X, sparsity_weight=0.0, max_iter=3)
    plain = ae.Autoencoder(
        12, hidden_layer_sizes=(), output_activation="identity", max_iter=3, random_state=0
    ).fit(X)  # fmt: skip
    assert list(sparse.loss_terms(X)) == ["reconstruction"]
    np.testing.assert_array_equal(sparse.reconstruct(X), plain.reconstruct(X))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"penalty": "l0"}, r"penalty is 'l0'; one of 'l1', 'kl'"),
        ({"rho": 1.0}, r"rho is 1\.0; a wanted mean activation between 0 and 1"),
        ({"sparsity_weight": -1.0}, r"sparsity_weight is -1\.0"),
        ({"code_activation": "relu"}, r"penalty='kl' needs code units in \(0, 1\), code_activation is 'relu'"),
        ({"kl_over": "rows"}, r"kl_over is 'rows'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(X, settings, message):
    with pytest.raises(ValueError, match=message):
        fitted(X, **settings)
