"""One training run in a process of its own: `python -m benchmarks.child CONTENDER PROBLEM STEPS`.

Prints, as JSON, the loss of the last step and the most memory that the process held. What is imported here is NumPy and
what the contender needs, nothing else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.networks import Problem


def peak_bytes() -> int:
    """The most memory that this process held since it began.

    Linux keeps that of the process alone in VmHWM; what getrusage calls the maximum includes the parent's until exec.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def save(problem: Problem, path: Path) -> None:
    """The problem as a file."""
    arrays = {f"W{i}": W for i, W in enumerate(problem.weights)} | {f"b{i}": b for i, b in enumerate(problem.biases)}
    np.savez(path, batches=np.stack(problem.batches), **arrays)  # type: ignore[arg-type]


def load(path: Path) -> Problem:
    """The problem of a file."""
    with np.load(path) as file:
        layers = range(len(file.files) // 2)
        return Problem([file[f"W{i}"] for i in layers], [file[f"b{i}"] for i in layers], list(file["batches"]))


def main(argv: list[str]) -> None:
    """Build the contender, train, report."""
    name, path, steps = argv
    problem = load(Path(path))
    from benchmarks.training_step import CONTENDERS

    step = next(c for c in CONTENDERS if c.name == name).build(problem)
    for _ in range(int(steps)):
        (loss,) = step()
    print(json.dumps({"loss": float(loss), "peak": peak_bytes()}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
