"""Making the catalogue's mistakes in a recorded program, one place at a time.

A mistake is an edit of the backward pass: a line left out or replaced, or the gradient of a value changed when it is
complete. Cost: one backward pass per mistake and place. Activations are in `planting_activations.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from autograd_ae.core.program import NOTHING, Line, Program, accumulate, unbroadcast
from autograd_ae.core.tensor import Tensor
from autograd_ae.testing.planting_activations import activation_mistakes
from autograd_ae.testing.planting_edits import Array, Edit, Planted, run_edited, where
from autograd_ae.testing.planting_layers import wrong_inputs


def planted_gradients(program: Program) -> Iterator[Planted]:
    """Every mistake of the catalogue at every place of the program."""
    yield from activation_mistakes(program)
    yield from _paths(program)
    yield from _terms(program)
    yield from _sums(program)
    yield from _factors(program)
    yield from _stale(program)
    yield from wrong_inputs(program)


def _paths(program: Program) -> Iterator[Planted]:
    """A value used more than once: a contribution left out, the last written over the others, one subtracted."""
    begun = set()
    for number, line in enumerate(program.backward):
        if line.run is accumulate:
            value = next(v for v, g in program.gradients.items() if g == line.out)
            used = f"{program.name(value)} is used more than once"
            detail = f"{used}: contributions add up (+=), one is lost {where(program, line.node)}"
            yield Planted("dropped_path", detail, run_edited(program, {number: None}, {}), 10)
            yield Planted("dropped_path", detail, run_edited(program, {number: _overwrite}, {}), 10)
            detail = f"{used}: one of its contributions has the wrong sign {where(program, line.node)}"
            for edit in (_subtract,) if line.out in begun else (_subtract, _subtract_from):
                yield Planted("sign_of_term", detail, run_edited(program, {number: edit}, {}), 11)
            begun.add(line.out)


def _subtract(_line: Line, out: Array, arguments: list[Any]) -> None:
    out -= arguments[0]


def _subtract_from(_line: Line, out: Array, arguments: list[Any]) -> None:
    """The contribution that came first has the wrong sign."""
    np.subtract(arguments[0], out, out=out)


def _overwrite(_line: Line, out: Array, arguments: list[Any]) -> None:
    out[...] = arguments[0]


def _terms(program: Program) -> Iterator[Planted]:
    """A scalar sum of terms: one term not differentiated, or counted twice."""
    for number, line in enumerate(program.backward):
        if line.label.startswith(("add.", "subtract.")) and program.values[line.out].shape == ():
            term = program.name(next((v for v, g in program.gradients.items() if g == line.out), line.out))
            detail = f"the term {term} of the loss ({_origin(program, line)})"
            yield Planted(
                "dropped_term", f"{detail} was not differentiated", run_edited(program, {number: _nothing}, {}), 9
            )
            yield Planted(
                "extra_term", f"{detail} was counted twice", run_edited(program, {number: _scaled(2.0)}, {}), 12
            )


def _origin(program: Program, line: Line) -> str:
    value = next((v for v, g in program.gradients.items() if g == line.out), None)
    made = next((program.text(f) for f in program.forward if f.out == value), "")
    return made or "a leaf"


def _nothing(_line: Line, out: Array, _arguments: list[Any]) -> None:
    out[...] = 0.0


def _scaled(c: float) -> Edit:
    def edit(line: Line, out: Array, arguments: list[Any]) -> None:
        line.run(out, *arguments, **line.params)
        out *= c

    return edit


def _sums(program: Program) -> Iterator[Planted]:
    """The sum over broadcast axes (the batch) replaced by a mean, or by the first sample."""
    for number, line in enumerate(program.backward):
        if line.run is unbroadcast or (line.label.endswith(".db") and line.label.startswith("dense")):
            g = program.values[line.args[0]].shape
            count = int(np.prod(g)) // max(int(np.prod(program.values[line.out].shape)), 1)
            if count > 1:
                yield Planted(
                    "missing_batch_sum",
                    f"a mean over {count} samples was taken for their sum {where(program, line.node)}",
                    run_edited(program, {number: _scaled(1 / count)}, {}),
                    13,
                )
                yield Planted(
                    "missing_batch_sum",
                    f"only one of {count} samples was counted {where(program, line.node)}",
                    run_edited(program, {number: _first}, {}),
                    13,
                )


def _first(_line: Line, out: Array, arguments: list[Any]) -> None:
    g = arguments[0]
    out[...] = np.reshape(g, (-1, *out.shape))[0] if g.size % max(out.size, 1) == 0 else 0.0


HALVED = ("reparameterise", "gaussian_kl", "sqrt")  # ops with a ½ in their derivative


def batch_sizes(program: Program) -> set[int]:
    """Sizes that may be the number of samples: rows of products X W if there are any, else of all that is computed."""
    products = [n for n in program.nodes if n.op.name.startswith(("matmul", "dense", "einsum")) and n.value.ndim]
    rows = {n.value.shape[0] for n in products if n.value.ndim == 2 or n.inputs[0].ndim == 2}
    return rows or {n.value.shape[0] for n in program.nodes if n.value.ndim}


def _factors(program: Program) -> Iterator[Planted]:
    """A factor or a sign lost at one node, or on the way to one of its inputs."""
    batches = {float(size) for size in batch_sizes(program) if size > 2}
    for number, node in enumerate(program.nodes):
        if program.forward[number].out not in program.gradients:
            continue
        halved = node.op.name in HALVED or any(_is_half(t) for t in node.inputs)
        for c in sorted({-1.0, 2.0, 0.5, *batches, *(1 / b for b in batches)}):
            cause, word = _name_of_factor(c, halved, batches)
            detail = f"a factor of {word} on the way back {where(program, number)}"
            yield Planted(cause, detail, run_edited(program, {}, {number: c}), 14 if cause == "missing_half" else 15)
    for number, line in enumerate(program.backward):
        if line.run in (accumulate, unbroadcast) or sum(t.traced for t in program.nodes[line.node].inputs) < 2:
            continue
        for c in (-1.0, 2.0, 0.5):
            cause, word = _name_of_factor(c, line.label.endswith("log_variance"), batches)
            detail = f"a factor of {word} in {line.label} {where(program, line.node)}"
            gradients = run_edited(program, {number: _scaled(c)}, {})
            yield Planted(cause, detail, gradients, 14 if cause == "missing_half" else 16)


def _is_half(t: Tensor) -> bool:
    return not t.traced and t.size == 1 and abs(float(t.data.ravel()[0])) in (0.5, 2.0)


def _name_of_factor(c: float, halved: bool, batches: set[float]) -> tuple[str, str]:
    """The cause, and the factor as a fraction."""
    word = str(Fraction(c).limit_denominator(10_000)).replace("-", "−")
    if c == -1:
        return "sign", word
    if c == 2 and halved:
        return "missing_half", word
    if c in batches:
        return "missing_batch_mean", word
    return ("extra_batch_mean" if 1 / c in batches else "factor"), word


def _stale(program: Program) -> Iterator[Planted]:
    """Activations of the neighbouring sample where the sample's own belong."""
    for number, line in enumerate(program.backward):
        if line.run in (accumulate, unbroadcast):
            continue
        kept = [
            i
            for i, a in enumerate(line.args[1:], start=1)
            if a != NOTHING and program.values[a].kind == "result" and program.values[a].shape
        ]
        for shift in (1, -1):
            if kept:
                yield Planted(
                    "stale_activations",
                    f"activations of another sample were used {where(program, line.node)}",
                    run_edited(program, {number: _rolled(kept, shift)}, {}),
                    17,
                )


def _rolled(kept: list[int], shift: int) -> Edit:
    def edit(line: Line, out: Array, arguments: list[Any]) -> None:
        moved = [np.ascontiguousarray(np.roll(a, shift, axis=0)) if i in kept else a for i, a in enumerate(arguments)]
        line.run(out, *moved, **line.params)

    return edit
