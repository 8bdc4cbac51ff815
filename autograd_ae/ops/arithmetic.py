"""Arithmetic with broadcasting: the four operations, powers and roots. (Choices between values: `choices.py`.)

Each line of calculus below is the product, quotient or power rule read as a pullback: for y = f(a, b), da = g · ∂f/∂a
and db = g · ∂f/∂b, element by element. Where a or b was broadcast, the engine sums afterwards; the rules do not know.

Powers. ∂aᵇ/∂a = b aᵇ⁻¹ holds for negative a too, where b must be an integer: then aᵇ = (−1)ᵇ |a|ᵇ, and that is how
the reference works, since exp(b ln a) would leave the real line. ∂aᵇ/∂b = aᵇ ln a needs a > 0: for a < 0 there is no
neighbouring real power, and the gradient to b is NaN; at a = 0 it is 0 for b ≥ 0 and −∞ for b < 0. ∂a⁰/∂a = 0
everywhere. All as in PyTorch.

Poles. 1/x, √x and powers below 1 have infinite gradients at 0 and say so with inf, without a warning (NaN where that
inf meets an upstream gradient of 0). In the forward pass NaN, inf and warnings are NumPy's own.

Second derivatives: off the real domain (x < 0 in √x, a non-integral power of a < 0) the references give NaN, not the
complex number of the textbook, so a complex step sees the same function as the forward pass.

Accuracy: one rounding per elementary step, nothing cancels. Cost: one or two passes over memory each way.
"""

from __future__ import annotations

import numpy as np

from autograd_ae.core.op import Op, pullback
from autograd_ae.core.tensor import Tensor
from autograd_ae.core.ufuncs import binary, unary
from autograd_ae.ops.axes import TensorLike
from autograd_ae.ops.choices import (  # noqa: F401  the other half of the family
    abs,
    clip,
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    maximum,
    minimum,
    not_equal,
    sign,
    where,
)
from autograd_ae.ops.elementwise import at_poles, on_numbers, real_domain


@pullback(r"\bar{a} = \bar{y}", passes=True)
def add_da(out, g, _y, _a, _b):
    out[...] = g


@pullback(r"\bar{b} = \bar{y}", passes=True)
def add_db(out, g, _y, _a, _b):
    out[...] = g


@pullback(r"\bar{b} = -\bar{y}", in_place=True, ufuncs=(np.negative,))
def subtract_db(out, g, _y, _a, _b):
    np.negative(g, out=out)


@pullback(r"\bar{a} = \bar{y} \odot b", in_place=True, ufuncs=(np.multiply, "b"))
def multiply_da(out, g, _y, _a, b):
    np.multiply(g, b, out=out)


@pullback(r"\bar{b} = \bar{y} \odot a", in_place=True, ufuncs=(np.multiply, "a"))
def multiply_db(out, g, _y, a, _b):
    np.multiply(g, a, out=out)


@pullback(r"\bar{a} = \bar{y} / b", in_place=True, ufuncs=(np.divide, "b"))
@at_poles
def divide_da(out, g, _y, _a, b):
    np.divide(g, b, out=out)


@pullback(r"\bar{b} = -\bar{y} \odot y / b")
@at_poles
def divide_db(out, g, y, _a, b):
    np.divide(y, b, out=out)  # a / b², which b² could overflow
    np.multiply(out, g, out=out)
    np.negative(out, out=out)


_add = Op("add", lambda a, b: a + b, add_da, add_db, latex="y = a + b", forward=np.add)
_subtract = Op("subtract", lambda a, b: a - b, add_da, subtract_db, latex="y = a - b", forward=np.subtract)
_multiply = Op("multiply", lambda a, b: a * b, multiply_da, multiply_db, latex=r"y = a \odot b", forward=np.multiply)
_divide = Op("divide", lambda a, b: a / b, divide_da, divide_db, latex=r"y = a / b", forward=np.divide)


# Powers and roots.


def real_power(a, b):
    """aᵇ on real numbers, analytic: for a < 0 it is (−1)ᵇ |a|ᵇ with integral b, otherwise NaN."""
    if np.isrealobj(a):
        return np.power(a, b)
    minus_one_to_b = np.where(b == np.rint(b.real), 1 - 2 * (np.rint(b.real) % 2), np.nan)
    return np.where(a.real < 0, minus_one_to_b, 1) * np.power(np.where(a.real < 0, -a, a), b)


