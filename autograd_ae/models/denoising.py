"""Denoising autoencoder: spoil each sample, feed the spoiled one, compare with the clean one (Vincent et al. 2008).

    loss = ‖decode(encode(x̃)) − x‖² / B (+ λ S(Z)),     x̃ = corrupt(x), drawn afresh for every batch

The spoiled batch is an input of the recorded loss, drawn from the model's own generator, so the program is the same for
every draw; its gradient is that of the autoencoder with x̃ in the place of the input and x in that of the target.

    gaussian, W linear   E loss = clean loss + σ²‖W‖²: each principal component shrinks by λ_i/(λ_i + σ²) (Bishop 1995,
                         "Training with noise is equivalent to Tikhonov regularization")
    masking, W linear    W = Q⁻¹P with the second moments of x̃ and of x̃, x (Chen et al. 2012); `theory.masking_dae`
    low_resolution       28×28 seen at 7×7: what is learned is to raise the resolution; nothing is random
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from autograd_ae.core.tensor import Tensor
from autograd_ae.models.base import mean_squared_distance
from autograd_ae.models.corruption import CORRUPTIONS, corrupt
from autograd_ae.models.estimator import SettingError, check_choice, check_real
from autograd_ae.models.sparse import SparseAE
from autograd_ae.models.validation import generator


@dataclass(eq=False, repr=False, kw_only=True)
class DenoisingAE(SparseAE):
    """Autoencoder that learns to undo a corruption.

    Parameters
    ----------
    corruption : "gaussian", "masking", "salt_and_pepper" or "low_resolution" (see `models/corruption.py`).
    corruption_level : the noise's standard deviation, the probability that an entry is hit, or the factor.
    sparsity_weight : λ of an optional penalty on the code of the spoiled samples; 0 by default.
    All others as in `SparseAE` and `Autoencoder`; the solver is "adam" or "sgd". Early stopping watches the error of
    held-out samples spoiled alike after every epoch.

    Attributes
    ----------
    loss_ : the error of the clean training samples, as for all models; `denoising_error` is that of spoiled ones.

    >>> X = np.random.default_rng(0).random((30, 16))
    >>> model = DenoisingAE(4, hidden_layer_sizes=(8,), corruption="low_resolution", corruption_level=2, max_iter=2)
    >>> model.fit(X).corrupt(X).shape
    (30, 16)
    """

    n_components: int = field(default=64, kw_only=False)
    hidden_layer_sizes: tuple[int, ...] = (256,)
    output_activation: str = "sigmoid"
    sparsity_weight: float = 0.0
    corruption: str = "gaussian"
    corruption_level: float = 0.3

    _n_noise: ClassVar[int] = 1

    def _check(self, X: np.ndarray) -> None:
        super()._check(X)
        check_choice("corruption", self.corruption, CORRUPTIONS)
        check_real("corruption_level", self.corruption_level)
        if self.corruption in ("masking", "salt_and_pepper") and self.corruption_level > 1:
            raise SettingError(f"corruption_level is {self.corruption_level!r}; {self.corruption} takes a probability")
        if self.corruption == "low_resolution" and (self.corruption_level < 1 or self.corruption_level % 1):
            raise SettingError(
                f"corruption_level is {self.corruption_level!r}; low_resolution takes a whole factor by which the side "
                "of the image is divided, such as 4"
            )
        if self.solver == "lbfgs":
            raise SettingError(
                "solver='lbfgs' needs a fixed loss, and the corruption is drawn afresh: use 'adam' or 'sgd'"
            )
        sample = X[:1] if X.dtype.kind == "f" else X[:1].astype(float)
        corrupt(
            sample, self.corruption, self.corruption_level, np.random.default_rng(0)
        )  # raises where it does not fit

    def _draw(self, batch: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return (corrupt(batch, self.corruption, self.corruption_level, rng),)

    def _draw_into(self, buffers: tuple[np.ndarray, ...], batch: np.ndarray, rng: np.random.Generator) -> None:
        corrupt(batch, self.corruption, self.corruption_level, rng, out=buffers[0])

    def _terms(self, x: Tensor, *noise: Tensor) -> dict[str, Tensor]:
        z = self._code(noise[0])
        return self._penalised(z, self._distance(self.decoder_(z), x))

    def theory_setting(self) -> dict[str, Any]:
        """As for every model: with the corruption."""
        spoiled = {"corruption": self.corruption, "corruption_level": float(self.corruption_level)}
        return super().theory_setting() | spoiled

    def _held_out_error(self, X: np.ndarray) -> float:
        """Of held-out samples, spoiled alike after every epoch."""
        return self._denoising_error(X, np.random.default_rng(0))

    def _denoising_error(self, X: np.ndarray, rng: np.random.Generator) -> float:
        X = X.astype(self._dtype, copy=False)
        spoiled = corrupt(X, self.corruption, self.corruption_level, rng)
        return mean_squared_distance(X, self._decode(self._encode(spoiled)))

    def _diagnostics(self, X: np.ndarray) -> dict[str, float]:
        return super()._diagnostics(X) | {"denoising_error": self._denoising_error(X, np.random.default_rng(0))}

    def corrupt(self, X: Any, *, random_state: Any = None) -> np.ndarray:
        """Spoiled copies of samples, as in training."""
        return corrupt(self._samples(X), self.corruption, self.corruption_level, generator(random_state))

    def denoising_error(self, X: Any, *, random_state: Any = None) -> float:
        """‖decode(encode(x̃)) − x‖² / B for clean samples X, spoiled here."""
        return self._denoising_error(self._samples(X), generator(random_state))
