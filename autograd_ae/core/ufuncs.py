"""The usual case of recording, spelt out: a ufunc on tensors of one float dtype and numbers, in no special mode.

A step of a small network is a hundred recordings, and Python, not arithmetic, is what they cost (`python -m benchmarks
E` shows NumPy's calls by hand beside it). So nothing is called here that need not be, and `unary` and `binary` end in
the same lines, written twice: the ufunc makes its own result, whose shape and dtype are then known; the attributes are
set one by one, since more than three in a line go by a tuple; a number keeps its constant. The decorator stands before
the function that records the general case, and whatever is unusual is left to that function.

The same in machine code takes over in a busy program (`runtime/eager.py`): a function made here has an attribute
`exchange`, which is handed what is to be called instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
from numpy import ndarray

from autograd_ae.core.fingerprint import fingerprint
from autograd_ae.core.modes import unusual
from autograd_ae.core.op import Node, Op
from autograd_ae.core.recording import _INTERNAL, _getframe, _leaf, _new, _numbers, _outside
from autograd_ae.core.tensor import _FLOATS, Tensor

Recorder = TypeVar("Recorder", bound=Callable[..., Tensor])
_NO_PARAMS: dict[str, Any] = {}


def unary(op: Op) -> Callable[[Recorder], Recorder]:
    """Put the usual case of a ufunc of one operand before the function that records it: `@unary(_sin)`."""
    ufunc, plan = cast(np.ufunc, op.ufunc), op.plan(3)

    def with_usual_case(general: Recorder) -> Recorder:
        quick: Callable[..., Tensor] | None = None

        def call(x):
            if quick is not None:
                return quick(x)
            if type(x) is not Tensor or unusual or x.data.dtype not in _FLOATS:
                return general(x)
            array = x.data
            out = ufunc(array)
            if type(out) is not ndarray:  # NumPy makes a scalar of a 0-d result
                out = np.asarray(out)
            result = _new(Tensor)
            result.data = out
            result.name = result.grad = None
            result.traced = x.traced
            if not x.traced:
                result.node = None
                return result
            result.node = node = Node()
            node.op = op
            node.plan = plan
            node.inputs = (x,)
            node.params = _NO_PARAMS
            node.value = out
            node.number = next(_numbers)
            frame = _getframe(1)
            node.code = frame.f_code
            node.lasti = frame.f_lasti
            if _INTERNAL.get(node.code.co_filename, True):
                node.code, node.lasti = _outside(frame)
            node.prints = None
            if plan.reads:
                node.prints = prints = []
                for k in plan.reads:
                    prints.append(fingerprint(out if k < 0 else array))
            return result

        def exchange(by: Callable[..., Tensor] | None) -> None:
            nonlocal quick
            quick = by

        return _named_as(general, call, op, exchange)

    return with_usual_case


def binary(op: Op) -> Callable[[Recorder], Recorder]:
    """The same for a ufunc of two operands, one of which may be a number: `@binary(_multiply)`."""
    ufunc, plans = cast(np.ufunc, op.ufunc), {flags: op.plan(flags) for flags in (5, 6, 7, -5, -6)}

    def with_usual_case(general: Recorder) -> Recorder:
        quick: Callable[..., Tensor] | None = None

        def call(a, b):
            if quick is not None:
                return quick(a, b)
            left = a
            right = b
            number = 1
            if type(b) is not Tensor:
                right = _number(b, a)
                number = -1
            elif type(a) is not Tensor:
                left = _number(a, b)
                number = -1
            if left is None or right is None or unusual:
                return general(a, b)
            u = left.data
            v = right.data
            if u.dtype is not v.dtype or u.dtype not in _FLOATS:
                return general(a, b)
            try:
                out = ufunc(u, v)
            except ValueError:
                return general(a, b)  # it says which shapes do not fit
            if type(out) is not ndarray:
                out = np.asarray(out)
            flags = 4 + 2 * left.traced + right.traced
            result = _new(Tensor)
            result.data = out
            result.name = result.grad = None
            result.traced = flags > 4
            if flags == 4:
                result.node = None
                return result
            result.node = node = Node()
            node.op = op
            node.plan = plan = plans[number * flags]
            node.inputs = (left, right)
            node.params = _NO_PARAMS
            node.value = out
            node.number = next(_numbers)
            frame = _getframe(1)
            node.code = frame.f_code
            node.lasti = frame.f_lasti
            if _INTERNAL.get(node.code.co_filename, True):
                node.code, node.lasti = _outside(frame)
            node.prints = None
            if plan.reads:
                node.prints = prints = []
                for k in plan.reads:
                    prints.append(fingerprint(out if k < 0 else right.data if k else u))
            return result

        def exchange(by: Callable[..., Tensor] | None) -> None:
            nonlocal quick
            quick = by

        return _named_as(general, call, op, exchange)

    return with_usual_case


def _named_as(general: Recorder, call: Any, op: Op, exchange: Callable[[Any], None]) -> Recorder:
    """`call`, with the names of the general function and of its parameters."""
    own, wanted = call.__code__.co_varnames, general.__code__.co_varnames
    operands = call.__code__.co_argcount
    call.__code__ = call.__code__.replace(co_varnames=wanted[:operands] + own[operands:])
    call.op, call.exchange = op, exchange
    return cast(Recorder, wraps(general)(call))


def _number(x: Any, other: Any) -> Tensor | None:
    """The constant of a Python number beside a float tensor, or None; programs use the same few again and again."""
    if (type(x) is not float and type(x) is not int) or type(other) is not Tensor:
        return None
    kept = _NUMBERS.get(other.data.dtype)
    if kept is None:
        return None
    found = kept.get(x)
    if found is None:
        found = _leaf(np.array(x, other.data.dtype))
        if x != 0:  # 0.0 and −0.0 are the same key
            if len(kept) == 64:
                kept.clear()
            kept[x] = found
    return found


_NUMBERS: dict[np.dtype, dict[float, Tensor]] = {dtype: {} for dtype in _FLOATS}
