"""What a test needs to know of an op, and the values it may be fed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_ae.core.op import Shape

Pick = Callable[[int, int], int]
Values = Callable[[np.random.Generator, Shape], np.ndarray]


def normal(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return rng.normal(size=shape)


def positive(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """In [0.2, 3]: away from the poles at 0."""
    return rng.uniform(0.2, 3.0, size=shape)


def nonzero(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """0.2 ≤ |x| ≤ 3: away from kinks and poles at 0."""
    return rng.uniform(0.2, 3.0, size=shape) * rng.choice([-1.0, 1.0], size=shape)


def unit(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """In [0.05, 0.95]: probabilities, away from 0 and 1."""
    return rng.uniform(0.05, 0.95, size=shape)


def distinct(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Pairwise at least 0.1 apart, so that no maximum is tied."""
    size = int(np.prod(shape))
    return (rng.permutation(size) * 0.1 - 0.05 * size + 0.013).reshape(shape)


def condition(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return rng.random(size=shape) < 0.5


@dataclass(frozen=True)
class OpSpec:
    """An op as tests see it.

    name : unique in the table.
    call : `call(*tensors, **params)`, the public function.
    case : `case(pick) -> (shapes of the inputs, params)`.
    values : one drawer per input, or one for all.
    ops : names of the engine's ops that the call is meant to exercise (by default `name`).
    differentiable : whether there is a gradient at all.
    extreme : whether the op is elementwise and defined at ±1000, 0, subnormals, inf, NaN (kernel = reference there).
    """

    name: str
    call: Callable[..., Any]
    case: Callable[[Pick], tuple[tuple[Shape, ...], dict[str, Any]]]
    values: tuple[Values, ...] | Values = normal
    differentiable: bool = True
    extreme: bool = False
    ops: tuple[str, ...] = field(default=())

    def draw(self, pick: Pick, rng: np.random.Generator) -> tuple[list[np.ndarray], dict[str, Any]]:
        """Arrays (float64, or bool for conditions) and parameters."""
        shapes, params = self.case(pick)
        drawers = self.values if isinstance(self.values, tuple) else (self.values,) * len(shapes)
        return [np.asarray(drawer(rng, shape)) for drawer, shape in zip(drawers, shapes, strict=True)], params


def any_shape(pick: Pick, *, least: int = 0) -> Shape:
    """0 to 3 axes of 0 to 4, from a 0-d scalar to an empty array; `least` is the smallest size of an axis."""
    return tuple(pick(least, 4) for _ in range(pick(0, 3)))


def broadcastable(pick: Pick, count: int) -> tuple[Shape, ...]:
    """`count` shapes that broadcast to one: axes dropped at the left or shrunk to 1."""
    whole = any_shape(pick)
    shapes = []
    for _ in range(count):
        kept = whole[pick(0, len(whole)) :] if pick(0, 2) == 0 else whole
        shapes.append(tuple(1 if pick(0, 3) == 0 else n for n in kept))
    return tuple(shapes)


def unary(pick: Pick) -> tuple[tuple[Shape, ...], dict[str, Any]]:
    return (any_shape(pick),), {}


def binary(pick: Pick) -> tuple[tuple[Shape, ...], dict[str, Any]]:
    return broadcastable(pick, 2), {}
