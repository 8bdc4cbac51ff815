"""Rows I to VI: identities of gradients that hold at every point, so all along a training run, and need no differences.

Each of them trains a network with `fit`, whose callback compares the two sides after every epoch, with the gradients
of the loss that is trained. `testing.laws` has them as assertions for anybody's network, with measured tolerances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import autograd_ae as ae
from autograd_ae.lecture.theorems.measure import Measure

EPOCHS, SAMPLES, FEATURES = 30, 12, 5
ROUNDING = 1e-12  # relative to the largest entry
Law = Callable[[Any, np.ndarray], float]


def linear_balance(seed: int) -> list[Measure]:
    """A linear code z = hW₁ + b₁, decoded by zW₂: W₁ᵀ∇W₁ + b₁ ⊗ ∇b₁ = ∇W₂W₂ᵀ, as W₁A, b₁A, A⁻¹W₂ is the same function.

    Source: Saxe et al. 2013; Arora et al. 2018.
    """

    def law(model: Any, X: np.ndarray) -> float:
        code, after = model.encoder_.layers[-1], model.decoder_.layers[0]
        dW1, db1, dW2 = _gradients(model, X, [code.W, code.b, after.W])
        return _off(code.W.data.T @ dW1 + np.outer(code.b.data, db1), dW2 @ after.W.data.T)

    return _along_training(law, "L × L entries", seed, activation="tanh")


def relu_balance(seed: int) -> list[Measure]:
    """A relu unit: incoming · ∇incoming = outgoing · ∇outgoing, as (aw, ab, v/a) is the same function for a > 0.

    Source: Du, Hu & Lee 2018.
    """

    def law(model: Any, X: np.ndarray) -> float:
        layer, after = model.encoder_.layers[0], model.encoder_.layers[1]
        dW, db, dV = _gradients(model, X, [layer.W, layer.b, after.W])
        incoming = np.sum(layer.W.data * dW, axis=0) + layer.b.data * db
        return _off(incoming, np.sum(after.W.data * dV, axis=1))

    return _along_training(law, "each unit", seed, activation="relu")


def sigmoid_flip(seed: int) -> list[Measure]:
    """A sigmoid unit: (w, b, v, c) → (−w, −b, −v, c + v) is the same function, since σ(−z) = 1 − σ(z); ∇w, ∇b change
    their sign, and ∇v = ∇c − ∇'v.

    Source: elementary.
    """

    def law(model: Any, X: np.ndarray) -> float:
        layer, after = model.encoder_.layers[0], model.encoder_.layers[1]
        tensors, worst = [layer.W, layer.b, after.W, after.b], 0.0
        before = _gradients(model, X, tensors)
        for unit in range(layer.b.size):
            W, b, V, c = (t.data.copy() for t in tensors)
            c += V[unit]
            W[:, unit], b[unit], V[unit] = -W[:, unit], -b[unit], -V[unit]
            with _moved(tensors, [W, b, V, c]):
                dW, db, dV, dc = (g.copy() for g in _gradients(model, X, tensors))
            dW[:, unit], db[unit], dV[unit] = -dW[:, unit], -db[unit], dc - dV[unit]
            worst = max(worst, *map(_off, (dW, db, dV, dc), before))
        return worst

    return _along_training(law, "each unit flipped", seed, activation="sigmoid")


def batch_mean(seed: int) -> list[Measure]:
    """The gradient of a batch is the mean of the gradients of its samples.

    Source: elementary.
    """

    def law(model: Any, X: np.ndarray) -> float:
        parts = [_gradients(model, X[b : b + 1], model.parameters()) for b in range(len(X))]
        whole = _gradients(model, X, model.parameters())
        return max(_off(np.mean(part, axis=0), g) for g, *part in zip(whole, *parts, strict=True))

    return _along_training(law, "every parameter", seed, activation="sigmoid")


def permutations(seed: int) -> list[Measure]:
    """Permuted samples have the same gradients; permuted hidden units have theirs, permuted.

    Source: elementary.
    """
    rng = np.random.default_rng(seed)

    def law(model: Any, X: np.ndarray) -> float:
        layer, after = model.encoder_.layers[0], model.encoder_.layers[1]
        tensors, units = [layer.W, layer.b, after.W], rng.permutation(layer.b.size)
        before = _gradients(model, X, model.parameters())
        samples = max(map(_off, _gradients(model, X[rng.permutation(len(X))], model.parameters()), before))
        dW, db, dV = _gradients(model, X, tensors)
        with _moved(tensors, [layer.W.data[:, units], layer.b.data[units], after.W.data[units]]):
            after_it = _gradients(model, X, tensors)
        return max(samples, *map(_off, after_it, (dW[:, units], db[units], dV[units])))

    return _along_training(law, "samples, and hidden units", seed, activation="sigmoid")


def rotations(seed: int) -> list[Measure]:
    """Data XQ, Q orthogonal, with QᵀW in the first layer and WQ, bQ in the last: the same loss, and the gradients of
    these turn as they do; all others stay.

    Source: elementary.
    """
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((FEATURES, FEATURES)))[0]

    def law(model: Any, X: np.ndarray) -> float:
        def turned(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
            first, *inner, W, b = arrays
            return [Q.T @ first, *inner, W @ Q, b @ Q]

        tensors = model.parameters()
        expected = turned(_gradients(model, X, tensors))
        with _moved(tensors, turned([t.data for t in tensors])):
            return max(map(_off, _gradients(model, X @ Q, tensors), expected))

    return _along_training(law, "every parameter", seed, activation="sigmoid")


def _along_training(law: Law, what: str, seed: int, *, activation: str) -> list[Measure]:
    """The law's worst error, relative, after each epoch of a 5-4-2-4-5 network with a linear code."""
    X, errors = np.random.default_rng(seed).standard_normal((SAMPLES, FEATURES)), []
    options: dict[str, Any] = {"code_activation": "identity", "output_activation": "identity", "activation": activation}
    options |= {"learning_rate_init": 0.02, "batch_size": 4, "max_iter": EPOCHS, "random_state": seed}
    model = ae.Autoencoder(2, hidden_layer_sizes=(4,), **options)
    model.fit(X, callback=lambda m, _: errors.append(law(m, X)))
    return [Measure(f"{what}, after each of {len(errors)} epochs", max(errors), ROUNDING)]


def _gradients(model: Any, X: np.ndarray, tensors: Sequence[Any]) -> tuple[np.ndarray, ...]:
    return tuple(ae.grad(model.loss(X), list(tensors)))


def _off(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@contextmanager
def _moved(tensors: Sequence[Any], arrays: Sequence[np.ndarray]) -> Iterator[None]:
    """Inside, the tensors hold these arrays; afterwards their own again."""
    own = [t.data for t in tensors]
    try:
        for t, array in zip(tensors, arrays, strict=True):
            t.data = np.ascontiguousarray(array)
        yield
    finally:
        for t, array in zip(tensors, own, strict=True):
            t.data = array
