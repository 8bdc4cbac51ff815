"""What the figures take, each argument checked once, with one message that says what is wrong and what was needed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def finite(name: str, values: ArrayLike) -> Array:
    """`values`, an array, a sequence or a Tensor, as a float64 array without NaN and infinity."""
    try:
        array = np.asarray(getattr(values, "data", values) if hasattr(values, "traced") else values)
    except ValueError:  # rows of unequal length
        raise TypeError(f"{name} must be an array of numbers, not {_shown(values)}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be an array of real numbers, not of {array.dtype}: {_shown(values)}")
    if bad := array.size - int(np.isfinite(array).sum()):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name} has {bad} NaN or infinite entries, the first at {where}; did training diverge?")
    return array.astype(np.float64)


def points(name: str, values: ArrayLike) -> Array:
    """(n, 2), n ≥ 1: points of the plane in rows."""
    array = finite(name, values)
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        hint = "; did you mean its transpose?" if array.ndim == 2 and array.shape[0] == 2 else ""
        raise ValueError(f"{name} must have shape (n, 2), one point in each row; got {array.shape}{hint}")
    return array


def images(name: str, values: ArrayLike, image_shape: tuple[int, int]) -> Array:
    """(n, height · width), n ≥ 1, as (n, height, width)."""
    array, pixels = finite(name, values), prod(image_shape)
    if array.ndim != 2 or array.shape[1] != pixels or not len(array):
        raise ValueError(
            f"{name} must have shape (n, {pixels}), one {image_shape[0]}×{image_shape[1]} image in each row; got "
            f"{array.shape}. Another size of image? Pass image_shape=(height, width)"
        )
    return array.reshape(len(array), *image_shape)


def size_of_image(image_shape: Sequence[int]) -> tuple[int, int]:
    """(height, width), both at least 1."""
    try:
        height, width = (index(n) for n in image_shape)
    except (TypeError, ValueError):
        raise ValueError(f"image_shape must be (height, width), two integers; got {image_shape!r}") from None
    if height < 1 or width < 1:
        raise ValueError(f"image_shape must be (height, width), both at least 1; got {image_shape!r}")
    return height, width


def class_labels(labels: ArrayLike, n: int) -> NDArray[Any]:
    """(n,): the class of each point."""
    array = np.asarray(labels)
    if array.shape != (n,):
        raise ValueError(f"labels must have shape ({n},), one for each code; got {array.shape}")
    return array


def curve(name: str, xy: Any) -> tuple[Array, Array]:
    """A pair (x, y) of vectors of one length."""
    try:
        x, y = xy
    except (TypeError, ValueError):
        raise TypeError(f"curve {name!r} must be a pair (x, y) of sequences, not {_shown(xy)}") from None
    x, y = finite(f"x of curve {name!r}", x), finite(f"y of curve {name!r}", y)
    if x.ndim != 1 or x.shape != y.shape or not len(x):
        raise ValueError(f"curve {name!r}: x and y must be vectors of one length; got {x.shape} and {y.shape}")
    return x, y


def level(name: str, value: float) -> float:
    """One finite number."""
    array = finite(f"reference {name!r}", value)
    if array.ndim:
        raise ValueError(f"reference {name!r} must be one number; got shape {array.shape}")
    return float(array)


def direction(name: str, vector: ArrayLike) -> Array:
    """(2,), not the zero vector."""
    v = finite(f"direction {name!r}", vector)
    if v.shape != (2,):
        raise ValueError(f"direction {name!r} must have shape (2,); got {v.shape}")
    if not v.any():
        raise ValueError(f"direction {name!r} is the zero vector, which points nowhere; leave it out")
    return v


def _shown(values: Any) -> str:
    text = repr(values)
    return f"{text[:40]}…" if len(text) > 40 else text
