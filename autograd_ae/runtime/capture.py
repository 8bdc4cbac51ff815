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
from autograd_ae.core.op import Array
from autograd_ae.core.program import Program
from autograd_ae.runtime.compiled import parameter_places
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
        self._to_apply = [self.arrays[program.gradients[place]] for place in wanted]

    def run(self) -> None:
        super().run()
        if self.optimizer is not None:
            self.optimizer.step(self._to_apply)

    def take(self, X: Array, rows: Array, scale: float | None = None) -> None:
        """The first input ← the numbered rows of X."""
        by_numpy(self.arrays[self.program.inputs[0]], X, rows, scale)  # type: ignore[arg-type]


class Step(Captured):
    """A captured function: `step(*arrays)` gives its values, renews `gradients`, trains where it has an optimiser."""

    @property
    def runtime(self) -> Any:
        """What runs the program of the last call's shapes; `nbytes`, `callbacks` where it is compiled."""
        return self._current

    def compile(self) -> bool:
        """For a tiny network: compile the whole step as one function, in seconds; the next process finds it on disk.

        False, and nothing is done, where that would gain nothing: for larger programs, and for replayed ones.
        """
        return bool(getattr(self._current, "compile", bool)())

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
        others : the function's further arguments; without them their buffers (`step.inputs`) are left as they are.
        scale : what to multiply X by, instead.

        Raises
        ------
        IndexError : a row that X does not have.
        """
        self.take(X, rows, scale=scale)
        if others:
            for array, buffer in zip(others, self._buffers[1:], strict=True):
                np.copyto(buffer, array)
        return self._run_current()

    @property
    def buffers(self) -> list[Array]:
        """The input buffers of the last call's shapes, in the order of the arguments."""
        return self._buffers

    def prepare(self, *arrays: Any) -> list[Array]:
        """Record for arrays of these shapes, unless that was done, and make it the current program; run nothing."""
        return self._select(self._floats(arrays))

    def take(self, X: Array, rows: Any, *, scale: float | None = None) -> Array:
        """Read a batch into the first input buffer without running anything; the buffer."""
        rows = np.asarray(rows)
        first = self._buffers[0]
        if len(rows) != len(first):
            old = len(first)
            shapes = [(len(rows), *b.shape[1:]) if b.shape[:1] == (old,) else b.shape for b in self._buffers]
            example = [np.zeros(shape, b.dtype) for shape, b in zip(shapes, self._buffers, strict=True)]
            by_numpy(example[0], X, rows, scale)
            self._select(tuple(example))
        self._current.take(X, rows, scale)
        return self._buffers[0]


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
    CaptureError : Python looked at a value, two recordings of `fn` differ (random numbers, data used as a constant), or
        an array of the optimizer takes no part, or there is no scalar to follow the gradient of. What Python decides
        by looking through `.data` is noticed only where it makes these two recordings differ.
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
