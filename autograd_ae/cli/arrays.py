"""Samples and codes as the commands read and write them: npy, npz, csv, and the data sets by name."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from autograd_ae.cli.output import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SETS = ("digits", "mnist", "fashion-mnist")
SUFFIXES = (".npy", ".npz", ".csv")


def add_samples(parser: argparse.ArgumentParser, help: str = "samples in rows") -> None:
    """The arguments that say which samples."""
    kinds = f"FILE.npy, FILE.npz[:NAME], FILE.csv, or {', '.join(SETS)}"
    parser.add_argument("data", metavar="DATA", help=f"{help}: {kinds}")
    parser.add_argument("--part", choices=("train", "test"), help="of a data set with a name (default: train)")
    parser.add_argument("--folder", metavar="FOLDER", help="where MNIST's IDX files are")


def add_output(parser: argparse.ArgumentParser, kind: str) -> None:
    """The arguments that say where an array goes."""
    parser.add_argument("--out", metavar="FILE", required=True, help=f"where the {kind} go: npy, npz or csv")
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")


def samples(args: argparse.Namespace) -> NDArray[Any]:
    """What `add_samples` asked for, (B, n)."""
    if args.data in SETS:
        half = named_set(args.data, args.folder)
        return (half.test if args.part == "test" else half.train).images
    for option in ("part", "folder"):
        if getattr(args, option) is not None:
            raise UsageError(f"--{option} is for {', '.join(SETS)}; {args.data} is a file")
    return read(args.data)


def named_set(name: str, folder: str | None = None) -> Any:
    """A `Dataset`, pixels in [0, 1]."""
    from autograd_ae import data

    if name == "digits":
        if folder is not None:
            raise UsageError("--folder is for mnist and fashion-mnist; the digits are part of the package")
        return data.load_digits()
    return (data.load_mnist if name == "mnist" else data.load_fashion_mnist)(folder)


def read(text: str) -> NDArray[Any]:
    """The matrix in FILE.npy, FILE.npz (its only array, or :NAME) or FILE.csv, where a line of names may be first."""
    path, name = _split(os.path.expanduser(text))
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{text}: {', '.join(SUFFIXES)} can be read, and the data sets {', '.join(SETS)}")
    existing(path)
    array = _from_csv(path) if suffix == ".csv" else _from_numpy(path, name)
    if array.ndim != 2:
        raise ValueError(f"{text}: a matrix with one sample in each row is needed, the array has shape {array.shape}")
    return array


def existing(path: str) -> str:
    """`path`, if there is such a file."""
    if not os.path.isfile(path):
        raise UsageError(f"{path}: {'this is a folder' if os.path.isdir(path) else 'No such file'}")
    return path


def saved_model(name: str) -> Any:
    """The model in a file that train has written."""
    from autograd_ae.models import load

    return load(existing(os.path.expanduser(name)))


def _split(text: str) -> tuple[str, str | None]:
    path, mark, name = text.rpartition(":")
    return (path, name) if mark and path.lower().endswith(".npz") else (text, None)


def _from_numpy(path: str, name: str | None) -> NDArray[Any]:
    import numpy as np

    with open(path, "rb") as stream:
        try:
            found = np.load(stream, allow_pickle=False)
            if not hasattr(found, "files"):
                return found
            names = list(found.files)
            if name is None and len(names) != 1:
                raise ValueError(f"it holds {', '.join(names) or 'nothing'}; choose one with {path}:NAME")
            if name is not None and name not in names:
                raise ValueError(f"it holds {', '.join(names)}, and no {name}")
            return found[name or names[0]]
        except Exception as error:  # a file that is none raises anything
            raise ValueError(f"{path}: {error}") from None


def _from_csv(path: str) -> NDArray[Any]:
    import numpy as np

    with open(path, encoding="utf-8-sig") as stream:
        lines = [line for line in stream if line.strip()]
    if not lines:
        raise ValueError(f"{path}: the file is empty")
    start = 0 if _numbers(lines[0]) else 1
    rows = [_numbers(line) for line in lines[start:]]
    for i, row in enumerate(rows, start + 1):
        if row is None:
            raise ValueError(f"{path}: line {i} is not numbers with commas: {lines[i - 1].strip()[:60]!r}")
        if len(row) != len(rows[0] or ()):
            raise ValueError(f"{path}: line {i} has {len(row)} numbers, the first one has {len(rows[0] or ())}")
    if not rows:
        raise ValueError(f"{path}: no line of numbers follows the names")
    return np.array(rows, dtype=np.float64)


def _numbers(line: str) -> list[float] | None:
    try:
        return [float(part) for part in line.split(",")]
    except ValueError:
        return None


def new_file(name: str, force: bool, suffixes: tuple[str, ...] = SUFFIXES) -> str:
    """`name`, if a result may go there."""
    path = os.path.expanduser(name)
    if not path.lower().endswith(suffixes):
        raise UsageError(f"--out {name}: a name that ends in {' or '.join(suffixes)} is needed")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise UsageError(f"--out {name}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"--out {name}: nothing can be written into the folder {folder}")
    if os.path.isdir(path) or (os.path.exists(path) and not force):
        raise UsageError(f"--out {name} exists; name another file, or add --force to replace it")
    return path


def write(path: str, array: NDArray[Any], *, key: str, names: list[str] | None = None) -> None:
    """As the suffix of `path` says: npy, npz under `key`, or csv with all digits, after a line of names if given."""
    import numpy as np

    if path.lower().endswith(".csv"):
        digits = "%.9g" if array.dtype == np.float32 else "%.17g"
        np.savetxt(path, array, fmt=digits, delimiter=",", header=",".join(names or ()), comments="")
    elif path.lower().endswith(".npz"):
        np.savez(path, allow_pickle=False, **{key: array})
    else:
        np.save(path, array, allow_pickle=False)


def saved(path: str, array: NDArray[Any], **more: Any) -> tuple[str, dict[str, Any], int]:
    """The outcome of a command that wrote an array."""
    rows, columns = array.shape
    return f"{rows:,} × {columns} to {path}", {"file": path, "shape": [rows, columns], **more}, 0
