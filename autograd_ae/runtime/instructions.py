"""What a row of a table can ask for. An instruction is one function of eight integers, some factors, and a dtype:

    instruction(out, a, b, c, i, j, k, l, factors, like) → 0, or 1 where it refuses its operands

`out`, `a`, `b`, `c` are addresses of arrays (flat, C order, like's dtype), `i` … `l` sizes and the like, `factors` up
to eight float64 numbers. Each names its arguments as it uses them; what it does not use begins with an underscore.
Here are products, sums and rearrangements; all that goes entry by entry is made from formulas (`templates.py`), and
training has its own (`instructions_training.py`).

Sums of many terms are added up in float64, whatever the dtype, and in several chains at once (the flag `reassoc`, which
lets the compiler use vector registers): nearer to the exact sum than NumPy's pairwise float32, and not the same bits.

`code(instruction, dtype)` is the address of its machine code, which takes the address of a row. So a program compiles
and loads only what it uses, and a new instruction is one more function here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_ae.core.jit import Kernel, jit
from autograd_ae.core.native import at, gemm
from autograd_ae.core.object_code import machine_code
from autograd_ae.runtime.formulas import poly_exp
from autograd_ae.runtime.templates import SUMS

COLUMNS = 10  # of a row: code, out, a, b, c, i, j, k, l, address of the factors
FACTORS = 8
SMALL = 4096  # below this many multiplications a plain loop beats the call of BLAS


# Products.


@jit
def product(out, a, b, _c, m, n, k, transposed, _factors, like):
    """out (m, n) ← a b; bit 0 of `transposed` for aᵀ, bit 1 for bᵀ."""
    x, y, z = at(a, m * k, like), at(b, k * n, like), at(out, m * n, like)
    of_a, of_b = transposed & 1 != 0, transposed & 2 != 0
    if m * n * k > SMALL:
        gemm(z, x, y, m, n, k, of_a, of_b)
        return 0
    x_row, x_column = (1, m) if of_a else (k, 1)
    y_row, y_column = (1, k) if of_b else (n, 1)
    for i in range(m):
        row = z[i * n : (i + 1) * n]
        for j in range(n):
            row[j] = 0
        for p in range(k):
            scale = x[i * x_row + p * x_column]
            for j in range(n):
                row[j] += scale * y[p * y_row + j * y_column]
    return 0


@jit
def bias_kernel(a, b):
    """a ← a + b on a (B, m) matrix."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] += b[j]


# Sums.


@jit
def accumulate(out, a, _b, _c, n, _j, _k, _l, _factors, like):
    y, x = at(out, n, like), at(a, n, like)
    for i in range(n):
        y[i] += x[i]
    return 0


@jit
def sum_rows(out, x, _b, _c, rows, columns, _k, _l, factors, like):
    """out (columns,) ← sum over the rows, one row after another, as NumPy does it; divided."""
    y, u, divisor = at(out, columns, like), at(x, rows * columns, like), like.dtype.type(factors[0])
    for j in range(columns):
        y[j] = u[j]
    for i in range(1, rows):
        for j in range(columns):
            y[j] += u[i * columns + j]
    if divisor != 1:
        for j in range(columns):
            y[j] /= divisor
    return 0


@jit(flags=SUMS)
def sum_of(x, n):
    """Σ x, in float64."""
    s = 0.0
    for i in range(n):
        s += x[i]
    return s


@jit
def sum_columns(out, x, _b, _c, rows, columns, _k, _l, factors, like):
    """out (rows,) ← sum over the columns, divided."""
    y, u = at(out, rows, like), at(x, rows * columns, like)
    for i in range(rows):
        y[i] = sum_of(u[i * columns : (i + 1) * columns], columns) / factors[0]
    return 0


@jit
def norm(out, x, _b, _c, rows, columns, _k, _l, _factors, like):
    """out (rows,) ← √Σ x² of each row, of x divided by a power of two, so that no square overflows or vanishes."""
    y, u = at(out, rows, like), at(x, rows * columns, like)
    for i in range(rows):
        row, largest, s = u[i * columns : (i + 1) * columns], 0.0, 0.0
        for j in range(columns):
            largest = max(largest, abs(row[j]))
        scale = math.ldexp(1.0, math.frexp(largest)[1] - 1) if 0 < largest < math.inf else 1.0
        for j in range(columns):
            s += (row[j] / scale) * (row[j] / scale)
        y[i] = math.sqrt(s) * scale
    return 0


# softmax along the rows.


@jit
def softmax(out, x, _b, _c, rows, columns, _k, _l, _factors, like):
    for i in range(rows):
        y, u = at(out + i * columns * like.itemsize, columns, like), at(x + i * columns * like.itemsize, columns, like)
        largest = u[0]
        for j in range(1, columns):
            largest = u[j] if u[j] > largest else largest
        for j in range(columns):
            y[j] = poly_exp(u[j] - largest)
        s = like.dtype.type(sum_of(y, columns))
        for j in range(columns):
            y[j] /= s
    return 0


@jit
def softmax_dx(out, g, s, _c, rows, columns, _k, _l, _factors, like):
    """dx = s ⊙ (g − Σ g s)."""
    for i in range(rows):
        start = i * columns * like.itemsize
        y, u, v = at(out + start, columns, like), at(g + start, columns, like), at(s + start, columns, like)
        for j in range(columns):
            y[j] = u[j] * v[j]
        mean = like.dtype.type(sum_of(y, columns))
        for j in range(columns):
            y[j] = v[j] * (u[j] - mean)
    return 0


# Rearrangements.


@jit
def transpose(out, x, _b, _c, stack, rows, columns, _l, _factors, like):
    """out (stack, columns, rows) ← x (stack, rows, columns)."""
    size = rows * columns
    for k in range(stack):
        y, u = at(out + k * size * like.itemsize, size, like), at(x + k * size * like.itemsize, size, like)
        for i in range(rows):
            for j in range(columns):
                y[j * rows + i] = u[i * columns + j]
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
