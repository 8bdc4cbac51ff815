"""Fewer pixels, and back: the degradation of the lecture's "raise the resolution" task.

With blocks of k×k pixels, `reduce_resolution` R takes each block's mean and `enlarge` E repeats each pixel k×k times.
As matrices on rows, E = k² Rᵀ, so

    R E = I                       (enlarging loses nothing) P = E R = k² Rᵀ R,  P² = P = Pᵀ    (reducing, then
    enlarging, projects orthogonally on the images constant on blocks)

and the squared error of the degraded image x P is exactly ‖x‖² − ‖x P‖²: what a denoising autoencoder starts from.
Cost: one pass over the pixels.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd_ae.data.arguments import count


def reduce_resolution(
    images: ArrayLike, factor: int = 4, *, shape: tuple[int, int] | None = None
) -> NDArray[np.floating]:
    """Means over blocks of `factor` × `factor` pixels: (B, h·w) → (B, h·w / factor²); 28×28 becomes 7×7.

    `shape` is (h, w) of the images that come in, a square unless told. float32 and float64 are preserved; integers
    become float64. ValueError: rows that do not fit the shape, a shape that is not a multiple of `factor`.

    >>> reduce_resolution([[0, 2, 4, 4, 2, 0, 4, 4, 1, 1, 0, 0, 1, 1, 0, 8]], factor=2)
    array([[1., 4., 1., 2.]])
    """
    X, k = _rows(images), count("factor", factor)
    h, w = _shape(X, shape)
    if h % k or w % k:
        raise ValueError(f"blocks of {k}×{k} pixels do not tile an image of {h}×{w}; use a factor that divides both")
    blocks = X.reshape(len(X), h // k, k, w // k, k)
    return blocks.mean(axis=(2, 4)).reshape(len(X), h * w // k**2)


def enlarge(images: ArrayLike, factor: int = 4, *, shape: tuple[int, int] | None = None) -> NDArray[np.floating]:
    """Each pixel repeated `factor` × `factor` times: (B, h·w) → (B, h·w · factor²); 7×7 becomes 28×28.

    `shape` is (h, w) of the images that come in, a square unless told; dtypes and errors as for `reduce_resolution`.

    >>> enlarge([[1.0, 2.0]], factor=2, shape=(1, 2))
    array([[1., 1., 2., 2., 1., 1., 2., 2.]])
    """
    X, k = _rows(images), count("factor", factor)
    h, w = _shape(X, shape)
    blocks = np.broadcast_to(X.reshape(len(X), h, 1, w, 1), (len(X), h, k, w, k))
    return np.array(blocks, order="C").reshape(len(X), h * w * k**2)


def _rows(images: ArrayLike) -> NDArray[np.floating]:
    X = np.asarray(images)
    if X.ndim != 2:
        raise ValueError(f"images must be a matrix with one image in each row; got an array of shape {X.shape}")
    if X.dtype.kind not in "buif":
        raise TypeError(f"images must be real numbers; got dtype {X.dtype}")
    return X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)


def _shape(X: NDArray, shape: tuple[int, int] | None) -> tuple[int, int]:
    n = X.shape[1]
    h, w = shape if shape is not None else (isqrt(n), isqrt(n))
    if h * w != n or min(h, w) < 1:
        arrived = f"rows of {n} pixels"
        raise ValueError(f"{arrived} are not images of {h}×{w}; give shape=(height, width)")
    return h, w
