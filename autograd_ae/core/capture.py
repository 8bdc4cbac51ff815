"""Capture: record a function once, keep its program, run the same lines again on new data.

The replayed lines are the recorded ones, on arrays at fixed places, so replay equals eager execution bit for bit
and all results lie in buffers allocated once. What may change between calls: the arguments (copied into the input
buffers) and the arrays of the traced tensors that the function closes over (its parameters; they are used where they
lie, so an optimiser that updates them in place is seen). What may not: everything else. Plain arrays that the function
uses are constants of the program; noise must therefore be an argument. The function is recorded a second time on other
values (rows in reverse order, times ¾) and the recordings are compared, so a function that draws random numbers, or
computes with values outside the recording, is refused instead of being frozen in silence. A third time it is recorded
on values of the other sign and three times as large, where it takes such: so a branch on a sign or a size is seen. A
function that raises there says that these values are not its business, and nothing follows from that.

Not seen: a branch that all three recordings decide alike, and one on the values of parameters, which are left alone.

A captured function has buffers, so one thread at a time may call it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd_ae.core.errors import CaptureError, GraphError
from autograd_ae.core.modes import capturing, state
from autograd_ae.core.op import Array
from autograd_ae.core.program import Program
from autograd_ae.core.recording import refuse_nan
from autograd_ae.core.tensor import Tensor, _floats


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
        complete(program, self.arrays)
        self._bind()
        self.gradients = gradients_of(program, self.arrays)

    def _bind(self) -> None:
        """Look every place up once, so that a step is calls on arrays and nothing else."""
        for place, array in arrays_now(self.program):
            self.arrays[place] = array
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
        if state.anomaly:
            run_watched(self.program, self.arrays)
            return
        for run, out, args, params in self._calls:
            run(out, *args, **params)


def arrays_now(program: Program) -> list[tuple[int, Array]]:
    """(place, array) of all leaves that are not inputs, as their tensors have them now.

    CaptureError where one has another shape or dtype than when it was recorded; the layout is free.
    """
    found = [(place, leaf.data) for place, leaf in program.leaves if place not in program.inputs]
    for place, array in found:
        value = program.values[place]
        if not isinstance(array, np.ndarray) or array.shape != value.shape or array.dtype != value.dtype:
            name = program.name(place)
            now = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else f"of type {type(array).__name__}"
            raise CaptureError(
                f"{name} was {value.dtype} {value.shape} when the function was captured, and its .data is now {now}: "
                f"capture the function again, or change the array in place ({name}.data[...] =)"
            )
    return found


def run_watched(program: Program, arrays: Sequence[Array | None]) -> None:
    """All lines one by one; AnomalyError at the first that gives a NaN."""
    for line in (*program.forward, *program.backward):
        out: Array = arrays[line.out]  # type: ignore[assignment]  # None only at NOTHING
        line.run(out, *[arrays[a] for a in line.args], **line.params)
        refuse_nan(out, partial(program.blame, line))


def complete(program: Program, arrays: list[Array | None]) -> None:
    """The seed of the backward pass, and zeros for gradients of what the outputs do not depend on."""
    if program.seed:
        arrays[program.seed] = np.ones((), program.values[program.seed].dtype)
    for place in program.wrt:
        if place not in program.gradients:
            program.gradients[place] = len(arrays)
            arrays.append(np.zeros(program.values[place].shape, program.values[place].dtype))


def gradients_of(program: Program, arrays: list[Array | None]) -> Gradients:
    """The gradients among a program's arrays, by name, number and tensor."""
    leaves = dict(program.leaves)
    return Gradients(
        _distinct([program.name(place) for place in program.wrt]),
        [arrays[program.gradients[place]] for place in program.wrt],  # type: ignore[misc]
        [leaves[place] for place in program.wrt],
    )


