"""How the theorems train their models: exactly, so that what is left is the theorem's own error.

L-BFGS runs on all samples at once. Where the loss is an expectation over noise, the noise is a *design*: a finite set
of draws with exactly the moments that the theorem needs, so that the mean over the design IS the expectation and
nothing is sampled. The model sees it as the noise of one batch.

    signs     rows of ±1 from a Hadamard matrix: mean 0, covariance I. For the ε of a VAE with a linear decoder layer.
    pairs     +E and −E with EᵀE = Bσ²I: mean 0, covariance σ²I, uncorrelated with the samples. For Gaussian noise in a
              linear network.
    masks     p² masks for up to p + 1 features from an orthogonal array of strength 2 (the lines of the affine plane
              over ℤ_p): each feature is dropped in 1/p of them, any two independently. For masking in a linear network.

Source of the array: Bose & Bush 1952; of the Hadamard matrix: Sylvester 1867.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_ae as ae
from autograd_ae.nn.layers import Dense

LINEAR: dict[str, Any] = {"hidden_layer_sizes": (), "code_activation": "identity", "output_activation": "identity"}


def data(eigenvalues: Any, *, seed: int, n_samples: int = 60, mean: Any = None) -> np.ndarray:
    """Samples whose covariance XᵀX/B has exactly these eigenvalues, in random directions."""
    return ae.data.gaussian_with_spectrum(n_samples, eigenvalues=eigenvalues, mean=mean, exact=True, rng=seed)


def quietly(fit: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """`fit(...)` without its ConvergenceWarning: what was reached is measured, and that decides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ae.ConvergenceWarning)
        return fit(*args, **options)


def linear_autoencoder(X: np.ndarray, n_components: int, *, seed: int, tol: float = 1e-11) -> Any:
    """A one-layer linear `Autoencoder` with biases, trained by L-BFGS on all samples at once."""
    model = ae.Autoencoder(n_components, **LINEAR, solver="lbfgs", max_iter=3000, tol=tol, random_state=seed)
    return quietly(model.fit, X)


def built(model: Any, X: np.ndarray) -> Any:
    """The model with networks for samples like X, after one epoch at a rate that changes nothing to speak of."""
    return model.set_params(max_iter=1, learning_rate_init=1e-12).fit(X)


def put(model: Any, *arrays: Any) -> None:
    """Set the parameters, in their order, to these arrays or numbers."""
    for parameter, array in zip(model.parameters(), arrays, strict=True):
        parameter.data[...] = array


def descend(model: Any, X: np.ndarray, *noise: np.ndarray, parameters: Any = None, max_iter: int = 3000) -> Any:
    """Train a built model, or only these parameters of it, by L-BFGS on its own loss of (X, noise), to rounding.

    Replayed, not compiled: from beside a saddle it is the rounding that leads away in the directions not started in.
    """
    step = ae.capture(model.loss, *(ae.constant(a) for a in (X, *noise)), runtime="replay")
    parameters = parameters or model.parameters()

    def value_and_grad(*_arrays: np.ndarray) -> tuple[float, list[np.ndarray]]:
        return step(), [step.gradients[p] for p in parameters]

    arrays = [p.data for p in parameters]
    with np.errstate(over="ignore", invalid="ignore"):  # the line search shortens a step that went too far
        ae.optim.lbfgs_in_place(
            value_and_grad, arrays, history=20, max_iter=max_iter, tol_gradient=1e-13, tol_change=0.0
        )
    return model


def as_function(model: Any, X: np.ndarray) -> tuple[Callable[[Any], Any], np.ndarray]:
    """The model's own loss as a function of all its dense layers' parameters in one vector, and its present point."""
    layers: list[Dense] = [*model.encoder_.layers, *model.decoder_.layers]
    point = ae.optim.pack([a.data for layer in layers for a in (layer.W, layer.b)])

    def loss(vector: Any) -> Any:
        kept, start = [(layer.W, layer.b) for layer in layers], 0
        try:
            for layer in layers:
                for name in ("W", "b"):
                    shape = getattr(layer, name).shape
                    size = int(np.prod(shape))
                    setattr(layer, name, ae.reshape(vector[start : start + size], shape))
                    start += size
            return model.loss(X)
        finally:
            for layer, (W, b) in zip(layers, kept, strict=True):
                layer.W, layer.b = W, b

    return loss, point


# Designs.


def signs(n_latents: int) -> np.ndarray:
    """(R, L) of ±1, R the least power of 2 above L: columns of mean 0, mean squares 1, mean products 0.

    >>> signs(3)
    array([[ 1.,  1.,  1.],
           [-1.,  1., -1.],
           [ 1., -1., -1.],
           [-1., -1.,  1.]])
    """
    H = np.ones((1, 1))
    while len(H) <= n_latents:
        H = np.block([[H, H], [H, -H]])
    return H[:, 1 : n_latents + 1]


def with_signs(X: np.ndarray, n_latents: int) -> tuple[np.ndarray, np.ndarray]:
    """Each sample once for each row of `signs`, and these rows: x (BR, N), ε (BR, L)."""
    design = signs(n_latents)
    return np.repeat(X, len(design), axis=0), np.tile(design, (len(X), 1))


def with_pairs(X: np.ndarray, sigma: float, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Each sample twice, clean and spoiled: x (2B, N), x̃ = x ± E with EᵀE = Bσ²I."""
    rng = np.random.default_rng(seed)
    E = np.sqrt(len(X)) * sigma * np.linalg.qr(rng.standard_normal(X.shape))[0]
    return np.vstack([X, X]), np.vstack([X + E, X - E])


def masks(p: int, n_features: int) -> np.ndarray:
    """(p², N) of 0 and 1, N ≤ p + 1, p prime: a 0 in 1/p of each column, and in 1/p² for two columns together.

    Column j is 0 where the linear form r + j s (s for the last) vanishes on (r, s) in ℤ_p².

    >>> masks(3, 4).mean(axis=0).round(6), int(masks(3, 4).shape[0])
    (array([0.666667, 0.666667, 0.666667, 0.666667]), 9)
    """
    r, s = (a.ravel() for a in np.meshgrid(np.arange(p), np.arange(p)))
    forms = [r + j * s for j in range(p)] + [s]
    return np.stack([form % p != 0 for form in forms[:n_features]], axis=1).astype(float)


def with_masks(X: np.ndarray, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Each sample once for each mask, clean and spoiled: x, x̃ (Bp², N). Dropped with probability 1/p."""
    design = masks(p, X.shape[1])
    clean = np.repeat(X, len(design), axis=0)
    return clean, clean * np.tile(design, (len(X), 1))
