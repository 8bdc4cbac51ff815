"""The visits: contenders' processes are started one by one, compared, and then timed in turn.

A round visits every contender once, in the list's order. How many steps a visit has is chosen so that it lasts as long
as asked; nothing else runs meanwhile, since the other processes wait for a line on their stdin.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from benchmarks.summary import disagreement, summarise
from benchmarks.workload import Contender, Options, Workload

ROOT = Path(__file__).parents[1]


class ContenderFailed(Exception):
    """A contender that had run its first steps failed while it was timed."""

    def __init__(self, name: str, reason: str):
        super().__init__(reason)
        self.name = name


class Visited(Protocol):
    """What the rounds need of a contender's process."""

    def visit(self, seconds: float) -> float:
        """Work for about `seconds`; return seconds per step."""
        ...


class Process:
    """A worker and the pipes to it."""

    def __init__(self, script: str, workload: Workload, contender: Contender, options: Options):
        self._name, self._reported = contender.name, workload.reported
        arguments = [script, workload.name, contender.name, json.dumps(asdict(options))]
        command = [sys.executable, "-m", "benchmarks.worker", *arguments]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._step_s = 0.0

    def ask(self, request: str) -> dict[str, Any]:
        """The answer to one request; a process that ends without one has failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = ""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        return json.loads(line) if line else {"failed": f"its process ended with code {self._process.wait()}"}

    def check(self, last: int) -> dict[str, Any]:
        """Import, build, and steps 0 … last."""
        facts = self.ask(f"check {last}")
        self._step_s = facts.get("step_s", 0.0)
        return facts

    def visit(self, seconds: float) -> float:
        """Steps for about `seconds`, at least one; seconds per step, or the figure that the steps report."""
        facts = self.ask(f"visit {max(1, round(seconds / self._step_s))}")
        if "seconds" not in facts:
            raise ContenderFailed(self._name, facts["failed"])
        if not self._reported:
            self._step_s = facts["seconds"]
        return facts["seconds"]

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def visit_in_turn(processes: Mapping[str, Visited], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Seconds per step of each contender in each round; the order of visits is A B C A B C …"""
    times: dict[str, list[float]] = {name: [] for name in processes}
    for _ in range(rounds):
        for name, process in processes.items():
            times[name].append(process.visit(seconds))
    return times


def compare(results: Any, reference: Any, tolerance: float, name: str) -> dict[str, Any]:
    """The disagreement with the reference contender, `name`, and why it is too large where it is."""
    found = disagreement(results, reference)
    reason = f"its results differ from those of {name} by {found:.1e} of the largest entry; {tolerance:.0e} is allowed"
    return {"disagreement": found} | ({} if found <= tolerance else {"refused": reason})


def run(
    script: str,
    workload: Workload,
    options: Options,
    *,
    rounds: int,
    seconds: float,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Start, compare, time; the report as plain dicts and lists.

    Each contender of the report has `skipped`, `failed` or `refused` with the reason, or `times` in seconds per step,
    one per round, with their median, least and greatest value.
    """
    entries: dict[str, dict[str, Any]] = {}
    processes: dict[str, Process] = {}
    reference: tuple[str, Any] | None = None
    try:
        for contender in workload.contenders:
            say(f"{workload.name}: {contender.name}")
            entry = entries[contender.name] = {"name": contender.name, "own": contender.own}
            if missing := contender.missing():
                entry["skipped"] = f"{missing} is not installed"
                continue
            process = processes[contender.name] = Process(script, workload, contender, options)
            facts = process.check(workload.checked_step)
            entry |= {key: value for key, value in facts.items() if key not in ("results", "step_s")}
            if contender.checked and "results" in facts:
                reference = reference or (contender.name, facts["results"])
                entry |= compare(facts["results"], reference[1], workload.tolerance, reference[0])
            if {"skipped", "failed", "refused"} & entry.keys():
                processes.pop(contender.name).close()
        say(f"{workload.name}: timing")
        turns = min(rounds, workload.rounds or rounds)
        entries_of_times(entries, workload.contenders[0].name, lambda: visit_in_turn(processes, turns, seconds))
    finally:
        for process in processes.values():
            process.close()
    facts = {"name": workload.name, "title": workload.title, "unit": workload.unit, "scale": workload.scale}
    return {**facts, "script": script, "contenders": list(entries.values())}


def entries_of_times(
    entries: dict[str, dict[str, Any]], baseline: str, measure: Callable[[], dict[str, list[float]]]
) -> None:
    """Measure, and write the times into the entries, or why there are none; nothing is timed without the baseline."""
    if {"skipped", "failed", "refused"} & entries[baseline].keys():
        return
    try:
        times = measure()
    except ContenderFailed as error:
        entries[error.name]["failed"] = str(error)
        return
    for name, statistics in summarise(times, baseline).items():
        entries[name] |= {"times": times[name], **{kind: list(values) for kind, values in statistics.items()}}
