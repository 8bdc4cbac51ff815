"""Program: a recording as numbered straight lines, forward and backward, over numbered values.

Backward lines follow from forward ones by the chain rule alone. Reading the tape in reverse, node y = f(x₁, …, xₙ) with
g = ∂L/∂y complete (all users of y have larger numbers, so they are already done) contributes to each input

    ∂L/∂xₖ  +=  sum over broadcast axes of  pullbackₖ(g).

`+=` and the sum are lines of their own, written here and in `sweep.py` (which runs at once what is written down here)
and nowhere else, so a gradient rule cannot get them wrong: the first contribution to ∂L/∂xₖ is written straight to its
place, every later one to a spare place that an `add` line then adds.

Every line has one form, `run(out, *args, **params)`, so there are three ways to execute the same list:
on the recorded values (`run_once`), again and again over fixed buffers (`Replay`, capture),
or in complex arithmetic (`run_complex`, second derivatives), where `line.analytic` takes the place of a kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from autograd_ae.core.errors import GraphError
from autograd_ae.core.lines import NOTHING, Line, Value
from autograd_ae.core.listing import Listing
from autograd_ae.core.op import Array, Node, Op, Pullback, Shape, runnable, wengert_list
from autograd_ae.core.sweep import accumulate, refuse_edited, refuse_freed, seed_of, unbroadcast
from autograd_ae.core.tensor import Tensor


class Program:
    """The lines that lead from leaves to outputs, and back to the gradients of `wrt`.

    Parameters
    ----------
    outputs : what the recording computed; the first is what is differentiated, the others only come along.
    wrt : tensors to differentiate with respect to; by default every traced leaf, in order of first use.
    inputs : leaves that get new data at each call of a replay (they come first in the numbering).
    """

    def __init__(self, outputs: Sequence[Tensor], wrt: Sequence[Tensor] | None = None, inputs: Sequence[Tensor] = ()):
        self.nodes = wengert_list(outputs)
        self._differentiated = outputs[0]
        self.values = [Value("", (), np.dtype(np.float64), "nothing")]
        self.arrays: list[Array | None] = [None]
        self.leaves: list[tuple[int, Tensor]] = []
        self.forward: list[Line] = []
        self.backward: list[Line] = []
        self._place: dict[int, int] = {}  # id of a leaf or a node → its value's number
        for leaf in inputs:
            self._add_leaf(leaf, "input")
        self.inputs = [self._place[id(leaf)] for leaf in inputs]
        for node in self.nodes:
            self._add_forward(node)
        for t in [*outputs, *(wrt or ())]:
            if t.node is None and id(t) not in self._place:
                self._add_leaf(t)
        self.outputs = [self.place(t) for t in outputs]
        chosen = [t for _, t in self.leaves if t.traced] if wrt is None else list(wrt)
        self.gradients: dict[int, int] = {}  # number of a value → number of its gradient
        self.seed = NOTHING
        self.wrt = [self.place(t) for t in chosen]
        if chosen:
            self._add_backward(outputs[0], chosen)

    def place(self, t: Tensor) -> int:
        """The number of a tensor's value; GraphError when it takes no part."""
        try:
            return self._place[id(t if t.node is None else t.node)]
        except KeyError:
            raise GraphError(f"{t._label()} takes no part in this computation") from None

    # Forward.

    def _new(self, name: str, shape: Shape, dtype: np.dtype, kind: str, array: Array | None = None) -> int:
        self.values.append(Value(name, shape, dtype, kind))
        self.arrays.append(array)
        return len(self.values) - 1

    def _add_leaf(self, t: Tensor, kind: str = "") -> int:
        kind = kind or ("parameter" if t.traced else "constant")
        place = self._place[id(t)] = self._new(t.name or "", t.shape, t.dtype, kind, t.data)
        self.leaves.append((place, t))
        return place

    def _add_forward(self, node: Node) -> None:
        if node.freed:
            refuse_freed(node)
        args = []
        for t in node.inputs:
            key = id(t if t.node is None else t.node)
            args.append(self._place[key] if key in self._place else self._add_leaf(t))
        out = self._place[id(node)] = self._new("", node.value.shape, node.value.dtype, "result", node.value)
        self.forward.append(
            Line(node.op.run, node.op.write_reference, out, tuple(args), node.params, node.op.name, len(self.forward))
        )

    # Backward: the chain rule.

    def _add_backward(self, loss: Tensor, wrt: Sequence[Tensor]) -> None:
        wanted = {self.place(t) for t in wrt}
        needed = set(wanted)
        for line, node in zip(self.forward, self.nodes, strict=True):
            paths = enumerate(zip(node.inputs, line.args, strict=True))
            if node.op.differentiable and any(
                t.traced and a in needed and node.op.rule(k) is not None for k, (t, a) in paths
            ):
                needed.add(line.out)
        target = self.place(loss)
        if target not in needed:
            return
        self.seed = self._gradient_of(target)
        for line, node in zip(reversed(self.forward), reversed(self.nodes), strict=True):
            if line.out in self.gradients and node.op.differentiable:
                self._pull_back(node, line, needed, keep=line.out in wanted)

    def _gradient_of(self, place: int) -> int:
        value = self.values[place]
        self.gradients[place] = self._new("", value.shape, value.dtype, "gradient")
        return self.gradients[place]

    def _partial(self, shape: Shape, dtype: np.dtype) -> int:
        return self._new("", shape, dtype, "partial")

    def _pull_back(self, node: Node, line: Line, needed: set[int], *, keep: bool) -> None:
        """The lines that hand the gradient of `node` on to its inputs."""
        op, first = node.op, len(self.backward)
        g = self.gradients[line.out]
        spent = [] if keep else [g]
        if op.delta is not None:
            value = self.values[line.out]
            inner = self._partial(value.shape, value.dtype)
            self._pullback_line(op, op.delta, "delta", inner, g, line, line.params)
            spent.append(inner)
            g = inner
        for k, (t, arg) in enumerate(zip(node.inputs, line.args, strict=True)):
            rule = op.rule(k)
            if rule is None or arg not in needed or not t.traced:
                continue
            value = self.values[arg]
            summed = op.broadcasts and value.shape != self.values[line.out].shape
            fresh = arg not in self.gradients
            grad = self._gradient_of(arg) if fresh else self.gradients[arg]
            dest = (
                self._partial(self.values[line.out].shape, value.dtype)
                if summed
                else grad
                if fresh
                else self._partial(value.shape, value.dtype)
            )
            params = {**line.params, "wrt": k} if op.variadic else line.params
            self._pullback_line(op, rule, op.rule_name(k), dest, g, line, params)
            if summed:
                whole, dest = dest, grad if fresh else self._partial(value.shape, value.dtype)
                self._append(unbroadcast, dest, whole, "sum_broadcast_axes", line.node)
                spent.append(whole)
            if not fresh:
                self._append(accumulate, grad, dest, "", line.node)
                spent.append(dest)
        if len(self.backward) > first:
            self.backward[-1] = self.backward[-1]._replace(frees=tuple(spent))

    def _pullback_line(
        self, op: Op, rule: Pullback, name: str, out: int, g: int, line: Line, params: dict[str, Any]
    ) -> None:
        inputs = tuple(a if rule.needs_input(k) else NOTHING for k, a in enumerate(line.args))
        args = (g, line.out if rule.needs_y else NOTHING, *inputs)
        self.backward.append(Line(runnable(rule), rule.fn, out, args, params, f"{op.name}.{name}", line.node))

    def _append(self, run: Callable[..., None], out: int, arg: int, label: str, node: int) -> None:
        self.backward.append(Line(run, run, out, (arg,), {}, label, node))

    # Execution.

    def cotangent(self, given: Any) -> Array:
        """∂L/∂output to start from: 1 for a scalar output, else what the caller gives, of the output's shape."""
        return seed_of(self._differentiated, given)

    def run_once(self, cotangent: Any = None) -> list[Array]:
        """The gradients of `wrt`, by the backward lines on the recorded values."""
        env = list(self.arrays)
        seed = self.cotangent(cotangent)
        if self.seed != NOTHING:
            env[self.seed] = seed
        checked = -1
        for line in self.backward:
            if line.node != checked:
                checked = line.node
                refuse_edited(self.nodes[checked])
            out = env[line.out]
            if out is None:
                value = self.values[line.out]
                out = env[line.out] = np.empty(value.shape, value.dtype)
            line.run(out, *[env[a] for a in line.args], **line.params)
            for dead in line.frees:
                env[dead] = None
        return [self._take(env, place) for place in self.wrt]

    def blame(self, line: Line) -> str:
        """A line as an error names it."""
        where = "" if line in self.forward else "the backward pass of "
        return f"{self.text(line)} in {where}{self.nodes[line.node].describe()} gave"

    def _take(self, env: list[Array | None], place: int) -> Array:
        gradient = env[self.gradients[place]] if place in self.gradients else None
        return np.zeros(self.values[place].shape, self.values[place].dtype) if gradient is None else gradient

    def run_complex(
        self, leaves: dict[int, Array], cotangent: Any = None, *, backward: bool = False
    ) -> list[Array | None]:
        """All values in complex128 through references and rules, with `leaves` (number → complex array) put in."""
        env = [
            None if a is None or v.kind == "result" else a.astype(complex) if a.dtype != bool else a
            for a, v in zip(self.arrays, self.values, strict=True)
        ]
        for place, array in leaves.items():
            env[place] = array
        if backward and self.seed != NOTHING:
            env[self.seed] = self.cotangent(cotangent).astype(complex)
        for line in [*self.forward, *(self.backward if backward else ())]:
            if env[line.out] is None:
                env[line.out] = np.empty(
                    self.values[line.out].shape, bool if self.values[line.out].dtype == bool else complex
                )
            line.analytic(env[line.out], *[env[a] for a in line.args], **line.params)
        return env

    # The derivation, unrolled.

    @cached_property
    def _listing(self) -> Listing:
        return Listing(self)

    def name(self, place: int) -> str:
        """The name of a value: its tensor's, or the number of the line that computes it."""
        return self._listing.name(place)

    def text(self, line: Line) -> str:
        """A line's right-hand side, as `dense(x, W_1, b_1)`."""
        return self._listing.text(line)

    def __str__(self) -> str:
        return str(self._listing)
