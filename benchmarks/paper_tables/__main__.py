"""`python -m benchmarks.paper_tables`: train the models, print the table, write JSON on request."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks import environment
from benchmarks.paper_tables.experiments import EXPERIMENTS, chosen
from benchmarks.paper_tables.running import QUICK_EPOCHS, QUICK_TEST, QUICK_TRAIN, earlier_rows, levels, run_all
from benchmarks.paper_tables.table import table


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.paper_tables", description="Published figures, reproduced.")
    p.add_argument("--data", metavar="FOLDER", help="MNIST's IDX files (else $AUTOGRAD_AE_DATA_DIR, then the cache)")
    p.add_argument("--only", nargs="+", metavar="NAME", default=[], help="names, or beginnings of names")
    p.add_argument("--quick", action="store_true", help=f"{QUICK_EPOCHS} epochs on a subset, to see that all runs")
    p.add_argument(
        "--out",
        metavar="FILE",
        help="write results and learning curves as JSON after each model; rows of others are kept",
    )
    p.add_argument("--seed", type=int, default=0, metavar="N", help="of all random numbers (0)")
    p.add_argument("--list", action="store_true", help="list the names, and stop")
    return p


def progress(line: str) -> None:
    """One line on stderr."""
    print(line, file=sys.stderr, flush=True)


def one_thread() -> None:
    """BLAS and kernels on one thread, without the slow kernels that some machines force. Before NumPy is imported."""
    for variable in environment.THREAD_VARIABLES:
        os.environ[variable] = "1"
    for variable in environment.FORCED_KERNELS:
        os.environ.pop(variable, None)


def main(argv: list[str] | None = None) -> int:
    """Exit code 0; 1 where a bar is missed; 2 for a wrong command line; 130 after Ctrl-C."""
    p = parser()
    args = p.parse_args(argv)
    out = Path(args.out) if args.out else None
    try:
        experiments = chosen(args.only)
    except ValueError as error:
        p.error(str(error))
    if args.list:
        print("\n".join(f"{e.name:16} {e.title}" for e in experiments))
        return 0
    if out is not None and not out.parent.is_dir():
        p.error(f"--out {out}: there is no folder {out.parent}; make it first")
    if args.seed < 0:
        p.error(f"--seed {args.seed}: 0 or a larger whole number is needed")
    if "numpy" not in sys.modules:
        one_thread()
    import autograd_ae as ae

    try:
        digits = ae.data.load_mnist(args.data)
    except ae.data.DataError as error:
        p.error(f"--data: {error}")
    few = (QUICK_TRAIN, QUICK_TEST) if args.quick else (None, None)
    train, test = digits.train.images[: few[0]], digits.test.images[: few[1]]
    report: dict[str, Any] = {"quick": args.quick, "seed": args.seed, "images": [len(train), len(test)]}
    report |= {"environment": environment.describe(1, None), "levels": levels(train, test), "unfinished": []}
    try:
        report["rows"] = earlier_rows(out, report, experiments) if out is not None else []
    except ValueError as error:
        p.error(f"--out: {error}")

    def save(report: dict[str, Any]) -> None:
        report["rows"].sort(key=lambda row: [e.name for e in EXPERIMENTS].index(row["name"]))
        if out is not None:
            out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    whole = run_all(experiments, report, train, test, say=progress, save=save)
    if report["rows"]:
        print(f"{environment.header(report['environment'])}\n\n{table(report)}", flush=True)
    if not whole:
        return 130
    return int(not args.quick and any(r["met"] is False for r in report["rows"]))


if __name__ == "__main__":
    sys.exit(main())
