"""Op: one line of the calculus. Node: one line of a recording. The tape: the recording in order (a Wengert list).

An **Op** is y = f(x₁, …, xₙ) together with one *pullback* per input. A pullback takes g = ∂L/∂y to ∂L/∂xₖ, that is, it
multiplies g by the transposed Jacobian:

    ∂L/∂xₖ = (∂y/∂xₖ)ᵀ g.

It is a pure function with its destination first, `dx(out, g, y, *inputs, **params)`: it writes the whole of `out`,
changes nothing else and keeps nothing. It never adds to what another path contributed and never sums over broadcast
axes; the engine does both, once, for all ops (see `sweep.py`). An argument whose name begins with an underscore is
declared unneeded: it arrives as None, and the engine need not keep it.

The **reference** is the op in one line of NumPy, analytic in its inputs (it compares real parts only,
never conjugates). It is documentation; it is the oracle, since at x + ih·v its imaginary part is h·(Jv)
to machine precision (Squire & Trapp 1998, "Using complex variables to estimate derivatives of real functions");
and it is what runs when kernels are off.

The Wengert list (Wengert 1964, "A simple automatic derivative evaluation program") is read backwards to apply the chain
rule: nodes are numbered as they are recorded, so an input always has a smaller number than what was made from it.
"""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd_ae.core.errors import ShapeError
from autograd_ae.core.jit import JIT_ENABLED

if TYPE_CHECKING:
    from autograd_ae.core.tensor import Tensor

Array = np.ndarray
Shape = tuple[int, ...]
_NAMED = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)  # static parameters, not inputs


class Pullback:
    """A gradient rule: the function, its LaTeX, and the kernel that may take its place.

    `needs_y` and `needs` (one flag per input) come from the signature: `_x` is not needed. With a variable number of
    inputs (`*xs`) the rule serves every input and is told by `wrt=k` which one. An `in_place` rule may be given g's own
    memory to write to: it reads an entry of g for the last time before it writes that entry. A rule that `passes` g on
    as it is need not even be called then. A `plain` rule has no kernel to run instead of it. `ufuncs` says that a rule
    is nothing but NumPy's: (np.negative,) is −g, (np.divide, "b") is g / b, (np.multiply, "x", np.cos) is g cos x.
    """

    __slots__ = (
        "fn",
        "in_place",
        "kernel",
        "latex",
        "names",
        "needs",
        "needs_y",
        "passes",
        "plain",
        "ufuncs",
        "variadic",
    )

    def __init__(
        self,
        fn: Callable[..., None],
        latex: str,
        kernel: Callable[..., None] | None,
        in_place: bool,
        passes: bool,
        ufuncs: tuple[Any, ...] = (),
    ):
        self.fn, self.latex, self.kernel, self.passes, self.ufuncs = fn, latex, kernel, passes, ufuncs
        self.in_place = in_place or passes
        self.plain = kernel is None or not JIT_ENABLED
        positional = [p for p in inspect.signature(fn).parameters.values() if p.kind not in _NAMED]
        self.variadic = positional[-1].kind is inspect.Parameter.VAR_POSITIONAL
        _out, _g, y, *inputs = positional
        self.needs_y = not y.name.startswith("_")
        self.needs = tuple(not p.name.startswith("_") for p in inputs)
        self.names = tuple(p.name for p in (y, *inputs))

    def needs_input(self, k: int) -> bool:
        return self.needs[0] if self.variadic else self.needs[k]

    def __call__(self, out: Array, g: Array, y: Array | None, *inputs: Array | None, **params: Any) -> None:
        self.fn(out, g, y, *inputs, **params)


def pullback(
    latex: str,
    *,
    kernel: Callable[..., None] | None = None,
    in_place: bool = False,
    passes: bool = False,
    ufuncs: tuple[Any, ...] = (),
) -> Callable[[Callable[..., None]], Pullback]:
    """Make a function a gradient rule: `@pullback(r"\\bar x = \\bar y \\odot y")`."""
    return lambda fn: Pullback(fn, latex, kernel, in_place, passes, ufuncs)


