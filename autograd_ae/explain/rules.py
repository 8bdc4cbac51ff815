"""The calculus as formulas: for every op its value and the rule of each input, as expressions.

`RULES[name]` has `value(*inputs, **params)` and `gradients[k](g, y, *inputs, **params)`, both giving an `Expr`. They
state what the op's own file states in code, independently of it; `tests/explain` evaluates every one of them against
that code. Conventions at kinks and ties are those of the ops.

`delta` is the rule from y to an inner value, as in `core.op.Op`: the others then start from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograd_ae.explain.expression import (
    Expr,
    cases,
    fn,
    mat,
    num,
    outer,
    relation,
    reshape,
    sum_to,
    tr,
)

Formula = Callable[..., Expr]


@dataclass(frozen=True)
class Rule:
    """An op's formulas. A variadic op has one gradient, which is told by `wrt` which input it is for."""

    value: Formula
    gradients: tuple[Formula | None, ...]
    delta: Formula | None = None
    variadic: bool = False

    def gradient(self, k: int) -> Formula | None:
        return self.gradients[0] if self.variadic else self.gradients[k]


def rule(value: Formula, *gradients: Formula | None, **more: Any) -> Rule:
    return Rule(value, gradients, **more)


def sigma(x: Any) -> Expr:
    return fn("sigma", x)


def exp(x: Any) -> Expr:
    return fn("exp", x)


def ln(x: Any) -> Expr:
    return fn("ln", x)


def sqrt(x: Any) -> Expr:
    return fn("sqrt", x)


def sign(x: Any) -> Expr:
    return fn("sign", x)


half = num(0.5)

# Element by element. g · ∂f/∂x.


def _choice(larger: str) -> tuple[Formula, Formula]:
    """The rules of maximum (">") and minimum ("<"): half to each at a tie."""
    return (
        lambda g, y, a, b: g * (relation(larger, a, b) + half * relation("=", a, b)),
        lambda g, y, a, b: g * (relation(larger, b, a) + half * relation("=", a, b)),
    )


def _clipped(x: Expr, a_min: float, a_max: float) -> Expr:
    low = x if a_min == -math.inf else fn("max", x, a_min)
    return low if a_max == math.inf else fn("min", low, a_max)


def _between(g: Expr, y: Expr, x: Expr, *, a_min: float, a_max: float) -> Expr:
    above = [] if a_min == -math.inf else [relation(r"\ge", x, a_min)]
    below = [] if a_max == math.inf else [relation(r"\le", x, a_max)]
    for inside in above + below:
        g = g * inside
    return g


def _compared(sign_: str) -> Rule:
    return rule(lambda a, b: relation(sign_, a, b), None, None)


TWO_OVER_ROOT_PI = num(2 / math.sqrt(math.pi), r"\tfrac{2}{\sqrt{\pi}}")

