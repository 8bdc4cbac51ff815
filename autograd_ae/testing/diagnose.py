"""Given a wrong gradient, name the likely mistake.

Two sources of evidence. *Numbers*: the claim is a constant times the truth, its transpose, its rows in another order,
the truth at another point (a log-variance read as a log-deviation is the truth at 2x, times 2). *Planted mistakes*:
where f can be recorded, each mistake of the catalogue is made in the recorded program, one place at a time and then
everywhere, and the one that reproduces the claimed numbers is the explanation.

    cause                            what was done
    correct                          nothing: the gradient agrees
    sign                             a minus too many or too few
    sign_of_term                     one of several contributions to a gradient has the wrong sign
    factor                           a constant factor; `detail` prints it as a fraction
    missing_batch_mean               the sum over the B samples was not divided by B
    extra_batch_mean                 divided by B where the loss is a sum
    missing_batch_sum                the sum over samples (broadcast axes) was left out, or a mean taken
    transpose                        the transpose of the gradient
    wrong_shape                      not the shape of the argument, for none of the reasons above
    permuted                         rows or columns in another order
    missing_sigma_prime              the derivative of an activation left out
    doubled_sigma_prime              … applied twice
    sigma_prime_at_preactivation     σ′ written in terms of the output, evaluated at the input: z(1 − z) for y(1 − y)
    sigma_prime_at_output            σ′(z) evaluated at y
    activation_for_derivative        σ(z) written for σ′(z)
    dropped_path                     one of several uses of a value forgotten: `=` for `+=`
    dropped_term                     a term of the loss not differentiated (the penalty of a sparse code, the KL)
    extra_term                       a multiple of x, of its signs or of a constant added
    log_variance_as_log_deviation    exp(x) taken for a deviation where it is a variance
    missing_half                     the ½ of √v = exp(½ ln v) lost on the way back
    stale_activations                activations of another sample (another batch) used
    wrong_layer_input                dW = XᵀΔ with the input of another layer, or with this one's before its activation
    zero                             nothing but zeros
    unexplained                      no simple explanation
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from autograd_ae.core.program import Program
from autograd_ae.testing.arguments import array_of, as_list, point_of, refuse_no_function
from autograd_ae.testing.gradcheck import check_gradient
from autograd_ae.testing.oracles import choose_oracle, traced_program
from autograd_ae.testing.planting import Planted, batch_sizes, planted_gradients
from autograd_ae.testing.projections import entrywise_gradient

Array = np.ndarray
DOUBTFUL = 0.5  # confidence of what is said only if nothing else explains the numbers
SMALL = 50  # numerators and denominators of factors that people forget
MATCH = 1e-6  # relative error of a gradient's largest entry up to which numbers count as reproduced


@dataclass(frozen=True)
class Diagnosis:
    """The likely mistake. `cause` is an identifier of the module's table, `confidence` is in [0, 1]."""

    cause: str
    detail: str
    confidence: float
    evidence: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.cause} (confidence {self.confidence:.0%}): {self.detail}",
                *(f"  also fits: {e}" for e in self.evidence),
            ]
        )


UNEXPLAINED = Diagnosis(
    "unexplained", "no simple explanation: none of the catalogue's mistakes gives these numbers", 0.0
)


def diagnose(f: Callable[..., Any], grad_f: Callable[..., Any], x: Any, *, seed: int = 0) -> Diagnosis:
    """Name the likely mistake in a hand-written gradient of a scalar function.

    Parameters
    ----------
    f, grad_f, x : as in `check_gradient`. Mistakes inside a formula are found when f is written with NumPy's or this
        project's functions.

    >>> X = np.arange(12.0).reshape(4, 3) / 10
    >>> loss = lambda w: np.mean((X @ w - 1.0) ** 2)
    >>> found = diagnose(loss, lambda w: 2 * X.T @ (X @ w - 1.0), np.ones(3))
    >>> found.cause
    'missing_batch_mean'
    """
    refuse_no_function(f=f, grad_f=grad_f)
    xs, _ = point_of(x)
    answer = as_list(grad_f(*[a.copy() for a in xs]), xs, "grad_f")
    claimed = [array_of(g, "grad_f").astype(np.float64) for g in answer]
    if all(g.shape == a.shape for g, a in zip(claimed, xs, strict=True)):
        check = check_gradient(f, grad_f, x, points=1, seed=seed)
        if check.verdict == "agrees":
            return Diagnosis("correct", f"the gradient agrees to {check.digits:.0f} digits", 1.0)
        if check.verdict == "undecided":
            return Diagnosis("unexplained", f"the check is undecided: {check.reason}", 0.0)
    truth = true_gradient(f, xs, seed)
    found = traced_program(f, xs)
    program = found[0] if found is not None else None
    return likely_mistake(claimed, truth, xs, program, lambda point: true_gradient(f, point, seed))


