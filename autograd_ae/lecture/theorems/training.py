"""How the theorems train their models: exactly, so that what is left is the theorem's own error.

L-BFGS runs on all samples at once. Where the loss is an expectation over noise, the noise is a *design*: a finite set
of draws with exactly the moments that the theorem needs, so that the mean over the design IS the expectation and
nothing is sampled.

    signs     rows of ±1 from a Hadamard matrix: mean 0, covariance I. For the ε of a VAE with a linear decoder layer.
    pairs     +E and −E with EᵀE = B σ²I: mean 0, covariance σ²I, uncorrelated with the samples. For Gaussian noise
              in a linear network.
    masks     p² masks for up to p + 1 features from an orthogonal array of strength 2 (rows of the affine plane over
              ℤ_p): each feature is dropped in 1/p of them, each two features independently. For masking noise.

Source of the array: Bose & Bush 1952; Rao 1947.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import autograd_ae as ae


def linear_autoencoder(X: np.ndarray, n_components: int, *, seed: int, max_iter: int = 2000, tol: float = 1e-11) -> Any:
    """A one-layer linear `Autoencoder` with biases, trained by L-BFGS on all samples at once."""
    model = ae.Autoencoder(
        n_components,
        hidden_layer_sizes=(),
        code_activation="identity",
        output_activation="identity",
        solver="lbfgs",
        max_iter=max_iter,
        tol=tol,
        random_state=seed,
    )
    return quietly(model.fit, X)


def quietly(fit: Any, *args: Any, **options: Any) -> Any:
    """`fit(...)` without its ConvergenceWarning: what was reached is measured, and that decides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ae.ConvergenceWarning)
        return fit(*args, **options)
