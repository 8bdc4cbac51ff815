"""Arguments in, float64 arrays out: every closed form checks what it is given here, and says what to do about it.

An oracle is computed in float64 whatever it is given, so that it is never the less exact side of a comparison.
"""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LARGEST = 1e140  # beyond it λ = s²/B, or a ratio of such, leaves the range of float64


def as_float(value: ArrayLike, name: str, ndim: tuple[int, ...]) -> Array:
    """`value` as a finite, C-ordered float64 array whose number of axes is one of `ndim`."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise TypeError(f"{name}: the rows differ in length; pass one rectangular array of numbers") from error
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name}: real numbers are needed, but the dtype is {array.dtype}")
    if array.ndim not in ndim:
        needed = " or ".join(f"{n}-d" for n in ndim)
        raise ValueError(f"{name}: a {needed} array is needed, but the shape is {array.shape}{_hint(array, ndim)}")
    array = np.asarray(array, dtype=np.float64, order="C")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: NaN or infinity at index {_first(~np.isfinite(array))}; remove or impute it first")
    if array.size and max(array.max(), -array.min()) > LARGEST:
        raise ValueError(f"{name}: entries above {LARGEST:g}, whose squares overflow; rescale the data")
    return array


def as_matrix(value: ArrayLike, name: str, *, rows: int | None = None, columns: int | None = None) -> Array:
    """A non-empty float64 matrix, with so many `rows` and `columns` where they are given."""
    array = as_float(value, name, (2,))
    if array.size == 0:
        raise ValueError(f"{name}: it is empty, shape {array.shape}; at least one row and one column are needed")
    for axis, needed, word in ((0, rows, "rows"), (1, columns, "columns")):
        if needed is not None and array.shape[axis] != needed:
            hint = " (samples go in rows; did you mean the transpose?)" if array.shape[1 - axis] == needed else ""
            raise ValueError(f"{name}: {needed} {word} are needed, but the shape is {array.shape}{hint}")
    return array


def as_samples(X: ArrayLike, name: str = "X") -> Array:
    """Data, samples in rows: (B, N), float64."""
    return as_matrix(X, name)


def as_vector(value: ArrayLike, name: str, size: int | None = None) -> Array:
    """A non-empty float64 vector, with `size` entries where that is given."""
    array = as_float(value, name, (1,))
    if array.size == 0 or (size is not None and array.size != size):
        needed = "at least one entry is" if size is None else f"{size} entries are"
        raise ValueError(f"{name}: {needed} needed, but the shape is {array.shape}")
    return array


def as_count(value: int, name: str, low: int, high: int, why: str) -> int:
    """A whole number in [low, high]; `why` says where the bounds come from."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise TypeError(f"{name}: a whole number is needed, but {value!r} arrived")
    if not low <= value <= high:
        raise ValueError(f"{name}={value}: it must lie between {low} and {high} ({why})")
    return int(value)


def as_number(
    value: float, name: str, *, above: float | None = None, low: float | None = None, high: float | None = None
) -> float:
    """A finite real number, `> above`, `>= low` and `<= high` where these are given."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name}: one real number is needed, but {value!r} arrived")
    wrong = (
        (not np.isfinite(value), "finite"),
        (above is not None and not value > above, f"greater than {above}"),
        (low is not None and not value >= low, f"at least {low}"),
        (high is not None and not value <= high, f"at most {high}"),
    )
    needed = [words for is_wrong, words in wrong if is_wrong]
    if needed:
        raise ValueError(f"{name}={value!r}: it must be {needed[0]}")
    return float(value)


def _hint(array: NDArray, ndim: tuple[int, ...]) -> str:
    if array.ndim == 1 and 2 in ndim:
        return "; use reshape(1, -1) for one sample or reshape(-1, 1) for one feature"
    return "; flatten each image into one row" if array.ndim == 3 and 2 in ndim else ""


def _first(mask: NDArray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0])