def likely_mistake(
    claimed: list[Array],
    truth: list[Array],
    xs: list[Array],
    program: Program | None,
    gradient_at: Callable[[list[Array]], list[Array]],
) -> Diagnosis:
    """Name the mistake that makes the claimed gradients of the true ones.

    Parameters
    ----------
    claimed, truth : the gradients with respect to `xs`, in float64.
    program : the recorded function, for mistakes inside of it; None where there is no recording.
    gradient_at : the true gradients at another point.
    """
    batches = _batch_sizes(program, xs)
    fallback = None
    for pattern in (_zero, _shape, _ratio, _permutation):
        explained = pattern(claimed, truth, batches)
        if explained is not None and explained.confidence > DOUBTFUL:
            return explained
        fallback = fallback or explained
    matching = [c for c in planted_gradients(program) if _same(claimed, c.gradients)] if program is not None else []
    matching = matching or [c for c in _other_points(gradient_at, xs, truth) if _same(claimed, c.gradients)]
    if matching:
        return _best(matching)
    return fallback or _extra_term(claimed, truth, xs) or UNEXPLAINED


def true_gradient(f: Callable[..., Any], xs: list[Array], seed: int) -> list[Array]:
    """The oracle's gradient, entry by entry."""
    rng = np.random.default_rng(seed)
    eps = float(np.finfo(np.result_type(*[a.dtype for a in xs])).eps)
    oracle, wide = choose_oracle(f, xs, np.ones(()), eps, "auto", rng)
    return entrywise_gradient(oracle, wide)


def _same(claimed: list[Array], other: list[Array]) -> bool:
    return all(
        g.shape == o.shape
        and np.isfinite(o).all()
        and (not g.size or np.abs(g - o).max() <= MATCH * max(np.abs(o).max(), 1e-300))
        for g, o in zip(claimed, other, strict=True)
    )


def _best(matching: list[Planted]) -> Diagnosis:
    """The first in the catalogue's order; less sure when other causes fit as well."""
    causes = list(dict.fromkeys(c.cause for c in sorted(matching, key=lambda c: c.rank)))
    first = next(c for c in sorted(matching, key=lambda c: c.rank) if c.cause == causes[0])
    others = tuple(f"{c.cause}: {c.detail}" for c in matching if c.cause != causes[0])
    return Diagnosis(
        first.cause, first.detail, 0.95 if len(causes) == 1 else max(0.5, 0.9 - 0.15 * (len(causes) - 1)), others[:4]
    )


# Numeric patterns.


def _wrong(claimed: list[Array], truth: list[Array]) -> list[int]:
    return [k for k, (g, t) in enumerate(zip(claimed, truth, strict=True)) if not _same([g], [t])]


def _zero(claimed: list[Array], truth: list[Array], _batches: set[int]) -> Diagnosis | None:
    wrong = _wrong(claimed, truth)
    if wrong and all(not np.any(claimed[k]) for k in wrong) and len(wrong) == len(claimed):
        return Diagnosis("zero", "the gradient is zero throughout", 0.95)
    return None


def _shape(claimed: list[Array], truth: list[Array], _batches: set[int]) -> Diagnosis | None:
    """Transposes, and sums over samples that were left out."""
    wrong = _wrong(claimed, truth)
    if wrong and all(claimed[k].ndim > 1 and _same([claimed[k].T], [truth[k]]) for k in wrong):
        return Diagnosis(
            "transpose",
            f"the gradient of argument {wrong[0]} is transposed (for Y = XW with samples in rows, dW = XᵀG)",
            0.98,
        )
    for k in wrong:
        extra = claimed[k].ndim - truth[k].ndim
        if (
            extra > 0
            and claimed[k].shape[extra:] == truth[k].shape
            and _same([claimed[k].sum(axis=tuple(range(extra)))], [truth[k]])
        ):
            return Diagnosis(
                "missing_batch_sum",
                f"the gradient of argument {k} still has the batch axis: sum over the samples, db = 1ᵀG",
                0.98,
            )
    for k in wrong:
        if claimed[k].shape != truth[k].shape:
            shapes = f"has shape {claimed[k].shape}, that of the argument is {truth[k].shape}"
            return Diagnosis("wrong_shape", f"the gradient of argument {k} {shapes}", 0.95)
    return None


