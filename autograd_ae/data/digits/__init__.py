"""The embedded digits: 10,000 real images of MNIST that come with the package, 8,000 to train on and 2,000 to test.

They are the first 10,000 images of MNIST's *training* set. Shuffled once, in a fixed order, and split anew: this test
set is not MNIST's official one (which is not in here), so figures measured on it are near published ones but not equal.
Whose they are, where they come from, how they were changed: LICENSE.md in this folder (CC BY-SA 3.0, Y. LeCun and C.
Cortes). How to build the file again from its source: `python -m autograd_ae.data.digits.build --help`.

    load     0.04 s the first time, of which 0.025 s to inflate and 0.005 s for the SHA-256 of all pixels and labels
    memory   7.8 MB of pixels, shared by all who load them; 25 MB of float32 once `digits.train.images` is asked for
"""

from __future__ import annotations

from functools import cache
from os import path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from autograd_ae.data.errors import DataError
from autograd_ae.data.images import Dataset, Images, check_scale

FILE = path.join(path.dirname(__file__), "digits.npz")
N_TRAIN, N_TEST = 8_000, 2_000
SHA256 = "19ec424d0459c6c0c829a97a9c0493318c0a806adb48f6225a140282079d0025"
NOTICE = (
    "10,000 images of MNIST's training set, shuffled and split anew; MNIST © Yann LeCun and Corinna Cortes, "
    "a derivative of NIST's databases, CC BY-SA 3.0; see autograd_ae/data/digits/LICENSE.md."
)


def load_digits(*, scale: str = "unit", dtype: DTypeLike = np.float32) -> Dataset:
    """The embedded digits: `train` with 8,000 and `test` with 2,000 images of 28×28 grey levels, ten classes.

    Each part has `images`, floating (B, 784) as `scale` says (see `Images`; "unit" is [0, 1]), `pixels`, the uint8 (B,
    784) they are made from, and `labels`, int64 (B,). `digits.only(1, 8)` is the lecture's set for generation. The
    arrays are read-only.

    DataError: the package's data file is missing or is not the published one.

    >>> digits = load_digits()
    >>> digits
    Dataset('digits',
      train=Images(8000 of 28×28, classes 0 1 2 3 4 5 6 7 8 9, unit float32),
      test=Images(2000 of 28×28, classes 0 1 2 3 4 5 6 7 8 9, unit float32))
    >>> digits.only(1, 8).train.images.shape
    (1641, 784)
    """
    check_scale(scale, dtype)
    pixels, labels = _pixels_and_labels()
    train, test = (
        Images(pixels[rows], labels[rows], scale=scale, dtype=dtype) for rows in (slice(N_TRAIN), slice(N_TRAIN, None))
    )
    return Dataset("digits", train, test, NOTICE)


@cache
def _pixels_and_labels() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return read(FILE)


def read(file: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pixels (10000, 784) and labels (10000,) from the npz `file`, verified."""
    from zipfile import BadZipFile
    from zlib import error as DeflateError

    remedy = "install autograd_ae again, or build the file anew: python -m autograd_ae.data.digits.build --help"
    try:
        with open(file, "rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            pixels, labels = arrays["pixels"], arrays["labels"]
    except (OSError, EOFError, KeyError, TypeError, ValueError, BadZipFile, DeflateError) as error:
        raise DataError(f"{file}: the embedded digits cannot be read ({error}); {remedy}") from error
    if (digest := checksum(pixels, labels)) != SHA256:
        raise DataError(f"{file}: the embedded digits have SHA-256 {digest}, but {SHA256} is needed; {remedy}")
    return pixels, labels


def checksum(pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> str:
    """SHA-256 of the pixels, row by row, followed by the labels."""
    from hashlib import sha256

    digest = sha256(np.asarray(pixels, order="C").data)
    digest.update(np.asarray(labels, order="C").data)
    return digest.hexdigest()
