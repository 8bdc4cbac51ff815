"""What gradient checkers are judged on: functions with right gradients, wrong ones, and points where checking is hard.

Each function of a small set is given wrong gradients (a wrong sign, zeros, 1 % too large, rows in another order, a
dropped path, …). Functions are written once, for NumPy, torch and jax.numpy alike: `xp` is the library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = Any  # of NumPy, or of the library whose checker is asked
Vjp = Callable[[Any, Array, Array], Array]  # (array library, x, u) → uᵀ ∂f/∂x


@dataclass(frozen=True)
class Subject:
    """A function, its right vjp, and wrong ones that only it can have. `xp` is NumPy, torch or jax.numpy."""

    name: str
    f: Callable[[Any, Array], Array]
    vjp: Vjp
    x: np.ndarray
    own_faults: dict[str, Vjp] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """c·f with a vjp that may be wrong, at a point."""

    subject: Subject
    vjp: Vjp
    x: np.ndarray
    scale: float = 1.0

    def f(self, xp: Any, x: Array) -> Array:
        return self.scale * self.subject.f(xp, x)

    def gradient(self, xp: Any, x: Array, u: Array) -> Array:
        return self.scale * self.vjp(xp, x, u)

    def plain(self) -> tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray, np.ndarray], np.ndarray]]:
        """f and its vjp over NumPy arrays."""
        return lambda x: self.f(np, x), lambda x, u: self.gradient(np, x, u)


# The functions.


def sigmoid(xp: Any, a: Array) -> Array:
    return 1 / (1 + xp.exp(-a))


def subjects() -> list[Subject]:
    """The weights of dense + sigmoid first; a sigmoid, a network's loss, a log-sum-exp, a function with two paths."""
    rng = np.random.default_rng(0)
    X, W, b = rng.normal(size=(6, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)
    V = rng.normal(size=(3, 4))

    def const(xp: Any, a: np.ndarray, like: Array) -> Array:
        """A constant of the data in the array library and dtype of `like`."""
        if xp.__name__ == "torch":
            return xp.as_tensor(a, dtype=like.dtype)
        return xp.asarray(a, dtype=like.dtype)

    def dense(xp: Any, W: Array) -> Array:
        return sigmoid(xp, const(xp, X, W) @ W + const(xp, b, W))

    def dense_vjp(xp: Any, W: Array, u: Array) -> Array:
        y = dense(xp, W)
        return const(xp, X, W).T @ (u * y * (1 - y))

    def loss(xp: Any, W: Array) -> Array:
        x = const(xp, X, W)
        return xp.sum((dense(xp, W) @ const(xp, V, W) - x) ** 2) / len(X)

    def delta(xp: Any, W: Array, u: Array) -> Array:
        x, v = const(xp, X, W), const(xp, V, W)
        return u * (2 / len(X)) * ((dense(xp, W) @ v - x) @ v.T)

    def loss_vjp(xp: Any, W: Array, u: Array) -> Array:
        y = dense(xp, W)
        return const(xp, X, W).T @ (delta(xp, W, u) * y * (1 - y))

    def lse(xp: Any, x: Array) -> Array:
        return xp.log(xp.sum(xp.exp(x), 1))

    def lse_vjp(xp: Any, x: Array, u: Array) -> Array:
        e = xp.exp(x)
        return (u / xp.sum(e, 1))[:, None] * e

    def paths(xp: Any, x: Array) -> Array:
        return x * xp.sin(x) + xp.exp(-x * x)

    def paths_vjp(xp: Any, x: Array, u: Array) -> Array:
        return u * (xp.sin(x) + x * xp.cos(x) - 2 * x * xp.exp(-x * x))

    return [
        Subject(
            "dense + sigmoid, weights",
            dense,
            dense_vjp,
            W,
            {
                "σ′ left out": lambda xp, W, u: const(xp, X, W).T @ u,
                "σ′ twice": lambda xp, W, u: const(xp, X, W).T @ (u * (dense(xp, W) * (1 - dense(xp, W))) ** 2),
                "one sample only": lambda xp, W, u: const(xp, X, W)[:1].T @ (u * dense(xp, W) * (1 - dense(xp, W)))[:1],
            },
        ),
        Subject(
            "sigmoid",
            sigmoid,
            lambda xp, x, u: u * sigmoid(xp, x) * (1 - sigmoid(xp, x)),
            rng.normal(size=(3, 4)),
            {"σ′ at the input": lambda xp, x, u: u * x * (1 - x), "σ′ left out": lambda xp, x, u: u * 1.0},
        ),
        Subject(
            "autoencoder loss",
            loss,
            loss_vjp,
            0.5 * W,
            {
                "σ′ left out": lambda xp, W, u: const(xp, X, W).T @ delta(xp, W, u),
                "sum over the batch": lambda xp, W, u: len(X) * loss_vjp(xp, W, u),
            },
        ),
        Subject("log-sum-exp", lse, lse_vjp, rng.normal(size=(4, 3))),
        Subject(
            "two paths",
            paths,
            paths_vjp,
            rng.normal(size=(3, 4)),
            {
                "dropped path": lambda xp, x, u: u * (x * xp.cos(x) - 2 * x * xp.exp(-x * x)),
                "dropped term": lambda xp, x, u: u * (xp.sin(x) + x * xp.cos(x)),
            },
        ),
    ]


# The faults: changes of what the right vjp returns, or of the cotangent that it is given.


def _largest_dropped(xp: Any, g: Array) -> Array:
    return g * (abs(g) < abs(g).max())


AFTER: dict[str, Callable[[Any, Array], Array]] = {
    "wrong sign": lambda xp, g: -g,
    "zero": lambda xp, g: 0 * g,
    "factor 2": lambda xp, g: 2 * g,
    "factor 1/2": lambda xp, g: g / 2,
    "1 % too large": lambda xp, g: 1.01 * g,
    "100 times too large": lambda xp, g: 100 * g,
    "rows swapped": lambda xp, g: xp.concatenate([g[1:2], g[0:1], g[2:]]),
    "rows rotated": lambda xp, g: xp.concatenate([g[1:], g[:1]]),
    "columns rotated": lambda xp, g: xp.concatenate([g[:, 1:], g[:, :1]], 1),
    "absolute value": lambda xp, g: abs(g),
    "largest entry dropped": _largest_dropped,
    "a constant added": lambda xp, g: g + 1e-3 * abs(g).max(),
}
UPSTREAM: dict[str, Callable[[Any, Array], Array]] = {
    "upstream gradient ignored": lambda xp, u: 0 * u + 1,
    "upstream gradient of another row": lambda xp, u: xp.concatenate([u[1:], u[:1]]) if u.ndim else u,
}


def _changed(vjp: Vjp, change: Callable[[Any, Array], Array]) -> Vjp:
    return lambda xp, x, u: change(xp, vjp(xp, x, u))


def _fed(vjp: Vjp, change: Callable[[Any, Array], Array]) -> Vjp:
    return lambda xp, x, u: vjp(xp, x, change(xp, u))


def wrong_vjps(subject: Subject) -> Iterator[tuple[str, Vjp]]:
    """(fault, wrong vjp), the subject's own faults last. Those of the cotangent need one with entries."""
    for name, change in AFTER.items():
        yield name, _changed(subject.vjp, change)
    if np.ndim(subject.f(np, subject.x)):
        for name, change in UPSTREAM.items():
            yield name, _fed(subject.vjp, change)
    yield from subject.own_faults.items()


def hard_tasks() -> list[tuple[str, Task]]:
    """Right gradients where checking is hard."""
    found = []
    for subject in subjects():
        x32 = subject.x.astype(np.float32)
        points: dict[str, tuple[np.ndarray, float]] = {
            "inputs × 1e-6": (1e-6 * subject.x, 1.0),
            "inputs × 10, tails": (10 * subject.x, 1.0),
            "output × 1e-12": (subject.x, 1e-12),
            "output × 1e6": (subject.x, 1e6),
            "output × 1e12": (subject.x, 1e12),
            "float32": (x32, 1.0),
            "float32, output × 1e-6": (x32, 1e-6),
            "float32, tails": (10 * x32, 1.0),
        }
        found += [(f"{subject.name}: {words}", Task(subject, subject.vjp, x, c)) for words, (x, c) in points.items()]
    return found
