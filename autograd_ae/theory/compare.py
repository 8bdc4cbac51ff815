"""A fitted model against the optimum: excess loss, and principal angles where a subspace is defined.

A linear decoder is judged by two numbers, in this order: how far its loss is above the optimum, and how far the space
that it spans is from the principal one. The second follows from the first, θ ≤ arcsin √(excess/gap) (see `subspaces`),
and without an eigengap it means nothing and is not given.

That is `compare(model, reference)`. `compare(model, X)` with the data X finds the theorem that holds for the model,
linear or not, and returns a `Verdict`; for that a model describes itself by `theory_setting()` (see `setting`, `laws`,
`verdicts`), as all models of this package do.

Nothing here knows a model class. For `compare(model, reference)` a model has `components_` (or `decoder_weight_`), (k,
N), whose rows span the decoder's column space, and `loss_`, its mean summed squared error on the training set. A
reference has the same, and may have `spectrum_`: all eigenvalues λ of the data's covariance (divisor B) in descending
order, of which zeros at the end may be left out. A model without `theory_setting()` may be compared with the data X
themselves, too: then `eckart_young(X, k)` is the reference, and the model is asked for `reconstruction_error(X)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, overload

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import Array, as_matrix, as_number, as_samples, as_vector
from .linear import eckart_young
from .subspaces import SpectralGap, angle_bound, gap_of, principal_angles
from .verdicts import Verdict, verdict


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found; `str()` of it, or `.text`, is a table.

    loss, reference_loss  mean summed squared errors
    excess_loss           loss − reference_loss (below 0: rounding, or not the same data)
    relative_excess_loss  excess_loss/reference_loss; for a reference of 0, 0 or ±inf
    principal_angles      (k,), radians, ascending, or None where the eigengap is missing; `largest_angle` is the last
    angle_bound           the angle that this excess loss allows, radians, or None without a known gap
    gap                   of the reference's spectrum, or None if it gives none
    """

    model: str
    reference: str
    n_components: int
    n_features: int
    loss: float
    reference_loss: float
    excess_loss: float
    relative_excess_loss: float
    principal_angles: Array | None
    largest_angle: float | None
    angle_bound: float | None
    gap: SpectralGap | None

    @property
    def text(self) -> str:
        """The table that `str()` returns."""
        rows = [
            ("loss", f"{self.loss:.9g}   (reference {self.reference_loss:.9g})"),
            ("excess loss", f"{self.excess_loss:.3g}   (relative {self.relative_excess_loss:.3g})"),
            ("eigengap", self._gap_text()),
            ("largest angle", self._angle_text()),
        ]
        if self.principal_angles is not None and self.n_components > 1:
            rows.append(("all angles", _shortened(self.principal_angles)))
        if self.relative_excess_loss < -1e-6:
            rows.append(
                ("caution", "the loss is below the reference's: not the same data, or no optimum to compare with")
            )
        title = f"{self.model} against {self.reference}: {self.n_components} of {self.n_features} dimensions"
        return "\n".join([title, *(f"  {name:<15}{value}" for name, value in rows)])

    def __str__(self) -> str:
        return self.text

    def _gap_text(self) -> str:
        if self.gap is None:
            return "unknown (the reference gives no spectrum_ as far as that), so the angles may be of no meaning"
        k, verdict = self.n_components, "identified" if self.gap.subspace_identified else "NOT identified"
        return f"λ_{k} − λ_{k + 1} = {self.gap.gap:.3g}   (relative {self.gap.relative:.1e}): subspace {verdict}"

    def _angle_text(self) -> str:
        if self.largest_angle is None:
            return "not compared: without an eigengap the data define no subspace of this dimension"
        allowed = "" if self.angle_bound is None else f"   (the excess loss allows {self.angle_bound:.3g})"
        return f"{self.largest_angle:.3g} rad{allowed}"


class _Described(Protocol):
    def theory_setting(self) -> Any: ...


class _Linear(Protocol):
    @property
    def components_(self) -> Any: ...
    @property
    def loss_(self) -> Any: ...


