"""Angles between subspaces, accurate when they are tiny, and whether the subspace is defined at all.

For orthonormal bases Q_A, Q_B (N, p), (N, q), p ≥ q, the principal angles 0 ≤ θ₁ ≤ … ≤ θ_q ≤ π/2 have

    cos θ = singular values of Q_Aᵀ Q_B,      sin θ = singular values of Q_B − Q_A(Q_Aᵀ Q_B).

The arc cosine loses half the digits near 0 (cos 1e-9 = 1 in float64), the arc sine near π/2; so θ is taken from the
sine below π/4 and from the cosine above (Björck & Golub 1973; Knyazev & Argentati 2002). Absolute error about
ε·(condition numbers of A and B): 1e-12 is resolved, 1e-16 is not.

Subspaces are given by rows, as `components_` and a decoder's weight matrix are: A (k, N) spans a k-dimensional space.

How far may a trained decoder be? With P_V, P_Q the projectors on V_L and on the decoder's row space

    excess loss ≥ tr(P_V S) − tr(P_Q S) ≥ (λ_L − λ_{L+1}) Σ sin²θᵢ,

since moving weight sin²θ out of V_L trades at least λ_L for at most λ_{L+1}. Hence θ ≤ arcsin √(excess/gap): a loss
1e-6 above the optimum leaves an angle of 1e-3, and without a gap no angle means anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import Array, as_count, as_matrix, as_number, as_vector


@dataclass(frozen=True, eq=False)
class SpectralGap:
    """Which principal objects a spectrum defines.

    gap                    λ_L − λ_{L+1}, with λ_{N+1} = 0
    relative               gap/λ₁ (0 for a spectrum of zeros)
    subspace_identified    whether span(v₁ … v_L) is unique: relative > rtol
    directions_identified  (L,) bool: whether vᵢ is unique up to sign, so a gap on both sides of λᵢ
    """

    gap: float
    relative: float
    subspace_identified: bool
    directions_identified: np.ndarray


def principal_angles(A: ArrayLike, B: ArrayLike) -> Array:
    """Angles between the row spaces of A (p, N) and B (q, N): (min(p, q),), radians, ascending.

    The rows must be linearly independent (ValueError otherwise); neither orthogonal nor normalised.

    Source: Björck & Golub 1973 (Math. Comp. 27:579); Knyazev & Argentati 2002 (SIAM J. Sci. Comput. 23:2008).

    >>> principal_angles([[1.0, 0.0]], [[1.0, 1e-12]])
    array([1.e-12])
    >>> principal_angles([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[3.0, 3.0, 0.0], [0.0, 0.0, 2.0]]).round(4)
    array([0.    , 1.5708])
    """
    A = as_matrix(A, "A")
    B = as_matrix(B, "B", columns=A.shape[1])
    large, small = (_basis(A, "A"), _basis(B, "B")) if len(A) >= len(B) else (_basis(B, "B"), _basis(A, "A"))
    overlap = large.T @ small  # (p, q)
    cosine = np.linalg.svd(overlap, compute_uv=False)  # descending, so θ ascends
    sine = np.linalg.svd(small - large @ overlap, compute_uv=False)[::-1]
    angles = np.where(sine**2 < 0.5, np.arcsin(np.minimum(sine, 1)), np.arccos(np.minimum(cosine, 1)))
    return np.sort(angles)  # rounding may swap two at π/4


def spectral_gap(spectrum: ArrayLike, n_components: int, *, rtol: float | None = None) -> SpectralGap:
    """Whether the first L principal directions, and their span, are defined by this spectrum.

    spectrum (N,): all eigenvalues in descending order; 1 ≤ L ≤ N. A gap counts if it exceeds rtol·λ₁; the default is
    √ε of the spectrum's dtype, since rounding of the loss (ε λ₁) then moves the subspace by no more than ε^¼ (module).
    A zero eigenvalue identifies nothing: nothing in the loss depends on its direction.

    Source: Davis & Kahan 1970; the bound in the module is the form for losses (Vu & Lei 2013).

    >>> gap = spectral_gap([3.0, 3.0, 1.0, 0.5], 2)
    >>> gap.gap, gap.subspace_identified, gap.directions_identified
    (2.0, True, array([False, False]))
    """
    values = as_vector(spectrum, "spectrum")
    dtype = np.asarray(spectrum).dtype
    eps = np.finfo(dtype if dtype.kind == "f" else float).eps
    rtol = float(np.sqrt(eps)) if rtol is None else as_number(rtol, "rtol", low=0, high=1)
    L = as_count(n_components, "n_components", 1, values.size, "the number of eigenvalues")
    slack = 64 * float(eps) * np.abs(values).max()
    if np.any(np.diff(values) > slack) or values.min() < -slack:
        raise ValueError("spectrum: all eigenvalues of a covariance are needed, not negative, in descending order")
    steps = values - np.append(values[1:], 0.0)  # λ_i − λ_{i+1}, the last one down to 0
    clear = steps > rtol * values[0]
    relative = steps[L - 1] / values[0] if values[0] > 0 else 0.0
    directions = clear[:L] & np.append(True, clear[: L - 1])
    return SpectralGap(float(steps[L - 1]), float(relative), bool(clear[L - 1]), directions)


def angle_bound(excess_loss: float, gap: float) -> float:
    """The largest principal angle that an excess over the optimal loss allows: arcsin √(excess/gap), radians.

    excess_loss ≥ 0 and gap = λ_L − λ_{L+1} > 0 on one scale (mean over samples). π/2 if the excess exceeds the gap.

    Source: the trace inequality in the module; Vu & Lei 2013 (Annals of Statistics 41:2905) for sparse PCA.

    >>> angle_bound(1e-6, 1.0)
    0.0010000001666667416
    """
    excess_loss = as_number(excess_loss, "excess_loss", low=0)
    gap = as_number(gap, "gap", above=0)
    return float(np.arcsin(np.sqrt(min(excess_loss / gap, 1.0))))


def compare_subspaces(A: ArrayLike, B: ArrayLike, *, spectrum: ArrayLike | None = None) -> Array:
    """The principal angles of two decoders' row spaces (L, N), refused if the spectrum leaves that space undefined.

    `spectrum` (N,): all eigenvalues of the data in descending order. Without it nothing is refused: say then that the
    gap is unknown. ValueError where λ_L = λ_{L+1}, as every rotation inside that eigenspace is as good.

    >>> compare_subspaces([[1.0, 0.0]], [[2.0, 0.0]], spectrum=[2.0, 0.5])
    array([0.])
    """
    A = as_matrix(A, "A")
    B = as_matrix(B, "B", rows=A.shape[0], columns=A.shape[1])
    if spectrum is not None and not (gap := gap_of(A, spectrum)).subspace_identified:
        raise ValueError(
            f"subspaces of dimension {len(A)} are not compared: λ_{len(A)} − λ_{len(A) + 1} = {gap.gap:.3g} "
            f"({gap.relative:.1e} of λ_1), so the data do not define one; compare the losses, or another dimension"
        )
    return principal_angles(A, B)


def compare_directions(A: ArrayLike, B: ArrayLike, *, spectrum: ArrayLike) -> Array:
    """The angle of each row of A (L, N) to the same row of B, up to sign: (L,), radians, in [0, π/2].

    For models that identify the directions themselves: PCA, non-uniform L2, the linear VAE. ValueError naming the
    directions whose eigenvalue stands too near a neighbour's, since such a direction is not defined.

    >>> compare_directions([[1.0, 0.0]], [[-2.0, 2e-9]], spectrum=[2.0, 0.5])
    array([1.e-09])
    """
    A = as_matrix(A, "A")
    B = as_matrix(B, "B", rows=A.shape[0], columns=A.shape[1])
    identified = gap_of(A, spectrum).directions_identified
    if not identified.all():
        undefined = ", ".join(str(i + 1) for i in np.flatnonzero(~identified))
        raise ValueError(
            f"directions are not compared: eigenvalue {undefined} (counting from 1) has no gap to a neighbour, so its "
            "direction is not defined; compare the subspaces"
        )
    return np.array([principal_angles(a[None], b[None])[0] for a, b in zip(A, B, strict=True)])


def _basis(A: Array, name: str) -> Array:
    """Orthonormal columns (N, k) that span the rows of A (k, N)."""
    lengths = np.linalg.norm(A, axis=1)
    if lengths.min() > 0:
        _, s, Vt = np.linalg.svd(A / lengths[:, None], full_matrices=False)
        if len(A) <= A.shape[1] and s[-1] > max(A.shape) * np.finfo(float).eps * s[0]:
            return Vt.T
    raise ValueError(f"{name}: its {len(A)} rows must be linearly independent to span a space of that dimension")


def gap_of(components: Array, spectrum: ArrayLike) -> SpectralGap:
    """`spectral_gap` for components (L, N), of which the spectrum must have all N eigenvalues."""
    as_vector(spectrum, "spectrum", components.shape[1])
    return spectral_gap(spectrum, len(components))