ELEMENTWISE: dict[str, Rule] = {
    "add": rule(lambda a, b: a + b, lambda g, y, a, b: g, lambda g, y, a, b: g),
    "subtract": rule(lambda a, b: a - b, lambda g, y, a, b: g, lambda g, y, a, b: -g),
    "multiply": rule(lambda a, b: a * b, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    "divide": rule(lambda a, b: a / b, lambda g, y, a, b: g / b, lambda g, y, a, b: -(g * (y / b))),
    "power": rule(
        lambda a, b: a**b,
        lambda g, y, a, b: g * b * a ** (b - 1),
        lambda g, y, a, b: g * y * ln(a),
    ),
    "negative": rule(lambda x: -x, lambda g, y, x: -g),
    "square": rule(lambda x: x**2, lambda g, y, x: 2 * g * x),
    "sqrt": rule(lambda x: sqrt(x), lambda g, y, x: g / (2 * y)),
    "reciprocal": rule(lambda x: 1 / x, lambda g, y, x: -(g * y**2)),
    "abs": rule(lambda x: fn("abs", x), lambda g, y, x: g * sign(x)),
    "sign": rule(lambda x: sign(x), None),
    "maximum": rule(lambda a, b: fn("max", a, b), *_choice(">")),
    "minimum": rule(lambda a, b: fn("min", a, b), *_choice("<")),
    "clip": rule(lambda x, *, a_min, a_max: _clipped(x, a_min, a_max), _between),
    "where": rule(
        lambda c, a, b: cases(a, c, b),
        None,
        lambda g, y, c, a, b: cases(g, c, 0),
        lambda g, y, c, a, b: cases(g, fn("not", c), 0),
    ),
    "greater": _compared(">"),
    "greater_equal": _compared(r"\ge"),
    "less": _compared("<"),
    "less_equal": _compared(r"\le"),
    "equal": _compared("="),
    "not_equal": _compared(r"\ne"),
    "exp": rule(lambda x: exp(x), lambda g, y, x: g * y),
    "expm1": rule(lambda x: exp(x) - 1, lambda g, y, x: g * exp(x)),
    "log": rule(lambda x: ln(x), lambda g, y, x: g / x),
    "log1p": rule(lambda x: ln(1 + x), lambda g, y, x: g / (1 + x)),
    "sin": rule(lambda x: fn("sin", x), lambda g, y, x: g * fn("cos", x)),
    "cos": rule(lambda x: fn("cos", x), lambda g, y, x: -(g * fn("sin", x))),
    "tan": rule(lambda x: fn("tan", x), lambda g, y, x: g * (1 + y**2)),
    "sinh": rule(lambda x: fn("sinh", x), lambda g, y, x: g * fn("cosh", x)),
    "cosh": rule(lambda x: fn("cosh", x), lambda g, y, x: g * fn("sinh", x)),
    "tanh": rule(lambda x: fn("tanh", x), lambda g, y, x: g * (1 - y**2)),
    "arctan2": rule(
        lambda y, x: fn("arctan2", y, x),
        lambda g, angle, y, x: g * (x / (x**2 + y**2)),
        lambda g, angle, y, x: -(g * (y / (x**2 + y**2))),
    ),
    "erf": rule(lambda x: fn("erf", x), lambda g, y, x: g * (TWO_OVER_ROOT_PI * exp(-(x**2)))),
    "erfc": rule(lambda x: fn("erfc", x), lambda g, y, x: -(g * (TWO_OVER_ROOT_PI * exp(-(x**2))))),
    "sigmoid": rule(lambda x: sigma(x), lambda g, y, x: g * sigma(x) * sigma(-x)),
    "log_sigmoid": rule(lambda x: ln(sigma(x)), lambda g, y, x: g * sigma(-x)),
    "softplus": rule(lambda x: ln(1 + exp(x)), lambda g, y, x: g * sigma(x)),
    "relu": rule(lambda x: fn("max", x, 0), lambda g, y, x: g * relation(">", y, 0)),
    "leaky_relu": rule(
        lambda x, *, negative_slope: cases(x, relation(">", x, 0), negative_slope * x),
        lambda g, y, x, *, negative_slope: cases(g, relation(">", x, 0), negative_slope * g),
    ),
    "elu": rule(
        lambda x, *, alpha: cases(x, relation(">", x, 0), alpha * (exp(x) - 1)),
        lambda g, y, x, *, alpha: cases(g, relation(">", x, 0), alpha * (g * exp(x))),
    ),
    "silu": rule(lambda x: x * sigma(x), lambda g, y, x: g * (sigma(x) + x * sigma(x) * sigma(-x))),
    "gelu": rule(lambda x: x * fn("Phi", x), lambda g, y, x: g * (fn("Phi", x) + x * fn("phi", x))),
    "cast": rule(lambda x: x, lambda g, y, x: g),
    "detach": rule(lambda x: Expr("detach", (x,), x.shape), None),
}


# Products.


def _rows(x: Expr) -> Expr:
    """Samples as the rows of one matrix: (…, n) as (B, n)."""
    return reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def dense_dW(d: Expr, _y: Expr, x: Expr, _W: Expr, _b: Expr) -> Expr:
    return outer(x, d) if x.ndim == 1 else mat(tr(_rows(x)), _rows(d))


def dense_db(d: Expr, _y: Expr, _x: Expr, _W: Expr, b: Expr) -> Expr:
    return sum_to(_rows(d), b.shape) if d.ndim > 1 else d


def dense_dx(d: Expr, _y: Expr, x: Expr, W: Expr, _b: Expr) -> Expr:
    return mat(W, d) if x.ndim == 1 else mat(d, tr(W))


def _dense(f: Formula, delta: Formula | None = None) -> Rule:
    return rule(lambda x, W, b: f(mat(x, W) + b), dense_dx, dense_dW, dense_db, delta=delta)


PRODUCTS: dict[str, Rule] = {
    "dense": _dense(lambda a: a),
    "dense_sigmoid": _dense(sigma, lambda g, y, x, W, b: g * y * (1 - y)),
    "dense_tanh": _dense(lambda a: fn("tanh", a), lambda g, y, x, W, b: g * (1 - y**2)),
    "dense_relu": _dense(lambda a: fn("max", a, 0), lambda g, y, x, W, b: g * relation(">", y, 0)),
    "matmul": rule(
        lambda a, b: mat(a, b),
        lambda g, y, a, b: sum_to(mat(g, tr(b)), a.shape),
        lambda g, y, a, b: sum_to(mat(tr(a), g), b.shape),
    ),
    "outer": rule(lambda a, b: outer(a, b), lambda g, y, a, b: mat(g, b), lambda g, y, a, b: mat(tr(g), a)),
}
