"""Workloads Start and Memory: what a whole process costs, from its start to its first trained step, and at its peak.

Each step starts a Python process that loads weights and one batch from a file, imports the contender's library, builds
the lecture's network, trains, and prints its loss. Start is the time until one step of batch 128 is done; the first
start, which fills caches on disk, is the comparison's, so that those timed are second runs. Memory is the most that
the process held in 20 steps of batch 128, the interpreter included.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import child
from benchmarks.networks import LECTURE, digits_problem
from benchmarks.training_step import CONTENDERS as TRAINED
from benchmarks.workload import Contender, Options, Step, Workload

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Saved:
    """A problem as a file; it goes with the object."""

    folder: tempfile.TemporaryDirectory

    @property
    def path(self) -> Path:
        return Path(self.folder.name) / "problem.npz"


def saved_problem(options: Options) -> Saved:
    """The lecture's network and a batch of 128 digits."""
    saved = Saved(tempfile.TemporaryDirectory())
    child.save(digits_problem(options, sizes=LECTURE, batch=128), saved.path)
    return saved


def started(problem: Saved, *, name: str, steps: int, memory: bool) -> Step:
    """Start a process that trains; the loss, and where memory is measured the peak."""

    def step():
        command = [sys.executable, "-m", "benchmarks.child", name, str(problem.path), str(steps)]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
        if run.returncode != 0:
            raise RuntimeError(run.stderr)
        facts = json.loads(run.stdout.splitlines()[-1])
        return (facts["loss"], facts["peak"]) if memory else (facts["loss"],)

    return step


def contenders(*, steps: int, memory: bool) -> list[Contender]:
    """Those of a training step that are somebody's usual way to train."""
    left_out = ("autograd_ae, replay", "autograd_ae, eager", "torch.compile, fused Adam", "HIPS autograd", "mygrad")
    return [
        Contender(c.name, partial(started, name=c.name, steps=steps, memory=memory), starts=c.needs)
        for c in TRAINED
        if c.name not in left_out
    ]


WORKLOADS = [
    Workload(
        "Start",
        "process start to the first trained step of S/128, second run",
        saved_problem,
        contenders(steps=1, memory=False),
        unit="s",
        scale=1.0,
        checked_step=1,
    ),
    Workload(
        "Memory",
        "peak memory of a process that trains S/128",
        saved_problem,
        contenders(steps=20, memory=True),
        unit="MB",
        scale=1e-6,
        checked_step=1,
        reported=True,
        rounds=7,
    ),
]
