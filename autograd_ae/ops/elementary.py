"""Exponential, logarithmic, trigonometric and hyperbolic functions, element by element.

Every rule is dx = g · f′(x), taken from y where that is cheaper and loses no digits:

    eˣ: y    eˣ − 1: eˣ    ln x: 1/x    ln(1 + x): 1/(1 + x)    sin: cos x    cos: −sin x    tan: 1 + y²
    sinh: cosh x      cosh: sinh x      tanh: 1/cosh² x = 4e / (1 + e)²  with  e = exp(−2|x|)
    θ = arctan2(y, x):    dy = g x / (x² + y²),    dx = −g y / (x² + y²)

Where digits are lost. 1 − tanh² x, the usual form, has an absolute error of one rounding of 1 and is 0 from |x| = 19;
the form above is right to a few ulp down to 1e-308. eˣ − 1 and ln(1 + x) near 0 are what expm1 and log1p are for.
x² + y² overflows at 1e154, so arctan2's rules divide by the larger of |x|, |y| first; at the origin arctan2 has no
derivative: NaN. ln x and ln(1 + x) have an infinite gradient at their pole, without a warning; in the forward pass NaN,
inf and warnings are NumPy's own.

Analytic forms. NumPy's complex functions serve as references but for three. ln x for x < 0 is a complex number in
NumPy; here it is NaN, as in the forward pass. NumPy's complex log1p loses the real part near 0 (it gives 0 for 1e-20);
with x = Re z, ln(1 + z) = ln(1 + x) + ln(1 + (z − x)/(1 + x)) does not. And there is no complex arctan2: turning the
plane by θ₀, the angle of the real parts (x₀, y₀), is exact for analytic arguments in any quadrant,

    arctan2(y, x) = θ₀ + arctan( (y x₀ − x y₀) / (x x₀ + y y₀) ),

and the numerator, whose real part is 0, is formed from the imaginary parts alone.

Cost: one transcendental per element each way.
"""

from __future__ import annotations

import math

import numpy as np

from autograd_ae.core.jit import jit
from autograd_ae.core.op import Op, pullback
from autograd_ae.core.tensor import Tensor
from autograd_ae.core.ufuncs import binary, unary
from autograd_ae.ops.axes import TensorLike
from autograd_ae.ops.elementwise import at_poles, on_numbers, real_domain

# Exponentials and logarithms.


@pullback(r"\bar{x} = \bar{y} \odot y", in_place=True, ufuncs=(np.multiply, "y"))
def exp_dx(out, g, y, _x):
    np.multiply(g, y, out=out)


@pullback(r"\bar{x} = \bar{y} \odot e^x", in_place=True, ufuncs=(np.multiply, "x", np.exp))
@at_poles
def expm1_dx(out, g, _y, x):
    np.multiply(g, np.exp(x), out=out)


@pullback(r"\bar{x} = \bar{y} / x", in_place=True, ufuncs=(np.divide, "x"))
@at_poles
def log_dx(out, g, _y, x):
    np.divide(g, x, out=out)


@pullback(r"\bar{x} = \bar{y} / (1 + x)", in_place=True)
@at_poles
def log1p_dx(out, g, _y, x):
    np.divide(g, 1 + x, out=out)


def real_log(x):
    """ln x, NaN for x < 0."""
    return np.log(real_domain(x))


def real_log1p(x):
    """ln(1 + x), NaN for x < −1; the real part keeps its digits near 0 in complex arithmetic too."""
    if np.isrealobj(x):
        return np.log1p(x)
    x = np.where(x.real < -1, np.nan, x)
    return np.log1p(x.real) + np.log(1 + 1j * (x.imag / (1 + x.real)))


_exp = Op("exp", lambda x: np.exp(x), exp_dx, latex="y = e^x", forward=np.exp)
_expm1 = Op("expm1", lambda x: np.expm1(x), expm1_dx, latex="y = e^x - 1", forward=np.expm1)
_log = Op("log", real_log, log_dx, latex=r"y = \ln x", forward=np.log)
_log1p = Op("log1p", real_log1p, log1p_dx, latex=r"y = \ln(1 + x)", forward=np.log1p)


# Circular functions.


@pullback(r"\bar{x} = \bar{y} \odot \cos x", in_place=True, ufuncs=(np.multiply, "x", np.cos))
def sin_dx(out, g, _y, x):
    np.multiply(g, np.cos(x), out=out)


@pullback(r"\bar{x} = -\bar{y} \odot \sin x")
def cos_dx(out, g, _y, x):
    np.multiply(-g, np.sin(x), out=out)


@pullback(r"\bar{x} = \bar{y} \odot (1 + y^2)")
def tan_dx(out, g, y, _x):
    np.multiply(g, 1 + y * y, out=out)


def scale(y, x):
    return np.maximum(np.abs(y.real), np.abs(x.real))


def real_arctan2(y, x):
    """The angle of (x, y), analytic in both: see the module."""
    angle = np.arctan2(y.real, x.real)
    if np.isrealobj(y):
        return angle
    s = scale(y, x)
    y, x = y / s, x / s
    return angle + np.arctan(1j * (y.imag * x.real - x.imag * y.real) / (x * x.real + y * y.real))


@pullback(r"\bar{y} = \bar{\theta} \odot x / (x^2 + y^2)")
@at_poles
def arctan2_dy(out, g, _angle, y, x):
    s = scale(y, x)
    np.divide(g * (x / s), ((x / s) ** 2 + (y / s) ** 2) * s, out=out)


