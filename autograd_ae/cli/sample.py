"""`autograd-ae sample`: new data from a VAE."""

from __future__ import annotations

import argparse

from autograd_ae.cli.arguments import count, seed
from autograd_ae.cli.arrays import add_output, new_file, saved, saved_model, write
from autograd_ae.cli.frame import Outcome, Run
from autograd_ae.cli.output import UsageError


def sample(parser: argparse.ArgumentParser) -> Run:
    """Draw codes from the prior and decode them, with a VAE that train has saved.

    autograd-ae sample vae.npz 100 --out new.npy
    """
    parser.add_argument("model", metavar="MODEL", help="a file that train --model vae has saved")
    parser.add_argument("number", type=count, metavar="N", help="how many")
    add_output(parser, "samples")
    parser.add_argument("--seed", type=seed, default=0, help="of the random numbers (default: 0)")
    return _sample


def _sample(args: argparse.Namespace) -> Outcome:
    path = new_file(args.out, args.force)
    from autograd_ae.models import VAE

    model = saved_model(args.model)
    if not isinstance(model, VAE):
        raise UsageError(
            f"{args.model} is a saved {type(model).__name__}; only a VAE has a distribution to sample from"
        )
    X = model.sample(args.number, random_state=args.seed)
    write(path, X, key="samples")
    return saved(path, X, model="VAE", seed=args.seed)
