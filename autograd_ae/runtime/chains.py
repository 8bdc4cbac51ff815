"""Which lines of a program are stacks of dense layers: y₁ = f(x W₁ + b₁), y₂ = f(y₁ W₂ + b₂), …, with their pullbacks.

A chain is a run of `dense` lines in which each output is read by the next line only, weights and biases are
parameters used once, and all their gradients are wanted. Such lines, forward and backward, can be done at one stroke
by `stack_plan.Stack`: nobody else sees what lies between. Forward lines of a chain are neighbours, so backward lines
are too.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from autograd_ae.core.lines import Line
from autograd_ae.core.op import runnable
from autograd_ae.core.program import Program
from autograd_ae.core.sweep import accumulate
from autograd_ae.ops import dense

FUSED = {op.run: (name, op) for name, op in dense.FUSED.items()}
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True)
class Link:
    """A layer by the places of its values: parameters and their gradients."""

    W: int
    b: int
    activation: str
    dW: int
    db: int


@dataclass(frozen=True)
class Chain:
    """Layers by places; `forward` and `backward` are the lines that they stand for; `after` must follow the latter."""

    links: tuple[Link, ...]
    x: int
    y: int
    g: int
    dx: int | None
    forward: range
    backward: range
    after: tuple[Line, ...]

    def work(self, program: Program) -> int:
        """Multiplications of the forward pass."""
        samples = math.prod(program.values[self.x].shape[:-1])
        return samples * sum(math.prod(program.values[link.W].shape) for link in self.links)


def find_chains(program: Program) -> list[Chain]:
    """All chains of a program, each as long as can be."""
    uses = Counter(a for line in program.forward for a in line.args)
    backward: dict[int, list[int]] = {}
    for number, line in enumerate(program.backward):
        backward.setdefault(line.node, []).append(number)
    kinds = [_kind(program, line, uses, [program.backward[i] for i in backward.get(k, ())])
             for k, line in enumerate(program.forward)]  # fmt: skip
    chains, k = [], 0
    while k < len(kinds):
        first = k
        while k < len(kinds) and kinds[k] is not None and (k == first or _follows(program, k, uses)):
            k += 1
        if k > first:
            chains.append(_chain(program, range(first, k), kinds[first:k], backward))
        else:
            k += 1
    return chains


def _follows(program: Program, k: int, uses: Counter[int]) -> bool:
    """Whether line k alone reads what line k − 1 computed, and needs no gradient of it but for its own pullback."""
    y = program.forward[k - 1].out
    reads = program.forward[k].args[0] == y and uses[y] == 1 and y not in program.outputs
    return reads and len(program.values[y].shape) == len(program.values[program.forward[k].out].shape)


def _kind(program: Program, line: Line, uses: Counter[int], pullbacks: list[Line]) -> Link | None:
    """The layer that a line is, or None where it is none whose gradients are all wanted."""
    if line.run not in FUSED or line.params:
        return None
    name, op = FUSED[line.run]
    x, W, b = line.args
    values = [program.values[place] for place in (line.out, x, W, b)]
    plain = all(v.dtype == values[0].dtype and 0 not in v.shape for v in values) and values[0].dtype in FLOATS
    own = all(program.values[p].kind == "parameter" and uses[p] == 1 for p in (W, b)) and b != W
    inner = next((p.out for p in pullbacks if op.delta is not None and p.run is runnable(op.delta)), None)
    d = program.gradients.get(line.out) if op.delta is None else inner
    outs = {p.run: p.out for p in pullbacks if d is not None and p.args[0] == d}
    dW, db = outs.get(runnable(dense.dW)), outs.get(runnable(dense.db))
    if not plain or not own or dW is None or db is None:
        return None
    return Link(W, b, name, dW, db)


def _chain(program: Program, forward: range, links: list[Link | None], backward: dict[int, list[int]]) -> Chain:
    bottom, top = program.forward[forward[0]], program.forward[forward[-1]]
    numbers = sorted(i for k in forward for i in backward[k])
    lines = [program.backward[i] for i in numbers]
    dx = [line.out for line in lines if line.node == forward[0] and line.run is runnable(dense.dx)]
    return Chain(
        tuple(link for link in links if link is not None),
        bottom.args[0],
        top.out,
        program.gradients[top.out],
        dx[0] if dx else None,
        forward,
        range(numbers[0], numbers[-1] + 1),
        tuple(line for line in lines if line.run is accumulate),
    )
