"""PCA as a neural network: one linear layer in, one linear layer out, trained by backpropagation.

    z = x W₁ + b₁,     x̂ = z W₂ + b₂,     loss ‖X̂ − X‖²_F / B

The encoder has (N + 1)·L parameters, as the lecture counts. The loss is a quartic polynomial of the weights
with many saddles and no local minimum but the global ones (Baldi & Hornik 1989): every minimum has the principal
subspace as the row space of W₂ and loss Σ_{i>L} λ_i, the very optimum of PCA (Eckart & Young 1936),
but W₂'s rows are any basis of that subspace. So compare subspaces, never vectors. With tied weights, W₂ = W₁ᵀ,
the rows are orthonormal at a minimum.

The best biases do the centring, b₂ = μ − (μ W₁ + b₁) W₂ (Bourlard & Kamp 1988). Training therefore goes on
x' = (x − μ)/s (see `frame.py`), where the Hessian is far better conditioned (the mean of images is longer than all
deviations from it), and which in terms of the parameters is b₁' = (b₁ + μ W₁)/s, b₂' = (b₂ − μ)/s. Weights have no unit
but biases have that of the data, so without s the curvatures along the two would depend on the unit.

With a penalty γ_j ≥ 0 on component j, column w_j of W₁ and row ŵ_j of W₂, biases free,

    loss = ‖X̂ − X‖²_F / B + Σ_j γ_j (‖w_j‖² + ‖ŵ_j‖²)        tied: ŵ_j = w_j, so each is counted twice

the minimum is known (`theory.regularised_linear`, `nonuniform_linear`, reduction="mean"; derivation there). All γ
the same: W₁ = W₂ᵀ = V_L diag(√(1 − γ/λ_i)₊) O with any rotation O, so the SVD of W₂ gives the principal directions and
λ_i = γ/(1 − σ_i²) (Kunin et al. 2019). Distinct γ > 0: O can only be signs, and the rows of W₂ are the principal
directions themselves, the largest λ with the smallest γ (Bao et al. 2020). A component is dead, w_j = ŵ_j = 0, exactly
if the λ_i that is its share has λ_i ≤ γ_j. The papers' loss is a sum over samples: their penalty is B γ_j, and their
condition s_i² ≤ B γ_j, s_i² = B λ_i. In the frame γ becomes γ/s²: the penalty there is of the same weights, but
the loss is in units of s².

Weights start at a hundredth of Glorot's. What W₁ holds along directions in which the data hardly vary does
hardly any harm, so it dies slowly; the smaller the start, the less there is of it. On 8,000 digits with L = 30,
300 iterations of L-BFGS leave a relative excess loss of about 1e-8 and an angle of 5e-4 from there,
of 1e-4 and 5e-2 from Glorot's own scale.

The gradients, with R = X̂ − X (rows, no biases) and Γ = diag γ: dW₁ = (2/B) Xᵀ R W₂ᵀ + 2 W₁Γ,
dW₂ = (2/B)(X W₁)ᵀ R + 2 Γ W₂; tied: dW = (2/B)(Xᵀ R W + Rᵀ X W) + 4 WΓ. At any point W₁ᵀ dW₁ + b₁ db₁ᵀ − 2 W₁ᵀW₁ Γ
= dW₂ W₂ᵀ − 2 Γ W₂W₂ᵀ: W₁A, b₁A, A⁻¹W₂ leave the reconstruction as it is, not the penalty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from autograd_ae.core.tensor import Tensor, constant, tensor
from autograd_ae.models.estimator import SettingError
from autograd_ae.models.frame import FramedNetwork
from autograd_ae.nn.layers import MLP, Dense
from autograd_ae.ops.arithmetic import add, multiply, square
from autograd_ae.ops.dense import dense
from autograd_ae.ops.losses import squared_error
from autograd_ae.ops.reductions import sum
from autograd_ae.ops.shaping import transpose

START = 0.01  # times Glorot's bound


@dataclass(eq=False)
class TiedDense:
    """Y = X Wᵀ + b with the encoder's own W (n_features, L)."""

    W: Tensor
    b: Tensor

    def __call__(self, z: Any) -> Tensor:
        return dense(z, transpose(self.W), self.b)


