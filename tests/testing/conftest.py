"""Right and wrong gradients that several test files judge."""

from types import SimpleNamespace

import numpy as np
import pytest


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.fixture
def dense_sigmoid():
    """f(W) = s Σ C ⊙ σ(XW), its gradient, and gradients with a fault, by name."""

    def make(scale=1.0, x_scale=1.0, rows=5, columns=3, seed=0):
        rng = np.random.default_rng(seed)
        X, C = rng.normal(size=(6, rows)), rng.normal(size=(6, columns))
        W = rng.normal(size=(rows, columns)) * x_scale

        def f(W):
            return scale * np.sum(C * sigmoid(X @ (W / x_scale)))

        def gradient(W):
            Y = sigmoid(X @ (W / x_scale))
            return scale / x_scale * (X.T @ (C * Y * (1 - Y)))

        wrong = {
            "zero": lambda W: 0 * gradient(W),
            "sign": lambda W: -gradient(W),
            "rows swapped": lambda W: gradient(W)[::-1],
            "100 times too large": lambda W: 100 * gradient(W),
            "1 % too large": lambda W: 1.01 * gradient(W),
            "1e-4 too large": lambda W: (1 + 1e-4) * gradient(W),
        }
        return SimpleNamespace(f=f, gradient=gradient, wrong=wrong, W=W)

    return make
