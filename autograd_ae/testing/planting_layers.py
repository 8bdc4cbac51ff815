"""Mistaken inputs of layers, in a recorded program: dW = XᵀΔ with an array of the right shape from the wrong place.

What is taken for X: the input of another layer, or this layer's input as it was before its activation (Z for σ(Z)).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_ae.core.program import NOTHING, Line, Program
from autograd_ae.testing.planting_activations import stretches
from autograd_ae.testing.planting_edits import Array, Edit, Planted, run_edited, where

PRODUCTS = ("matmul", "dense", "einsum")


def wrong_inputs(program: Program) -> Iterator[Planted]:
    """For the gradient of each factor of a product, every other array of the other factor's shape."""
    arrays = list(_arrays(program))
    for number, line in enumerate(program.backward):
        node = program.nodes[line.node]
        if not line.label.startswith(PRODUCTS) or len(node.inputs) < 2:
            continue
        for i, place in enumerate(line.args[1:], start=1):
            used = program.arrays[place] if place != NOTHING else None
            if used is None or used.ndim < 2 or not any(used is t.data for t in node.inputs):
                continue
            for name, array in arrays:
                if array is not used and array.shape == used.shape and not np.array_equal(array, used):
                    detail = f"{name} was used in place of {program.name(place)} {where(program, line.node)}"
                    gradients = run_edited(program, {number: _given(i, array)}, {})
                    yield Planted("wrong_layer_input", detail, gradients, 18)


def _arrays(program: Program) -> Iterator[tuple[str, Array]]:
    """Inputs of layers and what they were before an activation, each once, by name."""
    seen: set[int] = set()
    for node in program.nodes:
        if not node.op.name.startswith(PRODUCTS):
            continue
        before = node.inputs[0].data @ node.inputs[1].data + node.inputs[2].data if node.op.delta is not None else None
        if before is not None:
            yield f"what is before the activation of {program.name(program.place(node.inputs[0]))}'s layer", before
        for t in node.inputs:
            if t.ndim > 1 and id(t.data) not in seen:
                seen.add(id(t.data))
                yield program.name(program.place(t)), t.data
    for _, z, _ in stretches(program):
        if z.ndim > 1 and id(z.data) not in seen:
            seen.add(id(z.data))
            yield program.name(program.place(z)), z.data


def _given(i: int, array: Array) -> Edit:
    def edit(line: Line, out: Array, arguments: list[Any]) -> None:
        line.run(out, *[array if k == i else a for k, a in enumerate(arguments)], **line.params)

    return edit
