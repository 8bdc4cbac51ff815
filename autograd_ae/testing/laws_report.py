"""What laws share: a recording that can be run with rounding made visible, and one comparison with one report.

**Tolerance.** Two floating-point results of the same real number differ by rounding, and how far depends on the
function and the point, not on the result's size: after cancellation a gradient of 1e-3 may carry the rounding of terms
of size 1. So the noise is measured, by Monte Carlo arithmetic (Parker 1997, "Monte Carlo Arithmetic: exploiting
rounding errors"): the lines are run again with every input blurred by one relative rounding,

    leaves  x (1 + n ε ξ), n the number of lines;    backward lines  g (1 + ε ξ), y (1 + ε ξ), …;    ξ in [−1, 1],

and the largest change over `SAMPLES` runs estimates the error. Blurring the *inputs* of a line shows cancellation
inside it as well (a sum that loses its digits). A tolerance is `SAFETY` times that change plus ε times the value:
relative to the computation's own terms, hence free of scale (above the dtype's smallest normal number). Where a blur
of y or x moves an entry by more than √ε of the largest and by a third of itself (a mask like [x = max]), that line is
blurred in g alone: there rounding would decide, not be measured. (1 − y² of a saturated unit moves by less.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_ae.core.errors import GraphError
from autograd_ae.core.program import Line, Program
from autograd_ae.core.tensor import Tensor, _floats
from autograd_ae.core.transforms import STEP

Array = np.ndarray
SAMPLES = 4
MASKED = 1 / 3  # share of itself by which an entry that a mask decides moves, and one that lost digits does not
SAFETY = 4.0


class Recording:
    """fn(*arrays) as a program; arrays of bool are conditions without gradient; `names` are of the traced ones."""

    def __init__(self, fn: Callable[..., Tensor], arrays: Sequence[Any]):
        self.tensors = [as_leaf(a, f"argument {k}") for k, a in enumerate(arrays)]
        output = fn(*self.tensors)
        if not isinstance(output, Tensor):
            raise TypeError(f"the function must return a tensor, it returned {type(output).__name__}")
        self._keep(output, [t for t in self.tensors if t.traced])

    @classmethod
    def of(cls, output: Tensor, wrt: Sequence[Tensor]) -> Recording:
        """A recording that was made already, with respect to any tensors."""
        self = cls.__new__(cls)
        self._keep(output, list(wrt))
        return self

    def _keep(self, output: Tensor, wrt: list[Tensor]) -> None:
        self.output, self.wrt = output, wrt
        self.names = [t.name or f"parameter {k} {t.shape}" for k, t in enumerate(wrt)]
        self.program = Program([output], wrt=wrt)
        self.eps = float(np.finfo(output.dtype).eps) if output.dtype.kind == "f" else 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        return self.output.shape

    def cotangent(self, rng: np.random.Generator) -> Array:
        """Normal numbers in the shape and dtype of the output."""
        return np.asarray(rng.normal(size=self.shape)).astype(self.output.dtype)

    def tangents(self, rng: np.random.Generator) -> list[Array]:
        return [np.asarray(rng.normal(size=t.shape)) for t in self.wrt]

    # With `blur` None these are the library's own runs; with a generator, runs whose rounding is visible.

    def gradients(self, u: Any, blur: np.random.Generator | None = None) -> list[Array]:
        """Jᵀu, one array per traced argument."""
        if blur is None:
            return self.program.run_once(u)
        return self._gradients_of(_execute(self.program, self._start(blur), u, blur, analytic=False))

    def jvp(self, along: Sequence[Array], blur: np.random.Generator | None = None) -> Array:
        """J v by complex step through the references."""
        stepped = self._stepped(along, blur)
        if blur is None:
            env = self.program.run_complex(stepped)
        else:
            env = _execute(self.program, stepped, None, blur, analytic=True, backward=False)
        return env[self.program.outputs[0]].imag / STEP  # type: ignore[union-attr]

    def hvp(self, along: Sequence[Array], blur: np.random.Generator | None = None) -> list[Array]:
        """H v, by complex step through the gradient rules."""
        stepped = self._stepped(along, blur)
        if blur is None:
            env = self.program.run_complex(stepped, backward=True)
        else:
            env = _execute(self.program, stepped, None, blur, analytic=True)
        return [g.imag / STEP for g in self._gradients_of(env)]

    def _gradients_of(self, env: list[Array | None]) -> list[Array]:
        return [self.program._take(env, place) for place in self.program.wrt]

    def _start(self, blur: np.random.Generator) -> dict[int, Array]:
        """Leaves, blurred as all forward lines together would."""
        amount = self.eps * (1 + len(self.program.forward))
        return {place: _blurred(t.data, blur, amount) for place, t in self.program.leaves if t.data.dtype != bool}

    def _stepped(self, along: Sequence[Array], blur: np.random.Generator | None) -> dict[int, Array]:
        start = {} if blur is None else {place: a.astype(complex) for place, a in self._start(blur).items()}
        for t, v in zip(self.wrt, along, strict=True):
            place = self.program.place(t)
            start[place] = (t.data if blur is None else start[place].real) + 1j * STEP * v
        return start


def as_leaf(array: Any, name: str) -> Tensor:
    """A traced leaf over a float array; a constant over a bool one."""
    condition = getattr(array, "dtype", None) == np.dtype(bool)
    return Tensor(np.asarray(array, order="C"), name, traced=False) if condition else Tensor(_floats(array, name), name)


def _blurred(array: Array, rng: np.random.Generator, amount: float) -> Array:
    """array (1 + amount ξ), real and imaginary part each by its own ξ; zeros stay."""
    if np.iscomplexobj(array):
        return _blurred(array.real, rng, amount) + 1j * _blurred(array.imag, rng, amount)
    return np.asarray(array * (1 + amount * rng.uniform(-1, 1, size=array.shape))).astype(array.dtype)


def _execute(
    program: Program,
    start: dict[int, Array],
    u: Any,
    rng: np.random.Generator,
    *,
    analytic: bool,
    backward: bool = True,
) -> list[Array | None]:
    """Run all lines on blurred leaves; backward lines on blurred arguments."""
    kind: Any = complex if analytic else None
    env = [None if a is None or v.kind == "result" else a for a, v in zip(program.arrays, program.values, strict=True)]
    for place, array in start.items():
        env[place] = array
    if backward and program.seed:
        env[program.seed] = program.cotangent(u)
    if analytic:
        env = [a.astype(complex) if a is not None and a.dtype != bool else a for a in env]
    for line in program.forward:
        env[line.out] = _empty(program, line, kind)
        (line.analytic if analytic else line.run)(env[line.out], *[env[a] for a in line.args], **line.params)
    for line in program.backward if backward else ():
        if env[line.out] is None:
            env[line.out] = _empty(program, line, kind)
        _run_blurred(line, env, rng, analytic)
    return env


def _empty(program: Program, line: Line, kind: Any) -> Array:
    value = program.values[line.out]
    return np.empty(value.shape, value.dtype if value.dtype == bool else kind or value.dtype)


def _run_blurred(line: Line, env: list[Array | None], rng: np.random.Generator, analytic: bool) -> None:
    """One backward line on blurred arguments; on a blurred g alone where a blur of the others moves a mask."""
    run, out = line.analytic if analytic else line.run, env[line.out]
    args = [env[a] for a in line.args]
    eps = float(np.finfo(out.dtype).eps)  # type: ignore[union-attr]
    first = args[0] if args[0] is None else _blurred(args[0], rng, eps)
    if len(args) == 1:  # sum over broadcast axes, or add
        out[...] = _blurred(out, rng, eps) if not line.label else out  # type: ignore[index, arg-type]
        run(out, first)
        return
    rest = [a if a is None or a.dtype == bool else _blurred(a, rng, eps) for a in args[1:]]
    exact, moved = np.empty_like(out), np.empty_like(out)
    run(exact, first, *args[1:], **line.params)
    with np.errstate(all="ignore"):  # a mask that a blur empties may divide by 0
        run(moved, first, *rest, **line.params)
        change = np.abs(moved - exact)
    lost = change <= MASKED * np.abs(exact)  # digits, rather than the entry
    smooth = (_largest(change) <= math.sqrt(eps) * _largest(exact)) | lost
    out[...] = np.where(smooth, moved, exact)  # type: ignore[index]


def _largest(array: Any) -> float:
    return float(np.abs(array).max()) if np.size(array) else 0.0


def measured(compute: Callable[[np.random.Generator | None], Any]) -> tuple[list[Array], list[float]]:
    """Arrays of `compute(None)`, and for each the error that rounding explains (see the module)."""
    values = [np.asarray(a) for a in compute(None)]
    again = [np.asarray(a) for a in compute(None)]
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(values, again, strict=True)):
        raise AssertionError(
            "the same computation gave two different results: it is not deterministic, so no law can be judged"
        )
    noise = [0.0] * len(values)
    rng = np.random.default_rng(0)
    for _ in range(SAMPLES):
        for k, (a, b) in enumerate(zip(values, compute(rng), strict=True)):
            with np.errstate(invalid="ignore"):  # NaN and infinities are for the comparison to report
                noise[k] = max(noise[k], _largest(b - a))
    allowed = [SAFETY * n + eps_of(a) * _largest(a) + tiny_of(a) for n, a in zip(noise, values, strict=True)]
    return values, [_finite(tolerance) for tolerance in allowed]


def _finite(tolerance: float) -> float:
    """0 where infinities or NaN made the tolerance so: rounding does not excuse them."""
    return tolerance if math.isfinite(tolerance) else 0.0


def inner(pairs: Iterable[tuple[Array, Array]]) -> tuple[float, float]:
    """Σ ⟨a, b⟩ in float64, and what adding the n terms may cost: n ε Σ |a b| (Higham 2002, §3.1)."""
    terms = np.concatenate([np.ravel(np.multiply(a, b, dtype=float)) for a, b in pairs])
    return float(terms.sum()), terms.size * float(np.finfo(float).eps) * float(np.abs(terms).sum())


def measured_inner(compute: Callable[[np.random.Generator | None], list[tuple[Array, Array]]]) -> tuple[float, float]:
    """An inner product of computed arrays and its rounding: of the arrays, measured; of the sum, bounded."""
    (value,), (allowed,) = measured(lambda blur: [np.float64(inner(compute(blur))[0])])
    return float(value), allowed + _finite(inner(compute(None))[1])


def eps_of(array: Array) -> float:
    return float(np.finfo(array.dtype).eps)


def tiny_of(array: Array) -> float:
    return float(np.finfo(array.dtype).tiny)


def assert_close(
    law: str, where: str, got: Any, expected: Any, allowed: float, *, words: tuple[str, str], notes: str = ""
) -> None:
    """|got − expected| ≤ allowed in every entry, or an AssertionError that shows the worst one."""
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        raise AssertionError(f"{law}: {where} has shape {got.shape} as {words[0]}, {expected.shape} as {words[1]}")
    if not got.size:
        return
    with np.errstate(invalid="ignore"):
        error = np.where((got == expected) | (np.isnan(got) & np.isnan(expected)), 0.0, np.abs(got - expected))
    error = np.where(np.isnan(error), np.inf, error)
    worst = np.unravel_index(int(np.argmax(error)), got.shape)
    if error[worst] <= allowed:
        return
    a, b = float(got[worst]), float(expected[worst])
    off, size = float(error[worst]), max(abs(a), abs(b)) or 1.0
    index = f"[{', '.join(str(int(i)) for i in worst)}]" if worst else ""
    width = max(map(len, words))
    raise AssertionError(
        f"{law}\n  at {where}{index}\n    {words[0]:<{width}}  {a:+.17g}\n    {words[1]:<{width}}  {b:+.17g}\n"
        f"    relative error {off / size:.2e}, allowed {allowed / size:.2e} "
        f"(rounding, measured){notes}"
    )


@contextmanager
def values_of(tensors: Sequence[Tensor], arrays: Sequence[Array]) -> Iterator[None]:
    """Inside, the tensors hold these arrays; afterwards their own again."""
    own = [t.data for t in tensors]
    try:
        for t, array in zip(tensors, arrays, strict=True):
            t.data = np.asarray(array, dtype=t.dtype, order="C")
        yield
    finally:
        for t, array in zip(tensors, own, strict=True):
            t.data = array


def loss_recording(loss: Callable[..., Tensor], parameters: Sequence[Tensor], batch: Sequence[Any]) -> Recording:
    """loss(*batch), which must be a scalar, with respect to the parameters and then the batch's arrays."""
    leaves = [as_leaf(a, f"x_{k}" if k else "x") for k, a in enumerate(batch)]
    output = loss(*leaves)
    if output.shape != ():
        raise GraphError(
            f"this law is about a scalar loss; loss(X) has shape {output.shape}. Sum over features, mean over samples"
        )
    return Recording.of(output, [*parameters, *leaves])


def loss_gradients(
    loss: Callable[..., Tensor], parameters: Sequence[Tensor], batch: Sequence[Any]
) -> tuple[list[Array], list[float]]:
    """Gradients of the loss by the parameters, then the batch, and the rounding allowed in each."""
    recording = loss_recording(loss, parameters, batch)
    return measured(lambda blur: recording.gradients(None, blur))
