"""Our own contenders for a training step, from public parts only."""

from __future__ import annotations

from typing import Any

from benchmarks import networks
from benchmarks.networks import BETA_1, BETA_2, EPS, Problem
from benchmarks.workload import Step


def parts(problem: Problem) -> tuple[Any, Any, Any]:
    """Network, its parameters and an optimiser over their arrays."""
    import autograd_ae as ae

    pairs = enumerate(zip(*problem.copies(), strict=True), start=1)
    layers = (ae.nn.Dense(ae.tensor(W, f"W_{i}"), ae.tensor(b, f"b_{i}"), "sigmoid") for i, (W, b) in pairs)
    net = ae.nn.MLP(tuple(layers))
    parameters = ae.nn.parameters(net)
    adam = ae.optim.Adam([p.data for p in parameters], learning_rate=networks.RATE, betas=(BETA_1, BETA_2), eps=EPS)
    return net, parameters, adam


def captured(problem: Problem, *, runtime: str, written_out: bool = False) -> Step:
    """`ae.capture` with the optimiser: one call is a training step. `written_out`: compiled whole, as one function."""
    import autograd_ae as ae

    net, _, adam = parts(problem)
    example, batches = ae.constant(problem.batches[0]), problem.endless()
    train = ae.capture(lambda x: ae.squared_error(net(x), x), example, optimizer=adam, runtime=runtime)
    if written_out and not train.compile():
        raise RuntimeError("the program is too large to be compiled as one function")
    return lambda: (train(next(batches)),)


def eager(problem: Problem) -> Step:
    """Recorded anew at each step."""
    import autograd_ae as ae

    net, parameters, adam = parts(problem)
    batches = problem.endless()

    def step():
        x = next(batches)
        loss = ae.squared_error(net(x), x)
        adam.step(ae.grad(loss, parameters))
        return (loss.data,)

    return step
