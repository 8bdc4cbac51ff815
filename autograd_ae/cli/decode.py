"""`autograd-ae decode`: codes to samples."""

from __future__ import annotations

import argparse

from autograd_ae.cli.arrays import add_output, new_file, read, saved, saved_model, write
from autograd_ae.cli.frame import Outcome, Run


def decode(parser: argparse.ArgumentParser) -> Run:
    """Decompress codes to samples with a model that train has saved.

    autograd-ae decode vae.npz codes.csv --out images.npy
    """
    parser.add_argument("model", metavar="MODEL", help="a file that train has saved")
    parser.add_argument("codes", metavar="CODES", help="codes in rows: FILE.npy, FILE.npz[:NAME] or FILE.csv")
    add_output(parser, "samples")
    return _decode


def _decode(args: argparse.Namespace) -> Outcome:
    path = new_file(args.out, args.force)
    model = saved_model(args.model)
    X = model.inverse_transform(read(args.codes))
    write(path, X, key="samples")
    return saved(path, X, model=type(model).__name__)
