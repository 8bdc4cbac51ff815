"""`autograd-ae theorems`: are the theorems kept?"""

from __future__ import annotations

import argparse

from autograd_ae.cli.arguments import seed
from autograd_ae.cli.frame import Outcome, Run
from autograd_ae.cli.output import UsageError, progress, silent


def theorems(parser: argparse.ArgumentParser) -> Run:
    """Hold trained models against every closed form of the lecture: achieved errors and tolerances.

    Each row trains models of its own: 1 to 20 are closed forms, I to VI identities of gradients along a training run.
    Of each, the table shows the measure that comes nearest to its tolerance; --details shows all of them, and the
    statements. All of them take less than a minute. Exit code 1: a tolerance is missed.
    """
    parser.add_argument(
        "--only", action="append", metavar="ROW", help="this row only, such as 11 or IV (may be repeated)"
    )
    parser.add_argument("--details", action="store_true", help="every statement and every measure")
    parser.add_argument("--seed", type=seed, default=0, help="of all random numbers (default: 0)")
    return _theorems


def _theorems(args: argparse.Namespace) -> Outcome:
    from autograd_ae.lecture.theorems import check, text
    from autograd_ae.lecture.theorems.table import THEOREMS

    only = tuple(dict.fromkeys(args.only or ()))
    if unknown := [row for row in only if row not in THEOREMS]:
        raise UsageError(f"there is no row {', '.join(map(repr, unknown))}; there are {', '.join(THEOREMS)}")
    findings = check(only, seed=args.seed, note=silent if args.quiet else progress)
    values = {"seed": args.seed, "ok": all(f.ok for f in findings), "theorems": [f.to_dict() for f in findings]}
    return text(findings, details=args.details), values, 0 if values["ok"] else 1
