"""The files of MNIST and Fashion-MNIST: which they are, by checksum, and in which folder of the machine they lie.

The two data sets use the same four file names, so a folder says little and a checksum everything. It is taken of the
*decompressed* bytes: gzip headers differ from mirror to mirror, the data do not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from autograd_ae.data.errors import DataError
from autograd_ae.data.idx import read_idx_and_digest

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = "AUTOGRAD_AE_DATA_DIR"
SYSTEM_FOLDER = "/usr/share/datasets"
PARTS = ("train-images", "train-labels", "t10k-images", "t10k-labels")


@dataclass(frozen=True)
class Source:
    """A data set in MNIST's four files: their SHA-256 (decompressed) in the order of PARTS, and where to fetch them."""

    name: str
    title: str
    sha256: tuple[str, str, str, str]
    mirrors: tuple[str, ...]
    notice: str
    sizes: tuple[int, int] = (60_000, 10_000)
    image_shape: tuple[int, int] = (28, 28)

    def shape(self, part: str) -> tuple[int, ...]:
        """The array that `part` must hold."""
        n = self.sizes[0] if part.startswith("train") else self.sizes[1]
        return (n, *self.image_shape) if part.endswith("images") else (n,)


MNIST = Source(
    name="mnist",
    title="MNIST",
    sha256=(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    notice="MNIST © Yann LeCun and Corinna Cortes, a derivative of NIST's databases, CC BY-SA 3.0.",
)
FASHION_MNIST = Source(
    name="fashion-mnist",
    title="Fashion-MNIST",
    sha256=(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    notice="Fashion-MNIST © 2017 Zalando SE, MIT licence.",
)


def verified(source: Source, part: str, path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """The array in `path`, which must be this very part of `source`; DataError if it is another."""
    shape = source.shape(part)
    array, digest = read_idx_and_digest(path, shape=shape, max_bytes=prod(shape))  # one byte for each element
    needed = source.sha256[PARTS.index(part)]
    if digest != needed:
        known = [
            f"{s.title}'s {p}"
            for s in (MNIST, FASHION_MNIST)
            for p, d in zip(PARTS, s.sha256, strict=True)
            if d == digest
        ]
        arrived = f"this is {known[0]}" if known else "this is another file, or a damaged one"
        raise DataError(
            f"{path}: {arrived}, not {source.title}'s {part}: its decompressed bytes have SHA-256 {digest}, "
            f"but {needed} is needed; get the file again, or name another folder"
        )
    return array


def find(source: Source, folder: str | os.PathLike[str] | None = None) -> dict[str, Path]:
    """The file of each part, from the first place that has all four; DataError lists the places and what they lack."""
    looked = []
    for root in _roots(folder):
        files = max((_files(place) for place in (root / source.name, root)), key=len)
        if len(files) == len(PARTS):
            return files
        lack = f"lacks {', '.join(part for part in PARTS if part not in files)}" if files else "has none of the files"
        looked.append(f"  {root} {lack if os.path.isdir(root) else 'is no folder'}")
    raise DataError(
        f"{source.title} was not found. Looked, there and in a subfolder {source.name}, for "
        "train-images-idx3-ubyte(.gz) and its three companions:\n"
        + "\n".join(looked)
        + f"\nName their folder, set {ENVIRONMENT} to it, or have it fetched: in a shell by "
        f"autograd-ae data --download {source.name}, in Python by download=True "
        '(both need pip install "autograd_ae[download]").'
    )


def cache_dir() -> Path:
    """The user's cache folder of this package: $XDG_CACHE_HOME or ~/.cache, ~/Library/Caches, %LOCALAPPDATA%."""
    import sys
    from pathlib import Path

    if sys.platform == "win32":
        root = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    else:
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "autograd_ae"


def _roots(folder: str | os.PathLike[str] | None) -> list[Path]:
    """Where to look, in order; an explicit folder is the only place, so that a typing error is not covered up."""
    from pathlib import Path

    if folder is not None:
        return [Path(folder).expanduser()]
    asked = os.environ.get(ENVIRONMENT)
    return [*([Path(asked).expanduser()] if asked else []), cache_dir(), Path(SYSTEM_FOLDER)]


def _files(place: Path) -> dict[str, Path]:
    """The parts in `place`, under their usual names: train-images-idx3-ubyte, .gz or not, with - or . before idx."""
    found = {}
    for part in PARTS:
        kind = "idx3-ubyte" if part.endswith("images") else "idx1-ubyte"
        names = (f"{part}{mark}{kind}{end}" for end in ("", ".gz") for mark in "-.")
        if there := [place / name for name in names if os.path.isfile(place / name)]:
            found[part] = there[0]
    return found
