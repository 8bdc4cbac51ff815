"""Formulas of losses, penalties and the two functions of the variational autoencoder. See `rules.py`.

B is the number of samples (a vector is one sample), n the number of entries of which a mean is taken.
"""

from __future__ import annotations

from typing import Any

from autograd_ae.explain.expression import Expr, along, fn, let, num, operator, reshape, spread, total
from autograd_ae.explain.rules import Rule, exp, half, ln, rule, sigma, sign, sqrt


def batch(x: Expr) -> Expr:
    return num(x.shape[0] if x.ndim > 1 else 1, "B")


def entries(x: Expr) -> Expr:
    size = 1
    for n in x.shape:
        size *= n
    return num(size, "n")


def norm_squared(x: Expr) -> Expr:
    return operator("sqnorm", x, shape=())


def softmax(a: Expr) -> Expr:
    return along("softmax", a, (a.ndim - 1,))


def log_softmax(a: Expr) -> Expr:
    return along("log_softmax", a, (a.ndim - 1,))


def _mass(t: Expr) -> Expr:
    """Σ_j t_j over the classes, for each of them."""
    return spread(total(t, (t.ndim - 1,), True), t.shape, (t.ndim - 1,), True)


# The divergence of Bernoulli distributions, of the mean activation ρ̂.


def samples(z: Expr) -> Expr:
    """(B, n), samples as rows of units."""
    if z.ndim == 2:
        return z
    b = z.shape[0] if z.ndim > 1 else 1
    size = 1
    for n in z.shape:
        size *= n
    return reshape(z, (b, size // b))


AXIS = {"units": (1,), "batch": (0,)}


def mean_activation(z: Expr, over: str) -> Expr:
    rows = samples(z)
    mean = total(rows, AXIS[over], True) / num(rows.shape[AXIS[over][0]], "n" if over == "units" else "B")
    return let(mean, r"\hat{\rho}")


def divergence(r: Expr, rho: Expr, form: str) -> Expr:
    if form == "ufldl":
        return rho * ln(rho / r) + (1 - rho) * ln((1 - rho) / (1 - r))
    return r * ln(r / rho) + (1 - r) * ln((1 - r) / (1 - rho))


def slope(r: Expr, rho: Expr, form: str) -> Expr:
    if form == "ufldl":
        return (1 - rho) / (1 - r) - rho / r
    return ln(r / rho) - ln((1 - r) / (1 - rho))


def _bernoulli_kl(z: Expr, *, rho: float, form: str, over: str) -> Expr:
    value = total(divergence(mean_activation(z, over), num(rho, r"\rho"), form))
    return value / batch(z) if over == "units" else value


def _bernoulli_kl_dz(g: Expr, _y: Expr, z: Expr, *, rho: float, form: str, over: str) -> Expr:
    rows, axis = samples(z), AXIS[over]
    per_entry = spread(slope(mean_activation(z, over), num(rho, r"\rho"), form), rows.shape, axis, True)
    n = num(rows.shape[axis[0]], "n" if over == "units" else "B")
    weight = g / (n * batch(z)) if over == "units" else g / n
    return reshape(weight * per_entry, z.shape)


def _two(scale: Any) -> Rule:
    """‖x̂ − x‖² / scale."""
    return rule(
        lambda x_hat, x: norm_squared(x_hat - x) / scale(x),
        lambda g, y, x_hat, x: 2 * g / scale(x) * (x_hat - x),
        lambda g, y, x_hat, x: -(2 * g / scale(x) * (x_hat - x)),
    )


LOSSES: dict[str, Rule] = {
    "mse": _two(entries),
    "squared_error": _two(batch),
    "bce": rule(
        lambda p, t: -(total(t * ln(p) + (1 - t) * ln(1 - p)) / batch(t)),
        lambda g, y, p, t: g / batch(t) * ((1 - t) / (1 - p) - t / p),
        lambda g, y, p, t: g / batch(t) * ln((1 - p) / p),
    ),
    "bce_with_logits": rule(
        lambda a, t: total(fn("softplus", a) - t * a) / batch(t),
        lambda g, y, a, t: g / batch(t) * (sigma(a) - t),
        lambda g, y, a, t: -(g / batch(t) * a),
    ),
    "cross_entropy": rule(
        lambda a, t: -(total(t * log_softmax(a)) / batch(t)),
        lambda g, y, a, t: g / batch(t) * (softmax(a) * _mass(t) - t),
        lambda g, y, a, t: -(g / batch(t) * log_softmax(a)),
    ),
    "l1": rule(
        lambda z: operator("norm1", z, shape=()) / batch(z),
        lambda g, y, z: g / batch(z) * sign(z),
    ),
    "l2": rule(lambda z: norm_squared(z) / batch(z), lambda g, y, z: 2 * g / batch(z) * z),
    "bernoulli_kl": rule(_bernoulli_kl, _bernoulli_kl_dz),
    "gaussian_kl": rule(
        lambda m, s: half * (total(m**2 + exp(s) - 1 - s) / batch(m)),
        lambda g, y, m, s: g / batch(m) * m,
        lambda g, y, m, s: half * g / batch(m) * (exp(s) - 1),
    ),
    "gaussian_kl_from_variance": rule(
        lambda m, v: half * (total(m**2 + v - 1 - ln(v)) / batch(m)),
        lambda g, y, m, v: g / batch(m) * m,
        lambda g, y, m, v: half * g / batch(m) * (1 - 1 / v),
    ),
    "reparameterise": rule(
        lambda m, s, e: m + exp(half * s) * e,
        lambda g, z, m, s, e: g,
        lambda g, z, m, s, e: half * (g * e * exp(half * s)),
        lambda g, z, m, s, e: g * exp(half * s),
    ),
    "reparameterise_from_variance": rule(
        lambda m, v, e: m + sqrt(v) * e,
        lambda g, z, m, v, e: g,
        lambda g, z, m, v, e: g * e / (2 * sqrt(v)),
        lambda g, z, m, v, e: g * sqrt(v),
    ),
}  # fmt: skip
