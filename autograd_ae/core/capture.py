"""Capture: record a function once, keep its program, run the same lines again on new data.

The replayed lines are the recorded ones, on arrays at fixed places, so replay equals eager execution bit for bit
and all results lie in buffers allocated once. What may change between calls: the arguments (copied into the input
buffers) and the arrays of the traced tensors that the function closes over (its parameters; they are used where they
lie, so an optimiser that updates them in place is seen). What may not: everything else. Plain arrays that the function
uses are constants of the program; noise must therefore be an argument. The function is recorded a second time on other
values (rows in reverse order, times ¾) and the recordings are compared, so a function that draws random numbers, or
computes with values outside the recording, is refused instead of being frozen in silence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from autograd_ae.core.errors import CaptureError, GraphError
from autograd_ae.core.op import Array
from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor, _floats, capturing


class Gradients(Mapping[str, Array]):
    """Gradients by name, in the order of the program; an integer or a Tensor finds one as well."""

    def __init__(self, names: list[str], arrays: list[Array], tensors: list[Tensor]):
        self._by_name = dict(zip(names, arrays, strict=True))
        self._by_tensor = {id(t): array for t, array in zip(tensors, arrays, strict=True)}
        self._arrays = arrays

    def __getitem__(self, key: str | int | Tensor) -> Array:
        if isinstance(key, int):
            return self._arrays[key]
        try:
            return self._by_tensor[id(key)] if isinstance(key, Tensor) else self._by_name[key]
        except KeyError:
            raise GraphError(f"no gradient for {key!r}; there are {', '.join(self._by_name)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._arrays)


class Replay:
    """A program over buffers of its own: `run()` executes all lines in place."""

    def __init__(self, program: Program):
        self.program = program
        self.arrays = [
            np.empty(v.shape, v.dtype) if a is None and v.kind != "nothing" else a
            for v, a in zip(program.values, program.arrays, strict=True)
        ]
        if program.seed:
            self.arrays[program.seed] = np.ones((), program.values[program.seed].dtype)
        for place in program.wrt:  # what the outputs do not depend on
            if place not in program.gradients:
                program.gradients[place] = len(self.arrays)
                self.arrays.append(np.zeros(program.values[place].shape, program.values[place].dtype))
        self._bind()
        leaves = dict(program.leaves)
        self.gradients = Gradients(
            _distinct([program.name(place) for place in program.wrt]),
            [self.arrays[program.gradients[place]] for place in program.wrt],  # type: ignore[misc]
            [leaves[place] for place in program.wrt],
        )

    def _bind(self) -> None:
        """Look every place up once, so that a step is calls on arrays and nothing else."""
        for place, leaf in self.program.leaves:
            if place not in self.program.inputs:
                self.arrays[place] = leaf.data
        lines = [*self.program.forward, *self.program.backward]
        self._calls = [
            (line.run, self.arrays[line.out], [self.arrays[a] for a in line.args], line.params) for line in lines
        ]

    def run(self) -> None:
        if any(
            self.arrays[place] is not leaf.data
            for place, leaf in self.program.leaves
            if place not in self.program.inputs
        ):
            self._bind()  # a parameter was given a new array
        for run, out, args, params in self._calls:
            run(out, *args, **params)


class Captured:
    """What `capture` returns: `step(*arrays)` replays; `step.program` and `step.gradients` belong to the last call."""

    def __init__(self, fn: Callable[..., Any], example: tuple[Any, ...]):
        self._fn = fn
        self._names = _argument_names(fn, len(example))
        self._data = [isinstance(a, Tensor) and not a.traced for a in example]  # given as constants: no gradient
        self._replays: dict[tuple[Any, ...], Replay] = {}
        self._single = True
        self._current: Replay
        self(*example)

    def __call__(self, *arrays: Any) -> Any:
        """Values of the outputs on new data (copies; NumPy scalars where 0-d); gradients are renewed in place.

        Without arguments: once more on the data of the last call, for functions whose parameters changed meanwhile.
        """
        if not arrays and self._names:
            return self._run_current()
        if len(arrays) != len(self._names):
            names = ", ".join(self._names)
            raise TypeError(f"the captured function takes {len(self._names)} arrays ({names}), {len(arrays)} arrived")
        batch = [
            a.data if isinstance(a, Tensor) else _floats(a, name) for a, name in zip(arrays, self._names, strict=True)
        ]
        key = tuple((a.shape, a.dtype) for a in batch)
        replay = self._replays.get(key)
        if replay is None:
            replay = self._replays[key] = Replay(self._record(batch))
        self._current = replay
        for place, array in zip(replay.program.inputs, batch, strict=True):
            np.copyto(replay.arrays[place], array)  # type: ignore[arg-type]
        return self._run_current()

    def _run_current(self) -> Any:
        replay = self._current
        replay.run()
        values = tuple(replay.arrays[place].copy()[()] for place in replay.program.outputs)  # type: ignore[union-attr]
        return values[0] if self._single else values

    @property
    def program(self) -> Program:
        """The program of the last call's shapes; `print(step.program)` shows its lines."""
        return self._current.program

    @property
    def gradients(self) -> Gradients:
        """∂output/∂(arguments and parameters), by name: the live buffers, overwritten by the next call.

        The output is scalar.
        """
        if not self.program.wrt:
            shape = self.program.values[self.program.outputs[0]].shape
            raise GraphError(
                f"a gradient starts from a traced scalar, and the captured function's output has shape {shape}. "
                "Reduce it, or use ae.vjp"
            )
        return self._current.gradients

    def _record(self, batch: list[Array]) -> Program:
        program = self._run(batch)
        _refuse_changes(program, self._run_elsewhere(batch))
        return program

    def _run_elsewhere(self, batch: list[Array]) -> Program:
        """A second recording on other values: rows reversed and shrunk, or only reversed where that is refused.

        Shrinking keeps signs and stays in domains such as (0, ∞) and [0, 1]; a function may need rows that sum to 1.
        """
        turned = [a[::-1].copy() if a.ndim else a for a in batch]
        try:
            return self._run([a * a.dtype.type(0.75) for a in turned])
        except (ValueError, ArithmeticError):
            return self._run(turned)

    def _run(self, batch: list[Array]) -> Program:
        inputs = [
            Tensor(a.copy(), name, traced=not data)
            for a, name, data in zip(batch, self._names, self._data, strict=True)
        ]
        with capturing():
            result = self._fn(*inputs)
        self._single = isinstance(result, Tensor)
        outputs = [result] if isinstance(result, Tensor) else list(result) if isinstance(result, tuple | list) else []
        if not outputs or not all(isinstance(t, Tensor) for t in outputs):
            raise CaptureError(
                f"the captured function must return a tensor or a tuple of tensors, it returned {type(result).__name__}"
            )
        return Program(outputs, wrt=None if outputs[0].shape == () else (), inputs=inputs)


