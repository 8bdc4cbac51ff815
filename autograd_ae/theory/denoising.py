"""The linear denoising autoencoder x̂ = x̃W + b, trained on corrupted x̃ against the clean x (rows 7, 8).

The loss, averaged over the noise as well as the samples, is a quadratic in W that needs only the second moments
Q = Cov(x̃) and P = Cov(x̃, x); the best bias is E x − (E x̃)W, and

    loss(W) = tr S − 2 tr(WᵀP) + tr(WᵀQW) = tr S − ‖Q^{-½}P‖² + ‖Q^½W − Q^{-½}P‖²,

so W = Q⁻¹P, and under rank W ≤ L, by Eckart & Young, Q^½W is the truncated SVD of Q^{-½}P.

* Additive noise of variance σ², independent between pixels: Q = S + σ²I, P = S. All is diagonal in the basis of S.
* Masking with keep probability q, pixels set to 0 independently: on centred data Q_ij = q²S_ij, Q_ii = qS_ii, P = qS.
  On raw data, which are what one masks, the bias removes the mean and
  Q = q² S + q(1 − q) diag(E xᵢ²),   P = q S,   b = μ − qμW,
  the same thing at μ = 0. A pixel that is dropped shows 0, not its mean: shifting the data changes the problem.

Losses are summed over features and averaged over samples. Raw X goes in; S is its covariance (divisor B).

Sources: Bishop 1995 (noise = Tikhonov penalty); Pretorius, Kroon & Kamper 2018; Chen, Xu, Weinberger & Sha 2012,
"Marginalized denoising autoencoders for domain adaptation" (W = PQ⁻¹ for samples in columns).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import Array, as_count, as_matrix, as_number, as_samples, as_vector
from .linear import principal_axes


@dataclass(frozen=True, eq=False)
class LinearDAE:
    """The best linear denoiser x̂ = x̃W + b: weight W (N, N), bias b (N,), and its expected loss per sample."""

    weight: Array
    bias: Array
    loss: float


def additive_dae(X: ArrayLike, *, noise_variance: float, n_components: int | None = None) -> LinearDAE:
    """Row 7. W = V_L diag(λᵢ/(λᵢ + σ²)) V_Lᵀ, loss Σλᵢ − Σ_{i≤L} λᵢ²/(λᵢ + σ²); L = N is (S + σ²I)⁻¹S.

    X (B, N); `noise_variance` σ² ≥ 0 per pixel; `n_components` L, all N if None. λ²/(λ + σ²) rises with λ, so the
    top L are the best choice.

    Source: Bishop 1995; Pretorius et al. 2018.

    >>> X = [[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]    # λ = 2, ½
    >>> dae = additive_dae(X, noise_variance=0.5, n_components=1)
    >>> np.abs(dae.weight).round(9), round(dae.loss, 9)
    (array([[0.8, 0. ],
           [0. , 0. ]]), 0.9)
    """
    mean, spectrum, axes = principal_axes(X)
    variance = as_number(noise_variance, "noise_variance", low=0)
    L = _rank(n_components, mean.size)
    kept = spectrum[:L]
    gain = np.divide(kept, kept + variance, out=np.zeros(L), where=kept > 0)  # no signal, no gain
    weight = axes[:L].T * gain @ axes[:L]
    loss = spectrum[L:].sum() + variance * gain.sum()  # λ − λ²/(λ+σ²) = σ² λ/(λ+σ²), without the cancellation
    return LinearDAE(weight, mean - mean @ weight, float(loss))


def masking_dae(X: ArrayLike, *, keep_probability: float, n_components: int | None = None) -> LinearDAE:
    """Row 8. W = Q⁻¹P with Q = q²S + q(1 − q)diag(E xᵢ²), P = qS, b = μ − qμW; under rank L the truncated form.

    X (B, N), raw; each entry is kept with probability q = `keep_probability` in (0, 1], else it is 0. Where Q is
    singular (a pixel that is never lit) the shortest W is returned.

    Source: Chen et al. 2012; the bias is the constant feature that they never corrupt, eliminated.

    >>> X = [[1.0, 1.0], [-1.0, -1.0]]                            # what one pixel loses the other tells
    >>> dae = masking_dae(X, keep_probability=0.5)
    >>> dae.weight.round(6), round(dae.loss, 6)
    (array([[0.666667, 0.666667],
           [0.666667, 0.666667]]), 0.666667)
    """
    X = as_samples(X)
    q = as_number(keep_probability, "keep_probability", above=0, high=1)
    L = _rank(n_components, X.shape[1])
    mean = X.mean(axis=0)
    S = (X - mean).T @ (X - mean) / len(X)
    Q = q**2 * S + q * (1 - q) * np.diag(np.mean(X**2, axis=0))
    weight = _reduced_rank(Q, q * S, L)
    bias = mean - q * mean @ weight
    loss = masking_dae_loss(X, weight, bias, keep_probability=q)  # a sum of squares: tr S − … would lose digits
    return LinearDAE(weight, bias, loss)


def additive_dae_loss(X: ArrayLike, weight: ArrayLike, bias: ArrayLike, *, noise_variance: float) -> float:
    """The expected loss of any x̃W + b under additive noise: mean ‖x − xW − b‖² + σ²‖W‖²_F, nothing sampled.

    X (B, N), weight (N, N), bias (N,).

    Source: Bishop 1995, of which this is the linear case, where it is exact.

    >>> additive_dae_loss([[1.0], [-1.0]], [[0.5]], [0.0], noise_variance=1.0)
    0.5
    """
    X, W, b = _linear_map(X, weight, bias)
    variance = as_number(noise_variance, "noise_variance", low=0)
    return float(np.sum((X - X @ W - b) ** 2) / len(X) + variance * np.sum(W**2))


def masking_dae_loss(X: ArrayLike, weight: ArrayLike, bias: ArrayLike, *, keep_probability: float) -> float:
    """The expected loss of any x̃W + b under masking: mean ‖x − qxW − b‖² + q(1 − q) Σᵢ (E xᵢ²) ‖row i of W‖².

    X (B, N), weight (N, N), bias (N,). The second term is the variance of the mask, pixel by pixel.

    Source: Chen et al. 2012; Wager, Wang & Liang 2013 for dropout in this form.

    >>> masking_dae_loss([[1.0], [-1.0]], [[1.0]], [0.0], keep_probability=0.5)
    0.5
    """
    X, W, b = _linear_map(X, weight, bias)
    q = as_number(keep_probability, "keep_probability", above=0, high=1)
    residual = X - q * X @ W - b
    return float(np.sum(residual**2) / len(X) + q * (1 - q) * np.mean(X**2, axis=0) @ np.sum(W**2, axis=1))


def _reduced_rank(Q: Array, P: Array, L: int) -> Array:
    """argmin over rank W ≤ L of tr(WᵀQW) − 2tr(WᵀP): with RᵀQR = I it is R times the truncated SVD of RᵀP.

    Q is first scaled to a unit diagonal: a faint pixel is not a redundant one.
    """
    size = np.sqrt(np.diag(Q))
    unit = np.divide(1, size, out=np.zeros_like(size), where=size > 0)  # 0 for a pixel that is never lit
    q, E = np.linalg.eigh(unit[:, None] * Q * unit)
    whole = q > 4 * len(q) * np.finfo(float).eps * q[-1]
    root = unit[:, None] * E[:, whole] / np.sqrt(q[whole])  # (N, r)
    U, s, Vt = np.linalg.svd(root.T @ P, full_matrices=False)
    return root @ (U[:, :L] * s[:L]) @ Vt[:L]


def _rank(n_components: int | None, n_features: int) -> int:
    if n_components is None:
        return n_features
    return as_count(n_components, "n_components", 1, n_features, "the number of features")


def _linear_map(X: ArrayLike, weight: ArrayLike, bias: ArrayLike) -> tuple[Array, Array, Array]:
    X = as_samples(X)
    N = X.shape[1]
    return X, as_matrix(weight, "weight", rows=N, columns=N), as_vector(bias, "bias", N)
