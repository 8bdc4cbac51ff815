"""The variational autoencoder against its formulas: loss, sampler, divergence, bounds."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.testing import complex_step_gradient


@pytest.fixture
def X(rng):
    return ae.data.low_rank(80, 5, singular_values=[8, 4, 1], rng=0)


def fitted(X, **settings):
    chosen = {"n_components": 2, "hidden_layer_sizes": (4,), "likelihood": "gaussian", "max_iter": 2, "random_state": 0}
    return ae.VAE(**chosen | settings).fit(X)


@pytest.mark.parametrize("variance", [0.5, "learned"])
def test_the_gaussian_loss_is_minus_the_elbo_in_nats(X, variance, rng):
    model = fitted(X, observation_variance=variance)
    noise = rng.normal(size=(80, 2))
    M, V = model.encode_distribution(X)
    error = np.sum((X - model.inverse_transform(M + np.sqrt(V) * noise)) ** 2, axis=1)
    s2 = model.observation_variance_
    terms = model.loss_terms(X, noise, np.ones(1))
    assert terms["reconstruction"].item() == pytest.approx(np.mean(error / (2 * s2) + 2.5 * np.log(2 * np.pi * s2)))
    assert terms["kl"].item() == pytest.approx(0.5 * np.sum(M**2 + V - 1 - np.log(V)) / 80)
    assert terms["kl"].item() == pytest.approx(ae.theory.gaussian_kl(M, V))


def test_the_bernoulli_loss_is_cross_entropy_plus_kl(rng):
    X = rng.random((30, 5))
    model = fitted(X, likelihood="bernoulli")
    noise = rng.normal(size=(30, 2))
    M, V = model.encode_distribution(X)
    p = model.inverse_transform(M + np.sqrt(V) * noise)
    cross_entropy = -np.sum(X * np.log(p) + (1 - X) * np.log(1 - p)) / 30
    assert model.loss_terms(X, noise, np.ones(1))["reconstruction"].item() == pytest.approx(cross_entropy)


def test_gradients_of_every_parameter_agree_with_complex_step(X, rng):
    """∇_M and ∇_{ln V} through the reparameterised z, and the learned σ², among them."""
    model = fitted(X, observation_variance="learned", activation="tanh")
    batch, noise, parameters = X[:5], rng.normal(size=(5, 2)), model.parameters()
    gradients = ae.grad(model.loss(batch, noise, np.full(1, 0.7)), parameters)

    def loss(*arrays):
        W1, b1, Wm, bm, Wv, bv, W3, b3, W4, b4, s = arrays
        h = ae.dense(batch, W1, b1, "tanh")
        m, v = ae.dense(h, Wm, bm), ae.dense(h, Wv, bv)
        x_hat = ae.dense(ae.dense(ae.reparameterise(m, v, noise), W3, b3, "tanh"), W4, b4)
        nats = 0.5 * ae.squared_error(x_hat, batch) * ae.exp(-s) + 2.5 * (s + np.log(2 * np.pi))
        return nats + 0.7 * ae.gaussian_kl(m, v)

    for gradient, true in zip(gradients, complex_step_gradient(loss, [p.data for p in parameters]), strict=True):
        assert np.abs(gradient - true).max() <= 1e-9 * np.abs(true).max()


def test_the_sampler_has_the_variance_that_the_encoder_names(X, rng):
    """E‖zA − x‖² = ‖mA − x‖² + Σ v_j ‖A_j‖², a linear decoder: a log-variance read as a log-deviation fails it."""
    model = fitted(X, hidden_layer_sizes=(), observation_variance=0.5)
    A, b = (t.data for t in (model.decoder_.layers[0].W, model.decoder_.layers[0].b))
    M, V = model.encode_distribution(X)
    exact = np.sum((M @ A + b - X) ** 2) / 80 + np.sum(V @ np.sum(A**2, axis=1)) / 80
    draws = []
    for _ in range(400):
        terms = model.loss_terms(X, rng.normal(size=(80, 2)), np.ones(1))
        draws.append((terms["reconstruction"].item() - 2.5 * np.log(2 * np.pi * 0.5)) * 2 * 0.5)
    assert abs(np.mean(draws) - exact) <= 5 * np.std(draws) / np.sqrt(len(draws))


def test_importance_weights_tighten_the_bound_up_to_the_exact_likelihood(X):
    """For a linear decoder p(x) = N(b, AᵀA + σ²) is known: ELBO ≤ importance-weighted ≤ exact (in expectation)."""
    model = fitted(X, hidden_layer_sizes=(), observation_variance=0.5, max_iter=60, learning_rate_init=1e-2)
    A, b = (t.data for t in (model.decoder_.layers[0].W, model.decoder_.layers[0].b))
    C = A.T @ A + 0.5 * np.eye(5)
    deviation = X - b
    quadratic = np.sum(deviation @ np.linalg.inv(C) * deviation, axis=1)
    exact = np.mean(-0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * C)[1]))
    elbo = model.elbo(X, n_draws=200, random_state=1)
    weighted = model.log_likelihood(X, n_samples=2000, random_state=1)
    assert elbo < weighted < exact + 0.01
    assert exact - weighted < 0.05


def test_latents_that_do_not_pay_for_their_kl_collapse():
    """Wang & Ziyin 2022: with fixed σ², latent i is dead exactly when λ_i ≤ βσ². Of 9, 4, 0.25, … two pay σ² = 1."""
    X = ae.data.gaussian_with_spectrum(400, eigenvalues=[9.0, 4.0, 0.25, 0.1], exact=True, rng=0)
    settings = {"hidden_layer_sizes": (), "learning_rate_init": 2e-2, "learning_rate": "cosine", "max_iter": 600}
    model = fitted(X, n_components=3, observation_variance=1.0, batch_size=100, **settings)
    M, V = model.encode_distribution(X)
    divergence = 0.5 * np.mean(M**2 + V - 1 - np.log(V), axis=0)
    predicted = ae.theory.linear_vae(X, 3, noise_variance=1.0)
    assert np.sum(divergence < 0.01) == np.sum(predicted.dead) == 1
    np.testing.assert_allclose(np.sort(divergence)[1:], 0.5 * np.log([4.0, 9.0]), atol=0.05)
    assert model.elbo(X, n_draws=100, random_state=0) == pytest.approx(predicted.elbo, abs=0.05)


def test_warm_up_raises_the_weight_of_the_kl_epoch_by_epoch(X):
    model = fitted(X, beta=2.0, beta_warmup=4, max_iter=1)
    weights = []
    for epoch in range(6):
        model.n_iter_ = epoch
        weights.append(model._draw(X, np.random.default_rng(0))[1][0])
    assert weights == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]


def test_samples_and_interpolations_have_shapes_ends_and_seeds(X):
    model = fitted(X)
    np.testing.assert_array_equal(model.sample(7, random_state=1), model.sample(7, random_state=1))
    assert model.sample(7, random_state=1).shape == (7, 5)
    path = model.interpolate(X[0], X[1], steps=5)
    np.testing.assert_allclose(path[[0, -1]], model.reconstruct(X[:2]), rtol=1e-10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"likelihood": "poisson"}, "likelihood is 'poisson'"),
        ({"likelihood": "bernoulli"}, r"needs data in \[0, 1\]"),
        ({"observation_variance": 0.0}, r"observation_variance is 0\.0"),
        ({"beta": -1.0}, r"beta is -1\.0"),
        ({"solver": "lbfgs"}, "z is drawn afresh"),
    ],
)
def test_settings_that_make_no_sense_are_refused(X, settings, message):
    with pytest.raises(ValueError, match=message):
        fitted(X, **settings)