@pullback(r"\bar{x} = -\bar{\theta} \odot y / (x^2 + y^2)")
@at_poles
def arctan2_dx(out, g, _angle, y, x):
    s = scale(y, x)
    np.divide(-g * (y / s), ((x / s) ** 2 + (y / s) ** 2) * s, out=out)


_sin = Op("sin", lambda x: np.sin(x), sin_dx, latex=r"y = \sin x", forward=np.sin)
_cos = Op("cos", lambda x: np.cos(x), cos_dx, latex=r"y = \cos x", forward=np.cos)
_tan = Op("tan", lambda x: np.tan(x), tan_dx, latex=r"y = \tan x", forward=np.tan)
_arctan2 = Op(
    "arctan2", real_arctan2, arctan2_dy, arctan2_dx, latex=r"\theta = \operatorname{arctan2}(y, x)", forward=np.arctan2
)  # fmt: skip


# Hyperbolic functions.


@pullback(r"\bar{x} = \bar{y} \odot \cosh x", ufuncs=(np.multiply, "x", np.cosh))
@at_poles
def sinh_dx(out, g, _y, x):
    np.multiply(g, np.cosh(x), out=out)


@pullback(r"\bar{x} = \bar{y} \odot \sinh x", ufuncs=(np.multiply, "x", np.sinh))
@at_poles
def cosh_dx(out, g, _y, x):
    np.multiply(g, np.sinh(x), out=out)


@jit
def tanh_dx_kernel(out, g, x):
    one, two = x.dtype.type(1), x.dtype.type(2)
    for i in range(x.size):
        e = math.exp(-two * abs(x[i]))
        out[i] = g[i] * (two / (one + e)) * (two * e / (one + e))


def tanh_dx_compiled(out, g, _y, x):
    tanh_dx_kernel(out.reshape(-1), g.reshape(-1), x.reshape(-1))


@pullback(r"\bar{x} = \bar{y} / \cosh^2 x", kernel=tanh_dx_compiled)
def tanh_dx(out, g, _y, x):
    e = np.exp(np.where(x.real < 0, 2 * x, -2 * x))  # exp(−2|x|)
    np.multiply(g, 4 * e / (1 + e) / (1 + e), out=out)


_sinh = Op("sinh", lambda x: np.sinh(x), sinh_dx, latex=r"y = \sinh x", forward=np.sinh)
_cosh = Op("cosh", lambda x: np.cosh(x), cosh_dx, latex=r"y = \cosh x", forward=np.cosh)
_tanh = Op("tanh", lambda x: np.tanh(x), tanh_dx, latex=r"y = \tanh x", forward=np.tanh)


# What users call. Shapes: the result has the shape of x, or what y and x broadcast to.


@unary(_exp)
def exp(x: TensorLike) -> Tensor:
    """eˣ.

    >>> exp([0.0, 1.0]).data
    array([1.        , 2.71828183])
    """
    return on_numbers(_exp, x)


@unary(_expm1)
def expm1(x: TensorLike) -> Tensor:
    """eˣ − 1, with all digits near 0.

    >>> expm1([0.0, 1e-10]).data
    array([0.e+00, 1.e-10])
    """
    return on_numbers(_expm1, x)


@unary(_log)
def log(x: TensorLike) -> Tensor:
    """ln x; −inf at 0, NaN below.

    >>> log([1.0, 2.0]).data
    array([0.        , 0.69314718])
    """
    return on_numbers(_log, x)


@unary(_log1p)
def log1p(x: TensorLike) -> Tensor:
    """ln(1 + x), with all digits near 0; −inf at −1, NaN below.

    >>> log1p([0.0, 1e-10]).data
    array([0.e+00, 1.e-10])
    """
    return on_numbers(_log1p, x)


@unary(_sin)
def sin(x: TensorLike) -> Tensor:
    """sin x, x in radians.

    >>> sin([0.0, 1.0]).data
    array([0.        , 0.84147098])
    """
    return on_numbers(_sin, x)


@unary(_cos)
def cos(x: TensorLike) -> Tensor:
    """cos x, x in radians.

    >>> cos([0.0, 1.0]).data
    array([1.        , 0.54030231])
    """
    return on_numbers(_cos, x)


@unary(_tan)
def tan(x: TensorLike) -> Tensor:
    """tan x, x in radians.

    >>> tan([0.0, 1.0]).data
    array([0.        , 1.55740772])
    """
    return on_numbers(_tan, x)


@binary(_arctan2)
def arctan2(y: TensorLike, x: TensorLike) -> Tensor:
    """The angle of the point (x, y) in (−π, π], in radians; mind the order of the arguments. No gradient at the origin.

    >>> arctan2([1.0, 0.0], [0.0, -1.0]).data
    array([1.57079633, 3.14159265])
    """
    return on_numbers(_arctan2, y, x)


@unary(_sinh)
def sinh(x: TensorLike) -> Tensor:
    """sinh x = (eˣ − e⁻ˣ)/2.

    >>> sinh([0.0, 1.0]).data
    array([0.        , 1.17520119])
    """
    return on_numbers(_sinh, x)


@unary(_cosh)
def cosh(x: TensorLike) -> Tensor:
    """cosh x = (eˣ + e⁻ˣ)/2.

    >>> cosh([0.0, 1.0]).data
    array([1.        , 1.54308063])
    """
    return on_numbers(_cosh, x)


@unary(_tanh)
def tanh(x: TensorLike) -> Tensor:
    """tanh x = (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ); its gradient keeps its digits where the value is ±1.

    >>> tanh([0.0, 20.0]).data
    array([0., 1.])
    """
    return on_numbers(_tanh, x)
