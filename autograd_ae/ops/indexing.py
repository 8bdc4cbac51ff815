"""getitem: y = x[index] for all of NumPy's indices: integers, slices, None, Ellipsis, masks and integer arrays.

Derivation. Number the entries of x and y; an index is a map k ↦ i(k), and y_k = x_{i(k)}. So

    ∂L/∂xᵢ = Σ g_k  over all k with i(k) = i:

every g_k goes back to where y_k came from, and what arrives at one place is added (scatter-add). Integers, slices and
masks read no entry twice, so that assignment will do (`getitem`); integer arrays may (`gather`): W[[3, 3]] gives row
3 of W both gradients.

y is a copy in C order, not a view. Index arrays are copied when recorded: editing them later changes nothing. While a
program is captured they are constants of it; a boolean *tensor* is then refused, since the number of entries that it
selects depends on the data.

Cost: the entries of y forward; the entries of x and of y back, since all of x's gradient is written. Nothing is
rounded but sums of repeats.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_ae.core.errors import CaptureError, ShapeError
from autograd_ae.core.op import Array, Op, Shape, pullback
from autograd_ae.core.tensor import Tensor, record, state
from autograd_ae.ops.axes import TensorLike, blamed, integer, operands


class Index(tuple):
    """One entry per axis, as it is written: [:, i0, None, ::-1]; i0 names an index array, a parameter of the op."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"[{', '.join(_written(entry) for entry in self)}]"

    def __hash__(self) -> int:
        return hash(repr(self))

    def filled(self, arrays: dict[str, Array]) -> tuple[Any, ...]:
        """The index that NumPy understands: arrays for their names."""
        return tuple(arrays[entry] if isinstance(entry, str) else entry for entry in self)


def _written(entry: Any) -> str:
    if not isinstance(entry, slice):
        return str(entry)
    start, stop, step = ("" if part is None else str(part) for part in (entry.start, entry.stop, entry.step))
    return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"


def reference(x, *, index, **arrays):
    return x[index.filled(arrays)]


@pullback(r"\bar{x}_{i(k)} = \bar{y}_k, \quad 0 \text{ elsewhere}")
def put_dx(out, g, _y, _x, *, index, **arrays):
    out[...] = 0.0
    out[index.filled(arrays)] = g


@pullback(r"\bar{x}_i = \sum_{k : i(k) = i} \bar{y}_k")
def scatter_add_dx(out, g, _y, _x, *, index, **arrays):
    out[...] = 0.0
    np.add.at(out, index.filled(arrays), g)


def indexed_shape(x: Shape, *, index: Index, **arrays: Array) -> Shape:
    """NumPy's rule: array-indexed axes become one block of axes, in their place if side by side, else in front."""
    left: list[Shape] = []  # by each entry, of the axes that it spans
    axis = 0
    for entry in index:
        kept = len(range(*entry.indices(x[axis]))) if isinstance(entry, slice) else 1
        left.append(() if isinstance(entry, int | str) else (kept,))
        axis += spanned(arrays[entry] if isinstance(entry, str) else entry)
    if not arrays:
        return sum(left, ())
    joined = [k for k, entry in enumerate(index) if isinstance(entry, int | str)]  # integers join the block
    sizes = [(np.count_nonzero(a),) if a.dtype == bool else a.shape for a in arrays.values()]
    try:
        block = np.broadcast_shapes(*sizes)
    except ValueError:
        raise ShapeError(
            f"index arrays of shapes {sizes} do not broadcast: use equal shapes, or slice axis by axis"
        ) from None
    side_by_side = joined[-1] - joined[0] == len(joined) - 1
    place = joined[0] if side_by_side else 0
    return (*sum(left[:place], ()), *block, *sum(left[place:], ()))


def spanned(entry: Any) -> int:
    """How many axes of x an entry takes: a mask as many as it has, None and Ellipsis none, all others one."""
    if isinstance(entry, np.ndarray) and entry.dtype == bool:
        return entry.ndim
    return 0 if entry is None or entry is Ellipsis else 1


_getitem = Op("getitem", reference, put_dx, latex=r"y_k = x_{i(k)}", shape=indexed_shape)
_gather = Op("gather", reference, scatter_add_dx, latex=r"y_k = x_{i(k)}", shape=indexed_shape)


# From what may be written between brackets to an Index and its arrays.


