"""Tensor: an array whose history is recorded, so that gradients can be taken through it.

A Tensor is traced; a plain ndarray is a constant. An op applied to a traced tensor runs at once and leaves a `Node`
behind (`recording.py`): recording is executing. What is never traced: constants (`ae.constant`), detached tensors,
whatever is computed under `no_grad()` (`modes.py`).

Tensors hold float32 or float64 in C order; arrays that are not are put in order once, at the boundary.
Python numbers are weak: a float32 tensor times 2.0 stays float32 (NEP 50). Comparisons give boolean tensors,
which carry no gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from autograd_ae.core.errors import CaptureError, GraphError
from autograd_ae.core.modes import capturing, detect_anomaly, no_grad, state  # noqa: F401  looked for here as well
from autograd_ae.core.op import Node, Shape

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


class Tensor:
    """An array with a name and a history; made by `ae.tensor`, `ae.constant` and by ops.

    Attributes
    ----------
    data : the array, float32 or float64, C order. Editing it in place is allowed once no recorded op needs it.
    grad : ∂loss/∂data, an array of the same shape and dtype, accumulated by `backward`; None before.
    name : for derivations, programs and messages; may be None.
    traced : whether gradients flow to or through this tensor.
    node : how it was computed; None for a leaf.
    """

    __slots__ = ("__weakref__", "data", "grad", "name", "node", "traced")
    __hash__ = object.__hash__
    numpy_functions: ClassVar[Mapping[Any, Callable[..., Any]]] = {}  # NumPy's function → ours; filled by `install`

    def __init__(self, data: np.ndarray, name: str | None = None, *, traced: bool = True):
        self.data, self.name, self.traced = data, name, traced
        self.grad: np.ndarray | None = None
        self.node: Node | None = None

    @property
    def shape(self) -> Shape:
        return self.data.shape

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    @property
    def ndim(self) -> int:
        return self.data.ndim

    @property
    def size(self) -> int:
        return self.data.size

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor: it has no axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        values = np.array2string(self.data, precision=4, threshold=20, separator=", ", prefix=" " * 7)
        made = f", from {self.node.op.name}" if self.node is not None else ""
        named = f", name={self.name!r}" if self.name else ""
        return f"tensor({values}, dtype={self.dtype}{named}{made}{'' if self.traced else ', constant'})"

    # A value leaves the recording only on request, and never while a program is being captured.

    def item(self) -> float:
        """The value of a tensor of one element as a Python number."""
        if state.capturing:
            raise CaptureError(
                f"the value of {self._label()} was asked for while capturing: a captured program runs again on other "
                "data, so Python must not decide by values. Use ae.where, or return the tensor and look at it outside"
            )
        if self.size != 1:
            raise ValueError(f"one element was needed, {self._label()} has shape {self.shape}; use .data for the array")
        return self.data.item()

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise TypeError(
            f"NumPy asked for the bare array of {self._label()}, which would detach it from the recording in silence. "
            "Use a function of autograd_ae (the same name as NumPy's), or .data where no gradient is wanted"
        )

    def backward(self, cotangent: Any = None, *, retain_graph: bool = False) -> None:
        """Add ∂self/∂leaf to `.grad` of every traced leaf. See `ae.backward`."""
        from autograd_ae.core.transforms import backward

        backward(self, cotangent, retain_graph=retain_graph)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    if TYPE_CHECKING:  # what `ops.api` installs, for type checkers

        def _binary(self, other: Any) -> Tensor: ...
        def _unary(self) -> Tensor: ...
        def _reduction(self, axis: Any = None, *, keepdims: bool = False) -> Tensor: ...
        def __getitem__(self, key: Any) -> Tensor: ...
        def reshape(self, *shape: Any) -> Tensor: ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _binary
        __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __lt__ = __le__ = __gt__ = __ge__ = _binary
        __neg__ = __pos__ = __abs__ = _unary
        sum = mean = max = min = _reduction
        T: Tensor

    def _label(self) -> str:
        return f"tensor {self.name!r}" if self.name else f"a tensor of shape {self.shape}"

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        ours = self.numpy_functions.get(ufunc)
        if ours is None or method != "__call__" or kwargs:
            asked = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
            extra = f" with {', '.join(kwargs)}=" if kwargs else ""
            raise _not_recorded(asked + extra)
        return ours(*inputs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        ours = self.numpy_functions.get(func)
        if ours is None:
            raise _not_recorded(f"np.{func.__name__}")
        return ours(*args, **kwargs)


def _not_recorded(asked: str) -> TypeError:
    remedy = "use a function of autograd_ae, or .data to leave the recording"
    return TypeError(f"{asked} is not recorded by autograd_ae: {remedy}")


def install(operators: Mapping[str, Callable[..., Any]], numpy_functions: Mapping[Any, Callable[..., Any]]) -> None:
    """Give Tensor its operators (`{"__add__": add, …}`) and the table behind the NumPy protocols.

    Called once, by `ops`.
    """
    for name, function in operators.items():
        setattr(Tensor, name, function)
    Tensor.numpy_functions = numpy_functions


def tensor(values: Any, name: str | None = None) -> Tensor:
    """A traced leaf: gradients are taken with respect to it.

    Parameters
    ----------
    values : array of float32 or float64 (shared, not copied, where it is in C order),
        Python numbers or nested lists (float64).
    name : for derivations and messages.

    Raises
    ------
    TypeError : an integer, boolean, complex or other array; the message holds the fix.

    >>> tensor([1, 2.5], name="x")
    tensor([1. , 2.5], dtype=float64, name='x')
    """
    if isinstance(values, Tensor):
        raise TypeError("ae.tensor was given a tensor: use it as it is, or ae.detach(t) for a copy without history")
    return Tensor(_floats(values, name), name)


def constant(values: Any, name: str | None = None) -> Tensor:
    """Data with a name and a place in a captured program, but no gradient. A tensor is detached.

    >>> constant([[1.0, 2.0]], name="x").traced
    False
    """
    if not isinstance(values, Tensor):
        return Tensor(_floats(values, name), name, traced=False)
    if not values.traced and values.node is None:
        return values
    fixed = detach(values)
    fixed.name = name or values.name
    return fixed


def detach(t: Tensor) -> Tensor:
    """The same values (the same memory) without history: no gradient flows back."""
    if not state.capturing:
        return Tensor(t.data, t.name, traced=False)
    from autograd_ae.core.recording import DETACH, record

    return record(DETACH, (t,), {})


def _floats(values: Any, name: str | None = None) -> np.ndarray:
    """Values as a float array in C order, or a TypeError that holds the fix."""
    if isinstance(values, np.ndarray):
        if values.dtype not in _FLOATS:
            called = f" {name!r}" if name else ""
            raise TypeError(
                f"array{called} of shape {values.shape} has dtype {values.dtype}; float32 or float64 is needed. "
                "Convert it where you can see it: x.astype(np.float64)"
            )
        return np.asarray(values, order="C")  # keeps 0-d arrays 0-d
    if type(values) in _FLOAT_SCALARS:
        return np.asarray(values)
    if any(isinstance(leaf, Tensor) for leaf in _leaves(values)):
        raise TypeError("a list of tensors is not an array: use ae.stack or ae.concatenate, which record it")
    try:
        return np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise TypeError(f"cannot make a float array of {type(values).__name__}: {error}") from None


_FLOAT_SCALARS = (np.float32, np.float64)


def _leaves(values: Any) -> Iterator[Any]:
    if isinstance(values, list | tuple):
        for value in values:
            yield from _leaves(value)
    else:
        yield values


def not_a_graph(t: Tensor) -> GraphError:
    """The error for a backward pass that starts where nothing was recorded."""
    return GraphError(
        f"{t._label()} has no recorded history, so there is nothing to differentiate: it was made under no_grad(), "
        "detached, or computed from constants only. Make the inputs with ae.tensor(...)"
    )


def __getattr__(name: str) -> Any:
    """`record` and what belongs to it live in `recording.py`, which needs this file, and are found here too."""
    if name in ("record", "_as_tensors", "prints_of", "refuse_nan"):
        from autograd_ae.core import recording

        return getattr(recording, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
