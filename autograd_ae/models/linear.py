"""PCA as a neural network: one linear layer in, one linear layer out, trained by backpropagation.

    z = x W₁ + b₁,     x̂ = z W₂ + b₂,     loss ‖X̂ − X‖²_F / B

The encoder has (N + 1)·L parameters, as the lecture counts. The loss is a quartic polynomial of the weights
with many saddles and no local minimum but the global ones (Baldi & Hornik 1989): every minimum has the principal
subspace as the row space of W₂ and loss Σ_{i>L} λ_i, the very optimum of PCA (Eckart & Young 1936),
but W₂'s rows are any basis of that subspace. So compare subspaces, never vectors. With tied weights, W₂ = W₁ᵀ,
the rows are orthonormal at a minimum.

The best biases do the centring, b₂ = μ − (μ W₁ + b₁) W₂ (Bourlard & Kamp 1988). `fit` therefore trains on x − μ,
where the Hessian is far better conditioned (the mean of images is longer than all deviations from it),
and puts the mean into the biases at the end: b₁ ← b₁ − μ W₁ and b₂ ← b₂ + μ is the same function of x. It also
divides by the root mean square s of x − μ, b ← s b at the end: weights have no unit but biases have that of the data,
so without this the curvatures along the two, and with them the course of training, would depend on the unit.

Weights start at a hundredth of Glorot's. What W₁ holds along directions in which the data hardly vary does
hardly any harm, so it dies slowly; the smaller the start, the less there is of it. On 8,000 digits with L = 30,
300 iterations of L-BFGS leave a relative excess loss of about 1e-8 and an angle of 5e-4 from there,
of 1e-4 and 5e-2 from Glorot's own scale.

The gradients, with R = X̂ − X (rows, no biases): dW₁ = (2/B) Xᵀ R W₂ᵀ, dW₂ = (2/B)(X W₁)ᵀ R;
tied: dW = (2/B)(Xᵀ R W + Rᵀ X W).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from autograd_ae.core.tensor import Tensor, tensor
from autograd_ae.models.network import Network
from autograd_ae.nn.layers import MLP, Dense
from autograd_ae.ops.dense import dense
from autograd_ae.ops.losses import squared_error
from autograd_ae.ops.shaping import transpose
from autograd_ae.optim import global_norm

START = 0.01  # times Glorot's bound


@dataclass(eq=False)
class TiedDense:
    """Y = X Wᵀ + b with the encoder's own W (n_features, L)."""

    W: Tensor
    b: Tensor

    def __call__(self, z: Any) -> Tensor:
        return dense(z, transpose(self.W), self.b)


@dataclass(eq=False, repr=False, kw_only=True)
class LinearPCA(Network):
    """A linear autoencoder: it finds the subspace of PCA by gradient descent.

    Parameters
    ----------
    n_components : L.    tied : use W₂ = W₁ᵀ.
    solver : "lbfgs" (to many digits), "adam" or "sgd".
    tol : for lbfgs, the gradient norm to reach, relative to the loss at the start.    All others as in `Autoencoder`.

    Attributes
    ----------
    components_ : (L, n_features), the decoder's weights; their rows span the principal subspace.
    encoder_weight_ : (n_features, L).    loss_ : ‖X̂ − X‖²/B on the training samples.

    >>> X = np.array([[2.0, 1.0], [-2.0, -1.0], [4.0, 2.0], [-4.0, -2.0]])
    >>> model = LinearPCA(n_components=1, random_state=0).fit(X)
    >>> bool(model.loss_ < 1e-9), round(float(model.components_[0, 0] / model.components_[0, 1]), 4)
    (True, 2.0)
    """

    tied: bool = False
    solver: str = "lbfgs"
    learning_rate: str = "cosine"
    max_iter: int = 500
    tol: float = 2e-6

    _architecture: ClassVar[tuple[str, ...]] = ("n_components", "tied")

    def _build(self, n_features: int, rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        encoder = Dense.create(n_features, self.n_components, rng=rng, dtype=dtype, name="1")
        encoder.W.data *= START
        if self.tied:
            return MLP((encoder,)), TiedDense(encoder.W, tensor(np.zeros(n_features, dtype), "b_2"))
        decoder = Dense.create(self.n_components, n_features, rng=rng, dtype=dtype, name="2")
        decoder.W.data *= START
        return MLP((encoder,)), MLP((decoder,))

    def _start(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """New weights, and biases that centre: the first output is the mean."""
        X = super()._start(X, rng)
        self._leave_frame(X.mean(axis=0, dtype=np.float64).astype(X.dtype), 1.0)
        return X

    def _terms(self, x: Tensor, *noise: Tensor) -> dict[str, Tensor]:
        return {"reconstruction": squared_error(self.decoder_(self.encoder_(x)), x)}

    def _train(self, X: np.ndarray, rng: np.random.Generator, callback: Callable[[Any, int], object] | None) -> None:
        centred = X - self.mean_
        unit = float(global_norm([centred]) / np.sqrt(centred.size)) or 1.0
        frame = self.mean_, unit

        def outside(model: Any, epoch: int) -> object:
            self._leave_frame(*frame)
            try:
                return callback is not None and callback(model, epoch)
            finally:
                self._enter_frame(*frame)

        self._loss_unit = unit**2
        self._enter_frame(*frame)
        try:
            super()._train((centred / unit).astype(X.dtype, copy=False), rng, outside if callback else None)
        finally:
            self._leave_frame(*frame)
            del self._loss_unit

    def _enter_frame(self, mean: np.ndarray, unit: float) -> None:
        """The same function in terms of (x − mean)/unit: b₁ ← (b₁ + mean W₁)/unit, b₂ ← (b₂ − mean)/unit."""
        (W, b1), b2 = self._encoder_arrays, self._output_bias.data
        b1 += mean @ W  # in place: optimisers hold these arrays
        b2 -= mean
        b1 /= unit
        b2 /= unit

    def _leave_frame(self, mean: np.ndarray, unit: float) -> None:
        """And back: b₁ ← unit b₁ − mean W₁, b₂ ← unit b₂ + mean."""
        (W, b1), b2 = self._encoder_arrays, self._output_bias.data
        b1 *= unit
        b2 *= unit
        b1 -= mean @ W
        b2 += mean

    @property
    def _encoder_arrays(self) -> tuple[np.ndarray, np.ndarray]:
        return self.encoder_.layers[0].W.data, self.encoder_.layers[0].b.data

    @property
    def _output_bias(self) -> Tensor:
        return self.decoder_.b if self.tied else self.decoder_.layers[0].b

    @property
    def components_(self) -> np.ndarray:
        return self.encoder_.layers[0].W.data.T if self.tied else self.decoder_.layers[0].W.data

    @property
    def encoder_weight_(self) -> np.ndarray:
        return self.encoder_.layers[0].W.data

    def _sizes(self) -> list[int]:
        return [self.n_features_in_, self.n_components, self.n_features_in_]
