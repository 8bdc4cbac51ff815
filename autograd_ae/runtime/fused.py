"""A compiled program whose dense stacks run by register tiles (`stack.py`), epilogues and optimiser fused.

Two tables do the same step: the plain one of `compiled.py`, and one in which each chain of dense lines (`chains.py`) is
three rows: forward, deltas, gradients. Where all of the optimiser's parameters belong to chains, gradients go
straight into its rule; else they are kept and its own rows follow.

**Gradients.** Those that go straight into the rule are not written to memory, until somebody looks: `step.gradients`
then computes them from the activations and deltas of the last step, the very numbers that were used, and from then on
every step writes them too.

**Nothing changes where something is wrong.** The deltas' row refuses where a gradient might not be finite, before any
parameter has changed. Then the whole step is done by the plain table, which raises what it raises. So it is under
`ae.detect_anomaly()`.

The two tables differ in rounding: a product is one chain of fused multiply-adds here, a few there; each within γ_k of
the exact sum (`gemm.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_ae.core.capture import Gradients, gradients_of
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.core.lines import Line
from autograd_ae.core.modes import state
from autograd_ae.core.op import Array
from autograd_ae.core.program import Program
from autograd_ae.ops.dense import rows as in_rows
from autograd_ae.runtime.chains import Chain, find_chains
from autograd_ae.runtime.choosing import chosen
from autograd_ae.runtime.compiled import Compiled
from autograd_ae.runtime.instructions_training import begin_adam, begin_sgd
from autograd_ae.runtime.lowering import Row, lower
from autograd_ae.runtime.pace import Pace
from autograd_ae.runtime.stack_plan import Layer, Stack, rule_of
from autograd_ae.runtime.stack_rows import play, sums
from autograd_ae.runtime.table import Table
from autograd_ae.runtime.team import team, usable_threads
from autograd_ae.runtime.updating import AdamRows, InRows


class GradientsOnDemand(Gradients):
    """Gradients that are brought up to date when one is looked at."""

    def __init__(self, gradients: Gradients, renew: Callable[[], None]):
        self.__dict__.update(gradients.__dict__)
        self._renew = renew

    def __getitem__(self, key: Any) -> Array:
        self._renew()
        return super().__getitem__(key)


class Pieces:
    """What a step runs, in order: stretches of rows, and lines that Python runs. `owners`: which line a row is of."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.owners: list[Line | None] = []
        self.units: list[range | Line] = []

    def add(self, rows: Sequence[Row], owner: Line | None = None) -> None:
        first, last = len(self.rows), len(self.rows) + len(rows)
        if self.units and isinstance(self.units[-1], range):
            first = self.units.pop().start  # type: ignore[union-attr]
        self.units.append(range(first, last))
        self.rows += rows
        self.owners += [owner] * len(rows)

    def add_line(self, line: Line) -> None:
        self.units.append(line)


