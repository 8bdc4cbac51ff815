"""The reverse sweep: the chain rule over the tape, executed at once.

The tape is read backwards. When a node y = f(x₁, …, xₙ) is reached, g = ∂L/∂y is complete, because all users of y have
larger numbers; its rules then hand g on to the inputs,

    ∂L/∂xₖ  +=  sum over broadcast axes of  pullbackₖ(g).

The first contribution to ∂L/∂xₖ is a new array, every later one is added to it. Nodes that wait for their turn lie in a
heap by number, so nothing recurses, only what the output depends on is visited, and each node once; a gradient is
dropped as soon as it was handed on. `Program` writes the same lines down instead of running them, so that they can run
again: both give the same bits, and a test compares them for every op.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autograd_ae.core.errors import GraphError, InPlaceError
from autograd_ae.core.fingerprint import fingerprint
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.core.modes import state
from autograd_ae.core.op import Array, Node, Pullback, wengert_list

if TYPE_CHECKING:
    from autograd_ae.core.tensor import Tensor

Source: TypeAlias = "Node | Tensor"  # what a gradient belongs to: the node that made a result, or a leaf


def source(t: Tensor) -> Source:
    """The node that made a tensor, or the tensor itself where it is a leaf."""
    return t if t.node is None else t.node


def sweep(output: Tensor, seed: Array, wrt: Sequence[Tensor] | None = None) -> tuple[dict[Source, Array], list[Node]]:
    """Gradients by source, and the nodes that were visited.

    Parameters
    ----------
    output, seed : where to start, and ∂L/∂output: an array of its own.
    wrt : tensors whose gradients are wanted, leaves or results; only paths to them are followed.
        By default every traced leaf.
    """
    needed = None if wrt is None else _leading_to(wrt, output)
    wanted = set(map(source, wrt)) if wrt is not None else set()
    if needed is not None and source(output) not in needed:
        return {}, []
    gradients = {source(output): seed}  # of a node: what has arrived so far, until it is handed on
    coming = output.node  # of the nodes that wait: the one with the largest number,
    waiting: list[tuple[int, Node]] = []  # and the others
    visited: list[Node] = []
    if in_machine_code is not None and needed is None and coming is not None and state.usual:
        in_machine_code((gradients, visited, coming))
        return gradients, visited
    while coming is not None:
        node, coming = coming, next_of(waiting) if waiting else None
        visited.append(node)
        for made in hand_on(node, gradients, needed, wanted):
            if coming is None:
                coming = made
            elif made.number > coming.number:
                reach(waiting, coming)
                coming = made
            else:
                reach(waiting, made)
    if visited and visited[0].number > _busy_at:
        _when_busy(visited[0].number)
    return gradients, visited


def reach(waiting: list[tuple[int, Node]], node: Node) -> None:
    """Put a node among those that wait."""
    heappush(waiting, (-node.number, node))


def next_of(waiting: list[tuple[int, Node]]) -> Node:
    """Take out the one with the largest number."""
    return heappop(waiting)[1]


def hand_on(
    node: Node,
    gradients: dict[Source, Array],
    needed: Set[Source] | None = None,
    wanted: Set[Source] = frozenset(),
) -> list[Node]:
    """Hand a node's gradient on to its inputs; the nodes among them that were reached for the first time.

    Parameters
    ----------
    needed : the sources that gradients may go to; None: all.
    wanted : those whose gradients stay.
    """
    op = node.op
    y = node.value
    inputs = node.inputs
    plan = node.plan
    if not inputs:
        refuse_freed(node)
    if node.prints is not None:
        for k, before in zip(plan.reads, node.prints):  # noqa: B905
            if fingerprint(y if k < 0 else inputs[k].data) != before:
                refuse_edited(node)
    g, mine = gradients.pop(node), True  # g may be overwritten when it is read for the last time
    if wanted and node in wanted:
        gradients[node], mine = g, False
    if op.delta is not None:
        inner = np.empty(y.shape, y.dtype)
        _pull_back(node, op.delta, "delta", inner, g)
        g, mine = inner, True
    reached, usual = [], state.usual
    for k, rule, last in plan.rules:
        t = inputs[k]
        x, made = t.data, t.node
        origin = t if made is None else made
        if needed is not None and origin not in needed:
            continue
        summed = op.broadcasts and x.shape != y.shape
        if last and mine and rule.in_place and not summed and (rule.passes or g.size != 1):
            out = g
        else:
            out = np.empty(y.shape if summed else x.shape, x.dtype)
        if out is g and rule.passes:
            pass
        elif usual and rule.plain and not node.params and len(inputs) <= 2:
            if len(inputs) == 1:  # the usual cases, spelt out: a call with *arguments takes twice as long
                rule.fn(out, g, y, x)
            else:
                rule.fn(out, g, y, inputs[0].data, inputs[1].data)
        else:
            _pull_back(node, rule, k, out, g)
        if summed:
            whole, out = out, np.empty(x.shape, x.dtype)
            unbroadcast(out, whole)
        so_far = gradients.setdefault(origin, out)
        if so_far is not out:
            accumulate(so_far, out)
        elif made is not None:
            reached.append(made)
    return reached


def free(visited: list[Node]) -> None:
    """Let go of what the nodes keep for their rules."""
    if free_in_machine_code is not None:
        free_in_machine_code(visited)
    else:
        for node in visited:
            node.free()


# The same in machine code (`runtime/eager.py`), once a program has turned out to be busy.
in_machine_code: Callable[[tuple[Any, ...]], None] | None = None
free_in_machine_code: Callable[[list[Node]], None] | None = None
_busy_at: float = float("inf")  # how many lines of tape a busy program has recorded
_when_busy: Callable[[int], None]


def when_busy(lines: float, do: Callable[[int], None]) -> None:
    """Call `do` with how many lines of tape there have been, after a sweep that finds more than `lines`."""
    global _busy_at, _when_busy
    _busy_at, _when_busy = lines, do


def _pull_back(node: Node, rule: Pullback, which: int | str, out: Array, g: Array) -> None:
    """out ← the rule applied to g; a kernel is given None for what it does not read, a NumPy form ignores it."""
    params = {**node.params, "wrt": which} if rule.variadic else node.params
    if rule.kernel is None or not JIT_ENABLED:
        rule.fn(out, g, node.value, *[t.data for t in node.inputs], **params)
    else:
        read = [t.data if rule.needs_input(k) else None for k, t in enumerate(node.inputs)]
        rule.kernel(out, g, node.value if rule.needs_y else None, *read, **params)
    if state.anomaly:
        from autograd_ae.core.recording import refuse_nan

        name = which if isinstance(which, str) else node.op.rule_name(which)
        refuse_nan(out, lambda: f"{node.op.name}.{name} in the backward pass of {node.describe()} gave")


def _leading_to(wrt: Sequence[Tensor], output: Tensor) -> set[Source]:
    """The wanted sources, and every node of the tape that has a differentiable path to one of them."""
    needed = set(map(source, wrt))
    for node in wengert_list([output]):
        op = node.op
        if op.differentiable and any(
            t.traced and source(t) in needed and op.rule(k) is not None for k, t in enumerate(node.inputs)
        ):
            needed.add(node)
    return needed


def seed_of(output: Tensor, given: Any) -> Array:
    """∂L/∂output to start from: 1 for a scalar output, else what the caller gives, of the output's shape."""
    if given is None:
        if output.shape != ():
            raise GraphError(
                f"{_described(output)} has shape {output.shape}; a gradient starts from a scalar. "
                f"Reduce it (ae.sum, ae.mean), or pass cotangent=, an array of shape {output.shape}"
            )
        return np.ones((), output.dtype)
    array = np.array(getattr(given, "data", given) if not isinstance(given, np.ndarray) else given, dtype=output.dtype)
    if array.shape != output.shape:
        raise GraphError(
            f"cotangent has shape {array.shape}, but {_described(output)} has shape {output.shape}: "
            "pass ∂L/∂output, of the output's own shape"
        )
    return array


