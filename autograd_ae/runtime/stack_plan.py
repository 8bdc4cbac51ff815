"""A dense stack's tables: its arrays, its plan and the scores of its passes, made once.

The arrays of the user (weights, biases, input, output, gradients, moments) are used where they lie; panels, deltas
and scratch memory are allocated here. Everything whose address stands in a table is kept alive here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_ae.runtime import shares
from autograd_ae.runtime.emitter import tile_of
from autograd_ae.runtime.panels import aligned, ceil
from autograd_ae.runtime.phases import phase_code
from autograd_ae.runtime.stack import ACTIVATION_CODES, PACKED_BYTES
from autograd_ae.runtime.team import COUNTS, HEAD, PHASES, SEAT, THREADS

Array = np.ndarray


class Layer(NamedTuple):
    """One dense layer: W (K, N) and b (N,) in C order, its activation, and the arrays for its gradients."""

    W: Array
    b: Array
    activation: str
    dW: Array
    db: Array


class Rule(NamedTuple):
    """An optimiser that is applied to gradients as they arise.

    phase : `adam` or `sgd`.
    numbers : its float64 scalars, renewed before each step.
    moments : for each of W₁, b₁, W₂, b₂, … its moments; none for SGD without momentum.
    """

    phase: str
    numbers: Array
    moments: Sequence[Sequence[Array]]


def rule_of(optimizer: Any, parameters: Sequence[Array]) -> Rule:
    """The rule of an Adam, AdamW or SGD for W₁, b₁, … among its parameters: on its own moments, where they lie."""
    place = {id(p): i for i, p in enumerate(optimizer.params)}
    views = list(optimizer._moment_views.values())
    moments = [[view[place[id(p)]] for view in views] for p in parameters]
    return Rule("adam" if "second_moment" in optimizer.moments else "sgd", np.zeros(8), moments)


def renew(numbers: Array, optimizer: Any) -> None:
    """Begin the optimiser's next step: its count, its rate, its scalars."""
    rate = optimizer.learning_rate
    optimizer.steps += 1
    optimizer._begin(rate)
    scalars = (*optimizer.scalars, *getattr(optimizer, "switches", ()))
    numbers[: len(scalars)] = scalars


