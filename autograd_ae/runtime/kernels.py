"""The loops that lines of a program become: flat arrays of one dtype in, one array out.

These are the forms in which a compiled program runs what `ops/` defines by NumPy; kernels that an op has of its own
(`dense`, `sigmoid`, …) are used as they are. Sums of many terms are added up in float64, whatever the dtype, and in
several chains at once (the flag `reassoc`, which lets the compiler use vector registers): nearer to the exact sum than
NumPy's pairwise float32, and not the same bits. All else agrees with NumPy bit for bit but for exp, tanh and log
(see `ops/exponential.py`).

Binary loops see their operands as matrices with a stride for rows and one for columns, 0 where an operand is repeated:
one loop serves equal shapes, numbers, rows and columns.
"""

from __future__ import annotations

import math

from autograd_ae.core.jit import jit
from autograd_ae.core.native import gemm
from autograd_ae.ops.exponential import exp, log1p_of_unit, tanh

SUMS = frozenset({"reassoc", "nsz", "contract"})
SMALL = 4096  # below this many multiplications a plain loop beats the call of BLAS


# Products.


@jit
def product_kernel(out, a, b, m, n, k, a_transposed, b_transposed):
    """out (m, n) ← op(a) op(b)."""
    if m * n * k > SMALL:
        gemm(out, a, b, m, n, k, a_transposed, b_transposed)
        return
    a_row, a_column = (1, m) if a_transposed else (k, 1)
    b_row, b_column = (1, k) if b_transposed else (n, 1)
    for i in range(m):
        row = out[i * n : (i + 1) * n]
        for j in range(n):
            row[j] = 0
        for p in range(k):
            scale = a[i * a_row + p * a_column]
            for j in range(n):
                row[j] += scale * b[p * b_row + j * b_column]


# Elementwise, two operands.


@jit
def add_kernel(out, a, b, rows, columns, a_row, a_column, b_row, b_column):
    for i in range(rows):
        for j in range(columns):
            out[i * columns + j] = a[i * a_row + j * a_column] + b[i * b_row + j * b_column]


@jit
def subtract_kernel(out, a, b, rows, columns, a_row, a_column, b_row, b_column):
    for i in range(rows):
        for j in range(columns):
            out[i * columns + j] = a[i * a_row + j * a_column] - b[i * b_row + j * b_column]


@jit
def multiply_kernel(out, a, b, rows, columns, a_row, a_column, b_row, b_column):
    for i in range(rows):
        for j in range(columns):
            out[i * columns + j] = a[i * a_row + j * a_column] * b[i * b_row + j * b_column]


@jit
def divide_kernel(out, a, b, rows, columns, a_row, a_column, b_row, b_column):
    for i in range(rows):
        for j in range(columns):
            out[i * columns + j] = a[i * a_row + j * a_column] / b[i * b_row + j * b_column]


@jit
def accumulate_kernel(out, a):
    for i in range(out.size):
        out[i] += a[i]


@jit
def bias_kernel(a, b):
    """a ← a + b on a (B, m) matrix."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] += b[j]


@jit
def spread_kernel(out, a, rows, columns, a_row, a_column, divisor):
    """out ← a / divisor, repeated along rows or columns where the stride is 0."""
    divisor = out.dtype.type(divisor)
    for i in range(rows):
        for j in range(columns):
            out[i * columns + j] = a[i * a_row + j * a_column] / divisor


# Elementwise, one operand; and their pullbacks, from what they need of g, x and y.


@jit
def copy_kernel(out, x):
    for i in range(out.size):
        out[i] = x[i]


@jit
def negative_kernel(out, x):
    for i in range(out.size):
        out[i] = -x[i]


@jit
def square_kernel(out, x):
    for i in range(out.size):
        out[i] = x[i] * x[i]


@jit
def square_dx_kernel(out, g, x):
    two = out.dtype.type(2)
    for i in range(out.size):
        out[i] = g[i] * (two * x[i])


@jit
def sqrt_kernel(out, x):
    for i in range(out.size):
        out[i] = math.sqrt(x[i])


@jit
def exp_kernel(out, x):
    for i in range(out.size):
        out[i] = exp(x[i])


@jit
def tanh_kernel(out, x):
    for i in range(out.size):
        out[i] = tanh(x[i])


@jit
def relu_kernel(out, x):
    zero = out.dtype.type(0)
    for i in range(out.size):
        out[i] = zero if x[i] <= zero else x[i]


@jit
def relu_dx_kernel(out, g, y):
    zero = out.dtype.type(0)
    for i in range(out.size):
        out[i] = zero if y[i] <= zero else g[i]


@jit
def softplus_kernel(out, x):
    zero = out.dtype.type(0)
    for i in range(out.size):
        out[i] = (x[i] if x[i] > zero else zero) + log1p_of_unit(exp(-abs(x[i])))


# Sums.


@jit(flags=SUMS)
def sum_of(x, n):
    """Σ x, in float64."""
    s = 0.0
    for i in range(n):
        s += x[i]
    return s


@jit
def sum_rows_kernel(out, x, rows, columns):
    """out (columns,) ← sum over the rows, one row after another, as NumPy does it."""
    for j in range(columns):
        out[j] = x[j]
    for i in range(1, rows):
        for j in range(columns):
            out[j] += x[i * columns + j]


@jit
def sum_columns_kernel(out, x, rows, columns, divisor):
    """out (rows,) ← sum over the columns, divided."""
    for i in range(rows):
        out[i] = sum_of(x[i * columns : (i + 1) * columns], columns) / divisor


@jit
def scale_kernel(out, divisor):
    divisor = out.dtype.type(divisor)
    for i in range(out.size):
        out[i] = out[i] / divisor


@jit(flags=SUMS)
def sum_of_squares(x, n):
    """Σ x², in float64."""
    s = 0.0
    for i in range(n):
        s += float(x[i]) * float(x[i])
    return s


# Losses and penalties; `batch` is B.


@jit(flags=SUMS)
def squared_distance(a, b, n):
    """Σ (a − b)²: differences in the arrays' dtype, the sum in float64."""
    s = 0.0
    for i in range(n):
        d = a[i] - b[i]
        s += d * d
    return s


