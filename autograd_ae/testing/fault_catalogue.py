"""The catalogue of planted faults: slips that people make in a gradient rule, each as a change of the right rule.

A rule is `dx(out, g, y, *inputs, **params)` (see `core/op.py`). A fault changes what it writes (a sign, a factor, an
order), what it is given (stale activations, the wrong upstream gradient, the input for the output), or how it behaves
(adds to its destination, edits what it was given, drops imaginary parts, which is silent until a Hessian is asked
for).

Some faults change nothing in some rules: a rule that does not read y cannot read a stale one. Such a mutant is
*equivalent*, and only a proof makes it so. `proof` derives it from the rule's signature and from the shapes of its
calls; what follows from the rule's formula stands in PROOFS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.op import Pullback

Array = np.ndarray
Rule = Callable[..., None]
Inputs = tuple[Any, ...]


@dataclass(frozen=True)
class Call:
    """How the engine calls a rule: the shape and dtype of `out`, g, y, the inputs, the parameters."""

    shape: tuple[int, ...]
    dtype: np.dtype
    g: Array
    y: Any
    inputs: Inputs
    params: dict[str, Any]

    def result(self, rule: Rule, fill: float = np.nan) -> Array:
        """What a rule writes into a destination full of `fill`. It is given copies."""
        out = np.full(self.shape, fill, self.dtype)
        with np.errstate(all="ignore"):
            rule(out, self.g.copy(), copied(self.y), *map(copied, self.inputs), **self.params)
        return out


Proof = Callable[[Pullback, Sequence[Call]], str]


@dataclass(frozen=True)
class Fault:
    """A way to make a rule wrong: `plant(rule)`. `proof(rule, calls)` says why it changes nothing, or ""."""

    name: str
    plant: Callable[[Rule], Rule]
    proof: Proof = lambda rule, calls: ""


def copied(a: Any) -> Any:
    return a.copy() if isinstance(a, np.ndarray) else a


# What is written.


def _after(change: Callable[[Array], Array]) -> Callable[[Rule], Rule]:
    """A fault that changes what the right rule wrote, where the shape allows it."""

    def plant(rule: Rule) -> Rule:
        def wrong(out: Array, g: Array, y: Any, *inputs: Any, **params: Any) -> None:
            rule(out, g, y, *inputs, **params)
            changed = change(out.copy())
            if changed.shape == out.shape:
                out[...] = changed

        return wrong

    return plant


def _largest_dropped(out: Array) -> Array:
    if out.size:
        out[np.unravel_index(np.abs(out).argmax(), out.shape)] = 0.0
    return out


def _last_row_dropped(out: Array) -> Array:
    if out.ndim:
        out[-1:] = 0.0
    return out


def _reversed(axis: int) -> Callable[[Array], Array]:
    return lambda out: np.flip(out, axis) if out.ndim > axis else out


def _single(out: Array) -> Array:
    return out.astype(np.complex64 if out.dtype.kind == "c" else np.float32).astype(out.dtype)


# What is read.


def _given(change: Callable[[Array, Any, Inputs], tuple[Array, Any, Inputs]]) -> Callable[[Rule], Rule]:
    """A fault that gives the right rule wrong arguments."""

    def plant(rule: Rule) -> Rule:
        def wrong(out: Array, g: Array, y: Any, *inputs: Any, **params: Any) -> None:
            g, y, inputs = change(g, y, inputs)
            rule(out, g, y, *inputs, **params)

        return wrong

    return plant


def is_float(a: Any) -> bool:
    return isinstance(a, np.ndarray) and a.dtype.kind in "fc"


def _rolled(a: Any) -> Any:
    return np.ascontiguousarray(np.roll(a, 1)) if is_float(a) and a.ndim else a


def _negated(a: Any) -> Any:
    return -a if is_float(a) else a


def _real(a: Any) -> Any:
    return a.real.copy() if is_float(a) else a


def _reals(g: Array, y: Any, xs: Inputs) -> tuple[Array, Any, Inputs]:
    return g, _real(y), tuple(map(_real, xs))


def _exchangeable(a: Any, b: Any) -> bool:
    return is_float(a) and is_float(b) and a.shape == b.shape


def _input_for_output(g: Array, y: Any, xs: Inputs) -> tuple[Array, Any, Inputs]:
    """σ′ = y(1 − y) taken at x: any input that has y's shape stands in for y."""
    return g, next((x for x in xs if _exchangeable(x, y)), y), xs


