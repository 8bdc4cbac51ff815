"""All eigenvalues of a symmetric matrix, and eigenvectors of the largest k only.

An N×N symmetric A is reduced to tridiagonal form, A = Q T Qᵀ (4/3 N³ operations), T's eigenvalues follow in O(N²), and
k of its eigenvectors in O(kN) by LAPACK's relatively robust representations (Dhillon & Parlett 2004); Q brings them
back in 2 k N². `numpy.linalg.eigh` always makes all N vectors, which takes another 3 N³ or so, and PCA wants a few.
NumPy offers no other, but the OpenBLAS that its wheels bring along holds the whole of LAPACK, so the four routines
dsytrd, dsterf, dstemr and dormtr are called there; where they cannot be found, or one of them reports failure, `eigh`
does the work.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_ae.core.blas import openblas

SMALL = 64  # below, nothing is to be gained
SHARE = 4  # at most a quarter of the vectors: beyond, eigh's divide and conquer is faster


def leading(A: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """All eigenvalues, descending, and the unit eigenvectors of the k largest as rows, (k, N).

    A : (N, N) float64, symmetric; only one triangle is read.

    >>> values, vectors = leading(np.array([[2.0, 1.0], [1.0, 2.0]]), 1)
    >>> values, np.abs(vectors * np.sqrt(2)).round(6)
    (array([3., 1.]), array([[1., 1.]]))
    """
    n = len(A)
    found = _by_lapack(A, k) if n >= SMALL and k * SHARE <= n else None
    if found is None:
        values, vectors = np.linalg.eigh(A)
        found = values[::-1], vectors.T[::-1][:k]
    return found


def _by_lapack(A: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The same from four routines of LAPACK; None where they are missing or fail."""
    routines = _routines()
    if routines is None or not np.isfinite(A).all():
        return None
    sytrd, sterf, stemr, ormtr = routines
    n = len(A)
    A = np.array(A.T, dtype=np.float64, order="F")  # of a symmetric A in C order a plain copy
    d, e, tau = np.empty(n), np.empty(n), np.empty(n - 1)
    if sytrd("L", n, A, n, d, e, tau):
        return None
    values = d.copy()
    if sterf(n, values, e.copy()):
        return None
    w, Z, m = np.empty(n), np.empty((k, n)), np.zeros(1, np.int64)  # Z row by row is Fortran's Z column by column
    support = np.empty(2 * k, np.int64)
    # The k largest of n, ascending; the 1 asks for high relative accuracy where the matrix allows it.
    if stemr("V", "I", n, d.copy(), e.copy(), 0.0, 0.0, n - k + 1, n, m, w, Z, n, k, support, np.ones(1, np.int64)):
        return None
    if m[0] != k or ormtr("L", "L", "N", n, k, A, n, tau, Z, n):
        return None
    return values[::-1], Z[::-1]


@functools.cache
def _routines() -> tuple[Callable[..., int], ...] | None:
    """dsytrd, dsterf, dstemr and dormtr of NumPy's own LAPACK, with 64-bit integers."""
    library = openblas()
    names = [f"scipy_{name}_64_" for name in ("dsytrd", "dsterf", "dstemr", "dormtr")]
    if library is None or not all(hasattr(library, name) for name in names):
        return None
    works = ((True, False), (False, False), (True, True), (True, False))  # takes work arrays of floats, of integers
    return tuple(_routine(getattr(library, name), *kinds) for name, kinds in zip(names, works, strict=True))


def _routine(symbol: Any, floats: bool, integers: bool) -> Callable[..., int]:
    """Call a LAPACK routine by Fortran's rules: everything by address, first to ask for the size of its work arrays.

    The call returns LAPACK's `info`, 0 for success.
    """
    symbol.restype = None

    def run(*arguments: Any) -> int:
        passed: list[Any] = []
        lengths: list[Any] = []
        for a in arguments:
            if isinstance(a, str):
                passed.append(ctypes.c_char_p(a.encode()))
                lengths.append(ctypes.c_size_t(1))  # Fortran passes the length of a string last
            elif isinstance(a, np.ndarray):
                passed.append(a.ctypes.data_as(ctypes.c_void_p))
            else:
                passed.append(ctypes.byref(ctypes.c_double(a) if isinstance(a, float) else ctypes.c_int64(a)))
        info = ctypes.c_int64(0)
        work, iwork, asked = np.zeros(1), np.zeros(1, np.int64), -1  # a routine without integers leaves the second

        def call(size: int, isize: int) -> int:
            extra: list[Any] = []
            for wanted, array, length in ((floats, work, size), (integers, iwork, isize)):
                if wanted:
                    extra += [array.ctypes.data_as(ctypes.c_void_p), ctypes.byref(ctypes.c_int64(length))]
            symbol(*passed, *extra, ctypes.byref(info), *lengths)
            return info.value

        if floats:
            if call(asked, asked):
                return info.value
            work, iwork = np.empty(int(work[0])), np.empty(max(1, int(iwork[0])), np.int64)
        return call(len(work), len(iwork))

    return run
