"""A program compiled: planned memory, a table, and stretches of it run by the interpreter.

A line without rows is called back: the table is cut there, so a step is stretch, Python line, stretch, … A program
whose lines all have rows is one stretch, one call. A row that refuses its operands (a target outside [0, 1]) hands over
to the Python form of its line, which raises the error that the user should see, or computes the line after all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_ae.core.capture import arrays_now, complete, gradients_of, run_watched
from autograd_ae.core.errors import CaptureError
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.core.lines import Line
from autograd_ae.core.modes import state
from autograd_ae.core.op import Array
from autograd_ae.core.program import Program
from autograd_ae.optim.optimizer import RATE
from autograd_ae.runtime.entering import Entry, guards_of, possible
from autograd_ae.runtime.gathering import Gather, by_numpy
from autograd_ae.runtime.lowering import Row, lower
from autograd_ae.runtime.plan import plan
from autograd_ae.runtime.small import replaced
from autograd_ae.runtime.straight import MOST_WORK, compiled_before, work
from autograd_ae.runtime.table import Table
from autograd_ae.runtime.updating import InRows, Update, update_of

Stretch = tuple[int, int]
AT_A_TIME = 1 << 26  # numbers to go through past Python: some milliseconds


class Compiled:
    """A program ready to run again and again: `run()` executes all lines, then the optimiser's step where there is one.

    `nbytes` is the memory of all values but the leaves; `callbacks` the labels of the lines that Python runs.
    """

    def __init__(self, program: Program, optimizer: Any = None):
        self.program, self.optimizer, self.straight = program, optimizer, False
        self._wanted = wanted = [] if optimizer is None else parameter_places(program, optimizer)
        together = [program.gradients[place] for place in wanted if place in program.gradients]
        planned = plan(program, together if len(together) == len(wanted) else ())
        self.arrays, self.nbytes, self.peak = planned.arrays, planned.nbytes, planned.peak
        complete(program, self.arrays)
        self.gradients = gradients_of(program, self.arrays)
        self._to_apply = [self._array(program.gradients[place]) for place in wanted]
        first = self.arrays[program.inputs[0]] if program.inputs else None
        self._gather = Gather(first) if JIT_ENABLED and first is not None and first.ndim == 2 and first.size else None
        self._bind()

    def _array(self, place: int) -> Array:
        return self.arrays[place]  # type: ignore[return-value]  # None only at NOTHING

    # The table.

    def _bind(self) -> None:
        """Take the leaves where they lie now, and write the table. Interrupted, it is begun anew by the next run."""
        now, leaves = arrays_now(self.program), dict(self.program.leaves)
        if self.optimizer is not None:
            refuse_replaced(self.program, self.optimizer, self._wanted, dict(now))
        self._bound: list[tuple[Any, Array | None]] = [(leaves[place], None) for place, _ in now]
        for place, array in now:
            self.arrays[place] = array
        self._write([(leaves[place], array) for place, array in now])
        self._bound = [(leaves[place], array) for place, array in now]

    def _write(self, bound: Sequence[tuple[Any, Array]]) -> None:
        """The table, for leaves of these arrays."""
        self._rows: list[Row] = [] if self._gather is None else [self._gather.row]
        self._owners: list[Line | None] = [None] * len(self._rows)
        self._units: list[Stretch | Line] = []
        instead = replaced(self.program, self.arrays) if JIT_ENABLED and self.enterable else {}
        for direction in ("forward", "backward"):
            for k, line in enumerate(getattr(self.program, direction)):
                if (direction, k) in instead:
                    rows, after = instead[direction, k]
                    self._extend(rows, line)
                    for another in after:
                        self._add_line(another)
                else:
                    self._add_line(line)
        self.callbacks = [unit.label or "accumulate" for unit in self._units if isinstance(unit, Line)]
        self._update: Update | None = None
        if self.optimizer is not None:
            self._update, self._update_at = update_of(self.optimizer, self._to_apply), len(self._rows)
            self._extend(self._update.rows, None)
        self._table = Table(self._rows) if self._rows else None
        self._work = work(self._rows)
        if self._gather is not None:
            self._gather.forget()
        self._codes: dict[Stretch, int] = {}
        if self.straight or self._compiled_before():
            self._straighten()
        self.entry = self._entry(bound)

    def _add_line(self, line: Line) -> None:
        out, args = self._array(line.out), [self.arrays[a] for a in line.args]
        rows = lower(line.run, out, args, line.params)
        if rows is None or not JIT_ENABLED:
            self._units.append(line)
        else:
            self._extend(rows, line)

    def _extend(self, rows: Sequence[Row], line: Line | None) -> None:
        first, last = len(self._rows), len(self._rows) + len(rows)
        self._rows += rows
        self._owners += [line] * len(rows)
        before = self._units[-1] if self._units else None
        if before is not None and not isinstance(before, Line):
            self._units[-1] = (before[0], last)
        elif rows:
            self._units.append((first, last))

    def _compiled_before(self) -> bool:
        stretches = [unit for unit in self._units if not isinstance(unit, Line)]
        small = 0 < len(self._rows) < 200 and self._work <= MOST_WORK
        return JIT_ENABLED and small and all(compiled_before(self._rows[a:b], a) for a, b in stretches)

    def compile(self) -> bool:
        """Give each stretch of rows code of its own (`straight.py`); False, and nothing done, for a larger program."""
        done = self._straighten()
        if done:
            self.entry = self._entry(self._bound)
        return done

    def _straighten(self) -> bool:
        stretches = [unit for unit in self._units if not isinstance(unit, Line)]
        if self._table is None or sum(work(self._rows[a:b]) for a, b in stretches) > MOST_WORK:
            return False
        for first, last in stretches:
            self._codes[first, last] = self._table.straighten(first, last)
        self.straight = True
        return True

    enterable = True  # whether its rows are all that a step is

    def _entry(self, bound: Sequence[tuple[Any, Array | None]]) -> Entry | None:
        """The way in past Python (`entering.py`), where the program is one stretch of rows and done in no time."""
        in_rows = self._update is None or isinstance(self._update, InRows)
        if not self.enterable or self._table is None or len(self._units) != 1 or isinstance(self._units[0], Line):
            return None
        if not in_rows or self._work > MOST_WORK or not possible():
            return None
        inputs, outputs = ([self._array(p) for p in places] for places in (self.program.inputs, self.program.outputs))
        guards = guards_of(bound, self.optimizer)
        code = self._codes.get(self._units[0])
        return Entry(self._table, self._units[0], code, inputs, outputs, guards)

    # A step.

    def run(self) -> None:
        """All lines in place; with an optimiser, its step after them.

        FloatingPointError, with all parameters as they were, where the optimiser checks and a gradient is not finite.
        """
        for leaf, array in self._bound:
            if leaf.data is not array:
                self._bind()
                break
        update = self._update
        if update is not None:
            update.before()
        if not state.usual and state.anomaly:
            self._run_watched()
        else:
            for unit in self._units:
                if type(unit) is not tuple:
                    self._run_line(unit)  # type: ignore[arg-type]
                elif (refused := self._table.run(*unit)) >= 0:  # type: ignore[union-attr]
                    self._go_on(refused, unit[1])  # type: ignore[arg-type]
        if update is not None:
            update.after()

    def go_on(self, refused: int) -> None:
        """What `run` does when a row of its only stretch has refused."""
        self._go_on(refused, self._units[0][1])  # type: ignore[arg-type]
        if self._update is not None:
            self._update.after()

    def _go_on(self, refused: int, last: int) -> None:
        """A row refused its operands: raise what the user should see, or compute its line in Python, then the rest."""
        while refused >= 0:
            line, first = self._owners[refused], refused + 1
            if line is None:
                first = self._update_at + self._update.refused()  # type: ignore[union-attr]
            else:
                self._run_line(line)
                while first < last and self._owners[first] is line:
                    first += 1
            refused = self._table.run(first, last)  # type: ignore[union-attr]

    def _run_line(self, line: Line) -> None:
        line.run(self._array(line.out), *[self.arrays[a] for a in line.args], **line.params)

    def _run_watched(self) -> None:
        """Line by line in Python, to say which line gave the first NaN."""
        run_watched(self.program, self.arrays)
        if self._update is not None and self._update.rows:
            self._go_on(self._table.run(self._update_at, len(self._rows)), len(self._rows))  # type: ignore[union-attr]

    # Data.

    def take(self, X: Array, rows: Array, scale: float | None = None) -> None:
        """The first input ← the numbered rows of X; uint8 is divided by 255 unless `scale` says what to multiply by."""
        if self._gather is None:
            by_numpy(self.arrays[self.program.inputs[0]], X, rows, scale)  # type: ignore[arg-type]
            return
        self._gather.point(self._table, X, rows, scale)  # type: ignore[arg-type]
        if self._table.run(0, 1) >= 0:  # type: ignore[union-attr]
            raise self._gather.refused()

    def run_many(self, X: Array, rows: Array, scale: float | None, values: Array) -> int:
        """Steps on X[rows[0]], X[rows[1]], …; what step k computes goes to values[k], float64 (steps, outputs).

        How many were done past Python: 0 where this program cannot, less than all where Python has to go on. What a
        batch cannot be trained on raises as in `run`, when the steps before it are done.
        """
        if self._gather is None or self.entry is None:
            return 0
        self._gather.aim(self._table, X, scale)  # type: ignore[arg-type]
        rates, rate = self._rates(len(rows))
        done, at_a_time = 0, max(1, AT_A_TIME // self._work)
        while done < len(rows):
            part = slice(done, done + at_a_time)
            count, refused = self.entry.many(rows[part], values[part], rates[part], rate)
            if count < 0:
                break
            done += count
            if count < len(values[part.start : part.stop]):
                if refused == 0:
                    raise self._gather.refused(rows[done])
                self.go_on(refused)
                values[done] = [self._array(place)[()] for place in self.program.outputs]
                done += 1
        return done

    def _rates(self, steps: int) -> tuple[Array, Array | None]:
        """What a schedule gives for the steps to come, and where a step reads its rate."""
        if self.optimizer is None or self.optimizer.schedule is None:
            return np.zeros(0), None
        ahead = range(self.optimizer.steps, self.optimizer.steps + steps)
        return np.array([self.optimizer.rate_at(step) for step in ahead]), self.optimizer.cells[RATE : RATE + 1]


def parameter_places(program: Program, optimizer: Any) -> list[int]:
    """The places of the optimiser's arrays among the leaves, in its order."""
    if not program.wrt:
        shape = program.values[program.outputs[0]].shape
        raise CaptureError(
            f"an optimizer follows the gradient of a traced scalar; the captured function's output has shape {shape}. "
            "Reduce it (ae.sum, ae.mean), and use tensors (ae.tensor) for the parameters"
        )
    place_of: dict[int, int] = {}
    for place, leaf in program.leaves:
        if place not in program.wrt or not any(leaf.data is p for p in optimizer.params):
            continue
        other = place_of.setdefault(id(leaf.data), place)
        if other != place:
            raise CaptureError(
                f"{program.name(other)} and {program.name(place)} are two tensors of one array, each with a gradient "
                "of its own: use one tensor in both places, then its gradient is the sum"
            )
    missing = [i for i, p in enumerate(optimizer.params) if id(p) not in place_of]
    if missing:
        shape = optimizer.params[missing[0]].shape
        raise CaptureError(
            f"params[{missing[0]}] of the optimizer, of shape {shape}, is not the array of a traced tensor that the "
            "captured function uses: make the optimizer of [p.data for p in parameters], and give no p.data a new array"
        )
    return [place_of[id(p)] for p in optimizer.params]


def refuse_replaced(program: Program, optimizer: Any, places: Sequence[int], arrays: Mapping[int, Array]) -> None:
    """CaptureError where a parameter has another array by now than the one that the optimiser changes."""
    for i, (p, place) in enumerate(zip(optimizer.params, places, strict=True)):
        if arrays[place] is not p:
            name = program.name(place)
            raise CaptureError(
                f"{name}.data was given a new array, and the optimizer's params[{i}] is still the old one: change it "
                f"in place ({name}.data[...] =), or capture again with an optimizer of the new arrays"
            )
