"""Data: the embedded digits, MNIST and Fashion-MNIST from IDX files, synthetic sets with a known answer, minibatches.

Reading order: `images`, `digits`, `idx`, `sources`, `mnist`, `synthetic`, `resolution`, `batches`. Nothing here knows
the engine: everything takes and gives NumPy arrays, samples in rows.
"""

from autograd_ae.data.batches import batches
from autograd_ae.data.digits import load_digits
from autograd_ae.data.errors import DataError
from autograd_ae.data.idx import read_idx, write_idx
from autograd_ae.data.images import Dataset, Images
from autograd_ae.data.mnist import load_fashion_mnist, load_mnist
from autograd_ae.data.resolution import enlarge, reduce_resolution
from autograd_ae.data.sources import cache_dir
from autograd_ae.data.synthetic import (
    circle,
    gaussian_with_spectrum,
    low_rank,
    noisy_line,
    rank_one_line,
    sparse_codes,
)

__all__ = [
    "DataError",
    "Dataset",
    "Images",
    "batches",
    "cache_dir",
    "circle",
    "enlarge",
    "gaussian_with_spectrum",
    "load_digits",
    "load_fashion_mnist",
    "load_mnist",
    "low_rank",
    "noisy_line",
    "rank_one_line",
    "read_idx",
    "reduce_resolution",
    "sparse_codes",
    "write_idx",
]
