"""Rows 12 and 13, by Gauss-Hermite quadrature, which is exact for them, and by sampling, with its error bar."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae import theory

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(12)
WEIGHTS = WEIGHTS / WEIGHTS.sum()  # E f(ε) = Σ w f(node), exact to degree 23
SEEDS = st.integers(0, 2**32 - 1)


def posterior(seed, B=5, L=2):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(B, L)), np.exp(rng.normal(size=(B, L))), rng


def log_normal(z, mean, variance):
    return -0.5 * ((z - mean) ** 2 / variance + np.log(2 * np.pi * variance))


@given(SEEDS)
def test_the_kl_is_the_integral_that_defines_it(seed):
    m, v, _ = posterior(seed)
    z = m[..., None] + np.sqrt(v)[..., None] * NODES
    ratio = log_normal(z, m[..., None], v[..., None]) - log_normal(z, 0, 1)
    assert theory.gaussian_kl(m, v) == pytest.approx(np.sum(ratio @ WEIGHTS) / len(m), rel=1e-11)


@given(SEEDS)
def test_the_expected_error_is_the_integral_that_defines_it(seed):
    m, v, rng = posterior(seed)
    A, b, x = rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=(5, 3))
    total = 0.0
    for node1, weight1 in zip(NODES, WEIGHTS, strict=True):
        for node2, weight2 in zip(NODES, WEIGHTS, strict=True):
            z = m + np.sqrt(v) * [node1, node2]
            total += weight1 * weight2 * np.sum((z @ A + b - x) ** 2) / len(x)
    assert theory.expected_squared_error(m, v, A, x, b) == pytest.approx(total, rel=1e-11)


@given(SEEDS)
def test_without_variance_the_expected_error_is_the_error_of_the_mean(seed):
    m, v, rng = posterior(seed)
    A, x = rng.normal(size=(2, 3)), rng.normal(size=(5, 3))
    assert theory.expected_squared_error(m, 0 * v, A, x) == pytest.approx(np.mean(np.sum((m @ A - x) ** 2, axis=1)))


def sampled(draw, m, v, A, x, n=40_000):
    """Monte Carlo means and their standard errors of ‖zA − x‖² and of ln q(z)/p(z), for a sampler `draw(m, v, ε)`."""
    rng = np.random.default_rng(12)
    z = draw(m, v, rng.normal(size=(n, *m.shape)))
    errors = np.mean(np.sum((z @ A - x) ** 2, axis=2), axis=1)
    ratios = np.mean(np.sum(log_normal(z, m, v) - log_normal(z, 0, 1), axis=2), axis=1)
    return [(q.mean(), q.std() / np.sqrt(n)) for q in (errors, ratios)]


def test_samples_agree_with_both_rows_within_their_error_and_a_misread_log_variance_does_not():
    m, v, rng = posterior(3)
    A, x = rng.normal(size=(2, 3)), rng.normal(size=(5, 3))
    exact = theory.expected_squared_error(m, v, A, x), theory.gaussian_kl(m, v)
    for (mean, bar), value in zip(sampled(lambda m, v, e: m + np.sqrt(v) * e, m, v, A, x), exact, strict=True):
        assert abs(mean - value) < 4 * bar
    for (mean, bar), value in zip(sampled(lambda m, v, e: m + v * e, m, v, A, x), exact, strict=True):
        assert abs(mean - value) > 10 * bar  # exp(ln v) where exp(½ ln v) belongs


@given(SEEDS)
def test_the_kl_is_zero_at_the_prior_only_and_adds_up_over_latents(seed):
    m, v, _ = posterior(seed)
    assert theory.gaussian_kl(np.zeros((3, 2)), np.ones((3, 2))) == 0
    assert theory.gaussian_kl(m, v) > 0
    parts = sum(theory.gaussian_kl(m[:, [j]], v[:, [j]]) for j in range(2))
    assert theory.gaussian_kl(m, v) == pytest.approx(parts, rel=1e-14)


def test_near_the_prior_the_kl_keeps_its_digits():
    u = 2.0**-20
    exact = (u**2 / 2 - u**3 / 3 + u**4 / 4) / 2  # ½(u − ln(1 + u))
    assert theory.gaussian_kl([[0.0]], [[1 + u]]) == pytest.approx(exact, rel=1e-9)


def test_wrong_posteriors_are_refused():
    with pytest.raises(ValueError, match="logarithm"):
        theory.gaussian_kl([[0.0]], [[-1.0]])
    with pytest.raises(ValueError, match="must be positive"):
        theory.gaussian_kl([[0.0]], [[0.0]])
    with pytest.raises(ValueError, match="2 rows are needed"):
        theory.gaussian_kl([[0.0], [1.0]], [[1.0]])
    with pytest.raises(ValueError, match="logarithm"):
        theory.expected_squared_error([[0.0]], [[-1.0]], [[1.0]], [[1.0]])
    with pytest.raises(ValueError, match="target"):
        theory.expected_squared_error([[0.0]], [[1.0]], [[1.0]], [[1.0, 2.0]])
