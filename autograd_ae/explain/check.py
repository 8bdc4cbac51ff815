"""The independent column: derivatives by complex step through the references, no gradient rule involved.

At x + ih·v the imaginary part of L is h ⟨∇L, v⟩ to machine precision (Squire & Trapp 1998). Any value of the program
can be moved, not only a leaf: the lines that depend on it are run again in complex128, all others keep their values.
One run gives one number. So a small gradient is checked entry by entry, a large one along a random direction and at a
few entries, among them its largest; how many depends on the work that a run costs, never on a clock.

Digits of agreement are −log₁₀ of the largest difference over the gradient's largest entry (along a direction: over its
norm). Where a gradient is what is left of terms that cancel, it cannot have more digits than they have, so the scale is
at least 10⁻⁴ of their size.

At a kink (|x| at 0, a tied maximum) the complex step gives the slope at one side and the engine a convention between
the two. So where they differ, the slopes a little to both sides are looked at: if they differ and the engine's number
lies between them, it is a subgradient, is counted as a kink, and takes no part in the digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autograd_ae.core.program import Line, Program
from autograd_ae.core.transforms import STEP

Array = np.ndarray
IN_FULL = 24  # entries up to which a gradient is checked one by one
WORK_IN_FULL = 4e7  # floating-point operations that this may take for one gradient
WORK_ON_ENTRIES = 6e8  # what checking single entries of large gradients may take in all
DOUBT = 4.0  # digits below which a kink is looked for
ASIDE = 1e-7  # how far to its sides, relative to the value
ALL = 16.0  # digits that float64 has


@dataclass(frozen=True)
class Check:
    """What the complex step found for one gradient.

    values : the gradient itself, where it was checked in full; else None.
    along : (engine, complex step) along a random direction of ±1, where it was not.
    entries : ((index, engine, complex step), …).
    digits : of agreement, the least over all that was compared; at most 16. None if all of it is at kinks.
    kinks : numbers that were compared and found to be at a kink.
    """

    values: Array | None
    along: tuple[float, float] | None
    entries: tuple[tuple[tuple[int, ...], float, float], ...]
    digits: float | None
    kinks: int = 0


def digits_of(error: float, scale: float) -> float:
    if not math.isfinite(error):
        return 0.0
    if error == 0:
        return ALL
    return max(0.0, min(ALL, -math.log10(error / scale))) if scale > 0 else 0.0


class Place(NamedTuple):
    """A value that is moved: its number, the lines that it reaches, and the dense layer if it is inside of one."""

    number: int
    lines: list[Line]
    layer: Line | None


class ComplexStep:
    """Derivatives of ⟨cotangent, output⟩ of a program with respect to any of its values."""

    def __init__(self, program: Program, cotangent: Array, seed: int = 0):
        self.program, self.cotangent = program, cotangent
        self.rng = np.random.default_rng(seed)
        with np.errstate(all="ignore"):
            self.base: list[Any] = program.run_complex({})
        self.work_left = WORK_ON_ENTRIES

    def dependent(self, place: int) -> list[Line]:
        """The forward lines that a value reaches."""
        reached, lines = {place}, []
        for line in self.program.forward:
            if any(a in reached for a in line.args):
                reached.add(line.out)
                lines.append(line)
        return lines

    def work(self, lines: list[Line]) -> float:
        """Floating-point operations of one run, roughly: products of matrices in complex arithmetic, 40 per entry."""
        total = 0.0
        for line in lines:
            out = self.program.values[line.out].shape
            size = float(np.prod(out))
            inner = self.program.values[line.args[0]].shape[-1:] or (1,)
            product = line.label.startswith(("dense", "matmul", "einsum"))
            total += 2e4 + 40 * size + (8 * size * inner[0] if product else 0)
        return total

    @np.errstate(all="ignore")
    def along(self, at: Place, v: Array, shift: float = 0.0) -> float:
        """⟨∇L, v⟩ at a value, or at the value plus shift · v."""
        h = STEP / float(np.abs(v).max())
        step = (shift + 1j * h) * v
        moved: dict[int, Any] = {}
        if at.layer is None:
            moved[at.number] = self.base[at.number] + step
        else:
            x, W, b = (self.base[a] for a in at.layer.args)
            moved[at.number] = np.empty(v.shape, complex)
            at.layer.analytic(moved[at.number], x, W, b + step, **at.layer.params)
        for line in at.lines:
            value = self.program.values[line.out]
            out = moved[line.out] = np.empty(value.shape, bool if value.dtype == bool else complex)
            args = [moved[a] if a in moved else self.base[a] for a in line.args]
            line.analytic(out, *args, **line.params)
        output = moved.get(self.program.outputs[0])
        return 0.0 if output is None else float(np.sum(self.cotangent * output.imag)) / h

    def kink(self, at: Place, v: Array, engine: float, scale: float) -> bool:
        """Is the engine's ⟨∇L, v⟩ a number between two different slopes?"""
        size = float(np.abs(self.base[at.number]).max(initial=1.0))
        low, high = sorted(self.along(at, v, shift) for shift in (-ASIDE * size, ASIDE * size))
        room = 1e-5 * scale
        return high - low > 1e-3 * scale and low - room <= engine <= high + room

    def compare(self, at: Place, v: Array, engine: float, scale: float) -> tuple[float, float | None]:
        """The complex step's ⟨∇L, v⟩ and the digits to which the engine's agrees; None at a kink."""
        found = self.along(at, v)
        digits = digits_of(abs(engine - found), scale)
        return found, None if digits < DOUBT and self.kink(at, v, engine, scale) else digits

    def check(self, place: int, gradient: Array, terms: float = 0.0, layer: Line | None = None) -> Check:
        """The engine's gradient of a value against the complex step; `terms` is the size of what it is the sum of,
        `layer` the dense layer whose inner value is meant."""
        g = gradient.astype(np.float64)
        at = Place(place, self.dependent(place), layer)
        work = self.work(at.lines)
        if g.size <= IN_FULL and g.size * work <= WORK_IN_FULL:
            return self.in_full(at, g, terms)
        v = self.rng.choice([-1.0, 1.0], size=g.shape)
        engine = float(np.sum(v * g))
        found, first = self.compare(at, v, engine, max(float(np.linalg.norm(g)), 1e-4 * terms))
        digits, entries = [first], []
        scale = max(float(np.abs(g).max()), 1e-4 * terms)
        for index in self.chosen(g):
            if work > self.work_left:
                break
            self.work_left -= work
            slope, of_entry = self.compare(at, unit(g.shape, index), float(g[index]), scale)
            entries.append((index, float(g[index]), slope))
            digits.append(of_entry)
        return Check(None, (engine, found), tuple(entries), *_least(digits))

    def in_full(self, at: Place, g: Array, terms: float) -> Check:
        """Every entry."""
        found = np.empty(g.shape)
        for index in np.ndindex(g.shape):
            found[index] = self.along(at, unit(g.shape, index))
        scale = max(float(np.abs(found).max(initial=0.0)), 1e-4 * terms)
        digits: list[float | None] = [digits_of(abs(float(g[i] - found[i])), scale) for i in np.ndindex(g.shape)]
        for k, index in enumerate(np.ndindex(g.shape)):
            known = digits[k]
            if known is not None and known < DOUBT and self.kink(at, unit(g.shape, index), float(g[index]), scale):
                digits[k] = None
        return Check(found, None, (), *_least(digits))

    def chosen(self, g: Array) -> list[tuple[int, ...]]:
        """The largest entry, and two at random."""
        flat = [int(np.argmax(np.abs(g))), *self.rng.integers(0, g.size, size=2).tolist()]
        return [tuple(int(i) for i in np.unravel_index(k, g.shape)) for k in dict.fromkeys(flat)]


def unit(shape: tuple[int, ...], index: tuple[int, ...]) -> Array:
    v = np.zeros(shape)
    v[index] = 1.0
    return v


def _least(digits: list[float | None]) -> tuple[float | None, int]:
    """The least number of digits, and how many numbers are at a kink."""
    known = [d for d in digits if d is not None]
    return min(known, default=None if digits else ALL), len(digits) - len(known)
