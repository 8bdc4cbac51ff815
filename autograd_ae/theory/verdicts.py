"""A fitted model held against the theorem that applies to it: value, optimum, gap, angles, dead latents.

`laws.law_of` says which theorem; here it is evaluated on the data X. Everything is computed from arrays: expectations
over noise and over z are taken exactly (`denoising`, `gaussian`), never sampled, except that a Bernoulli VAE's ELBO,
which belongs to no theorem, is the model's own estimate.

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

from . import cross_entropy, denoising, gaussian, linear, probabilistic, regularised, sparse
from ._inputs import Array, as_matrix, as_number, as_samples
from .laws import BOUND, EQUALITY, Law, law_of
from .setting import Setting, setting_of
from .subspaces import SpectralGap, angle_bound, principal_angles, spectral_gap

ACTIVE = 0.01  # activity above which a latent is in use (Burda et al. 2016)


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a theorem says of a model on data, and what the model does; `str()` of it, or `.text`, is a table.

    law                    the theorem: row, name, relation ("equality", "bound", "none"), objective, source
    loss, reference_loss   the model's value of law.objective and the optimal one; None where there is no theorem
    excess_loss            loss − reference_loss; relative_excess_loss divides it by |reference_loss|, or by the plateau
                           where the optimum is no more than rounding
    gap                    the eigengap at the subspace that is meant, or None where none is
    principal_angles       (k,), radians, ascending, between decoder and principal subspace; `largest_angle` is the last
    angle_bound            the angle that the excess loss allows (rows 1 and 3), radians
    angles_refused         the reason where angles are None
    dead, predicted_dead   numbers of latents, None where the theorem says nothing of them
    references             levels to read the loss against, by name: "plateau", "pca", "reconstruction", …
    """

    model: str
    n_components: int
    n_features: int
    n_samples: int
    law: Law
    loss: float | None
    reference_loss: float | None
    excess_loss: float | None
    relative_excess_loss: float | None
    gap: SpectralGap | None
    principal_angles: Array | None
    largest_angle: float | None
    angle_bound: float | None
    angles_refused: str
    dead: int | None
    predicted_dead: int | None
    references: dict[str, float]

    @property
    def text(self) -> str:
        """The table that `str()` returns."""
        law, rows = self.law, []
        if law.row is None:
            rows.append(("theorem", f"none: {law.why}"))
        else:
            rows.append(("theorem", f"row {law.row}, {law.name}"))
            means = "attained at every global minimum" if law.relation == EQUALITY else "a bound: nothing gets below it"
            rows.append(("", f"{means}{f' ({law.why})' if law.why else ''}"))
            rows.append(("source", law.source))
            rows.append(("objective", law.objective))
            rows.append(("loss", f"{self.loss:.9g}   (optimum {self.reference_loss:.9g})"))
            rows.append(("excess loss", f"{self.excess_loss:.3g}   (relative {self.relative_excess_loss:.3g})"))
            rows.append(("largest angle", self._angle_text()))
        if self.dead is not None:
            rows.append(("dead latents", f"{self.dead} of {self.n_components}, predicted {self.predicted_dead}"))
        rows += [(name, f"{value:.9g}") for name, value in self.references.items()]
        if self.relative_excess_loss is not None and self.relative_excess_loss < -1e-6:
            rows.append(("caution", "below the optimum, which cannot be: does theory_setting() describe this model?"))
        title = f"{self.model}: {self.n_components} of {self.n_features} dimensions, {self.n_samples:,} samples"
        return "\n".join([title, *(f"  {name:<17}{value}" for name, value in rows)])

    def __str__(self) -> str:
        return self.text

    def _angle_text(self) -> str:
        if self.largest_angle is None:
            return f"not compared: {self.angles_refused}"
        allowed = "" if self.angle_bound is None else f"   (the excess loss allows {self.angle_bound:.3g})"
        return f"{self.largest_angle:.3g} rad{allowed}"

    def to_dict(self) -> dict[str, Any]:
        """Numbers, text and lists only, ready for JSON; NaN and infinity do not occur."""
        plain = {name: value for name, value in vars(self).items() if name not in ("law", "gap", "principal_angles")}
        angles = None if self.principal_angles is None else self.principal_angles.tolist()
        gap = None if self.gap is None else {"gap": self.gap.gap, "relative": self.gap.relative}
        return {**plain, "law": vars(self.law).copy(), "gap": gap, "principal_angles": angles}


@dataclass
class _Case:
    """A model, its setting, the data and what is known of them."""

    model: Any
    setting: Setting
    X: Array
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
                f"model: a {type(self.model).__name__} without `{name}()` cannot be held against its theorem"
            )
        return method(*args, **options)

    def number(self, name: str) -> float:
        return as_number(self.ask(name, self.X), f"model.{name}(X)")

    @property
    def pca_loss(self) -> float:
        return float(self.spectrum[self.kept :].sum())


