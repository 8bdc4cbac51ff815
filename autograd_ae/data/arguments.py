"""The arguments that all data sets share, each checked once: counts, noise levels, seeds, dtypes, vectors."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

if TYPE_CHECKING:  # numpy.random costs 10 ms to import, and only those who draw need it
    Seed = int | np.random.Generator | np.random.BitGenerator | np.random.SeedSequence


def count(name: str, value: int, *, at_least: int = 1) -> int:
    """`value` as an int that is not below `at_least`."""
    try:
        n = index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {value!r} of type {type(value).__name__}") from None
    if isinstance(value, bool | np.bool_) or n < at_least:
        raise ValueError(f"{name} must be an integer of at least {at_least}, not {value!r}")
    return n


def non_negative(name: str, value: float) -> float:
    """`value` as a finite float that is not below zero."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, not {value!r}") from None
    if not 0 <= number < np.inf:
        raise ValueError(f"{name} must be finite and not negative, not {value!r}")
    return number


def generator(rng: Seed) -> np.random.Generator:
    """A Generator: `rng` itself, or one seeded by it. None is refused: every data set can be drawn again."""
    if rng is None or isinstance(rng, bool):
        raise TypeError(f"rng must be a seed (an int) or a numpy.random.Generator, not {rng!r}; use rng=0, say")
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(f"rng must be a non-negative int or a numpy.random.Generator, not {rng!r}") from None


def float_dtype(dtype: DTypeLike) -> np.dtype:
    """float32 or float64."""
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"dtype must be float32 or float64, not {dtype!r}") from None
    if dtype is None or wanted not in (np.float32, np.float64):
        raise TypeError(f"dtype must be float32 or float64, not {dtype!r}")
    return wanted


def vector(name: str, values: ArrayLike, *, at_least: int = 1) -> NDArray[np.float64]:
    """`values` as a finite float64 vector of at least so many entries."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a sequence of numbers, not {values!r}") from None
    if array.ndim != 1 or array.size < at_least or not np.isfinite(array).all():
        raise ValueError(f"{name} must be a vector of at least {at_least} finite numbers; got shape {array.shape}")
    return array


def spectrum(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """`values` as a vector of numbers that are not negative: eigenvalues of a covariance, or singular values."""
    array = vector(name, values)
    if (array < 0).any():
        raise ValueError(f"{name} must not be negative; the least of them is {array.min()}")
    return array


def orthonormal_columns(name: str, columns: ArrayLike, shape: tuple[int, int]) -> NDArray[np.float64]:
    """`columns` as a float64 matrix of this shape whose columns are orthonormal, CᵀC = I."""
    C = np.array(columns, dtype=np.float64)
    if C.shape != shape:
        raise ValueError(f"{name} must have shape {shape}: one column for each component; got {C.shape}")
    gap = np.abs(C.T @ C - np.eye(shape[1])).max(initial=0.0)
    if not gap < 1e-8:
        raise ValueError(f"{name} must have orthonormal columns, but CᵀC differs from I by {gap:.1e}; see np.linalg.qr")
    return C