def parse(x: Shape, index: Any) -> tuple[Index, dict[str, Array]]:
    """Every axis of x with an entry of its own, integers and arrays checked against its size."""
    entries = [_entry(e) for e in (index if isinstance(index, tuple) else (index,))]
    arrays: dict[str, Array] = {}
    written: list[Any] = []
    axis = 0
    for entry in _without_ellipsis(entries, len(x)):
        written.append(entry)
        if isinstance(entry, np.ndarray):
            written[-1] = f"i{len(arrays)}"
            arrays[written[-1]] = entry
        if isinstance(entry, np.ndarray) and entry.dtype == bool:
            _refuse_wrong_mask(entry, axis, x)
        elif isinstance(entry, np.ndarray | int):
            _refuse_out_of_range(entry, axis, x)
        axis += spanned(entry)
    return Index(written), arrays


def _entry(entry: Any) -> Any:
    """None, Ellipsis, an int, a slice of ints, or an int64 or boolean array of its own memory."""
    if entry is None or entry is Ellipsis or type(entry) is int:
        return entry
    if isinstance(entry, slice):
        bounds = (entry.start, entry.stop, entry.step)
        parts = [None if bound is None else integer(bound, "a bound or step of a slice") for bound in bounds]
        if parts[2] == 0:
            raise ValueError("the step of a slice is 0: use a positive or negative integer")
        return slice(*parts)
    array = _array(_mask_of(entry) if isinstance(entry, Tensor) else entry)
    return array if array.ndim else int(array)


def _mask_of(t: Tensor) -> Array:
    if t.dtype != bool:
        raise TypeError(
            f"a tensor of dtype {t.dtype} cannot be an index: use an integer array, such as t.data.astype(int)"
        )
    if state.capturing:
        raise CaptureError(
            "a boolean tensor is an index while capturing: how many entries it selects depends on the data, and a "
            "captured program has fixed shapes. Use ae.where(condition, x, 0.0), or a boolean array that is a constant"
        )
    return t.data


def _array(entry: Any) -> Array:
    try:
        array = np.array(entry)
    except ValueError:
        raise TypeError(
            "an index is a list of lists of unequal lengths: use equal lengths, or index one after the other"
        ) from None
    if array.size == 0 and not isinstance(entry, np.ndarray):
        return array.astype(np.intp)  # x[[]]
    if array.dtype == bool and array.ndim:
        return array
    if array.dtype.kind in "iu":
        return array.astype(np.intp, copy=False)
    got = f"an array of dtype {array.dtype}" if array.ndim else repr(entry)
    raise TypeError(f"{got} cannot be an index: use integers, slices, None, ..., or arrays of integers or of booleans")


def _without_ellipsis(entries: list[Any], ndim: int) -> list[Any]:
    """Ellipsis written out; where it is missing it stands at the end."""
    places = [k for k, entry in enumerate(entries) if entry is Ellipsis]
    missing = ndim - sum(spanned(entry) for entry in entries)
    if len(places) > 1:
        raise IndexError(f"an index has one ellipsis (...) at most, {len(places)} arrived")
    if missing < 0:
        raise IndexError(
            f"the index asks for {ndim - missing} axes, there are {ndim}: drop entries, or make axes with None"
        )
    place = places[0] if places else len(entries)
    return [*entries[:place], *[slice(None)] * missing, *entries[place + 1 :]]


def _refuse_wrong_mask(mask: Array, axis: int, x: Shape) -> None:
    masked = x[axis : axis + mask.ndim]
    if mask.shape != masked:
        raise IndexError(f"a mask of shape {mask.shape} stands at axes of shape {masked}: the two must be equal")


def _refuse_out_of_range(entry: int | Array, axis: int, x: Shape) -> None:
    size = x[axis]
    lowest, highest = (entry, entry) if isinstance(entry, int) else (entry.min(initial=0), entry.max(initial=-1))
    if lowest < -size or highest >= size:
        there_is = f"use {-size} to {size - 1}" if size else "the axis is empty"
        raise IndexError(
            f"index {lowest if lowest < -size else highest} is out of range for axis {axis}, of size {size}: {there_is}"
        )


def getitem(x: TensorLike, index: Any) -> Tensor:
    """x[index], a copy; `index` is what NumPy takes between brackets, a tuple for several axes.

    Raises
    ------
    IndexError : out of range, too many axes, a mask of wrong shape.
    TypeError : a float, or a float tensor, as an index.
    CaptureError : a boolean tensor as an index while capturing.

    >>> getitem([[1.0, 2.0], [3.0, 4.0]], (slice(None), [1, 1, 0])).data
    array([[2., 2., 1.],
           [4., 4., 3.]])
    """
    (t,) = operands(x)
    with blamed("getitem", t):
        written, arrays = parse(t.shape, index)
    repeats = any(a.dtype != bool for a in arrays.values())
    return record(_gather if repeats else _getitem, (t,), {"index": written, **arrays})