class Captured:
    """What `capture` returns: `step(*arrays)` runs; `step.program` and `step.gradients` belong to the last call.

    `prepare` makes of a program what runs it.
    """

    def __init__(self, fn: Callable[..., Any], example: tuple[Any, ...], prepare: Callable[[Program], Any] = Replay):
        self._fn, self._prepare = fn, prepare
        self._names = _argument_names(fn, len(example))
        self._data = [isinstance(a, Tensor) and not a.traced for a in example]  # given as constants: no gradient
        self._runners: dict[tuple[Any, ...], Any] = {}
        self._single = True
        self._current: Any
        self._select(self._floats(example))
        for buffer, array in zip(self._buffers, self._floats(example), strict=True):
            np.copyto(buffer, array)

    def __call__(self, *arrays: Any) -> Any:
        """Values of the outputs on new data (copies; NumPy scalars where 0-d); gradients are renewed in place.

        Without arguments: once more on the data of the last call, for functions whose parameters changed meanwhile.
        """
        buffers = self._buffers
        if len(arrays) == len(buffers):
            for array, buffer in zip(arrays, buffers):  # noqa: B905
                if type(array) is not np.ndarray or array.shape != buffer.shape or array.dtype != buffer.dtype:
                    buffers = self._select(arrays := self._floats(arrays))
                    break
            for array, buffer in zip(arrays, buffers):  # noqa: B905
                np.copyto(buffer, array)
        elif arrays or not self._names:
            self._floats(arrays)  # raises
        return self._run_current()

    def _floats(self, arrays: tuple[Any, ...]) -> tuple[Array, ...]:
        if len(arrays) != len(self._names):
            names = ", ".join(self._names)
            raise TypeError(f"the captured function takes {len(self._names)} arrays ({names}), {len(arrays)} arrived")
        return tuple(
            a.data if isinstance(a, Tensor) else _floats(a, name) for a, name in zip(arrays, self._names, strict=True)
        )

    @staticmethod
    def _key(batch: Sequence[Array]) -> tuple[Any, ...]:
        """What a program is kept under."""
        return tuple((a.shape, a.dtype) for a in batch)

    def _select(self, batch: tuple[Array, ...]) -> list[Array]:
        """Make the program of these shapes and dtypes the current one; its input buffers."""
        key = self._key(batch)
        if key not in self._runners:
            self._runners[key] = self._prepare(self._record(batch))
        self._current = runner = self._runners[key]
        self._buffers: list[Array] = [runner.arrays[place] for place in runner.program.inputs]
        self._outputs: list[Array] = [runner.arrays[place] for place in runner.program.outputs]
        self._number = self._single and not self._outputs[0].ndim
        return self._buffers

    def _run_current(self) -> Any:
        self._current.run()
        return self._values()

    def _values(self) -> Any:
        """What the last run computed."""
        if self._number:
            return self._outputs[0][()]
        if self._single:
            return self._outputs[0].copy()
        return tuple([output.copy()[()] for output in self._outputs])

    @property
    def program(self) -> Program:
        """The program of the last call's shapes; `print(step.program)` shows its lines."""
        program: Program = self._current.program
        return program

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
        gradients: Gradients = self._current.gradients
        return gradients

    def _record(self, batch: Sequence[Array]) -> Program:
        program = self._run(batch)
        _refuse_changes(program, self._run_elsewhere(batch))
        if (beyond := self._run_beyond(batch)) is not None:
            _refuse_changes(program, beyond)
        return program

    def _run_elsewhere(self, batch: Sequence[Array]) -> Program:
        """A second recording on other values: rows reversed and shrunk, or only reversed where that is refused.

        Shrinking keeps signs and stays in domains such as (0, ∞) and [0, 1]; a function may need rows that sum to 1.
        """
        turned = [a[::-1].copy() if a.ndim else a for a in batch]
        try:
            return self._run([a * a.dtype.type(0.75) for a in turned], only_forward=True)
        except (ValueError, ArithmeticError):
            return self._run(turned, only_forward=True)

    def _run_beyond(self, batch: Sequence[Array]) -> Program | None:
        """A third recording, on the example times −3; None where the function does not take that."""
        try:
            with np.errstate(all="ignore"):
                return self._run([a * a.dtype.type(-3) for a in batch], only_forward=True)
        except CaptureError:
            raise
        except Exception:  # a domain that ends at 0, a check of the user's own: whatever it is, it is no branch
            return None

    def _run(self, batch: Sequence[Array], *, only_forward: bool = False) -> Program:
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
        return Program(outputs, wrt=None if outputs[0].shape == () and not only_forward else (), inputs=inputs)


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
