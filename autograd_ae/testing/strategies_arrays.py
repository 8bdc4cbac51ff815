"""Arrays, shapes and tensors for tests of gradients.

Public through `autograd_ae.testing.strategies`, which is the page to read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

try:
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as hnp
except ImportError as error:
    raise ImportError(
        "autograd_ae.testing.strategies makes Hypothesis strategies, and hypothesis is not installed. "
        "Install it with the extra: pip install 'autograd_ae[test]'"
    ) from error

from autograd_ae.core.op import Shape
from autograd_ae.core.tensor import Tensor, tensor

Array = np.ndarray
Strategy = st.SearchStrategy


def _read_only(a: Array) -> Array:
    a = a.copy()
    a.flags.writeable = False
    return a


# The same numbers in every way that they may lie in memory; simplest first, since Hypothesis shrinks to the first.
LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "C": lambda a: a,
    "Fortran": lambda a: np.asarray(a, order="F"),
    "negative stride": lambda a: a[::-1].copy()[::-1] if a.ndim else a,
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
    "read-only": _read_only,
}

# Where values lie: closed intervals, None for the largest finite number of the dtype.
VALUES: dict[str, tuple[float | None, float | None]] = {
    "normal": (-3.0, 3.0),
    "positive": (0.2, 3.0),
    "unit": (0.05, 0.95),
    "any finite": (None, None),
}


def shapes(*, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4) -> Strategy[Shape]:
    """Shapes from 0-d over size-1 axes to empty ones (`min_side=1` leaves out the empty); they shrink to ()."""
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def broadcastable_shapes(
    n: int, *, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4
) -> Strategy[tuple[Shape, ...]]:
    """Tuples of n shapes that broadcast to one."""
    sizes: Any = {"min_dims": min_dims, "max_dims": max_dims, "min_side": min_side, "max_side": max_side}
    return hnp.mutually_broadcastable_shapes(num_shapes=n, **sizes).map(lambda found: found.input_shapes)


def arrays(
    shape: Shape | Strategy[Shape] | None = None,
    dtype: Any = None,
    *,
    values: str = "normal",
    away_from: Sequence[float] = (),
    min_gap: float = 0.1,
    layout: str | None = None,
) -> Strategy[Array]:
    """Float arrays to take gradients at.

    Parameters
    ----------
    shape : a shape or a strategy for one; any of `shapes()` by default.
    dtype : np.float64, np.float32, or None for either.
    values : "normal" (in [−3, 3]), "positive" ([0.2, 3]), "unit" ([0.05, 0.95]), "any finite" (subnormal to largest),
        or
        "distinct" (pairwise at least `min_gap` apart: no maximum is tied).
    away_from, min_gap : kinks and poles, and the distance to keep from them: `away_from=(0.0,)` for relu, abs, 1/x.
    layout : a name of `LAYOUTS`; any by default.

    >>> from hypothesis import find
    >>> find(arrays((2,), np.float64, away_from=(0.0,)), lambda a: a.sum() > 0).tolist()
    [1.0, 1.0]
    """
    _known("values", values, (*VALUES, "distinct"))
    if layout is not None:
        _known("layout", layout, LAYOUTS)
    if dtype is not None and np.dtype(dtype) not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(f"dtype is {dtype!r}; np.float64, np.float32 or None (either) is needed")
    if values == "distinct" and len(away_from):
        raise ValueError(
            "values='distinct' lie on a lattice and cannot keep away from points too: shift them in the test"
        )

    @st.composite
    def drawn(draw: Any) -> Array:
        at = shape if isinstance(shape, tuple) else draw(shapes() if shape is None else shape)
        kind = np.dtype(dtype or draw(st.sampled_from((np.float64, np.float32))))
        if values == "distinct":
            array = draw(_distinct(at, kind, min_gap))
        else:
            array = draw(hnp.arrays(kind, at, elements=_elements(values, kind, away_from, min_gap)))
        return LAYOUTS[layout or draw(st.sampled_from(list(LAYOUTS)))](array)

    return drawn()


def tensors(
    shape: Shape | Strategy[Shape] | None = None, dtype: Any = None, *, name: str = "x", **kwargs: Any
) -> Strategy[Tensor]:
    """Traced tensors over `arrays` of the same arguments."""
    return arrays(shape, dtype, **kwargs).map(lambda a: tensor(a, name))


def _elements(values: str, kind: np.dtype, away_from: Sequence[float], min_gap: float) -> Strategy[float]:
    """Floats in the interval of `values` less the open gaps around `away_from`, so nothing is drawn in vain."""
    limit = float(np.finfo(kind).max)
    low, high = (sign * limit if end is None else end for sign, end in zip((-1, 1), VALUES[values], strict=True))
    pieces = []
    for point in sorted(away_from):
        pieces.append((low, point - min_gap))
        low = max(low, point + min_gap)
    pieces.append((low, high))
    exact = [(_inwards(a, kind, math.inf), _inwards(min(b, high), kind, -math.inf)) for a, b in pieces]
    exact = [(a, b) for a, b in exact if a <= b]
    if not exact:
        raise ValueError(
            f"nothing of [{VALUES[values]}] is left {min_gap:g} away from {tuple(away_from)}: lower min_gap"
        )
    exact.sort(key=lambda piece: min(abs(piece[0]), abs(piece[1])) - (piece[1] > 0))  # positive pieces are simpler
    width = 8 * kind.itemsize
    return st.one_of([st.floats(a, b, width=width, allow_nan=False) for a, b in exact])  # type: ignore[arg-type]


def _inwards(bound: float, kind: np.dtype, towards: float) -> float:
    """The bound as a number of the dtype, on the inner side."""
    rounded = kind.type(bound)
    outside = rounded < bound if towards > 0 else rounded > bound
    return float(np.nextafter(rounded, kind.type(towards)) if outside else rounded)


def _distinct(shape: Shape, kind: np.dtype, gap: float) -> Strategy[Array]:
    """Different multiples of a little more than `gap`, around 0."""
    size = math.prod(shape)
    places = st.lists(st.integers(-size, size), min_size=size, max_size=size, unique=True)
    return places.map(lambda found: (np.array(found, dtype=float) * (1.0 + 1e-5) * gap).astype(kind).reshape(shape))


def _known(what: str, given: Any, allowed: Any) -> None:
    if given not in allowed:
        raise ValueError(f"{what} is {given!r}; one of {', '.join(map(repr, allowed))} is needed")


def shown_by_hypothesis(self: Any, printer: Any, cycle: bool) -> None:
    """For `_repr_pretty_`: a falsifying example shows the repr, not the fields of the dataclass."""
    for k, row in enumerate(repr(self).splitlines()):
        if k:
            printer.break_()
        printer.text(row)