class Stack:
    """Layers on an input x (B, K); output y (B, N); g = ∂L/∂y; dx = ∂L/∂x where wanted. One dtype, C order.

    Its scores: `forward`; `deltas`, which with `look_over` refuses where a gradient might not be finite; `gradients`,
    which hands them to `rule`, or keeps them where there is none.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        x: Array,
        y: Array,
        g: Array,
        *,
        dx: Array | None = None,
        rule: Rule | None = None,
        threads: int = 1,
        seat: Array | None = None,
        look_over: bool = True,
    ):
        self.layers, self.rule = layers, rule
        self.dtype, self.samples, self.threads = x.dtype, len(x), threads
        self.tile = tile_of(x.dtype)
        self.panels: list[Array] = []  # panels, deltas and scratch memory
        self._kept = (x, y, g, dx)
        self.plan = np.zeros((2 + len(layers), shares.COLUMNS), np.int64)
        self.seat = np.zeros(1, np.int64) if seat is None else seat
        self.squares, self._squares_of = self._make_squares()
        self._step_row(x, y, g, dx)
        self._layer_rows(x, dx)
        self.keep(rule is None)
        self._tasks: list[Array] = []  # and counts of what has been taken of a phase
        up = range(1, len(layers) + 1)
        self.forward = self._score([("pack_input", 0), *[("forward", l) for l in up]])
        back = [("back", l) for l in reversed(up) if l > 1 or dx is not None]
        look = [("look_over", 0)] if look_over else []
        self.deltas = self._score([("top_delta", up[-1]), *back, *look])
        self.gradients = self._score([("gradients", 0)])

    @property
    def scores(self) -> tuple[Array, Array, Array]:
        """All three."""
        return self.forward, self.deltas, self.gradients

    def keep(self, kept: bool) -> None:
        """Whether `gradients` also writes them to the layers' dW and db."""
        for row, layer in zip(self.plan[2:], self.layers, strict=True):
            row[shares.DW_OUT], row[shares.DB_OUT] = (_address(layer.dW), _address(layer.db)) if kept else (0, 0)

    def update(self, wanted: bool) -> None:
        """Whether `gradients` hands them to the rule."""
        code = 0 if self.rule is None or not wanted else phase_code(self.rule.phase, self.dtype)
        self.plan[0, shares.UPDATE] = code

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

    def _make_squares(self) -> tuple[Array, list[Array]]:
        """For each layer Σ dW² by panels, then Σ db²: all of them, and by layers."""
        counts = [ceil(layer.W.shape[0], self.tile.columns) + 1 for layer in self.layers]
        squares = np.zeros(sum(counts))
        return squares, np.split(squares, np.cumsum(counts)[:-1])

    # The plan.

    def _step_row(self, x: Array, y: Array, g: Array, dx: Array | None) -> None:
        widest = max(x.shape[1], *(layer.W.shape[1] for layer in self.layers))
        C, size = self.tile.columns, self.dtype.itemsize
        packed = max(PACKED_BYTES // size, (widest + 1) * C)
        each = ceil(max(packed, 2 * C * C + 64 + C * self._padded(widest)), 16) * 16
        row = [self.samples, len(self.layers), *map(_address, (x, y, g, dx, self._new(each * self.threads)))]
        self.plan[0, : shares.UPDATE] = [*row, each * size, self.threads]
        self.plan[0, shares.NUMBERS] = 0 if self.rule is None else _address(self.rule.numbers)
        self.update(True)

    def _layer_rows(self, x: Array, dx: Array | None) -> None:
        below = self.plan[1]
        below[shares.UNITS], below[shares.Y] = x.shape[1], self._panels(x.shape[1])
        if dx is not None:
            self._deltas(below)
        for l, layer in enumerate(self.layers):
            row = self.plan[2 + l]
            inputs, units = layer.W.shape
            row[: shares.Y] = inputs, units, ACTIVATION_CODES[layer.activation], _address(layer.W), _address(layer.b)
            row[shares.Y], row[shares.SQUARES] = self._panels(units), _address(self._squares_of[l])
            self._deltas(row)
            if self.rule is not None:
                of_W, of_b = self.rule.moments[2 * l : 2 * l + 2]
                row[shares.FIRST_W : shares.FIRST_W + len(of_W)] = list(map(_address, of_W))
                row[shares.FIRST_B : shares.FIRST_B + len(of_b)] = list(map(_address, of_b))

    def _deltas(self, row: Array) -> None:
        units = int(row[shares.UNITS])
        row[shares.D], row[shares.D_TURNED] = self._panels(units), self._panels(units)
        row[shares.DB] = self._new(self._padded(units)).ctypes.data

    def _score(self, names: Sequence[tuple[str, int]]) -> Array:
        """Phases and the layers that they are for; each has a count in a cache line of its own, each thread a task."""
        phases, threads = len(names), self.threads
        counts = aligned(phases * 8, np.int64)
        tasks = np.zeros((phases, threads, shares.TASK), np.int64)
        tasks[..., 0] = self.plan.ctypes.data
        tasks[..., 1] = np.array([l for _, l in names])[:, None]
        tasks[..., 2] = np.arange(threads)
        tasks[..., 3] = counts.ctypes.data + 64 * np.arange(phases)[:, None]
        self._tasks += [tasks, counts]
        head = np.zeros(HEAD, np.int64)
        head[[PHASES, THREADS, SEAT, COUNTS]] = phases, threads, self.seat.ctypes.data, counts.ctypes.data
        rows = np.zeros((phases, 1 + threads), np.int64)
        rows[:, 0] = [phase_code(name, self.dtype) for name, _ in names]
        rows[:, 1:] = tasks.ctypes.data + tasks.strides[1] * np.arange(phases * threads).reshape(phases, threads)
        return np.concatenate([head, rows.reshape(-1)])


def _address(array: Array | None) -> int:
    return 0 if array is None else array.ctypes.data
