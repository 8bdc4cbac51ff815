"""Linear autoencoders in plain NumPy, trained to the optima of Eckart & Young 1936 and Kunin et al. 2019."""

import numpy as np
import pytest

from autograd_ae.optim import Adam, cosine, lbfgs_in_place


def data(rng, samples=200, features=20, decay=1.3):
    """Centred, with standard deviations falling by `decay` from one direction to the next."""
    X = rng.standard_normal((samples, features)) * decay ** -np.arange(features)
    return (X - X.mean(axis=0)) @ np.linalg.qr(rng.standard_normal((features, features)))[0]


def spectrum(X):
    _, s, Vt = np.linalg.svd(X, full_matrices=False)
    return s**2 / len(X), Vt.T


def largest_angle(A, B):
    """Between the column spaces of A and B, in radians: sin θ = ‖(I − QQᵀ) P‖₂."""
    Q, P = np.linalg.qr(A)[0], np.linalg.qr(B)[0]
    return np.arcsin(min(1.0, np.linalg.norm(P - Q @ (Q.T @ P), 2)))


def loss(X, penalty=0.0):
    """‖X − X W1 W2‖²/B + penalty (‖W1‖² + ‖W2‖²) and its gradients."""

    def value_and_grad(W1, W2):
        R = X @ W1 @ W2 - X
        value = np.sum(R * R) / len(X) + penalty * (np.sum(W1 * W1) + np.sum(W2 * W2))
        dW1 = 2 / len(X) * X.T @ (R @ W2.T) + 2 * penalty * W1
        dW2 = 2 / len(X) * (X @ W1).T @ R + 2 * penalty * W2
        return value, [dW1, dW2]

    return value_and_grad


def weights(rng, features, latents, size=0.1):
    return [size * rng.standard_normal((features, latents)), size * rng.standard_normal((latents, features))]


@pytest.mark.parametrize("latents", [1, 3, 8])
@pytest.mark.parametrize("size", [1e-6, 0.1])
def test_lbfgs_reaches_the_eckart_young_optimum_and_its_subspace(rng, latents, size):
    X = data(rng)
    eigenvalues, V = spectrum(X)
    optimum = eigenvalues[latents:].sum()
    W1, W2 = weights(rng, 20, latents, size)
    result = lbfgs_in_place(loss(X), [W1, W2], max_iter=5000, tol_gradient=1e-13, tol_change=1e-15)
    assert result.converged
    assert abs(result.value - optimum) <= 1e-12 * optimum
    assert largest_angle(V[:, :latents], W2.T) <= 1e-6
    assert largest_angle(V[:, :latents], W1) <= 1e-4  # flatter: an error of W1 costs only the data's small variances


def test_the_default_tolerances_give_eight_digits_of_the_loss(rng):
    X = data(rng, samples=500, features=40, decay=1.15)
    eigenvalues, V = spectrum(X)
    W1, W2 = weights(rng, 40, 5, 0.01)
    result = lbfgs_in_place(loss(X), [W1, W2], max_iter=5000)
    optimum = eigenvalues[5:].sum()
    assert result.converged
    assert result.value - optimum <= 1e-8 * optimum
    assert largest_angle(V[:, :5], W2.T) <= 1e-3


def test_enough_latents_reach_loss_zero_on_data_of_low_rank(rng):
    X = rng.standard_normal((50, 3)) @ rng.standard_normal((3, 12))
    W1, W2 = weights(rng, 12, 4)
    result = lbfgs_in_place(loss(X), [W1, W2], tol_gradient=1e-13, tol_change=0.0)
    assert result.status == "gradient"
    assert result.value <= 1e-20 * np.sum(X * X)


def test_lbfgs_reaches_the_optimum_of_the_regularised_autoencoder(rng):
    """min ‖X − XW1W2‖² + λ(‖W1‖² + ‖W2‖²) = Σ_{i>L} s_i² + Σ_{i≤L} (2λ − λ²/s_i² or s_i²), W1 = W2ᵀ there."""
    X, latents, penalty = data(rng), 6, 0.05
    eigenvalues, _ = spectrum(X)
    kept = eigenvalues[:latents]
    optimum = eigenvalues[latents:].sum()
    optimum += np.where(kept > penalty, 2 * penalty - penalty**2 / kept, kept).sum()
    W1, W2 = weights(rng, 20, latents)
    result = lbfgs_in_place(loss(X, penalty), [W1, W2], tol_gradient=1e-12, tol_change=1e-15, max_iter=3000)
    assert result.converged
    assert abs(result.value - optimum) <= 1e-11 * optimum
    np.testing.assert_allclose(W1, W2.T, atol=1e-5)
    singular = np.linalg.svd(W2, compute_uv=False)
    np.testing.assert_allclose(singular, np.sqrt(np.maximum(0, 1 - penalty / kept)), atol=1e-5)


def test_float32_training_stays_float32_and_comes_within_a_few_roundings_of_the_optimum(rng):
    X = data(rng).astype(np.float32)
    eigenvalues, V = spectrum(X.astype(np.float64))
    W1, W2 = (w.astype(np.float32) for w in weights(rng, 20, 3))
    result = lbfgs_in_place(loss(X), [W1, W2], tol_change=0.0)
    assert result.status == "floor"
    assert W1.dtype == W2.dtype == np.float32
    value, _ = loss(X.astype(np.float64))(W1.astype(np.float64), W2.astype(np.float64))
    assert value - eigenvalues[3:].sum() <= 16 * np.finfo(np.float32).eps * eigenvalues[3:].sum()
    assert largest_angle(V[:, :3], W2.T.astype(np.float64)) <= 1e-3


def test_adam_with_a_cosine_schedule_comes_to_the_same_optimum(rng):
    X = data(rng, features=10)
    eigenvalues, V = spectrum(X)
    W1, W2 = weights(rng, 10, 3)
    opt, function = Adam([W1, W2], learning_rate=cosine(0.03, total_steps=3000, warmup=50)), loss(X)
    for _ in range(3000):
        opt.step(function(W1, W2)[1])
    optimum = eigenvalues[3:].sum()
    assert function(W1, W2)[0] - optimum <= 1e-6 * optimum
    assert largest_angle(V[:, :3], W2.T) <= 1e-3
