"""The command line, `autograd-ae` or `python -m autograd_ae`: a file per subcommand, what they share in `frame.py`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from autograd_ae.cli.check import check
from autograd_ae.cli.data import data
from autograd_ae.cli.decode import decode
from autograd_ae.cli.demo import demo
from autograd_ae.cli.doctor import doctor
from autograd_ae.cli.encode import encode
from autograd_ae.cli.explain import explain
from autograd_ae.cli.frame import parser_of, run
from autograd_ae.cli.reconstruct import reconstruct
from autograd_ae.cli.sample import sample
from autograd_ae.cli.theorems import theorems
from autograd_ae.cli.train import train

COMMANDS = (demo, explain, theorems, train, encode, decode, reconstruct, sample, data, doctor, check)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    return parser_of(COMMANDS)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return run(parser(), argv)
