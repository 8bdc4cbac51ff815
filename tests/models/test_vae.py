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


def at_the_optimum(X, L, noise_variance=0.3):
    """A VAE that holds the closed form's parameters: two affine maps, and a variance that is the same for every x."""
    best = ae.theory.linear_vae(X, L, noise_variance=noise_variance)
    model = fitted(X, n_components=L, hidden_layer_sizes=(), observation_variance=noise_variance)
    mean, log_variance, decoder = model.encoder_.mean, model.encoder_.log_variance, model.decoder_.layers[0]
    for parameter, value in (
        (mean.W, best.encoder), (mean.b, best.encoder_bias), (log_variance.W, 0.0),
        (log_variance.b, np.log(best.variance)), (decoder.W, best.decoder), (decoder.b, best.decoder_bias),
    ):  # fmt: skip
        parameter.data[...] = value
    return model, best


@pytest.mark.parametrize("n_samples", [1, 7])
def test_with_the_exact_posterior_every_importance_weight_is_the_likelihood(X, n_samples):
    """q(z|x) = p(z|x) makes p(x|z)p(z)/q(z|x) = p(x) for every z: no variance, and ln p(x) is that of pPCA's model."""
    model, best = at_the_optimum(X, 2)
    C = best.decoder.T @ best.decoder + 0.3 * np.eye(5)
    deviation = X - X.mean(axis=0)
    quadratic = np.sum(deviation @ np.linalg.inv(C) * deviation, axis=1)
    exact = np.mean(-0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * C)[1]))
    assert model.log_likelihood(X, n_samples=n_samples, random_state=3) == pytest.approx(exact, rel=1e-12)
    assert best.elbo == pytest.approx(exact, rel=1e-12)


def test_the_bound_rises_with_the_number_of_samples_in_expectation(X):
    """Burda et al. 2016, Theorem 1; with one sample it is the ELBO. Means of 100 estimates, within five deviations."""
    model = fitted(X, observation_variance=0.3, max_iter=20)
    S = (1, 4, 16)
    estimates = [[model.log_likelihood(X, n_samples=s, random_state=seed) for seed in range(100)] for s in S]
    means = np.mean(estimates, axis=1)
    errors = np.std(estimates, axis=1) / np.sqrt(100)
    for k in range(2):
        assert means[k + 1] - means[k] > 5 * np.hypot(errors[k], errors[k + 1])
    elbo = [model.elbo(X, random_state=1000 + seed) for seed in range(200)]
    assert abs(np.mean(elbo) - means[0]) <= 5 * np.hypot(np.std(elbo) / np.sqrt(200), errors[0])


def test_an_importance_weighted_estimate_does_not_overflow_where_the_densities_do(rng):
    """ln p(x) of −10⁶ nats: weights are added as logarithms."""
    X = 100.0 * rng.normal(size=(10, 5))
    model = fitted(X, observation_variance=1e-2, max_iter=1)
    value = model.log_likelihood(X, n_samples=3, random_state=0)
    assert np.isfinite(value)
    assert value < -1e6


def test_the_bernoulli_likelihood_of_one_sample_is_minus_the_loss_with_its_weight(rng):
    """At S = 1 and the same ε, the estimate is −(cross-entropy + ln q(z|x) − ln p(z))."""
    X = rng.random((9, 5))
    model = fitted(X, likelihood="bernoulli")
    M, V = model.encode_distribution(X)
    noise = np.random.default_rng(5).standard_normal((9, 2))
    z = M + np.sqrt(V) * noise
    terms = model.loss_terms(X, noise, np.ones(1))
    weight = 0.5 * np.sum(noise**2 + np.log(V) - z**2) / 9
    assert model.log_likelihood(X, n_samples=1, random_state=5) == pytest.approx(
        weight - terms["reconstruction"].item(), rel=1e-12
    )


def test_the_learned_variance_is_drawn_to_the_mean_error_per_feature(X, rng):
    """∂(−ln p)/∂ ln σ² = N/2 − E‖x − x̂‖²/2σ²: 0 where σ² is the mean error per feature."""
    model = fitted(X, observation_variance="learned")
    noise = rng.normal(size=(80, 2))
    M, V = model.encode_distribution(X)
    error = np.sum((model.inverse_transform(M + np.sqrt(V) * noise) - X) ** 2) / 80
    for s2 in (0.3, error / 5):
        model.decoder_.log_noise.data[...] = np.log(s2)
        assert model.observation_variance_ == pytest.approx(s2, rel=1e-14)
        (slope,) = ae.grad(model.loss(X, noise, np.ones(1)), [model.decoder_.log_noise])
        assert slope == pytest.approx(2.5 - error / (2 * s2), rel=1e-10, abs=1e-12)


