"""Laws of one function's gradients and of its execution.

Public through `autograd_ae.testing.laws`, which is the page to read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_ae.core.op import Node
from autograd_ae.core.tensor import Tensor, record
from autograd_ae.ops.arithmetic import multiply
from autograd_ae.ops.reductions import sum as total
from autograd_ae.runtime.capture import capture
from autograd_ae.testing.laws_report import Array, Recording, as_leaf, assert_close, measured, measured_inner

Fn = Callable[..., Tensor]


def assert_vjp_linear(fn: Fn, arrays: Sequence[Any], rng: np.random.Generator) -> None:
    """Jᵀ(u + w) = Jᵀu + Jᵀw to rounding, and Jᵀ(−4u) = −4 Jᵀu bit for bit (powers of 2 commute with rounding)."""
    recording = Recording(fn, arrays)
    u, w = recording.cotangent(rng), recording.cotangent(rng)
    sums, _ = measured(lambda blur: recording.gradients(u + w, blur))
    first, near_u = measured(lambda blur: recording.gradients(u, blur))
    other, near_w = measured(lambda blur: recording.gradients(w, blur))
    scaled = recording.gradients(-4 * u)
    for k, name in enumerate(recording.names):
        words = ("Jᵀ(u + w)", "Jᵀu + Jᵀw")
        allowed = 2 * (near_u[k] + near_w[k])
        assert_close("the vjp is not linear in its cotangent", name, sums[k], first[k] + other[k], allowed, words=words)
        assert_close(
            "the vjp is not linear in its cotangent", name, scaled[k], -4 * first[k], 0.0, words=("Jᵀ(−4u)", "−4 Jᵀu")
        )


def assert_adjoint(fn: Fn, arrays: Sequence[Any], rng: np.random.Generator) -> None:
    """⟨J v, u⟩ = ⟨v, Jᵀu⟩ for random v and u, one argument at a time. J v is a complex step through the references.

    A failure is traced: the report names the entry, and the recorded ops whose own rules break the law.
    """
    recording = Recording(fn, arrays)
    u = recording.cotangent(rng)
    for k, name in enumerate(recording.names):
        if not adjoint_holds(recording, k, u, rng):
            _report_adjoint(recording, k, name, u, rng)


def _both_sides(recording: Recording, k: int, u: Array, rng: np.random.Generator) -> tuple[float, float, float]:
    """⟨J v, u⟩, ⟨v, Jᵀu⟩ and the rounding allowed between them, with v in argument k alone."""
    v = [np.asarray(rng.normal(size=t.shape)) * (i == k) for i, t in enumerate(recording.wrt)]
    pushed = measured_inner(lambda blur: [(recording.jvp(v, blur), u)])
    pulled = measured_inner(lambda blur: [(v[k], recording.gradients(u, blur)[k])])
    return pushed[0], pulled[0], pushed[1] + pulled[1]


def adjoint_holds(recording: Recording, k: int, u: Array, rng: np.random.Generator) -> bool:
    """Whether the law holds for argument k."""
    pushed, pulled, allowed = _both_sides(recording, k, u, rng)
    return abs(pushed - pulled) <= allowed


def _report_adjoint(recording: Recording, k: int, name: str, u: Array, rng: np.random.Generator) -> None:
    """Show the worst entry of the gradient against complex step, entry by entry, and which ops are to blame."""
    true, allowed = np.zeros(recording.wrt[k].shape), 0.0
    for i in np.ndindex(true.shape):
        v = [np.zeros(t.shape) for t in recording.wrt]
        v[k][i] = 1.0
        true[i] = np.sum(recording.jvp(v) * u)
    got = recording.gradients(u)[k]
    suspects = [text for node in recording.program.nodes for text in _blame(node, rng)]
    found = (
        "\n    ".join(suspects)
        or "each op's own rules hold: contributions are lost or added between ops (fan-out, broadcasting)"
    )
    law = "the gradient is not the adjoint of the derivative: ⟨J v, u⟩ ≠ ⟨v, Jᵀu⟩"
    assert_close(
        law,
        name,
        got,
        true,
        allowed,
        words=("Jᵀu (backward)", "complex step"),
        notes=f"\n  ops to look at:\n    {found}",
    )


def _blame(node: Node, rng: np.random.Generator) -> list[str]:
    """The arguments of a recorded op for which the op, alone, breaks the law."""
    if not node.op.differentiable:
        return []
    alone = Recording(lambda *ts: record(node.op, ts, node.params), [t.data for t in node.inputs])
    places = [k for k, t in enumerate(alone.tensors) if t.traced]
    u = alone.cotangent(rng)
    wrong = [k for i, k in enumerate(places) if node.op.rule(k) is not None and not adjoint_holds(alone, i, u, rng)]
    return [f"{node.op.rule_name(k)} of {node.describe()}" for k in wrong]


def assert_hessian_symmetric(fn: Fn, arrays: Sequence[Any], rng: np.random.Generator) -> None:
    """⟨w, H v⟩ = ⟨v, H w⟩ for a scalar fn: H is the derivative of the gradient, and only a gradient's is symmetric."""
    recording = Recording(fn, arrays)
    if recording.shape != ():
        raise ValueError(
            f"a Hessian belongs to a scalar function; this one gives shape {recording.shape}. Reduce it, by ae.sum say"
        )
    v, w = recording.tangents(rng), recording.tangents(rng)

    a, near_a = measured_inner(lambda blur: list(zip(w, recording.hvp(v, blur), strict=True)))
    b, near_b = measured_inner(lambda blur: list(zip(v, recording.hvp(w, blur), strict=True)))
    where = f"random v and w over {', '.join(recording.names)}"
    assert_close("the Hessian is not symmetric", where, a, b, near_a + near_b, words=("⟨w, H v⟩", "⟨v, H w⟩"))


