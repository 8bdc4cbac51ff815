"""ae.capture: record a function once, then run it on new data in one call, with the optimiser's step if there is one.

    step = ae.capture(loss_of, ae.constant(x), optimizer=ae.optim.Adam([W.data, b.data], learning_rate=1e-3))
    for rows in batches:
        value = step(X[rows])                    # forward, backward and update
        value = step.on_rows(X, rows)            # the same; the batch is read from X without a copy in between

What is recorded, and what is refused, is told in `core/capture.py`; how it is executed in `runtime/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_ae.core.capture import Captured, Replay
from autograd_ae.core.errors import ShapeError
from autograd_ae.core.op import Array
from autograd_ae.core.program import Program
from autograd_ae.runtime.compiled import parameter_places, refuse_replaced
from autograd_ae.runtime.entering import ELSEWHERE
from autograd_ae.runtime.fused import executor
from autograd_ae.runtime.gathering import by_numpy
from autograd_ae.runtime.team import usable_threads

RUNTIMES = ("compiled", "replay")


class Replayed(Replay):
    """Lines run one by one from Python, then the optimiser's step."""

    def __init__(self, program: Program, optimizer: Any = None):
        super().__init__(program)
        self.optimizer = optimizer
        wanted = [] if optimizer is None else parameter_places(program, optimizer)
        self._wanted = wanted
        self._to_apply = [self.arrays[program.gradients[place]] for place in wanted]

    def run(self) -> None:
        if self.optimizer is not None:
            refuse_replaced(self.program, self.optimizer, self._wanted, {p: t.data for p, t in self.program.leaves})
        super().run()
        if self.optimizer is not None:
            self.optimizer.step(self._to_apply)

    def take(self, X: Array, rows: Array, scale: float | None = None) -> None:
        """The first input ← the numbered rows of X."""
        by_numpy(self.arrays[self.program.inputs[0]], X, rows, scale)  # type: ignore[arg-type]