def elementwise(*shapes: Shape, **_params: Any) -> Shape:
    """The shape of an elementwise result: NumPy's broadcasting."""
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(
            "the shapes do not broadcast: aligned at the right, two sizes must be equal or one of them 1"
        ) from None


class Plan(NamedTuple):
    """For one choice of traced inputs: (k, rule, is it the last?) for those that get a gradient, and what is read."""

    rules: tuple[tuple[int, Pullback, bool], ...]
    reads: tuple[int, ...]  # numbers of inputs, −1 for the output
    words: bytes | None = None  # the same for machine code, where there is some


class Op:
    """A differentiable function: reference, forward, one pullback per input, LaTeX.

    Parameters
    ----------
    name : what the op is called in programs, errors and derivations.
    reference : `reference(*inputs, **params)`, one line of analytic NumPy.
    pullbacks : one per input, None where there is no gradient; a single variadic one serves any number of inputs.
    latex : the formula of y.
    forward : `forward(out, *inputs, **params)` or a NumPy ufunc; by default the reference is copied into `out`.
    kernel : takes the place of `forward` while kernels are on.
    shape : `shape(*input_shapes, **params)` of the output; raises ShapeError. Default: broadcasting.
    broadcasts : inputs may be smaller than the output; their pullbacks then write the output's shape
        and the engine sums.
    delta : a pullback from y to an inner value, run once before the others, which receive its result as their `g`
        (the pre-activation of a dense layer: dW, db and dx all start from it).
    dtype : of the output where it is not the inputs' (bool for comparisons).
    """

    def __init__(
        self,
        name: str,
        reference: Callable[..., Any],
        *pullbacks: Pullback | None,
        latex: str,
        forward: Callable[..., Any] | None = None,
        kernel: Callable[..., None] | None = None,
        shape: Callable[..., Shape] = elementwise,
        broadcasts: bool | None = None,
        delta: Pullback | None = None,
        dtype: type | None = None,
    ):
        self.name, self.reference, self.latex = name, reference, latex
        self.pullbacks, self.delta, self.kernel = pullbacks, delta, kernel
        self.shape, self.dtype = shape, dtype
        self.broadcasts = shape is elementwise if broadcasts is None else broadcasts
        self.variadic = bool(pullbacks) and pullbacks[0] is not None and pullbacks[0].variadic
        self.differentiable = any(rule is not None for rule in pullbacks)
        self.argument_names = tuple(
            p.name for p in inspect.signature(reference).parameters.values() if p.kind not in _NAMED
        )
        self.numpy_forward = _destination_first(forward) if forward is not None else self.write_reference
        self.plans: dict[int, Plan] = {}  # by which inputs are traced: see `plan`
        self.run = kernel if kernel is not None and JIT_ENABLED else self.numpy_forward
        # While recording, a ufunc makes its own result, of the right shape and dtype.
        own = isinstance(forward, np.ufunc) and kernel is None and dtype is None and self.differentiable
        self.ufunc = forward if own else None

    def __repr__(self) -> str:
        return f"Op({self.name!r})"

    def write_reference(self, out: Array, *inputs: Array, **params: Any) -> None:
        out[...] = self.reference(*inputs, **params)

    def rule(self, k: int) -> Pullback | None:
        """The pullback to input k."""
        return self.pullbacks[0] if self.variadic else self.pullbacks[k]

    def plan(self, flags: int) -> Plan:
        """What a backward pass will do. `flags` in binary: a leading 1, then a 1 for each traced input, else a 0.

        Negative flags: the inputs that are not traced are constants made of numbers, which nobody can edit.
        """
        if flags not in self.plans:
            traced = [bit == "1" for bit in f"{abs(flags):b}"[1:]]
            rules = [(k, rule) for k, t in enumerate(traced) if t and (rule := self.rule(k)) is not None]
            run = [rule for _, rule in rules] + ([] if self.delta is None else [self.delta])
            reads = [-1] if any(rule.needs_y for rule in run) else []
            for k, t in enumerate(traced):
                if (t or flags > 0) and any(rule.needs_input(k) for rule in run):
                    reads.append(k)
            steps = tuple((k, rule, i == len(rules)) for i, (k, rule) in enumerate(rules, start=1))
            self.plans[flags] = Plan(steps, tuple(reads))
        return self.plans[flags]

    def rule_name(self, k: int) -> str:
        """`dx`, `dW`, …: after the reference's argument."""
        return f"d{self.argument_names[0 if self.variadic else k]}"


