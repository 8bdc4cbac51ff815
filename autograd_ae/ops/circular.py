"""sin x and cos x for kernels: polynomials that the compiler can turn into vector instructions.

With n = rint(x / (π/2)) and r = x − n π/2, |r| ≤ π/4, the four quarters of the circle are

    n mod 4      0        1        2        3
    sin x      sin r    cos r   −sin r   −cos r         cos x = sin(x + π/2): the same with n + 1

and sin r, cos r ≈ the polynomials of the Cephes library (Moshier), of degree 7 and 8 in float32, 13 and 14 in float64.

All digits of r hang on π/2: near a zero of sin, r is what is left when two numbers of the size of x cancel. π/2 is
taken in three parts, two of 33 bits, so that n times them is exact for n < 2²⁰ (Cody & Waite 1980; the parts are those
of Sun's fdlibm); float32 is reduced in float64. That serves for |x| ≤ `REACH` = 100,000. Beyond that, and for inf and
NaN, a program hands the line over to NumPy.

Accuracy: 2 ulp in both dtypes, also next to the zeros.
"""

from __future__ import annotations

import math

import numpy as np

from autograd_ae.core.jit import jit
from autograd_ae.ops.exponential import CONTRACT, by_dtype

REACH = 1e5
PER_QUARTER = 2 / math.pi
PART_1, PART_2, PART_3 = 1.57079632673412561417, 6.07710050630396597660e-11, 2.02226624879595063154e-21  # of π/2
_ROUND = 6755399441055744.0  # 1.5 · 2⁵²: to add it is to round to an integer


@jit(flags=CONTRACT)
def quarters(x):
    """n as a float64."""
    return (x * PER_QUARTER + _ROUND) - _ROUND


@jit(flags=CONTRACT)
def left_over(x, n):
    return ((x - n * PART_1) - n * PART_2) - n * PART_3


@jit(flags=CONTRACT)
def turned_double(n, r):
    """sin of n quarters and r."""
    z = r * r
    s = 1.58962301576546568060e-10
    s = s * z - 2.50507477628578072866e-8
    s = s * z + 2.75573136213857245213e-6
    s = s * z - 1.98412698295895385996e-4
    s = s * z + 8.33333333332211858878e-3
    s = s * z - 1.66666666666666307295e-1
    s = r * z * s + r
    c = -1.13585365213876817300e-11
    c = c * z + 2.08757008419747316778e-9
    c = c * z - 2.75573141792967388112e-7
    c = c * z + 2.48015872888517045348e-5
    c = c * z - 1.38888888888730564116e-3
    c = c * z + 4.16666666666665929218e-2
    c = z * z * c + (1.0 - 0.5 * z)
    q = np.int32(n)
    y = c if q & 1 else s
    return -y if q & 2 else y


@jit(flags=CONTRACT)
def turned_single(n, r):
    z = r * r
    s = np.float32(-1.9515295891e-4)
    s = s * z + np.float32(8.3321608736e-3)
    s = s * z - np.float32(1.6666654611e-1)
    s = r * z * s + r
    c = np.float32(2.443315711809948e-5)
    c = c * z - np.float32(1.388731625493765e-3)
    c = c * z + np.float32(4.166664568298827e-2)
    c = z * z * c + (np.float32(1.0) - np.float32(0.5) * z)
    q = np.int32(n)
    y = c if q & 1 else s
    return -y if q & 2 else y


@jit(flags=CONTRACT)
def sin_double(x):
    n = quarters(x)
    return x if x == 0.0 else turned_double(n, left_over(x, n))  # −0 stays −0


@jit(flags=CONTRACT)
def cos_double(x):
    n = quarters(x)
    return turned_double(n + 1.0, left_over(x, n))


@jit(flags=CONTRACT)
def sin_single(x):
    n = quarters(float(x))
    return x if x == np.float32(0.0) else turned_single(n, np.float32(left_over(float(x), n)))


@jit(flags=CONTRACT)
def cos_single(x):
    n = quarters(float(x))
    return turned_single(n + 1.0, np.float32(left_over(float(x), n)))


sin = by_dtype(sin_single, sin_double, math.sin)
cos = by_dtype(cos_single, cos_double, math.cos)
