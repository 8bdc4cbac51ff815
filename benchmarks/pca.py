"""Workload P: PCA in closed form of 60,000 images of 784 pixels, k = 2 and 30, in float64.

`--data FOLDER` takes MNIST's training images; without it synthetic ones of the same shape and type are made, of 64
smooth patterns with falling weights and a little noise, so that the first eigenvalues are well apart. Contenders must
agree on variances and components to 1e-9. Each process keeps its own images, 376 MB in float64. This library makes use
of their being whole numbers from 0 to 255, in float64 as in uint8; how fast it is where they are not is seen beside it,
from pixels divided by 255. `covariance_eigh` is scikit-learn's solver for many samples of few features, as exact as
these.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.workload import Contender, Options, Step, Workload

SAMPLES, QUICK_SAMPLES, SIDE, PATTERNS = 60_000, 4_000, 28, 64


@dataclass(frozen=True)
class Problem:
    """uint8 images in rows, and the number of components."""

    pixels: np.ndarray
    k: int


def images(options: Options, *, k: int) -> Problem:
    """MNIST where --data names it, else synthetic images."""
    samples = QUICK_SAMPLES if options.quick else SAMPLES
    if options.data is None:
        return Problem(synthetic(samples), k)
    import autograd_ae as ae

    return Problem(ae.data.load_mnist(options.data).train.pixels[:samples], k)


def synthetic(samples: int, side: int = SIDE) -> np.ndarray:
    """uint8 (samples, side²): cosine patterns with weights of standard deviation 60 · 0.93ⁱ about 128, and noise."""
    rng = np.random.default_rng(0)
    along = np.cos(np.pi * np.outer(np.arange(8), np.arange(side) + 0.5) / side)  # (8, side) cosine transform
    patterns = np.einsum("ik,jl->ijkl", along, along).reshape(PATTERNS, side * side)
    patterns /= np.abs(patterns).max(axis=1, keepdims=True)
    codes = rng.normal(size=(samples, PATTERNS)) * 60 * 0.93 ** np.arange(PATTERNS)
    pixels = codes.astype(np.float32) @ patterns.astype(np.float32)
    pixels += 128 + rng.normal(scale=4, size=pixels.shape).astype(np.float32)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def own(problem: Problem, *, dtype: type, scale: float = 1.0) -> Step:
    """From pixels times `scale`; the variances are given without it, as the others' are."""
    import autograd_ae as ae

    X = problem.pixels.astype(dtype)
    if scale != 1:
        X *= scale

    def step():
        pca = ae.PCA(n_components=problem.k).fit(X)
        return pca.explained_variance_ / scale**2, np.abs(pca.components_)

    return step


def gram_by_hand(problem: Problem) -> Step:
    """Five lines of NumPy: centre, Gram matrix, eigenvectors."""
    X = problem.pixels.astype(np.float64)

    def step():
        centred = X - X.mean(axis=0)
        variances, vectors = np.linalg.eigh(centred.T @ centred / (len(X) - 1))
        return variances[::-1][: problem.k], np.abs(vectors.T[::-1][: problem.k])

    return step


def scikit_learn(problem: Problem) -> Step:
    from sklearn.decomposition import PCA

    X = problem.pixels.astype(np.float64)

    def step():
        pca = PCA(n_components=problem.k, svd_solver="covariance_eigh").fit(X)
        return pca.explained_variance_, np.abs(pca.components_)

    return step


CONTENDERS = [
    Contender("autograd_ae, float64", partial(own, dtype=np.float64), needs=("autograd_ae.models",)),
    Contender(
        "autograd_ae, float64 in [0, 1]",
        partial(own, dtype=np.float64, scale=1 / 255),
        needs=("autograd_ae.models",),
    ),
    Contender("autograd_ae, uint8", partial(own, dtype=np.uint8), needs=("autograd_ae.models",)),
    Contender("scikit-learn covariance_eigh", scikit_learn, needs=("sklearn.decomposition",)),
    Contender("NumPy by hand", gram_by_hand),
]
WORKLOADS = [
    Workload(
        f"P/{k}",
        f"PCA of {SAMPLES:,} images ({QUICK_SAMPLES:,} with --quick) of {SIDE}×{SIDE} pixels, {k} components",
        partial(images, k=k),
        CONTENDERS,
        unit="ms",
        tolerance=1e-9,
        checked_step=1,
    )
    for k in (2, 30)
]
