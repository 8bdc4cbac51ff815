"""Running a recorded program with an edited backward pass: lines left out or replaced, complete gradients scaled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.program import NOTHING, Line, Program

Array = np.ndarray
Edit = Callable[[Line, Array, list[Any]], None]


@dataclass(frozen=True)
class Planted:
    """The gradients that a mistake gives. `rank` orders causes that fit equally well, likeliest first."""

    cause: str
    detail: str
    gradients: list[Array]
    rank: int = 0


def run_edited(program: Program, edits: dict[int, Edit | None], scales: Mapping[int, Array | float]) -> list[Array]:
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


def where(program: Program, node: int) -> str:
    return f"in {program.text(program.forward[node])}"
