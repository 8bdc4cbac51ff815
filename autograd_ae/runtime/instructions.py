"""What a row of a table can ask for. An instruction is one function of eight integers, some factors, and a dtype:

    instruction(out, a, b, c, i, j, k, l, factors, like) → 0, or 1 where it refuses its operands

`out`, `a`, `b`, `c` are addresses of arrays (flat, C order, like's dtype), `i` … `l` sizes and the like, `factors` up
to eight float64 numbers. Each names its arguments as it uses them; what it does not use begins with an underscore.
The work is done by kernels (`kernels.py`, those of ops and optimisers).

`code(instruction, dtype)` is the address of its machine code, which takes the address of a row. So a program compiles
and loads only what it uses, and a new instruction is one more function here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_ae.core.jit import Kernel, jit
from autograd_ae.core.native import at, matrix_at
from autograd_ae.core.object_code import machine_code
from autograd_ae.ops.dense import (
    bias_relu_kernel,
    bias_sigmoid_kernel,
    bias_tanh_kernel,
    relu_delta_kernel,
    sigmoid_delta_kernel,
    tanh_delta_kernel,
)
from autograd_ae.ops.elementary import tanh_dx_kernel
from autograd_ae.ops.sigmoid import dx_kernel, sigmoid_kernel
from autograd_ae.runtime.kernels import (
    accumulate_kernel,
    add_kernel,
    bias_kernel,
    copy_kernel,
    divide_kernel,
    exp_kernel,
    multiply_kernel,
    negative_kernel,
    product_kernel,
    relu_dx_kernel,
    relu_kernel,
    scale_kernel,
    softplus_kernel,
    spread_kernel,
    sqrt_kernel,
    square_dx_kernel,
    square_kernel,
    subtract_kernel,
    sum_columns_kernel,
    sum_of,
    sum_rows_kernel,
    tanh_kernel,
)

COLUMNS = 10  # of a row: code, out, a, b, c, i, j, k, l, address of the factors
FACTORS = 8


# Dense layers.


@jit
def product(out, a, b, _c, m, n, k, transposed, _factors, like):
    """out (m, n) ← a b; bit 0 of `transposed` for aᵀ, bit 1 for bᵀ."""
    x, y, z = at(a, m * k, like), at(b, k * n, like), at(out, m * n, like)
    product_kernel(z, x, y, m, n, k, transposed & 1 != 0, transposed & 2 != 0)
    return 0


@jit
def bias_sigmoid(z, b, _b, _c, rows, columns, _k, _l, _factors, like):
    bias_sigmoid_kernel(matrix_at(z, rows, columns, like), at(b, columns, like))
    return 0


@jit
def bias_tanh(z, b, _b, _c, rows, columns, _k, _l, _factors, like):
    bias_tanh_kernel(matrix_at(z, rows, columns, like), at(b, columns, like))
    return 0


@jit
def bias_relu(z, b, _b, _c, rows, columns, _k, _l, _factors, like):
    bias_relu_kernel(matrix_at(z, rows, columns, like), at(b, columns, like))
    return 0


@jit
def bias_identity(z, b, _b, _c, rows, columns, _k, _l, _factors, like):
    bias_kernel(matrix_at(z, rows, columns, like), at(b, columns, like))
    return 0


@jit
def sigmoid_delta(out, g, y, _c, n, _j, _k, _l, _factors, like):
    sigmoid_delta_kernel(at(out, n, like), at(g, n, like), at(y, n, like))
    return 0


@jit
def tanh_delta(out, g, y, _c, n, _j, _k, _l, _factors, like):
    tanh_delta_kernel(at(out, n, like), at(g, n, like), at(y, n, like))
    return 0


@jit
def relu_delta(out, g, y, _c, n, _j, _k, _l, _factors, like):
    relu_delta_kernel(at(out, n, like), at(g, n, like), at(y, n, like))
    return 0


# Two operands; `of_a` and `of_b` hold the strides: 2 · (of rows) + (of columns).


@jit
def add(out, a, b, _c, rows, columns, of_a, of_b, _factors, like):
    n = rows * columns
    add_kernel(
        at(out, n, like), at(a, n, like), at(b, n, like), rows, columns, of_a >> 1, of_a & 1, of_b >> 1, of_b & 1
    )
    return 0


@jit
def subtract(out, a, b, _c, rows, columns, of_a, of_b, _factors, like):
    n = rows * columns
    subtract_kernel(
        at(out, n, like), at(a, n, like), at(b, n, like), rows, columns, of_a >> 1, of_a & 1, of_b >> 1, of_b & 1
    )
    return 0


@jit
def multiply(out, a, b, _c, rows, columns, of_a, of_b, _factors, like):
    n = rows * columns
    multiply_kernel(
        at(out, n, like), at(a, n, like), at(b, n, like), rows, columns, of_a >> 1, of_a & 1, of_b >> 1, of_b & 1
    )
    return 0


@jit
def divide(out, a, b, _c, rows, columns, of_a, of_b, _factors, like):
    n = rows * columns
    divide_kernel(
        at(out, n, like), at(a, n, like), at(b, n, like), rows, columns, of_a >> 1, of_a & 1, of_b >> 1, of_b & 1
    )
    return 0


@jit
def spread(out, a, _b, _c, rows, columns, of_a, _l, factors, like):
    n = rows * columns
    spread_kernel(at(out, n, like), at(a, n, like), rows, columns, of_a >> 1, of_a & 1, factors[0])
    return 0


# One operand, and pullbacks.


@jit
def accumulate(out, a, _b, _c, n, _j, _k, _l, _factors, like):
    accumulate_kernel(at(out, n, like), at(a, n, like))
    return 0


@jit
def copy(out, x, _b, _c, n, _j, _k, _l, _factors, like):
    copy_kernel(at(out, n, like), at(x, n, like))
    return 0


@jit
def negative(out, x, _b, _c, n, _j, _k, _l, _factors, like):
    negative_kernel(at(out, n, like), at(x, n, like))
    return 0


@jit
def square(out, x, _b, _c, n, _j, _k, _l, _factors, like):
    square_kernel(at(out, n, like), at(x, n, like))
    return 0


@jit
def square_dx(out, g, x, _c, n, _j, _k, _l, _factors, like):
    square_dx_kernel(at(out, n, like), at(g, n, like), at(x, n, like))
    return 0


@jit
def sqrt(out, x, _b, _c, n, _j, _k, _l, _factors, like):
    sqrt_kernel(at(out, n, like), at(x, n, like))
    return 0


@jit
def exp(out, x, _b, _c, n, _j, _k, _l, _factors, like):
    exp_kernel(at(out, n, like), at(x, n, like))
    return 0


@jit
def tanh(out, x, _b, _c, n, _j, _k, _l, _factors, like):
    tanh_kernel(at(out, n, like), at(x, n, like))
    return 0


@jit
def relu(out, x, _b, _c, n, _j, _k, _l, _factors, like):
    relu_kernel(at(out, n, like), at(x, n, like))
    return 0


@jit
def relu_dx(out, g, y, _c, n, _j, _k, _l, _factors, like):
    relu_dx_kernel(at(out, n, like), at(g, n, like), at(y, n, like))
    return 0


@jit
def tanh_dx(out, g, x, _c, n, _j, _k, _l, _factors, like):
    tanh_dx_kernel(at(out, n, like), at(g, n, like), at(x, n, like))
    return 0


@jit
def sigmoid(out, x, _b, _c, n, _j, _k, _l, _factors, like):
    sigmoid_kernel(at(out, n, like), at(x, n, like))
    return 0


@jit
def sigmoid_dx(out, g, x, _c, n, _j, _k, _l, _factors, like):
    dx_kernel(at(out, n, like), at(g, n, like), at(x, n, like))
    return 0


@jit
def softplus(out, x, _b, _c, n, _j, _k, _l, _factors, like):
    softplus_kernel(at(out, n, like), at(x, n, like))
    return 0


# Sums.


@jit
def total(out, x, _b, _c, n, _j, _k, _l, factors, like):
    at(out, 1, like)[0] = sum_of(at(x, n, like), n) / factors[0]
    return 0


@jit
def sum_rows(out, x, _b, _c, rows, columns, _k, _l, factors, like):
    y = at(out, columns, like)
    sum_rows_kernel(y, at(x, rows * columns, like), rows, columns)
    if factors[0] != 1:
        scale_kernel(y, factors[0])
    return 0


@jit
def sum_columns(out, x, _b, _c, rows, columns, _k, _l, factors, like):
    sum_columns_kernel(at(out, rows, like), at(x, rows * columns, like), rows, columns, factors[0])
    return 0


def code(instruction: Kernel, dtype: np.dtype) -> int:
    """The address of an instruction's machine code for arrays of `dtype`; it takes the address of a row."""
    name = f"{instruction.py_func.__module__}.{instruction.__name__}-{dtype.name}"
    return machine_code(name, lambda: _on_a_row(instruction, dtype))


def _on_a_row(instruction: Kernel, dtype: np.dtype) -> Callable[[int], int]:
    run, view = instruction.part(), at.compiled()
    like, integer, real = np.zeros(1, dtype), np.zeros(1, np.int64), np.zeros(1)

    def entry(row: Any) -> Any:
        t = view(row, 10, integer)
        return run(t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], view(t[9], 8, real), like)

    return entry
