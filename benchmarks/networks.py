"""What a training step starts from: the network's sizes, its initial weights, and the batches.

- S, the lecture's practice: 784-512-256-64-2-64-256-512-784.
- H, Hinton & Salakhutdinov 2006: 784-1000-500-250-30-250-500-1000-784.
- T, the circle: 2-8-1-8-2, which is all overhead.

Every layer is a sigmoid, the loss is ‖X̂ − X‖²/B, the optimiser Adam, all in float32. All contenders start from the same
weights and see the same batches.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.workload import Options

LECTURE = (784, 512, 256, 64, 2, 64, 256, 512, 784)
HINTON = (784, 1000, 500, 250, 30, 250, 500, 1000, 784)
CIRCLE = (2, 8, 1, 8, 2)
RATE, BETA_1, BETA_2, EPS = 1e-3, 0.9, 0.999, 1e-8  # Adam


@dataclass(frozen=True)
class Problem:
    """Initial weights W (n_in, n_out) and biases (n_out,) of each layer, and batches (B, N), all float32."""

    weights: Sequence[np.ndarray]
    biases: Sequence[np.ndarray]
    batches: Sequence[np.ndarray]

    def copies(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Weights and biases that may be changed."""
        return [W.copy() for W in self.weights], [b.copy() for b in self.biases]

    def endless(self) -> Iterator[np.ndarray]:
        """The batches, over and over."""
        return itertools.cycle(self.batches)


def problem_of(X: np.ndarray, sizes: Sequence[int], batch: int, *, batches: int = 8) -> Problem:
    """Seeded Glorot weights with gain 4, as suits the sigmoid (Glorot & Bengio 2010), and the first batches of X."""
    rng = np.random.default_rng(0)
    pairs = list(itertools.pairwise(sizes))
    bounds = [4 * math.sqrt(6 / (n + m)) for n, m in pairs]
    weights = [rng.uniform(-a, a, pair).astype(np.float32) for a, pair in zip(bounds, pairs, strict=True)]
    biases = [np.zeros(m, np.float32) for _, m in pairs]
    return Problem(weights, biases, [X[i * batch : (i + 1) * batch].copy() for i in range(batches)])


def digits_problem(options: Options, *, sizes: Sequence[int], batch: int) -> Problem:
    """The embedded digits through a network for 784 pixels."""
    import autograd_ae as ae

    return problem_of(ae.data.load_digits().train.images, sizes, batch)


def circle_problem(options: Options, *, batch: int) -> Problem:
    """Points of the circle of radius 0.4 about (½, ½), within reach of a sigmoid, through 2-8-1-8-2."""
    angles = np.random.default_rng(1).uniform(0, 2 * np.pi, 8 * batch)
    X = 0.5 + 0.4 * np.column_stack([np.cos(angles), np.sin(angles)])
    return problem_of(X.astype(np.float32), CIRCLE, batch)
