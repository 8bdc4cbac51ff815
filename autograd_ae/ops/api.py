"""The public calculus in one list, and the tables that give tensors their operators and NumPy its protocols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_ae.core.tensor import Tensor, install
from autograd_ae.ops.activations import (
    elu,
    gelu,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    logsumexp,
    relu,
    silu,
    softmax,
    softplus,
)
from autograd_ae.ops.arithmetic import (
    abs,
    add,
    clip,
    divide,
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    power,
    reciprocal,
    sign,
    sqrt,
    square,
    subtract,
    where,
)
from autograd_ae.ops.dense import dense
from autograd_ae.ops.einsum import einsum
from autograd_ae.ops.elementary import arctan2, cos, cosh, exp, expm1, log, log1p, sin, sinh, tan, tanh
from autograd_ae.ops.erf import erf, erfc
from autograd_ae.ops.gaussian import (
    gaussian_kl,
    gaussian_kl_from_variance,
    reparameterise,
    reparameterise_from_variance,
)
from autograd_ae.ops.indexing import getitem
from autograd_ae.ops.losses import bce, bce_with_logits, cross_entropy, mse, squared_error
from autograd_ae.ops.matmul import dot, matmul, outer
from autograd_ae.ops.reductions import cumsum, max, mean, min, norm, prod, std, sum, var
from autograd_ae.ops.shaping import (
    broadcast_to,
    concatenate,
    expand_dims,
    flip,
    pad,
    reshape,
    split,
    squeeze,
    stack,
    swapaxes,
    transpose,
)
from autograd_ae.ops.sigmoid import sigmoid
from autograd_ae.ops.sparsity import bernoulli_kl, l1, l2

__all__ = [
    "abs", "add", "arctan2", "bce", "bce_with_logits", "bernoulli_kl", "broadcast_to", "clip", "concatenate", "cos",
    "cosh", "cross_entropy", "cumsum", "dense", "divide", "dot", "einsum", "elu", "equal", "erf", "erfc", "exp",
    "expand_dims", "expm1", "flip", "gaussian_kl", "gaussian_kl_from_variance", "gelu", "getitem", "greater",
    "greater_equal", "l1", "l2", "leaky_relu", "less", "less_equal", "log", "log1p", "log_sigmoid", "log_softmax",
    "logsumexp", "matmul", "max", "maximum", "mean", "min", "minimum", "mse", "multiply", "negative", "norm",
    "not_equal", "outer", "pad", "power", "prod", "reciprocal", "relu", "reparameterise",
    "reparameterise_from_variance", "reshape", "sigmoid", "sign", "silu", "sin", "sinh", "softmax", "softplus",
    "split", "sqrt", "square", "squared_error", "squeeze", "stack", "std", "subtract", "sum", "swapaxes", "tan",
    "tanh", "transpose", "var", "where",
]  # fmt: skip


def _reflected(op: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
    return lambda self, other: op(other, self)


OPERATORS: dict[str, Any] = {
    "__add__": add,
    "__radd__": _reflected(add),
    "__sub__": subtract,
    "__rsub__": _reflected(subtract),
    "__mul__": multiply,
    "__rmul__": _reflected(multiply),
    "__truediv__": divide,
    "__rtruediv__": _reflected(divide),
    "__pow__": power,
    "__rpow__": _reflected(power),
    "__matmul__": matmul,
    "__rmatmul__": _reflected(matmul),
    "__neg__": negative,
    "__pos__": lambda self: self,
    "__abs__": abs,
    "__getitem__": getitem,
    "__lt__": less,
    "__le__": less_equal,
    "__gt__": greater,
    "__ge__": greater_equal,
    "__eq__": equal,
    "__ne__": not_equal,
    # The few methods that everyone types; the rest are functions.
    "T": property(transpose),
    "reshape": lambda self, *shape: reshape(self, shape[0] if len(shape) == 1 else shape),
    "sum": sum,
    "mean": mean,
    "max": max,
    "min": min,
}

NUMPY_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    **{
        getattr(np, name): globals()[name]
        for name in (
            "abs", "add", "arctan2", "broadcast_to", "clip", "concatenate", "cos", "cosh", "cumsum", "divide", "dot",
            "einsum", "equal", "exp", "expand_dims", "expm1", "flip", "greater", "greater_equal", "less",
            "less_equal", "log", "log1p", "matmul", "max", "maximum", "mean", "min", "minimum", "multiply",
            "negative", "not_equal", "outer", "pad", "power", "prod", "reciprocal", "reshape", "sign", "sin", "sinh",
            "split", "sqrt", "square", "squeeze", "stack", "std", "subtract", "sum", "swapaxes", "tan", "tanh",
            "transpose", "var", "where",
        )
    },
    np.linalg.vector_norm: norm,
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a: a.size,
}  # fmt: skip

install(OPERATORS, NUMPY_FUNCTIONS)
