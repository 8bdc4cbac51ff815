"""`autograd-ae train`: fit a model and save it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from autograd_ae.cli.arguments import count, seed
from autograd_ae.cli.arrays import SETS, add_samples, named_set, new_file, samples
from autograd_ae.cli.frame import Outcome, Run
from autograd_ae.cli.output import UsageError, progress

MODELS = {
    "pca": "PCA",
    "linear": "LinearPCA",
    "deep": "DeepPCA",
    "autoencoder": "Autoencoder",
    "sparse": "SparseAE",
    "denoising": "DenoisingAE",
    "vae": "VAE",
}


def train(parser: argparse.ArgumentParser) -> Run:
    """Train a model on samples and save it, for encode, decode, reconstruct and sample.

    What the model has become is printed: layers, error, plateau, dead latents; for a data set with a name also its
    error on the test part. Ctrl-C ends training and saves what was learned.

    autograd-ae train digits --model vae --epochs 20 --out vae.npz
    """
    add_samples(parser)
    parser.add_argument("--model", choices=tuple(MODELS), default="autoencoder", help="(default: autoencoder)")
    parser.add_argument("--out", metavar="FILE", required=True, help="where the model goes, a name that ends in .npz")
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")
    parser.add_argument("--components", type=count, metavar="N", help="size of the code")
    parser.add_argument("--hidden", type=sizes, metavar="64,16", help="encoder layers; '' for none")
    parser.add_argument("--epochs", type=count, metavar="N", help="or iterations of L-BFGS")
    parser.add_argument(
        "--set", action="append", type=setting, default=[], metavar="NAME=VALUE", help="any other setting, repeatedly"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of all random numbers (default: 0)")
    return _train


def sizes(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"layers are sizes with commas, such as 64,16, not {text!r}")
    return tuple(map(int, parts))


def setting(text: str) -> tuple[str, Any]:
    """`beta=0.5` as ("beta", 0.5): the value is read as JSON, and is a word where it is none."""
    name, mark, value = text.partition("=")
    if not mark or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"a setting is NAME=VALUE, such as beta=0.5, not {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, {"True": True, "False": False, "None": None}.get(value, value)


def _train(args: argparse.Namespace) -> Outcome:
    from autograd_ae.models.estimator import SettingError

    path = new_file(args.out, args.force, (".npz",))
    model = _model(args)
    X = samples(args)
    options = {} if args.model == "pca" or args.quiet else {"callback": _reporter()}
    try:
        model.fit(X, **options)
    except SettingError as error:
        raise UsageError(str(error)) from error
    except FloatingPointError as error:
        raise ValueError(str(error)) from error
    model.save(path)
    found: dict[str, Any] = {"file": path, "model": type(model).__name__, "settings": model.get_params()}
    found |= {"samples": X.shape[0], "features": X.shape[1], "loss_curve": getattr(model, "loss_curve_", [])}
    found["diagnostics"] = model.diagnostics(X)
    lines = [model.summary(X)]
    if args.data in SETS and args.part != "test":
        found["test_error"] = model.reconstruction_error(named_set(args.data, args.folder).test.images)
        lines.append(f"error on the test part {found['test_error']:.6g}")
    return "\n".join([*lines, f"saved to {path}"]), found, 0


def _model(args: argparse.Namespace) -> Any:
    """The model with its settings, all checked by name before any data are read."""
    import autograd_ae

    model = getattr(autograd_ae, MODELS[args.model])()
    known = model.get_params()
    if "random_state" in known:
        model.set_params(random_state=args.seed)
    for option, name in (("components", "n_components"), ("hidden", "hidden_layer_sizes"), ("epochs", "max_iter")):
        value = getattr(args, option)
        if value is not None and name not in known:
            raise UsageError(f"--{option}: {args.model} has none")
        if value is not None:
            model.set_params(**{name: value})
    for name, value in args.set:
        if name not in known:
            raise UsageError(f"--set {name}: {args.model} has no such setting; there are {', '.join(known)}")
        model.set_params(**{name: tuple(value) if isinstance(value, list) else value})
    return model


def _reporter() -> Callable[[Any, int], None]:
    def report(model: Any, epoch: int) -> None:
        progress(f"{epoch} of {model.max_iter}, loss {model.loss_curve_[-1]:.6g}" if model.loss_curve_ else f"{epoch}")

    return report