@pullback(r"\bar{a} = \bar{y} \odot b \odot a^{b - 1}")
@at_poles
def power_da(out, g, _y, a, b):
    out[...] = np.where(b == 0, 0, g * b * real_power(a, b - 1))


@pullback(r"\bar{b} = \bar{y} \odot y \odot \ln a")
@at_poles
def power_db(out, g, y, a, b):
    out[...] = np.where((a == 0) & (b.real >= 0), 0, g * y * np.log(real_domain(a)))


@pullback(r"\bar{x} = -\bar{y}", in_place=True, ufuncs=(np.negative,))
def negative_dx(out, g, _y, _x):
    np.negative(g, out=out)


@pullback(r"\bar{x} = 2\, \bar{y} \odot x")
def square_dx(out, g, _y, x):
    np.multiply(2 * g, x, out=out)


@pullback(r"\bar{x} = \bar{y} / (2 y)")
@at_poles
def sqrt_dx(out, g, y, _x):
    np.divide(0.5 * g, y, out=out)


@pullback(r"\bar{x} = -\bar{y} \odot y^2")
@at_poles
def reciprocal_dx(out, g, y, _x):
    np.multiply(-g * y, y, out=out)


_power = Op("power", real_power, power_da, power_db, latex="y = a^b", forward=np.power)
_negative = Op("negative", lambda x: -x, negative_dx, latex="y = -x", forward=np.negative)
_square = Op("square", lambda x: x * x, square_dx, latex="y = x^2", forward=np.square)
_sqrt = Op("sqrt", lambda x: np.sqrt(real_domain(x)), sqrt_dx, latex=r"y = \sqrt{x}", forward=np.sqrt)
_reciprocal = Op("reciprocal", lambda x: 1 / x, reciprocal_dx, latex="y = 1 / x", forward=np.reciprocal)


# What users call. Shapes: whatever broadcasts to the result's shape.


@binary(_add)
def add(a: TensorLike, b: TensorLike) -> Tensor:
    """a + b.

    >>> add([1.0, 2.0], 3.0).data
    array([4., 5.])
    """
    return on_numbers(_add, a, b)


@binary(_subtract)
def subtract(a: TensorLike, b: TensorLike) -> Tensor:
    """a − b.

    >>> subtract([[1.0], [2.0]], [1.0, 2.0]).data
    array([[ 0., -1.],
           [ 1.,  0.]])
    """
    return on_numbers(_subtract, a, b)


@binary(_multiply)
def multiply(a: TensorLike, b: TensorLike) -> Tensor:
    """a · b, element by element.

    >>> multiply([1.0, 2.0], [3.0, 4.0]).data
    array([3., 8.])
    """
    return on_numbers(_multiply, a, b)


@binary(_divide)
def divide(a: TensorLike, b: TensorLike) -> Tensor:
    """a / b.

    >>> divide([1.0, 3.0], 2.0).data
    array([0.5, 1.5])
    """
    return on_numbers(_divide, a, b)


def power(a: TensorLike, b: TensorLike) -> Tensor:
    """aᵇ; a negative a needs an integral b (else NaN). `power(a, 2)` is recorded as `square(a)`.

    >>> power([-2.0, 4.0], 3).data
    array([-8., 64.])
    """
    if type(b) in (int, float) and b == 2:
        return square(a)
    return on_numbers(_power, a, b)


@unary(_negative)
def negative(x: TensorLike) -> Tensor:
    """−x.

    >>> negative([1.0, -2.0]).data
    array([-1.,  2.])
    """
    return on_numbers(_negative, x)


@unary(_square)
def square(x: TensorLike) -> Tensor:
    """x².

    >>> square([3.0, -4.0]).data
    array([ 9., 16.])
    """
    return on_numbers(_square, x)


@unary(_sqrt)
def sqrt(x: TensorLike) -> Tensor:
    """√x; NaN for x < 0, infinite gradient at 0.

    >>> sqrt([4.0, 9.0]).data
    array([2., 3.])
    """
    return on_numbers(_sqrt, x)


@unary(_reciprocal)
def reciprocal(x: TensorLike) -> Tensor:
    """1 / x.

    >>> reciprocal([2.0, 4.0]).data
    array([0.5 , 0.25])
    """
    return on_numbers(_reciprocal, x)
