"""`autograd-ae doctor`: is the installation in order?"""

from __future__ import annotations

import argparse
import sys

from autograd_ae.cli.frame import Outcome, Run


def doctor(parser: argparse.ArgumentParser) -> Run:
    """Check the installation: versions, BLAS, kernels against their references, cache folder, digits, figures.

    Exit code 1 if anything is wrong, with the remedy.
    """
    return _doctor


def _doctor(args: argparse.Namespace) -> Outcome:
    from autograd_ae import doctor

    note = (lambda name: None) if args.quiet else (lambda name: print(f"{name} …", file=sys.stderr))
    findings = doctor.examine(note)
    return doctor.table(findings), doctor.to_dict(findings), int(not all(f.ok for f in findings))