def _first_two_swapped(g: Array, y: Any, xs: Inputs) -> tuple[Array, Any, Inputs]:
    return g, y, (xs[1], xs[0], *xs[2:]) if len(xs) > 1 and _exchangeable(xs[0], xs[1]) else xs


def _transposed_inputs(g: Array, y: Any, xs: Inputs) -> tuple[Array, Any, Inputs]:
    """Square matrices transposed: G W for G Wᵀ where both shapes fit."""
    square = [is_float(x) and x.ndim == 2 and x.shape[0] == x.shape[1] for x in xs]
    return g, y, tuple(np.ascontiguousarray(x.T) if s else x for x, s in zip(xs, square, strict=True))


# How it behaves.


def _left_out(rule: Rule) -> Rule:
    """g itself, spread over the destination where it has the shape for that."""

    def wrong(out: Array, g: Array, y: Any, *inputs: Any, **params: Any) -> None:
        if g.shape == out.shape or g.size == 1:
            out[...] = g.reshape(()) if g.size == 1 else g
        else:
            rule(out, g, y, *inputs, **params)

    return wrong


def _twice(rule: Rule) -> Rule:
    """D² for D: the elementwise factor of the rule at g = 1, once more."""

    def wrong(out: Array, g: Array, y: Any, *inputs: Any, **params: Any) -> None:
        rule(out, g, y, *inputs, **params)
        factor = np.empty_like(out)
        rule(factor, np.ones_like(g), y, *inputs, **params)
        out *= factor

    return wrong


def _accumulating(rule: Rule) -> Rule:
    def wrong(out: Array, g: Array, y: Any, *inputs: Any, **params: Any) -> None:
        before = out.copy()
        rule(out, g, y, *inputs, **params)
        out += before

    return wrong


def _editing(which: Callable[[Array, Any, Inputs], Sequence[Any]]) -> Callable[[Rule], Rule]:
    def plant(rule: Rule) -> Rule:
        def wrong(out: Array, g: Array, y: Any, *inputs: Any, **params: Any) -> None:
            rule(out, g, y, *inputs, **params)
            for a in which(g, y, inputs):
                if is_float(a):
                    a *= 1.5

        return wrong

    return plant


def _last_unwritten(rule: Rule) -> Rule:
    """The last entry keeps what the destination held, as when a loop ends one too early."""

    def wrong(out: Array, g: Array, y: Any, *inputs: Any, **params: Any) -> None:
        before = out.copy()
        rule(out, g, y, *inputs, **params)
        if out.size > 1:
            out.reshape(-1)[-1] = before.reshape(-1)[-1]

    return wrong


# Proofs that follow from signatures and shapes.


def _no_output_read(rule: Pullback, _calls: Sequence[Call]) -> str:
    return "" if rule.needs_y else "its signature declares y unneeded: it arrives as None"


def _no_input_read(rule: Pullback, calls: Sequence[Call]) -> str:
    if not any(rule.needs):
        return "its signature declares every input unneeded: they arrive as None"
    return "" if any(is_float(x) for c in calls for x in c.inputs) else "of its inputs it reads a condition only"


def _nothing_read(rule: Pullback, calls: Sequence[Call]) -> str:
    nothing = _no_output_read(rule, calls) and _no_input_read(rule, calls)
    return "it reads neither y nor its inputs' values: it is linear in g with constant coefficients" if nothing else ""


def _not_two_read(rule: Pullback, calls: Sequence[Call]) -> str:
    pairs = any(len(c.inputs) > 1 and _exchangeable(c.inputs[0], c.inputs[1]) for c in calls)
    return "" if pairs else "it reads no two float inputs of one shape"


