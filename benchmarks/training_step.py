"""Workload S: one training step of the lecture's autoencoder, forward, backward and Adam, in float32.

784-512-256-64-2-64-256-512-784, every layer sigmoid, loss ‖X̂ − X‖²/B, on real digits; batches of 32, 128 and 512.
All contenders start from the same weights and see the same batches, NumPy arrays handed over anew at each step.

The floor is the matrix products of a step alone, by NumPy's BLAS into arrays that exist already: per layer X W, Xᵀ D,
and D Wᵀ but for the first.
"""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.workload import Contender, Options, Step, Workload

SIZES = (784, 512, 256, 64, 2, 64, 256, 512, 784)
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


def digits_problem(options: Options, *, batch: int) -> Problem:
    """The embedded digits through the lecture's network."""
    import autograd_ae as ae

    return problem_of(ae.data.load_digits().train.images, SIZES, batch)


# autograd_ae


def own_parts(problem: Problem):
    """Network and optimiser, from public parts."""
    import autograd_ae as ae

    pairs = enumerate(zip(*problem.copies(), strict=True), start=1)
    layers = (ae.nn.Dense(ae.tensor(W, f"W_{i}"), ae.tensor(b, f"b_{i}"), "sigmoid") for i, (W, b) in pairs)
    net = ae.nn.MLP(tuple(layers))
    parameters = ae.nn.parameters(net)
    adam = ae.optim.Adam([p.data for p in parameters], learning_rate=RATE, betas=(BETA_1, BETA_2), eps=EPS)
    return net, parameters, adam


def own_captured(problem: Problem) -> Step:
    import autograd_ae as ae

    net, parameters, adam = own_parts(problem)
    batches = problem.endless()
    captured = ae.capture(lambda x: ae.squared_error(net(x), x), ae.constant(problem.batches[0]))

    def step():
        loss = captured(next(batches))
        adam.step([captured.gradients[p] for p in parameters])
        return (loss,)

    return step


def own_eager(problem: Problem) -> Step:
    import autograd_ae as ae

    net, parameters, adam = own_parts(problem)
    batches = problem.endless()

    def step():
        x = next(batches)
        loss = ae.squared_error(net(x), x)
        adam.step(ae.grad(loss, parameters))
        return (loss.data,)

    return step


# NumPy


def numpy_by_hand(problem: Problem) -> Step:
    """Backpropagation and Adam as one writes them down, updating in place."""
    weights, biases = problem.copies()
    parameters = [*weights, *biases]
    first, second = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    batches, counter = problem.endless(), itertools.count(1)

    def step():
        x, t = next(batches), next(counter)
        outputs = [x]
        for W, b in zip(weights, biases, strict=True):
            outputs.append(1 / (1 + np.exp(-(outputs[-1] @ W + b))))
        error = outputs[-1] - x
        g = 2 / len(x) * error
        dW: list[np.ndarray] = []
        db: list[np.ndarray] = []
        for i in reversed(range(len(weights))):
            d = g * outputs[i + 1] * (1 - outputs[i + 1])
            dW.append(outputs[i].T @ d)
            db.append(d.sum(axis=0))
            if i:
                g = d @ weights[i].T
        rate = RATE / (1 - BETA_1**t)
        for p, m, v, g in zip(parameters, first, second, [*dW[::-1], *db[::-1]], strict=True):
            m += (1 - BETA_1) * (g - m)
            v += (1 - BETA_2) * (g * g - v)
            p -= rate * m / (np.sqrt(v / (1 - BETA_2**t)) + EPS)
        return (np.sum(error * error) / len(x),)

    return step


def matrix_products(problem: Problem) -> Step:
    """The floor: forward, weight gradient and input gradient of each layer, nothing else."""
    widths = (len(problem.weights[0]), *map(len, problem.biases))
    inputs = [np.ones((len(problem.batches[0]), n), np.float32) for n in widths]
    outputs = [np.empty_like(x) for x in inputs]
    gradients = [np.empty_like(W) for W in problem.weights]

    def step():
        for i, W in enumerate(problem.weights):
            np.matmul(inputs[i], W, out=outputs[i + 1])
        for i, W in reversed(list(enumerate(problem.weights))):
            np.matmul(inputs[i].T, inputs[i + 1], out=gradients[i])
            if i:
                np.matmul(inputs[i + 1], W.T, out=outputs[i])
        return (0.0,)

    return step


