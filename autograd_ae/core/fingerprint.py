"""Fingerprints of arrays: how the engine notices that a value which backward still needs was edited in place.

A NumPy array can be changed through any of its views without anyone being told, so the only sound test is to look
at the bytes twice: when an op is recorded and before its pullbacks read the array. Small arrays are kept byte for byte:
copying a few KB takes less time than calling a kernel.
Of large ones a 32-bit hash is kept: 32 interleaved lanes of h ← (h + word)·odd, which a CPU does in SIMD
at memory speed, so that any edit of a single word is found for certain (each step is a bijection of h) and others
but for a chance of about 2⁻³².
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from autograd_ae.core.jit import JIT_ENABLED, jit

SMALL = 8192  # bytes
LANES = 32


@jit
def hash_words(words, lanes):
    """lanes ← fold of `words` (uint32, flat) into `lanes` (uint32, 32 of them); the tail goes to the first lanes."""
    n = words.size // 32 * 32
    for i in range(0, n, 32):
        for k in range(32):
            lanes[k] = (lanes[k] + words[i + k]) * np.uint32(0x9E3779B1)
    for i in range(n, words.size):
        lanes[i - n] = (lanes[i - n] + words[i]) * np.uint32(0x85EBCA77)


def fingerprint(array: np.ndarray) -> Any:
    """A value that compares unequal once the array's bytes have changed. `array` is C-contiguous."""
    if array.nbytes <= SMALL or array.dtype == bool:
        return array.tobytes()
    if not JIT_ENABLED:
        return zlib.crc32(array.data.cast("B"))  # the same purpose without kernels, at 4 GB/s
    lanes = np.zeros(LANES, np.uint32)
    hash_words(array.reshape(-1).view(np.uint32), lanes)
    return lanes.tobytes()
