"""Indexing: basic indices, masks, integer arrays with repetitions, and mixtures of them."""

import numpy as np

from autograd_ae.ops.indexing import getitem
from autograd_ae.testing.specs.spec import OpSpec, Pick, any_shape


def basic_entry(pick: Pick, n: int):
    """An integer or a slice, with ends and steps of either sign, for an axis of n."""
    if n and pick(0, 2) == 0:
        return pick(-n, n - 1)
    start, stop = (None if pick(0, 1) else pick(-n - 1, n + 1) for _ in range(2))
    return slice(start, stop, (None, 1, 2, -1, -2)[pick(0, 4)])


def decorated(pick: Pick, entries: list, ndim: int):
    """The entries with a newaxis or an ellipsis among them; alone without its tuple at times."""
    entries = list(entries)
    if len(entries) < ndim and pick(0, 1):
        entries = entries[: pick(0, len(entries))]
    if pick(0, 2) == 0:
        entries.insert(pick(0, len(entries)), None)
    if pick(0, 2) == 0:
        entries.append(...)
    return entries[0] if len(entries) == 1 and pick(0, 1) else tuple(entries)


def basic(pick: Pick):
    shape = any_shape(pick)
    entries = [basic_entry(pick, n) for n in shape[: pick(0, len(shape))]]
    return (shape,), {"index": decorated(pick, entries, len(shape))}


def mask_of(pick: Pick, shape):
    bits = [bool(pick(0, 1)) for _ in range(int(np.prod(shape)))]
    return np.array(bits, dtype=bool).reshape(shape)


def mask(pick: Pick):
    """A boolean array over one or more axes, slices beside it."""
    shape = (*any_shape(pick), pick(0, 4))
    first = pick(0, len(shape) - 1)
    last = pick(first, len(shape) - 1) + 1
    return (shape,), {
        "index": (
            *[slice(None)] * first,
            mask_of(pick, shape[first:last]),
            *[slice(None, None, -1)] * (len(shape) - last),
        )
    }


def array_of(pick: Pick, n: int, shape):
    return np.array([pick(-n, n - 1) for _ in range(int(np.prod(shape)))], dtype=int).reshape(shape)


def gather(pick: Pick):
    """Integer arrays (of shapes that broadcast), integers, slices, masks and newaxis in any order."""
    shape = tuple(pick(1, 4) for _ in range(pick(1, 3)))
    block = (pick(0, 3), pick(1, 3))
    entries: list = []
    for n in shape:
        own = [block, block[1:], (block[0], 1), (1,)][pick(0, 3)]
        kind = pick(0, 3)
        entries.append(basic_entry(pick, n) if kind == 0 else array_of(pick, n, own))
        if pick(0, 4) == 0:
            entries.append(None)
    if not any(isinstance(e, np.ndarray) for e in entries):
        entries[0] = array_of(pick, shape[0], block)
    return (shape,), {"index": tuple(entries)}


def rows_and_mask(pick: Pick):
    """An integer array against a mask of as many True entries."""
    n, m = pick(1, 4), pick(1, 4)
    chosen = mask_of(pick, (m,))
    return ((n, m),), {"index": (array_of(pick, n, (int(chosen.sum()),)), chosen)}


SPECS = [
    OpSpec("getitem", getitem, basic),
    OpSpec("getitem_mask", getitem, mask, ops=("getitem",)),
    OpSpec("gather", getitem, gather),
    OpSpec("gather_mask", getitem, rows_and_mask, ops=("gather",)),
]
