"""Mistaken derivatives of activations, in a recorded program.

An activation written out in NumPy, 1/(1 + exp(−z)), is several nodes; what counts is the stretch from z to y on which
every step is elementwise and depends on z alone. The derivative D = dy/dz of such a stretch is one array, so leaving
it out is dividing the gradient of y by D, doubling it is multiplying by D.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograd_ae.core.op import Node
from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.testing.planting_edits import Array, Planted, run_edited, where

WORDS = {
    "missing_sigma_prime": "the derivative is left out",
    "doubled_sigma_prime": "the derivative is applied twice",
    "sigma_prime_at_preactivation": "the derivative, written in terms of the output, is taken of the input",
    "sigma_prime_at_output": "the derivative is taken at the output",
    "activation_for_derivative": "the function is written for its derivative",
}


def stretches(program: Program) -> list[tuple[int, Tensor, Tensor | None]]:
    """(number of the node y, z, y) of each elementwise stretch z → y; for fused dense layers y alone."""
    source: dict[int, Tensor] = {}  # id of a node → the tensor it is an elementwise function of
    tensors = {id(t.node): t for node in program.nodes for t in node.inputs if t.node is not None}
    found: list[tuple[int, Tensor, Tensor | None]] = []
    for number, node in enumerate(program.nodes):
        if node.op.delta is not None:
            found.append((number, node.inputs[0], None))
        traced = [t for t in node.inputs if t.traced]
        origins = {id(source.get(id(t.node), t)): source.get(id(t.node), t) for t in traced}
        if node.op.broadcasts and len(origins) == 1 and all(t.shape == node.value.shape for t in traced):
            (origin,) = origins.values()
            source[id(node)] = origin
            if id(node) in tensors:
                found.append((number, origin, tensors[id(node)]))
    return found


def activation_mistakes(program: Program) -> Iterator[Planted]:
    everywhere: dict[str, dict[int, Array]] = {}
    for number, z, y in stretches(program):
        ratios = _ratios(program.nodes[number], z, y)
        for rank, (cause, ratio) in enumerate(ratios.items()):
            if not np.isfinite(ratio).all():
                continue
            everywhere.setdefault(cause, {})[number] = ratio
            yield Planted(
                cause, f"{WORDS[cause]} {where(program, number)}", run_edited(program, {}, {number: ratio}), rank
            )
    ends = _outermost(program)
    for rank, (cause, scales) in enumerate(everywhere.items()):
        chosen = {n: r for n, r in scales.items() if n in ends}
        if len(chosen) > 1:
            yield Planted(
                cause, f"{WORDS[cause]} in all {len(chosen)} activations", run_edited(program, {}, chosen), rank
            )


def _outermost(program: Program) -> set[int]:
    """Stretches that are not part of a longer one: their y is used by more than an elementwise step of the same z."""
    found = stretches(program)
    inner = set()
    for number, z, y in found:
        if y is None:
            continue
        for other, z2, _ in found:
            if (
                other > number
                and z2 is z
                and any(t is y or t.node is y.node for t in program.nodes[other].inputs if t.node is not None)
            ):
                inner.add(number)
    return {number for number, _, _ in found} - inner


def _ratios(node: Node, z: Tensor, y: Tensor | None) -> dict[str, Array]:
    """By what the gradient of y is multiplied when its derivative is mistaken."""
    with np.errstate(all="ignore"):
        if y is None:  # a fused layer: D from its own delta
            D = np.empty_like(node.value)
            node.op.delta.fn(D, np.ones_like(node.value), node.value, *[t.data for t in node.inputs], **node.params)  # type: ignore[union-attr]
            before = node.inputs[0].data @ node.inputs[1].data + node.inputs[2].data
            formula = {"dense_sigmoid": before * (1 - before), "dense_tanh": 1 - before**2}.get(node.op.name)
            result = {"missing_sigma_prime": 1 / D, "doubled_sigma_prime": D}
            value = node.value
        else:
            D = Program([y], wrt=[z]).run_once(np.ones_like(y.data))[0]
            if np.allclose(D, D.ravel()[0]):  # linear: no activation
                return {}
            result = {"missing_sigma_prime": 1 / D, "doubled_sigma_prime": D}
            value = y.data
            written = {"y(1 - y)": y.data * (1 - y.data), "1 - y²": 1 - y.data**2}
            at_z = {"y(1 - y)": z.data * (1 - z.data), "1 - y²": 1 - z.data**2}
            formula = next((at_z[k] for k, shown in written.items() if np.allclose(shown, D, rtol=1e-8, atol=0)), None)
        if formula is not None:
            result["sigma_prime_at_preactivation"] = formula / D
            if y is not None:
                s = 1 / (1 + np.exp(-y.data))
                at_output = (
                    s * (1 - s)
                    if np.allclose(y.data * (1 - y.data), D, rtol=1e-8, atol=0)
                    else 1 - np.tanh(y.data) ** 2
                )
                result["sigma_prime_at_output"] = at_output / D
        instead = np.divide(value, D, out=np.zeros_like(D), where=(D != 0) | (value != 0))
        if not np.allclose(instead, instead.ravel()[0]):  # of an exponential it is a factor, or no mistake at all
            result["activation_for_derivative"] = instead
    return result
