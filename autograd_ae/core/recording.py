"""Recording: run an op at once, and leave a node on the tape if a gradient or a captured program will need it.

`record` is the general case: any number of inputs, kernels, parameters, mixed precision, modes, errors. The source line
is kept as (code, position) and looked up only for a message; arrays are fingerprinted only where a rule will read them.
What is called most, ufuncs on tensors of one dtype, has a shorter way: `ufuncs.py`.

Python numbers become constants of the dtype that they meet. Mixed float32 and float64 are brought to float64 by a
recorded cast, so that every rule sees one dtype.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import numpy as np

from autograd_ae.core.errors import AnomalyError, ShapeError
from autograd_ae.core.fingerprint import fingerprint
from autograd_ae.core.modes import state
from autograd_ae.core.op import Array, Node, Op, Plan, pullback, signature, source_line
from autograd_ae.core.tensor import _FLOATS, Tensor, _floats

_numbers = itertools.count(1)
_getframe = sys._getframe
_new = object.__new__  # an object without calling __init__: a tenth of a microsecond


def _tensor(out: Array, node: Node | None, traced: bool) -> Tensor:
    """The result of an op."""
    t = _new(Tensor)
    t.data, t.name, t.grad, t.node, t.traced = out, None, None, node, traced
    return t


def _node(op: Op, plan: Plan, inputs: tuple[Tensor, ...], params: dict[str, Any], out: Array, frame: FrameType) -> Node:
    """A line of the tape, asked for in `frame`."""
    node = Node()
    node.op, node.plan, node.inputs, node.params, node.value = op, plan, inputs, params, out
    node.number = next(_numbers)
    node.code, node.lasti = _outside(frame)
    node.prints = None  # a captured program keeps no old values, and loads no kernel to hash them
    if plan.reads and not state.capturing:
        node.prints = [fingerprint(out if k < 0 else inputs[k].data) for k in plan.reads]
    return node


def record(op: Op, operands: tuple[Any, ...], params: dict[str, Any], depth: int = 2) -> Tensor:
    """Run an op on tensors, arrays and numbers, and leave a node if a gradient or a captured program will need it.

    `depth` : how many frames up the source line is looked for: past `record` and the op's function.
    """
    inputs: tuple[Tensor, ...] = operands
    for t in operands:
        if type(t) is not Tensor:
            inputs = _as_tensors(operands)
            break
    flags, dtype = 1, inputs[0].data.dtype  # flags in binary: a leading 1, then a digit per input: is it traced?
    for t in inputs:
        flags += flags + t.traced
        if t.data.dtype is not dtype:
            inputs, dtype = _promote(inputs)
    try:
        if op.ufunc is None:
            arrays = [t.data for t in inputs]
            out = np.empty(op.shape(*[a.shape for a in arrays], **params), op.dtype or dtype)
            (op.run if state.usual or not state.capturing else op.numpy_forward)(out, *arrays, **params)
        else:
            out = op.ufunc(inputs[0].data) if len(inputs) == 1 else op.ufunc(inputs[0].data, inputs[1].data)
            if type(out) is not np.ndarray:  # NumPy makes a scalar of a 0-d result
                out = np.asarray(out)
    except ValueError:
        _refuse_shapes(op, inputs, params)
        raise
    usual, node = state.usual, None
    traced = op.differentiable and flags & (flags - 1) != 0 and (usual or state.gradients)
    if traced or (not usual and state.capturing):
        node = _node(op, op.plan(flags), inputs, params, out, _getframe(depth))
    if not usual and state.anomaly:
        refuse_nan(out, lambda: f"{_shown(op, inputs)} gave")
    return _tensor(out, node, traced)


def _shown(op: Op, inputs: tuple[Tensor, ...]) -> str:
    return f"{signature(op.name, [(t.name, t.data.shape) for t in inputs])} at {source_line(_outside(_getframe(1)))}"


def _refuse_shapes(op: Op, inputs: tuple[Tensor, ...], params: dict[str, Any]) -> None:
    """Raise ShapeError, with the op and its inputs, if their shapes do not fit."""
    try:
        op.shape(*[t.data.shape for t in inputs], **params)
    except ShapeError as error:
        raise ShapeError(f"{_shown(op, inputs)}: {error}") from None


def _outside(frame: FrameType) -> tuple[CodeType, int]:
    """Code and position of the nearest frame, from this one up, that is outside the engine and the calculus."""
    while True:
        code = frame.f_code
        internal = _INTERNAL.get(code.co_filename)
        if internal is None:
            module = frame.f_globals.get("__name__", "")
            internal = _INTERNAL[code.co_filename] = module.startswith(
                ("autograd_ae.core", "autograd_ae.ops", "autograd_ae.nn")
            )
        if not internal or frame.f_back is None:
            return code, frame.f_lasti
        frame = frame.f_back


_INTERNAL: dict[str, bool] = {}  # file → whether it belongs to the engine


# What is not a tensor of the common dtype.


def _as_tensors(operands: tuple[Any, ...]) -> tuple[Tensor, ...]:
    """Constants for what is not a tensor; Python numbers take the dtype of the tensors they meet."""
    weak = None
    for x in operands:
        found = x.data.dtype if type(x) is Tensor else getattr(x, "dtype", None)
        if found is not None and found in _FLOATS and (weak is None or found.itemsize > weak.itemsize):
            weak = found
    weak = weak or np.dtype(np.float64)
    return tuple([x if type(x) is Tensor else _leaf(_constant(x, weak)) for x in operands])


def _leaf(array: Array) -> Tensor:
    """A constant without a name."""
    t = _new(Tensor)
    t.data, t.name, t.grad, t.node, t.traced = array, None, None, None, False
    return t


def _constant(x: Any, weak: np.dtype) -> Array:
    if type(x) is float or (isinstance(x, int | float | np.integer) and not isinstance(x, np.float64)):
        return np.array(x, weak)
    return x if isinstance(x, np.ndarray) and x.dtype == bool else _floats(x)


def _promote(inputs: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], np.dtype]:
    """Bring mixed float32 and float64 to float64 by a recorded cast, so that every rule sees one dtype."""
    floats = [t.data.dtype for t in inputs if t.data.dtype != bool]
    if len(floats) == 0:
        raise TypeError("only boolean tensors arrived; float32 or float64 is needed. Use ae.where(condition, a, b)")
    widest = max(floats, key=lambda d: d.itemsize)
    cast = tuple(t if t.data.dtype in (widest, bool) else record(_CAST, (t,), {}) for t in inputs)
    return cast, widest


@pullback(r"\bar x = \bar y")
def _cast_dx(out: Array, g: Array, _y: None, _x: None) -> None:
    out[...] = g


# The two ops that the engine knows by itself: the cast, and y = x without a pullback.
_CAST = Op("cast", lambda x: x, _cast_dx, latex=r"\operatorname{float64}(x)", dtype=np.float64)
DETACH = Op("detach", lambda x: x, None, latex=r"\operatorname{detach}(x)")


def refuse_nan(array: Array, what: Callable[[], str]) -> None:
    """Raise AnomalyError when a float array holds NaN."""
    if array.dtype != bool and np.isnan(array).any():
        first = tuple(int(i) for i in np.argwhere(np.isnan(array))[0])
        raise AnomalyError(
            f"{what()} {int(np.isnan(array).sum())} NaN of {array.size} elements, the first at index {first}. "
            "Look at the op's inputs there: log or sqrt of a negative number, 0/0, inf - inf"
        )
