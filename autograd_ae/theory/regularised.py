"""The linear autoencoder with L2 penalties: principal directions, not only their span (rows 5, 6).

On centred data the loss is ‖X − XW₁W₂‖² + Σ_j γ_j (‖column j of W₁‖² + ‖row j of W₂‖²). At any critical point
W₁ᵀ∇W₁ = ∇W₂W₂ᵀ, so with A = W₁ᵀW₁, D = W₂W₂ᵀ, Γ = diag(γ) both gradients 0 leave A Γ = Γ D:

    A_ij γ_j = γ_i D_ij  and, by symmetry,  A_ij γ_i = γ_j D_ij   ⇒   A_ij (γ_i² − γ_j²) = 0,  A_jj = D_jj.

So latents of different γ are orthogonal, and encoder and decoder weigh the same. A latent that carries eigenvalue e
with p = ‖w‖² costs e(1 − p)² + 2γp, least at p = (1 − γ/e)₊:

    min = 2γ − γ²/e  if e > γ,  else e.      The gain over w = 0 is (e − γ)₊²/e.

That gain has ∂²/∂e∂γ = −2γ/e² < 0, so it pays most to pair large e with small γ.

* One γ for all (row 5): W₁ = W₂ᵀ = V_L diag(√(1 − γ/eᵢ)₊) O with any orthogonal O. The singular values σᵢ of W₂ give
  eᵢ = γ/(1 − σᵢ²) back, and its right singular vectors are the principal directions.
* Distinct γ (row 6): O can only be signs (and the order of the γ): the components come out one by one.

Scale: `reduction="mean"` is the project's ‖·‖²_F/B + penalty, with e = λᵢ; `reduction="sum"` is the papers' ‖·‖²_F +
penalty, with e = sᵢ² = Bλᵢ. The second with penalty Bγ is B times the first with γ. Biases are not penalised and do
the centring (`linear.optimal_decoder_bias`).

Sources: Kunin, Bloom, Goeva & Seed 2019, "Loss landscapes of regularized linear autoencoders" (Transpose and Landscape
Theorems); Bao, Lucas, Sachdeva & Grosse 2020, "Regularized linear autoencoders recover the principal components,
eventually". The derivation above is complete but for the exchange argument on rank, for which see them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import Array, as_count, as_matrix, as_number, as_samples, as_vector
from .linear import principal_axes


@dataclass(frozen=True, eq=False)
class RegularisedOptimum:
    """The global optimum, at O = I: the latents in the order of the penalties that were given.

    loss             penalties included, on the scale of `reduction`
    encoder          W₁ (N, L)
    decoder          W₂ = W₁ᵀ (L, N); row j is √(1 − γ_j/e) v, or 0 where γ_j ≥ e
    singular_values  (L,), the lengths √(1 − γ_j/e)₊ of these rows
    active           (L,) bool, e > γ_j: the rest of the latents is switched off
    mean             (N,), what the biases subtract and add
    """

    loss: float
    encoder: Array
    decoder: Array
    singular_values: Array
    active: np.ndarray
    mean: Array


def regularised_linear(
    X: ArrayLike, n_components: int, *, penalty: float, reduction: str = "mean", bias: bool = True
) -> RegularisedOptimum:
    """Row 5: the same penalty γ ≥ 0 on all weights of both layers. Unique up to W₁O, OᵀW₂ with O orthogonal (γ > 0).

    Minimum Σ_{i>L} eᵢ + Σ_{i≤L} (2γ − γ²/eᵢ if eᵢ > γ else eᵢ). At γ = 0 it is row 1's, where O may be any invertible
    matrix.

    Source: Kunin et al. 2019.

    >>> X = [[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]    # λ = 2, ½
    >>> optimum = regularised_linear(X, 1, penalty=0.5)
    >>> round(optimum.loss, 9), (optimum.singular_values**2).round(9)
    (1.375, array([0.75]))
    """
    X = as_samples(X)
    L = as_count(n_components, "n_components", 1, X.shape[1], "the number of features")
    penalty = as_number(penalty, "penalty", low=0)
    return nonuniform_linear(X, np.full(L, penalty), reduction=reduction, bias=bias)


def nonuniform_linear(
    X: ArrayLike, penalties: ArrayLike, *, reduction: str = "mean", bias: bool = True
) -> RegularisedOptimum:
    """Row 6: penalty γ_j ≥ 0 for latent j, (L,) in any order. The smallest γ takes the largest eigenvalue, and so on.

    With distinct γ and distinct eigenvalues the active rows of the decoder are unique up to sign.

    Source: Bao et al. 2020.

    >>> X = [[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    >>> optimum = nonuniform_linear(X, [0.25, 0.1])               # the second latent is the cheaper one
    >>> (optimum.decoder**2).round(6)
    array([[0.  , 0.5 ],
           [0.95, 0.  ]])
    """
    X = as_samples(X)
    mean, spectrum, axes = principal_axes(X, bias=bias)
    gamma = as_vector(penalties, "penalties")
    as_count(gamma.size, "len(penalties)", 1, mean.size, "one per latent, at most the number of features")
    if gamma.min() < 0:
        raise ValueError(f"penalties: they must not be negative, but {gamma.min()} arrived")
    e = spectrum * _scale(reduction, len(X))
    taken = np.empty(gamma.size, dtype=int)  # latent j carries eigenvector taken[j]
    taken[np.argsort(gamma, kind="stable")] = np.arange(gamma.size)
    e_j, active = e[taken], e[taken] > gamma
    ratio = np.divide(gamma, e_j, out=np.ones_like(gamma), where=active)  # γ/e, or 1 where off
    length = np.sqrt(1 - ratio)
    loss = e[gamma.size :].sum() + np.where(active, gamma * (2 - ratio), e_j).sum()
    decoder = length[:, None] * axes[taken]
    return RegularisedOptimum(float(loss), decoder.T.copy(), decoder, length, active, mean)


def recover_principal_axes(decoder: ArrayLike, *, penalty: float, n_samples: int = 1) -> tuple[Array, Array]:
    """Row 5 read backwards: principal directions (r, N) and singular values (r,) of the data, from a trained decoder.

    decoder (L, N) at a minimum with uniform `penalty` γ > 0. From its SVD, sᵢ = √(n γ/(1 − σᵢ²)) with n = `n_samples`:
    n = B for a γ of the mean scale, n = 1 for one of the sum scale (or for standard deviations √λᵢ on the mean
    scale). Only the r latents that are switched on (σ > √ε σ₁) are recovered. Relative error of sᵢ: that of σᵢ, times
    σᵢ²/(1 − σᵢ²); so a tiny penalty recovers badly. σ ≥ 1 is no minimum and raises ValueError.

    Source: Kunin et al. 2019.

    >>> directions, s = recover_principal_axes([[0.0, -0.75**0.5]], penalty=0.5)
    >>> (s**2).round(9)                                           # λ = γ/(1 − σ²)
    array([2.])
    """
    decoder = as_matrix(decoder, "decoder")
    penalty = as_number(penalty, "penalty", above=0)
    n = as_count(n_samples, "n_samples", 1, np.iinfo(np.int64).max, "the number of samples")
    _, sigma, directions = np.linalg.svd(decoder, full_matrices=False)
    if sigma[0] >= 1:
        raise ValueError(
            f"decoder: its largest singular value is {sigma[0]:.6g}, but at a minimum all are below 1; "
            "train longer, or check that both layers are penalised"
        )
    on = sigma > np.sqrt(np.finfo(float).eps) * sigma[0]
    s = np.sqrt(n * penalty / ((1 - sigma[on]) * (1 + sigma[on])))
    largest = directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)]
    return (directions * np.sign(largest)[:, None])[on], s


def _scale(reduction: str, n_samples: int) -> int:
    if reduction not in ("mean", "sum"):
        raise ValueError(f'reduction={reduction!r}: use "mean" (over samples, the project\'s scale) or "sum"')
    return n_samples if reduction == "sum" else 1