@dataclass
class _Numbers:
    """Value and optimum of an objective, the number of principal directions that are meant (0: none), dead latents."""

    loss: float | None = None
    optimum: float | None = None
    meant: int = 0
    dead: int | None = None
    predicted: int | None = None


def verdict(model: Any, X: ArrayLike) -> Verdict:
    """`model` on X (B, N) against the theorem that its `theory_setting()` calls for; `compare(model, X)` is this."""
    setting, X = setting_of(model), as_samples(X)
    if setting.n_features not in (None, X.shape[1]):
        raise ValueError(f"X: {X.shape[1]} columns, but the model's decoder returns {setting.n_features} features")
    case = _Case(model, setting, X)
    law = law_of(setting, case.rank)
    found = _Numbers() if law.row is None else _EVALUATE[law.row](case)
    gap, angles, refused = _angles(case, law, found)
    excess = relative = allowed = None
    if found.loss is not None and found.optimum is not None:
        excess, plateau = found.loss - found.optimum, case.spectrum.sum()
        relative = excess / (abs(found.optimum) if abs(found.optimum) > 1e-12 * plateau else plateau or 1.0)
        if angles is not None and gap is not None and law.row in (1, 3):
            allowed = angle_bound(max(excess, 0.0), gap.gap)
    return Verdict(
        model=type(model).__name__,
        n_components=setting.n_components,
        n_features=X.shape[1],
        n_samples=len(X),
        law=law,
        loss=found.loss,
        reference_loss=found.optimum,
        excess_loss=excess,
        relative_excess_loss=None if relative is None else float(relative),
        gap=gap,
        principal_angles=angles,
        largest_angle=None if angles is None else float(angles[-1]),
        angle_bound=allowed,
        angles_refused=refused,
        dead=found.dead,
        predicted_dead=found.predicted,
        references=_references(case, law),
    )


# One evaluation per theorem.


def _reconstruction(case: _Case) -> _Numbers:
    return _Numbers(case.number("reconstruction_error"), case.pca_loss, case.kept)


def _lossless(case: _Case) -> _Numbers:
    return _Numbers(case.number("reconstruction_error"), case.pca_loss, case.rank)


def _l2(case: _Case) -> _Numbers:
    gamma, W1, W2 = case.setting.penalties, _array(case.setting.encoder_weight), _array(case.setting.decoder_weight)
    best = regularised.nonuniform_linear(case.X, gamma, bias=case.setting.biased)
    penalty = float(gamma @ (np.sum(W1**2, axis=0) + np.sum(W2**2, axis=1)))
    uniform = np.ptp(gamma) == 0
    lengths = np.linalg.svd(W2, compute_uv=False) if uniform else np.linalg.norm(W2, axis=1)
    dead = _dead(_array(lengths) ** 2, best.singular_values**2)
    loss = case.number("reconstruction_error") + penalty
    return _Numbers(loss, best.loss, int(best.active.sum()), dead, int((~best.active).sum()))


def _additive(case: _Case) -> _Numbers:
    W, b = _composed(case.setting)
    variance = case.setting.corruption_level**2
    best = denoising.additive_dae(case.X, noise_variance=variance, n_components=case.kept)
    return _Numbers(denoising.additive_dae_loss(case.X, W, b, noise_variance=variance), best.loss, case.kept)


def _masking(case: _Case) -> _Numbers:
    W, b = _composed(case.setting)
    q = 1 - case.setting.corruption_level
    best = denoising.masking_dae(case.X, keep_probability=q, n_components=case.kept)
    return _Numbers(denoising.masking_dae_loss(case.X, W, b, keep_probability=q), best.loss, 0)


def _vae(case: _Case) -> _Numbers:
    setting, B = case.setting, len(case.X)
    shape = {"rows": B, "columns": setting.n_components}
    mean, variance = case.ask("encode_distribution", case.X)
    m, v = as_matrix(mean, "mean of q(z|x)", **shape), as_matrix(variance, "variance of q(z|x)", **shape)
    eta2 = as_number(setting.noise_variance, "noise_variance", above=0)  # type: ignore[arg-type]
    A, b = _array(setting.decoder_weight), _array(setting.decoder_bias)
    error, kl = gaussian.expected_squared_error(m, v, A, case.X, b), gaussian.gaussian_kl(m, v)
    given = None if setting.learned_noise else eta2
    best = probabilistic.linear_vae(case.X, setting.n_components, noise_variance=given, beta=setting.beta)
    loss, optimum = error / (2 * eta2) + setting.beta * kl, best.loss
    if setting.learned_noise:  # then the normaliser of the Gaussian belongs to it
        loss += len(b) / 2 * np.log(2 * np.pi * eta2)
        optimum += len(b) / 2 * np.log(2 * np.pi * best.noise_variance)
    dead = _dead(m.var(axis=0), 1 - best.variance)
    return _Numbers(float(loss), float(optimum), int((~best.dead).sum()), dead, int(best.dead.sum()))


