"""Tiles or BLAS for a chain of dense layers: measured once per machine and shape, remembered on disk.

Which is faster depends on the processor, the BLAS, the dtype and the shapes, and the difference is some percent to some
tens of percent: so it is measured, on arrays of the chain's shapes, a few steps of each in turn, by one thread. The
ratio is kept beside the compiled kernels, in a file that a new version of the kernels leaves behind, under a key that
names processor, versions and shapes. A file that cannot be read or written costs a measurement, nothing else. How many
threads a program is given does not count, so that its results do not depend on it; whether the process may use more
than one processor does.

`AUTOGRAD_AE_GEMM=tiles` or `blas` decides without measuring, so that bits can be reproduced elsewhere (the two differ
in rounding). Chains of little work are left to the plain table: a step of theirs takes no longer than a few rows.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from autograd_ae.core.blas import limit_blas_threads
from autograd_ae.core.jit import cache_dir
from autograd_ae.core.lines import NOTHING
from autograd_ae.core.op import Array
from autograd_ae.core.program import Program
from autograd_ae.ops.dense import rows as in_rows
from autograd_ae.runtime import instructions_training as train
from autograd_ae.runtime.chains import Chain
from autograd_ae.runtime.lowering import Row, lower
from autograd_ae.runtime.panels import aligned
from autograd_ae.runtime.stack_plan import Layer, Rule, Stack
from autograd_ae.runtime.stack_rows import play
from autograd_ae.runtime.table import Table
from autograd_ae.runtime.team import processors

WAYS = ("tiles", "blas")
LEAST_WORK = 1 << 21  # multiplications of a forward pass: some 0.1 ms a step
# Tiles must take less than this share of the time by one thread; where others can help, all of their work is shared
# out, of the other way only the products are (and models keep BLAS to one thread).
GAIN, HELPED = 0.98, 1.1
CLOCK = time.perf_counter if os.name == "nt" else time.thread_time  # Windows counts a thread's time in 16 ms
SURE = 5  # so many ratios that agree are enough
_known: dict[str, float] = {}


def chosen(chain: Chain, program: Program) -> str:
    """ "tiles" or "blas"."""
    forced = os.environ.get("AUTOGRAD_AE_GEMM") or "auto"
    if forced not in (*WAYS, "auto"):
        raise ValueError(f"AUTOGRAD_AE_GEMM is {forced!r}; it can be 'auto', 'tiles' or 'blas'")
    if forced != "auto":
        return forced
    if chain.work(program) < LEAST_WORK:
        return "blas"
    key = _key(chain, program)
    if key not in _known:
        remembered = _remembered()
        _known[key] = remembered.get(key) or _measured(chain, program)
        if key not in remembered:
            _remember(key, _known[key])
    return "tiles" if _known[key] < (GAIN if processors() == 1 else HELPED) else "blas"


def _key(chain: Chain, program: Program) -> str:
    from llvmlite import binding

    sizes = [program.values[chain.x].shape, *(program.values[link.W].shape for link in chain.links)]
    kinds = [link.activation for link in chain.links]
    versions = [f"{name} {version(name)}" for name in ("numpy", "numba", "llvmlite")]
    dtype = program.values[chain.x].dtype
    return f"{binding.get_host_cpu_name()}, {', '.join(versions)}: {dtype} {sizes} {kinds}"


# The file.


def _file() -> Path:
    return cache_dir() / "tiles-to-blas.json"


def _remembered() -> dict[str, float]:
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, float) and v > 0} if isinstance(found, dict) else {}


def _remember(key: str, share: float) -> None:
    temporary = _file().with_suffix(f".{os.getpid()}")
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({**_remembered(), key: share}, indent=1), encoding="utf-8")
        temporary.replace(_file())
    except OSError:
        return


# The measurement: forward, backward and Adam on arrays of the program's shapes.


def _measured(chain: Chain, program: Program, rounds: int = 15) -> float:
    """The share of BLAS's time that tiles take."""
    arrays = _scratch(chain, program)
    moments = [[np.zeros_like(arrays[p]) for _ in range(2)] for link in chain.links for p in (link.W, link.b)]
    numbers = np.array([0.1, 0.999, 0.001, 1e-8, 0.0, 0.0, 1.0, 0.0])
    plain = _plain(chain, program, arrays, moments, numbers)
    if plain is None:
        return 0.01
    stack = _stack(chain, arrays, moments, numbers)
    tiles = Table([play(score) for score in stack.scores])
    with limit_blas_threads(1):
        return share_of_time(
            lambda: tiles.run(0, len(tiles.words)), lambda: plain.run(0, len(plain.words)), rounds=rounds
        )


def share_of_time(
    one: Callable[[], Any], other: Callable[[], Any], *, rounds: int, clock: Callable[[], float] = CLOCK
) -> float:
    """How many times as long as the other the one takes: the median of the ratios of neighbours, A B, B A, A B, …

    Neighbours share what the machine's speed is at the moment, and a thread's CPU time does not count the time that
    other programs had the processor. The first round warms up. Where a few ratios agree, no more are taken.
    """
    ratios: list[float] = []
    for k in range(1 + rounds):
        seconds = {}
        for way in (one, other) if k % 2 else (other, one):
            start = clock()
            way()
            seconds[way] = clock() - start
        if k > 0:
            ratios.append(seconds[one] / max(seconds[other], 1e-9))
        if len(ratios) == SURE and (max(ratios) < GAIN or min(ratios) > HELPED):
            break
    return median(ratios)


def _scratch(chain: Chain, program: Program) -> dict[int, Array]:
    """Arrays for all places that the chain's lines name."""
    lines = [*(program.forward[k] for k in chain.forward), *(program.backward[k] for k in chain.backward)]
    places = {place for line in lines for place in (line.out, *line.args) if place != NOTHING}
    rng, arrays = np.random.default_rng(0), {}
    for place in sorted(places):
        _, shape, dtype, _ = program.values[place]
        arrays[place] = aligned(int(np.prod(shape)), dtype).reshape(shape)
        arrays[place][...] = rng.uniform(-0.1, 0.1, shape)
    return arrays


def _stack(chain: Chain, arrays: dict[int, Array], moments: Any, numbers: Array) -> Stack:
    layers = [Layer(arrays[l.W], arrays[l.b], l.activation, arrays[l.dW], arrays[l.db]) for l in chain.links]
    x, y, g = (in_rows(arrays[place]) for place in (chain.x, chain.y, chain.g))
    dx = None if chain.dx is None else in_rows(arrays[chain.dx])
    return Stack(layers, x, y, g, dx=dx, rule=Rule("adam", numbers, moments))


def _plain(chain: Chain, program: Program, arrays: dict[int, Array], moments: Any, numbers: Array) -> Table | None:
    rows: list[Row] = []
    for line in [*(program.forward[k] for k in chain.forward), *(program.backward[k] for k in chain.backward)]:
        lowered = lower(line.run, arrays[line.out], [arrays.get(a) for a in line.args], line.params)
        if lowered is None:  # no BLAS to call
            return None
        rows += lowered
    places = [pair for link in chain.links for pair in ((link.W, link.dW), (link.b, link.db))]
    for (p, g), pair in zip(places, moments, strict=True):
        rows.append(Row(train.adam, (arrays[p], arrays[g], *pair), (arrays[p].size,), numbers))
    return Table(rows)