def _scalar_upstream(_rule: Pullback, calls: Sequence[Call]) -> str:
    return (
        "the op's output is a scalar: its upstream gradient has one entry" if all(c.g.size <= 1 for c in calls) else ""
    )


def _no_input_like_output(rule: Pullback, calls: Sequence[Call]) -> str:
    like = any(_exchangeable(x, c.y) for c in calls for x in c.inputs)
    return _no_output_read(rule, calls) or ("" if like else "it is given no input of the output's shape")


def _fewer_axes(count: int) -> Proof:
    word = "vector or scalar" if count == 2 else "scalar"
    return lambda rule, calls: f"the gradient is always a {word}" if all(len(c.shape) < count for c in calls) else ""


def _no_square(_rule: Pullback, calls: Sequence[Call]) -> str:
    square = any(is_float(x) and x.ndim == 2 and x.shape[0] == x.shape[1] for c in calls for x in c.inputs)
    return "" if square else "it reads no square matrix"


FAULTS = (
    Fault("wrong sign", _after(lambda out: -out)),
    Fault("1 % too large", _after(lambda out: 1.01 * out)),
    Fault("factor 2", _after(lambda out: 2 * out)),
    Fault("factor 1/2", _after(lambda out: out / 2)),
    Fault("100 times too large", _after(lambda out: 100 * out)),
    Fault("zero", _after(lambda out: 0 * out)),
    Fault("NaN", _after(lambda out: out * np.nan)),
    Fault("mean for a sum", _after(lambda out: out / max(out.shape[0], 2) if out.ndim else out / 2)),
    Fault("rows reversed", _after(_reversed(0)), _fewer_axes(1)),
    Fault("columns reversed", _after(_reversed(1)), _fewer_axes(2)),
    Fault("transposed", _after(lambda out: out.T), _fewer_axes(2)),
    Fault("shifted by one entry", _after(lambda out: np.roll(out, 1)), _fewer_axes(1)),
    Fault("absolute value", _after(np.abs)),
    Fault("largest entry dropped", _after(_largest_dropped)),
    Fault("last row dropped", _after(_last_row_dropped), _fewer_axes(1)),
    Fault("a constant added", _after(lambda out: out + 1e-3 * (np.abs(out).max(initial=0.0) or 1.0))),
    Fault("rounded to float32", _after(_single)),
    Fault("derivative left out", _left_out),
    Fault("derivative twice", _twice),
    Fault("upstream gradient ignored", _given(lambda g, y, xs: (np.ones_like(g), y, xs))),
    Fault("upstream gradient of another entry", _given(lambda g, y, xs: (_rolled(g), y, xs)), _scalar_upstream),
    Fault("stale inputs", _given(lambda g, y, xs: (g, y, tuple(_rolled(x) for x in xs))), _no_input_read),
    Fault("stale output", _given(lambda g, y, xs: (g, _rolled(y), xs)), _no_output_read),
    Fault("inputs negated", _given(lambda g, y, xs: (g, y, tuple(_negated(x) for x in xs))), _no_input_read),
    Fault("input for output", _given(_input_for_output), _no_input_like_output),
    Fault("inputs swapped", _given(_first_two_swapped), _not_two_read),
    Fault("square inputs transposed", _given(_transposed_inputs), _no_square),
    Fault("imaginary parts of values dropped", _given(_reals), _nothing_read),
    Fault("imaginary part of the gradient dropped", _after(lambda out: out.real)),
    Fault("complex conjugate", _after(np.conj)),
    Fault("destination added to, not written", _accumulating),
    Fault("last entry not written", _last_unwritten),
    Fault("upstream gradient edited in place", _editing(lambda g, y, xs: [g])),
    Fault("inputs edited in place", _editing(lambda g, y, xs: xs), _no_input_read),
    Fault("output edited in place", _editing(lambda g, y, xs: [y]), _no_output_read),
)  # fmt: skip
