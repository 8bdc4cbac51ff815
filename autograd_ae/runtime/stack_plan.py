"""A dense stack's tables: its arrays, its plan and the scores of its forward and backward pass, made once.

The arrays of the user (weights, biases, input, output, gradients, moments) are used where they lie; panels, deltas
and scratch memory are allocated here. Everything whose address stands in a table is kept alive here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_ae.runtime import phases as ph
from autograd_ae.runtime.emitter import tile_of
from autograd_ae.runtime.panels import aligned, ceil
from autograd_ae.runtime.stack import ACTIVATION_CODES, PACKED_BYTES
from autograd_ae.runtime.team import HEAD, PHASES, THREADS

Array = np.ndarray


class Layer(NamedTuple):
    """One dense layer: W (K, N) and b (N,) in C order, its activation, and where its gradients go, if they are kept."""

    W: Array
    b: Array
    activation: str
    dW: Array | None = None
    db: Array | None = None


class Rule(NamedTuple):
    """An optimiser that is applied to gradients as they arise, over parameters W₁, b₁, W₂, b₂, …

    phase : `adam` or `sgd`.
    numbers : its float64 scalars, renewed before each step.
    moments : for each parameter its moments; none for SGD without momentum.
    """

    phase: str
    numbers: Array
    moments: Sequence[Sequence[Array]]

    def renew(self, optimizer: Any) -> None:
        """Begin the optimiser's next step: its count, its rate, its scalars."""
        rate = optimizer.learning_rate
        optimizer.steps += 1
        optimizer._begin(rate)
        scalars = (*optimizer.scalars, *getattr(optimizer, "switches", ()))
        self.numbers[: len(scalars)] = scalars


def rule_of(optimizer: Any) -> Rule:
    """The rule of an Adam, AdamW or SGD over the parameters W₁, b₁, W₂, b₂, …: on its own moments, where they lie."""
    views = list(optimizer._moment_views.values())
    moments = list(zip(*views, strict=True)) if views else [()] * len(optimizer.params)
    phase = "adam" if "second_moment" in optimizer.moments else "sgd"
    return Rule(phase, np.zeros(8), moments)


class Stack:
    """Layers on an input x (B, K); output y (B, N); g = ∂L/∂y; dx = ∂L/∂x where wanted. One dtype, C order."""

    def __init__(
        self,
        layers: Sequence[Layer],
        x: Array,
        y: Array,
        g: Array | None = None,
        *,
        dx: Array | None = None,
        rule: Rule | None = None,
        threads: int = 1,
    ):
        self.dtype, self.samples, self.threads = x.dtype, len(x), threads
        self.tile = tile_of(x.dtype)
        self.rule = rule
        self.panels: list[Array] = []  # panels, deltas and scratch memory
        self._kept = (layers, x, y, g, dx, rule)
        self.plan = np.zeros((2 + len(layers), ph.COLUMNS), np.int64)
        self._step_row(layers, x, y, g, dx, rule)
        self._layer_rows(layers, x, g, dx, rule)
        self._tasks = self._make_tasks(len(layers))
        last = len(layers)
        self.forward = self._score(
            [("pack_input", 0), *[("forward", l) for l in range(1, last + 1)], ("unpack_output", last)]
        )
        self.backward = self._score(self._backward_phases(last, dx) if g is not None else [])

    # Memory.

    def _new(self, count: int) -> Array:
        array = aligned(count, self.dtype)
        self.panels.append(array)
        return array

    def _padded(self, n: int) -> int:
        return ceil(n, self.tile.columns) * self.tile.columns

    def _panels(self, units: int) -> int:
        """The address of new panels for a batch of this many units."""
        return self._new(self._padded(units) * self._padded(self.samples)).ctypes.data

    # The plan.

    def _step_row(
        self, layers: Sequence[Layer], x: Array, y: Array, g: Array | None, dx: Array | None, rule: Rule | None
    ) -> None:
        widths = [x.shape[1], *(layer.W.shape[1] for layer in layers)]
        C, widest = self.tile.columns, self._padded(max(widths))
        packed = max(PACKED_BYTES // self.dtype.itemsize, (max(widths) + 1) * C)
        each = ceil(max(packed, 2 * C * C + 64 + C * widest), 16) * 16
        memory = self._new(each * self.threads)
        size = self.dtype.itemsize
        if rule is not None:
            self.plan[0, [ph.UPDATE, ph.NUMBERS]] = ph.phase_code(rule.phase, self.dtype), _address(rule.numbers)
        row = [self.samples, len(layers), *map(_address, (x, y, g, dx, memory)), each * size, self.threads]
        self.plan[0, : len(row)] = row

    def _layer_rows(
        self, layers: Sequence[Layer], x: Array, g: Array | None, dx: Array | None, rule: Rule | None
    ) -> None:
        below = self.plan[1]
        below[ph.UNITS], below[ph.Y] = x.shape[1], self._panels(x.shape[1])
        if dx is not None:
            self._deltas(below)
        for l, layer in enumerate(layers, start=1):
            row = self.plan[1 + l]
            inputs, units = layer.W.shape
            row[: ph.Y] = inputs, units, ACTIVATION_CODES[layer.activation], _address(layer.W), _address(layer.b)
            row[ph.Y] = self._panels(units)
            if g is not None:
                self._deltas(row)
            row[ph.DW_OUT], row[ph.DB_OUT] = _address(layer.dW), _address(layer.db)
            if rule is not None:
                of_W, of_b = rule.moments[2 * l - 2 : 2 * l]
                row[ph.FIRST_W : ph.FIRST_W + len(of_W)] = list(map(_address, of_W))
                row[ph.FIRST_B : ph.FIRST_B + len(of_b)] = list(map(_address, of_b))

    def _deltas(self, row: Array) -> None:
        units = int(row[ph.UNITS])
        row[ph.D], row[ph.D_TURNED] = self._panels(units), self._panels(units)
        row[ph.DB] = self._new(self._padded(units)).ctypes.data

    # Scores.

    def _make_tasks(self, layers: int) -> Array:
        """Task (l, me) for each layer and thread."""
        tasks = np.zeros((layers + 1, self.threads, ph.TASK), np.int64)
        tasks[:, :, 0] = self.plan.ctypes.data
        tasks[:, :, 1] = np.arange(layers + 1)[:, None]
        tasks[:, :, 2] = np.arange(self.threads)
        return tasks

    def _backward_phases(self, last: int, dx: Array | None) -> list[tuple[str, int]]:
        names = [("top_delta", last)]
        for l in range(last, 0, -1):
            if l > 1 or dx is not None:
                names.append(("back", l))
            names.append(("gradient", l))
        return [*names, ("unpack_input_gradient", 0)] if dx is not None else names

    def _score(self, names: Sequence[tuple[str, int]]) -> Array:
        head = np.zeros(HEAD, np.int64)
        head[[PHASES, THREADS]] = len(names), self.threads
        rows = [
            [ph.phase_code(name, self.dtype), *(self._tasks[l, me].ctypes.data for me in range(self.threads))]
            for name, l in names
        ]
        return np.concatenate([head, np.array(rows, np.int64).reshape(-1)])


def _address(array: Array | None) -> int:
    return 0 if array is None else array.ctypes.data
