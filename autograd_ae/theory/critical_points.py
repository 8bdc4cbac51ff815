"""Every critical point of the linear autoencoder, its loss, and the way out of the saddles (row 2).

With λ distinct and positive, the points where both gradients of ‖X − 1μ − (X − 1μ)W₁W₂‖²/B vanish and W₁, W₂ have
full rank L are, for an index set I of L eigenvectors and an invertible C (L×L),

    W₁ = V_I C,   W₂ = C⁻¹ V_Iᵀ,   loss = tr S − Σ_{i∈I} λᵢ.

Only I = {1 … L} is a minimum. From any other I, turn an included vᵢ towards an excluded v_k with λ_k > λᵢ: along
vᵢ cos t + v_k sin t the loss is loss_I − (λ_k − λᵢ) sin²t, so its second derivative at t = 0 is −2(λ_k − λᵢ) < 0.
The Hessian has one negative eigenvalue for each such pair (i, k), whatever C (Sylvester's law of inertia). (Index sets
with fewer than L members are critical too, with W's of lower rank, and are saddles as well.)

Indices count from 0: I = (0, 1) is the plane of the first two principal components.

Source: Baldi & Hornik 1989 (Neural Networks 2:53), Fact 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import Array, as_count, as_matrix
from .linear import principal_axes


@dataclass(frozen=True, eq=False)
class EscapeDirection:
    """A direction of negative curvature at a saddle: dᵀ(Hessian)d = `curvature` for d = (`dW1`, `dW2`)."""

    dW1: Array  # (N, L)
    dW2: Array  # (L, N)
    curvature: float


def critical_loss(X: ArrayLike, indices: Sequence[int], *, bias: bool = True) -> float:
    """tr S − Σ_{i∈I} λᵢ, the mean summed squared error at the critical point of the index set I.

    >>> X = [[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]    # λ = 2, ½
    >>> round(critical_loss(X, [0]), 9), round(critical_loss(X, [1]), 9)
    (0.5, 2.0)
    """
    _, spectrum, _ = principal_axes(X, bias=bias)
    return float(np.delete(spectrum, _index_set(indices, spectrum.size)).sum())


def critical_weights(
    X: ArrayLike, indices: Sequence[int], *, C: ArrayLike | None = None, bias: bool = True
) -> tuple[Array, Array]:
    """W₁ = V_I C (N, L) and W₂ = C⁻¹V_Iᵀ (L, N); C is any invertible (L, L), the identity if not given.

    They act on centred data; `optimal_decoder_bias` gives the b₂ that does the centring.

    >>> W1, W2 = critical_weights([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [1], C=[[2.0]])
    >>> W1.T.round(9), W2.round(9)
    (array([[0., 2.]]), array([[0. , 0.5]]))
    """
    _, spectrum, axes = principal_axes(X, bias=bias)
    V_I = axes[_index_set(indices, spectrum.size)].T
    C = _invertible(C, V_I.shape[1])
    return V_I @ C, np.linalg.solve(C, V_I.T)


def escape_direction(
    X: ArrayLike, indices: Sequence[int], *, C: ArrayLike | None = None, bias: bool = True
) -> EscapeDirection:
    """The steepest exchange vᵢ → v_k out of a saddle: dW₁ = v_k eᵢᵀC, dW₂ = C⁻¹eᵢv_kᵀ, curvature −2(λ_k − λᵢ).

    vᵢ is the weakest direction included, v_k the strongest one left out. A ValueError says so if there is nothing to
    gain, that is if the point is a global minimum.

    >>> round(escape_direction([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [1]).curvature, 9)
    -3.0
    """
    _, spectrum, axes = principal_axes(X, bias=bias)
    inside = _index_set(indices, spectrum.size)
    outside = np.setdiff1d(np.arange(spectrum.size), inside)
    position = int(spectrum[inside].argmin())
    gain = spectrum[outside].max(initial=0.0) - spectrum[inside[position]]
    if gain <= 0:
        raise ValueError(f"indices={list(map(int, inside))}: no eigenvalue outside is larger; this is a global minimum")
    C = _invertible(C, len(inside))
    e, v = np.eye(len(inside))[position], axes[outside[spectrum[outside].argmax()]]
    return EscapeDirection(np.outer(v, e @ C), np.outer(np.linalg.solve(C, e), v), -2.0 * float(gain))


def _index_set(indices: Sequence[int], n_features: int) -> np.ndarray:
    index = [as_count(i, "indices", 0, n_features - 1, "eigenvectors count from 0") for i in indices]
    if not index or len(set(index)) < len(index):
        raise ValueError(f"indices={index}: at least one index is needed, each of them once")
    return np.array(index)


def _invertible(C: ArrayLike | None, size: int) -> Array:
    if C is None:
        return np.eye(size)
    C = as_matrix(C, "C", rows=size, columns=size)
    if np.linalg.matrix_rank(C) < size:
        raise ValueError(f"C: it must be invertible, but its rank is {np.linalg.matrix_rank(C)} of {size}")
    return C
