"""What is compared: every entry of every gradient, or a few random projections of each where there are many.

A projection ⟨g, v⟩ on a Gaussian v has the size of ‖g‖, and a fault δ anywhere changes it by ‖δ‖ times a Gaussian
number: with 8 of them none is overlooked by luck, unless ‖δ‖ is below the tolerance times ‖g‖. Cost: 8 derivatives
per argument, whatever its size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograd_ae.testing.oracles import Oracle

Array = np.ndarray
ELEMENTWISE_LIMIT = 600  # entries up to which each is checked by itself
DIRECTIONS = 8  # random projections per argument beyond that


@dataclass(frozen=True)
class View:
    """The oracle, the point (`wide`: in the oracle's precision) and the directions along which to compare."""

    oracle: Oracle
    xs: list[Array]
    wide: list[Array]
    projected: bool
    directions: list[list[Array]]

    def along(self, gradients: list[Array]) -> list[Array]:
        """What is compared of gradients, as float64."""
        if not self.projected:
            return [g.astype(np.float64) for g in gradients]
        return [np.array([np.sum(g * v) for v in vs]) for g, vs in zip(gradients, self.directions, strict=True)]

    def ask(self, at: list[Array]) -> tuple[list[Array], list[Array], list[Array]]:
        """The oracle's derivatives at a point, their errors, and where it sees kinks."""
        columns: tuple[list[Array], list[Array], list[Array]] = ([], [], [])
        for k, x in enumerate(self.xs):
            answers = [self.oracle.derivative(at, k, v) for v in self._vectors(k)]
            shape = (len(answers),) if self.projected else x.shape
            for column, dtype, part in zip(columns, (float, float, bool), range(3), strict=True):
                column.append(np.array([a[part] for a in answers], dtype=dtype).reshape(shape))
        return columns

    def sizes(self, k: int, entries: Array) -> Array:
        """A bound per entry of argument k, as a bound on what is compared."""
        return np.array([np.sum(np.abs(v) * entries) for v in self.directions[k]]) if self.projected else entries

    def _vectors(self, k: int) -> list[Array]:
        return self.directions[k] if self.projected else unit_vectors(self.xs[k].shape)


def unit_vectors(shape: tuple[int, ...]) -> list[Array]:
    """One per entry."""
    size = int(np.prod(shape))
    return list(np.eye(size).reshape(size, *shape))


def view_of(oracle: Oracle, xs: list[Array], wide: list[Array], fast: bool | None, rng: np.random.Generator) -> View:
    """Entries, or projections when there are many or `fast` says so."""
    projected = fast if fast is not None else sum(a.size for a in xs) > ELEMENTWISE_LIMIT
    directions = [[rng.normal(size=a.shape) for _ in range(DIRECTIONS)] if a.size and projected else [] for a in xs]
    return View(oracle, xs, wide, projected, directions)


def entrywise_gradient(oracle: Oracle, wide: list[Array]) -> list[Array]:
    """The oracle's gradients, entry by entry."""
    return View(oracle, wide, wide, False, [[] for _ in wide]).ask(wide)[0]
