"""`autograd-ae reconstruct`: samples through the code and back."""

from __future__ import annotations

import argparse

from autograd_ae.cli.arrays import add_output, add_samples, new_file, samples, saved, saved_model, write
from autograd_ae.cli.frame import Outcome, Run


def reconstruct(parser: argparse.ArgumentParser) -> Run:
    """Compress samples and decompress them again with a model that train has saved; print how well that went.

    autograd-ae reconstruct vae.npz digits --part test --out again.npy
    """
    parser.add_argument("model", metavar="MODEL", help="a file that train has saved")
    add_samples(parser)
    add_output(parser, "reconstructions")
    return _reconstruct


def _reconstruct(args: argparse.Namespace) -> Outcome:
    path = new_file(args.out, args.force)
    model, X = saved_model(args.model), samples(args)
    again, found = model.reconstruct(X), model.diagnostics(X)
    write(path, again, key="reconstructions")
    lines = [f"error                 {found['error']:.6g}", f"plateau (mean image)  {found['plateau']:.6g}"]
    text, values, code = saved(path, again, model=type(model).__name__, diagnostics=found)
    return "\n".join([text, *lines]), values, code
