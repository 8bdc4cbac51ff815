"""`autograd-ae check`, from parsed arguments to (text, data, exit code). Exit code 0 agree, 1 disagree, 3 undecided."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from autograd_ae.testing.suite import EXIT_CODES, check_ops, fault_matrix, faults_outcome, ops_outcome
from autograd_ae.testing.user_file import FileReport, TargetError, check_file, is_file_target
from autograd_ae.testing.verdict import DISAGREES, UNDECIDED

Outcome = tuple[str, dict[str, Any], int]


def run(args: argparse.Namespace, note: Callable[[str], None]) -> Outcome:
    """What the arguments ask for. TargetError for targets and options that do not exist or do not go together."""
    files = [target for target in args.targets if is_file_target(target)]
    if files and (len(files) < len(args.targets) or args.faults or args.cases):
        raise TargetError("a file is checked by itself: name ops, --faults and --cases in another run")
    if args.shape and not files:
        raise TargetError("--shape is for a function in a file: path/to/file.py::function")
    if args.cases and (args.faults or args.targets):
        raise TargetError("--cases runs over all ops, and by itself")
    if args.cases:
        from autograd_ae.testing.hard_points import alarms_outcome, false_alarms

        return alarms_outcome(false_alarms(args.cases, args.seed, note))
    if files:
        return files_outcome([r for target in files for r in check_file(target, args.shape or (), seed=args.seed)])
    if args.faults:
        return faults_outcome(fault_matrix(args.targets, note=note))
    return ops_outcome(check_ops(args.targets, seed=args.seed, note=note))


def files_outcome(reports: list[FileReport]) -> Outcome:
    """Reports, data and exit code: one disagreement is one for all, else one that is undecided leaves all undecided."""
    verdicts = {r.check.verdict for r in reports}
    verdict = next((v for v in (DISAGREES, UNDECIDED) if v in verdicts), "agrees")
    return (
        "\n".join(map(str, reports)),
        {"verdict": verdict, "checks": [r.to_dict() for r in reports]},
        EXIT_CODES[verdict],
    )