def _ratio(claimed: list[Array], truth: list[Array], batches: set[int]) -> Diagnosis | None:
    """A constant factor, the same in every argument that is wrong."""
    ratios = []
    for k in _wrong(claimed, truth):
        g, t = claimed[k], truth[k]
        if g.shape != t.shape or not np.any(t):
            return None
        c = float(np.vdot(t, g) / np.vdot(t, t))
        if c == 0 or not _same([g], [c * t]):
            return None
        ratios.append(c)
    if not ratios or max(ratios) - min(ratios) > 1e-5 * abs(ratios[0]):
        return None
    c, wrong = ratios[0], _wrong(claimed, truth)
    where = "" if len(wrong) == len(claimed) else f" (in argument {', '.join(map(str, wrong))} only)"
    if abs(c + 1) < 1e-5:
        return Diagnosis(
            "sign", f"the sign is wrong{where}: for a loss of prediction − target the residual is ŷ − y", 0.98
        )
    for size in sorted(batches - {1, 2}):
        if abs(c / size - 1) < 1e-5:
            return Diagnosis(
                "missing_batch_mean",
                f"{size} times too large{where}: the sum over {size} samples was not divided by {size}",
                0.93,
            )
        if abs(c * size - 1) < 1e-5 and len(wrong) < len(claimed):
            return Diagnosis(
                "missing_batch_sum",
                f"{size} times too small{where}: a mean over the {size} samples for their sum",
                0.93,
            )
        if abs(c * size - 1) < 1e-5:
            return Diagnosis(
                "extra_batch_mean",
                f"{size} times too small{where}: divided by the {size} samples although the loss is a sum",
                0.93,
            )
    fraction = Fraction(c).limit_denominator(1000)
    shown = str(fraction) if fraction and abs(float(fraction) / c - 1) < 1e-5 else f"{c:.6g}"
    small = "/" in shown and max(map(abs, fraction.as_integer_ratio())) <= SMALL
    likely = small or shown.lstrip("-").isdecimal()
    return Diagnosis("factor", f"a constant factor of {shown}{where}", 0.95 if likely else DOUBTFUL)


def _permutation(claimed: list[Array], truth: list[Array], _batches: set[int]) -> Diagnosis | None:
    wrong = _wrong(claimed, truth)
    words = []
    for k in wrong:
        g, t = claimed[k], truth[k]
        if g.shape != t.shape or not t.ndim or t.size < 2:
            return None
        axis = next((a for a in range(min(t.ndim, 2)) if _rearranged(np.moveaxis(g, a, 0), np.moveaxis(t, a, 0))), None)
        if axis is None:
            return None
        words.append(("rows" if axis == 0 else "columns") if t.ndim > 1 else "entries")
    return (
        Diagnosis("permuted", f"the right {words[0]} in the wrong order in argument {wrong[0]}", 0.95)
        if words
        else None
    )


def _rearranged(g: Array, t: Array) -> bool:
    """Are the slices of g those of t in another order?"""
    g, t = g.reshape(len(g), -1), t.reshape(len(t), -1)
    if len(t) > 1000:
        return False
    size = np.abs(t).max() or 1.0
    g, t = g[np.lexsort(np.round(g / size, 9).T)], t[np.lexsort(np.round(t / size, 9).T)]
    return bool(np.abs(g - t).max() <= MATCH * max(np.abs(t).max(), 1e-300))


def _other_points(
    gradient_at: Callable[[list[Array]], list[Array]], xs: list[Array], truth: list[Array]
) -> Iterator[Planted]:
    """The truth with an argument read differently: 2x for x (as log-deviation), x² for x (variance as deviation)."""
    for k, x in enumerate(xs):
        readings: list[tuple[str, Array, Any, str]] = [
            (
                "log_variance_as_log_deviation",
                2 * x,
                2.0,
                f"argument {k} was read as a log-deviation: exp(x) for exp(x/2)",
            )
        ]
        if np.all(x > 0):
            readings.append(
                ("log_variance_as_log_deviation", x**2, 2 * x, f"argument {k}, a variance, was read as a deviation")
            )
        for cause, point, chain, detail in readings:
            moved = [point if j == k else a for j, a in enumerate(xs)]
            try:
                gradients = gradient_at(moved)
            except (ArithmeticError, ValueError, TypeError):
                continue
            scaled = [g * chain if j == k else g for j, g in enumerate(gradients)]
            only = [s if j == k else t for j, (s, t) in enumerate(zip(scaled, truth, strict=True))]
            yield Planted(cause, detail, scaled, rank=20)
            yield Planted(cause, detail, only, rank=21)


def _extra_term(claimed: list[Array], truth: list[Array], xs: list[Array]) -> Diagnosis | None:
    wrong = _wrong(claimed, truth)
    if len(wrong) != 1 or claimed[wrong[0]].shape != truth[wrong[0]].shape:
        return None
    k = wrong[0]
    difference, x = claimed[k] - truth[k], xs[k]
    for word, shape in (
        ("the argument itself (weight decay?)", x),
        ("its signs (an L1 penalty?)", np.sign(x)),
        ("a constant", np.ones_like(x)),
    ):
        c = float(np.vdot(shape, difference) / max(np.vdot(shape, shape), 1e-300))
        if x.size > 2 and c and _same([difference], [c * shape]):
            return Diagnosis("extra_term", f"{c:.6g} times {word} was added to the gradient of argument {k}", 0.85)
    return None


def _batch_sizes(program: Program | None, xs: list[Array]) -> set[int]:
    """Sizes that may be the number of samples; see `planting.batch_sizes`."""
    return {a.shape[0] for a in xs if a.ndim} if program is None else batch_sizes(program)
