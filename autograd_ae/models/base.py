"""The base of all models: what follows from an encoder and a decoder alone.

A model compresses samples x to codes z (`transform`), decompresses codes to x̂ (`inverse_transform`),
and is judged by one number, the squared error summed over features and averaged over samples,

    reconstruction_error(X) = ‖X − X̂‖²_F / B.

Two references stand beside it: the *plateau*, the error of the training mean (a network that has learned nothing but
its output bias stands there: 52.9 on MNIST's test set), and the optimum of PCA with as many components (Eckart & Young
1936), which a network with one linear decoder layer cannot beat on the training set (Bourlard & Kamp 1988).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_ae.models.estimator import Estimator
from autograd_ae.models.health import dead_latents


class Model(Estimator):
    """Encode, decode, reconstruct, score. A subclass gives `_encode` and `_decode` on checked arrays."""

    n_components: int
    mean_: np.ndarray  # of the training samples, (n_features,)
    loss_: float  # reconstruction error on the training samples

    def _encode(self, X: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _decode(self, Z: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def transform(self, X: Any) -> Any:
        """Codes of samples: (B, n_features) to (B, n_components)."""
        return self._wrap(self._encode(self._samples(X)), X)

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """`fit(X)`, then `transform(X)`."""
        return self.fit(X, y, **fit_params).transform(X)  # type: ignore[attr-defined]

    def inverse_transform(self, Z: Any) -> np.ndarray:
        """Samples from codes: (B, n_components) to (B, n_features)."""
        from autograd_ae.models.validation import as_samples

        self._check_fitted()
        codes = as_samples(Z, who=type(self).__name__)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"codes have {codes.shape[1]} columns, but {type(self).__name__} has {self._n_features_out} components"
            )
        return self._decode(codes)

    def reconstruct(self, X: Any) -> np.ndarray:
        """X̂ = decode(encode(X)), of the shape of X."""
        return self._decode(self._encode(self._samples(X)))

    def reconstruction_error(self, X: Any) -> float:
        """‖X − X̂‖² summed over features, averaged over samples, in float64."""
        return self._error(self._samples(X))

    def _error(self, X: np.ndarray) -> float:
        return mean_squared_distance(X, self._decode(self._encode(X)))

    def score(self, X: Any, y: Any = None) -> float:
        """−reconstruction_error(X): larger is better, as scikit-learn's searches expect."""
        return -self.reconstruction_error(X)

    def theory_setting(self) -> dict[str, Any]:
        """What `theory.compare` needs to know, as fields of `theory.Setting`: architecture and objective, as fitted."""
        self._check_fitted()
        return {"n_components": self._n_features_out}

    def diagnostics(self, X: Any) -> dict[str, float]:
        """Where the model stands on samples X, and what may be wrong with it, in numbers (see `models/health.py`)."""
        X = self._samples(X)
        return self._diagnostics(X)

    def _diagnostics(self, X: np.ndarray) -> dict[str, float]:
        error, plateau = self._error(X), mean_squared_distance(X, self.mean_)
        return {"error": error, "plateau": plateau, "dead_latents": dead_latents(self._encode(X))}

    def save(self, path: Any) -> None:
        """Write the fitted model to a file, arrays and JSON without pickle, which `ae.load` reads."""
        from autograd_ae.models.saving import save  # which knows all models

        save(self, path)

    def plateau(self, X: Any) -> float:
        """The error of answering with the training mean: where a model stands that has learned nothing."""
        X = self._samples(X)
        return mean_squared_distance(X, self.mean_)


def affine_map(layers: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """W (n_in, n_out) and b (n_out,) of dense layers that are all linear, as one map x W + b; None if any is not."""
    if any(layer.activation != "identity" for layer in layers):
        return None
    W, b = layers[0].W.data.astype(np.float64), layers[0].b.data.astype(np.float64)
    for layer in layers[1:]:
        W, b = W @ layer.W.data, b @ layer.W.data + layer.b.data
    return W, b


def affine_setting(encoder: Any, decoder: Any) -> dict[str, Any]:
    """The fields of `theory.Setting` for encoder and decoder, given as lists of dense layers, where they are affine."""
    setting: dict[str, Any] = {}
    for name, layers in (("encoder", encoder), ("decoder", decoder)):
        if (affine := affine_map(layers)) is not None:
            setting |= {f"{name}_weight": affine[0], f"{name}_bias": affine[1]}
    return setting


def mean_squared_distance(X: np.ndarray, Y: np.ndarray) -> float:
    """‖X − Y‖²_F / B, accumulated in float64 by blocks of rows."""
    total, block = 0.0, max(1, 2**20 // max(X.shape[1], 1))
    Y = np.broadcast_to(Y, X.shape)
    for start in range(0, len(X), block):
        difference = X[start : start + block].astype(np.float64) - Y[start : start + block]
        total += float(np.vdot(difference, difference))
    return total / len(X)