class Step(Captured):
    """A captured function: `step(*arrays)` gives its values, renews `gradients`, trains where it has an optimiser."""

    # The current program's way in past Python, where it is small enough to have one (`entering.py`): the function, and
    # the place of its value where that is one number.
    _enter: tuple[Callable[[tuple[Any, ...]], int], Array | None] | None = None
    _entry: Any = None

    def __call__(self, *arrays: Any) -> Any:
        """Values of the outputs on new data (copies; NumPy scalars where 0-d); gradients are renewed in place.

        Without arguments: once more on the data of the last call, for functions whose parameters changed meanwhile.
        """
        if self._enter is not None:
            enter, number = self._enter
            if (refused := enter(arrays)) != ELSEWHERE:
                if refused >= 0:
                    self._current.go_on(refused)
                return self._values() if number is None else number[()]
        values = super().__call__(*arrays)
        self._look_for_entry()
        return values

    def _look_for_entry(self) -> None:
        self._entry = getattr(self._current, "entry", None)
        self._enter = None if self._entry is None else (self._entry.step, self._outputs[0] if self._number else None)

    @property
    def runtime(self) -> Any:
        """What runs the program of the last call's shapes; `nbytes`, `callbacks` where it is compiled."""
        return self._current

    @property
    def brief(self) -> bool:
        """Whether the current program is small enough to be run past Python, many steps in one call (`on_rows`)."""
        return self._entry is not None

    def compile(self) -> bool:
        """For a tiny program: compile the whole step as one function, in some half a minute; it is kept on disk.

        What layers of a few units gain by it depends on the machine, from nothing to half (`python -m benchmarks T`).
        False, and nothing is done, for larger programs, and for replayed ones.
        """
        done = bool(getattr(self._current, "compile", bool)())
        self._look_for_entry()
        return done

    @property
    def inputs(self) -> Mapping[str, Array]:
        """The input buffers of the last call's shapes by name: fill them in place, then call `step()`."""
        return dict(zip(self._names, self._buffers, strict=True))

    def on_rows(self, X: Array, rows: Any, *others: Any, scale: float | None = None) -> Any:
        """`step(X[rows], *others)`, with the batch read straight from X into the input buffer.

        Parameters
        ----------
        X : (samples, n) of uint8, float32 or float64 in C order, also a memory map. uint8 is divided by 255.
        rows : (B,) integers. A new B is a new program.
            Or (steps, B): a step on each of these batches in turn; values come stacked, (steps, …) each. For a small
            program that is one call into machine code for some thousands of steps.
        others : the function's further arguments; without them their buffers (`step.inputs`) are left as they are.
            For many steps each has one axis more, (steps, …).
        scale : what to multiply X by, instead.

        Raises
        ------
        IndexError : a row that X does not have. What one of many steps raises, it raises when those before are done.
        TypeError : rows that are no integers, such as a mask; `others` of another number, or none for a new B.
        ShapeError : arrays that do not fit.
        """
        rows = _row_numbers(rows, (1, 2))
        size, old = rows.shape[-1], len(self._buffers[0])
        if size != old and len(rows) and len(self._buffers) > 1 and not others:
            raise TypeError(
                f"batches of {size} rows come after batches of {old}, so the other arguments "
                f"({', '.join(self._names[1:])}) have new buffers: pass them after the rows"
            )
        if rows.ndim == 2:
            return self._on_batches(X, rows, others, scale)
        self.take(X, rows, *others, scale=scale)
        return self._run_current()

    def _on_batches(self, X: Array, rows: Array, others: tuple[Any, ...], scale: float | None) -> Any:
        done, steps = 0, len(rows)
        for name, other in zip(self._names[1:], others):  # noqa: B905  their number is seen to with the first step
            if len(other) != steps:
                raise ShapeError(f"{name} has {len(other)} entries for {steps} steps; one for each step is needed")
        if steps and not others and self._all_numbers(X, rows[0], scale):
            values = np.zeros((steps, len(self._outputs)))
            numbers = np.ascontiguousarray(rows.astype(np.int64, casting="same_kind", copy=False))
            done = getattr(self._current, "run_many", lambda *_arguments: 0)(X, numbers, scale, values)
            columns = [v[:done].astype(o.dtype) for v, o in zip(values.T, self._outputs, strict=True)]
        else:
            columns = [np.zeros((0, *o.shape), o.dtype) for o in self._outputs]
        rest = [self.on_rows(X, rows[k], *[o[k] for o in others], scale=scale) for k in range(done, steps)]
        if rest:
            rest = [rest] if self._single else list(zip(*rest, strict=True))
            columns = [np.concatenate([c, np.stack(r)]) for c, r in zip(columns, rest, strict=True)]
        return columns[0] if self._single else tuple(columns)

    def _all_numbers(self, X: Array, rows: Array, scale: float | None) -> bool:
        """Whether the program for batches of this size, made the current one, gives numbers only."""
        if len(rows) != len(self._buffers[0]):
            self.take(X, rows, scale=scale)
        return all(not output.ndim for output in self._outputs)

    def _select(self, batch: tuple[Array, ...]) -> list[Array]:
        buffers = super()._select(batch)
        self._look_for_entry()
        return buffers

    @property
    def buffers(self) -> list[Array]:
        """The input buffers of the last call's shapes, in the order of the arguments."""
        return self._buffers

    def prepare(self, *arrays: Any) -> list[Array]:
        """Record for arrays of these shapes, unless that was done, and make it the current program; run nothing."""
        return self._select(self._floats(arrays))

    def take(self, X: Array, rows: Any, *others: Any, scale: float | None = None) -> Array:
        """Read a batch into the input buffers without running anything; the first of them."""
        rows = _row_numbers(rows, (1,))
        first, rest = self._buffers[0], self._buffers[1:]
        size, old = len(rows), len(first)
        given: tuple[Array, ...] = ()
        if others:
            given = self._floats((first, *others))[1:]
        elif size != old:  # those that had as many rows have so again
            given = tuple(np.zeros((size, *b.shape[1:]), b.dtype) if b.shape[:1] == (old,) else b for b in rest)
        if size != old or (others and self._key(given) != self._key(rest)):
            batch = (np.zeros((size, *first.shape[1:]), first.dtype), *given)
            if self._key(batch) not in self._runners:
                by_numpy(batch[0], X, rows, scale)  # what is recorded sees real data
            rest = self._select(batch)[1:]
        if others:
            for array, buffer in zip(given, rest, strict=True):
                np.copyto(buffer, array)
        self._current.take(X, rows, scale)
        return self._buffers[0]


