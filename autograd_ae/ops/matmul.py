"""Products of matrices and vectors: matmul (stacks of matrices too), dot, outer.

Derivation. Y = A B, by components Y_ij = Σ_k A_ik B_kj. With G = ∂L/∂Y,

    ∂L/∂A_ik = Σ_j G_ij B_kj    so  dA = G Bᵀ
    ∂L/∂B_kj = Σ_i A_ik G_ij    so  dB = Aᵀ G.

Axes before the last two are a batch, and broadcast; a matrix that serves several of the batch gets the sum of their
gradients. Where B is one matrix, the rows of the whole batch are one tall A, and dB = Aᵀ G over all rows is a single
product instead of a sum of many.

A vector counts as a row at the left and as a column at the right: the axis of size 1 is recorded before the product
and dropped after it. outer: Y_ij = a_i b_j, so da = G b and db = Gᵀ a.

Cost: 2·n·k·m flops for (n, k)(k, m), twice that back; the products are BLAS. Accuracy: |error| ≤ k ε |A| |B|, entry
by entry.
"""

from __future__ import annotations

import math

import numpy as np

from autograd_ae.core.errors import ShapeError
from autograd_ae.core.op import Array, Op, Shape, pullback
from autograd_ae.core.program import unbroadcast
from autograd_ae.core.tensor import Tensor, record
from autograd_ae.ops.arithmetic import multiply
from autograd_ae.ops.axes import TensorLike, blamed, numeric
from autograd_ae.ops.shaping import expand_dims, reshape, squeeze, transpose


def rows(a: Array) -> Array:
    """(…, n, k) as one tall matrix (…·n, k)."""
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1])


def broadcast(a: Shape, b: Shape) -> Shape:
    return a if a == b else np.broadcast_shapes(a, b)


def forward(out, a, b):
    if b.ndim == 2:
        np.matmul(rows(a), b, out=rows(out))
    else:
        np.matmul(a, b, out=out)


def summed_matmul(out: Array, a: Array, b: Array) -> None:
    """out ← a b, summed over the batch axes along which `out` served several."""
    if broadcast(a.shape[:-2], b.shape[:-2]) == out.shape[:-2]:
        np.matmul(a, b, out=out)
    else:
        unbroadcast(out, np.matmul(a, b))


@pullback(r"\bar{A} = \bar{Y} B^\top")
def da(out, g, _y, _a, b):
    if b.ndim == 2:
        np.matmul(rows(g), b.T, out=rows(out))
    else:
        summed_matmul(out, g, b.swapaxes(-1, -2))


@pullback(r"\bar{B} = A^\top \bar{Y}")
def db(out, g, _y, a, _b):
    if out.ndim == 2:
        np.matmul(rows(a).T, rows(g), out=out)
    else:
        summed_matmul(out, a.swapaxes(-1, -2), g)


def refuse_inner(a: Shape, b: Shape) -> None:
    """ShapeError unless the columns of a are as many as the rows of b; vectors as matmul takes them."""
    columns, rows_ = a[-1], b[-2:][0]
    if columns == rows_:
        return
    hint = ""
    if len(b) > 1 and b[-1] == columns:
        hint = f" (did you mean {'b.T' if len(b) == 2 else 'swapaxes(b, -1, -2)'}?)"
    elif len(a) > 1 and a[-2] == rows_:
        hint = f" (did you mean {'a.T' if len(a) == 2 else 'swapaxes(a, -1, -2)'}?)"
    left = f"{columns} columns" if len(a) > 1 else f"{columns} entries"
    right = f"{rows_} rows" if len(b) > 1 else f"{rows_} entries"
    raise ShapeError(f"a has {left} but b has {right}{hint}")


def shape(a, b):
    refuse_inner(a, b)
    try:
        batch = broadcast(a[:-2], b[:-2])
    except ValueError:
        raise ShapeError(
            f"the batch axes {a[:-2]} of a and {b[:-2]} of b do not broadcast: aligned at the right, "
            "two sizes must be equal or one of them 1"
        ) from None
    return (*batch, a[-2], b[-1])


_matmul = Op(
    "matmul", lambda a, b: np.matmul(a, b), da, db, latex=r"Y = A B", forward=forward, shape=shape, broadcasts=False
)


@pullback(r"\bar{a} = \bar{Y} b")
def outer_da(out, g, _y, _a, b):
    np.matmul(g, b, out=out)


@pullback(r"\bar{b} = \bar{Y}^\top a")
def outer_db(out, g, _y, a, _b):
    np.matmul(g.T, a, out=out)


_outer = Op(
    "outer",
    lambda a, b: np.outer(a, b),
    outer_da,
    outer_db,
    latex=r"Y = a b^\top",
    forward=lambda out, a, b: np.outer(a, b, out=out),
    shape=lambda a, b: (*a, *b),
    broadcasts=False,
)


def matmul(a: TensorLike, b: TensorLike) -> Tensor:
    """a @ b: (..., n, k) times (..., k, m) is (..., n, m), and batch axes broadcast.

    A vector is a row at the left and a column at the right, and the result lacks that axis. ShapeError where a's
    columns are not as many as b's rows, and for single numbers: use `a * b`.

    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]]).data, matmul([1.0, 2.0], [3.0, 4.0]).item()
    (array([[11.]]), 11.0)
    """
    a, b = numeric("matmul", a, b)
    with blamed("matmul", a, b):
        if a.ndim == 0 or b.ndim == 0:
            raise ShapeError(
                f"{'a' if a.ndim == 0 else 'b'} is a single number, and matmul takes matrices and vectors: use a * b"
            )
        if a.ndim == 1 or b.ndim == 1:
            refuse_inner(a.shape, b.shape)
    if a.ndim > 1 and b.ndim > 1:
        return record(_matmul, (a, b), {})
    added = ((-2,) if a.ndim == 1 else ()) + ((-1,) if b.ndim == 1 else ())
    row = expand_dims(a, 0) if a.ndim == 1 else a
    column = expand_dims(b, 1) if b.ndim == 1 else b
    return squeeze(record(_matmul, (row, column), {}), added)


def dot(a: TensorLike, b: TensorLike) -> Tensor:
    """NumPy's dot: the last axis of a against the last but one of b (its only one if b is a vector).

    The same as matmul up to two axes; beyond, all pairs of rows and columns: (..., k) with (+++, k, m) is
    (..., +++, m). A single number multiplies.

    >>> dot([[1.0, 2.0]], [3.0, 4.0]).data
    array([11.])
    """
    a, b = numeric("dot", a, b)
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b)
    with blamed("dot", a, b):
        refuse_inner(a.shape, b.shape)
    if b.ndim <= 2:
        return matmul(a, b)
    front = transpose(b, (b.ndim - 2, *range(b.ndim - 2), b.ndim - 1))  # (k, +++, m)
    columns = reshape(front, (b.shape[-2], math.prod(front.shape[1:])))
    return reshape(matmul(a, columns), (*a.shape[:-1], *b.shape[:-2], b.shape[-1]))


def outer(a: TensorLike, b: TensorLike) -> Tensor:
    """Y_ij = a_i b_j of two vectors; other shapes are flattened first, as in NumPy.

    >>> outer([1.0, 2.0], [3.0, 4.0]).data
    array([[3., 4.],
           [6., 8.]])
    """
    a, b = numeric("outer", a, b)
    return record(_outer, tuple(t if t.ndim == 1 else reshape(t, -1) for t in (a, b)), {})
