"""Known dynamics: rates of descent, heavy ball and Nesterov on quadratics; gradient descent on a linear autoencoder."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.optim import SGD, Adam, AdamW

CURVATURES = np.array([1.0, 3.0, 20.0, 100.0])
KAPPA = CURVATURES[-1] / CURVATURES[0]
START = np.array([1.0, -2.0, 0.5, 3.0])


def trajectory(steps, **options):
    """Iterates on ½ Σ λ_i w_i², from START."""
    w = START.copy()
    opt = SGD([w], **options)
    path = [w.copy()]
    for _ in range(steps):
        opt.step([CURVATURES * w])
        path.append(w.copy())
    return np.array(path)


def two_term(trace, determinant, first, second, steps):
    """w_{k+1} = trace · w_k − determinant · w_{k−1}, of characteristic polynomial z² − trace z + determinant."""
    path = [first, second]
    while len(path) <= steps:
        path.append(trace * path[-1] - determinant * path[-2])
    return np.array(path)


def test_descent_contracts_every_mode_by_one_minus_eta_lambda():
    eta = 2 / (CURVATURES[0] + CURVATURES[-1])
    path = trajectory(300, learning_rate=eta)
    k = np.arange(301)[:, None]
    np.testing.assert_allclose(path, START * (1 - eta * CURVATURES) ** k, rtol=1e-12, atol=0)
    rate = (KAPPA - 1) / (KAPPA + 1)
    assert np.abs(path[300] / START).max() == pytest.approx(rate**300, rel=1e-11)


def test_descent_diverges_beyond_two_over_the_largest_curvature():
    for eta, grows in ((1.99 / 100, False), (2.01 / 100, True)):
        path = trajectory(50, learning_rate=eta)
        assert (abs(path[-1, 3]) > abs(START[3])) == grows


@given(st.floats(0.05, 0.95), st.floats(0.001, 0.019))
def test_the_heavy_ball_follows_its_characteristic_polynomial(mu, eta):
    path = trajectory(60, learning_rate=eta, momentum=mu)
    trace, determinant = 1 + mu - eta * CURVATURES, mu
    expected = two_term(trace, determinant, START, START * (1 - eta * CURVATURES), 60)
    np.testing.assert_allclose(path, expected, atol=1e-11)


@given(st.floats(0.05, 0.95), st.floats(0.001, 0.009))
def test_nesterov_follows_its_characteristic_polynomial(mu, eta):
    path = trajectory(60, learning_rate=eta, momentum=mu, nesterov=True)
    trace, determinant = (1 + mu) * (1 - eta * CURVATURES), mu * (1 - eta * CURVATURES)
    expected = two_term(trace, determinant, START, START * (1 - eta * CURVATURES * (1 + mu)), 60)
    np.testing.assert_allclose(path, expected, atol=1e-11)


def observed_rate(path):
    energy = np.linalg.norm(path, axis=1)
    return (energy[-200:].max() / energy[200:400].max()) ** (1 / (len(energy) - 400))


def test_momentum_brings_the_rate_from_kappa_to_its_root():
    low, high = CURVATURES[0], CURVATURES[-1]
    polyak = (np.sqrt(KAPPA) - 1) / (np.sqrt(KAPPA) + 1)
    mu, eta = (1.05 * polyak) ** 2, (2 / (np.sqrt(high) + np.sqrt(low))) ** 2
    heavy = trajectory(1000, learning_rate=eta, momentum=mu)  # just off the optimum, where roots would coincide
    assert observed_rate(heavy) == pytest.approx(np.sqrt(mu), rel=2e-3)
    mu = (np.sqrt(KAPPA) - 1) / (np.sqrt(KAPPA) + 1)
    nesterov = trajectory(1000, learning_rate=1 / high, momentum=mu, nesterov=True)
    assert observed_rate(nesterov) == pytest.approx(1 - 1 / np.sqrt(KAPPA), rel=1e-2)
    plain = trajectory(1000, learning_rate=2 / (low + high))
    assert observed_rate(plain) == pytest.approx((KAPPA - 1) / (KAPPA + 1), rel=1e-6)
    assert (KAPPA - 1) / (KAPPA + 1) > 0.98 > 1 - 1 / np.sqrt(KAPPA) > 0.89


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_weight_decay_finds_the_minimum_of_the_penalised_quadratic(kind):
    target, decay = np.array([3.0, -1.0, 0.5, 2.0]), 0.7
    w = np.zeros(4)
    opt = kind([w], learning_rate=0.015, weight_decay=decay)
    for step in range(4000):
        opt.learning_rate = 0.015 if step < 2000 else 0.015 * 0.99 ** (step - 2000)
        opt.step([CURVATURES * (w - target)])
    np.testing.assert_allclose(w, CURVATURES * target / (CURVATURES + decay), rtol=1e-7)


def test_adamw_comes_to_rest_where_decay_and_the_normalised_step_balance():
    w = np.zeros(1)
    opt = AdamW([w], learning_rate=0.01, weight_decay=0.5)
    for _ in range(5000):
        opt.step([np.array([-3.0])])  # a constant gradient: the step is η sign(g), so η λ w = η
    assert w[0] == pytest.approx(1 / 0.5, rel=1e-6)


def test_gradient_descent_on_a_linear_autoencoder_is_the_scalar_recursion_in_the_eigenbasis(rng):
    """u ← u + 2ηλ(1 − uv)v, v ← v + 2ηλ(1 − uv)u, both from the old values: every mode, over thousands of steps."""
    samples, features, latents, eta = 40, 6, 3, 0.02
    U = np.linalg.qr(rng.standard_normal((samples, features)))[0]
    V = np.linalg.qr(rng.standard_normal((features, features)))[0]
    lam = np.array([4.0, 2.5, 1.2, 0.6, 0.3, 0.1])
    X = U * np.sqrt(samples * lam) @ V.T
    u, v = np.array([0.1, 0.3, 0.05]), np.array([0.2, 0.1, 0.4])
    W1, W2 = np.ascontiguousarray(V[:, :latents] * u), np.ascontiguousarray(v[:, None] * V[:, :latents].T)
    opt = SGD([W1, W2], learning_rate=eta)
    worst = 0.0
    for step in range(3000):
        R = X @ W1 @ W2 - X
        opt.step([2 / samples * X.T @ R @ W2.T, 2 / samples * (X @ W1).T @ R])
        pull = 2 * eta * lam[:latents] * (1 - u * v)
        u, v = u + pull * v, v + pull * u
        if step % 50 == 0 or step > 2990:
            worst = max(
                worst, abs(V[:, :latents].T @ W1 - np.diag(u)).max(), abs(W2 @ V[:, :latents] - np.diag(v)).max()
            )
    assert worst < 2e-14
    np.testing.assert_allclose(u * v, 1.0, atol=1e-12)
