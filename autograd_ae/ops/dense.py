"""dense(x, W, b, activation): Y = f(A), A = X W + b; samples in rows, X (B, n), W (n, m), b (m,).

Derivation. By components A_ij = Σ_k X_ik W_kj + b_j. With D = ∂L/∂A,

    ∂L/∂W_kj = Σ_i X_ik D_ij    so  dW = Xᵀ D
    ∂L/∂b_j  = Σ_i D_ij         so  db = 1ᵀ D
    ∂L/∂X_ik = Σ_j D_ij W_kj    so  dX = D Wᵀ

(in the lecture's columns, Y = f(W X + b): dW = D Xᵀ, dX = Wᵀ D). All three start from D, so D is computed once,
by the op's `delta`, from the upstream gradient G = ∂L/∂Y and the output alone:

    identity  D = G       sigmoid  D = G ⊙ Y ⊙ (1 − Y)       tanh  D = G ⊙ (1 − Y²)       relu  D = G ⊙ [Y > 0]

The matrix products are BLAS, X W is computed in place of Y, and one pass of a kernel adds the bias and applies
the activation.

Accuracy. Keeping only Y costs digits where the activation saturates: 1 − Y has an absolute error of one rounding
of 1 (1.1e-16), so a derivative of 1e-10 is right to 6 digits. `ops/sigmoid.py` says how the separate op avoids that;
training does not notice. At 0 relu has gradient 0. Activations whose derivative cannot be had from Y (silu, gelu,
softplus, …) are recorded as an op of their own.

Cost: 2·B·n·m flops forward, twice that back.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_ae.core.errors import ShapeError
from autograd_ae.core.jit import jit
from autograd_ae.core.op import Op, Pullback, pullback
from autograd_ae.core.tensor import Tensor, record
from autograd_ae.ops import sigmoid as _sigmoid
from autograd_ae.ops.activations import ACTIVATIONS
from autograd_ae.ops.axes import TensorLike
from autograd_ae.ops.exponential import exp, tanh


def rows(a):
    """(…, n) as a matrix of one sample a row."""
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1])


def shape(x, W, b):
    if len(W) != 2 or b != W[1:]:
        raise ShapeError(f"W must be a matrix (inputs, units) and b a vector (units,); W is {W}, b is {b}")
    if not x or x[-1] != W[0]:
        hint = " (samples go in rows; did you mean x.T?)" if len(x) == 2 and x[0] == W[0] else ""
        raise ShapeError(f"x has {x[-1] if x else 'no'} columns but W has {W[0]} rows{hint}")
    return (*x[:-1], W[1])


# The rules that every activation shares; g is D = ∂L/∂A.


@pullback(r"\bar{X} = D W^\top")
def dx(out, g, _y, _x, W, _b):
    np.matmul(rows(g), W.T, out=rows(out))


@pullback(r"\bar{W} = X^\top D")
def dW(out, g, _y, x, _W, _b):
    np.matmul(rows(x).T, rows(g), out=out)


@pullback(r"\bar{b} = \mathbf{1}^\top D")
def db(out, g, _y, _x, _W, _b):
    np.sum(rows(g), axis=0, out=out)


# The activations: in place on A + b forward, and D from G and Y.


@jit
def bias_sigmoid_kernel(a, b):
    """a ← σ(a + b) on a (B, m) matrix: one pass over memory."""
    one = a.dtype.type(1)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            z = a[i, j] + b[j]
            e = exp(-abs(z))
            a[i, j] = (e if z < 0 else one) / (one + e)


@jit
def bias_tanh_kernel(a, b):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] = tanh(a[i, j] + b[j])


@jit
def bias_relu_kernel(a, b):
    zero = a.dtype.type(0)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            z = a[i, j] + b[j]
            a[i, j] = zero if z <= zero else z


@jit
def sigmoid_delta_kernel(out, g, y):
    one = y.dtype.type(1)
    for i in range(y.size):
        out[i] = g[i] * (y[i] * (one - y[i]))


@jit
def tanh_delta_kernel(out, g, y):
    one = y.dtype.type(1)
    for i in range(y.size):
        out[i] = g[i] * (one - y[i] * y[i])


@jit
def relu_delta_kernel(out, g, y):
    zero, one = y.dtype.type(0), y.dtype.type(1)
    for i in range(y.size):
        out[i] = g[i] * (one if y[i] > zero else zero)


def bias_sigmoid(out, x, W, b):
    np.matmul(rows(x), W, out=rows(out))
    bias_sigmoid_kernel(rows(out), b)


def bias_tanh(out, x, W, b):
    np.matmul(rows(x), W, out=rows(out))
    bias_tanh_kernel(rows(out), b)


def bias_relu(out, x, W, b):
    np.matmul(rows(x), W, out=rows(out))
    bias_relu_kernel(rows(out), b)


def sigmoid_delta_compiled(out, g, y, _x, _W, _b):
    sigmoid_delta_kernel(out.reshape(-1), g.reshape(-1), y.reshape(-1))


@pullback(r"D = \bar{Y} \odot Y \odot (1 - Y)", kernel=sigmoid_delta_compiled)
def sigmoid_delta(out, g, y, _x, _W, _b):
    np.multiply(g, y * (1.0 - y), out=out)


def tanh_delta_compiled(out, g, y, _x, _W, _b):
    tanh_delta_kernel(out.reshape(-1), g.reshape(-1), y.reshape(-1))


def relu_delta_compiled(out, g, y, _x, _W, _b):
    relu_delta_kernel(out.reshape(-1), g.reshape(-1), y.reshape(-1))


@pullback(r"D = \bar{Y} \odot (1 - Y^2)", kernel=tanh_delta_compiled)
def tanh_delta(out, g, y, _x, _W, _b):
    np.multiply(g, 1.0 - y * y, out=out)


@pullback(r"D = \bar{Y} \odot [Y > 0]", kernel=relu_delta_compiled)
def relu_delta(out, g, y, _x, _W, _b):
    np.multiply(g, y.real > 0, out=out)


def affine(out, x, W, b):
    np.matmul(rows(x), W, out=rows(out))
    np.add(out, b, out=out)


def _fused(
    activation: str,
    reference: Callable[..., Any],
    delta: Pullback | None,
    latex: str,
    *,
    forward: Callable[..., None] | None = None,
    kernel: Callable[..., None] | None = None,
) -> Op:
    name = "dense" if activation == "identity" else f"dense_{activation}"
    layer: dict[str, Any] = {"shape": shape, "broadcasts": False, "delta": delta}
    return Op(name, reference, dx, dW, db, latex=latex, forward=forward, kernel=kernel, **layer)


FUSED = {
    "identity": _fused("identity", lambda x, W, b: x @ W + b, None, r"Y = X W + b", forward=affine),
    "sigmoid": _fused(
        "sigmoid",
        lambda x, W, b: _sigmoid.reference(x @ W + b),
        sigmoid_delta,
        r"Y = \sigma(X W + b)",
        kernel=bias_sigmoid,
    ),
    "tanh": _fused("tanh", lambda x, W, b: np.tanh(x @ W + b), tanh_delta, r"Y = \tanh(X W + b)", kernel=bias_tanh),
    "relu": _fused(
        "relu",
        lambda x, W, b: np.where((x @ W + b).real <= 0, 0.0, x @ W + b),
        relu_delta,
        r"Y = \max(X W + b, 0)",
        kernel=bias_relu,
    ),
}


def dense(x: TensorLike, W: TensorLike, b: TensorLike, activation: str = "identity") -> Tensor:
    """f(x W + b), one op for identity, sigmoid, tanh and relu; any other activation is recorded after the affine map.

    Parameters
    ----------
    x : (..., n), samples in rows.    W : (n, m).    b : (m,).
    activation : one of `ops.activations.ACTIVATIONS`.

    Returns
    -------
    (..., m).

    >>> dense([[1.0, 2.0]], [[1.0], [1.0]], [-3.0], "sigmoid").data
    array([[0.5]])
    """
    if activation in FUSED:
        return record(FUSED[activation], (x, W, b), {})
    if activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}; there are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[activation](record(FUSED["identity"], (x, W, b), {}))
