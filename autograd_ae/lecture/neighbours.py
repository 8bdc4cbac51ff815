"""Are generated samples valid? Precision and recall by nearest neighbours (Kynkäänniemi et al. 2019).

A set of samples Φ estimates the region where its distribution lives, as the union of balls: around each sample one that
reaches to its k-th nearest neighbour among the others,

    M(Φ) = { x : ‖x − φ‖ ≤ r_k(φ) for some φ ∈ Φ },     r_k(φ) = distance from φ to its k-th nearest in Φ ∖ {φ}.

    precision = share of generated samples in M(real)        1 − precision: the share of *invalid* samples
    recall    = share of real samples in M(generated)        what the generator leaves out

A sample that falls between the classes, or is no digit at all, is far from every real image and counts as invalid.
Blurred images do not: they lie *between* neighbours. So the measure says "not out of the region", not "sharp". The
paper takes distances between features of a network trained on photographs; here they are between the rows as given.
k = 3 is the paper's choice. Cost: the distances of all pairs, by one matrix product, in blocks.

Source: Kynkäänniemi, Karras, Laine, Lehtinen & Aila 2019, "Improved precision and recall metric for assessing
generative models", equations 1 and 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def knn_precision(real: ArrayLike, generated: ArrayLike, *, k: int = 3) -> float:
    """The share of `generated` samples (G, n) that lie in the region of the `real` ones (R, n), R > k ≥ 1.

    ValueError: k neighbours that do not exist, NaN, shapes that do not fit.

    >>> real = [[0.0], [1.0], [2.0], [3.0]]
    >>> knn_precision(real, [[1.5], [99.0]], k=1)
    0.5
    """
    real, generated = _samples("real", real), _samples("generated", generated)
    if real.shape[1] != generated.shape[1]:
        raise ValueError(f"real samples have {real.shape[1]} columns and generated ones {generated.shape[1]}")
    return float(np.mean(inside(real, radii(real, k), generated)))


def knn_recall(real: ArrayLike, generated: ArrayLike, *, k: int = 3) -> float:
    """The share of `real` samples in the region of the `generated` ones: precision with the roles exchanged.

    >>> knn_recall([[0.0], [50.0]], [[0.0], [1.0], [2.0]], k=1)
    0.5
    """
    return knn_precision(generated, real, k=k)


def radii(X: Array, k: int) -> Array:
    """r_k (B,): the distance from each row of X (B, n) to its k-th nearest among the others, B > k."""
    if not 1 <= k < len(X):
        raise ValueError(f"k is {k}, but {len(X)} samples have 1 to {len(X) - 1} neighbours each; choose k among these")
    found = [np.partition(block, k, axis=1)[:, k] for block in _blocks(X, X)]  # itself, at distance 0, comes first
    return np.sqrt(np.concatenate(found))


def inside(X: Array, r: Array, Y: Array) -> NDArray[np.bool_]:
    """For each row of Y (G, n): is it in one of the balls of radius r (B,) around the rows of X (B, n)?"""
    slack = 1e-12 * (1 + float(np.max(np.einsum("ij,ij->i", X, X))))  # distances of equal points round to 0 ± this
    return np.concatenate([(block <= r**2 + slack).any(axis=1) for block in _blocks(Y, X)])


def _blocks(Y: Array, X: Array, rows: int = 1024):
    """Squared distances ‖y − x‖² = ‖y‖² + ‖x‖² − 2 y·x from some rows of Y to all of X, block by block."""
    x2 = np.einsum("ij,ij->i", X, X)
    for start in range(0, len(Y), rows):
        y = Y[start : start + rows]
        yield np.maximum(np.einsum("ij,ij->i", y, y)[:, None] + x2 - 2 * (y @ X.T), 0.0)


def _samples(name: str, X: ArrayLike) -> Array:
    array = np.asarray(X, dtype=np.float64)
    if array.ndim != 2 or not len(array):
        raise ValueError(f"{name} samples must be a matrix with one in each row; got an array of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} samples have NaN or infinite entries")
    return array
