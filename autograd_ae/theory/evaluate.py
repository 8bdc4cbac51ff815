"""The evaluation of each theorem for a fitted model: its own value of the objective, and the optimal one.

Everything is computed from arrays: expectations over noise and over z are taken exactly (`denoising`, `gaussian`),
never sampled.

Dead latents. A latent counts as dead by its *activity*, a number in [0, 1]: for a VAE the variance over samples of its
posterior mean (Burda, Grosse & Salakhutdinov 2016), at the optimum 1 − βη²/λ; for L2 penalties the squared length of
its decoder row, at the optimum 1 − γ/λ, the rows being rotated to the singular ones where γ is uniform. Dead is what
stays at or below 0.01, or half the least activity that is predicted for a living one, whichever is smaller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import denoising, gaussian, linear, probabilistic, regularised, sparse
from ._inputs import Array, as_matrix, as_number
from .setting import Setting

ACTIVE = 0.01  # activity above which a latent is in use (Burda et al. 2016)


@dataclass
class Case:
    """A model, its setting, the data and what is known of them."""

    model: Any
    setting: Setting
    X: Array
    given: Any  # X as it came, which may have feature names that the model wants to see
    mean: Array = field(init=False)
    spectrum: Array = field(init=False)
    axes: Array = field(init=False)

    def __post_init__(self) -> None:
        bias = self.setting.biased or not self.setting.linear_decoder
        self.mean, self.spectrum, self.axes = linear.principal_axes(self.X, bias=bias)
        self.rank = linear.numerical_rank(self.X, self.spectrum)
        self.kept = min(self.setting.n_components, self.X.shape[1])  # no more directions than features

    def ask(self, name: str, *args: Any, **options: Any) -> Any:
        """A method of the model's own."""
        method = getattr(self.model, name, None)
        if not callable(method):
            raise TypeError(
                f"model: of type {type(self.model).__name__}, which has no `{name}()` and cannot be held against "
                "its theorem"
            )
        return method(*args, **options)

    def number(self, name: str) -> float:
        return as_number(self.ask(name, self.given), f"model.{name}(X)")

    @property
    def pca_loss(self) -> float:
        return float(self.spectrum[self.kept :].sum())


@dataclass
class Numbers:
    """What the evaluation of a theorem gives.

    loss, optimum    value of the objective, and its least; `unit`: what ‖x‖² counts in it
    meant            number of principal directions that the decoder should span; 0: none
    directions       (meant, N), those that should be v₁, v₂, … one by one; or None, and `mixed` says why
    dead, predicted  latents that are, and should be
    """

    loss: float | None = None
    optimum: float | None = None
    meant: int = 0
    unit: float = 1.0
    directions: Array | None = None
    mixed: str = "this theorem leaves the directions within the subspace free"
    dead: int | None = None
    predicted: int | None = None


def _reconstruction(case: Case) -> Numbers:
    return Numbers(case.number("reconstruction_error"), case.pca_loss, case.kept)


def _lossless(case: Case) -> Numbers:
    return Numbers(case.number("reconstruction_error"), case.pca_loss, case.rank)


def _l2(case: Case) -> Numbers:
    gamma, W1, W2 = case.setting.penalties, as_array(case.setting.encoder_weight), as_array(case.setting.decoder_weight)
    best = regularised.nonuniform_linear(case.X, gamma, bias=case.setting.biased)
    penalty = float(gamma @ (np.sum(W1**2, axis=0) + np.sum(W2**2, axis=1)))
    alive, uniform, order = best.active, np.ptp(gamma) == 0, np.argsort(gamma, kind="stable")
    lengths = np.linalg.svd(W2, compute_uv=False) if uniform else np.linalg.norm(W2, axis=1)
    found = Numbers(case.number("reconstruction_error") + penalty, best.loss, int(alive.sum()))
    found.dead, found.predicted = _dead(as_array(lengths) ** 2, best.singular_values**2), int((~alive).sum())
    rows = np.linalg.svd(W2, full_matrices=False)[2] if uniform else W2[order]
    if uniform or np.unique(gamma[alive]).size == found.meant:
        found.directions = rows[: found.meant]  # the smallest γ takes the largest λ, so those alive come first
    else:
        found.mixed = "latents of the same γ may be rotated among themselves"
    return found


