"""Sparse codes with an orthonormal dictionary: thresholds (row 14).

W (N, L) has orthonormal columns, x̂ = zWᵀ. With u = xW,

    ‖x − zWᵀ‖² + λ S(z) = ‖x‖² − ‖u‖² + Σ_j [ (u_j − z_j)² + λ s(z_j) ],

one scalar problem per latent. There is no ½ before the square, hence

    S = ‖z‖₁:  z = sign(u) (|u| − λ/2)₊,  cost u² if |u| ≤ λ/2, else λ|u| − λ²/4;
    S = ‖z‖₀:  z = u where u² > λ, else 0,  cost min(u², λ)        (at u² = λ both are minima; 0 is the sparser).

Sources: Tibshirani 1996, section 2.2 (orthonormal design); Donoho & Johnstone 1994 (soft and hard thresholding).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import Array, as_float, as_matrix, as_number, as_samples


@dataclass(frozen=True, eq=False)
class SparseCode:
    """The best code (B, L), its loss (penalty included, mean over samples), and the share of entries that are not 0."""

    code: Array
    loss: float
    active_share: float


def soft_threshold(u: ArrayLike, *, penalty: float) -> Array:
    """argmin over z of (u − z)² + λ|z|: sign(u) (|u| − λ/2)₊, entry by entry, up to 2-d; λ = `penalty` ≥ 0.

    Source: Tibshirani 1996.

    >>> soft_threshold([-3.0, 0.5, 2.0], penalty=2.0)
    array([-2.,  0.,  1.])
    """
    u, half = as_float(u, "u", (0, 1, 2)), as_number(penalty, "penalty", low=0) / 2
    return u - np.clip(u, -half, half)


def hard_threshold(u: ArrayLike, *, penalty: float) -> Array:
    """argmin over z of (u − z)² + λ[z ≠ 0]: u where u² > λ, else 0, entry by entry, up to 2-d; λ = `penalty` ≥ 0.

    Source: Donoho & Johnstone 1994.

    >>> hard_threshold([-3.0, 0.5, 2.0], penalty=4.0)
    array([-3.,  0.,  0.])
    """
    u = as_float(u, "u", (0, 1, 2))
    return np.where(u**2 > as_number(penalty, "penalty", low=0), u, 0.0)


def sparse_code(X: ArrayLike, W: ArrayLike, *, penalty: float, norm: str = "l1") -> SparseCode:
    """Row 14. The best code of every sample for ‖x − zWᵀ‖² + λ‖z‖₁ (`norm="l1"`) or λ‖z‖₀ (`norm="l0"`).

    X (B, N); W (N, L) with orthonormal columns (ValueError otherwise: the thresholds hold for no other W).

    Source: Tibshirani 1996; Donoho & Johnstone 1994.

    >>> sparse_code([[3.0, 0.5]], [[1.0, 0.0], [0.0, 1.0]], penalty=2.0).code
    array([[2., 0.]])
    >>> sparse_code([[3.0, 0.5]], [[1.0, 0.0], [0.0, 1.0]], penalty=2.0, norm="l0").loss
    2.25
    """
    X = as_samples(X)
    W = as_matrix(W, "W", rows=X.shape[1])
    defect = np.abs(W.T @ W - np.eye(W.shape[1])).max()
    if defect > np.sqrt(np.finfo(float).eps):
        raise ValueError(f"W: its columns must be orthonormal, but WᵀW differs from I by {defect:.2g}; take qr(W)[0]")
    if norm not in ("l1", "l0"):
        raise ValueError(f'norm={norm!r}: use "l1" or "l0"')
    code = (soft_threshold if norm == "l1" else hard_threshold)(X @ W, penalty=penalty)
    size = np.abs(code).sum() if norm == "l1" else np.count_nonzero(code)
    loss = (np.sum((X - code @ W.T) ** 2) + penalty * size) / len(X)
    return SparseCode(code, float(loss), np.count_nonzero(code) / code.size)
