"""Ways to spoil samples, for the denoising autoencoder: x̃ from x, drawn from a generator.

gaussian          x̃ = x + level · ε,  ε ~ N(0, 1)
masking           each entry is 0 with probability level, else kept (Vincent et al. 2008)
salt_and_pepper   each entry is, with probability level, the lowest or the highest value of the batch, evenly
low_resolution    means over factor × factor pixels, each repeated: 28×28 seen at 7×7 for a factor of 4
"""

from __future__ import annotations

import math

import numpy as np

from autograd_ae.data.resolution import enlarge, reduce_resolution

CORRUPTIONS = ("gaussian", "masking", "salt_and_pepper", "low_resolution")


def corrupt(
    X: np.ndarray, kind: str, level: float, rng: np.random.Generator, out: np.ndarray | None = None
) -> np.ndarray:
    """Spoiled copies of samples (B, n), of the same dtype; `level` is a standard deviation, a probability, or a factor.

    With `out`, an array like X, they are written there; for "gaussian" and "masking" nothing is then allocated.

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
        hit = rng.random(X.shape, dtype=X.dtype) < level
        np.copyto(out, np.where(hit, np.where(rng.random(X.shape) < 0.5, X.min(), X.max()), X))
        return out
    if kind == "low_resolution":
        small = reduce_resolution(X, int(level))
        side = math.isqrt(small.shape[1])
        np.copyto(out, enlarge(small, int(level), shape=(side, side)))
        return out
    raise ValueError(f"corruption is {kind!r}; one of {', '.join(map(repr, CORRUPTIONS))} is needed")
