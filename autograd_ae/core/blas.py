"""How many threads NumPy's BLAS uses, for a while.

A second BLAS thread gains little on the products of a training step, and while other programs run it loses a lot: the
threads wait for each other by spinning, so whoever is not scheduled holds up the other (a step of 6 ms was seen to take
22 ms). Training therefore uses one thread, which also makes its results independent of how many there are.

Only the OpenBLAS that NumPy's wheels bring along is known; with another BLAS nothing happens.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np


@functools.cache
def openblas() -> ctypes.CDLL | None:
    """A handle to the OpenBLAS, with LAPACK, of NumPy's wheels, which NumPy has loaded already; None without one."""
    for path in sorted((Path(np.__file__).parent.parent / "numpy.libs").glob("*openblas*")):
        try:
            return ctypes.CDLL(str(path))
        except OSError:
            continue
    return None


@functools.cache
def _controls() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """OpenBLAS's own functions to read and set the number of threads."""
    library = openblas()
    for prefix in ("scipy_openblas", "openblas"):
        for suffix in ("64_", ""):
            if library is not None and hasattr(library, f"{prefix}_set_num_threads{suffix}"):
                get = getattr(library, f"{prefix}_get_num_threads{suffix}")
                return get, getattr(library, f"{prefix}_set_num_threads{suffix}")
    return None


def blas_threads() -> int | None:
    """The number of threads in use, or None where it cannot be known."""
    controls = _controls()
    return None if controls is None else int(controls[0]())


@contextmanager
def limit_blas_threads(count: int) -> Iterator[None]:
    """At most `count` BLAS threads inside; as before afterwards."""
    controls = _controls()
    if controls is None:
        yield
        return
    get, set_ = controls
    before = int(get())
    set_(min(count, before))
    try:
        yield
    finally:
        set_(before)
