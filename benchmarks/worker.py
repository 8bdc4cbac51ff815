"""A contender's process: builds it, runs its first steps, and then does a number of steps each time it is visited.

Requests come as lines on stdin, answers go as JSON lines to stdout; whatever libraries print is sent to stderr.

    check N    import, build, steps 0 … N   →  import_s, first_step_s, step_s, results at steps 0 and N
    visit N    one step untimed, N timed    →  seconds per step

An answer is sent when the process is at rest: the threads of a BLAS look for more work long after the last product
(OpenBLAS's for a tenth of a second), and would take a CPU from the contender that is visited next.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benchmarks.workload import Contender, Options, Step, Workload


class Unavailable(Exception):
    """A module that the contender needs cannot be imported."""


def find_workload(script: str, name: str) -> Workload:
    """The workload `name` of the module benchmarks.`script`."""
    module = importlib.import_module(f"benchmarks.{script}")
    return next(w for w in module.WORKLOADS if w.name == name)


def import_all(modules: Iterable[str]) -> float:
    """Seconds to import `modules`; Unavailable, with the reason, where one cannot be."""
    start = time.perf_counter()
    for module in modules:
        try:
            importlib.import_module(module)
        except (ImportError, OSError) as error:
            raise Unavailable(f"{module} cannot be imported: {last_line(error)}") from error
    return time.perf_counter() - start


def results_of(outputs: tuple[Any, ...]) -> list[list[float]]:
    """What a step returned, as numbers; waits until they are there."""
    return [np.asarray(output, dtype=np.float64).ravel().tolist() for output in outputs]


def check(
    contender: Contender, make_problem: Callable[[], Any], last: int, *, reported: bool = False
) -> tuple[Step, dict[str, Any]]:
    """Import, build, and steps 0 … last; making the problem's data is not timed. A reported figure is no result."""
    end = -1 if reported else None
    import_s = import_all(contender.needs)
    problem = make_problem()
    start = time.perf_counter()
    step = contender.build(problem)
    outputs = step()
    first = results_of(outputs[:end])
    first_step_s = time.perf_counter() - start
    times = [first_step_s] if last == 0 else []
    for _ in range(last):
        start = time.perf_counter()
        outputs = step()
        results_of(outputs[:1])
        times.append(time.perf_counter() - start)
    results = [first, results_of(outputs[:end])]
    return step, {
        "import_s": import_s,
        "first_step_s": first_step_s,
        "step_s": float(np.median(times)),
        "results": results,
    }


def visit(step: Step, count: int, *, reported: bool = False) -> float:
    """Seconds per step over `count` steps, after one that warms the caches; a single long step needs none.

    Where steps report a figure it is their median.
    """
    if reported:
        return float(np.median([step()[-1] for _ in range(count)]))
    if count > 1:
        step()
    start = time.perf_counter()
    for _ in range(count):
        outputs = step()
    results_of(outputs[:1])
    return (time.perf_counter() - start) / count


def come_to_rest(
    *,
    cpu_time: Callable[[], float] = time.process_time,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until no thread of this process is at work, which is when its CPU time stands still; 2 s at most."""
    end, idle = clock() + 2.0, False
    while not idle and clock() < end:
        before, start = cpu_time(), clock()
        sleep(0.02)
        idle = cpu_time() - before < 0.2 * (clock() - start)


def serve(
    workload: Workload,
    contender: Contender,
    options: Options,
    requests: Iterable[str],
    answer: Callable[[dict[str, Any]], None],
) -> None:
    """Answer requests until there are no more."""
    step: Step | None = None
    for request in requests:
        word, number = request.split()
        try:
            if word == "check":
                step, facts = check(
                    contender, lambda: workload.problem(options), int(number), reported=workload.reported
                )
                for _ in range(0 if options.quick else contender.warm_up):
                    step()
                come_to_rest()
                answer(facts)
            elif word == "visit" and step is not None:
                seconds = visit(step, int(number), reported=workload.reported)
                come_to_rest()
                answer({"seconds": seconds})
            else:
                answer({"failed": f"the request {request.strip()!r} came before a check, or is not known"})
        except Unavailable as reason:
            answer({"skipped": str(reason)})
        except Exception as error:  # whatever a library throws becomes a line of the table
            answer({"failed": f"{type(error).__name__}: {last_line(error)}"})


def last_line(error: BaseException) -> str:
    """The last line of a message, where the cause usually stands."""
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def main(argv: list[str]) -> None:
    """`python -m benchmarks.worker SCRIPT WORKLOAD CONTENDER OPTIONS`, the options as JSON."""
    script, name, contender, options = argv
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    workload = find_workload(script, name)
    serve(
        workload,
        workload.contender(contender),
        Options(**json.loads(options)),
        iter(sys.stdin.readline, ""),
        lambda facts: print(json.dumps(facts), file=channel),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