def _additive(case: Case) -> Numbers:
    W, b = _composed(case.setting)
    variance = case.setting.corruption_level**2
    best = denoising.additive_dae(case.X, noise_variance=variance, n_components=case.kept)
    return Numbers(denoising.additive_dae_loss(case.X, W, b, noise_variance=variance), best.loss, case.kept)


def _masking(case: Case) -> Numbers:
    W, b = _composed(case.setting)
    q = 1 - case.setting.corruption_level
    best = denoising.masking_dae(case.X, keep_probability=q, n_components=case.kept)
    return Numbers(denoising.masking_dae_loss(case.X, W, b, keep_probability=q), best.loss, 0)


def _vae(case: Case) -> Numbers:
    setting, B = case.setting, len(case.X)
    shape = {"rows": B, "columns": setting.n_components}
    mean, variance = case.ask("encode_distribution", case.given)
    m, v = as_matrix(mean, "mean of q(z|x)", **shape), as_matrix(variance, "variance of q(z|x)", **shape)
    eta2 = as_number(setting.noise_variance, "noise_variance", above=0)  # type: ignore[arg-type]
    A, b = as_array(setting.decoder_weight), as_array(setting.decoder_bias)
    error, kl = gaussian.expected_squared_error(m, v, A, case.X, b), gaussian.gaussian_kl(m, v)
    given = None if setting.learned_noise else eta2
    best = probabilistic.linear_vae(case.X, setting.n_components, noise_variance=given, beta=setting.beta)
    loss, optimum = error / (2 * eta2) + setting.beta * kl, best.loss
    if setting.learned_noise:  # then the normaliser of the Gaussian belongs to it
        loss += len(b) / 2 * np.log(2 * np.pi * eta2)
        optimum += len(b) / 2 * np.log(2 * np.pi * best.noise_variance)
    found = Numbers(float(loss), float(optimum), int((~best.dead).sum()), unit=1 / (2 * eta2))
    found.dead, found.predicted = _dead(m.var(axis=0), 1 - best.variance), int(best.dead.sum())
    found.directions = A[np.argsort(-np.linalg.norm(A, axis=1), kind="stable")][: found.meant]
    return found


def _soft_threshold(case: Case) -> Numbers:
    weight, penalty = as_array(case.setting.decoder_weight), case.setting.sparsity_weight
    b = as_array(case.setting.decoder_bias) if case.setting.biased else np.zeros(case.X.shape[1])
    codes = as_matrix(case.ask("transform", case.given), "model.transform(X)", rows=len(case.X), columns=len(weight))
    best = sparse.sparse_code(case.X - b, weight.T, penalty=penalty, norm="l1")
    loss = case.number("reconstruction_error") + penalty * np.abs(codes).sum() / len(codes)
    return Numbers(float(loss), best.loss, 0)


EVALUATE = {
    1: _reconstruction,
    3: _reconstruction,
    5: _l2,
    6: _l2,
    7: _additive,
    8: _masking,
    10: _vae,
    11: _vae,
    14: _soft_threshold,
    20: _lossless,
}


def posterior_dead(case: Case) -> int:
    """How many latents of a VAE, for which no theorem predicts anything, have collapsed to the prior."""
    mean = as_matrix(case.ask("encode_distribution", case.given)[0], "mean of q(z|x)", rows=len(case.X))
    return _dead(mean.var(axis=0), np.zeros(0))


def _dead(activity: Array, predicted: Array) -> int:
    """How many latents are no more active than the module's threshold."""
    alive = predicted[predicted > 0]
    return int(np.sum(activity <= min(ACTIVE, alive.min() / 2 if alive.size else 1.0)))


def _composed(setting: Setting) -> tuple[Array, Array]:
    """x ↦ (xW₁ + b₁)W₂ + b₂ as one map x ↦ xW + b."""
    W1, W2 = as_array(setting.encoder_weight), as_array(setting.decoder_weight)
    b1 = np.zeros(len(W2)) if setting.encoder_bias is None else as_array(setting.encoder_bias)
    return W1 @ W2, b1 @ W2 + as_array(setting.decoder_bias)


def as_array(value: ArrayLike | None) -> Array:
    return np.asarray(value, dtype=float)