# PyTorch


def torch_step(problem: Problem, *, fused: bool | None = None, compiled: bool = False) -> Step:
    """nn.Sequential of Linear (weights stored (n_out, n_in)) and Sigmoid, trained as PyTorch's documentation does."""
    import torch

    layers = []
    for W, b in zip(problem.weights, problem.biases, strict=True):
        linear = torch.nn.Linear(*W.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W.T))
            linear.bias.copy_(torch.from_numpy(b))
        layers += [linear, torch.nn.Sigmoid()]
    net = torch.nn.Sequential(*layers)
    adam = torch.optim.Adam(net.parameters(), lr=RATE, betas=(BETA_1, BETA_2), eps=EPS, fused=fused)
    batches = problem.endless()

    def loss_of(x):
        return torch.nn.functional.mse_loss(net(x), x, reduction="sum") / len(x)

    forward = torch.compile(loss_of) if compiled else loss_of

    def step():
        loss = forward(torch.from_numpy(next(batches)))
        adam.zero_grad()
        loss.backward()
        adam.step()
        return (loss.detach(),)

    return step


# JAX


def jax_jit(problem: Problem) -> Step:
    """One compiled update; parameters and moments are donated, so that it may write them in place."""
    import jax
    import jax.numpy as jnp

    def loss_of(parameters, x):
        y = x
        for W, b in parameters:
            y = jax.nn.sigmoid(y @ W + b)
        return jnp.sum((y - x) ** 2) / len(x)

    @partial(jax.jit, donate_argnums=(0, 1))
    def update(parameters, state, x):
        loss, grads = jax.value_and_grad(loss_of)(parameters, x)
        first, second, t = state
        t = t + 1
        first = jax.tree.map(lambda m, g: m + (1 - BETA_1) * (g - m), first, grads)
        second = jax.tree.map(lambda v, g: v + (1 - BETA_2) * (g * g - v), second, grads)
        rate = RATE / -jnp.expm1(t * math.log(BETA_1))  # 1 − βᵗ without cancellation, which float32 would feel
        unbias = 1 / -jnp.expm1(t * math.log(BETA_2))
        change = jax.tree.map(lambda m, v: rate * m / (jnp.sqrt(v * unbias) + EPS), first, second)
        parameters = jax.tree.map(jnp.subtract, parameters, change)
        return parameters, (first, second, t), loss

    parameters = [(jnp.array(W), jnp.array(b)) for W, b in zip(problem.weights, problem.biases, strict=True)]
    zeros = partial(jax.tree.map, jnp.zeros_like)
    state = (zeros(parameters), zeros(parameters), jnp.zeros(()))
    batches = problem.endless()

    def step():
        nonlocal parameters, state
        parameters, state, loss = update(parameters, state, next(batches))
        return (loss,)

    return step


CONTENDERS = [
    Contender("autograd_ae captured", own_captured, needs=("autograd_ae.ops.api",)),
    Contender("autograd_ae eager", own_eager, needs=("autograd_ae.ops.api",)),
    Contender("NumPy by hand", numpy_by_hand),
    Contender("torch eager, default Adam", torch_step, needs=("torch",)),
    Contender("torch eager, fused Adam", partial(torch_step, fused=True), needs=("torch",)),
    Contender("torch.compile, fused Adam", partial(torch_step, fused=True, compiled=True), needs=("torch",)),
    Contender("jax.jit", jax_jit, needs=("jax",)),
    Contender("floor: its matrix products", matrix_products, checked=False),
]
WORKLOADS = [
    Workload(
        f"S/{batch}",
        f"training step of the 8-layer sigmoid autoencoder, batch {batch}, float32",
        partial(digits_problem, batch=batch),
        CONTENDERS,
    )
    for batch in (32, 128, 512)
]
