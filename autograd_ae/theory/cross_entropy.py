"""Levels that a reconstruction loss must be read against: the mean-image plateau, and floor and collapse of the
cross-entropy on grey pixels.

A network that has not started to learn returns one image for every input. The best such image is the mean μ, under
squared error and under cross-entropy alike (set the derivative to 0), with losses

    plateau    E‖x − μ‖² = tr S                                   (row 1 with no component at all)
    collapse   Σ_j H(μ_j, μ_j),   H(t, p) = −t ln p − (1 − t) ln(1 − p)

Cross-entropy as a function of p is least at p = t, where it is the entropy of the pixel and not 0 unless t is 0 or 1:

    floor      E Σ_j H(x_j, x_j),       loss − floor = E Σ_j KL(Ber x_j ‖ Ber p_j) ≥ 0.

So only loss − floor measures reconstruction, and a loss near `collapse` means that the code is not used.
Sums over pixels, means over samples; nats. X in [0, 1]. Source: elementary (Gibbs' inequality).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import Array, as_samples, as_vector


def mean_image_plateau(X: ArrayLike, *, mean: ArrayLike | None = None) -> float:
    """E‖x − μ‖², the squared error of returning `mean` (N,) for every sample; μ of X itself if not given.

    For test data pass the mean of the training data.

    >>> mean_image_plateau([[0.0, 1.0], [1.0, 1.0]])
    0.25
    """
    X = as_samples(X)
    mean = X.mean(axis=0) if mean is None else as_vector(mean, "mean", X.shape[1])
    return float(np.sum((X - mean) ** 2) / len(X))


def cross_entropy_floor(X: ArrayLike) -> float:
    """E Σ_j H(x_j, x_j): what binary cross-entropy costs when every pixel of X (B, N) is reproduced exactly.

    0 for black and white pixels, ln 2 for each pixel at ½.

    >>> cross_entropy_floor([[0.0, 0.5, 1.0]])
    0.6931471805599453
    """
    X = _unit(as_samples(X), "X")
    return float(_cross_entropy(X, X).sum() / len(X))


def collapse_level(X: ArrayLike, *, mean: ArrayLike | None = None) -> float:
    """E Σ_j H(x_j, μ_j): binary cross-entropy of the constant output `mean` (N,).

    If not given, it is the mean of X itself, the best constant. With the mean of other data the level may be infinite:
    a pixel that was always 0 there and is lit here. Clip that mean as a sigmoid output does to compare networks.

    >>> collapse_level([[0.0, 0.5], [1.0, 0.5]])
    1.3862943611198906
    """
    X = _unit(as_samples(X), "X")
    p = X.mean(axis=0) if mean is None else _unit(as_vector(mean, "mean", X.shape[1]), "mean")
    return float(_cross_entropy(X.mean(axis=0), p).sum())  # H is linear in its first argument


def _cross_entropy(t: Array, p: Array) -> Array:
    """−t ln p − (1 − t) ln(1 − p) entry by entry, with 0 ln 0 = 0."""
    with np.errstate(divide="ignore"):  # ln 0 is meant: where t asks for it, the cross-entropy is infinite
        lit = np.multiply(t, -np.log(p), out=np.zeros_like(t), where=t > 0)
        return lit + np.multiply(1 - t, -np.log1p(-p), out=np.zeros_like(t), where=t < 1)


def _unit(values: Array, name: str) -> Array:
    if values.min() < 0 or values.max() > 1:
        raise ValueError(
            f"{name}: cross-entropy needs values in [0, 1], but they run from {values.min():g} to {values.max():g}; "
            "divide pixels of 0 … 255 by 255"
        )
    return values
