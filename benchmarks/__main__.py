"""`python -m benchmarks`: run the workloads, print a table for each, and write JSON on request."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import environment, tables
from benchmarks.summary import table
from benchmarks.workload import Options, Workload

SCRIPTS = ("training_step", "eager_overhead", "pca", "processes", "accuracy")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time autograd_ae against its peers.",
        epilog="Not times: benchmarks.paper_tables (published errors), benchmarks.checkers (faults in gradients).",
    )
    p.add_argument("workloads", nargs="*", help="names, or beginnings of names, such as S/128 or S; all by default")
    p.add_argument("--quick", action="store_true", help="7 rounds of 20 ms on smaller data, to see that all runs")
    p.add_argument("--threads", type=int, default=1, metavar="N", help="CPUs and threads to use (1)")
    p.add_argument("--rounds", type=int, metavar="N", help="rounds, at least 7 (11; quick 7)")
    p.add_argument(
        "--data",
        metavar="FOLDER",
        help="MNIST's IDX files for workload P, else synthetic images",
    )
    p.add_argument("--json", metavar="FILE", help="write everything that was measured")
    p.add_argument("--from", dest="stored", nargs="+", metavar="FILE", help="measure nothing; read what --json wrote")
    p.add_argument("--table", action="store_true", help="print the Markdown tables of the README instead of text")
    p.add_argument("--plot", metavar="FILE", help="draw all ratios with their ranges: .png, .svg or .pdf")
    p.add_argument("--list", action="store_true", help="list the workloads and their contenders, and stop")
    return p


def chosen(wanted: Sequence[str]) -> list[tuple[str, Workload]]:
    """(script, workload) for the names given, whole or their beginnings; ValueError for a name that begins none."""
    everything = [(script, w) for script in SCRIPTS for w in importlib.import_module(f"benchmarks.{script}").WORKLOADS]
    names = [w.name for _, w in everything]
    picked: set[str] = set()
    for name in wanted:
        found = [name] if name in names else [n for n in names if n.startswith(name)]
        if not found:
            raise ValueError(f"no workload begins with {name!r}; there are {', '.join(names)}")
        picked.update(found)
    return [(script, w) for script, w in everything if not wanted or w.name in picked]


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
    measures = not (args.list or args.stored)
    try:
        cpus = environment.prepare(args.threads) if measures else None  # before the workloads' modules load NumPy
        selected = chosen(args.workloads)
        if args.list:
            for _, workload in selected:
                print(f"{workload.name:10} {workload.title}: {'; '.join(c.name for c in workload.contenders)}")
            return 0
        measured = measure(args, selected, rounds, cpus) if measures else read(args.stored)
    except ValueError as error:
        p.error(str(error))
    if args.table:
        print(tables.markdown(measured))
    elif bars := tables.bars_table(measured["workloads"]):
        print(f"\n{bars}", flush=True)
    if args.plot:
        from benchmarks import figure

        figure.draw(measured, Path(args.plot))
    return int(any(map(broken, measured["workloads"])))


def measure(
    args: argparse.Namespace, selected: Sequence[tuple[str, Workload]], rounds: int, cpus: list[int] | None
) -> dict[str, Any]:
    """Run the workloads one after the other; what is printed meanwhile goes to stderr where a table is wanted."""
    from benchmarks import harness

    options = Options(quick=args.quick, data=str(Path(args.data).resolve()) if args.data else None)
    facts = environment.describe(args.threads, cpus)
    out = sys.stderr if args.table else sys.stdout
    print(environment.header(facts), file=out, flush=True)
    seconds = 0.02 if args.quick else 0.15  # of a visit
    reports: list[dict[str, Any]] = []
    measured = {"environment": facts, "quick": args.quick, "workloads": reports}
    for script, workload in selected:
        try:
            environment.prepare(workload.threads or args.threads)
        except ValueError as error:
            print(f"\n{workload.name}: skipped, {error}", file=out, flush=True)
            continue
        report = harness.run(script, workload, options, rounds=rounds, seconds=seconds, say=progress)
        progress("")
        print(f"\n{table(report)}", file=out, flush=True)
        reports.append(report)
        if args.json:  # after each workload, so that what is finished is kept
            Path(args.json).write_text(json.dumps(measured, indent=1) + "\n")
    return measured


def read(files: Sequence[str]) -> dict[str, Any]:
    """What several runs on one machine wrote, as one; of a workload that was run twice the later file's."""
    runs = []
    for file in files:
        try:
            runs.append(json.loads(Path(file).read_text()))
        except (OSError, json.JSONDecodeError) as error:
            raise ValueError(f"--from {file}: {error}; give files that --json wrote") from error
    if len({run["environment"]["cpu"] for run in runs}) > 1:
        raise ValueError("--from: the files come from different CPUs; a table names one machine")
    found = {report["name"]: report for run in runs for report in run["workloads"]}
    order = [w.name for _, w in chosen([])]
    reports = sorted(found.values(), key=lambda r: order.index(r["name"]) if r["name"] in order else len(order))
    return {"environment": runs[-1]["environment"], "quick": any(r["quick"] for r in runs), "workloads": reports}


if __name__ == "__main__":
    sys.exit(main())