@jit
def squared_error_dx_kernel(out, g, a, b, batch):
    """out ← (2g/B)(a − b); g holds one number."""
    factor = out.dtype.type(2) * g[0] / out.dtype.type(batch)
    for i in range(out.size):
        out[i] = factor * (a[i] - b[i])


@jit(flags=SUMS)
def sum_of_sizes(x, n):
    s = 0.0
    for i in range(n):
        s += abs(x[i])
    return s


@jit
def l1_dz_kernel(out, g, z, batch):
    zero = out.dtype.type(0)
    factor = g[0] / out.dtype.type(batch)
    for i in range(out.size):
        out[i] = factor if z[i] > zero else (-factor if z[i] < zero else z[i] * zero)


@jit(flags=SUMS)
def sum_of_bce(a, t, n):
    """Σ softplus(a) − t a, as Σ ln(1 + e^−|a|) + |a| (1 − t or t); NaN where a target is outside [0, 1]."""
    one, zero = a.dtype.type(1), a.dtype.type(0)
    s, outside = 0.0, 0
    for i in range(n):
        size = abs(a[i])
        s += log1p_of_unit(exp(-size)) + size * (one - t[i] if a[i] >= zero else t[i])
        outside += 1 if t[i] < zero or t[i] > one else 0
    return s, outside


@jit
def bce_da_kernel(out, g, a, t, batch):
    """out ← g (σ(a) − t)/B, as (1 − t) σ(a) − t σ(−a)."""
    one, zero = out.dtype.type(1), out.dtype.type(0)
    factor = g[0] / out.dtype.type(batch)
    for i in range(out.size):
        e = exp(-abs(a[i]))
        more, less = one / (one + e), e / (one + e)
        p, q = (more, less) if a[i] >= zero else (less, more)
        out[i] = factor * ((one - t[i]) * p - t[i] * q)


@jit(flags=SUMS)
def sum_of_kl(mean, log_variance, n):
    """½ Σ m² + (eˢ − 1 − s); the bracket by its series where it cancels."""
    s = 0.0
    for i in range(n):
        x = float(log_variance[i])
        far = exp(x) - 1.0 - x
        near = x * x * (0.5 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120 + x * (1 / 720 + x * (1 / 5040 + x / 40320))))))
        s += float(mean[i]) * float(mean[i]) + (near if abs(x) < 0.03 else far)
    return 0.5 * s


@jit
def gaussian_kl_dmean_kernel(out, g, mean, batch):
    factor = g[0] / out.dtype.type(batch)
    for i in range(out.size):
        out[i] = factor * mean[i]


@jit
def gaussian_kl_dlog_variance_kernel(out, g, log_variance, batch):
    factor = out.dtype.type(0.5) * g[0] / out.dtype.type(batch)
    one = out.dtype.type(1)
    for i in range(out.size):
        x = log_variance[i]
        t = tanh(x * out.dtype.type(0.5))
        near = out.dtype.type(2) * t / (one - t)
        out[i] = factor * (near if x < one else exp(x) - one)


@jit
def sample_kernel(out, mean, log_variance, noise):
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = mean[i] + exp(half * log_variance[i]) * noise[i]


@jit
def sample_dlog_variance_kernel(out, g, log_variance, noise):
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = half * g[i] * noise[i] * exp(half * log_variance[i])


# Data.


@jit
def gather_kernel(out, x, rows, columns, divisor):
    """out ← the numbered rows of x, divided."""
    of = out.dtype.type
    for i in range(rows.size):
        source, place = rows[i] * columns, i * columns
        if divisor == 1:
            for j in range(columns):
                out[place + j] = of(x[source + j])
        else:
            for j in range(columns):
                out[place + j] = of(x[source + j]) / of(divisor)
