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

    argument : number of the argument.
    index : of the entry in it; with `projected`, the number of the random projection.
    given, expected : the claimed value, and the oracle's.
    noise : the difference that rounding alone may cause there.
    name : the argument's name, if it has one.
    """

    argument: int
    index: tuple[int, ...]
    given: float
    expected: float
    noise: float
    name: str = ""
    projected: bool = False

    def __str__(self) -> str:
        called = self.name or f"argument {self.argument}"
        if self.projected:
            called = f"{called}, random projection "
        place = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return f"{called}{place}: given {self.given:.10g}, expected {self.expected:.10g} (noise {self.noise:.1g})"


@dataclass(frozen=True)
class Check:
    """The outcome of a gradient check; true in a boolean context only when the gradient agrees.

    Attributes
    ----------
    verdict : "agrees", "disagrees" or "undecided".
    digits : digits of agreement, −log₁₀ of the largest error relative to the largest entry of its gradient; 0 to 16.
    reason : why, in a sentence.
    worst : the entry farthest off, or None where entries could not be compared.
    oracle : what the claim was compared with: see `oracles.py`.
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
            points = f"{self.points} point{'s' if self.points != 1 else ''}"
            lines.append(f"  oracle        {self.oracle}, {self.entries} entries at {points}")
        return "\n".join([*lines, *(f"  note          {note}" for note in self.notes)])

    def to_dict(self) -> dict[str, object]:
        """For JSON: plain types; a number that JSON does not have (NaN, infinity) is given by its name."""
        worst = None
        if self.worst is not None:
            worst = {k: _plain(v) for k, v in vars(self.worst).items()} | {"index": list(self.worst.index)}
        return {**vars(self), "worst": worst, "notes": list(self.notes)}


def _plain(value: object) -> object:
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def undecided(reason: str, **more: object) -> Check:
    return replace(Check(UNDECIDED, 0.0, reason), **more)  # type: ignore[arg-type]


def disagrees(reason: str, **more: object) -> Check:
    return replace(Check(DISAGREES, 0.0, reason), **more)  # type: ignore[arg-type]


def combine(checks: list[Check]) -> Check:
    """One verdict over several points: wrong or undecided anywhere is so altogether; else the fewest digits."""
    order = {DISAGREES: 0, UNDECIDED: 1, AGREES: 2}
    first = min(checks, key=lambda c: (order[c.verdict], c.digits))
    return replace(first, points=len(checks), entries=sum(c.entries for c in checks))


@dataclass
class _Argument:
    """One argument's entries, judged."""

    wrong: bool = False
    kinked: bool = False
    undefined: bool = False
    signal: bool = False
    doubt: str = ""
    digits: float = 16.0
    worst: Worst | None = None
    badness: float = -1.0
    excused: int = 0  # entries that differ by less than the noise, and so are not certified


