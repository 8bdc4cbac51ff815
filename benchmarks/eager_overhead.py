"""Workload E: what an eager engine costs per operation, apart from arithmetic.

A chain of 100 elementwise operations, 25 times y ← −(1.1 · sin(y) + 0.1), then a sum, forward and backward, in float32,
on one element (all overhead) and on 32×32 (the size of a small layer). The graph is recorded anew at each step, but for
the captured program. The figure is µs per operation of the chain, forward and backward together. Contenders must agree
on the sum and on the gradient.

autograd_ae turns to machine code by itself once a program has recorded a million operations (or ten thousand, where
that code lies on disk already), so its eager contender does that many before it is timed, and the seconds that the
compilation takes, once on a machine, are not in the figure.
"""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from benchmarks.workload import Contender, Options, Step, Workload

LENGTH = 100


def chain(y: Any, sin: Any) -> Any:
    """LENGTH operations on whatever tensor is given."""
    for _ in range(LENGTH // 4):
        y = -(sin(y) * 1.1 + 0.1)
    return y


def start(options: Options, *, shape: tuple[int, ...]) -> np.ndarray:
    """The array that the chain begins with."""
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def own_eager(array: np.ndarray) -> Step:
    import autograd_ae as ae

    x = ae.tensor(array)

    def step():
        x.zero_grad()
        loss = ae.sum(chain(x, ae.sin))
        loss.backward()
        return loss.data, x.grad

    return step


def numpy_by_hand(array: np.ndarray) -> Step:
    """Only the arithmetic, without any recording: what no engine that calls NumPy's ufuncs can go below."""
    scale, shift = np.array(1.1, np.float32), np.array(0.1, np.float32)

    def step():
        y, sines_of = array, []
        for _ in range(LENGTH // 4):
            sines_of.append(y)
            y = np.negative(np.add(np.multiply(np.sin(y), scale), shift))
        loss, g = np.sum(y), np.ones_like(y)
        for x in reversed(sines_of):
            g = np.multiply(np.multiply(np.negative(g), scale), np.cos(x))
        return loss, g

    return step


def own_captured(array: np.ndarray) -> Step:
    import autograd_ae as ae

    captured = ae.capture(lambda x: ae.sum(chain(x, ae.sin)), array)
    return lambda: (captured(array), captured.gradients[0])


def torch_eager(array: np.ndarray) -> Step:
    import torch

    x = torch.from_numpy(array).requires_grad_()

    def step():
        x.grad = None
        loss = chain(x, torch.sin).sum()
        loss.backward()
        return loss.detach(), x.grad

    return step


def hips_autograd(array: np.ndarray) -> Step:
    import autograd
    import autograd.numpy as anp

    value_and_grad = autograd.value_and_grad(lambda x: anp.sum(chain(x, anp.sin)))
    return lambda: value_and_grad(array)


def mygrad(array: np.ndarray) -> Step:
    """Without its guard against in-place edits, as its documentation advises for speed."""
    import mygrad as mg

    mg.turn_memory_guarding_off()
    x = mg.tensor(array)

    def step():
        loss = chain(x, mg.sin).sum()
        loss.backward()
        return loss.data, x.grad

    return step


def micrograd(array: np.ndarray) -> Step:
    """One element only, with a sine added as micrograd's lecture adds tanh."""
    from micrograd.engine import Value

    def sin(v):
        out = Value(math.sin(v.data), (v,), "sin")

        def pull_back():
            v.grad += math.cos(v.data) * out.grad

        out._backward = pull_back
        return out

    def step():
        x = Value(float(array[0]))
        loss = chain(x, sin)
        loss.backward()
        return loss.data, x.grad

    return step


CONTENDERS = [
    Contender("autograd_ae eager", own_eager, needs=("autograd_ae.ops.api",), warm_up=1_050_000 // LENGTH),
    Contender("autograd_ae captured", own_captured, needs=("autograd_ae.ops.api",)),
    Contender("torch eager", torch_eager, needs=("torch",)),
    Contender("NumPy by hand", numpy_by_hand),
    Contender("HIPS autograd", hips_autograd, needs=("autograd",)),
    Contender("mygrad", mygrad, needs=("mygrad",)),
]
MICROGRAD = Contender("micrograd", micrograd, needs=("micrograd",))
WORKLOADS = [
    Workload(
        f"E/{'x'.join(map(str, shape))}",
        f"chain of {LENGTH} elementwise operations on {size}, forward and backward, float32",
        partial(start, shape=shape),
        CONTENDERS if len(shape) > 1 else [*CONTENDERS, MICROGRAD],
        unit="µs per operation",
        scale=1e6 / LENGTH,
    )
    for shape, size in (((1,), "one element"), ((32, 32), "32×32"))
]