@overload
def compare(model: _Described, reference: np.ndarray | Sequence[Any]) -> Verdict: ...
@overload
def compare(model: Any, reference: _Linear) -> Comparison: ...
@overload
def compare(model: Any, reference: Any) -> Comparison | Verdict: ...
def compare(model: Any, reference: Any) -> Comparison | Verdict:
    """How far a fitted model is from `reference`: another fitted model, a `LinearOptimum`, or the data X (B, N).

    With data, a model that has `theory_setting()` is held against the theorem that applies to it, whichever that is,
    and a `Verdict` comes back. Otherwise both must be linear, and a `Comparison` comes back. See the module for the
    attributes that are used. Subspaces are not compared where λ_k = λ_{k+1} (`spectral_gap`); if the reference has no
    `spectrum_`, they are, and the text says that the gap is unknown. Errors: TypeError for a missing attribute,
    ValueError for components of different shapes.

    Source: Eckart & Young 1936; Baldi & Hornik 1989; Björck & Golub 1973.

    >>> from autograd_ae.theory import LinearOptimum
    >>> best = LinearOptimum(1.0, np.array([[1.0, 0.0]]), np.zeros(2), np.array([3.0, 1.0]))
    >>> near = LinearOptimum(1.0008, np.array([[1.0, 0.02]]), np.zeros(2), np.array([3.0, 1.0]))
    >>> print(compare(near, best))
    LinearOptimum against LinearOptimum: 1 of 2 dimensions
      loss           1.0008   (reference 1)
      excess loss    0.0008   (relative 0.0008)
      eigengap       λ_1 − λ_2 = 2   (relative 6.7e-01): subspace identified
      largest angle  0.02 rad   (the excess loss allows 0.02)
    """
    if _is_data(reference) and hasattr(model, "theory_setting"):
        return verdict(model, reference)
    components = _components(model, "model")
    if _is_data(reference):
        X = as_samples(reference, "reference (taken as data)")
        loss = as_number(_ask(model, "model", "reconstruction_error")(X), "model.reconstruction_error(X)")
        reference, name = eckart_young(X, len(components)), "the closed form"
    else:
        loss = as_number(_ask(model, "model", "loss_"), "model.loss_")
        name = type(reference).__name__
    other = _components(reference, "reference")
    if components.shape != other.shape:
        raise ValueError(
            f"components: the model's are {components.shape} and the reference's {other.shape}; both need (k, N) with "
            "the same k and N"
        )
    best = as_number(_ask(reference, "reference", "loss_"), "reference.loss_")
    return _comparison(type(model).__name__, name, components, other, loss, best, getattr(reference, "spectrum_", None))


def _comparison(
    model: str, reference: str, A: Array, B: Array, loss: float, best: float, spectrum: ArrayLike | None
) -> Comparison:
    k, N = A.shape
    gap = _gap(A, spectrum)
    excess = loss - best
    relative = excess / best if best != 0 else (np.copysign(np.inf, excess) if excess else 0.0)
    angles = principal_angles(A, B) if gap is None or gap.subspace_identified else None
    largest = None if angles is None else float(angles[-1])
    allowed = None if gap is None or angles is None else angle_bound(max(excess, 0.0), gap.gap)
    return Comparison(model, reference, k, N, loss, best, excess, float(relative), angles, largest, allowed, gap)


def _components(fitted: Any, role: str) -> Array:
    name = (
        "decoder_weight_"
        if not hasattr(fitted, "components_") and hasattr(fitted, "decoder_weight_")
        else "components_"
    )
    return as_matrix(_ask(fitted, role, name), f"{role}.{name}")


def _ask(fitted: Any, role: str, name: str) -> Any:
    if not hasattr(fitted, name):
        raise TypeError(
            f"{role}: of type {type(fitted).__name__}, which has no `{name}` and cannot be compared; fit it first, and "
            "note that compare is for models with one linear decoder layer"
        )
    return getattr(fitted, name)


def _is_data(reference: Any) -> bool:
    return isinstance(reference, list | tuple) or (
        hasattr(reference, "__array__") and not hasattr(reference, "components_")
    )


def _shortened(angles: Array) -> str:
    shown = [f"{angle:.2e}" for angle in angles]
    return " ".join(shown if len(shown) <= 6 else [*shown[:3], "…", *shown[-2:]]) + " rad"


def _gap(components: Array, spectrum: ArrayLike | None) -> SpectralGap | None:
    """The gap, if the spectrum tells it: it may leave out zeros (fewer samples than features), but not λ_{k+1}."""
    if spectrum is None:
        return None
    k, N = components.shape
    given = as_vector(spectrum, "spectrum_")
    if given.size <= k < N:
        return None
    kept = np.asarray(spectrum).dtype if np.asarray(spectrum).dtype.kind == "f" else given.dtype  # sets the tolerance
    return gap_of(components, np.pad(given, (0, max(0, N - given.size))).astype(kept))