def _row_numbers(rows: Any, axes: tuple[int, ...]) -> Array:
    """Numbers of rows as an array of one of these numbers of axes."""
    numbers = np.asarray(rows)
    if numbers.dtype.kind not in "iu" and numbers.size:
        hint = "; np.flatnonzero(mask) gives those of a mask" if numbers.dtype == bool else ""
        raise TypeError(f"rows has dtype {numbers.dtype}; integers, the numbers of rows, are needed{hint}")
    if numbers.ndim not in axes or not numbers.shape[-1]:
        wanted = " or ".join(("(B,)", "(steps, B)")[n - 1] for n in axes)
        raise ShapeError(f"rows has shape {numbers.shape}; {wanted} is needed, with at least one row in a batch")
    return numbers


def capture(
    fn: Callable[..., Any], *example: Any, optimizer: Any = None, runtime: str = "compiled", threads: int | None = None
) -> Step:
    """Record `fn` on example arrays and keep the program, to be run on new data in one call.

    Parameters
    ----------
    fn : takes tensors, returns a tensor or a tuple of them; where the first is scalar, it is what is differentiated.
    example : float arrays; a constant (`ae.constant(x)`) marks data that no gradient is wanted of.
        Other shapes may come later: one program is kept per tuple of shapes and dtypes.
    optimizer : `ae.optim.Adam`, `AdamW`, `SGD` or another with `params` and `step`, over the arrays of traced tensors
        that `fn` uses (`[p.data for p in parameters]`). Then each call also applies its step; recording does not.
    runtime : "compiled", the lines as a table run by one precompiled kernel; "replay", one by one from Python.
    threads : how many compute stacks of dense layers that run by register tiles (`fused.py`); by default
        AUTOGRAD_AE_THREADS, or 2; one where a step takes longer with more. The results do not depend on it.

    Raises
    ------
    CaptureError : Python looked at a value, the recordings of `fn` differ (random numbers, data used as a constant), or
        an array of the optimizer takes no part or that of two tensors, or there is no scalar to follow the gradient of.
        A later call raises it where a tensor's .data was given an array that does not fit. `fn` is recorded on
        three examples: the given one, its rows reversed and times ¾, and times −3 where it takes that. What Python
        decides by looking through `.data` is noticed only where it makes these recordings differ.
    TypeError, ValueError : an optimizer that is none, a runtime or a number of threads that does not exist.

    >>> import autograd_ae as ae
    >>> step = ae.capture(lambda W, x: ((x @ W) ** 2.0).sum(), np.ones((2, 1)), np.ones((3, 2)))
    >>> float(step(np.full((2, 1), 2.0), np.ones((3, 2)))), step.gradients["W"].tolist()
    (48.0, [[24.0], [24.0]])
    """
    if not callable(fn):
        raise TypeError(
            f"fn is of type {type(fn).__name__}; a function of tensors is needed, and then example arrays for it, such "
            "as ae.capture(model.loss, X[:64])"
        )
    if runtime not in RUNTIMES:
        raise ValueError(f"runtime is {runtime!r}; one of {', '.join(map(repr, RUNTIMES))} is needed")
    if optimizer is not None and (isinstance(optimizer, type) or not hasattr(optimizer, "params")):
        shown = optimizer.__name__ if isinstance(optimizer, type) else repr(optimizer)
        raise TypeError(
            f"optimizer is {shown}; an optimiser of the parameters' arrays is needed, such as "
            "ae.optim.Adam([p.data for p in parameters])"
        )
    if threads is not None:
        usable_threads(threads)  # raises
    if runtime == "compiled":
        step = Step(fn, example, lambda program: executor(program, optimizer, threads))
    else:
        step = Step(fn, example, lambda program: Replayed(program, optimizer))
    if optimizer is None:
        step()
    return step
