"""The whole of MNIST and of Fashion-MNIST: where the files are looked for, and that they are the right ones.

Both are four IDX files of the same names, 60,000 training and 10,000 test images of 28×28 grey levels in ten classes.
They are not part of the package. The files are taken from the first of these folders that has all four, plain or gz:

    1. `folder`, if it is given: no other place is then looked at
    2. $AUTOGRAD_AE_DATA_DIR/<name>, or $AUTOGRAD_AE_DATA_DIR itself
    3. the user's cache, `cache_dir()`/<name>
    4. /usr/share/datasets/<name>, where Debian's dataset-fashion-mnist installs

with <name> being mnist or fashion-mnist. Only with `download=True`, and if no folder has them, they are fetched through
pooch (the extra `download`) into `folder` or the cache. Whatever its way, each file is verified by the SHA-256 of its
*decompressed* bytes: gzip headers differ from mirror to mirror, the data do not. Cost: 0.5 s to decompress and verify
the 60,000.

Sources: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Proc. IEEE 86(11), 1998; H. Xiao, K. Rasul, R. Vollgraf,
arXiv:1708.07747.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from autograd_ae.data.download import fetch_missing
from autograd_ae.data.images import Dataset, Images, check_scale
from autograd_ae.data.sources import FASHION_MNIST, MNIST, Source, find, verified

if TYPE_CHECKING:
    from pathlib import Path


def load_mnist(
    folder: str | os.PathLike[str] | None = None,
    *,
    scale: str = "unit",
    dtype: DTypeLike = np.float32,
    download: bool = False,
) -> Dataset:
    """MNIST: 60,000 training and 10,000 test images of handwritten digits, as the same kind of object as `load_digits`.

    Parameters
    ----------
    folder : where the four IDX files are; without it the places listed above are tried in turn.
    scale, dtype : see `Images`.
    download : fetch the files if no place has them; needs `pip install "autograd_ae[download]"`.

    Raises
    ------
    DataError : no place has all four files, or one is truncated, damaged, or not MNIST's.
    """
    return load(MNIST, folder, scale=scale, dtype=dtype, download=download)


def load_fashion_mnist(
    folder: str | os.PathLike[str] | None = None,
    *,
    scale: str = "unit",
    dtype: DTypeLike = np.float32,
    download: bool = False,
) -> Dataset:
    """Fashion-MNIST: 60,000 training and 10,000 test images of clothing; everything else as for `load_mnist`."""
    return load(FASHION_MNIST, folder, scale=scale, dtype=dtype, download=download)


def load(
    source: Source,
    folder: str | os.PathLike[str] | None = None,
    *,
    scale: str = "unit",
    dtype: DTypeLike = np.float32,
    download: bool = False,
) -> Dataset:
    """`source` from the first place that has it whole, each file verified."""
    check_scale(scale, dtype)  # before half a second of reading
    if download:
        fetch_missing(source, folder)
    files = find(source, folder)
    train, test = (_images(source, files, half, scale, dtype) for half in ("train", "t10k"))
    return Dataset(source.name, train, test, source.notice)


def _images(source: Source, files: dict[str, Path], half: str, scale: str, dtype: DTypeLike) -> Images:
    images, labels = (verified(source, part, files[part]) for part in (f"{half}-images", f"{half}-labels"))
    return Images(images.reshape(len(images), -1), labels, source.image_shape, scale=scale, dtype=dtype)
