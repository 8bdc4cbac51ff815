"""PCA in closed form: the projection onto the L directions of largest variance has the least error of all linear codes.

With X centred, X = U diag(s) Vᵀ and S = XᵀX/B = V diag(λ) Vᵀ, λ_i = s_i²/B,
Eckart & Young (1936) and Pearson (1901) give

    min over rank-L linear maps of ‖X − X̂‖²_F / B  =  Σ_{i>L} λ_i,      attained by   z = (x − μ) V_L,   x̂ = z V_Lᵀ + μ.

Two ways to V. "svd" decomposes X and keeps all digits, in O(B N²) with a large constant. "gram" diagonalises XᵀX,
one matrix product and an N×N problem (`eigen.py`), many times faster when there are more samples than features;
eigenvalues then have an absolute error of about ε λ₁, so components whose variance is below 1e-14 of the first are
noise.

For uint8 images the Gram matrix is exact. Pixels less 128 lie in [−128, 127], products of two are at most 2¹⁴,
and a sum of 2¹⁰ of them at most 2²⁴: float32 represents every integer up to there, so a float32 matrix product over
1,024 rows makes no rounding error at all, at twice the speed of float64. The blocks are summed in float64
(exact to 2⁵³), and the shift by 128 is undone in integers. Wide samples in float32 or float64 are taken the same way
if all numbers are whole and from 0 to 255, as in images that are not scaled yet.

Signs are fixed by making the entry of largest magnitude of each component positive.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from autograd_ae.models.base import Model, mean_squared_distance
from autograd_ae.models.eigen import leading
from autograd_ae.models.estimator import check_choice, check_count
from autograd_ae.models.health import as_text
from autograd_ae.models.validation import check_finite

EXACT_ROWS = 2**24 // 128**2  # rows whose float32 Gram matrix is a sum of integers that never exceeds 2²⁴
WIDE = 256  # features from which on the faster product more than makes up for a look at every number


class PCA(Model):
    """Principal component analysis by SVD or by the Gram matrix's eigenvectors.

    Parameters
    ----------
    n_components : L, at most min(n_samples, n_features); None keeps them all.
    svd_solver : "svd", "gram", or "auto": gram when there are at least twice as many samples as features,
        or for uint8 at least as many.

    Attributes
    ----------
    components_ : (L, n_features), orthonormal rows, largest variance first.
    mean_ : (n_features,).
    spectrum_ : all min(n_samples, n_features) eigenvalues λ of XᵀX/B, descending.
    explained_variance_ : (L,), λ·B/(B − 1), the unbiased estimate that scikit-learn reports.
    explained_variance_ratio_, singular_values_ : (L,).
    loss_ : Σ_{i>L} λ_i, the mean squared reconstruction error on the training samples.

    >>> X = np.array([[2.0, 1.0], [-2.0, -1.0], [4.0, 2.0], [-4.0, -2.0]])   # the lecture's line x = (2α, α)
    >>> pca = PCA(n_components=1).fit(X)
    >>> (pca.components_ * np.sqrt(5)).round(6), pca.loss_ < 1e-12
    (array([[2., 1.]]), True)
    """

    components_: np.ndarray
    spectrum_: np.ndarray
    _accepts_uint8 = True

    def __init__(self, n_components: int | None = None, *, svd_solver: str = "auto"):
        self.n_components = n_components  # type: ignore[assignment]
        self.svd_solver = svd_solver

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn mean and components from samples (B, n_features); uint8 is taken as integers 0 to 255. y is ignored."""
        with self._keeping_features():
            X = self._samples(X, reset=True, finite=False)
            samples, features = X.shape
            kept = self._kept(samples, features)
            enough = features if X.dtype == np.uint8 else 2 * features
            gram = self.svd_solver == "gram" or (self.svd_solver == "auto" and samples >= enough)
            mean, spectrum, directions = _by_gram(X, kept) if gram else _by_svd(X)
        dtype = np.float32 if X.dtype == np.float32 else np.float64
        self.mean_ = mean.astype(dtype)
        self.components_ = _fixed_signs(directions[:kept]).astype(dtype)
        self.spectrum_ = spectrum
        self.singular_values_ = np.sqrt(samples * spectrum[:kept])
        self.explained_variance_ = spectrum[:kept] * samples / max(samples - 1, 1)
        total = spectrum.sum()
        self.explained_variance_ratio_ = spectrum[:kept] / total if total > 0 else np.zeros(kept)
        self.n_components_ = kept
        self.loss_ = float(spectrum[kept:].sum())
        return self

    def _kept(self, samples: int, features: int) -> int:
        """How many components, after checking the hyper-parameters."""
        check_choice("svd_solver", self.svd_solver, ("auto", "svd", "gram"))
        kept = min(samples, features) if self.n_components is None else self.n_components
        check_count("n_components", kept)
        if kept > min(samples, features):
            raise ValueError(
                f"n_components={kept} must be at most min(n_samples, n_features) = {min(samples, features)}; "
                f"X has n_samples = {samples} sample(s) and n_features = {features} feature(s)"
            )
        return kept

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def _encode(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.components_.T

    def _decode(self, Z: np.ndarray) -> np.ndarray:
        return Z @ self.components_ + self.mean_

    def theory_setting(self) -> dict[str, Any]:
        """As for every model: two linear maps."""
        setting = super().theory_setting()
        axes, mean = self.components_.astype(np.float64), self.mean_.astype(np.float64)
        encoder = {"encoder_weight": axes.T, "encoder_bias": -mean @ axes.T}
        return setting | encoder | {"decoder_weight": axes, "decoder_bias": mean}

    def summary(self, X: Any = None) -> str:
        """What was learned, and the error on X where X is given."""
        self._check_fitted()
        left_out = len(self.spectrum_) - self.n_components_
        lines = [
            f"PCA: {self.n_features_in_} features, {self.n_components_} components, closed form",
            f"explained variance    {self.explained_variance_ratio_.sum():.2%}",
            f"training error        {self.loss_:.6g}   (sum of the {left_out} eigenvalues left out)",
        ]
        if X is not None:
            lines += as_text(self.diagnostics(X), self.n_components_)
        return "\n".join(lines)


def _by_svd(X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, eigenvalues of the covariance (divisor B) and directions as rows, from the samples themselves."""
    X = X.astype(np.float64)
    mean = finite_mean(X)
    _, s, Vt = np.linalg.svd(X - mean, full_matrices=False)
    return mean, s**2 / len(X), Vt


def _by_gram(X: np.ndarray, kept: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same from the Gram matrix: at most min(B, N) eigenvalues, and the directions that are kept."""
    pixels = as_pixels(X)
    mean, scatter = float_scatter(X) if pixels is None else exact_scatter(pixels)
    scatter /= len(X)
    eigenvalues, directions = leading(scatter, kept)
    return mean, np.maximum(eigenvalues[: min(X.shape)], 0.0), directions


def as_pixels(X: np.ndarray) -> np.ndarray | None:
    """X as uint8; None where that would change a number, which most often the first rows show, or save no time."""
    if X.dtype == np.uint8:
        return X
    if X.shape[1] < WIDE:
        return None
    pixels = np.empty(X.shape, np.uint8)
    with np.errstate(invalid="ignore"):  # NaN is no pixel, and is found to be none
        for start in range(0, len(X), EXACT_ROWS):
            rows, place = X[start : start + EXACT_ROWS], pixels[start : start + EXACT_ROWS]
            np.copyto(place, rows, casting="unsafe")
            if not np.array_equal(place, rows):
                return None
    return pixels


def finite_mean(X: np.ndarray) -> np.ndarray:
    """The mean of float rows in float64; ValueError where X holds NaN or infinity, which the mean shows."""
    with np.errstate(over="ignore", invalid="ignore"):
        # A product with ones is faster than `mean`, but of float32 it would make a copy.
        mean = np.ones(len(X)) @ X / len(X) if X.dtype == np.float64 else X.mean(axis=0, dtype=np.float64)
        check_finite(X, "PCA", mean)
    return mean


def float_scatter(X: np.ndarray, block: int = 2048) -> tuple[np.ndarray, np.ndarray]:
    """Mean μ and Σ (x − μ)(x − μ)ᵀ in float64: Σ (x − c)(x − c)ᵀ less B δδᵀ, δ = μ − c, for any c.

    With c = 0 that is one matrix product of X itself, and what is taken off costs less than a digit while ‖μ‖² is at
    most 8 times the variance, as in images; some rows tell. Else each block of rows is centred by c, the mean as it
    was summed, near enough to μ that nothing cancels.
    """
    origin = finite_mean(X)
    some = X[:: -(-len(X) // 512)] - origin
    if X.dtype == np.float64 and origin @ origin <= 8 * np.square(some).sum() / len(some):
        scatter = X.T @ X
        scatter -= np.multiply.outer(len(X) * origin, origin)
        return origin, scatter
    scatter, total = np.zeros((X.shape[1], X.shape[1])), np.zeros(X.shape[1])
    for start in range(0, len(X), block):
        centred = X[start : start + block] - origin
        total += centred.sum(axis=0)
        scatter += centred.T @ centred
    offset = total / len(X)
    return origin + offset, scatter - len(X) * np.multiply.outer(offset, offset)


def exact_scatter(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scatter of uint8 rows: the Gram matrix is computed without any rounding (see the module)."""
    samples, features = X.shape
    gram = np.zeros((features, features))
    product = np.empty((features, features), np.float32)
    for start in range(0, samples, EXACT_ROWS):
        shifted = X[start : start + EXACT_ROWS].astype(np.float32)
        shifted -= 128.0
        np.matmul(shifted.T, shifted, out=product)
        gram += product
    total = X.sum(axis=0, dtype=np.int64) - 128 * samples  # of the shifted pixels
    exact = gram.astype(np.int64) * samples - np.multiply.outer(total, total)  # B·Σxxᵀ − ΣxΣxᵀ: the shift drops out
    return total / samples + 128.0, exact / samples


def _fixed_signs(directions: np.ndarray) -> np.ndarray:
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    return directions * np.where(signs == 0, 1.0, signs)[:, None]


__all__ = ["PCA", "mean_squared_distance"]
