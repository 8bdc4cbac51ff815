"""Synthetic data with a known answer: what a model should find in them can be written down before it is trained.

    rank_one_line           x = (2α, α)                       the lecture's known structure; one latent is enough
    noisy_line              x = α d + σ ε                     points around a line: the best line is spanned by d
    circle                  x = (sin θ, cos θ)                no line at all, yet one latent θ
    low_rank                X = U diag(s) Vᵀ                  singular values as given; PCA's error is Σ_{i>L} s_i²
    gaussian_with_spectrum  x ~ N(μ, V diag(λ) Vᵀ)            of the population or, exactly, of the sample
    sparse_codes            x = z D, z with k nonzeros        the lecture's sparse representation

Samples in rows. All are drawn in float64 from the `rng` that is given, a seed or a Generator, and rounded once to
`dtype`: the float32 sample is the float64 one, rounded. The spectra hold to about 1e-15 of the largest value in
float64. Covariances are S = XᵀX/B of centred X, with B and not B − 1 below, as in λ_i = s_i²/B.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from autograd_ae.data.arguments import (
    count,
    float_dtype,
    generator,
    non_negative,
    orthonormal_columns,
    spectrum,
    vector,
)

if TYPE_CHECKING:
    from autograd_ae.data.arguments import Seed

Floats = NDArray[np.floating]


class CirclePoints(NamedTuple):
    """Points of the unit circle and their angles."""

    X: Floats  # (B, 2)
    theta: Floats  # (B,)


class SparseSample(NamedTuple):
    """Data X = Z D with the codes and the dictionary that made them."""

    X: Floats  # (B, n_features)
    Z: Floats  # (B, n_atoms), k nonzeros in each row
    D: Floats  # (n_atoms, n_features), rows of norm 1


def rank_one_line(n_samples: int = 100, *, rng: Seed = 0, dtype: DTypeLike = np.float64) -> Floats:
    """x_b = (2 α_b, α_b), α_b ~ N(0, 1): (B, 2), of rank one exactly, in floating point too.

    w = (1, −1), ŵ = (2, 1) recover every point, ŵ wᵀx = x, though ŵwᵀ ≠ I (the lecture, "known structure"). Every
    minimum of ‖ŵwᵀx − x‖² has ŵ ∝ (2, 1) and wᵀŵ = 1; PCA's is ŵwᵀ = [[.8, .4], [.4, .2]].

    >>> X = rank_one_line(5)
    >>> bool(np.all(X @ np.outer([1, -1], [2, 1]) == X))
    True
    """
    B, out = count("n_samples", n_samples), float_dtype(dtype)
    alpha = generator(rng).standard_normal(B).astype(out)
    return np.stack([2 * alpha, alpha], axis=1)


def noisy_line(
    n_samples: int = 100,
    *,
    direction: ArrayLike = (2.0, 1.0),
    noise: float = 0.1,
    rng: Seed = 0,
    dtype: DTypeLike = np.float64,
) -> Floats:
    """x_b = α_b d + σ ε_b, α_b ~ N(0, 1), ε_b ~ N(0, I): points around the line along d, (B, len(d)).

    The population covariance is d dᵀ + σ²I, with the eigenvalues ‖d‖² + σ², σ², …, σ²: a probabilistic PCA with one
    component (Tipping & Bishop 1999). `direction` is d, of any length that is not 0; `noise` is σ.

    >>> noisy_line(200, direction=(3, 0, 4), noise=0).shape
    (200, 3)
    """
    B, d, sigma, out = (
        count("n_samples", n_samples),
        vector("direction", direction),
        non_negative("noise", noise),
        float_dtype(dtype),
    )
    if not d.any():
        raise ValueError("direction must not be the zero vector: it has no line")
    rng = generator(rng)
    alpha, epsilon = rng.standard_normal((B, 1)), rng.standard_normal((B, len(d)))
    return (alpha * d + sigma * epsilon).astype(out)


def circle(n_samples: int = 100, *, rng: Seed | None = None, dtype: DTypeLike = np.float64) -> CirclePoints:
    """x_b = (sin θ_b, cos θ_b) and θ: evenly spaced, θ_b = 2πb/B, or with an `rng` uniform on [0, 2π).

    Evenly spaced and B ≥ 3, the sample mean is 0 and S = ½ I, so every direction is a first principal component and the
    error of PCA with one is ½. One latent angle would do, but no continuous encoder into the line finds it everywhere:
    some point is off by at least 1 (Borsuk–Ulam); a circular code removes the obstruction (Scholz 2007).

    >>> X, theta = circle(4)
    >>> np.round(X.T @ X / 4, 12).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    B, out = count("n_samples", n_samples), float_dtype(dtype)
    turns = np.arange(B) / B if rng is None else generator(rng).random(B)
    theta = 2 * np.pi * turns
    return CirclePoints(np.stack([np.sin(theta), np.cos(theta)], axis=1).astype(out), theta.astype(out))