def assert_replay_is_eager(fn: Fn, arrays: Sequence[Any], others: Sequence[Any]) -> None:
    """A program captured at `arrays` and run at `others`, and at `arrays` again, gives the eager values and gradients
    bit for bit: of copies in C order, which is what a program reads (some of NumPy's loops have other last bits where
    the steps are others).

    Arrays of bool are conditions: fixed in the program, the same in both.
    """
    if [(np.shape(a), np.asarray(a).dtype) for a in arrays] != [(np.shape(a), np.asarray(a).dtype) for a in others]:
        raise ValueError(
            "`others` must have the shapes and dtypes of `arrays`: others are recorded anew, and nothing is replayed"
        )
    floats = [k for k, a in enumerate(arrays) if np.asarray(a).dtype != bool]

    def scalar(*tensors: Any) -> tuple[Tensor, Tensor]:
        given = iter(tensors)
        y = fn(*[next(given) if k in floats else np.asarray(a) for k, a in enumerate(arrays)])
        weights = np.cos(np.arange(y.size, dtype=y.dtype)).reshape(y.shape)  # so that no gradient cancels by symmetry
        return total(multiply(y, weights)), y

    step = capture(scalar, *[arrays[k] for k in floats], runtime="replay")
    for point, word in ((others, "others"), (arrays, "arrays, replayed after others")):
        replayed = step(*[point[k] for k in floats])
        leaves = [as_leaf(np.array(point[k], order="C"), f"argument {k}") for k in floats]
        loss, y = scalar(*leaves)
        words = ("replay", "eager")
        for what, a, b in (("value", replayed[1], y.data), ("weighted sum", replayed[0], loss.data)):
            assert_close("replay differs from eager execution", f"the {what} at {word}", a, b, 0.0, words=words)
        if not loss.traced:
            continue
        eager = Recording.of(loss, leaves).gradients(None)
        for leaf, a, b in zip(leaves, step.gradients.values(), eager, strict=True):
            assert_close(
                "replay differs from eager execution", f"the gradient of {leaf.name} at {word}", a, b, 0.0, words=words
            )


def _cosines(recording: Recording) -> Array:
    return np.cos(np.arange(recording.output.size)).reshape(recording.shape).astype(recording.output.dtype)


def assert_deterministic(fn: Fn, arrays: Sequence[Any]) -> None:
    """Two recordings and three backward passes give the same bits."""
    first, second = Recording(fn, arrays), Recording(fn, arrays)
    words = ("first", "second")
    assert_close("two runs differ", "the output", first.output.data, second.output.data, 0.0, words=words)
    u = _cosines(first)
    before = first.gradients(u)
    for again in (first.gradients(u), second.gradients(u)):
        for name, a, b in zip(first.names, before, again, strict=True):
            assert_close("two runs differ", f"the gradient of {name}", a, b, 0.0, words=words)


def assert_dtype_kept(fn: Fn, arrays: Sequence[Any]) -> None:
    """float32 in, float32 out and in every gradient; float64 likewise."""
    for dtype in (np.float32, np.float64):
        recording = Recording(fn, [a if np.asarray(a).dtype == bool else np.asarray(a).astype(dtype) for a in arrays])
        if recording.output.dtype != dtype:
            raise AssertionError(f"dtype not kept: {np.dtype(dtype)} went in, the output is {recording.output.dtype}")
        for name, g in zip(recording.names, recording.gradients(_cosines(recording)), strict=True):
            if g.dtype != dtype:
                raise AssertionError(f"dtype not kept: {np.dtype(dtype)} went in, the gradient of {name} is {g.dtype}")


def assert_memory_not_shared(fn: Fn, arrays: Sequence[Any]) -> None:
    """No gradient overlaps another, an input, the output or the cotangent: adding to it in place is safe."""
    recording = Recording(fn, arrays)
    u = _cosines(recording)
    gradients = recording.gradients(u)
    named = [(f"the gradient of {name}", g) for name, g in zip(recording.names, gradients, strict=True)]
    others = [("the output", recording.output.data), ("the cotangent", u)]
    others += [(f"argument {k}", np.asarray(a)) for k, a in enumerate(arrays)]
    for i, (name, g) in enumerate(named):
        for other, array in (*named[i + 1 :], *others):
            if np.shares_memory(g, array):
                raise AssertionError(
                    f"memory is shared: {name} and {other} overlap, so an in-place update of one changes the other"
                )


def assert_inputs_untouched(fn: Fn, arrays: Sequence[Any]) -> None:
    """Forward and backward leave inputs and cotangent as they were, byte for byte."""
    before = [np.asarray(a).tobytes() for a in arrays]
    recording = Recording(fn, arrays)
    u = _cosines(recording)
    kept = u.tobytes()
    for phase in ("forward", "backward"):
        if phase == "backward":
            recording.gradients(u)
        for k, (a, bytes_before) in enumerate(zip(arrays, before, strict=True)):
            now = np.asarray(a)
            if now.tobytes() != bytes_before:
                old = np.frombuffer(bytes_before, now.dtype).reshape(now.shape)
                words = ("now", "before")
                assert_close(f"the {phase} pass edited its input in place", f"argument {k}", now, old, 0.0, words=words)
    if u.tobytes() != kept:
        raise AssertionError("the backward pass edited the caller's cotangent in place")
