"""Rows of the table of ops, and random straight-line programs. Public through `autograd_ae.testing.strategies`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.op import Shape
from autograd_ae.core.tensor import Tensor, no_grad, tensor
from autograd_ae.ops import api as ae
from autograd_ae.testing.specs import SPECS, OpSpec
from autograd_ae.testing.specs import elementwise as _elementwise
from autograd_ae.testing.specs import spec as _spec
from autograd_ae.testing.specs import structural_reductions as _reductions
from autograd_ae.testing.strategies_arrays import LAYOUTS, Array, _known, shown_by_hypothesis, st

DIFFERENTIABLE = tuple(name for name, spec in SPECS.items() if spec.differentiable)
TRIES = 8  # at a step without an empty array; about one try in three of the widest einsum succeeds


@dataclass(frozen=True, eq=False, repr=False)
class OpCase:
    """One call of an op: `case(*tensors)`; `arrays` may hold boolean conditions; `cotangent` suits the output."""

    spec: OpSpec
    arrays: tuple[Array, ...]
    params: dict[str, Any]
    seed: int

    def __call__(self, *tensors: Any) -> Tensor:
        return self.spec.call(*tensors, **self.params)

    def cotangent(self, shape: Shape, dtype: Any = np.float64) -> Array:
        return np.asarray(np.random.default_rng([self.seed, 1]).normal(size=shape)).astype(dtype)

    def __repr__(self) -> str:
        shown = [f"{a.dtype}{a.shape}" for a in self.arrays] + [f"{k}={v!r}" for k, v in self.params.items()]
        return f"{self.spec.name}({', '.join(shown)})  # seed {self.seed}"

    _repr_pretty_ = shown_by_hypothesis


@st.composite
def op_cases(draw: Any, name: str | None = None, *, differentiable: bool = True, layout: str | None = None) -> OpCase:
    """A row of the table of ops (one by name, else any) with arrays in its domain, parameters and a cotangent's seed.

    Arrays are float64 in any layout; `differentiable=False` lets in comparisons and sign.
    """
    if name is not None:
        _known("name", name, SPECS)
    allowed = DIFFERENTIABLE if differentiable else tuple(SPECS)
    spec = SPECS[name if name is not None else draw(st.sampled_from(allowed))]
    seed = draw(st.integers(0, 2**32 - 1))
    given, params = spec.draw(lambda low, high: draw(st.integers(low, high)), np.random.default_rng(seed))
    lay = LAYOUTS[layout or draw(st.sampled_from(list(LAYOUTS)))]
    return OpCase(spec, tuple(lay(a) for a in given), params, seed)


# Guards: what brings any number into an op's domain. The slope of x/√(1 + x²) falls as x⁻³, not exponentially, so
# gradients stay visible.


def squash(x: Any) -> Any:
    """x/√(1 + x²), in (−1, 1)."""
    return x / ae.sqrt(1.0 + ae.square(x))


def _constant_of(drawer: Callable[..., Array], x: Any, k: int) -> Array:
    """A fixed array of x's shape and dtype from the generator of the k-th argument."""
    return np.asarray(drawer(np.random.default_rng(k), x.shape)).astype(x.dtype)


def _signs(rng: np.random.Generator, shape: Shape) -> Array:
    return rng.choice([-1.0, 1.0], size=shape)


GUARDS: dict[Any, tuple[str, Callable[[Any, int], Any]]] = {  # drawer of the table → the guard's name, guard(x, k)
    _spec.normal: ("squash", lambda x, k: squash(x)),
    _reductions.with_zeros: ("squash", lambda x, k: squash(x)),
    _elementwise.moderate: ("moderate", lambda x, k: 1.2 * squash(x)),
    _spec.positive: ("positive", lambda x, k: 1.6 + 1.4 * squash(x)),
    _elementwise.around_one: ("above_minus_one", lambda x, k: 1.1 + 1.9 * squash(x)),
    _spec.unit: ("unit", lambda x, k: 0.5 + 0.45 * squash(x)),
    _spec.nonzero: ("nonzero", lambda x, k: (1.6 + 1.4 * squash(x)) * _constant_of(_signs, x, k)),
    _spec.distinct: ("distinct", lambda x, k: 0.01 * squash(x) + _constant_of(_spec.distinct, x, k)),
    _elementwise.apart_from_distinct: (
        "apart",
        lambda x, k: 0.01 * squash(x) + _constant_of(_elementwise.apart_from_distinct, x, k),
    ),
}


def fit(x: Any, shape: Shape) -> Tensor:
    """The entries of x, repeated or cut off, in another shape: a gather."""
    wanted = math.prod(shape)
    size = math.prod(x.shape)
    return ae.reshape(ae.getitem(ae.reshape(x, (-1,)), np.arange(wanted) % size), shape)


@dataclass(frozen=True, eq=False)
class Argument:
    """An earlier value by number, brought to a shape and a domain on the way; or a fixed condition."""

    value: int
    shape: Shape
    fitted: bool = False
    guard: Any = None  # a key of GUARDS
    condition: Array | None = None

    def of(self, values: Sequence[Any], k: int) -> Any:
        if self.condition is not None:
            return self.condition
        x = values[self.value]
        if self.fitted:
            x = fit(x, self.shape)
        return x if self.guard is None else GUARDS[self.guard][1](x, k)

    def text(self, names: Sequence[str]) -> str:
        if self.condition is not None:
            return f"condition{self.shape}"
        text = f"fit({names[self.value]}, {self.shape})" if self.fitted else names[self.value]
        return text if self.guard is None else f"{GUARDS[self.guard][0]}({text})"


