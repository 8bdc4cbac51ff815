"""`autograd-ae explain`: the page of an op or of a model's loss."""

from __future__ import annotations

import argparse
from itertools import groupby
from pathlib import Path
from typing import Any

from autograd_ae.cli.arguments import new_folder, seed
from autograd_ae.cli.frame import PROGRAM, Outcome, Run
from autograd_ae.cli.output import UsageError, progress, silent

FORMATS = {"html": ".html", "latex": ".tex", "markdown": ".md"}


def explain(parser: argparse.ArgumentParser) -> Run:
    """Explain an op or a model's loss: statement, gradients, derivation, code, a checked example.

    NAME is a function of the calculus (sigmoid, dense, gaussian_kl, …) or a model (vae, sparse, …); "list" shows all.
    Formulas come in both layouts: samples in rows, as in the code, and in columns, as in the lecture.
    """
    parser.add_argument("name", metavar="NAME", nargs="?", help='a function, a model, or "list"')
    parser.add_argument("--all", action="store_true", help="every page, as a small site in the folder --out")
    form = parser.add_mutually_exclusive_group()
    for name in FORMATS:
        form.add_argument(f"--{name}", dest="format", action="store_const", const=name, help=f"as {name}, not text")
    parser.add_argument("--out", metavar="PATH", help="write there: a file, by its ending; with --all a folder")
    parser.add_argument("--force", action="store_true", help="let --all write into a folder that is not empty")
    parser.add_argument(
        "--layout", choices=("rows", "columns"), default="rows", help="of the numbers in the example (default: rows)"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of the numbers in the example (default: 0)")
    return _explain


def _explain(args: argparse.Namespace) -> Outcome:
    if args.all == (args.name is not None):
        raise UsageError(f"explain what? Name one page, or give --all --out FOLDER ({PROGRAM} explain list shows all)")
    if args.all:
        return _site(args)
    if args.name == "list":
        return _list()
    from autograd_ae.lecture.formulary import find, page
    from autograd_ae.lecture.formulary.facts import facts

    try:
        name = find(args.name)
    except ValueError as error:
        raise UsageError(str(error)) from error
    made = page(name, layout=args.layout, seed=args.seed)
    values: dict[str, Any] = {"name": name, "title": made.title, "layout": args.layout, "seed": args.seed}
    if args.json:
        values |= facts(name, seed=args.seed)
    if args.out:
        path = made.save(_file(args.out, args.format))
        return f"{path}", values | {"file": str(path)}, 0
    text = getattr(made, args.format or "text")()
    return text.rstrip("\n"), values, 0


def _file(out: str, form: str | None) -> Path:
    """Where to write: the ending says in which form, or the form gives the ending."""
    path = Path(out).expanduser()
    if form is None or path.suffix == FORMATS[form]:
        return path
    if path.suffix:
        raise UsageError(f"--out {out} does not end in {FORMATS[form]}, as --{form} needs")
    return path.with_suffix(FORMATS[form])


def _list() -> Outcome:
    from autograd_ae.lecture.formulary import entries

    found = entries()
    width = max(len(e.name) for e in found)
    lines: list[str] = []
    for family, members in groupby(found, key=lambda e: e.family):
        lines += ["", family, *(f"  {e.name:{width}}  {e.summary}" for e in members)]
    values = [{"name": e.name, "signature": e.written, "summary": e.summary, "family": e.family} for e in found]
    return "\n".join(lines[1:]), {"pages": values}, 0


def _site(args: argparse.Namespace) -> Outcome:
    from autograd_ae.lecture.formulary import entries, write

    if not args.out:
        raise UsageError("--all writes a site: name its folder, --out FOLDER")
    if args.format not in (None, "html"):
        raise UsageError(f"--all writes HTML; --{args.format} is for one page")
    folder = new_folder(args.out, args.force)
    assert folder is not None
    index = write(folder, layout=args.layout, seed=args.seed, note=silent if args.quiet else progress)
    return f"{len(entries())} pages: {index}", {"index": str(index), "pages": [e.name for e in entries()]}, 0
