"""A gradient of one's own beside the engine's: `explain(loss, against=mine)`, and what went wrong where they differ.

The claim is compared in the layout of the page with what the backward pass computed (which the complex step has
checked). Where it differs, `testing.diagnose` looks for the mistake that gives exactly these numbers: a constant
factor, a transpose, an activation's derivative left out, a path forgotten. For this the recording is repeated in
float64.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_ae.core.errors import GraphError
from autograd_ae.core.program import Program
from autograd_ae.core.recording import record
from autograd_ae.core.tensor import Tensor
from autograd_ae.explain.blocks import Block, Heading, Math, Paragraph, Parts, Preformatted, Table, Values, Words
from autograd_ae.explain.check import digits_of
from autograd_ae.explain.facets import number
from autograd_ae.explain.rows import Layout
from autograd_ae.explain.tape import Tape

if TYPE_CHECKING:
    from autograd_ae.testing.diagnose import Diagnosis

Array = np.ndarray
COLUMNS = ("gradient", "yours", "backward pass", "largest difference", "digits", "")


@dataclass(frozen=True)
class Comparison:
    """One claimed gradient: its LaTeX symbol and the tensor's name, both arrays in the page's layout, and the digits to
    which they agree; `agrees` at half the digits of the less precise of the two."""

    symbol: str
    name: str
    yours: Array
    engine: Array
    digits: float
    agrees: bool


class Against:
    """Claims against a tape.

    Attributes
    ----------
    comparisons : one for each claimed gradient.    diagnosis : of all that differ; None when all agree.
    """

    def __init__(self, tape: Tape, layout: Layout, claims: Any):
        self.tape, self.layout = tape, layout
        self.claims = _by_place(tape, claims)
        self.places: list[int] = []  # what is diagnosed
        self.comparisons = [self._compared(place, claim) for place, claim in self.claims.items()]
        self.diagnosis = None if all(c.agrees for c in self.comparisons) else self._diagnosed()

    def _compared(self, place: int, claim: Array) -> Comparison:
        engine = self.layout.array(self.tape.env["g", place])
        values = self.tape.program.values[place]
        eps = max(float(np.finfo(a.dtype).eps) for a in (engine, claim))
        digits = 0.0
        if claim.shape == engine.shape or self._vector(claim, engine):
            difference = np.abs(claim.reshape(engine.shape).astype(np.float64) - engine)
            scale = max(float(np.abs(engine).max(initial=0.0)), float(np.finfo(np.float64).tiny))
            digits = digits_of(float(difference.max(initial=0.0)), scale)
        symbol = self.tape.names["g", place]
        return Comparison(symbol, values.name, claim, engine, digits, digits >= -0.5 * float(np.log10(eps)))

    def _vector(self, claim: Array, engine: Array) -> bool:
        """In columns a bias may be given as a vector, too."""
        return self.layout.columns and claim.ndim == 1 and engine.shape == (len(claim), 1)

    def _in_rows(self, place: int, claim: Array) -> Array:
        """The claim in the layout of the code, as far as its shape tells what it is meant to be."""
        wanted = self.tape.program.values[place].shape
        if self.layout.columns and claim.ndim == 2 and len(wanted) == 1 and claim.shape == (wanted[0], 1):
            return claim[:, 0]
        return claim.T if self.layout.columns and claim.ndim == 2 else claim

    def _diagnosed(self) -> Diagnosis:
        """Of all leaves together if one of them differs, else of the first inner value that does."""
        from autograd_ae.testing.diagnose import likely_mistake

        wrong = [place for place, c in zip(self.claims, self.comparisons, strict=True) if not c.agrees]
        leaves = [place for place in self.claims if self.tape.symbols.kind(place) != "result"]
        self.places = leaves if set(leaves) & set(wrong) else wrong[:1]
        xs = [self.tape.env["v", place].astype(np.float64) for place in self.places]
        program, truth = self._again(xs)
        claimed = [self._in_rows(place, self.claims[place]).astype(np.float64) for place in self.places]
        found = likely_mistake(claimed, truth, xs, program, lambda at: self._again(at)[1])
        return self._shapes_of_the_page(found) if found.cause == "wrong_shape" else found

    def _shapes_of_the_page(self, found: Diagnosis) -> Diagnosis:
        """The first wrong shape, as the page shows it and not as the code has it."""
        by_place = dict(zip(self.claims, self.comparisons, strict=True))
        wrong = ((k, by_place[place]) for k, place in enumerate(self.places))
        k, c = next((k, c) for k, c in wrong if not c.agrees and c.yours.shape != c.engine.shape)
        detail = f"the gradient of argument {k} has shape {c.yours.shape}; {c.engine.shape} is needed"
        return replace(found, detail=detail)

    def _again(self, xs: list[Array]) -> tuple[Program, list[Array]]:
        """The recording repeated in float64 with other values of some places, and the gradients there."""
        program = self.tape.program
        wanted = {place: Tensor(x.copy(), program.values[place].name) for place, x in zip(self.places, xs, strict=True)}
        made: dict[int, Tensor] = dict(wanted)
        for place, leaf in program.leaves:
            wide = leaf.data if leaf.dtype == bool else leaf.data.astype(np.float64)
            made.setdefault(place, Tensor(wide, leaf.name, traced=False))
        for line, node in zip(program.forward, program.nodes, strict=True):
            if line.out not in wanted:
                made[line.out] = record(node.op, tuple(made[a] for a in line.args), line.params)
        again = Program([made[program.outputs[0]]], wrt=list(wanted.values()))
        return again, again.run_once(self.tape.cotangent.astype(np.float64))

    # The page.

    def blocks(self) -> list[Block]:
        rows = tuple(_row(c) for c in self.comparisons)
        blocks: list[Block] = [Heading("Your gradients"), Table(COLUMNS, rows, right=(3, 4))]
        if self.diagnosis is not None:
            blocks += [Paragraph((Words("The likely mistake:"),)), Preformatted(self.explanation)]
        return blocks

    @property
    def explanation(self) -> str:
        """The diagnosis in words, with the arguments called by their names."""
        names = [self.tape.program.values[place].name or self.tape.symbols.of[place] for place in self.places]
        return re.sub(r"argument (\d+)", lambda found: names[int(found[1])], str(self.diagnosis))


def _row(c: Comparison) -> tuple[Parts, ...]:
    if c.yours.size == c.engine.size:
        largest = float(np.abs(c.yours.reshape(c.engine.shape).astype(np.float64) - c.engine).max(initial=0.0))
        difference: Parts = (Words(number(largest)),) if c.yours.shape == c.engine.shape or c.agrees else ()
    else:
        difference = (Words(f"shape {c.yours.shape} for {c.engine.shape}"),)
    verdict = Words("agrees", "good") if c.agrees else Words("differs", "bad")
    digits = (Words(f"{c.digits:.1f}"),)
    return (Math(c.symbol),), (Values(c.yours),), (Values(c.engine),), difference, digits, (verdict,)


def _by_place(tape: Tape, claims: Any) -> dict[int, Array]:
    """Claims by the number of the value that they are the gradient of."""
    leaves = [place for place in tape.program.wrt if ("g", place) in tape.env]
    if isinstance(claims, Mapping):
        return {_place(tape, key): _array(claim, key) for key, claim in claims.items()}
    if isinstance(claims, np.ndarray) or not isinstance(claims, Sequence):
        claims = [claims]
    names = [tape.program.values[place].name or tape.symbols.of[place] for place in leaves]
    if len(claims) != len(leaves):
        raise ValueError(
            f"against holds {len(claims)} gradients, the loss has {len(leaves)}, in this order: {', '.join(names)}. "
            'Give as many, or a dictionary by name: {"W_1": …}'
        )
    return {place: _array(claim, name) for place, claim, name in zip(leaves, claims, names, strict=True)}


def _place(tape: Tape, key: Any) -> int:
    """The value that a name, a symbol or a tensor means."""
    if isinstance(key, Tensor):
        found = [tape.program.place(key)]
    else:
        values = enumerate(tape.program.values)
        found = [k for k, v in values if v.name == key] or [k for k, s in tape.symbols.of.items() if s == key]
    found = [place for place in found if ("g", place) in tape.env]
    if not found:
        known = dict.fromkeys(tape.program.values[p].name or tape.symbols.of[p] for k, p in tape.env if k == "g")
        raise GraphError(f"against names {key!r}, of which no gradient is derived; there are {', '.join(known)}")
    return found[0]


def _array(claim: Any, key: Any) -> Array:
    array = np.asarray(claim.data if isinstance(claim, Tensor) else claim)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"the gradient against {key!r} holds {array.dtype.name}; real numbers are needed")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