@dataclass(frozen=True, eq=False)
class Step:
    """One line: an op of the table on earlier values."""

    name: str
    arguments: tuple[Argument, ...]
    params: dict[str, Any]
    shape: Shape

    def __call__(self, values: Sequence[Any]) -> Tensor:
        return SPECS[self.name].call(*[a.of(values, k) for k, a in enumerate(self.arguments)], **self.params)

    def text(self, names: Sequence[str]) -> str:
        shown = [a.text(names) for a in self.arguments] + [f"{k}={v!r}" for k, v in self.params.items()]
        return f"{self.name}({', '.join(shown)})"


@dataclass(frozen=True, eq=False, repr=False)
class StraightLine:
    """A function as numbered lines: `program(*tensors)` is the value of the last; `arrays` are inputs that suit it.

    Values are numbered inputs first; `places[i]` says which value the i-th line takes its number from.
    """

    arrays: tuple[Array, ...]
    steps: tuple[Step, ...]
    order: tuple[int, ...]  # value number → input number (≥ 0) or ~step

    def __call__(self, *tensors: Any) -> Tensor:
        if len(tensors) != len(self.arrays):
            raise TypeError(f"the program takes {len(self.arrays)} tensors, {len(tensors)} arrived")
        values: list[Any] = []
        for place in self.order:
            values.append(tensors[place] if place >= 0 else self.steps[~place](values))
        return values[-1]

    @property
    def ops(self) -> tuple[str, ...]:
        """Names of the lines' ops, in order."""
        return tuple(step.name for step in self.steps)

    def __repr__(self) -> str:
        names = [f"x{place + 1}" if place >= 0 else f"%{~place + 1}" for place in self.order]
        rows = [f"{f'x{i + 1}':>4}  input {a.shape} {a.dtype}" for i, a in enumerate(self.arrays)]
        rows += [f"{f'%{i + 1}':>4}  = {s.text(names)}  {s.shape}" for i, s in enumerate(self.steps)]
        return "\n".join(["StraightLine", *rows])

    _repr_pretty_ = shown_by_hypothesis


@st.composite
def programs(
    draw: Any, max_ops: int = 6, *, min_ops: int = 1, ops: Sequence[str] | None = None, dtype: Any = np.float64
) -> StraightLine:
    """Random straight-line programs over the differentiable ops of the table.

    Every line but the first uses the line before it; its other arguments are new inputs or any earlier value once more
    (fan-out). An earlier value passes a guard into the op's domain, and a gather where its shape does not suit, so
    every line is defined whatever the inputs, has no kink near, and stays moderate. No array is empty.

    Parameters
    ----------
    max_ops, min_ops : number of lines.    ops : names of the table to choose from.    dtype : of the inputs.

    >>> from hypothesis import find
    >>> find(programs(), lambda program: "exp" in program.ops)
    StraightLine
      x1  input () float64
      %1  = exp(x1)  ()
    """
    for name in ops or ():
        _known("ops", name, DIFFERENTIABLE)
    if not 1 <= min_ops <= max_ops:
        raise ValueError(f"1 ≤ min_ops ≤ max_ops is needed; they are {min_ops} and {max_ops}")
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    builder = _Builder(draw, rng, np.dtype(dtype))
    for _ in range(draw(st.integers(min_ops, max_ops))):
        builder.add(SPECS[draw(st.sampled_from(tuple(ops or DIFFERENTIABLE)))])
    return StraightLine(tuple(builder.arrays), tuple(builder.steps), tuple(builder.order))


class _Builder:
    """Draws one line at a time, running it at once, since the next line needs its shape."""

    def __init__(self, draw: Any, rng: np.random.Generator, dtype: np.dtype):
        self.draw, self.rng, self.dtype = draw, rng, dtype
        self.arrays: list[Array] = []
        self.steps: list[Step] = []
        self.order: list[int] = []
        self.values: list[Any] = []

    def pick(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def add(self, spec: OpSpec) -> None:
        for _ in range(TRIES):
            kept = len(self.arrays), len(self.order)
            step = self.line(spec)
            if step is not None:
                self.steps.append(step)
                self.order.append(~(len(self.steps) - 1))
                return
            del self.arrays[kept[0] :], self.order[kept[1] :], self.values[kept[1] :]
        from hypothesis import reject

        reject()

    def line(self, spec: OpSpec) -> Step | None:
        """A step whose value is appended, or None when an array of it is empty."""
        shapes, params = spec.case(self.pick)
        if not all(math.prod(s) for s in shapes):
            return None
        drawers = spec.values if isinstance(spec.values, tuple) else (spec.values,) * len(shapes)
        floats = [k for k, drawer in enumerate(drawers) if drawer is not _spec.condition]
        linked = floats[self.pick(0, len(floats) - 1)] if self.steps else None
        last = len(self.values) - 1
        earlier = len(self.values)
        arguments = tuple(
            self.argument(drawer, shape, last if k == linked else self.pick(0, earlier) - 1)
            for k, (drawer, shape) in enumerate(zip(drawers, shapes, strict=True))
        )
        draft = Step(spec.name, arguments, params, ())
        with no_grad():
            value = draft(self.values)
        if not value.size:
            return None
        self.values.append(value)
        return Step(spec.name, arguments, params, value.shape)

    def argument(self, drawer: Any, shape: Shape, source: int) -> Argument:
        """The value `source` through its guard; a new input where it is −1 or the domain has no guard."""
        if drawer is _spec.condition:
            return Argument(-1, shape, condition=drawer(self.rng, shape))
        if source >= 0 and drawer in GUARDS:
            return Argument(source, shape, fitted=self.values[source].shape != shape, guard=drawer)
        array = np.asarray(drawer(self.rng, shape)).astype(self.dtype)
        self.arrays.append(array)
        self.order.append(len(self.arrays) - 1)
        self.values.append(tensor(array))
        return Argument(len(self.values) - 1, shape)
