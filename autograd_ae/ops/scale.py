"""The one scale of losses and penalties: sum over features, mean over samples.

Samples lie along the first axis, B of them; every other axis is a feature axis. A vector, or a number, is one sample
(B = 1). Nothing is broadcast, since (B, 1) against (B,) would silently compare every pair. An empty batch has no mean
and is an error.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_ae.core.errors import ShapeError
from autograd_ae.core.op import Shape


def batch(shape: Shape) -> int:
    """B, the number of samples in an array of this shape."""
    return shape[0] if len(shape) > 1 else 1


def matrix(z: np.ndarray) -> np.ndarray:
    """Samples as rows of features: (B, n)."""
    return z.reshape(batch(z.shape), z.size // batch(z.shape))


def one_shape(*shapes: Shape, **_params: Any) -> Shape:
    """The shape of a loss, (), of arrays of one shape."""
    if any(shape != shapes[0] for shape in shapes):
        raise ShapeError("these must have the same shape (a loss broadcasts nothing): reshape one of them")
    if batch(shapes[0]) == 0:
        raise ShapeError("the batch is empty, and a mean over 0 samples is undefined: give at least one sample")
    return ()


def some_entries(*shapes: Shape, **_params: Any) -> Shape:
    one_shape(*shapes)
    if 0 in shapes[0]:
        raise ShapeError("there are no entries, and a mean over 0 of them is undefined: give at least one")
    return ()


def refuse_outside_01(op: str, what: str, values: np.ndarray, remedy: str) -> None:
    if values.size and (values.min() < 0 or values.max() > 1):  # NaN passes, and shows in the loss
        found = f"values from {values.min():.6g} to {values.max():.6g} arrived"
        raise ValueError(f"{op}: {what} in [0, 1] were needed, {found}; {remedy}")