def capture(fn: Callable[..., Any], *example: Any) -> Captured:
    """Record `fn` on example arrays and keep the program for replay on new data.

    Parameters
    ----------
    fn : takes tensors, returns a tensor or a tuple of them; where the first is scalar, it is what is differentiated.
    example : float arrays; a constant (`ae.constant(x)`) marks data that no gradient is wanted of.
        Other shapes may come later: one program is kept per tuple of shapes and dtypes.

    Raises
    ------
    CaptureError : Python looked at a value, or two recordings of `fn` differ (random numbers, data used as a constant).

    >>> import autograd_ae as ae
    >>> step = ae.capture(lambda W, x: ((x @ W) ** 2.0).sum(), np.ones((2, 1)), np.ones((3, 2)))
    >>> float(step(np.full((2, 1), 2.0), np.ones((3, 2)))), step.gradients["W"].tolist()
    (48.0, [[24.0], [24.0]])
    """
    return Captured(fn, example)


def _argument_names(fn: Callable[..., Any], count: int) -> list[str]:
    try:
        names = [
            p.name
            for p in inspect.signature(fn).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        names = []
    return (names + [f"arg{i}" for i in range(len(names), count)])[:count]


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return result


def _refuse_changes(first: Program, second: Program) -> None:
    """Two recordings of one function must agree in all but the values of the inputs."""
    remedy = "Pass it as an argument of the captured function (noise too: draw it outside)"
    if [first.text(line) for line in first.forward] != [second.text(line) for line in second.forward]:
        raise CaptureError(
            f"two recordings of the function gave different lines: its course depends on values or on chance. {remedy}"
        )
    for (place, a), (_, b) in zip(first.leaves, second.leaves, strict=True):
        if place not in first.inputs and not np.array_equal(a.data, b.data, equal_nan=True):
            raise CaptureError(
                f"a constant of shape {a.shape} ({first.name(place)}) differs between two recordings of the function: "
                "it was drawn at random or computed from .data outside the recording, and replay would freeze it. "
                f"{remedy}"
            )
    for line, other in zip(first.forward, second.forward, strict=True):
        if not all(np.array_equal(a, other.params[k]) for k, a in line.params.items() if isinstance(a, np.ndarray)):
            raise CaptureError(
                f"an index array of {first.text(line)} differs between two recordings of the function. {remedy}"
            )
