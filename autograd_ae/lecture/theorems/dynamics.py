"""Rows 15 to 17: how a linear autoencoder learns, from the first step to the last, mode by mode.

All start in the eigenbasis, W₁ = V diag(u), W₂ = diag(v)Vᵀ, biases 0, on centred data. The gradients are the engine's,
of the models' own losses. Gradient flow is integrated by Runge & Kutta's rule of order four, so that what is left is
10⁻⁹ and not the step; that gradient descent follows the flow to first order in its rate is measured beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_ae as ae
from autograd_ae.lecture.theorems.measure import Measure
from autograd_ae.lecture.theorems.training import LINEAR, built, data, put, with_pairs

SPECTRUM = (2.0, 1.2, 0.6, 0.3)
START, HORIZON = np.array([0.01, 0.02, 0.01]), 6.0  # a₀ of the modes that are in the net; gradient flow's time
FLOW_STEPS = 600
RATE, STEPS = 0.02, 2000  # gradient descent's
SIGMA = 0.8

Path = list[tuple[np.ndarray, np.ndarray]]


def flow(seed: int) -> list[Measure]:
    """Linear autoencoder under gradient flow on ½ mean SE, balanced start: mode i grows as a sigmoid of time,
    a(t) = 1/(1 + (1/a₀ − 1)e^{−2λ_i t}).

    Source: Saxe et al. 2013.
    """
    X = data(SPECTRUM, seed=seed)
    model = _place(built(ae.Autoencoder(3, **LINEAR, random_state=seed), X), X, np.sqrt(START), np.sqrt(START))
    expected = ae.theory.gradient_flow(SPECTRUM[:3], START, np.linspace(0, HORIZON, FLOW_STEPS + 1))
    return [*_along_the_flow(model, X, expected), _first_order(model, X)]


def denoising_flow(seed: int) -> list[Measure]:
    """The same for a linear denoising autoencoder, noise of variance σ²: a∞ = λ/(λ + σ²),
    a(t) = a∞/(1 + (a∞/a₀ − 1)e^{−2λt}). The noise moves the goal and not the rate.

    Source: Pretorius et al. 2018.
    """
    X = data(SPECTRUM, seed=seed)
    chosen = ae.DenoisingAE(3, corruption="gaussian", corruption_level=SIGMA, **LINEAR, random_state=seed)
    model, times = _place(built(chosen, X), X, np.sqrt(START), np.sqrt(START)), np.linspace(0, HORIZON, FLOW_STEPS + 1)
    expected = ae.theory.denoising_gradient_flow(SPECTRUM[:3], START, times, noise_variance=SIGMA**2)
    clean, spoiled = with_pairs(X, SIGMA, seed=seed)
    return _along_the_flow(model, clean, expected, spoiled)


def descent(seed: int) -> list[Measure]:
    """Gradient descent on a linear autoencoder, mean SE, start in the eigenbasis: u ← u + 2ηλ(1 − uv)v,
    v ← v + 2ηλ(1 − uv)u, both from the old values, at each of 2,000 steps.

    `fit` runs it: batches, recorded program, gradients, optimiser and callback are those of every training.

    Source: elementary, from dW₁ = (2/B)XᵀRW₂ᵀ, dW₂ = (2/B)(XW₁)ᵀR.
    """
    X = data(SPECTRUM, seed=seed)
    u, v = np.array([0.1, 0.3, 0.05]), np.array([0.2, 0.1, 0.4])  # not balanced
    options: dict[str, Any] = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": RATE, "batch_size": len(X)}
    model = _place(built(ae.Autoencoder(3, **LINEAR, **options, random_state=seed), X), X, u, v)
    model.set_params(warm_start=True, max_iter=STEPS, learning_rate_init=RATE)
    path: Path = [_weights(model)]
    model.fit(X, callback=lambda m, _: path.append(_weights(m)))
    U, V = ae.theory.gradient_descent(SPECTRUM[:3], u, v, learning_rate=RATE, n_steps=STEPS)
    _, _, axes = ae.theory.principal_axes(X)
    encoder = max(float(np.abs(W1 - axes[:3].T * u).max()) for (W1, _), u in zip(path, U, strict=True))
    decoder = max(float(np.abs(W2 - v[:, None] * axes[:3]).max()) for (_, W2), v in zip(path, V, strict=True))
    biases = max(float(np.abs(p.data).max()) for p in model.parameters() if p.ndim == 1)
    return [
        Measure(f"W₁ against V diag(u), every entry at {len(path) - 1:,} steps", encoder, 1e-12),
        Measure(f"W₂ against diag(v)Vᵀ, every entry at {len(path) - 1:,} steps", decoder, 1e-12),
        Measure("the biases, which stay 0", biases, 1e-12),
        Measure("modes at the end against 1: it was long enough to learn them", np.abs(U[-1] * V[-1] - 1).max(), 1e-6),
    ]


def _place(model: Any, X: np.ndarray, u: np.ndarray, v: np.ndarray) -> Any:
    """Put the model at W₁ = V diag(u), W₂ = diag(v)Vᵀ, biases 0."""
    axes = ae.theory.principal_axes(X)[2][: len(u)]
    put(model, axes.T * u, 0.0, v[:, None] * axes, 0.0)
    return model


def _weights(model: Any) -> tuple[np.ndarray, np.ndarray]:
    W1, _, W2, _ = (p.data.copy() for p in model.parameters())
    return W1, W2


def _along_the_flow(model: Any, X: np.ndarray, expected: np.ndarray, *noise: np.ndarray) -> list[Measure]:
    """The modes of W₁W₂ under the flow, at every step, against `expected` (steps + 1, k)."""
    axes, force = ae.theory.principal_axes(X)[2], _force(model, X, *noise)
    k, modes, mixed = expected.shape[1], [], 0.0
    arrays = [p.data for p in model.parameters()]
    y, h = ae.optim.pack(arrays), HORIZON / FLOW_STEPS
    for step in range(FLOW_STEPS + 1):
        if step:
            y = _runge_kutta(force, y, h)
        ae.optim.unpack(y, arrays)
        W1, W2 = _weights(model)
        M = axes @ W1 @ W2 @ axes.T  # W₁W₂ in the eigenbasis: diagonal, by the theorem
        modes.append(np.diag(M)[:k])
        mixed = max(mixed, float(np.abs(M - np.diag(np.append(modes[-1], np.zeros(len(M) - k)))).max()))
    return [
        Measure(f"a_i(t) at {FLOW_STEPS} times, worst mode", np.abs(np.array(modes) - expected).max(), 1e-8),
        Measure("what mixes the modes: W₁W₂ off its diagonal", mixed, 1e-12),
        Measure(
            "the strongest mode at the end against its goal, relative", abs(modes[-1][0] / expected[-1, 0] - 1), 1e-8
        ),
    ]


def _first_order(model: Any, X: np.ndarray) -> Measure:
    """Gradient descent leaves the flow by something proportional to its rate: halving the one halves the other."""
    time, left, axes = HORIZON / 2, [], ae.theory.principal_axes(X)[2][: len(START)]
    step, arrays = ae.capture(model.loss, ae.constant(X)), [p.data for p in model.parameters()]
    for rate in (4e-3, 2e-3):
        _place(model, X, np.sqrt(START), np.sqrt(START))
        optimizer = ae.optim.SGD(arrays, learning_rate=rate)
        for _ in range(round(time / (2 * rate))):  # the loss has no ½, so a step counts double
            step()
            optimizer.step([step.gradients[p] for p in model.parameters()])
        W1, W2 = _weights(model)
        modes = np.diag(axes @ W1 @ W2 @ axes.T)
        left.append(np.abs(modes - ae.theory.gradient_flow(SPECTRUM[: len(START)], START, time)).max())
    return Measure(
        "gradient descent's distance from it at rates η and η/2: ratio against 2", abs(left[0] / left[1] - 2), 0.05
    )


def _force(model: Any, X: np.ndarray, *noise: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """−∇ of half the model's loss at a packed point: the velocity of the flow."""
    step, arrays = ae.capture(model.loss, *(ae.constant(a) for a in (X, *noise))), [p.data for p in model.parameters()]

    def force(y: np.ndarray) -> np.ndarray:
        ae.optim.unpack(y, arrays)
        step()
        return -0.5 * ae.optim.pack([step.gradients[p] for p in model.parameters()])

    return force


def _runge_kutta(f: Callable[[np.ndarray], np.ndarray], y: np.ndarray, h: float) -> np.ndarray:
    a = f(y)
    b = f(y + h / 2 * a)
    c = f(y + h / 2 * b)
    d = f(y + h * c)
    return np.asarray(y + h / 6 * (a + 2 * b + 2 * c + d))
