"""The recording as formulas: every forward line and every contribution to a gradient as an expression over symbols.

The engine's backward lines are run here, all of them kept, and each is paired with the rule of `table.py` that states
it. Symbols have keys ("v", place) for values, ("g", place) for gradients, ("d", place) for the inner gradient of a
layer (∂L/∂A, A the pre-activation).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from autograd_ae.core.op import Node
from autograd_ae.core.program import NOTHING, Line, Program, accumulate, refuse_edited
from autograd_ae.explain.expression import Expr, num, sum_to, sym
from autograd_ae.explain.symbols import Symbols, barred
from autograd_ae.explain.table import RULES

Array = np.ndarray
Key = tuple[str, int]


@dataclass
class Step:
    """One line of mathematics: `target = formula`, or `target += formula` where a value has several users.

    target : key of the symbol.    array : the engine's value of the formula.    total : of the target after this step.
    node, k : the op that it comes from, and the input that it is the gradient of (None: of the inner value).
    last : no later step adds to the target.    upstream : key of the gradient that the rule starts from.
    """

    target: Key
    formula: Expr
    array: Array
    total: Array
    line: int
    node: Node | None
    k: int | None = None
    upstream: Key | None = None
    adds: bool = False
    last: bool = True


@dataclass
class Tape:
    """A program, its values, and its steps."""

    program: Program
    symbols: Symbols
    cotangent: Array
    env: dict[Key, Array] = field(default_factory=dict)
    forward: list[Step] = field(default_factory=list)
    backward: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        for place, array in enumerate(self.program.arrays):
            if array is not None and self.program.values[place].kind not in ("gradient", "partial"):
                self.env["v", place] = array
        self.forward = [self._forward_step(i) for i in range(len(self.program.forward))]
        self.backward = list(self._backward_steps()) if self.program.seed != NOTHING else []
        seen: set[Key] = set()
        for step in reversed(self.backward):
            step.last = step.target not in seen
            seen.add(step.target)

    # Symbols.

    def value(self, place: int) -> Expr:
        """The symbol of a value, or the number that it is."""
        if self.symbols.number_of(place):
            return num(float(self.env["v", place]))
        return sym(("v", place), self.program.values[place].shape)

    def gradient(self, place: int) -> Expr:
        return sym(("g", place), self.program.values[place].shape)

    def name(self, key: Key) -> str:
        """LaTeX of a symbol."""
        kind, place = key
        if kind == "n":
            return self.names[place]  # type: ignore[index]  # what a closed form names: ("n", key)
        symbol = self.symbols.of.get(place, "")
        if kind == "v":
            return symbol
        if kind == "g":
            return barred(symbol)
        number = list(self._deltas).index(place) + 1
        only = len(self._deltas) == 1
        return r"\Delta" if only else rf"\Delta^{{({number})}}"

    @property
    def _deltas(self) -> dict[int, None]:
        """Outputs of layers with an inner gradient, in forward order."""
        lines = zip(self.program.forward, self.program.nodes, strict=True)
        return {line.out: None for line, node in lines if node.op.delta is not None}

    @cached_property
    def names(self) -> _Names:
        return _Names(self)

    # Steps.

    def inputs(self, line: Line) -> list[Expr]:
        return [self.value(a) for a in line.args]

    def _forward_step(self, i: int) -> Step:
        line, node = self.program.forward[i], self.program.nodes[i]
        formula = RULES[node.op.name].value(*self.inputs(line), **line.params)
        array = self.env["v", line.out]
        return Step(("v", line.out), formula, array, array, i, node)

    def _backward_steps(self) -> Iterator[Step]:
        seed, output = self.program.seed, self.program.outputs[0]
        arrays: dict[int, Array] = {seed: self.cotangent}
        self.env["g", output] = self.cotangent
        start = num(float(self.cotangent)) if self.cotangent.shape == () else sym(("g", output), self.cotangent.shape)
        yield Step(("g", output), start, self.cotangent, self.cotangent, -1, None)
        lines = iter(self.program.backward)
        for line in lines:
            refuse_edited(self.program.nodes[line.node])
            self._run(line, arrays)
            yield self._step(line, lines, arrays)

    def _run(self, line: Line, arrays: dict[int, Array]) -> Array:
        value = self.program.values[line.out]
        out = arrays.setdefault(line.out, np.empty(value.shape, value.dtype))
        given = [arrays[a] if a in arrays else self.program.arrays[a] for a in line.args]
        with np.errstate(all="ignore"):
            line.run(out, *given, **line.params)
        return out

    def _step(self, line: Line, lines: Iterator[Line], arrays: dict[int, Array]) -> Step:
        forward, node = self.program.forward[line.node], self.program.nodes[line.node]
        rule, op = RULES[node.op.name], node.op
        inputs, y = self.inputs(forward), self.value(forward.out)
        g = self.gradient(forward.out)
        if line.label.endswith(".delta"):
            assert rule.delta is not None
            key = ("d", forward.out)
            self.env[key] = arrays[line.out]
            formula = rule.delta(g, y, *inputs, **forward.params)
            return Step(key, formula, arrays[line.out], arrays[line.out], line.node, node, None, ("g", forward.out))
        upstream = ("g", forward.out)
        if op.delta is not None:
            upstream, g = ("d", forward.out), sym(("d", forward.out), self.program.values[forward.out].shape)
        k = self._which(line, node)
        place = forward.args[k]
        state = rule.gradient(k)
        assert state is not None
        formula = state(g, y, *inputs, **line.params)
        out = line.out
        shape = self.program.values[place].shape
        if formula.shape != shape:  # the engine sums over axes that were broadcast
            formula = sum_to(formula, shape)
        for following in self._belonging(line, lines):
            if following.run is accumulate:
                before = arrays[out]
                total = arrays[following.out]
                self._run(following, arrays)
                self.env["g", place] = total
                return Step(
                    ("g", place), formula, before, total.copy(), line.node, node, k, upstream, adds=True
                )  # fmt: skip
            self._run(following, arrays)
            out = following.out
        adds = ("g", place) in self.env
        self.env["g", place] = arrays[out]
        return Step(("g", place), formula, arrays[out].copy(), arrays[out].copy(), line.node, node, k, upstream, adds)

    def _belonging(self, line: Line, lines: Iterator[Line]) -> Iterator[Line]:
        """The lines that sum over broadcast axes and accumulate what this line computed."""
        out = line.out
        while self._follows(out):
            following = next(lines)
            yield following
            if following.run is accumulate:
                return
            out = following.out

    def _follows(self, out: int) -> bool:
        """Is a value an intermediate of the engine, which the next line reads?"""
        return self.program.values[out].kind == "partial"

    def _which(self, line: Line, node: Node) -> int:
        if node.op.variadic:
            return int(line.params["wrt"])
        name = line.label.rpartition(".")[2]
        return [f"d{argument}" for argument in node.op.argument_names].index(name)


class _Names(dict[Key, str]):
    """Names made when they are asked for."""

    def __init__(self, tape: Tape):
        super().__init__()
        self.tape = tape

    def __missing__(self, key: Key) -> str:
        self[key] = self.tape.name(key)
        return self[key]


def start(program: Program, cotangent: Any, given: dict[str, str]) -> Tape:
    """The tape of a program; a result that is not a scalar is summed where no cotangent is given."""
    shape, dtype = program.values[program.outputs[0]].shape, program.values[program.outputs[0]].dtype
    seed = np.ones(shape, dtype) if cotangent is None else program.cotangent(cotangent)
    return Tape(program, Symbols(program, given), seed)
