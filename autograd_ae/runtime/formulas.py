"""What happens to one entry: a formula of numbers for every elementwise op and its pullbacks. (Networks' own:
`formulas_networks.py`.)

g is ∂L/∂y; the other letters are those of the op's own file, where derivation and numerical caveats are. The bits are
NumPy's wherever only + − × ÷ √ and comparisons are at work. eˣ, tanh x, sin x and cos x, and what is built on them, are
polynomials (`ops/exponential.py`, `ops/circular.py`), each within 3 ulp. The functions of the C library stand at the
end: called for one entry after another they are no faster than NumPy's loops, so long lines are left to these
(`BY_LIBRARY`).
"""

from __future__ import annotations

import math

from autograd_ae.core.jit import jit
from autograd_ae.ops import circular, exponential

poly_exp, poly_tanh = exponential.exp, exponential.tanh
poly_sin, poly_cos, REACH = circular.sin, circular.cos, circular.REACH

# Arithmetic.


@jit
def copy(x):
    return x


@jit
def add(a, b):
    return a + b


@jit
def subtract(a, b):
    return a - b


@jit
def multiply(a, b):
    return a * b


@jit
def divide(a, b):
    return a / b


@jit
def divide_db(g, y, b):
    return -((y / b) * g)


@jit
def negative(x):
    return -x


@jit
def square(x):
    return x * x


@jit
def square_dx(g, x):
    return (type(x)(2) * g) * x


@jit
def sqrt(x):
    return math.sqrt(x)


@jit
def sqrt_dx(g, y):
    return type(y)(0.5) * g / y


@jit
def reciprocal(x):
    return type(x)(1) / x


@jit
def reciprocal_dx(g, y):
    return (-g * y) * y


@jit
def norm_dx(g, y, x):
    return (x / y if y != 0 else type(x)(0)) * g


# Choices.


@jit
def absolute(x):
    return abs(x)


@jit
def sign(x):
    zero, one = type(x)(0), type(x)(1)
    return one if x > zero else (-one if x < zero else (zero if x == zero else x))


@jit
def times_sign(g, x):
    return g * sign(x)


@jit
def maximum(a, b):
    return a if a >= b or a != a else b


@jit
def minimum(a, b):
    return a if a <= b or a != a else b


@jit
def share_of_larger(g, a, b):
    """What max(a, b) hands on to a."""
    return type(g)(0) if a < b else (type(g)(0.5) * g if a == b else g)


@jit
def clip(x, low, high):
    return minimum(maximum(x, low), high)


@jit
def unless_below(g, x, low):
    return type(g)(0) if x < low else g


@jit
def unless_above(g, x, high):
    return type(g)(0) if x > high else g


@jit
def where(c, a, b):
    return a if c else b


@jit
def where_da(c, g):
    return g if c else type(g)(0)


@jit
def where_db(c, g):
    return type(g)(0) if c else g


@jit
def greater(a, b):
    return a > b


@jit
def greater_equal(a, b):
    return a >= b


@jit
def less(a, b):
    return a < b


@jit
def less_equal(a, b):
    return a <= b


@jit
def equal(a, b):
    return a == b


@jit
def not_equal(a, b):
    return a != b


# Built on eˣ and tanh x.


@jit
def exp(x):
    return poly_exp(x)


@jit
def tanh(x):
    return poly_tanh(x)


@jit
def expm1(x):
    """eˣ − 1, as 2t/(1 − t) with t = tanh(x/2) where eˣ − 1 would cancel."""
    one = type(x)(1)
    t = poly_tanh(x * type(x)(0.5))
    return type(x)(2) * t / (one - t) if x < one else poly_exp(x) - one


@jit
def times_exp(g, x):
    return g * poly_exp(x)


# The circle (`ops/circular.py`).


@jit
def beyond_reach(x):
    return not abs(x) <= REACH


@jit
def sin(x):
    return poly_sin(x)


@jit
def sin_dx(g, x):
    return g * poly_cos(x)


@jit
def cos(x):
    return poly_cos(x)


@jit
def cos_dx(g, x):
    return -g * poly_sin(x)


# By the C library. `BY_LIBRARY`: whose lines NumPy computes as fast where they are long.


@jit
def power(a, b):
    return a**b


@jit
def power_da(g, a, b):
    return type(g)(0) if b == 0 else g * b * a ** (b - type(b)(1))


@jit
def log(x):
    return math.log(x)


@jit
def log1p(x):
    return math.log1p(x)


@jit
def log1p_dx(g, x):
    return g / (type(x)(1) + x)


@jit
def tan(x):
    return math.tan(x)


@jit
def tan_dx(g, y):
    return g * (type(y)(1) + y * y)


@jit
def arctan2(y, x):
    return math.atan2(y, x)


@jit
def arctan2_dy(g, y, x):
    s = maximum(abs(y), abs(x))
    return g * (x / s) / (((x / s) * (x / s) + (y / s) * (y / s)) * s)


@jit
def arctan2_dx(g, y, x):
    s = maximum(abs(y), abs(x))
    return -g * (y / s) / (((x / s) * (x / s) + (y / s) * (y / s)) * s)


@jit
def sinh(x):
    return math.sinh(x)


@jit
def sinh_dx(g, x):
    return g * math.cosh(x)


@jit
def cosh(x):
    return math.cosh(x)


@jit
def cosh_dx(g, x):
    return g * math.sinh(x)


BY_LIBRARY = frozenset({power, power_da, log, log1p, tan, arctan2, sinh, sinh_dx, cosh, cosh_dx})
