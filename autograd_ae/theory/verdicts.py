"""A fitted model held against the theorem that applies to it: value, optimum, gap, angles, dead latents.

`laws.law_of` says which theorem; `evaluate` computes the model's value and the optimal one on the data X. Directions
are compared only where the theorem identifies them and the spectrum does, too: a subspace needs the gap λ_k − λ_{k+1},
a single direction gaps on both of its sides. What is refused is refused with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import cross_entropy, linear
from ._inputs import Array, as_matrix, as_number, as_samples
from .evaluate import EVALUATE, Case, Numbers, as_array, posterior_dead
from .laws import BOUND, EQUALITY, Law, law_of
from .setting import setting_of
from .subspaces import SpectralGap, angle_bound, compare_directions, principal_angles, spectral_gap

ONE_BY_ONE = (5, 6, 10, 11)  # rows that identify the directions themselves
ROUNDING = 1e-6  # of E‖x‖²: what float32 may put a loss below its optimum, several times over


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
    direction_angles       (k,), radians, of each decoder direction to its principal direction, in the order of λ, where
                           the theorem identifies them one by one (rows 5, 6, 10, 11); else None, and
    directions_refused     the reason
    dead, predicted_dead   numbers of latents: of a VAE's and of penalised ones; predicted where a theorem says it
    suspect                whether the loss is below the optimum by more than rounding, which cannot be
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
    direction_angles: Array | None
    directions_refused: str
    dead: int | None
    predicted_dead: int | None
    suspect: bool
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
            if self.direction_angles is not None:
                rows.append(("one by one", f"{self.direction_angles.max():.3g} rad, the largest of the directions'"))
            elif self.principal_angles is not None and law.row in ONE_BY_ONE:
                rows.append(("one by one", f"not compared: {self.directions_refused}"))
        if self.dead is not None:
            foretold = "" if self.predicted_dead is None else f", predicted {self.predicted_dead}"
            rows.append(("dead latents", f"{self.dead} of {self.n_components}{foretold}"))
        rows += [(name, f"{value:.9g}") for name, value in self.references.items()]
        if self.suspect:
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
        plain = {
            name: value for name, value in vars(self).items() if not isinstance(value, np.ndarray | Law | SpectralGap)
        }
        for name in ("principal_angles", "direction_angles"):
            plain[name] = None if getattr(self, name) is None else getattr(self, name).tolist()
        gap = None if self.gap is None else {"gap": self.gap.gap, "relative": self.gap.relative}
        return {**plain, "law": vars(self.law).copy(), "gap": gap}


def verdict(model: Any, X: ArrayLike) -> Verdict:
    """`model` on X (B, N) against the theorem that its `theory_setting()` calls for; `compare(model, X)` is this."""
    setting, given, X = setting_of(model), X, as_samples(X)
    if setting.n_features not in (None, X.shape[1]):
        raise ValueError(f"X: {X.shape[1]} columns, but the model's decoder returns {setting.n_features} features")
    case = Case(model, setting, X, given)
    law = law_of(setting, case.rank)
    found = Numbers() if law.row is None else EVALUATE[law.row](case)
    if setting.variational and found.dead is None:
        found.dead = posterior_dead(case)
    gap, angles, refused = _angles(case, law, found)
    one_by_one, why_not = _directions(case, found, refused)
    excess = relative = allowed = None
    if found.loss is not None and found.optimum is not None:
        excess, plateau = found.loss - found.optimum, found.unit * case.spectrum.sum()
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
        direction_angles=one_by_one,
        directions_refused=why_not,
        dead=found.dead,
        predicted_dead=found.predicted,
        suspect=excess is not None and excess < -ROUNDING * found.unit * float(np.sum(X**2)) / len(X),
        references=_references(case, law),
    )


# Subspaces, and levels to read a loss against.


def _angles(case: Case, law: Law, found: Numbers) -> tuple[SpectralGap | None, Array | None, str]:
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
    _, s, directions = np.linalg.svd(as_array(case.setting.decoder_weight), full_matrices=False)
    spanned = int(np.sum(s > np.sqrt(np.finfo(float).eps) * s[0]))
    if spanned < k:
        return gap, None, f"the decoder spans only {spanned} dimensions, {k} are meant"
    used = directions[:spanned] if law.row == 20 else directions[:k]
    return gap, principal_angles(used, case.axes[:k]), ""


def _directions(case: Case, found: Numbers, refused: str) -> tuple[Array | None, str]:
    """The angle of each decoder direction to its own principal one, or why there are none."""
    if not found.meant or found.directions is None:
        return None, refused if not found.meant else found.mixed
    try:
        return compare_directions(found.directions, case.axes[: found.meant], spectrum=case.spectrum), ""
    except ValueError as error:  # an eigenvalue without a gap on both sides, or a decoder row of zeros
        return None, str(error)


def _references(case: Case, law: Law) -> dict[str, float]:
    """The levels that the text of `cross_entropy` asks to stand beside every loss."""
    levels = {"reconstruction": case.number("reconstruction_error")}
    levels["plateau"] = linear.eckart_young(case.X, 0).loss_
    if law.row not in (1, 3):
        levels["pca"] = linear.eckart_young(case.X, case.kept).loss_
    if case.setting.reconstruction == "bernoulli":
        levels |= _bernoulli_levels(case)
    return levels


def _bernoulli_levels(case: Case) -> dict[str, float]:
    """Cross-entropy of the model (for a VAE −ELBO, estimated), the floor below it, the collapse level."""
    if case.setting.variational:
        own = {"−ELBO": -as_number(case.ask("elbo", case.given, random_state=0), "model.elbo(X)")}
    else:
        own = {"cross-entropy": _cross_entropy(case)}
    floor, collapse = cross_entropy.cross_entropy_floor(case.X), cross_entropy.collapse_level(case.X)
    return {**own, "floor": floor, "collapse level": collapse}


def _cross_entropy(case: Case) -> float:
    """E Σ_j H(x_j, x̂_j), outputs kept off 0 and 1 by the rounding of their dtype, as they are all that is seen here."""
    raw = np.asarray(case.ask("reconstruct", case.given))
    eps = np.finfo(raw.dtype if raw.dtype.kind == "f" else float).eps
    p = np.clip(as_matrix(raw, "model.reconstruct(X)", rows=len(case.X), columns=case.X.shape[1]), eps, 1 - eps)
    return float(-np.sum(case.X * np.log(p) + (1 - case.X) * np.log1p(-p)) / len(p))


__all__ = ["BOUND", "EQUALITY", "Verdict", "verdict"]
