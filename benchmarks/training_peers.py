"""The peers of a training step: NumPy by hand, its matrix products alone, PyTorch, JAX, autograd, mygrad, micrograd."""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from benchmarks import networks
from benchmarks.networks import BETA_1, BETA_2, EPS, Problem
from benchmarks.workload import Step


def numpy_by_hand(problem: Problem) -> Step:
    """Backpropagation as one writes it down."""
    weights, biases = problem.copies()
    update, batches = numpy_adam([*weights, *biases]), problem.endless()

    def step():
        x = next(batches)
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
        update([*dW[::-1], *db[::-1]])
        return (np.sum(error * error) / len(x),)

    return step


def numpy_adam(parameters: Sequence[np.ndarray]) -> Callable[[Sequence[np.ndarray]], None]:
    """Adam as one writes it down, updating arrays in place: for NumPy, and for libraries that bring no optimiser."""
    first, second = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    counter = itertools.count(1)

    def update(gradients: Sequence[np.ndarray]) -> None:
        t = next(counter)
        rate = networks.RATE / (1 - BETA_1**t)
        for p, m, v, g in zip(parameters, first, second, gradients, strict=True):
            m += (1 - BETA_1) * (g - m)
            v += (1 - BETA_2) * (g * g - v)
            p -= rate * m / (np.sqrt(v / (1 - BETA_2**t)) + EPS)

    return update


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
    adam = torch.optim.Adam(net.parameters(), lr=networks.RATE, betas=(BETA_1, BETA_2), eps=EPS, fused=fused)
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
        rate = networks.RATE / -jnp.expm1(t * math.log(BETA_1))  # 1 − βᵗ without cancellation, which float32 would feel
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


def hips_autograd(problem: Problem) -> Step:
    """HIPS autograd, with Adam in NumPy."""
    import autograd
    import autograd.numpy as anp

    weights, biases = problem.copies()
    update, batches = numpy_adam([*weights, *biases]), problem.endless()

    def loss_of(parameters, x):
        y = x
        for W, b in zip(*parameters, strict=True):
            y = 1 / (1 + anp.exp(-(anp.dot(y, W) + b)))
        return anp.sum((y - x) ** 2) / len(x)

    value_and_grad = autograd.value_and_grad(loss_of)

    def step():
        loss, (dW, db) = value_and_grad((weights, biases), next(batches))
        update([*dW, *db])
        return (loss,)

    return step


def mygrad(problem: Problem) -> Step:
    """mygrad without its guard against in-place edits, as its documentation advises for speed; Adam in NumPy."""
    import mygrad as mg
    from mygrad.nnet.activations import sigmoid

    mg.turn_memory_guarding_off()
    weights, biases = ([mg.tensor(a) for a in arrays] for arrays in problem.copies())
    parameters = [*weights, *biases]
    update, batches = numpy_adam([p.data for p in parameters]), problem.endless()

    def step():
        x = next(batches)
        y = x
        for W, b in zip(weights, biases, strict=True):
            y = sigmoid(mg.matmul(y, W) + b)
        loss = mg.sum((y - x) ** 2) / len(x)
        loss.backward()
        update([p.grad for p in parameters])
        return (loss.data,)

    return step


def micrograd(problem: Problem) -> Step:
    """micrograd, one object per number, with a sigmoid added as its lecture adds tanh; Adam in NumPy."""
    from micrograd.engine import Value

    def sigmoid(v):
        s = 1 / (1 + math.exp(-v.data))
        out = Value(s, (v,), "sigmoid")

        def pull_back():
            v.grad += s * (1 - s) * out.grad

        out._backward = pull_back
        return out

    arrays = [a.astype(float) for group in problem.copies() for a in group]
    update, batches, layers = numpy_adam(arrays), problem.endless(), len(problem.weights)

    def step():
        x = next(batches)
        values = [np.vectorize(Value, otypes=[object])(a) for a in arrays]
        y = x.astype(float).astype(object)
        for W, b in zip(values[:layers], values[layers:], strict=True):
            y = np.vectorize(sigmoid, otypes=[object])(y @ W + b)
        loss = sum(((y - x.astype(float)) ** 2).ravel()) * (1 / len(x))
        loss.backward()
        update([np.vectorize(lambda v: v.grad, otypes=[float])(a) for a in values])
        return (loss.data,)

    return step
