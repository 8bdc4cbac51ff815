"""Rows 12 and 13: two expectations that a VAE's own sampler must reproduce within its standard error.

The draws are the model's: its loss is evaluated with the noise that it draws itself, and the codes z are taken from
what its decoder is given. A log-variance that is read as a log-deviation leaves every formula right and both rows
wrong by hundreds of standard errors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_ae as ae
from autograd_ae.lecture.theorems.measure import Measure, monte_carlo
from autograd_ae.lecture.theorems.training import data

SPECTRUM = (4.0, 2.5, 1.5, 0.8, 0.4, 0.2)
DRAWS = 400
VARIANCE, BETA = 0.5, 2.0


def _model(seed: int) -> tuple[Any, np.ndarray]:
    """A Gaussian VAE with a linear decoder layer, trained a little: its posteriors are neither prior nor point."""
    X = data(SPECTRUM, seed=seed, n_samples=128)
    options: dict[str, Any] = {
        "observation_variance": VARIANCE,
        "beta": BETA,
        "learning_rate_init": 0.02,
        "max_iter": 60,
    }
    model = ae.VAE(3, hidden_layer_sizes=(), likelihood="gaussian", **options, random_state=seed).fit(X)
    return model.set_params(random_state=np.random.default_rng(seed)), X  # a Generator goes on from draw to draw


def expected_error(seed: int) -> list[Measure]:
    """VAE with a linear decoder layer A: E‖zA + b − x‖² = ‖mA + b − x‖² + Σ_j v_j ‖A_j‖².

    Source: elementary.
    """
    model, X = _model(seed)
    A, b = (p.data for p in (model.decoder_.layers[0].W, model.decoder_.layers[0].b))
    mean, variance = model.encode_distribution(X)
    exact = ae.theory.expected_squared_error(mean, variance, A, X, b)
    constant = X.shape[1] / 2 * np.log(2 * np.pi * VARIANCE)
    drawn = [2 * VARIANCE * (model.loss_terms(X)["reconstruction"].item() - constant) for _ in range(DRAWS)]
    return monte_carlo("the error in the model's loss", drawn, exact)


def kullback_leibler(seed: int) -> list[Measure]:
    """KL(N(m, v) ‖ N(0, 1)) = ½ Σ (m² + v − 1 − ln v), the mean of ln q(z)/p(z) over the codes that the
    model draws.

    Source: Kingma & Welling 2014, appendix B.
    """
    model, X = _model(seed)
    mean, variance = model.encode_distribution(X)
    exact = ae.theory.gaussian_kl(mean, variance)
    own = model.loss_terms(X)["kl"].item() / BETA
    codes = np.stack([drawn_codes(model, X) for _ in range(DRAWS)])
    log_ratio = 0.5 * np.sum(codes**2 - (codes - mean) ** 2 / variance - np.log(variance), axis=2)  # ln q/p: 2π cancels
    found = monte_carlo("ln q/p of the model's codes", log_ratio.mean(axis=1), exact)
    return [Measure("the KL in the model's loss, relative", abs(own / exact - 1), 1e-12), *found]


def drawn_codes(model: Any, X: np.ndarray) -> np.ndarray:
    """z (B, L) as the model draws it for its own loss: what its decoder is given."""
    decoder, seen = model.decoder_, []

    class Listening:
        log_noise = decoder.log_noise

        def __call__(self, z: Any) -> Any:
            seen.append(z.data.copy())
            return decoder(z)

    model.decoder_ = Listening()
    try:
        model.loss(X)
    finally:
        model.decoder_ = decoder
    return seen[0]
