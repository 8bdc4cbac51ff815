"""Rows 15-17: learning curves in closed form, against integration and training of the whole weight matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae import theory

SPECTRUM = np.array([3.0, 1.0, 0.4, 0.1])
N = SPECTRUM.size
V = np.linalg.qr(np.random.default_rng(0).normal(size=(N, N)))[0]
S = V * SPECTRUM @ V.T  # covariance; its eigenvectors are the columns of V


def runge_kutta(force, W1, W2, times, substeps=200):
    """The weights at each of `times`, of dW/dt = force(W₁, W₂), by the classical method of order 4."""
    path, t = [], 0.0
    for goal in times:
        h = (goal - t) / substeps
        for _ in range(substeps if h else 0):
            a1, b1 = force(W1, W2)
            a2, b2 = force(W1 + h / 2 * a1, W2 + h / 2 * b1)
            a3, b3 = force(W1 + h / 2 * a2, W2 + h / 2 * b2)
            a4, b4 = force(W1 + h * a3, W2 + h * b3)
            W1, W2 = W1 + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4), W2 + h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
        t = goal
        path.append((W1, W2))
    return path


def minus_gradient(W1, W2, variance):
    """−∇ of ½(E‖x − xW₁W₂‖² + σ²‖W₁W₂‖²)."""
    R = S @ (W1 @ W2 - np.eye(N)) + variance * W1 @ W2
    return -R @ W2.T, -W1.T @ R


@pytest.mark.parametrize("variance", [0.0, 0.5])
def test_gradient_flow_of_the_weight_matrices_follows_the_closed_form(variance):
    a0, times = np.array([0.01, 0.05, 0.2]), [0.0, 0.4, 1.0, 2.5, 6.0]
    W1, W2 = V[:, :3] * np.sqrt(a0), (V[:, :3] * np.sqrt(a0)).T
    path = runge_kutta(lambda A, B: minus_gradient(A, B, variance), W1, W2, times)
    predicted = theory.denoising_gradient_flow(SPECTRUM[:3], a0, times, noise_variance=variance)
    for (A, B), a in zip(path, predicted, strict=True):
        np.testing.assert_allclose(A @ B, V[:, :3] * a @ V[:, :3].T, atol=1e-10)  # and stays in the eigenbasis


@given(st.floats(0.01, 5), st.floats(1e-6, 3), st.floats(0, 20), st.floats(0, 3))
def test_the_robust_form_is_the_logistic_as_it_is_printed(eigen, a0, t, variance):
    goal = eigen / (eigen + variance)
    printed = goal / (1 + (goal / a0 - 1) * np.exp(-2 * eigen * t))
    assert theory.denoising_gradient_flow(eigen, a0, t, noise_variance=variance) == pytest.approx(printed, rel=1e-12)
    assert theory.gradient_flow(eigen, a0, t) == pytest.approx(
        1 / (1 + (1 / a0 - 1) * np.exp(-2 * eigen * t)), rel=1e-12
    )


@given(st.floats(0, 5), st.floats(0, 3), st.floats(0, 5), st.floats(0, 5), st.floats(0, 3))
def test_flowing_twice_is_flowing_on(eigen, a0, t1, t2, variance):
    at_t1 = theory.denoising_gradient_flow(eigen, a0, t1, noise_variance=variance)
    onward = theory.denoising_gradient_flow(eigen, at_t1, t2, noise_variance=variance)
    whole = theory.denoising_gradient_flow(eigen, a0, t1 + t2, noise_variance=variance)
    assert onward == pytest.approx(whole, rel=1e-11)


def test_the_limits_are_the_start_the_saddle_and_the_goal():
    assert theory.gradient_flow(2.0, 0.3, 0.0) == 0.3
    assert theory.gradient_flow(2.0, 0.0, 1e6) == 0  # a saddle is not left
    assert theory.gradient_flow(2.0, 1e-9, 1e6) == 1
    assert theory.gradient_flow(0.0, 0.3, 7.0) == 0.3  # no variance, nothing to learn
    assert theory.denoising_gradient_flow(2.0, 1e-9, 1e6, noise_variance=0.5) == pytest.approx(0.8, rel=1e-15)
    decay = theory.denoising_gradient_flow(0.0, 0.3, 7.0, noise_variance=0.5)  # da/dt = −2σ²a²
    assert decay == pytest.approx(0.3 / (1 + 2 * 0.5 * 0.3 * 7), rel=1e-15)


@pytest.mark.parametrize(
    ("eigenvalues", "time", "shape"),
    [(2.0, 1.0, ()), ([1.0, 2.0], 1.0, (2,)), (2.0, [0.0, 1.0, 2.0], (3,)), ([1.0, 2.0], [0.0, 1.0, 2.0], (3, 2))],
)
def test_times_go_in_rows_and_modes_in_columns(eigenvalues, time, shape):
    assert theory.gradient_flow(eigenvalues, 0.1, time).shape == shape
    assert theory.gradient_flow(eigenvalues, np.full_like(eigenvalues, 0.1), time).shape == shape


def test_training_the_matrices_for_2000_steps_is_the_recursion_to_rounding():
    rng = np.random.default_rng(1)
    B, L, rate = 60, 3, 0.03
    Z = rng.normal(size=(B, N))
    X = np.linalg.qr(Z - Z.mean(axis=0))[0] * np.sqrt(B * SPECTRUM) @ V.T
    u0, v0 = rng.normal(size=L), rng.normal(size=L)  # any start in the eigenbasis, balanced or not
    W1, W2 = V[:, :L] * u0, (V[:, :L] * v0).T
    u, v = theory.gradient_descent(SPECTRUM[:L], u0, v0, learning_rate=rate, n_steps=2000)
    worst = 0.0
    for k in range(2001):
        worst = max(
            worst, np.abs(V.T @ W1 - np.eye(N, L) * u[k]).max(), np.abs(W2 @ V - np.eye(L, N) * v[k][:, None]).max()
        )
        R = X @ W1 @ W2 - X
        W1, W2 = W1 - rate * 2 / B * X.T @ R @ W2.T, W2 - rate * 2 / B * (X @ W1).T @ R
    assert worst < 1e-12
    np.testing.assert_allclose(u[-1] * v[-1], 1, atol=1e-12)


@given(st.floats(0.1, 3), st.floats(0.01, 0.9))
def test_small_steps_approach_the_flow_to_first_order(eigen, a0):
    """On the mean SE without ½ a step of rate η is time 2η."""
    gaps = []
    for n in (200, 400, 800):
        u, v = theory.gradient_descent(eigen, np.sqrt(a0), np.sqrt(a0), learning_rate=1 / n, n_steps=n)
        gaps.append(abs(u[-1] * v[-1] - theory.gradient_flow(eigen, a0, 2.0)))
    assert gaps[2] < 0.6 * gaps[1] + 1e-12
    assert gaps[1] < 0.6 * gaps[0] + 1e-12


@given(st.floats(0.1, 3), st.floats(0.2, 2), st.floats(-2, 2))
def test_the_recursion_started_at_a_minimum_or_at_the_saddle_stays(eigen, u0, v0):
    u, v = theory.gradient_descent(eigen, [u0, 0.0], [1 / u0, 0.0], learning_rate=0.01, n_steps=50)
    np.testing.assert_allclose(u, np.tile([u0, 0.0], (51, 1)), rtol=1e-12)
    np.testing.assert_allclose(v, np.tile([1 / u0, 0.0], (51, 1)), rtol=1e-12)


def test_no_step_is_the_start():
    u, v = theory.gradient_descent([1.0, 2.0], 0.5, [0.25, 0.75], learning_rate=0.1, n_steps=0)
    np.testing.assert_array_equal(u, [[0.5, 0.5]])
    np.testing.assert_array_equal(v, [[0.25, 0.75]])


def test_the_stated_rate_limit_is_sharp():
    for factor, converges in ((0.99, True), (1.01, False)):
        u, v = theory.gradient_descent(2.0, 1.01, 1.01, learning_rate=factor / (2 * 2.0), n_steps=3000)
        assert (abs(u[-1] * v[-1] - 1) < 1e-9) == converges


def test_divergence_and_wrong_arguments_are_reported():
    with pytest.raises(ValueError, match=r"diverges.*0\.25"):
        theory.gradient_descent(2.0, 1.5, 1.5, learning_rate=2.0, n_steps=100)
    with pytest.raises(ValueError, match="one value per mode"):
        theory.gradient_descent([1.0, 2.0], [1.0, 1.0, 1.0], 1.0, learning_rate=0.1, n_steps=2)
    with pytest.raises(ValueError, match="one value per mode"):
        theory.gradient_flow([1.0, 2.0], [0.1, 0.1, 0.1], 1.0)
    with pytest.raises(ValueError, match="eigenvalues"):
        theory.gradient_flow(-1.0, 0.1, 1.0)
    with pytest.raises(ValueError, match="time"):
        theory.gradient_flow(1.0, 0.1, [])
    with pytest.raises(TypeError, match="n_steps"):
        theory.gradient_descent(1.0, 0.1, 0.1, learning_rate=0.1, n_steps=2.5)
