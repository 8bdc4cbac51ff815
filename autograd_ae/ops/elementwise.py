"""What elementwise ops share: operands that are numbers, limits without warnings, and the edge of the real line."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_ae.core.op import Op
from autograd_ae.core.recording import record
from autograd_ae.core.tensor import Tensor
from autograd_ae.ops.axes import TensorLike, numeric

BOOL = np.dtype(bool)
at_poles = np.errstate(divide="ignore", invalid="ignore", over="ignore")  # for rules: infinite there, without a warning


def on_numbers(op: Op, *operands: TensorLike, **params: Any) -> Tensor:
    """Record an op whose operands are not all boolean."""
    for x in operands:
        if getattr(x.data if type(x) is Tensor else x, "dtype", None) is not BOOL:
            return record(op, operands, params, 3)
    numeric(op.name, *operands)  # raises
    raise AssertionError("all operands are boolean")


def real_domain(x):
    """x where x ≥ 0, else NaN: for functions that are complex there, and must not be under a complex step."""
    return np.where(x.real < 0, np.nan, x)


def times_vanishing(x, p):
    """x p, and 0 where p is 0 even if x is infinite: p falls faster than x grows, or 0 ln 0 = 0."""
    return np.multiply(x, p, out=np.zeros_like(p), where=p != 0)
