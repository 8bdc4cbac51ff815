"""Fetching MNIST or Fashion-MNIST, when asked and only then, through pooch (the extra `download`).

Each file goes to a temporary folder, is verified there by the SHA-256 of its decompressed bytes, and is moved to its
place in one step: a broken download never stays behind under a good name, and two processes may fetch at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from autograd_ae.data.errors import DataError
from autograd_ae.data.sources import PARTS, Source, cache_dir, find, verified

if TYPE_CHECKING:
    from pathlib import Path

    Retrieve = Callable[[str, str, str], str]  # url, file name, folder → path


def fetch_missing(source: Source, folder: str | os.PathLike[str] | None = None) -> None:
    """If no place has all of `source`, fetch it into `folder`, or else into the user's cache.

    DataError: pooch is not installed, the folder cannot be written, or no mirror gives the right bytes.
    """
    from pathlib import Path

    try:
        find(source, folder)
    except DataError:
        target, retrieve = Path(folder).expanduser() if folder is not None else cache_dir() / source.name, _retriever()
        for part in PARTS:
            _fetch(source, part, target, retrieve)


def _fetch(source: Source, part: str, target: Path, retrieve: Retrieve) -> None:
    """One part, from the first mirror that gives the right bytes."""
    reasons = []
    for mirror in source.mirrors:
        try:
            return _fetch_from(mirror, source, part, target, retrieve)
        except (OSError, DataError) as error:  # what requests raises is an OSError
            reasons.append(f"  {mirror}: {error}")
    raise DataError(
        f"{source.title}'s {part} could not be fetched into {target}:\n" + "\n".join(reasons) + "\nTry again later, or "
        "get the four IDX files in another way and name their folder."
    )


def _fetch_from(mirror: str, source: Source, part: str, target: Path, retrieve: Retrieve) -> None:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    name = f"{part}-idx{len(source.shape(part))}-ubyte.gz"
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target) as folder:  # in `target`, so that the move is one step
        path = Path(retrieve(mirror + name, name, folder))
        verified(source, part, path)
        os.replace(path, target / name)


def _retriever() -> Retrieve:
    """pooch's downloader. It is told no checksum, since ours is of the decompressed bytes."""
    try:
        import pooch
    except ImportError:
        raise DataError('to fetch data pooch is needed; install it by pip install "autograd_ae[download]"') from None
    pooch.get_logger().setLevel("WARNING")
    progress = sys.stderr.isatty()
    return lambda url, name, folder: pooch.retrieve(url, None, fname=name, path=folder, progressbar=progress)
