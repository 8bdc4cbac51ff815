r"""Ops that move entries about: `y_k = x_{\iota(k)}`, with ι read off the definition.

Reshape, transpose, an index, a frame, joining: each entry of y is an entry of x, or is none. Which one it is, no
formula with indices says briefly; so the entries of x are numbered, the numbers sent through the definition, and ι is
what arrives. The rule follows: what came from x_i hands its gradient back to it, and what was read twice adds up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd_ae.explain.evaluation import evaluate
from autograd_ae.explain.expression import Expr, Shape

Array = np.ndarray


class Moved(NamedTuple):
    """Where entries come from: `sources` is ι, in C order, −1 where y_k is no entry of x."""

    sources: Array
    x_shape: Shape
    y_shape: Shape

    @property
    def whole(self) -> bool:
        """Is all of y made of x?"""
        return bool((self.sources >= 0).all())

    def lines(self, y: str, x: str) -> tuple[str, ...]:
        """The derivation as LaTeX, from the definition to the chain rule."""
        y, x = f"{{{y}}}", f"{{{x}}}"
        where = "" if self.whole else rf" \text{{ where it comes from }} {x}"
        return (
            rf"{y}_k = {x}_{{\iota(k)}}{where}",
            rf"\frac{{\partial {y}_k}}{{\partial {x}_i}} = [\iota(k) = i]",
            rf"\frac{{\partial L}}{{\partial {x}_i}} = \sum_k \frac{{\partial L}}{{\partial {y}_k}} \, "
            rf"\frac{{\partial {y}_k}}{{\partial {x}_i}} = "
            rf"\sum_{{k: \iota(k) = i}} \frac{{\partial L}}{{\partial {y}_k}}",
        )

    def output(self, x: Array, other: Array) -> Array:
        """x_{ι(k)} for every k; where y comes from elsewhere, what `other` has."""
        found = np.array(other, dtype=float).reshape(-1)
        own = self.sources >= 0
        found[own] = x.reshape(-1)[self.sources[own]]
        return found.reshape(self.y_shape)

    def gradient(self, g: Array) -> Array:
        """Σ over the k with ι(k) = i of g_k, for every i."""
        own = self.sources >= 0
        total = np.bincount(self.sources[own], g.reshape(-1)[own], math.prod(self.x_shape))
        return total.astype(float).reshape(self.x_shape)


def moved(definition: Expr, of: Any, shapes: Mapping[Any, Shape]) -> Moved:
    """ι of the input `of`, by the definition: its entries numbered, then numbered otherwise, so that a constant of the
    definition is not taken for a number; the other inputs NaN."""
    size = math.prod(shapes[of])
    arrived = []
    for first in (0, size + 1):
        env: dict[Any, Array] = {key: np.full(shape, np.nan) for key, shape in shapes.items()}
        env[of] = np.arange(first, first + size, dtype=float).reshape(shapes[of])
        arrived.append(evaluate(definition, env) - first)
    same = arrived[0] == arrived[1]
    sources = np.where(same, np.where(same, arrived[0], 0), -1).astype(np.intp).reshape(-1)
    return Moved(sources, shapes[of], definition.shape)
