"""Formulas of networks: activations, sampling, terms of losses and penalties with their pullbacks. (See `formulas.py`.)

In the pullback of a loss g is already divided by B.
"""

from __future__ import annotations

import math

from autograd_ae.core.jit import jit
from autograd_ae.ops.exponential import log1p_of_unit
from autograd_ae.runtime.formulas import expm1, poly_exp

# Activations.


@jit
def logistic(x):
    e, one = poly_exp(-abs(x)), type(x)(1)
    return (e if x < 0 else one) / (one + e)


@jit
def softplus(x):
    zero = type(x)(0)
    return (x if x > zero else zero) + log1p_of_unit(poly_exp(-abs(x)))


@jit
def softplus_dx(g, x):
    return g * logistic(x)


@jit
def log_sigmoid(x):
    return -softplus(-x)


@jit
def log_sigmoid_dx(g, x):
    return g * logistic(-x)


@jit
def relu(x):
    return type(x)(0) if x <= type(x)(0) else x


@jit
def relu_dx(g, y):
    return type(g)(0) if y <= type(y)(0) else g


@jit
def leaky_relu(x, s):
    return x if x > type(x)(0) else s * x


@jit
def leaky_relu_dx(g, x, s):
    return g if x > type(x)(0) else s * g


@jit
def elu(x, alpha):
    left = alpha * expm1(x)
    return x if x > type(x)(0) else left


@jit
def elu_dx(g, x, alpha):
    left = alpha * g * poly_exp(x)
    return g if x > type(x)(0) else left


@jit
def silu(x):
    s = logistic(x)
    return x * s if s != 0 else s


@jit
def erf_dx(g, x):
    return g * (type(x)(1.1283791670955126) * poly_exp(-x * x))


@jit
def erfc_dx(g, x):
    return g * (type(x)(-1.1283791670955126) * poly_exp(-x * x))


# Sampling.


@jit
def sample(mean, log_variance, noise):
    return mean + poly_exp(type(mean)(0.5) * log_variance) * noise


@jit
def sample_dlog_variance(g, log_variance, noise):
    half = type(g)(0.5)
    return half * g * noise * poly_exp(half * log_variance)


@jit
def times_deviation(g, log_variance):
    return g * poly_exp(type(g)(0.5) * log_variance)


@jit
def sample_from_variance(mean, variance, noise):
    return mean + math.sqrt(variance) * noise


@jit
def sample_dvariance(g, variance, noise):
    return type(g)(0.5) * g * noise / math.sqrt(variance)


@jit
def times_root(g, variance):
    return g * math.sqrt(variance)


# Terms of losses, and their pullbacks. What a loss asks of its data.


@jit
def outside_01(t):
    return t < 0 or t > 1


@jit
def below_0(v):
    return v < 0


@jit
def squared_error(a, b):
    d = a - b
    return d * d


@jit
def squared_error_dx(g, a, b):
    return (type(g)(2) * g) * (a - b)


@jit
def square_in_double(x):
    return float(x) * float(x)


@jit
def l2_dz(g, z):
    return (type(g)(2) * g) * z


@jit
def bce(p, t):
    """−t ln p − (1 − t) ln(1 − p); what the target calls impossible counts 0."""
    one = type(p)(1)
    yes = t * math.log(p) if t != 0 else type(p)(0)
    no = (one - t) * math.log1p(-p) if t != one else type(p)(0)
    return -yes - no


@jit
def bce_dp(g, p, t):
    zero, one = type(p)(0), type(p)(1)
    return g * (((one - t) / (one - p) if t != one else zero) - (t / p if t != 0 else zero))


@jit
def bce_with_logits(a, t):
    """softplus(a) − t a, as ln(1 + e^−|a|) + |a| (1 − t or t)."""
    size, one = abs(a), type(a)(1)
    return log1p_of_unit(poly_exp(-size)) + size * (one - t if a >= type(a)(0) else t)


@jit
def bce_with_logits_da(g, a, t):
    """g (σ(a) − t), as (1 − t) σ(a) − t σ(−a)."""
    e, one = poly_exp(-abs(a)), type(a)(1)
    more, less_ = one / (one + e), e / (one + e)
    yes = a >= type(a)(0)
    return g * ((one - t) * (more if yes else less_) - t * (less_ if yes else more))


@jit
def gaussian_kl(mean, log_variance):
    """½ (m² + eˢ − 1 − s), in float64; the bracket by its series where it cancels."""
    m, x = float(mean), float(log_variance)
    far = poly_exp(x) - 1.0 - x
    near = x * x * (0.5 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120 + x * (1 / 720 + x * (1 / 5040 + x / 40320))))))
    return 0.5 * (m * m + (near if abs(x) < 0.03 else far))


@jit
def gaussian_kl_dlog_variance(g, log_variance):
    return type(g)(0.5) * g * expm1(log_variance)


@jit
def gaussian_kl_dvariance(g, variance):
    return type(g)(0.5) * g * ((variance - type(g)(1)) / variance)


# The divergence between Bernoulli distributions of r and of ρ, in float64; u = q − 1.


@jit
def log_ratio(q, u):
    return math.log1p(u) if abs(u) < 0.5 else math.log(q)


@jit
def line_minus_log(q, u):
    """q − 1 − ln q ≥ 0."""
    if abs(u) >= 0.5:
        return u - math.log(q)
    r = u / (2.0 + u)
    series = 0.0
    for k in range(18):
        series = 1.0 / (37.0 - 2.0 * k) + r * r * series
    return r * u - 2.0 * r * r * r * series


@jit
def entropy_excess(q, u):
    """q ln q − q + 1 ≥ 0."""
    if abs(u) < 0.5:
        return u * math.log1p(u) - line_minus_log(q, u)
    return (q * math.log(q) if q != 0 else 0.0) - u


@jit
def kl_lecture(r, rho):
    r, rho = float(r), float(rho)
    event = rho * entropy_excess(r / rho, (r - rho) / rho)
    return event + (1.0 - rho) * entropy_excess((1.0 - r) / (1.0 - rho), (rho - r) / (1.0 - rho))


@jit
def kl_ufldl(r, rho):
    r, rho = float(r), float(rho)
    event = rho * line_minus_log(r / rho, (r - rho) / rho)
    return event + (1.0 - rho) * line_minus_log((1.0 - r) / (1.0 - rho), (rho - r) / (1.0 - rho))


@jit
def kl_lecture_dr(g, r, rho):
    r, rho = float(r), float(rho)
    return g * (log_ratio(r / rho, (r - rho) / rho) - log_ratio((1.0 - r) / (1.0 - rho), (rho - r) / (1.0 - rho)))


@jit
def kl_ufldl_dr(g, r, rho):
    r, rho = float(r), float(rho)
    return g * ((r - rho) / (r * (1.0 - r)))


@jit
def gaussian_kl_from_variance(mean, variance):
    m, v = float(mean), float(variance)
    return 0.5 * (m * m + line_minus_log(v, v - 1.0))