class Fused(Compiled):
    """`Compiled`, with chains as stacks on `threads` threads."""

    enterable = False

    def __init__(self, program: Program, optimizer: Any, chains: Sequence[Chain], threads: int = 1):
        self.chains, self.threads, self._seat = chains, threads, np.zeros(1, np.int64)
        self._pace = Pace()
        self._looked_at = False  # whether somebody wants the gradients in memory
        self._stale = False  # whether those of the last step are not there
        super().__init__(program, optimizer)
        self.gradients: Gradients = GradientsOnDemand(gradients_of(program, self.arrays), self._look)

    # The table.

    def _write(self, bound: Sequence[tuple[Any, Array]]) -> None:
        super()._write(bound)
        self._numbers = self._rule_numbers()
        self.stacks = [self._stack(chain) for chain in self.chains]
        for stack in self.stacks:
            stack.keep(self._looked_at or self._numbers is None)
        self._pieces = self._assemble()
        self._fused = Table(self._pieces.rows)

    def _rule_numbers(self) -> Array | None:
        """Where the optimiser's rule finds its numbers, if gradients can go straight into it."""
        own = {id(self._array(place)) for chain in self.chains for link in chain.links for place in (link.W, link.b)}
        if not isinstance(self._update, InRows) or {id(p) for p in self._update.optimizer.params} != own:
            return None
        if isinstance(self._update, AdamRows):
            return self._update.scalars
        settings, optimizer = self._update.settings, self._update.optimizer
        settings[3:5] = optimizer._momentum != 0, optimizer._nesterov
        return settings

    def _stack(self, chain: Chain) -> Stack:
        layers = [
            Layer(self._array(l.W), self._array(l.b), l.activation, self._array(l.dW), self._array(l.db))
            for l in chain.links
        ]
        rule = None
        if self._numbers is not None:
            parameters = [a for layer in layers for a in (layer.W, layer.b)]
            rule = rule_of(self.optimizer, parameters)._replace(numbers=self._numbers)
        dx = None if chain.dx is None else in_rows(self._array(chain.dx))
        x, y, g = (in_rows(self._array(place)) for place in (chain.x, chain.y, chain.g))
        careful = self.optimizer is not None and getattr(self.optimizer, "check_finite", False)
        look_over = rule is not None and careful
        return Stack(layers, x, y, g, dx=dx, rule=rule, threads=self.threads, seat=self._seat, look_over=look_over)

    def _assemble(self) -> Pieces:
        """The lines in order, a chain's replaced by its rows; then gradients and update."""
        pieces, ends = Pieces(), {}
        for chain, stack in zip(self.chains, self.stacks, strict=True):
            ends[("forward", chain.forward[-1])] = chain, stack.forward
            ends[("backward", chain.backward[-1])] = chain, stack.deltas
        covered = {
            *(("forward", k) for chain in self.chains for k in chain.forward),
            *(("backward", k) for chain in self.chains for k in chain.backward),
        }
        for direction in ("forward", "backward"):
            for k, line in enumerate(getattr(self.program, direction)):
                if (direction, k) in ends:
                    chain, score = ends[direction, k]
                    pieces.add([play(score)])
                    for after in chain.after if direction == "backward" else ():
                        self._add(pieces, after)
                elif (direction, k) not in covered:
                    self._add(pieces, line)
        gradients = [play(stack.gradients, final=self._numbers is not None) for stack in self.stacks]
        update = self._update.rows if self._update is not None else []
        if self._numbers is None:
            pieces.add([*gradients, *update])
        else:  # the rule's numbers for this step, then gradients and rule in one
            begin = [row for row in update if row.instruction in (begin_adam, begin_sgd)]
            squares = sums(self._update.squares, [stack.squares for stack in self.stacks])  # type: ignore[union-attr]
            pieces.add([*begin, *gradients, *squares])
        return pieces

    def _add(self, pieces: Pieces, line: Line) -> None:
        rows = lower(line.run, self._array(line.out), [self.arrays[a] for a in line.args], line.params)
        if rows is None:
            pieces.add_line(line)
        else:
            pieces.add(rows, line)

    # A step.

    def run(self) -> None:
        """All lines in place; with an optimiser, its step after them, as `Compiled.run`."""
        if state.anomaly or self._moved():
            super().run()
            self._stale = False
            return
        update = self._update
        if update is not None:
            update.before()
        if not (self._run_pieces() if self.threads == 1 else self._run_together()):
            super().run()
            self._stale = False
            return
        self._stale = self._numbers is not None and not self._looked_at
        if update is not None:
            update.after()

    def _moved(self) -> bool:
        """Whether a leaf has a new array."""
        for leaf, array in self._bound:  # noqa: SIM110  a generator costs more than its items
            if leaf.data is not array:
                return True
        return False

    def _run_together(self) -> bool:
        """`_run_pieces`, with the helpers where that is faster."""
        helpers = team(self.threads)
        joined = self._pace.together() and helpers.join(self._seat)
        try:
            done = self._run_pieces()
        finally:
            if joined:
                helpers.leave()
        self._pace.done()
        return done

    def _run_pieces(self) -> bool:
        """False where a row that is of no line refused: then nothing but buffers has changed."""
        table, owners = self._fused, self._pieces.owners
        for unit in self._pieces.units:
            if not isinstance(unit, range):
                self._run_line(unit)
                continue
            first, last = unit.start, unit.stop
            while (refused := table.run(first, last)) >= 0:
                line = owners[refused]
                if line is None:
                    return False
                self._run_line(line)  # raises what the user should see, or computes it after all
                first = refused + 1
                while first < last and owners[first] is line:
                    first += 1
        return True

    def _look(self) -> None:
        """Bring the gradients to memory: those of the last step now, those of further steps as they arise."""
        if self._numbers is None or self._looked_at:
            return
        self._looked_at = True
        for stack in self.stacks:
            stack.keep(True)
            if self._stale:
                stack.update(False)
                Table([play(stack.gradients)]).run(0, 1)
                stack.update(True)
        self._stale = False


def executor(program: Program, optimizer: Any = None, threads: int | None = None) -> Compiled:
    """What runs a program fastest: its chains as stacks where tiles beat BLAS (`choosing.py`), all else plain."""
    chains = [c for c in find_chains(program) if chosen(c, program) == "tiles"] if JIT_ENABLED else []
    if not chains:
        return Compiled(program, optimizer)
    return Fused(program, optimizer, chains, usable_threads(threads))
