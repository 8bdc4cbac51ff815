"""Two expectations that a variational autoencoder's sampler must reproduce (rows 12, 13).

Both are exact, so a Monte Carlo mean *of the model's own samples* must agree with them within its standard error.
That is what finds a log-variance that is read as a log-deviation: the formulas alone cannot see it.

Means over samples, sums over latents or features, as everywhere in the project.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import Array, as_matrix, as_vector


def expected_squared_error(
    mean: ArrayLike, variance: ArrayLike, decoder: ArrayLike, target: ArrayLike, bias: ArrayLike | None = None
) -> float:
    """Row 12. E‖zA + b − x‖² = ‖mA + b − x‖² + Σ_j v_j ‖A_j‖² for z ~ N(m, diag v), averaged over the samples.

    mean and variance (B, L) (v, not its logarithm), decoder A (L, N), target x (B, N), bias b (N,) or none. The cross
    term has mean 0 and the latents are independent; no Gaussian is needed, only the two moments.

    Source: elementary; it holds for any VAE whose decoder is one linear layer.

    >>> expected_squared_error([[1.0]], [[0.25]], [[2.0, 0.0]], [[2.0, 3.0]])
    10.0
    """
    m, v = _posterior(mean, variance)
    A = as_matrix(decoder, "decoder", rows=m.shape[1])
    x = as_matrix(target, "target", rows=len(m), columns=A.shape[1])
    b = np.zeros(A.shape[1]) if bias is None else as_vector(bias, "bias", A.shape[1])
    return float(np.sum((m @ A + b - x) ** 2) / len(m) + v.mean(axis=0) @ np.sum(A**2, axis=1))


def gaussian_kl(mean: ArrayLike, variance: ArrayLike) -> float:
    """Row 13. KL(N(m, diag v) ‖ N(0, I)) = ½ Σ_j (m² + v − 1 − ln v), averaged over the samples; nats.

    mean and variance (B, L); v > 0 is the variance, not its logarithm. Near v = 1 it is written u − log1p(u) with
    u = v − 1: absolute error ε|u|, where v − 1 − ln v has ε.

    Source: Kingma & Welling 2014, appendix B.

    >>> gaussian_kl([[0.0, 1.0]], [[1.0, 1.0]])
    0.5
    """
    m, v = _posterior(mean, variance)
    if v.min() <= 0:
        raise ValueError(f"variance: it must be positive, but {v.min()} arrived; was its logarithm passed?")
    u = v - 1
    return float(0.5 * np.sum(m**2 + (u - np.log1p(u))) / len(m))


def _posterior(mean: ArrayLike, variance: ArrayLike) -> tuple[Array, Array]:
    m = as_matrix(mean, "mean")
    v = as_matrix(variance, "variance", rows=m.shape[0], columns=m.shape[1])
    if v.min() < 0:
        raise ValueError(f"variance: it must not be negative, but {v.min()} arrived; was its logarithm passed?")
    return m, v
