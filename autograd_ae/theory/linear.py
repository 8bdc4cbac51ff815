"""The linear autoencoder x̂ = (x W₁ + b₁) W₂ + b₂: what it can reach, whatever trains it (rows 1-4, 20).

Samples in rows, X is (B, N), μ its mean, and

    S = (X − 1μ)ᵀ(X − 1μ)/B = Σ λᵢ vᵢ vᵢᵀ,   λ₁ ≥ … ≥ λ_N ≥ 0,   V_L = [v₁ … v_L].

Every output X̂ of a network whose last layer is linear with L inputs is 1b + (rank L). For any b and any F of rank L

    ‖X − 1b − F‖²/B  ≥  Σ_{i>L} λᵢ,

because the best b for a given F is the mean of X − F, which leaves the centred X minus the centred F, and no matrix of
rank L comes nearer to the centred X than its truncated SVD (Eckart & Young 1936). Equality holds at
1b + F = 1μ + (X − 1μ)V_L V_Lᵀ. Without a decoder bias the same is true of the second moments about 0 (`bias=False`).

Accuracy: λᵢ = s²/B from the singular values of the triangular factor of X − 1μ, never from XᵀX, so s is right to about
ε s₁ and a loss of 0 comes out as ε² and not as ε. Cost 2BN² + O(N³). Losses are summed over features and averaged over
samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import Array, as_count, as_matrix, as_samples, as_vector


@dataclass(frozen=True, eq=False)
class LinearOptimum:
    """The global optimum of a linear autoencoder, in the words of an estimator, so that it may stand where one stands.

    loss_        Σ_{i>L} λᵢ, the least mean summed squared error
    components_  (L, N), orthonormal rows v₁ … v_L; of each the entry of largest size is positive
    mean_        (N,), μ, or zeros without a decoder bias
    spectrum_    (N,), all λᵢ in descending order
    """

    loss_: float
    components_: Array
    mean_: Array
    spectrum_: Array

    def reconstruct(self, X: ArrayLike) -> Array:
        """X̂ = μ + (X − μ) V_L V_Lᵀ, (B, N) for X (B, N)."""
        centred = as_matrix(X, "X", columns=self.mean_.size) - self.mean_
        return self.mean_ + centred @ self.components_.T @ self.components_

    def reconstruction_error(self, X: ArrayLike) -> float:
        """‖X − X̂‖²_F / B, on any data (B, N)."""
        residual = as_matrix(X, "X", columns=self.mean_.size) - self.reconstruct(X)
        return float(np.sum(residual**2) / len(residual))


def principal_axes(X: ArrayLike, *, bias: bool = True) -> tuple[Array, Array, Array]:
    """Mean μ (N,), spectrum λ (N,) in descending order, and axes (N, N).

    Row i of the axes is vᵢ, its entry of largest size positive. `bias=False` leaves the data where they are: μ = 0 and
    S = XᵀX/B.

    >>> mean, spectrum, axes = principal_axes([[1.0, 1.0], [3.0, 1.0]])
    >>> mean, spectrum.round(9), axes[0].round(9)
    (array([2., 1.]), array([1., 0.]), array([1., 0.]))
    """
    X = as_samples(X)
    mean = X.mean(axis=0) if bias else np.zeros(X.shape[1])
    triangle = np.linalg.qr(X - mean, mode="r")  # (min(B, N), N), with the s and V of X − 1μ
    _, s, axes = np.linalg.svd(triangle, full_matrices=True)
    spectrum = np.zeros(X.shape[1])
    spectrum[: s.size] = s**2 / len(X)
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    return mean, spectrum, axes * np.sign(largest)[:, None] + 0.0  # no −0


def spectrum(X: ArrayLike, *, bias: bool = True) -> Array:
    """λ (N,): all eigenvalues of the covariance S (divisor B), in descending order; zeros where B ≤ N leaves none.

    >>> spectrum([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]).round(9)
    array([2. , 0.5])
    """
    return principal_axes(X, bias=bias)[1]


def eckart_young(X: ArrayLike, n_components: int, *, bias: bool = True) -> LinearOptimum:
    """Row 1. min over W₁ (N×L), W₂ (L×N) and biases of ‖X − X̂‖²_F/B is Σ_{i>L} λᵢ.

    A decoder that attains it spans V_L if λ_L > λ_{L+1} (else V_L itself is not defined: see `spectral_gap`); its rows
    are V_Lᵀ only up to an invertible L×L factor, so compare subspaces and never vectors. L = 0 is the mean image.

    Source: Eckart & Young 1936 (Psychometrika 1:211); Baldi & Hornik 1989 (Neural Networks 2:53).

    >>> optimum = eckart_young([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]], 1)
    >>> round(optimum.loss_, 9), optimum.components_.round(9)
    (0.5, array([[1., 0.]]))
    """
    mean, spectrum, axes = principal_axes(X, bias=bias)
    L = as_count(n_components, "n_components", 0, mean.size, "the number of features")
    return LinearOptimum(float(spectrum[L:].sum()), axes[:L], mean, spectrum)


def bourlard_kamp_bound(X: ArrayLike, n_components: int, *, bias: bool = True) -> float:
    """Row 3. However deep the encoder, ONE linear decoder layer with L inputs gives ‖X − X̂‖²_F/B ≥ Σ_{i>L} λᵢ.

    The codes Z (B, L) may be anything: X̂ = Z W₂ + 1b₂ still has rank L up to its offset. So depth helps only in the
    decoder. `bias=False` for a decoder without b₂. With L ≥ N the bound is 0.

    Source: Bourlard & Kamp 1988 (Biological Cybernetics 59:291).

    >>> round(bourlard_kamp_bound([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]], 1), 9)
    0.5
    """
    X = as_samples(X)
    L = as_count(n_components, "n_components", 0, np.iinfo(np.int64).max, "the width of the code")
    return eckart_young(X, min(L, X.shape[1]), bias=bias).loss_


def optimal_decoder_bias(X: ArrayLike, W1: ArrayLike, W2: ArrayLike, b1: ArrayLike | None = None) -> Array:
    """Row 4. For given weights the best decoder bias is b₂ = μ(I − W₁W₂) − b₁W₂, (N,): the biases do the centring.

    From ∂/∂b₂ = −2 mean(x − (xW₁ + b₁)W₂ − b₂) = 0. W1 (N, L), W2 (L, N), b1 (L,) or none. b₁ is free: it only moves
    the code. The loss is then the one without biases on X − 1μ.

    Source: Bourlard & Kamp 1988.

    >>> optimal_decoder_bias([[1.0, 5.0], [3.0, 5.0]], [[1.0], [0.0]], [[1.0, 0.0]])
    array([0., 5.])
    """
    X = as_samples(X)
    W1 = as_matrix(W1, "W1", rows=X.shape[1])
    W2 = as_matrix(W2, "W2", rows=W1.shape[1], columns=X.shape[1])
    b1 = np.zeros(len(W2)) if b1 is None else as_vector(b1, "b1", len(W2))
    mean = X.mean(axis=0)
    return mean - (mean @ W1 + b1) @ W2


def lossless_dimension(X: ArrayLike, *, bias: bool = True) -> int:
    """Row 20. The least L at which a linear autoencoder returns its own data: the rank of X − 1μ (of X without bias).

    From there on loss 0 and "identity on the data" are always available, which is the lecture's obvious compression
    and says nothing about the data. The rank counts s > max(B, N) ε ‖X‖_F, which allows for the rounding of X − 1μ.

    >>> lossless_dimension([[2.0, 1.0], [4.0, 2.0], [6.0, 3.0]])
    1
    """
    X = as_samples(X)
    return numerical_rank(X, spectrum(X, bias=bias))


def numerical_rank(X: Array, spectrum: Array) -> int:
    """How many singular values √(Bλ) of X, or of X − 1μ, are more than rounding."""
    rounding = max(X.shape) * np.finfo(float).eps * np.linalg.norm(X)
    return int(np.sum(np.sqrt(spectrum * len(X)) > rounding))