def judge(
    given: list[np.ndarray], expected: list[np.ndarray], noise: list[np.ndarray], *, rtol: float,
    atol: float | None = None, kinks: list[np.ndarray] | None = None, names: list[str] | None = None,
    projected: bool = False, largest: list[float] | None = None,
) -> Check:  # fmt: skip
    """Compare gradients entry by entry, without any absolute scale.

    Parameters
    ----------
    given, expected, noise : one array per argument; noise is the difference that rounding may cause in each entry.
    rtol : relative error up to which an entry counts as right.
    atol : limits what noise may excuse; it never makes an entry right.
    kinks : where the derivative does not exist (such entries are neither right nor wrong).
    projected : entries are random projections of the gradient, not its own.
    largest : the largest number of each gradient's own dtype: beyond it an infinity of the right sign is no mistake.

    An entry is *right* when |given − expected| ≤ rtol·|expected|; *excused* when the difference is below the noise;
    else wrong. One wrong entry is a disagreement. Agreement needs more than the absence of wrong entries: the largest
    entry of every gradient that is not zero throughout must be right, so noise above the signal is "undecided", and
    so is a function that is constant.

    >>> g, noise = np.array([1.0, 2.0]), np.array([1e-15, 1e-15])
    >>> judge([g], [g], [noise], rtol=1e-6).verdict, judge([g], [2 * g], [noise], rtol=1e-6).verdict
    ('agrees', 'disagrees')
    >>> judge([g], [2 * g], [noise + 10], rtol=1e-6).verdict
    'undecided'
    """
    names = names or [""] * len(given)
    kinks = kinks if kinks is not None else [np.zeros(t.shape, bool) for t in expected]
    limit = np.inf if atol is None else atol
    largest = largest if largest is not None else [float(np.finfo(np.float64).max)] * len(given)
    parts = [
        _judge_argument(k, g, t, n, at_kink, rtol, limit, names[k], projected, largest[k])
        for k, (g, t, n, at_kink) in enumerate(zip(given, expected, noise, kinks, strict=True))
        if t.size
    ]
    entries = sum(t.size for t in expected)
    worst = max(parts, key=lambda p: p.badness).worst if parts else None
    digits = min((p.digits for p in parts), default=16.0)
    if any(p.wrong for p in parts):
        zero = all(not np.any(g) for g in given)
        what = "the claimed gradient is zero throughout" if zero else f"{worst} differs by far more than rounding"
        return Check(DISAGREES, digits, what, worst, entries=entries)
    reason = (
        UNDEFINED
        if any(p.undefined for p in parts)
        else KINK
        if any(p.kinked for p in parts)
        else next((p.doubt for p in parts if p.doubt), "")
    )
    if reason:
        return undecided(reason, worst=worst, digits=digits, entries=entries)
    if not any(p.signal for p in parts):
        return undecided(CONSTANT, entries=entries)
    excused = sum(p.excused for p in parts)
    agreeing = "every entry agrees" if not excused else f"{entries - excused} of {entries} entries agree"
    reason = f"{agreeing} to a relative error of {rtol:g}" + ("; the others lie in the noise" if excused else "")
    return Check(AGREES, digits, reason, worst, entries=entries)


def _overflows(g: np.ndarray, t: np.ndarray, largest: float) -> np.ndarray:
    """Entries too large for the gradient's dtype, which it therefore holds as infinities of the right sign."""
    return np.isinf(g) & (np.abs(t) > largest) & (np.sign(g) == np.sign(t))


def _judge_argument(
    k: int, g: np.ndarray, t: np.ndarray, n: np.ndarray, at_kink: np.ndarray, rtol: float, limit: float,
    name: str, projected: bool, largest_number: float,
) -> _Argument:  # fmt: skip
    undefined = ~np.isfinite(t) | _overflows(g, t, largest_number)
    with np.errstate(all="ignore"):
        error = np.where(np.isfinite(g), np.abs(g - t), np.inf)
        right = np.isfinite(g) & (error <= rtol * np.abs(t))
        excused = (error <= n) & (error <= limit) & np.isfinite(g)
        neither = at_kink | undefined
        bad = ~right & ~excused & ~neither
        badness = np.where(bad, 1e30, 1.0) * error / np.maximum(rtol * np.abs(t) + n, np.finfo(float).tiny)
        badness = np.where(neither, -0.5, np.where(np.isnan(badness), np.inf, badness))
    i = np.unravel_index(badness.argmax(), t.shape)
    worst = Worst(k, tuple(int(j) for j in i), float(g[i]), float(t[i]), float(n[i]), name, projected)
    part = _Argument(
        bool(bad.any()), bool(at_kink.any()), bool(undefined.any()), worst=worst, badness=float(badness[i]),
        excused=int(np.sum(excused & ~right & ~neither)),
    )  # fmt: skip
    compared = np.where(neither, 0.0, np.abs(t))
    largest = np.unravel_index(compared.argmax(), t.shape)
    scale = compared[largest]
    if scale > 0:
        part.digits = _digits(float(np.where(neither, 0.0, error).max()), float(scale))
    elif part.wrong:
        part.digits = 0.0
    if scale == 0 and not np.any(g):
        return part
    if right[largest] and scale > n[largest]:
        part.signal = True
    else:
        part.doubt = f"in {name or f'argument {k}'} rounding noise ({n[largest]:.1g}) hides the gradient ({scale:.1g})"
    return part


UNDEFINED = (
    "the derivative is not finite here (or too large for its dtype), or f is defined on one side only: "
    "choose a point inside its domain"
)
KINK = "the point lies at a kink (|x| at 0, relu at 0, a tied maximum): the derivative there is a convention"
CONSTANT = "the function is constant here: every derivative is zero, so there is nothing to compare"


def _digits(error: float, scale: float) -> float:
    if not np.isfinite(error):
        return 0.0
    relative = error / scale
    return 16.0 if relative <= 1e-16 else float(max(0.0, -np.log10(relative)))
