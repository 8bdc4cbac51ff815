"""Ways to spoil samples, for the denoising autoencoder: x̃ from x, drawn from a generator.

gaussian          x̃ = x + level · ε,  ε ~ N(0, 1)
masking           each entry is 0 with probability level, else kept (Vincent et al. 2008)
salt_and_pepper   each entry is, with probability level, the lowest or the highest value of the batch, evenly
low_resolution    means over factor × factor pixels, each repeated: 28×28 seen at 7×7 for a factor of 4

What is drawn is drawn into the result's own memory, one number an entry, and worked on there: a batch costs no memory.
"""

from __future__ import annotations

import math

import numpy as np

from autograd_ae.core.jit import JIT_ENABLED, jit
from autograd_ae.data.resolution import reduce_resolution

CORRUPTIONS = ("gaussian", "masking", "salt_and_pepper", "low_resolution")


def corrupt(
    X: np.ndarray, kind: str, level: float, rng: np.random.Generator, out: np.ndarray | None = None
) -> np.ndarray:
    """Spoiled copies of samples (B, n), of the same dtype; `level` is a standard deviation, a probability, or a factor.

    With `out`, an array like X in C order, they are written there, and nothing is allocated (without kernels, a mask).

    >>> corrupt(np.ones((1, 4)), "masking", 1.0, np.random.default_rng(0))
    array([[0., 0., 0., 0.]])
    """
    out = np.empty(X.shape, X.dtype) if out is None else out
    if kind == "gaussian":
        rng.standard_normal(out=out, dtype=X.dtype)
        return np.add(X, np.multiply(out, X.dtype.type(level), out=out), out=out)
    if kind == "masking":
        rng.random(out=out, dtype=X.dtype)
        return np.multiply(X, np.greater_equal(out, level, out=out), out=out)
    if kind == "salt_and_pepper":
        rng.random(out=out, dtype=X.dtype)
        return salt_and_pepper(out, X, level)
    if kind == "low_resolution":
        return low_resolution(out, X, int(level))
    raise ValueError(f"corruption is {kind!r}; one of {', '.join(map(repr, CORRUPTIONS))} is needed")


def salt_and_pepper(out: np.ndarray, X: np.ndarray, level: float) -> np.ndarray:
    """Of u in [0, 1), which `out` holds: the lowest value where u < level/2, the highest where level/2 ≤ u < level."""
    half, level, low, high = X.dtype.type(level / 2), X.dtype.type(level), X.min(), X.max()
    if JIT_ENABLED and X.flags.c_contiguous:
        salt_and_pepper_kernel(out.reshape(-1), X.reshape(-1), half, level, low, high)
    else:
        np.copyto(out, np.where(out < half, low, np.where(out < level, high, X)))
    return out


@jit
def salt_and_pepper_kernel(out, x, half, level, low, high):
    for i in range(x.size):
        u = out[i]
        out[i] = low if u < half else (high if u < level else x[i])


def low_resolution(out: np.ndarray, X: np.ndarray, factor: int) -> np.ndarray:
    """Each block's mean into its first pixel, then from there to the others."""
    side = math.isqrt(X.shape[1])
    if side * side != X.shape[1] or side % factor:
        reduce_resolution(X[:1], factor)  # raises
    blocks = (len(X), side // factor, factor, side // factor, factor)
    first = out.reshape(blocks)[:, :, 0, :, 0]
    np.mean(X.reshape(blocks), axis=(2, 4), out=first)
    if JIT_ENABLED:
        repeat_first_kernel(out.reshape(-1), side, factor)
    else:
        out.reshape(blocks)[...] = first.copy()[:, :, None, :, None]
    return out


@jit
def repeat_first_kernel(out, side, factor):
    """Every pixel ← the first of its block, in images of side × side."""
    for row in range(out.size // side):
        source = row // factor * factor * side  # side is a multiple of factor: no block crosses two images
        for column in range(side):
            out[row * side + column] = out[source + column // factor * factor]