def test_the_kl_that_is_recorded_is_the_one_that_enters_the_loss(X):
    """β KL: with β = 0 nothing, and the ELBO always counts it once."""
    noise = np.random.default_rng(0).standard_normal((80, 2))
    full, half = (fitted(X, beta=beta, max_iter=1, learning_rate_init=1e-300) for beta in (1.0, 0.5))
    assert half.loss_terms_["kl"] == pytest.approx(0.5 * full.loss_terms_["kl"], rel=1e-12)
    assert fitted(X, beta=0.0, max_iter=1).loss_terms_["kl"] == 0.0
    assert full.elbo(X, random_state=0) == half.elbo(X, random_state=0)
    assert full.elbo(X, random_state=0) == pytest.approx(-full.loss(X, noise, np.ones(1)).item(), rel=1e-12)


def test_diagnostics_count_the_latents_that_are_in_use(X):
    model, best = at_the_optimum(X, 4)
    found = model.diagnostics(X)
    assert found["active_latents"] == np.sum(~best.dead) < 4
    assert "dead_latents" not in found
    assert found["kl"] == pytest.approx(best.kl, rel=1e-10)
    assert f"active latents        {found['active_latents']} of 4" in model.summary(X)
    assert f"evidence lower bound  {found['elbo']:.6g} nats" in model.summary(X)


def test_bernoulli_diagnostics_stand_between_floor_and_collapse(rng):
    X = rng.random((30, 5))
    found = fitted(X, likelihood="bernoulli").diagnostics(X)
    assert found["floor"] == pytest.approx(ae.theory.cross_entropy_floor(X), rel=1e-12)
    assert found["collapse_level"] == pytest.approx(ae.theory.collapse_level(X), rel=1e-12)
    assert -found["elbo"] > found["floor"]


def test_samples_are_the_decoders_means_of_the_priors_draws(X):
    model = fitted(X)
    z = np.random.default_rng(4).standard_normal((6, 2))
    np.testing.assert_array_equal(model.sample(6, random_state=4), model.inverse_transform(z))
    assert fitted(X.astype(np.float32)).sample(2).dtype == np.float32


def test_interpolation_is_a_straight_line_of_codes(X):
    model = fitted(X, hidden_layer_sizes=())  # a linear decoder: a straight line of samples
    path = model.interpolate(X[:1], X[7], steps=5)
    np.testing.assert_allclose(np.diff(path, n=2, axis=0), 0.0, atol=1e-12)
    assert path.shape == (5, 5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, X: m.sample(0), "n_samples is 0; a whole number of at least 1"),
        (lambda m, X: m.interpolate(X[0], X[1], steps=1), "steps is 1; a whole number of at least 2"),
        (lambda m, X: m.interpolate(X[:2], X[1]), r"a has shape \(2, 5\); one sample of 5 features is needed"),
        (lambda m, X: m.elbo(X, n_draws=0), "n_draws is 0"),
        (lambda m, X: m.log_likelihood(X, n_samples=1.5), r"n_samples is 1\.5"),
        (lambda m, X: m.elbo(X[:, :3]), "X has 3 features, but VAE is expecting 5 features"),
    ],
)
def test_questions_that_make_no_sense_are_refused(X, call, message):
    with pytest.raises(ValueError, match=message):
        call(fitted(X), X)


@pytest.mark.parametrize("question", ["sample", "interpolate", "elbo", "log_likelihood", "encode_distribution"])
def test_questions_need_a_fitted_model(X, question):
    arguments = {"sample": (3,), "interpolate": (X[0], X[1])}.get(question, (X,))
    with pytest.raises(ae.NotFittedError):
        getattr(ae.VAE(), question)(*arguments)


def test_early_stopping_watches_the_loss_with_the_final_beta(X):
    """At a fixed draw of ε, whatever the warm-up has come to; nothing moves at this rate."""
    model = fitted(X, beta=0.3, beta_warmup=9, early_stopping=True, learning_rate_init=1e-300)
    noise = np.random.default_rng(0).standard_normal((80, 2))
    terms = model.loss_terms(X, noise, np.full(1, 0.3))
    assert model._held_out_error(X) == pytest.approx(sum(t.item() for t in terms.values()), rel=1e-12)
    held_out = model.history_["validation"]
    assert held_out == [held_out[0]] * 2


@pytest.mark.slow
def test_a_trained_linear_vae_reaches_the_likelihood_of_ppca():
    """Row 10: with a learned σ² the optimal ELBO is pPCA's log-likelihood; trained on drawn noise, 1e-4 nats off."""
    X = ae.data.gaussian_with_spectrum(200, eigenvalues=[5.0, 2.0, 0.5, 0.4, 0.3], exact=True, rng=0)
    settings = {"observation_variance": "learned", "batch_size": 200, "max_iter": 12_000, "learning_rate": "cosine"}
    model = fitted(X, hidden_layer_sizes=(), learning_rate_init=5e-3, **settings)
    A, v = model.decoder_.layers[0].W.data, model.encode_distribution(X)[1]
    M = model.transform(X)
    error = np.sum((X - model.inverse_transform(M)) ** 2) / 200 + np.sum(v @ np.sum(A**2, axis=1)) / 200
    s2 = model.observation_variance_
    elbo = -error / (2 * s2) - 2.5 * np.log(2 * np.pi * s2) - ae.theory.gaussian_kl(M, v)
    assert 0 <= ae.theory.ppca(X, 2).log_likelihood - elbo < 1e-4
