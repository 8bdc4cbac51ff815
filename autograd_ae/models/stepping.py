"""One training step of a model, executed in three ways that compute the same numbers: hyper-parameter `runtime`.

    compiled   the loss is recorded once per batch size, the optimiser's step with it; a step is one call (`runtime/`)
    replay     the same lines one by one from Python, then the optimiser: the same bits as eager
    eager      recorded anew for every batch, as the derivation reads: for study

Samples are read from the data straight into the program's input; noise is drawn into its buffers. All three draw the
same numbers from the generator, so the same seed gives the same training; compiled differs from the others by the
rounding of sums and of exp and tanh (`runtime/__init__.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import numpy as np

from autograd_ae.core.tensor import Tensor, constant
from autograd_ae.core.transforms import grad
from autograd_ae.ops.arithmetic import add
from autograd_ae.runtime.capture import RUNTIMES as CAPTURED
from autograd_ae.runtime.capture import Step, capture

RUNTIMES = (*CAPTURED, "eager")


def objective(model: Any) -> Callable[..., tuple[Tensor, ...]]:
    """What is recorded: the loss, then its terms."""

    def loss_and_terms(x: Tensor, *noise: Tensor) -> tuple[Tensor, ...]:
        terms = model.loss_terms(x, *noise).values()
        return reduce(add, terms), *terms

    return loss_and_terms


def stepper(model: Any, optimizer: Any, X: np.ndarray, rows: np.ndarray) -> Stepper:
    """What takes the model's training steps; X[rows] is an example of a batch."""
    return (EagerStepper if model.runtime == "eager" else CapturedStepper)(model, optimizer, X, rows)


class Stepper:
    """`stepper(X, rows, rng)` takes a step on X[rows]: the values of the loss and its terms, which are called `names`.

    FloatingPointError where a gradient is not finite; then no parameter has changed.
    """

    def __init__(self, model: Any, optimizer: Any, X: np.ndarray, rows: np.ndarray):
        self.model, self.optimizer = model, optimizer
        batch, noise = example(model, X, rows[:1])
        with np.errstate(over="ignore", invalid="ignore"):
            self.names = ("loss", *model.loss_terms(constant(batch), *noise))

    def __call__(self, X: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> tuple[Any, ...]:
        raise NotImplementedError

    def through(self, X: np.ndarray, batches: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, ...]]:
        """Steps on X[batches[0]], X[batches[1]], …: the values of some steps at a time, (steps,) each."""
        for rows in batches:
            yield tuple(np.atleast_1d(value) for value in self(X, rows, rng))


class CapturedStepper(Stepper):
    def __init__(self, model: Any, optimizer: Any, X: np.ndarray, rows: np.ndarray):
        super().__init__(model, optimizer, X, rows)
        batch, noise = example(model, X, rows)
        with np.errstate(over="ignore", invalid="ignore"):
            self.step = capture(
                objective(model), *map(constant, (batch, *noise)), optimizer=optimizer, runtime=model.runtime
            )

    def __call__(self, X: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> tuple[Any, ...]:
        batch, *noise = self.step.buffers
        if len(rows) != len(batch):
            sample, drawn = example(self.model, X, rows)
            batch, *noise = self.step.prepare(sample, *drawn)
        self.step.take(X, rows, scale=1.0)
        self.model._draw_into(tuple(noise), batch, rng)
        values: tuple[Any, ...] = self.step()
        return values

    def through(self, X: np.ndarray, batches: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, ...]]:
        """For a small network without noise all at once: its steps take less time than Python needs to ask for them."""
        if len(self.step.buffers) > 1 or not self.step.brief:
            yield from super().through(X, batches, rng)
        else:
            yield self.step.on_rows(X, batches, scale=1.0)


class EagerStepper(Stepper):
    def __call__(self, X: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> tuple[Any, ...]:
        batch = X[rows].astype(self.model._dtype, copy=False)
        recorded = objective(self.model)(constant(batch), *map(constant, self.model._draw(batch, rng)))
        self.optimizer.step(grad(recorded[0], self.model.parameters()))
        return tuple(t.data[()] for t in recorded)


def example(model: Any, X: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """A batch, and noise of the right shapes, which leaves the model's own generator as it is."""
    batch = X[rows].astype(model._dtype, copy=False)
    return batch, model._draw(batch, np.random.default_rng(0))


def evaluation(model: Any, X: np.ndarray) -> tuple[tuple[str, ...], Callable[[], tuple[Any, list[np.ndarray]]]]:
    """For a loss of all samples at once: the names of its terms, and what gives (values, gradients)."""
    parameters, loss, data = model.parameters(), objective(model), constant(X)
    with np.errstate(over="ignore", invalid="ignore"):
        names = tuple(model.loss_terms(constant(X[:1])))
        step = None if model.runtime == "eager" else capture(loss, data, runtime=model.runtime)

    def captured(step: Step) -> tuple[Any, list[np.ndarray]]:
        return step(), [step.gradients[p] for p in parameters]

    def eager() -> tuple[Any, list[np.ndarray]]:
        recorded = loss(data)
        return tuple(t.data[()] for t in recorded), list(grad(recorded[0], parameters))

    return names, eager if step is None else lambda: captured(step)
