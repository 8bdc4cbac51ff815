"""`autograd-ae demo`: the chapter's experiments."""

from __future__ import annotations

import argparse

from autograd_ae.cli.arguments import new_folder, seed
from autograd_ae.cli.frame import Outcome, Run

SECTIONS = (
    "rank-one", "pca", "circle", "autoencoder", "compression", "sparse", "denoising", "resolution", "generation", "vae",
    "traversal", "theorems",
)  # fmt: skip


def demo(parser: argparse.ArgumentParser) -> Run:
    """Run the chapter's experiments and report them against their closed forms.

    A table goes to stdout; into a folder go report.html, one file that needs no network, results.json, and the figures.
    A section that fails is reported, the others still run. Exit code 1 if a section fails or a law does not hold.
    """
    parser.add_argument("--out", metavar="FOLDER", help="where the report goes (default: runs/<date and time>)")
    parser.add_argument("--force", action="store_true", help="write into FOLDER even if it is not empty")
    parser.add_argument("--data", metavar="FOLDER", help="MNIST's IDX files, instead of the embedded digits")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this section only (may be repeated)")
    parser.add_argument(
        "--quick", action="store_true", help="fewer epochs and seeds: to see it run, not for its figures"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of all random numbers (default: 0)")
    return _demo


def _demo(args: argparse.Namespace) -> Outcome:
    from pathlib import Path

    out = new_folder(args.out, args.force)
    from autograd_ae.lecture.demo import run

    report = run(
        out=Path(out) if out else None,
        data=Path(args.data).expanduser() if args.data else None,
        only=tuple(dict.fromkeys(args.only or ())),
        quick=args.quick,
        seed=args.seed,
        quiet=args.quiet,
    )
    return report.table(), {"folder": str(report.folder), **report.to_dict()}, report.code
