"""What a gradient check answers: one of three verdicts, and everything needed to see why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

AGREES, DISAGREES, UNDECIDED = "agrees", "disagrees", "undecided"


class GradientError(AssertionError):
    """Raised by `assert_gradient` with the report of the check."""


@dataclass(frozen=True)
class Worst:
    """The entry that is farthest off.

    argument : number of the argument.   index : of the entry in it.   given : the claimed value.   expected : the oracle's.
    noise : the difference that rounding alone may cause there.   name : the argument's name, if it has one.
    """

    argument: int
    index: tuple[int, ...]
    given: float
    expected: float
    noise: float
    name: str = ""

    def __str__(self) -> str:
        called = self.name or f"argument {self.argument}"
        place = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return f"{called}{place}: given {self.given:.10g}, expected {self.expected:.10g} (noise {self.noise:.1g})"


@dataclass(frozen=True)
class Check:
    """The outcome of a gradient check; true in a boolean context only when the gradient agrees.

    Attributes
    ----------
    verdict : "agrees", "disagrees" or "undecided".
    digits : digits of agreement, −log₁₀ of the largest error relative to the largest entry of its gradient; at most 16.
    reason : why, in a sentence.
    worst : the entry farthest off, or None where entries could not be compared.
    oracle : what the claim was compared with ("complex step", "complex step through NumPy", "differences").
    where : the op and the source line at fault, where they are known.
    points, entries : how many points were looked at, and how many numbers were compared there.
    """

    verdict: str
    digits: float
    reason: str
    worst: Worst | None = None
    oracle: str = ""
    where: str = ""
    points: int = 1
    entries: int = 0
    notes: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return self.verdict == AGREES

    def __str__(self) -> str:
        said = "is undecided" if self.verdict == UNDECIDED else f"{self.verdict} ({self.digits:.1f} digits)"
        lines = [f"the gradient {said}: {self.reason}"]
        if self.worst is not None:
            lines.append(f"  worst entry   {self.worst}")
        if self.where:
            lines.append(f"  where         {self.where}")
        if self.oracle:
            lines.append(
                f"  oracle        {self.oracle}, {self.entries} entries at {self.points} point{'s' if self.points != 1 else ''}"
            )
        return "\n".join([*lines, *(f"  note          {note}" for note in self.notes)])

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        worst = None if self.worst is None else {**vars(self.worst), "index": list(self.worst.index)}
        return {**{k: v for k, v in vars(self).items() if k != "worst"}, "worst": worst, "notes": list(self.notes)}


def undecided(reason: str, **more: object) -> Check:
    return replace(Check(UNDECIDED, 0.0, reason), **more)  # type: ignore[arg-type]


def disagrees(reason: str, **more: object) -> Check:
    return replace(Check(DISAGREES, 0.0, reason), **more)  # type: ignore[arg-type]


def combine(checks: list[Check]) -> Check:
    """One verdict over several points: wrong anywhere is wrong; undecided anywhere is undecided; else the fewest digits."""
    order = {DISAGREES: 0, UNDECIDED: 1, AGREES: 2}
    first = min(checks, key=lambda c: (order[c.verdict], c.digits))
    return replace(first, points=len(checks), entries=sum(c.entries for c in checks))


def judge(
    given: list[np.ndarray],
    expected: list[np.ndarray],
    noise: list[np.ndarray],
    *,
    rtol: float,
    atol: float | None = None,
    kinks: list[np.ndarray] | None = None,
    names: list[str] | None = None,
) -> Check:
    """Compare gradients entry by entry, without any absolute scale.

    Parameters
    ----------
    given, expected, noise : one array per argument; noise is the difference that rounding may cause in each entry.
    rtol : relative error up to which an entry counts as right.
    atol : limits what noise may excuse; it never makes an entry right.
    kinks : where the derivative does not exist (such entries are neither right nor wrong).

    An entry is *right* when |given − expected| ≤ rtol·|expected|; *excused* when the difference is below the noise; else wrong.
    One wrong entry is a disagreement. Agreement needs more than the absence of wrong entries: the largest entry of every gradient
    that is not zero throughout must be right, so noise above the signal is "undecided", and so is a function that is constant.
    """
    names = names or [""] * len(given)
    worst, worst_ratio, digits = None, -1.0, 16.0
    signal, doubtful, kinked = False, "", False
    wrong = False
    for k, (g, t, n) in enumerate(zip(given, expected, noise, strict=True)):
        if not t.size:
            continue
        error = np.abs(g - t)
        error = np.where(np.isfinite(g), error, np.inf)
        right = (error <= rtol * np.abs(t)) & np.isfinite(g)
        excused = (error <= n) & (error <= (np.inf if atol is None else atol))
        at_kink = kinks[k] if kinks is not None else np.zeros(t.shape, bool)
        kinked |= bool(at_kink.any())
        bad = ~right & ~excused & ~at_kink
        wrong |= bool(bad.any())
        scale = np.abs(t).max()
        if scale > 0 and not at_kink.any():
            digits = min(digits, _digits(error.max(), scale))
        ratio = np.where(bad, 1e30, 1.0) * error / np.maximum(rtol * np.abs(t) + n, np.finfo(float).tiny)
        i = np.unravel_index(np.nanargmax(np.where(at_kink, -1.0, ratio)), t.shape)
        if ratio[i] > worst_ratio:
            worst_ratio = float(ratio[i])
            worst = Worst(k, tuple(int(j) for j in i), float(g[i]), float(t[i]), float(n[i]), names[k])
        if scale == 0 and not np.any(g):
            continue
        largest = np.unravel_index(np.abs(t).argmax(), t.shape)
        if right[largest] and scale > n[largest]:
            signal = True
        else:
            doubtful = (
                doubtful
                or f"in {names[k] or f'argument {k}'} rounding noise ({n[largest]:.1g}) hides the gradient ({scale:.1g})"
            )
    entries = sum(t.size for t in expected)
    if wrong:
        zero = all(not np.any(g) for g in given)
        what = "the claimed gradient is zero throughout" if zero else f"{worst} differs by far more than rounding"
        return Check(DISAGREES, digits if np.isfinite(digits) else 0.0, what, worst, entries=entries)
    if kinked:
        return undecided(
            "the point lies at a kink (|x| at 0, relu at 0, a tied maximum): the derivative there is a convention",
            worst=worst,
            entries=entries,
        )
    if doubtful:
        return undecided(doubtful, worst=worst, digits=digits, entries=entries)
    if not signal:
        return undecided(
            "the function is constant here: every derivative is zero, so there is nothing to compare", entries=entries
        )
    return Check(
        AGREES, digits, f"every entry agrees to a relative error of {rtol:g} or within rounding", worst, entries=entries
    )


def _digits(error: float, scale: float) -> float:
    if not np.isfinite(error):
        return 0.0
    relative = error / scale
    return 16.0 if relative <= 1e-16 else float(max(0.0, -np.log10(relative)))
