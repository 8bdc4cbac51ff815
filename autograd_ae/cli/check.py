"""`autograd-ae check`: are the gradients right?"""

from __future__ import annotations

import argparse

from autograd_ae.cli.arguments import count, seed, shape
from autograd_ae.cli.frame import Outcome, Run, exit_codes
from autograd_ae.cli.output import UsageError, progress, silent


def check(parser: argparse.ArgumentParser) -> Run:
    """Check gradients: those of every op, your own, and the checker itself on planted faults.

    Your own: FILE.py::NAME, where the file defines NAME(x), a number, NAME_grad(x), its gradient, and NAME_point, the
    point (tuples for several arguments); for an array-valued function NAME_vjp(x, u) instead of NAME_grad. A gradient
    that disagrees is diagnosed.
    """
    parser.epilog = exit_codes("a gradient disagrees, or something is wrong", "3 undecided")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="ops by name, or FILE.py::NAME (default: all ops)")
    parser.add_argument("--shape", action="append", type=shape, metavar="3,4", help="random point, once per argument")
    parser.add_argument("--faults", action="store_true", help="plant faults in every rule: which do the laws kill?")
    parser.add_argument("--cases", type=count, metavar="N", help="N correct gradients at hard points: false alarms?")
    parser.add_argument("--seed", type=seed, default=0, help="of all random numbers (default: 0)")

    return _check


def _check(args: argparse.Namespace) -> Outcome:
    from autograd_ae.testing.command import run
    from autograd_ae.testing.user_file import TargetError

    try:
        return run(args, silent if args.quiet else progress)
    except TargetError as error:
        raise UsageError(str(error)) from error
