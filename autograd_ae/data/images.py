"""Labelled images: uint8 pixels as they were published, floats as a network wants them, one row for each image.

    scale      value of the pixel p ∈ {0, …, 255}     meant for
    "unit"     p / 255            ∈ [0, 1]            sigmoid outputs, squared error, cross-entropy on grey levels
    "signed"   2p / 255 − 1       ∈ [−1, 1]           tanh outputs
    "binary"   1 if p ≥ 128 else 0                    a Bernoulli likelihood proper (its floor is then 0 nats)

The pixels are kept because some results are exact on integers: Σ_b x_b x_bᵀ of uint8 rows is a sum of integers below
2⁵³ for every set of fewer than 2⁵³/255² = 1.4·10¹¹ images, so a float64 matrix product gives the Gram matrix without
any rounding. Pixels, labels and images are read-only arrays: whoever edits in place works on a copy, `images.copy()`,
and nobody else's data change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from autograd_ae.data.arguments import float_dtype

Scaling = Callable[[NDArray[np.uint8], np.dtype], NDArray[np.floating]]


def unit(p: NDArray[np.uint8], dtype: np.dtype) -> NDArray[np.floating]:
    """p / 255, rounded once."""
    return np.divide(p, dtype.type(255), dtype=dtype)


def signed(p: NDArray[np.uint8], dtype: np.dtype) -> NDArray[np.floating]:
    """(2p − 255) / 255: the numerator is exact, so this too is rounded once, and 0 ↔ 255 are mirror images."""
    return (2 * p.astype(dtype) - 255) / dtype.type(255)


def binary(p: NDArray[np.uint8], dtype: np.dtype) -> NDArray[np.floating]:
    """1 where p ≥ 128, else 0: the threshold ½."""
    return (p >= 128).astype(dtype)


SCALES: dict[str, Scaling] = {"unit": unit, "signed": signed, "binary": binary}


def check_scale(scale: str, dtype: DTypeLike) -> None:
    """Raise unless there is such a scale and such a floating dtype."""
    float_dtype(dtype)
    if scale not in SCALES:
        raise ValueError(f"unknown scale {scale!r}; there are {', '.join(map(repr, SCALES))}")


@dataclass(frozen=True, eq=False, repr=False)
class Images:
    """B labelled images of one shape.

    Parameters
    ----------
    pixels : uint8 (B, height · width), one image in each row, read left to right and top to bottom.
    labels : int64 (B,), the class of each image.
    shape : (height, width).
    scale, dtype : what `images` is to hold, see the table above; float32 or float64.

    Raises
    ------
    TypeError, ValueError : pixels that are not uint8, rows that do not fit `shape`, labels that do not fit the rows,
        an unknown scale, another dtype.

    >>> two = Images(np.array([[0, 255, 51, 0], [0, 0, 0, 102]], np.uint8), np.array([3, 5]), shape=(2, 2))
    >>> two
    Images(2 of 2×2, classes 3 5, unit float32)
    >>> two.only(5).images
    array([[0. , 0. , 0. , 0.4]], dtype=float32)
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.integer]
    shape: tuple[int, int] = (28, 28)
    scale: str = field(default="unit", kw_only=True)
    dtype: DTypeLike = field(default=np.float32, kw_only=True)

    def __post_init__(self) -> None:
        pixels, labels = np.asarray(self.pixels), np.asarray(self.labels)
        if pixels.dtype != np.uint8:
            raise TypeError(f"pixels must be uint8, not {pixels.dtype}: floats are made from them, by `scale`")
        if pixels.ndim != 2 or pixels.shape[1] != self.shape[0] * self.shape[1]:
            raise ValueError(
                f"pixels must have one {self.shape} image in each row; got an array of shape {pixels.shape}"
            )
        if labels.shape != pixels.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(f"{len(pixels)} images need as many integer labels; got {labels.dtype} {labels.shape}")
        check_scale(self.scale, self.dtype)
        object.__setattr__(self, "pixels", _read_only(np.asarray(pixels, order="C")))
        object.__setattr__(self, "labels", _read_only(labels.astype(np.int64)))  # int64: labels − 1 must not wrap
        object.__setattr__(self, "dtype", np.dtype(self.dtype))

    @cached_property
    def images(self) -> NDArray[np.floating]:
        """The scaled images, (B, height · width), made when first asked for and kept."""
        return _read_only(SCALES[self.scale](self.pixels, np.dtype(self.dtype)))

    @property
    def classes(self) -> NDArray[np.int64]:
        """The labels that occur, ascending."""
        return np.unique(self.labels)

    def only(self, *classes: int) -> Images:
        """The images of these classes, in their order here: `digits.train.only(1, 8)` is the lecture's 1 and 8."""
        present = self.classes.tolist()
        absent = [label for label in classes if label not in present]
        if absent or not classes:
            wanted = f"no image has the label {absent[0]!r}" if absent else "no class was named"
            raise ValueError(f"{wanted}; the classes here are {_listed(self.classes)}")
        return self.take(np.isin(self.labels, classes))

    def take(self, index: slice | ArrayLike) -> Images:
        """The images at `index`: a slice, an array of row numbers, or a boolean for each row."""
        rows = index if isinstance(index, slice) else np.asarray(index)
        return Images(self.pixels[rows], self.labels[rows], self.shape, scale=self.scale, dtype=self.dtype)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        height, width = self.shape
        return f"Images({len(self)} of {height}×{width}, classes {_listed(self.classes)}, {self.scale} {self.dtype})"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A named set of images, split into those to learn from and those to judge by; `notice` says whose they are."""

    name: str
    train: Images
    test: Images
    notice: str = ""

    def only(self, *classes: int) -> Dataset:
        """Both parts, restricted to these classes."""
        return Dataset(self.name, self.train.only(*classes), self.test.only(*classes), self.notice)

    def __repr__(self) -> str:
        return f"Dataset({self.name!r},\n  train={self.train!r},\n  test={self.test!r})"


def _read_only(array: NDArray) -> NDArray:
    view = array.view()
    view.flags.writeable = False
    return view


def _listed(classes: NDArray[np.int64]) -> str:
    return " ".join(map(str, classes.tolist())) or "none"
