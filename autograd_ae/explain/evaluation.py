"""What formulas compute: one NumPy function for each kind of node, and `evaluate`.

The functions are the ops' own references, so a σ in a formula is the σ that the engine runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_ae.explain.expression import Expr, Shape
from autograd_ae.ops.activations import normal_cdf, softplus_reference
from autograd_ae.ops.erf import erf_reference, erfc_reference
from autograd_ae.ops.reductions import product_of_others
from autograd_ae.ops.sigmoid import reference as sigmoid_reference
from autograd_ae.ops.softmax import log_softmax_reference, logsumexp_reference, softmax_reference

Array = np.ndarray

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "ln": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "abs": np.abs,
    "sign": np.sign,
    "sigma": sigmoid_reference,
    "softplus": softplus_reference,
    "erf": erf_reference,
    "erfc": erfc_reference,
    "Phi": normal_cdf,
    "phi": lambda x: np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi),
    "arctan2": np.arctan2,
    "max": np.maximum,
    "min": np.minimum,
    "not": np.logical_not,
}
RELATIONS: dict[str, Callable[..., Any]] = {
    ">": np.greater,
    r"\ge": np.greater_equal,
    "<": np.less,
    r"\le": np.less_equal,
    "=": np.equal,
    r"\ne": np.not_equal,
}


def _sum_of(arrays: tuple[Array, ...]) -> Array:
    result = arrays[0]
    for a in arrays[1:]:
        result = result + a
    return result


def _product_of(arrays: tuple[Array, ...]) -> Array:
    result = arrays[0]
    for a in arrays[1:]:
        result = result * a
    return result


def _safe_div(a: Array, b: Array) -> Array:
    return np.divide(a, b, where=b != 0, out=np.zeros(np.broadcast_shapes(np.shape(a), np.shape(b))))


def _spread(g: Array, *, shape: Shape, axis: tuple[int, ...], keepdims: bool) -> Array:
    return np.broadcast_to(g if keepdims else np.expand_dims(g, axis), shape)


def _along_last(f: Callable[[Array], Array], x: Array, axis: tuple[int, ...]) -> Array:
    """f over `axis` taken as one flat last axis."""
    last = range(x.ndim - len(axis), x.ndim)
    moved = np.moveaxis(x, axis, last)
    return np.moveaxis(f(moved.reshape(*moved.shape[: x.ndim - len(axis)], -1)).reshape(moved.shape), last, axis)


def _softmax(x: Array, axis: tuple[int, ...]) -> Array:
    return softmax_reference(x, axis=axis) if x.size else x


def _others(x: Array, axis: tuple[int, ...]) -> Array:
    return _along_last(product_of_others, x, axis) if x.size else x


def _unpad(g: Array, pad_width: Any) -> Array:
    return g[tuple(slice(before, n - after) for n, (before, after) in zip(g.shape, pad_width, strict=True))]


def _put(g: Array, *, shape: Shape, index: Any, add: bool) -> Array:
    out = np.zeros(shape)
    if add:
        np.add.at(out, index, g)
    else:
        out[index] = g
    return out


def _diagonal_put(g: Array, *, shape: Shape, letters: str) -> Array:
    """An array whose repeated letters hold g on the diagonal."""
    out = np.zeros(shape)
    own = "".join(dict.fromkeys(letters))
    np.einsum(f"{letters}->{own}", out)[...] = g
    return out


KINDS: dict[str, Callable[..., Any]] = {
    "add": lambda *a: _sum_of(a),
    "mul": lambda *a: _product_of(a),
    "div": lambda a, b: a / b,
    "safe_div": _safe_div,
    "pow": lambda a, b: np.power(a, b),
    "tr": lambda a: np.swapaxes(a, -1, -2),
    "mat": np.matmul,
    "outer": np.outer,
    "fn": lambda *a, name: FUNCTIONS[name](*a),
    "relation": lambda a, b, *, sign: RELATIONS[sign](a, b),
    "cases": lambda a, condition, b: np.where(condition, a, b),
    "sum": np.sum,
    "mean": np.mean,
    "prod": np.prod,
    "max": np.max,
    "min": np.min,
    "logsumexp": lambda x, *, axis, keepdims: logsumexp_reference(x, axis=axis, keepdims=keepdims),
    "softmax": _softmax,
    "log_softmax": lambda x, *, axis: log_softmax_reference(x, axis=axis[0]),
    "cumsum": lambda x, *, axis: np.cumsum(x, axis=axis[0]),
    "rcumsum": lambda x, *, axis: np.flip(np.cumsum(np.flip(x, axis[0]), axis=axis[0]), axis[0]),
    "flip": lambda x, *, axis: np.flip(x, axis),
    "others": _others,
    "column": lambda v: v[:, None],
    "row": lambda v: v[None, :],
    "vector": lambda a: a.reshape(-1),
    "reshape": lambda x, *, to: x.reshape(to),
    "transpose": lambda x, *, axes: np.transpose(x, axes),
    "detach": lambda x: x,
    "let": lambda x, *, latex: x,
    "getitem": lambda x, *, index, written: x[index],
    "pad": lambda x, *, pad_width, constant_values: np.pad(x, pad_width, constant_values=constant_values),
    "unpad": lambda g, *, pad_width: _unpad(g, pad_width),
    "concatenate": lambda *x, axis: np.concatenate(x, axis=axis),
    "stack": lambda *x, axis: np.stack(x, axis=axis),
    "einsum": lambda *x, subscripts: np.einsum(subscripts, *x),
    "sqnorm": lambda x: np.sum(x * x),
    "norm1": lambda x: np.sum(np.abs(x)),
}


def apply(e: Expr, arrays: list[Any]) -> Any:
    """The node's own function on the values of its arguments."""
    if e.kind == "spread":
        return _spread(arrays[0], shape=e.shape, **e.params)
    if e.kind == "put":
        return _put(arrays[0], shape=e.shape, index=e.params["index"], add=e.params["add"])
    if e.kind == "diagonal_put":
        return _diagonal_put(arrays[0], shape=e.shape, **e.params)
    return KINDS[e.kind](*arrays, **e.params)


@np.errstate(all="ignore")
def evaluate(e: Expr, env: Mapping[Any, Array]) -> Array:
    """The formula's value, of shape `e.shape`; `env` maps the symbols' keys to arrays."""

    def value(node: Expr) -> Any:
        if node.kind == "sym":
            return env[node.params["name"]]
        if node.kind == "num":
            return np.float64(node.params["value"])
        return apply(node, [value(a) for a in node.args])

    return np.asarray(value(e))


@np.errstate(all="ignore")
def magnitude(e: Expr, env: Mapping[Any, Array]) -> float:
    """The size of the terms of which the value is what remains: its largest entry, were nothing to cancel."""

    def size(node: Expr) -> Any:
        if node.kind in ("add", "mul", "mat", "outer", "tr", "sum", "spread", "row", "column", "vector", "let"):
            return apply(node, [size(a) for a in node.args])
        return np.abs(evaluate(node, env).astype(np.float64))

    return float(np.max(size(e), initial=0.0))
