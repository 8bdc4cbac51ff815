"""`autograd-ae data`: what data there is, and where it is looked for."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from autograd_ae.cli.frame import PROGRAM, Outcome, Run
from autograd_ae.cli.output import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from autograd_ae.data.sources import Source


def data(parser: argparse.ArgumentParser) -> Run:
    """Show which data sets are at hand, and where they are looked for.

    The digits embedded in the package are always verified; MNIST and Fashion-MNIST are four IDX files each.
    """
    parser.add_argument("--folder", metavar="FOLDER", help="look in this folder only")
    parser.add_argument("--verify", action="store_true", help="compare the SHA-256 of every file that is found")
    parser.add_argument(
        "--download", choices=("mnist", "fashion-mnist"), help='if not found (needs the extra "download")'
    )
    return _data


def _data(args: argparse.Namespace) -> Outcome:
    from autograd_ae.data import sources
    from autograd_ae.data.download import fetch_missing

    known = {source.name: source for source in (sources.MNIST, sources.FASHION_MNIST)}
    if args.download:
        fetch_missing(known[args.download], args.folder)
    sets = [_embedded(), *(_survey(source, args.folder, args.verify) for source in known.values())]
    looked = [_inventory(root) for root in sources._roots(args.folder)]
    wrong = any(s["state"] == "wrong" for s in sets)
    useless = args.folder is not None and all(s["state"] == "not found" for s in sets[1:])
    lines = [f"{s['title']:15}  {s['state']:9}  {s['detail']}" for s in sets]
    lines += ["", "The four IDX files of a data set are looked for, in this order, in"]
    lines += [f"  {place['folder']}: {place['text']}" for place in looked]
    return "\n".join(lines), {"sets": sets, "looked": looked}, int(wrong or useless)


def _embedded() -> dict[str, Any]:
    from autograd_ae.data import DataError, digits

    entry = {"name": "digits", "title": "embedded digits", "folder": os.path.dirname(digits.FILE)}
    try:
        digits.read(digits.FILE)
    except DataError as error:
        return {**entry, "state": "wrong", "detail": one_line(error)}
    detail = f"{digits.N_TRAIN:,} to train, {digits.N_TEST:,} to test, part of MNIST's training set"
    return {**entry, "state": "verified", "detail": detail}


def _survey(source: Source, folder: str | None, verify: bool) -> dict[str, Any]:
    """Is `source` at hand? The smallest of its files is always verified: other data sets use the same names."""
    from autograd_ae.data import DataError, sources

    entry: dict[str, Any] = {"name": source.name, "title": source.title, "folder": None}
    try:
        files = sources.find(source, folder)
    except DataError:
        where = f" --folder {folder}" if folder else ""
        return {**entry, "state": "not found", "detail": f"to get it: {PROGRAM} data --download {source.name}{where}"}
    entry["folder"] = str(files["t10k-labels"].parent)
    try:
        for part in sources.PARTS if verify else ("t10k-labels",):
            sources.verified(source, part, files[part])
    except DataError as error:
        other = next(s for s in (sources.MNIST, sources.FASHION_MNIST) if s.name != source.name)
        try:
            sources.verified(other, "t10k-labels", files["t10k-labels"])
        except DataError:
            return {**entry, "state": "wrong", "detail": one_line(error)}
        return {**entry, "state": "not found", "detail": f"the files in {entry['folder']} are {other.title}'s"}
    return {**entry, "state": "verified" if verify else "found", "detail": entry["folder"]}


def _inventory(root: Path) -> dict[str, Any]:
    """How many of a data set's four files are in `root`, and in its subfolders mnist and fashion-mnist."""
    from autograd_ae.data import sources

    files = {name: len(sources._files(root / name)) for name in ("", sources.MNIST.name, sources.FASHION_MNIST.name)}
    parts = [f"{n} of 4 files" + (f" in {name}" if name else "") for name, n in files.items() if n]
    text = ", ".join(parts) or ("none of the files" if root.is_dir() else "no such folder")
    return {"folder": str(root), "exists": root.is_dir(), "files": files, "text": text}
