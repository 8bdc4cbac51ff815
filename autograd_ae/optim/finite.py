"""Whether a block of a gradient is finite, for kernels that must not spread a NaN.

x − x is 0 for finite x and NaN otherwise, so the sum of these is 0 exactly when all are finite. The sum may be taken
in any order (the flag `reassoc`), so it costs an addition on data that the update reads next anyway.
"""

from __future__ import annotations

from autograd_ae.core.jit import jit

BLOCK = 2048  # entries of gradient, parameter and two moments stay in the first cache


@jit(flags=frozenset({"reassoc"}))
def finite(x):
    s = x.dtype.type(0)
    for i in range(x.size):
        s += x[i] - x[i]
    return s == 0
