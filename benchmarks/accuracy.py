"""Workload A: seconds of training until the lecture's two-number code is as good as it should be.

784-512-256-64-2 and back, all sigmoid, trained on the 8,000 embedded digits by Adam (rate 1e-3, batches of 128) until
the mean squared error per test image is at most 43, which two principal components reach on MNIST, or 35. All
contenders start from the same weights and see the same batches; the error is measured after each epoch while the clock
stands. What is compared beforehand is the error after the first epoch: rounding, which grows from step to step, leaves
three digits of it.
"""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from benchmarks.networks import BETA_1, BETA_2, EPS, RATE
from benchmarks.workload import Contender, Options, Step, Workload

BATCH, SEED, EPOCHS = 128, 0, 120


@dataclass(frozen=True)
class Race:
    """Training and test images, float32 in rows, and the error to reach."""

    train: np.ndarray
    test: np.ndarray
    target: float


def digits_race(options: Options, *, target: float) -> Race:
    """The embedded digits; with --quick a tenth of them and a target that takes a few epochs."""
    import autograd_ae as ae

    digits = ae.data.load_digits()
    if options.quick:
        return Race(digits.train.images[:800], digits.test.images[:200], 52.0)
    return Race(digits.train.images, digits.test.images, target)


@dataclass
class Clock:
    """Sums up the time between epochs' ends, and knows when the target is reached."""

    target: float
    seconds: float = 0.0
    errors: list[float] = field(default_factory=list)
    started: float = 0.0

    def start(self) -> None:
        self.started = time.perf_counter()

    def epoch(self, error_of: Callable[[], float]) -> bool:
        """Stop, measure, go on; whether the target is reached."""
        self.seconds += time.perf_counter() - self.started
        self.errors.append(error_of())
        self.start()
        return self.errors[-1] <= self.target

    def outputs(self) -> tuple[float, float]:
        """The error after the first epoch, and the seconds."""
        if self.errors[-1] > self.target:
            raise RuntimeError(f"after {len(self.errors)} epochs the error is {self.errors[-1]:.2f}, not {self.target}")
        return self.errors[0], self.seconds


def own(race: Race, **settings: object) -> Step:
    """`Autoencoder.fit`, as anyone would call it."""
    import autograd_ae as ae

    def step():
        clock = Clock(race.target)
        model = ae.Autoencoder(n_components=2, batch_size=BATCH, max_iter=EPOCHS, random_state=SEED, **settings)
        clock.start()
        model.fit(race.train, callback=lambda m, _: clock.epoch(lambda: m.reconstruction_error(race.test)))
        return clock.outputs()

    return step


def torch_loop(race: Race, *, fused: bool = True, compiled: bool = False) -> Step:
    """The usual loop in PyTorch, from the weights and over the batches that `Autoencoder.fit` has."""
    import torch

    import autograd_ae as ae
    from autograd_ae.data.batches import batches

    width = race.train.shape[1]
    encoder, decoder = ae.Autoencoder(n_components=2)._build(width, np.random.default_rng(SEED), np.float32)
    start = [(layer.W.data, layer.b.data) for layer in (*encoder.layers, *decoder.layers)]
    linears = [torch.nn.Linear(*W.shape) for W, _ in start]
    net = torch.nn.Sequential(*(part for linear in linears for part in (linear, torch.nn.Sigmoid())))
    test = torch.tensor(race.test)

    def loss_of(x):
        return torch.nn.functional.mse_loss(net(x), x, reduction="sum") / len(x)

    training_loss = torch.compile(loss_of, dynamic=False) if compiled else loss_of  # the last batch is a shorter one

    def error() -> float:
        with torch.no_grad():
            return float(loss_of(test))

    def step():
        rng = np.random.default_rng(SEED)
        ae.Autoencoder(n_components=2)._build(width, rng, np.float32)  # draws what fit draws before its first batch
        clock = Clock(race.target)
        clock.start()
        with torch.no_grad():
            for linear, (W, b) in zip(linears, start, strict=True):
                linear.weight.copy_(torch.from_numpy(W.T))
                linear.bias.copy_(torch.from_numpy(b))
        adam = torch.optim.Adam(net.parameters(), lr=RATE, betas=(BETA_1, BETA_2), eps=EPS, fused=fused or None)
        for _ in range(EPOCHS):
            for rows in batches(race.train, BATCH, rng):
                loss = training_loss(torch.from_numpy(race.train[rows]))
                adam.zero_grad()
                loss.backward()
                adam.step()
            if clock.epoch(error):
                break
        return clock.outputs()

    return step


CONTENDERS = [
    Contender("autograd_ae", own, needs=("autograd_ae.models",)),
    Contender("torch eager, default Adam", partial(torch_loop, fused=False), needs=("torch",)),
    Contender("torch eager, fused Adam", torch_loop, needs=("torch",)),
    Contender("torch.compile, fused Adam", partial(torch_loop, compiled=True), needs=("torch",)),
]
WORKLOADS = [
    Workload(
        f"A/{target}",
        f"seconds of training of 784-512-256-64-2 and back until the test error is {target}",
        partial(digits_race, target=target),
        CONTENDERS,
        unit="s",
        scale=1.0,
        tolerance=1e-3,
        checked_step=0,
        reported=True,
        rounds=3,
    )
    for target in (43, 35)
]
