"""`autograd-ae encode`: samples to codes."""

from __future__ import annotations

import argparse

from autograd_ae.cli.arrays import add_output, add_samples, new_file, samples, saved, saved_model, write
from autograd_ae.cli.frame import Outcome, Run


def encode(parser: argparse.ArgumentParser) -> Run:
    """Compress samples to codes with a model that train has saved.

    autograd-ae encode vae.npz digits --part test --out codes.csv
    """
    parser.add_argument("model", metavar="MODEL", help="a file that train has saved")
    add_samples(parser)
    add_output(parser, "codes")
    return _encode


def _encode(args: argparse.Namespace) -> Outcome:
    path = new_file(args.out, args.force)
    model = saved_model(args.model)
    Z = model.transform(samples(args))
    write(path, Z, key="codes", names=list(model.get_feature_names_out()))
    return saved(path, Z, model=type(model).__name__)