def low_rank(
    n_samples: int,
    n_features: int,
    *,
    singular_values: ArrayLike,
    directions: ArrayLike | None = None,
    rng: Seed = 0,
    dtype: DTypeLike = np.float64,
) -> Floats:
    """X = U diag(s) Vᵀ, (B, N), centred, with exactly the singular values s_1 … s_r and zeros beyond.

    U is a random r-frame orthogonal to the vector of ones (so that the columns of X have mean 0), V a random r-frame,
    both uniform; or V is `directions`, (N, r) with orthonormal columns. The least error of L components is Σ_{i>L} s_i²
    / B (Eckart & Young 1936). ValueError: r > n_features or r ≥ n_samples.

    >>> X = low_rank(50, 8, singular_values=[5, 2, 1])
    >>> np.round(np.linalg.svd(X, compute_uv=False), 12).tolist()
    [5.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    B, N, s = (
        count("n_samples", n_samples),
        count("n_features", n_features),
        spectrum("singular_values", singular_values),
    )
    r, out, rng = len(s), float_dtype(dtype), generator(rng)
    if r > N:
        raise ValueError(f"{r} singular values do not fit into {N} features; give at most {N}")
    U, V = _centred_frame(B, r, rng), _directions(N, r, directions, rng)
    return (U * s @ V.T).astype(out)


def gaussian_with_spectrum(
    n_samples: int,
    *,
    eigenvalues: ArrayLike,
    mean: ArrayLike | None = None,
    directions: ArrayLike | None = None,
    exact: bool = False,
    rng: Seed = 0,
    dtype: DTypeLike = np.float64,
) -> Floats:
    """x_b ~ N(μ, V diag(λ) Vᵀ), (B, N) with N = len(eigenvalues); zeros among them make it degenerate.

    V is a random rotation, or `directions`, (N, N) with orthonormal columns; `np.eye(N)` gives independent features.
    With `exact`, the *sample* mean is μ and the *sample* covariance XᵀX/B of the centred X is V diag(λ) Vᵀ, both to
    rounding: the whitened draw is replaced by √B times an orthonormal frame that is orthogonal to the ones. That needs
    n_samples > the number of nonzero eigenvalues.

    >>> X = gaussian_with_spectrum(20, eigenvalues=[4, 1, 0], mean=[1, 2, 3], exact=True)
    >>> C = X - X.mean(axis=0)
    >>> np.round(np.linalg.eigvalsh(C.T @ C / 20)[::-1] + 0.0, 12).tolist()
    [4.0, 1.0, 0.0]
    """
    B, lam = count("n_samples", n_samples), spectrum("eigenvalues", eigenvalues)
    N, out, rng = len(lam), float_dtype(dtype), generator(rng)
    mu = np.zeros(N) if mean is None else vector("mean", mean)
    if len(mu) != N:
        raise ValueError(f"mean has {len(mu)} entries, but there are {N} eigenvalues, one for each feature")
    V = _directions(N, N, directions, rng)
    active = lam > 0
    r = int(active.sum())
    Z = np.sqrt(B) * _centred_frame(B, r, rng) if exact else rng.standard_normal((B, r))
    return (mu + Z * np.sqrt(lam[active]) @ V[:, active].T).astype(out)


def sparse_codes(
    n_samples: int,
    n_features: int = 100,
    *,
    n_atoms: int = 100,
    n_nonzero: int = 5,
    non_negative: bool = False,
    rng: Seed = 0,
    dtype: DTypeLike = np.float64,
) -> SparseSample:
    """x_b = z_b D with exactly `n_nonzero` nonzeros in each z_b: the lecture's ℝ¹⁰⁰ → 100 (or 80) numbers, mostly zero.

    The support of z_b is drawn uniformly, its entries from N(0, 1) (their absolute values if `non_negative`, for codes
    that a ReLU can give). The atoms, the rows of D, have norm 1; they are orthonormal if n_atoms ≤
    n_features, so that z_b = x_b Dᵀ exactly and the soft threshold of the lasso is in closed form, and otherwise
    independent and uniform on the sphere.

    >>> X, Z, D = sparse_codes(10, n_atoms=80, n_nonzero=4)
    >>> X.shape, Z.shape, np.count_nonzero(Z, axis=1).tolist()
    ((10, 100), (10, 80), [4, 4, 4, 4, 4, 4, 4, 4, 4, 4])
    """
    B, N, K = count("n_samples", n_samples), count("n_features", n_features), count("n_atoms", n_atoms)
    k, out, rng = count("n_nonzero", n_nonzero, at_least=0), float_dtype(dtype), generator(rng)
    if k > K:
        raise ValueError(f"a code of {K} numbers cannot have {k} nonzeros; give n_nonzero ≤ n_atoms")
    D = _frame(N, K, rng).T if K <= N else _unit_rows(rng.standard_normal((K, N)))
    Z = np.zeros((B, K))
    support = np.argsort(rng.random((B, K)), axis=1)[:, :k]
    values = rng.standard_normal((B, k))
    np.put_along_axis(Z, support, np.abs(values) if non_negative else values, axis=1)
    return SparseSample((Z @ D).astype(out), Z.astype(out), D.astype(out))


def _frame(n: int, r: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """r orthonormal columns in ℝⁿ, uniform: Q of a Gaussian matrix, signed so that diag R > 0 (Mezzadri 2007)."""
    Q, R = np.linalg.qr(rng.standard_normal((n, r)))
    return Q * np.where(np.diagonal(R) < 0, -1.0, 1.0)


def _centred_frame(n: int, r: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """r orthonormal columns in ℝⁿ that are orthogonal to the ones: Q of [1, Gaussian] without its first column."""
    if r >= n:
        raise ValueError(f"{r} nonzero components need at least {r + 1} samples (one is spent on the mean); got {n}")
    Q, R = np.linalg.qr(np.column_stack([np.ones(n), rng.standard_normal((n, r))]))
    return (Q * np.where(np.diagonal(R) < 0, -1.0, 1.0))[:, 1:]


def _directions(n: int, r: int, directions: ArrayLike | None, rng: np.random.Generator) -> NDArray[np.float64]:
    return _frame(n, r, rng) if directions is None else orthonormal_columns("directions", directions, (n, r))


def _unit_rows(A: NDArray[np.float64]) -> NDArray[np.float64]:
    return A / np.linalg.norm(A, axis=1, keepdims=True)
