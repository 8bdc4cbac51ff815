"""backward, grad, value_and_grad, vjp: reverse mode. jvp, hvp, hessian: complex step through the same program.

Reverse mode sweeps the tape backwards: (∂y/∂x)ᵀ u at the cost of a few forward passes, whatever the size of x.

The complex step needs no rules of its own. For analytic f,

    f(x + ihv) = f(x) + ih·J v − h²/2·(…),   so   J v = Im f(x + ihv) / h     with an error of O(h²),

and h = 1e-30 leaves no truncation error and, unlike a difference, subtracts nothing (Squire & Trapp 1998;
Martins, Sturdza & Alonso 2003, "The complex-step derivative approximation"). Run through the *backward* lines,
the same gives H v, the derivative of the gradient along v, since gradient rules are analytic formulas too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

import numpy as np

from autograd_ae.core.errors import GraphError, ShapeError
from autograd_ae.core.op import Array
from autograd_ae.core.program import Program
from autograd_ae.core.sweep import Source, free, seed_of, source, sweep
from autograd_ae.core.tensor import Tensor, _floats, not_a_graph

STEP = 1e-30


def backward(loss: Tensor, cotangent: Any = None, *, retain_graph: bool = False) -> None:
    """Add ∂loss/∂leaf to `leaf.grad` for every traced leaf that led to `loss`.

    Parameters
    ----------
    loss : a scalar tensor; of any shape when `cotangent` (∂L/∂loss, same shape) is given.
    retain_graph : keep the recording for another backward pass; by default it is freed.

    Raises
    ------
    GraphError : nothing was recorded, the recording was freed, or a cotangent is missing or of wrong shape.
    InPlaceError : an array that a pullback needs was edited meanwhile.

    >>> import autograd_ae as ae
    >>> x = ae.tensor([1.0, 2.0])
    >>> ae.sum(x * x).backward()
    >>> x.grad
    array([2., 4.])
    """
    if not loss.traced:
        raise not_a_graph(loss)
    gradients, visited = sweep(loss, seed_of(loss, cotangent))
    for leaf, gradient in gradients.items():
        assert isinstance(leaf, Tensor)  # the gradients of nodes were handed on
        if leaf.grad is None:
            leaf.grad = gradient
        else:
            np.add(leaf.grad, gradient, out=leaf.grad)
    if not retain_graph:
        free(visited)


@overload
def grad(loss: Tensor, wrt: Tensor, cotangent: Any = None, *, allow_unused: bool = False) -> Array: ...
@overload
def grad(
    loss: Tensor, wrt: Sequence[Tensor], cotangent: Any = None, *, allow_unused: bool = False
) -> tuple[Array, ...]: ...
def grad(loss: Tensor, wrt: Tensor | Sequence[Tensor], cotangent: Any = None, *, allow_unused: bool = False) -> Any:
    """∂loss/∂wrt as arrays, without touching `.grad`; the recording stays.

    Parameters
    ----------
    loss : a scalar tensor; of any shape with `cotangent`.
    wrt : one tensor (one array is returned) or a sequence (a tuple is); leaves or intermediate results.
    allow_unused : give zeros for a tensor that `loss` was not computed from, instead of an error.
    """
    tensors = [wrt] if isinstance(wrt, Tensor) else list(wrt)
    if not loss.traced and not (allow_unused or any(t is loss for t in tensors)):
        raise not_a_graph(loss)
    for t in tensors:
        if not isinstance(t, Tensor):
            raise TypeError(
                f"gradients are taken with respect to tensors, {type(t).__name__} arrived: "
                "make it one with ae.tensor(...)"
            )
        if not t.traced:
            raise GraphError(
                f"{t._label()} is a constant: gradients are taken with respect to traced tensors (ae.tensor)"
            )
    gradients, _ = sweep(loss, seed_of(loss, cotangent), tensors)
    unused = [t._label() for t in tensors if source(t) not in gradients]
    if unused and not allow_unused:
        raise GraphError(
            f"the loss was not computed from {', '.join(unused)}. Was a copy of it used, or .data? "
            "Pass allow_unused=True to get zeros"
        )
    found = _taken(gradients, tensors)
    return found[0] if isinstance(wrt, Tensor) else found


def value_and_grad(fn: Callable[..., Tensor]) -> Callable[..., tuple[Any, tuple[Array, ...]]]:
    """`value, grads = value_and_grad(fn)(*arrays)`: fn takes tensors and returns a scalar tensor.

    There is one gradient per argument.

    >>> value, (dx,) = value_and_grad(lambda x: (x * x).sum())(np.array([3.0, 4.0]))
    >>> float(value), dx.tolist()
    (25.0, [6.0, 8.0])
    """

    _refuse_no_function(fn)

    def run(*arrays: Any) -> tuple[Any, tuple[Array, ...]]:
        output, leaves = _apply(fn, arrays)
        return output.data.copy()[()], _gradients(output, leaves, None)

    return run


def vjp(fn: Callable[..., Tensor], *arrays: Any) -> tuple[Any, Callable[[Any], tuple[Array, ...]]]:
    """y = fn(*arrays) and `pull`, with pull(u) = uᵀ ∂y/∂(each array). u has the shape of y."""
    output, leaves = _apply(fn, arrays)
    return output.data.copy()[()], lambda cotangent: _gradients(output, leaves, cotangent)


def jvp(fn: Callable[..., Tensor], arrays: Any, tangents: Any) -> tuple[Any, Any]:
    """y = fn(*arrays) and its derivative along `tangents`, by complex step: float64 (see the module)."""
    arrays, tangents, _ = _matched(arrays, tangents, "tangent")
    output, leaves = _apply(fn, arrays)
    program = Program([output], wrt=leaves)
    env, h = _stepped(program, leaves, tangents, backward=False)
    return output.data.copy()[()], (env[program.outputs[0]].imag / h).astype(output.dtype)[()]  # type: ignore[union-attr]


def hvp(fn: Callable[..., Tensor], arrays: Any, vectors: Any) -> Any:
    """H v: the Hessian of the scalar fn times a vector, one array per argument (bare when `arrays` is one array)."""
    arrays, vectors, single = _matched(arrays, vectors, "vector")
    output, leaves = _apply(fn, arrays)
    program = Program([output], wrt=leaves)
    program.cotangent(None)
    env, h = _stepped(program, leaves, vectors, backward=True)
    products = []
    for place in program.wrt:
        gradient = env[program.gradients[place]] if place in program.gradients else None
        value = program.values[place]
        products.append(
            np.zeros(value.shape, value.dtype) if gradient is None else (gradient.imag / h).astype(value.dtype)
        )
    return products[0] if single else tuple(products)


def hessian(fn: Callable[..., Tensor], array: Any) -> Array:
    """All second derivatives of the scalar fn, shape `array.shape + array.shape`: one hvp per entry of `array`."""
    array = _floats(array)
    rows = np.empty((array.size, *array.shape), array.dtype)
    for i in range(array.size):
        unit = np.zeros(array.size, array.dtype)
        unit[i] = 1.0
        rows[i] = hvp(fn, array, unit.reshape(array.shape))
    return rows.reshape(array.shape + array.shape)


def _gradients(output: Tensor, wrt: Sequence[Tensor], cotangent: Any) -> tuple[Array, ...]:
    """One array per tensor of `wrt`, zeros where the output was not computed from it."""
    return _taken(sweep(output, seed_of(output, cotangent), wrt)[0], wrt)


def _taken(gradients: Mapping[Source, Array], tensors: Sequence[Tensor]) -> tuple[Array, ...]:
    """The gradients of tensors, each an array of its own: a tensor asked for twice gets a copy."""
    found: list[Array] = []
    for i, t in enumerate(tensors):
        g = gradients.get(source(t))
        again = any(other is t for other in tensors[:i])
        found.append(np.zeros(t.shape, t.dtype) if g is None else g.copy() if again else g)
    return tuple(found)


def _refuse_no_function(fn: Any) -> None:
    if not callable(fn):
        raise TypeError(
            f"fn is of type {type(fn).__name__}; a function of tensors that returns one is needed, such as "
            "lambda W: ae.sum(W * W) (of a tensor that was computed: ae.grad(loss, [W]))"
        )


def _apply(fn: Callable[..., Tensor], arrays: Sequence[Any]) -> tuple[Tensor, list[Tensor]]:
    _refuse_no_function(fn)
    leaves = [Tensor(_floats(a)) for a in arrays]
    output = fn(*leaves)
    if not isinstance(output, Tensor):
        raise TypeError(
            f"the function must return a tensor, it returned {type(output).__name__}: "
            "use functions of autograd_ae inside"
        )
    return output, leaves


def _matched(arrays: Any, directions: Any, word: str) -> tuple[list[Array], list[Array], bool]:
    """Points and directions as lists of arrays of equal shapes."""
    single = not isinstance(arrays, tuple | list)
    points = [_floats(a) for a in ([arrays] if single else arrays)]
    along = [_floats(v) for v in ([directions] if not isinstance(directions, tuple | list) else directions)]
    needed, arrived = [a.shape for a in points], [v.shape for v in along]
    if needed != arrived:
        raise ShapeError(f"one {word} per array, of its shape, was needed: arrays {needed}, {word}s {arrived}")
    return points, along, single


def _stepped(
    program: Program, leaves: list[Tensor], along: list[Array], *, backward: bool
) -> tuple[list[Array | None], float]:
    """The program's values at x + ih·v, and h: small against v, so that v's scale does not matter."""
    largest = max((float(np.abs(v).max()) for v in along if v.size), default=0.0)
    h = STEP / largest if largest > 0 else STEP
    stepped = {program.place(t): t.data + 1j * (h * v.astype(np.float64)) for t, v in zip(leaves, along, strict=True)}
    return program.run_complex(stepped, backward=backward), h