def _described(output: Tensor) -> str:
    """The output as messages name it: the op that made it, its inputs and its source line."""
    return f"the output {output._label()}" if output.node is None else f"the output of {output.node.describe()}"


def unbroadcast(out: Array, g: Array) -> None:
    """out ← g summed over the axes along which `out` was repeated: the transpose of broadcasting."""
    lead = g.ndim - out.ndim
    axes = tuple(range(lead)) + tuple(lead + i for i, n in enumerate(out.shape) if n == 1 and g.shape[lead + i] != 1)
    kept = tuple(n for i, n in enumerate(out.shape) if lead + i not in axes)
    np.sum(g, axis=axes, out=out.reshape(kept))


def accumulate(out: Array, g: Array) -> None:
    """out ← out + g: a second path into the same value."""
    np.add(out, g, out=out)


def refuse_freed(node: Node) -> None:
    """Raise GraphError: an earlier backward() let go of what this node's rules need."""
    raise GraphError(
        f"the history of {node.describe()} was freed by an earlier backward(). "
        "Call that one with retain_graph=True, or compute the result again"
    )


def refuse_edited(node: Node) -> None:
    """Raise InPlaceError when an array that this node's pullbacks read is no longer what it was when recorded."""
    for k, before in zip(node.plan.reads, node.prints or (), strict=False):
        if fingerprint(node.value if k < 0 else node.inputs[k].data) != before:
            t = node.inputs[k]
            name = "its output" if k < 0 else f"{t.name!r}" if t.name else f"input {k} {t.shape}"
            raise InPlaceError(
                f"{name} was edited in place after {node.describe()}, whose gradient needs the old value. "
                "Edit after backward(), or edit a copy"
            )
