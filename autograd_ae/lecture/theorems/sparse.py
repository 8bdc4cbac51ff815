"""Row 14: sparse codes with an orthonormal decoder are thresholds."""

from __future__ import annotations

from itertools import product

import numpy as np

import autograd_ae as ae
from autograd_ae.lecture.theorems.measure import Measure, given
from autograd_ae.lecture.theorems.training import built, data, descend, put

PENALTY = 0.8  # λ: entries up to λ/2 = 0.4 (L1) or √λ = 0.89 (L0) are switched off


def thresholds(seed: int) -> list[Measure]:
    """Orthonormal code u = xW, loss ‖·‖² + λ S(z): L1 is the soft threshold at λ/2, L0 the hard threshold at √λ.

    L1: a relu encoder under a fixed decoder W ᵀ, trained; on data with u ≥ 0 it can be the soft threshold, and is.
    L0: the PCA model's codes, against all 2^L ways of switching entries off.

    Source: Tibshirani 1996 (the lasso); Donoho & Johnstone 1994.
    """
    X, _, D = ae.data.sparse_codes(80, 8, n_atoms=5, n_nonzero=3, non_negative=True, rng=seed)
    model = built(ae.SparseAE(5, penalty="l1", sparsity_weight=PENALTY, code_activation="relu", random_state=seed), X)
    put(model, D.T, 0.05, D, 0.0)
    descend(model, X, parameters=model.parameters()[:2])
    best, found = ae.theory.sparse_code(X, D.T, penalty=PENALTY), ae.theory.compare(model, X)
    reached = model.transform(X)
    return [
        Measure("L1: excess loss of the trained encoder, relative", abs(given(found.relative_excess_loss)), 1e-10),
        Measure("L1: its codes against the soft threshold", np.abs(reached - best.code).max(), 1e-6),
        Measure(
            "L1: its share of active entries against the threshold's",
            abs(model.active_share(X) - best.active_share),
            0.0,
        ),
        *_hard(seed),
    ]


def _hard(seed: int) -> list[Measure]:
    X = data((2.0, 1.5, 1.0, 0.5, 0.2), seed=seed, n_samples=40)
    pca = ae.PCA(5).fit(X)
    Z = pca.transform(X)

    def loss(kept: np.ndarray) -> np.ndarray:
        """‖x − x̂‖² + λ‖z‖₀ of each sample, entries kept where 1."""
        return np.sum((X - pca.inverse_transform(Z * kept)) ** 2, axis=1) + PENALTY * np.sum(kept, axis=-1)

    least = np.min([loss(np.array(support)) for support in product((0, 1), repeat=5)], axis=0)
    best = ae.theory.sparse_code(X - pca.mean_, pca.components_.T, penalty=PENALTY, norm="l0")
    return [
        Measure("L0: loss against the best of all 32 supports, relative", abs(best.loss / least.mean() - 1), 1e-12),
        Measure(
            "L0: loss of the threshold's supports, worst sample", np.abs(loss(best.code != 0) - least).max(), 1e-12
        ),
    ]