def _destination_first(forward: Callable[..., Any]) -> Callable[..., Any]:
    return (lambda out, *inputs: forward(*inputs, out=out)) if isinstance(forward, np.ufunc) else forward


def runnable(rule: Pullback) -> Callable[..., None]:
    """What executes a rule on real arrays: its kernel while kernels are on, else its NumPy form."""
    return rule.kernel if rule.kernel is not None and JIT_ENABLED else rule.fn


_GONE = np.empty(0)


class Node:
    """One recorded op: what it was applied to, its value, its place on the tape, the source line that asked for it.

    Attributes
    ----------
    code, lasti : the line that asked for it, looked up only for a message.
    plan : what a backward pass will do.
    prints : fingerprints of the arrays that it will read, in the order of `plan.reads`; None: nobody compares.
    """

    __slots__ = ("code", "inputs", "lasti", "number", "op", "params", "plan", "prints", "value")
    op: Op
    inputs: tuple[Tensor, ...]
    params: dict[str, Any]
    value: Array
    number: int
    code: CodeType
    lasti: int
    plan: Plan
    prints: list[Any] | None

    @property
    def where(self) -> tuple[CodeType, int]:
        """The line that asked for it, for `source_line`."""
        return self.code, self.lasti

    @property
    def freed(self) -> bool:
        """Whether a backward pass has let go of what the rules read."""
        return not self.inputs

    def free(self) -> None:
        """Let go of the inputs and the value; op and source line stay for messages."""
        self.inputs, self.value, self.prints = (), _GONE, None

    def describe(self) -> str:
        """`dense(x (64, 784), W_1 (784, 512)), recorded at train.py:12: h = layer(x)`."""
        called = self.op.name if self.freed else signature(self.op.name, [(t.name, t.data.shape) for t in self.inputs])
        return f"{called}, recorded at {source_line(self.where)}"


def signature(op_name: str, inputs: Sequence[tuple[str | None, Shape]]) -> str:
    """An op and its inputs as messages show them."""
    shown = ", ".join(f"{name} {shape}" if name else str(shape) for name, shape in inputs)
    return f"{op_name}({shown})"


def source_line(where: tuple[CodeType, int]) -> str:
    """`file.py:12: the text of the line`."""
    code, lasti = where
    line = next((p[0] for i, p in enumerate(code.co_positions()) if i == lasti // 2), None) or code.co_firstlineno
    text = linecache.getline(code.co_filename, line).strip()
    return f"{Path(code.co_filename).name}:{line}" + (f": {text}" if text else "")


def wengert_list(outputs: Sequence[Tensor]) -> list[Node]:
    """The tape that leads to `outputs`: every node once, in the order of recording. Iterative: any depth."""
    stack = list({id(t.node): t.node for t in outputs if t.node is not None}.values())
    seen = set(map(id, stack))
    found = []
    while stack:
        node = stack.pop()
        found.append(node)
        for tensor in node.inputs:
            before = tensor.node
            if before is not None and id(before) not in seen:
                seen.add(id(before))
                stack.append(before)
    found.sort(key=lambda node: node.number)
    return found
