"""`python -m benchmarks`: run the workloads, print a table for each, and write JSON on request."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import environment
from benchmarks.workload import Options, Workload

SCRIPTS = ("training_step", "eager_overhead", "pca")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time autograd_ae against its peers.",
        epilog="Not times: benchmarks.paper_tables (published errors), benchmarks.checkers (faults in gradients).",
    )
    p.add_argument("workloads", nargs="*", help="names or beginnings of names, such as S/128 or S; all by default")
    p.add_argument("--quick", action="store_true", help="7 rounds of 20 ms on smaller data, to see that all runs")
    p.add_argument("--threads", type=int, default=1, metavar="N", help="CPUs and threads to use (1)")
    p.add_argument("--rounds", type=int, metavar="N", help="rounds, at least 7 (11; quick 7)")
    p.add_argument(
        "--data",
        metavar="FOLDER",
        help="MNIST's IDX files for workload P, else synthetic images",
    )
    p.add_argument("--json", metavar="FILE", help="write everything that was measured")
    p.add_argument("--list", action="store_true", help="list the workloads and their contenders, and stop")
    return p


def chosen(wanted: list[str]) -> list[tuple[str, Workload]]:
    """(script, workload) for the names given; ValueError for a name that begins none."""
    everything = [(script, w) for script in SCRIPTS for w in importlib.import_module(f"benchmarks.{script}").WORKLOADS]
    for name in wanted:
        if not any(w.name.startswith(name) for _, w in everything):
            raise ValueError(f"no workload begins with {name!r}; there are {', '.join(w.name for _, w in everything)}")
    return [(script, w) for script, w in everything if not wanted or any(w.name.startswith(name) for name in wanted)]


def progress(line: str) -> None:
    """What is going on, on stderr, where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def broken(report: dict[str, Any]) -> bool:
    """Whether something is wrong: results that differ, or a contender of our own that failed."""
    return any("refused" in c or (c["own"] and ("failed" in c or "skipped" in c)) for c in report["contenders"])


def main(argv: list[str] | None = None) -> int:
    """Exit code 0; 1 when contenders disagree or our own fail; 2 for a wrong command line."""
    p = parser()
    args = p.parse_args(argv)
    rounds = args.rounds or (7 if args.quick else 11)
    if rounds < 7:
        p.error(f"--rounds {rounds}: a median of fewer than 7 rounds says little; ask for 7 or more")
    if args.data is not None and not Path(args.data).is_dir():
        p.error(f"--data {args.data}: there is no such folder; give the one that holds the IDX files")
    try:
        cpus = environment.prepare(args.threads)
        selected = chosen(args.workloads)
    except ValueError as error:
        p.error(str(error))
    if args.list:
        for _, workload in selected:
            print(f"{workload.name:10} {workload.title}: {'; '.join(c.name for c in workload.contenders)}")
        return 0
    from benchmarks import harness
    from benchmarks.summary import table

    options = Options(quick=args.quick, data=str(Path(args.data).resolve()) if args.data else None)
    facts = environment.describe(args.threads, cpus)
    print(environment.header(facts), flush=True)
    seconds = 0.02 if args.quick else 0.15  # of a visit
    reports = []
    for script, workload in selected:
        report = harness.run(script, workload, options, rounds=rounds, seconds=seconds, say=progress)
        progress("")
        print(f"\n{table(report)}", flush=True)
        reports.append(report)
    if args.json:
        measured = {"environment": facts, "quick": args.quick, "workloads": reports}
        Path(args.json).write_text(json.dumps(measured, indent=1) + "\n")
    return int(any(map(broken, reports)))


if __name__ == "__main__":
    sys.exit(main())
