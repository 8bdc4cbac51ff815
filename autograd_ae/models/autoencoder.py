"""Autoencoder: a deep encoder, a narrow code, a deep decoder, trained so that the output equals the input.

The lecture's practice is the default: 784-512-256-64-2 and back, every unit a sigmoid, loss ‖X̂ − X‖²,
no dropout, no batch normalisation. Such a net is hard to start: each sigmoid layer shrinks a gradient by σ′ ≤ ¼,
and with small weights the eight of them leave nothing, so the output stays at the mean image (the plateau).
Weights four times Glorot's (`nn/initialisers.py`) and Adam cure that. The code's own layer starts with Glorot's
plain weights: four times that would saturate one of its few units, for good, and a code of two numbers
of which one is constant is a code of one.

With `reconstruction_loss="bce"` the output is read as the probability of a Bernoulli pixel and the loss
is Σ[softplus(a) − x a]/B of the last layer's logits a. For grey pixels it cannot fall below their entropy (45.5 nats
on MNIST's test set), nor does it need to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from autograd_ae.core.tensor import Tensor, no_grad
from autograd_ae.models.base import affine_setting
from autograd_ae.models.estimator import SettingError, check_choice, check_sizes
from autograd_ae.models.health import cross_entropy_levels
from autograd_ae.models.network import Network
from autograd_ae.models.validation import check_reach, check_unit_interval
from autograd_ae.nn.initialisers import INITIALISERS
from autograd_ae.nn.layers import MLP
from autograd_ae.ops.activations import ACTIVATIONS
from autograd_ae.ops.losses import bce_with_logits, squared_error
from autograd_ae.ops.sigmoid import sigmoid


@dataclass(eq=False, repr=False, kw_only=True)
class Autoencoder(Network):
    """Vanilla autoencoder with a mirror-image decoder.

    Parameters
    ----------
    n_components : size of the code.
    hidden_layer_sizes : encoder layers between input and code; the decoder has them in reverse.
    activation, code_activation, output_activation : of hidden layers, of the code, of the output
        ("sigmoid", "identity", "tanh", …).
    reconstruction_loss : "squared_error", or "bce" (binary cross-entropy in nats; the output activation must
        be sigmoid).
    init : initialiser (see `nn.INITIALISERS`); by default the one that suits each layer's activation.
    solver : "adam", "sgd" (Nesterov momentum) or "lbfgs" (all samples at once).
    learning_rate_init, learning_rate : the step size, and "constant" or "cosine" (to 0 over max_iter epochs).
    beta_1, beta_2, momentum : of Adam and SGD.   weight_decay : decoupled with Adam, L2 with SGD.
    batch_size, max_iter : samples per step; epochs (iterations for lbfgs).
    early_stopping, validation_fraction, n_iter_no_change, tol : stop when held-out error has not fallen by tol
        for that many epochs; with lbfgs tol is the gradient norm to reach, relative to the loss at the start.
    warm_start, random_state, verbose : as in scikit-learn.
    runtime : how a training step is executed, "compiled", "replay" or "eager" (see `models/stepping.py`).

    Attributes
    ----------
    encoder_, decoder_ : the networks.    history_, loss_curve_, loss_terms_ : training losses.
    loss_ : final training error.
    """

    hidden_layer_sizes: tuple[int, ...] = (512, 256, 64)
    activation: str = "sigmoid"
    code_activation: str = "sigmoid"
    output_activation: str = "sigmoid"
    reconstruction_loss: str = "squared_error"
    init: str | None = None

    _architecture: ClassVar[tuple[str, ...]] = (
        "n_components",
        "hidden_layer_sizes",
        "activation",
        "code_activation",
        "output_activation",
        "reconstruction_loss",
    )

    def _check(self, X: np.ndarray) -> None:
        super()._check(X)
        for name in ("activation", "code_activation", "output_activation"):
            check_choice(name, getattr(self, name), ACTIVATIONS)
        check_choice("init", self.init, (None, *INITIALISERS))
        check_choice("reconstruction_loss", self.reconstruction_loss, ("squared_error", "bce"))
        check_sizes("hidden_layer_sizes", self.hidden_layer_sizes)
        if self.reconstruction_loss == "bce" and self.output_activation != "sigmoid":
            raise SettingError(
                f"reconstruction_loss='bce' needs output_activation='sigmoid', {self.output_activation!r} was chosen"
            )
        if self.reconstruction_loss == "bce":
            check_unit_interval(X, "binary cross-entropy", "Scale it")
        check_reach(X, self.output_activation)

    def _build(self, n_features: int, rng: np.random.Generator, dtype: Any) -> tuple[MLP, MLP]:
        hidden = tuple(self.hidden_layer_sizes)
        depth = len(hidden) + 1
        inner = (self.activation,) * len(hidden)
        output = "identity" if self.reconstruction_loss == "bce" else self.output_activation  # bce works on logits
        shared: dict[str, Any] = {"rng": rng, "dtype": dtype}
        code = self.init or ("glorot" if self.code_activation == "sigmoid" else None)
        sizes, activations = (n_features, *hidden, self.n_components), (*inner, self.code_activation)
        encoder = MLP.create(sizes, activations, init=(*[self.init] * len(hidden), code), **shared)
        mean = 0.5 if self.code_activation == "sigmoid" else 0.0
        shared |= {"init": self.init, "input_mean": mean, "first": depth + 1}
        decoder = MLP.create((self.n_components, *hidden[::-1], n_features), (*inner, output), **shared)
        return encoder, decoder

    def _reconstruction(self, z: Any) -> Tensor:
        output = self.decoder_(z)
        return sigmoid(output) if self.reconstruction_loss == "bce" else output

    def _distance(self, output: Tensor, x: Tensor) -> Tensor:
        """Between the decoder's output and what it should be: per sample, summed over features."""
        return (bce_with_logits if self.reconstruction_loss == "bce" else squared_error)(output, x)

    def _terms(self, x: Tensor, *noise: Tensor) -> dict[str, Tensor]:
        return {"reconstruction": self._distance(self.decoder_(self._code(x)), x)}

    def _diagnostics(self, X: np.ndarray) -> dict[str, float]:
        found = super()._diagnostics(X)
        if self.reconstruction_loss != "bce":
            return found
        with no_grad():
            x = X.astype(self._dtype, copy=False)
            cross_entropy = self._distance(self.decoder_(self._code(x)), Tensor(x, traced=False)).item()
        return found | {"cross_entropy": cross_entropy} | cross_entropy_levels(X)

    def theory_setting(self) -> dict[str, Any]:
        """As for every model: affine maps where all activations are the identity."""
        setting = super().theory_setting() | affine_setting(self.encoder_.layers, self.decoder_.layers)
        return setting | ({"reconstruction": "bernoulli"} if self.reconstruction_loss == "bce" else {})
