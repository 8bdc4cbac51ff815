"""False alarms: correct gradients at points that are hard to check, none of which may be rejected.

Every op of the table at the tails of its domain, over large and small scales, in float32 and float64, its output
multiplied by 10^±12. A check there may be undecided (the gradient is below the rounding, or the value overflows), but
never say that a right gradient is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.tensor import Tensor
from autograd_ae.testing.faults import function_of
from autograd_ae.testing.gradcheck import gradcheck
from autograd_ae.testing.specs import SPECS
from autograd_ae.testing.specs import elementwise as _elementwise
from autograd_ae.testing.specs import spec as _spec

Array = np.ndarray
LARGEST = 60  # entries of a case


@dataclass(frozen=True)
class HardCase:
    """A case by its number: `fn(*tensors)` at `inputs`, with what makes it hard in words."""

    op: str
    number: int
    fn: Callable[..., Tensor]
    inputs: tuple[Array, ...]
    words: str


def harder(drawer: Any, a: Array, rng: np.random.Generator) -> Array:
    """Values of the drawer's domain, towards its edges."""
    decades = rng.uniform(-6.0, 6.0)
    if drawer is _spec.unit:  # towards 0, or towards 1
        small = a * 10.0 ** -abs(decades)
        return small if rng.random() < 0.5 else 1.0 - small
    if drawer is _elementwise.around_one:  # towards the pole at −1, or to 0
        return -1.0 + np.abs(1.0 + a) * 10.0**decades if rng.random() < 0.5 else a * 10.0 ** -abs(decades)
    if drawer is _elementwise.moderate:
        return a * 10.0 ** -abs(decades)
    if drawer is _spec.condition:
        return a
    return a * 10.0 ** (decades / 3 if rng.random() < 0.5 else decades)  # tails of exp, tanh, σ; or anything


def hard_cases(count: int, seed: int = 0) -> Iterator[HardCase]:
    """`count` cases, the ops in turn."""
    table = [spec for spec in SPECS.values() if spec.differentiable]
    number = made = 0
    while made < count:
        spec, rng = table[number % len(table)], np.random.default_rng([seed, number])
        number += 1
        arrays, params = spec.draw(lambda low, high, rng=rng: int(rng.integers(low, high + 1)), rng)  # type: ignore[misc]
        drawers = spec.values if isinstance(spec.values, tuple) else (spec.values,) * len(arrays)
        dtype = rng.choice(np.array([np.float64, np.float32]))
        with np.errstate(all="ignore"):
            hard = [
                a if a.dtype == bool else np.asarray(harder(drawer, a, rng)).astype(dtype)
                for drawer, a in zip(drawers, arrays, strict=True)
            ]
        if not 0 < sum(a.size for a in hard if a.dtype != bool) <= LARGEST:
            continue
        fn, inputs = function_of(spec, hard, params)
        factor = 10.0 ** rng.integers(-12, 13)
        made += 1
        words = f"{np.dtype(dtype)}, output times {factor:.0e}, {params or 'no parameters'}"
        yield HardCase(spec.name, number - 1, lambda *ts, fn=fn, c=factor: c * fn(*ts), inputs, words)


@dataclass(frozen=True)
class Alarms:
    """What became of correct gradients: agreements, undecided ones, and each false alarm in words."""

    cases: int
    agree: int
    undecided: int
    alarms: list[str]


def false_alarms(count: int, seed: int = 0, note: Callable[[str], None] = lambda line: None) -> Alarms:
    """gradcheck of `count` correct gradients at hard points."""
    verdicts = {"agrees": 0, "undecided": 0}
    alarms = []
    for done, case in enumerate(hard_cases(count, seed)):
        if done % 1000 == 0:
            note(f"{done:,} of {count:,} cases")
        with np.errstate(all="ignore"):
            try:
                result = gradcheck(case.fn, case.inputs, points=1, seed=case.number)
            except ValueError:  # outside the op's domain once rounded to float32: refused in words, which is no alarm
                verdicts["undecided"] += 1
                continue
        if result.verdict == "disagrees":
            alarms.append(f"{case.op}, case {case.number} of seed {seed} ({case.words}): {result}")
        else:
            verdicts[result.verdict] += 1
    return Alarms(count, verdicts["agrees"], verdicts["undecided"], alarms)


def alarms_outcome(found: Alarms) -> tuple[str, dict[str, Any], int]:
    """Report, data and exit code (1 on a false alarm)."""
    lines = [
        *found.alarms[:20],
        f"{len(found.alarms)} false alarms over {found.cases:,} correct gradients at hard points "
        f"({found.agree:,} agree, {found.undecided:,} undecided)",
    ]
    return "\n".join(lines), dict(vars(found)), int(bool(found.alarms))