@dataclass(eq=False, repr=False, kw_only=True)
class LinearPCA(FramedNetwork):
    """A linear autoencoder: it finds the subspace of PCA by gradient descent.

    Parameters
    ----------
    n_components : L.    tied : use W₂ = W₁ᵀ.
    l2 : γ ≥ 0, or one for each component; 0 by default. Distinct ones let the components come out one by one.
    solver : "lbfgs" (to many digits), "adam" or "sgd".
    tol : for lbfgs, the gradient norm to reach, relative to the loss at the start.    All others as in `Autoencoder`.

    Attributes
    ----------
    components_ : (L, n_features), the decoder's weights; their rows span the principal subspace.
    encoder_weight_ : (n_features, L).    loss_ : ‖X̂ − X‖²/B on the training samples, without the penalty,
        which loss_curve_ holds and `loss_terms_` has under "penalty".

    >>> X = np.array([[2.0, 1.0], [-2.0, -1.0], [4.0, 2.0], [-4.0, -2.0]])
    >>> model = LinearPCA(n_components=1, random_state=0).fit(X)
    >>> bool(model.loss_ < 1e-9), round(float(model.components_[0, 0] / model.components_[0, 1]), 4)
    (True, 2.0)
    >>> model = LinearPCA(n_components=1, l2=5.0, random_state=0).fit(X)      # λ = 12.5, so ‖w‖² = 1 − 5/12.5
    >>> round(float(np.sum(model.components_**2)), 4)
    0.6
    """

    tied: bool = False
    l2: Any = 0.0
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

    def _check(self, X: np.ndarray) -> None:
        super()._check(X)
        self._penalties()

    def _penalties(self) -> np.ndarray:
        """γ (L,), in float64."""
        try:
            gamma = np.asarray(self.l2, dtype=np.float64)
        except (TypeError, ValueError):
            gamma = np.full(0, np.nan)
        fits = gamma.shape in ((), (self.n_components,)) and not isinstance(self.l2, bool | str)
        if not fits or not np.isfinite(gamma).all() or (gamma < 0).any():
            raise SettingError(
                f"l2 is {self.l2!r}; one finite number of at least 0 is needed, "
                f"or {self.n_components} of them, one for each component"
            )
        return np.broadcast_to(gamma, self.n_components)

    def _start(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """New weights, and biases that centre: the first output is the mean."""
        X = super()._start(X, rng)
        self._leave_frame(X.mean(axis=0, dtype=np.float64).astype(X.dtype), 1.0)
        return X

    def _terms(self, x: Tensor, *noise: Tensor) -> dict[str, Tensor]:
        reconstruction = squared_error(self.decoder_(self.encoder_(x)), x)
        if not np.any(self.l2):
            return {"reconstruction": reconstruction}
        return {"reconstruction": reconstruction, "penalty": self._penalty()}

    def _penalty(self) -> Tensor:
        """Σ_j γ_j (‖w_j‖² + ‖ŵ_j‖²) in units of the frame's loss."""
        W1, W2 = self.encoder_.layers[0].W, (self.decoder_ if self.tied else self.decoder_.layers[0]).W
        squares = add(sum(square(W1), axis=0), sum(square(W2), axis=0 if self.tied else 1))  # (L,)
        return sum(multiply(constant(self._penalties_inside().astype(W1.dtype), name="γ"), squares))

    def _penalties_inside(self) -> np.ndarray:
        with np.errstate(over="ignore", divide="ignore"):  # a loss that is not finite is reported by training
            return self._penalties() / self._loss_unit

    def _constants(self) -> Any:
        return super()._constants(), tuple(self._penalties_inside())

    def _enter_frame(self, mean: np.ndarray, unit: float) -> None:
        """b₁ ← (b₁ + mean W₁)/unit, b₂ ← (b₂ − mean)/unit."""
        (W, b1), b2 = self._encoder_arrays, self._output_bias.data
        b1 += mean @ W
        b2 -= mean
        b1 /= unit
        b2 /= unit

    def _leave_frame(self, mean: np.ndarray, unit: float) -> None:
        """b₁ ← unit b₁ − mean W₁, b₂ ← unit b₂ + mean."""
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

    def theory_setting(self) -> dict[str, Any]:
        """As for every model: two affine maps, and the penalty; tied weights count twice, once as W₁, once as W₂."""
        setting = super().theory_setting()
        (W, b1), b2 = self._encoder_arrays, self._output_bias.data
        maps = {"encoder_weight": W, "encoder_bias": b1, "decoder_weight": self.components_, "decoder_bias": b2}
        return setting | maps | {"l2": self._penalties()}

    def _sizes(self) -> list[int]:
        return [self.n_features_in_, self.n_components, self.n_features_in_]
