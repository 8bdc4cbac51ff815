"""Minibatches: which rows the next step of stochastic gradient descent sees.

One epoch visits every row exactly once: a random permutation π of 0 … B−1 is cut into π[0:b], π[b:2b], …; the last
batch keeps what is left, B mod b rows, and is never dropped or padded. With a loss that is a *mean* over samples, the
gradient over all rows is the mean of the batch gradients weighted by the batch sizes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from autograd_ae.data.arguments import count, generator

if TYPE_CHECKING:
    from autograd_ae.data.arguments import Seed


def batches(X: Sized, batch_size: int, rng: Seed | None = None, *, shuffle: bool = True) -> Iterator[NDArray[np.int64]]:
    """One epoch over the rows of X: arrays of row numbers, each of `batch_size` but the last, which may be shorter.

    `rng` is a Generator, which goes on from epoch to epoch, or a seed, which gives the same epoch each time. With
    `shuffle=False` the rows come in order and no `rng` is needed.

    >>> [rows.tolist() for rows in batches(range(7), 3, shuffle=False)]
    [[0, 1, 2], [3, 4, 5], [6]]
    >>> rng = np.random.default_rng(0)
    >>> sorted(np.concatenate([*batches(range(7), 3, rng)]).tolist())
    [0, 1, 2, 3, 4, 5, 6]
    """
    n, size = len(X), count("batch_size", batch_size)
    order = _order(n, rng, shuffle=shuffle)
    return (order[start : start + size] for start in range(0, n, size))


def batch_tables(
    X: Sized, batch_size: int, rng: Seed | None = None, *, shuffle: bool = True
) -> Iterator[NDArray[np.int64]]:
    """The same epoch as tables: (batches, batch_size) of row numbers, then (1, rest) where a shorter batch is left.

    >>> [table.tolist() for table in batch_tables(range(7), 3, shuffle=False)]
    [[[0, 1, 2], [3, 4, 5]], [[6]]]
    """
    n, size = len(X), count("batch_size", batch_size)
    order, whole = _order(n, rng, shuffle=shuffle), n // size * size
    parts = order[:whole].reshape(-1, size), order[whole:].reshape(1, -1)
    return (part for part in parts if part.size)


def _order(n: int, rng: Seed | None, *, shuffle: bool) -> NDArray[np.int64]:
    order = np.arange(n)
    if shuffle:
        if rng is None:
            raise TypeError(
                "shuffling needs rng: pass np.random.default_rng(seed), or shuffle=False for the given order"
            )
        generator(rng).shuffle(order)
    return order
