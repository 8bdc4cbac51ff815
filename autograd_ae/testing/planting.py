"""Making the catalogue's mistakes in a recorded program, one place at a time.

A mistake is an edit of the backward pass: a line left out or replaced, or the gradient of a value changed when it is complete. An activation
written out in NumPy, 1/(1 + exp(−z)), is several nodes; what counts is the stretch from z to y on which every step is elementwise and depends
on z alone. The derivative D = dy/dz of such a stretch is one array, so leaving it out is dividing the gradient of y by D, doubling it is multiplying.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.op import Node
from autograd_ae.core.program import NOTHING, Line, Program, accumulate, unbroadcast
from autograd_ae.core.tensor import Tensor

Array = np.ndarray
Edit = Callable[[Line, Array, list[Any]], None]


@dataclass(frozen=True)
class Planted:
    """The gradients that a mistake gives. `rank` orders causes that fit equally well, likeliest first."""

    cause: str
    detail: str
    gradients: list[Array]
    rank: int = 0


def run_edited(program: Program, edits: dict[int, Edit | None], scales: dict[int, Array | float]) -> list[Array]:
    """The gradients of `wrt` with lines replaced (None: left out) and complete gradients of nodes scaled."""
    env: list[Any] = list(program.arrays)
    if program.seed != NOTHING:
        env[program.seed] = program.cotangent(None)
    reached = -1
    for number, line in enumerate(program.backward):
        if line.node != reached:
            reached = line.node
            place = program.gradients.get(program.forward[reached].out)
            if reached in scales and place is not None:
                env[place] = np.asarray(env[place] * scales[reached])
        if env[line.out] is None:
            env[line.out] = np.zeros(program.values[line.out].shape, program.values[line.out].dtype)
        arguments = [env[a] for a in line.args]
        if number not in edits:
            line.run(env[line.out], *arguments, **line.params)
        elif (edit := edits[number]) is not None:
            edit(line, env[line.out], arguments)
    return [program._take(env, place).astype(np.float64) for place in program.wrt]


def planted_gradients(program: Program) -> Iterator[Planted]:
    """Every mistake of the catalogue at every place of the program."""
    yield from _activations(program)
    yield from _paths(program)
    yield from _terms(program)
    yield from _sums(program)
    yield from _factors(program)
    yield from _stale(program)


def _where(program: Program, node: int) -> str:
    return f"in {program.text(program.forward[node])}"


# Derivatives of activations.


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


def _activations(program: Program) -> Iterator[Planted]:
    everywhere: dict[str, dict[int, Array]] = {}
    for number, z, y in stretches(program):
        ratios = _ratios(program.nodes[number], z, y)
        for rank, (cause, ratio) in enumerate(ratios.items()):
            if not np.isfinite(ratio).all():
                continue
            everywhere.setdefault(cause, {})[number] = ratio
            yield Planted(cause, _where(program, number), run_edited(program, {}, {number: ratio}), rank)
    ends = _outermost(program)
    for rank, (cause, scales) in enumerate(everywhere.items()):
        chosen = {n: r for n, r in scales.items() if n in ends}
        if len(chosen) > 1:
            yield Planted(cause, f"in all {len(chosen)} activations", run_edited(program, {}, chosen), rank)


def _outermost(program: Program) -> set[int]:
    """Stretches that are not part of a longer one: their y is used by something else than an elementwise step of the same z."""
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
        else:
            D = Program([y], wrt=[z]).run_once(np.ones_like(y.data))[0]
            if np.allclose(D, D.ravel()[0]):  # linear: no activation
                return {}
            result = {"missing_sigma_prime": 1 / D, "doubled_sigma_prime": D}
            written = {"y(1 - y)": y.data * (1 - y.data), "1 - y²": 1 - y.data**2}
            at_z = {"y(1 - y)": z.data * (1 - z.data), "1 - y²": 1 - z.data**2}
            formula = next((at_z[k] for k, value in written.items() if np.allclose(value, D, rtol=1e-8, atol=0)), None)
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
    return result


# Paths, terms, sums, factors, stale values.


def _paths(program: Program) -> Iterator[Planted]:
    """A value used more than once: a contribution left out, or the last written over the others."""
    for number, line in enumerate(program.backward):
        if line.run is accumulate:
            value = next(v for v, g in program.gradients.items() if g == line.out)
            detail = f"{program.name(value)} is used more than once: its contributions add up (+=), here one is lost {_where(program, line.node)}"
            yield Planted("dropped_path", detail, run_edited(program, {number: None}, {}), 10)
            yield Planted("dropped_path", detail, run_edited(program, {number: _overwrite}, {}), 10)


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
        if line.run is unbroadcast or line.label.endswith(".db") and line.label.startswith("dense"):
            g = program.values[line.args[0]].shape
            count = int(np.prod(g)) // max(int(np.prod(program.values[line.out].shape)), 1)
            if count > 1:
                yield Planted(
                    "missing_batch_sum",
                    f"a mean over {count} samples was taken for their sum {_where(program, line.node)}",
                    run_edited(program, {number: _scaled(1 / count)}, {}),
                    13,
                )
                yield Planted(
                    "missing_batch_sum",
                    f"only one of {count} samples was counted {_where(program, line.node)}",
                    run_edited(program, {number: _first}, {}),
                    13,
                )


def _first(_line: Line, out: Array, arguments: list[Any]) -> None:
    g = arguments[0]
    out[...] = np.reshape(g, (-1, *out.shape))[0] if g.size % max(out.size, 1) == 0 else 0.0


def _factors(program: Program) -> Iterator[Planted]:
    """A factor or a sign lost at one node on the way back."""
    for number, node in enumerate(program.nodes):
        if program.forward[number].out not in program.gradients:
            continue
        half = any(not t.traced and t.size == 1 and abs(float(t.data.ravel()[0])) in (0.5, 2.0) for t in node.inputs)
        batch = node.value.shape[0] if node.value.ndim else 1
        for c, word in ((-1.0, "−1"), (2.0, "2"), (0.5, "1/2"), (batch, str(batch)), (1 / batch, f"1/{batch}")):
            if c == 1.0:
                continue
            special = (
                "missing_half"
                if c == 2.0 and (half or node.op.name in ("reparameterise", "gaussian_kl", "sqrt"))
                else None
            )
            cause = special or ("sign" if c == -1 else "factor")
            yield Planted(
                cause,
                f"a factor of {word} on the way back {_where(program, number)}",
                run_edited(program, {}, {number: c}),
                14 if special else 15,
            )
    for number, line in enumerate(program.backward):
        if line.run in (accumulate, unbroadcast):
            continue
        node = program.nodes[line.node]
        if len([a for a in line.args if a != NOTHING]) and sum(t.traced for t in node.inputs) > 1:
            for c, word in ((-1.0, "−1"), (2.0, "2"), (0.5, "1/2")):
                special = c == 2.0 and line.label.endswith("log_variance")
                cause = "missing_half" if special else "sign" if c == -1 else "factor"
                yield Planted(
                    cause,
                    f"a factor of {word} in {line.label} {_where(program, line.node)}",
                    run_edited(program, {number: _scaled(c)}, {}),
                    14 if special else 16,
                )


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
                    f"activations of another sample were used {_where(program, line.node)}",
                    run_edited(program, {number: _rolled(kept, shift)}, {}),
                    17,
                )


def _rolled(kept: list[int], shift: int) -> Edit:
    def edit(line: Line, out: Array, arguments: list[Any]) -> None:
        moved = [np.ascontiguousarray(np.roll(a, shift, axis=0)) if i in kept else a for i, a in enumerate(arguments)]
        line.run(out, *moved, **line.params)

    return edit
