"""Sparse autoencoder: the code may be as large as the input, if most of it is zero.

    loss = ‖X̂ − X‖² / B + λ S(Z)

With as many code units as inputs, Decoder(Encoder(·)) = identity is always available and useless ("obvious
compression"); the penalty S forbids it. S looks at the code, so at the bottleneck two gradients meet,
∇_Z loss = (backpropagated through the decoder) + λ ∇_Z S(Z), and go on through the encoder together.

    penalty="l1"   S = Σ |z| / B                             any code activation; relu gives exact zeros
    penalty="kl"   S = KL between the mean activation and ρ  code units in (0, 1): a sigmoid

The KL has two forms and two means, four penalties in all (`ops/sparsity.py` has the derivations),

    kl_form   "lecture"  KL(ρ̂ ‖ ρ) = ρ̂ ln(ρ̂/ρ) + (1−ρ̂) ln((1−ρ̂)/(1−ρ))      KL′ = ln(ρ̂/ρ) − ln((1−ρ̂)/(1−ρ))
              "ufldl"    KL(ρ ‖ ρ̂), infinite for a unit that is always 0        KL′ = (ρ̂−ρ)/(ρ̂(1−ρ̂))
    kl_over   "batch"    ρ̂_j the mean of unit j, S a sum over units             ∂S/∂z_bj = KL′(ρ̂_j)/B
              "units"    ρ̂_b the mean of sample b's n units, S a mean           ∂S/∂z_bj = KL′(ρ̂_b)/(nB)

Over the batch each unit is to be seldom on, over units each sample is to have few units on. A penalty of the batch's
mean is the one loss here that is no mean of the samples' losses: it depends on the batch that a sample is in.

The lecture's first choice, the number ‖Z‖₀ of units that are on, has no gradient; `active_share` reports it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_ae.core.tensor import Tensor
from autograd_ae.models.autoencoder import Autoencoder
from autograd_ae.models.estimator import SettingError, check_choice, check_real
from autograd_ae.ops.arithmetic import multiply
from autograd_ae.ops.sparsity import bernoulli_kl, l1

PENALTIES = ("l1", "kl")


@dataclass(eq=False, repr=False, kw_only=True)
class SparseAE(Autoencoder):
    """Autoencoder with a penalty on its code.

    Parameters
    ----------
    n_components : size of the code, the lecture's 100 or 80 for 100 inputs.
    penalty, sparsity_weight : "l1" or "kl", and λ ≥ 0.
    rho : wanted mean activation, in (0, 1).   kl_form, kl_over : "lecture" or "ufldl", "units" or "batch"
        (see `ae.bernoulli_kl`).
    All others as in `Autoencoder`.

    >>> X, Z, D = __import__("autograd_ae").data.sparse_codes(200, rng=0)
    >>> model = SparseAE(20, penalty="l1", code_activation="relu", max_iter=2, random_state=0).fit(X)
    >>> sorted(model.loss_terms_)
    ['reconstruction', 'sparsity']
    """

    n_components: int = field(default=100, kw_only=False)
    hidden_layer_sizes: tuple[int, ...] = ()
    output_activation: str = "identity"
    penalty: str = "kl"
    sparsity_weight: float = 1.0
    rho: float = 0.05
    kl_form: str = "lecture"
    kl_over: str = "batch"

    def _check(self, X: np.ndarray) -> None:
        super()._check(X)
        check_choice("penalty", self.penalty, PENALTIES)
        check_choice("kl_form", self.kl_form, ("lecture", "ufldl"))
        check_choice("kl_over", self.kl_over, ("units", "batch"))
        check_real("sparsity_weight", self.sparsity_weight)
        check_real("rho", self.rho, strict=True)
        if self.rho >= 1:
            raise SettingError(f"rho is {self.rho!r}; a wanted mean activation between 0 and 1 is needed")
        if self.penalty == "kl" and self.sparsity_weight and self.code_activation != "sigmoid":
            raise SettingError(
                f"penalty='kl' needs code units in (0, 1), code_activation is {self.code_activation!r}: "
                "choose code_activation='sigmoid', or penalty='l1'"
            )

    def _penalised(self, z: Tensor, reconstruction: Tensor) -> dict[str, Tensor]:
        """The terms of the loss, the penalty left out where its weight is 0."""
        if not self.sparsity_weight:
            return {"reconstruction": reconstruction}
        S = l1(z) if self.penalty == "l1" else bernoulli_kl(z, self.rho, form=self.kl_form, over=self.kl_over)
        return {"reconstruction": reconstruction, "sparsity": multiply(float(self.sparsity_weight), S)}

    def _terms(self, x: Tensor, *noise: Tensor) -> dict[str, Tensor]:
        z = self._code(x)
        return self._penalised(z, self._distance(self.decoder_(z), x))

    def theory_setting(self) -> dict[str, Any]:
        """As for every model: with the penalty on the code."""
        return super().theory_setting() | {"sparsity": self.penalty, "sparsity_weight": float(self.sparsity_weight)}

    def active_share(self, X: Any, *, threshold: float = 0.0) -> float:
        """‖Z‖₀ as a share: how many code entries exceed `threshold` in magnitude, on average over samples."""
        check_real("threshold", threshold)
        return self._active_share(self._samples(X), threshold)

    def _active_share(self, X: np.ndarray, threshold: float) -> float:
        return float(np.mean(np.abs(self._encode(X)) > threshold))

    def _diagnostics(self, X: np.ndarray) -> dict[str, float]:
        return super()._diagnostics(X) | {"active_share": self._active_share(X, 0.1)}