def _soft_threshold(case: _Case) -> _Numbers:
    weight, penalty = _array(case.setting.decoder_weight), case.setting.sparsity_weight
    b = _array(case.setting.decoder_bias) if case.setting.biased else np.zeros(case.X.shape[1])
    codes = as_matrix(case.ask("transform", case.X), "model.transform(X)", rows=len(case.X), columns=len(weight))
    best = sparse.sparse_code(case.X - b, weight.T, penalty=penalty, norm="l1")
    loss = case.number("reconstruction_error") + penalty * np.abs(codes).sum() / len(codes)
    return _Numbers(float(loss), best.loss, 0)


_EVALUATE = {
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


def _dead(activity: Array, predicted: Array) -> int:
    """How many latents are no more active than the module's threshold."""
    alive = predicted[predicted > 0]
    return int(np.sum(activity <= min(ACTIVE, alive.min() / 2 if alive.size else 1.0)))


def _composed(setting: Setting) -> tuple[Array, Array]:
    """x ↦ (xW₁ + b₁)W₂ + b₂ as one map x ↦ xW + b."""
    W1, W2 = _array(setting.encoder_weight), _array(setting.decoder_weight)
    b1 = np.zeros(len(W2)) if setting.encoder_bias is None else _array(setting.encoder_bias)
    return W1 @ W2, b1 @ W2 + _array(setting.decoder_bias)


def _array(value: ArrayLike | None) -> Array:
    return np.asarray(value, dtype=float)


# Subspaces, and levels to read a loss against.


def _angles(case: _Case, law: Law, found: _Numbers) -> tuple[SpectralGap | None, Array | None, str]:
    """Eigengap, angles between the k leading directions of the decoder and of the data, or why there are none."""
    if law.row is None:
        return None, None, "no theorem, no subspace"
    k, N = found.meant, case.X.shape[1]
    if k == 0:
        dead = found.predicted is not None
        return None, None, "no latent is predicted to live" if dead else "this theorem means no principal subspace"
    gap = spectral_gap(case.spectrum, k)
    if k == N:
        return gap, None, "the principal subspace is the whole space"
    if not gap.subspace_identified:
        return gap, None, f"λ_{k} − λ_{k + 1} = {gap.gap:.3g}: without an eigengap the data define no such subspace"
    _, s, directions = np.linalg.svd(_array(case.setting.decoder_weight), full_matrices=False)
    spanned = int(np.sum(s > np.sqrt(np.finfo(float).eps) * s[0]))
    if spanned < k:
        return gap, None, f"the decoder spans only {spanned} dimensions, {k} are meant"
    used = directions[:spanned] if law.row == 20 else directions[:k]
    return gap, principal_angles(used, case.axes[:k]), ""


def _references(case: _Case, law: Law) -> dict[str, float]:
    """The levels that the text of `cross_entropy` asks to stand beside every loss."""
    levels = {"reconstruction": case.number("reconstruction_error")}
    levels["plateau"] = linear.eckart_young(case.X, 0).loss_
    if law.row not in (1, 3):
        levels["pca"] = linear.eckart_young(case.X, case.kept).loss_
    if case.setting.reconstruction == "bernoulli":
        levels |= _bernoulli_levels(case)
    return levels


def _bernoulli_levels(case: _Case) -> dict[str, float]:
    """Cross-entropy of the model (for a VAE −ELBO, estimated), the floor below it, the collapse level."""
    if case.setting.variational:
        own = {"−ELBO": -as_number(case.ask("elbo", case.X, random_state=0), "model.elbo(X)")}
    else:
        own = {"cross-entropy": _cross_entropy(case)}
    floor, collapse = cross_entropy.cross_entropy_floor(case.X), cross_entropy.collapse_level(case.X)
    return {**own, "floor": floor, "collapse level": collapse}


def _cross_entropy(case: _Case) -> float:
    """E Σ_j H(x_j, x̂_j), outputs kept off 0 and 1 by the rounding of their dtype, as they are all that is seen here."""
    raw = np.asarray(case.ask("reconstruct", case.X))
    eps = np.finfo(raw.dtype if raw.dtype.kind == "f" else float).eps
    p = np.clip(as_matrix(raw, "model.reconstruct(X)", rows=len(case.X), columns=case.X.shape[1]), eps, 1 - eps)
    return float(-np.sum(case.X * np.log(p) + (1 - case.X) * np.log1p(-p)) / len(p))


__all__ = ["BOUND", "EQUALITY", "Verdict", "verdict"]
