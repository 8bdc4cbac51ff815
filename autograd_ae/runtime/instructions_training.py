"""Instructions of training: batches from data, and optimisers. (All others: `instructions.py`.)"""

from __future__ import annotations

import numpy as np

from autograd_ae.core.jit import jit
from autograd_ae.core.native import at
from autograd_ae.optim.adam import adam_kernel
from autograd_ae.optim.optimizer import NORM, STEPS
from autograd_ae.optim.sgd import sgd_kernel
from autograd_ae.runtime.templates import SUMS

# Data: rows of an array in memory or on disk; `kind` is what they hold.

_BYTE, _SINGLE, _DOUBLE = np.zeros(1, np.uint8), np.zeros(1, np.float32), np.zeros(1, np.float64)
_INTEGER = np.zeros(1, np.int64)


@jit
def gather_kernel(out, x, rows, columns, divisor):
    """out ← the numbered rows of x, divided."""
    of = out.dtype.type
    for i in range(rows.size):
        source, place = rows[i] * columns, i * columns
        if divisor == 1:
            for j in range(columns):
                out[place + j] = of(x[source + j])
        else:
            for j in range(columns):
                out[place + j] = of(x[source + j]) / of(divisor)


@jit
def gather(out, x, numbers, rows, columns, samples, divisor, like, kind):
    """out (rows, columns) ← the numbered rows of x (samples, columns), divided; 1 for a wrong number."""
    chosen, wrong = at(numbers, rows, _INTEGER), 0
    for i in range(rows):
        wrong |= 0 if 0 <= chosen[i] < samples else 1
    if wrong == 0:
        gather_kernel(at(out, rows * columns, like), at(x, samples * columns, kind), chosen, columns, divisor)
    return wrong


@jit
def gather_bytes(out, x, numbers, _c, rows, columns, samples, _l, factors, like):
    return gather(out, x, numbers, rows, columns, samples, factors[0], like, _BYTE)


@jit
def gather_singles(out, x, numbers, _c, rows, columns, samples, _l, factors, like):
    return gather(out, x, numbers, rows, columns, samples, factors[0], like, _SINGLE)


@jit
def gather_doubles(out, x, numbers, _c, rows, columns, samples, _l, factors, like):
    return gather(out, x, numbers, rows, columns, samples, factors[0], like, _DOUBLE)


# Optimisers.


@jit(flags=SUMS)
def sum_of_squares(x, n):
    """Σ x², in float64."""
    s = 0.0
    for i in range(n):
        s += float(x[i]) * float(x[i])
    return s


@jit
def check_finite(squares, g, _b, _c, n, first, _k, _l, _factors, like):
    """Add ‖g‖² to a float64 (`first`: to 0); 1 where it is not finite."""
    s = at(squares, 1, _DOUBLE)
    s[0] = (0.0 if first else s[0]) + sum_of_squares(at(g, n, like), n)
    return 0 if np.isfinite(s[0]) else 1


@jit
def note_step(squares, checked, settings):
    """t ← t + 1, and ‖g‖ where it was looked at and is a number."""
    settings[STEPS] += 1
    total = at(squares, 1, _DOUBLE)[0]
    if checked != 0 and np.isfinite(total):
        settings[NORM] = np.sqrt(total)


@jit
def begin_adam(out, squares, _b, _c, decoupled, checked, _k, _l, settings, _like):
    """The scalars of the next step from (rate, β₁, β₂, ε, λ, t), as `Adam._begin` has them."""
    note_step(squares, checked, settings)
    rate, beta_1, beta_2 = settings[0], settings[1], settings[2]
    eps, decay, t = settings[3], settings[4], settings[STEPS]
    root = np.sqrt(1 - beta_2**t)
    s = at(out, 7, _DOUBLE)
    s[0], s[1], s[2] = 1 - beta_1, beta_2, 1 - beta_2
    s[3], s[4] = eps * root, rate * root / (1 - beta_1**t)
    s[5], s[6] = (0.0, 1 - rate * decay) if decoupled != 0 else (decay, 1.0)
    return 0


@jit
def begin_sgd(squares, _a, _b, _c, checked, _j, _k, _l, settings, _like):
    note_step(squares, checked, settings)
    return 0


@jit
def adam(w, g, m, v, n, _j, _k, _l, s, like):
    t = like.dtype.type
    scalars = (t(s[0]), t(s[1]), t(s[2]), t(s[3]), t(s[4]), t(s[5]), t(s[6]))
    adam_kernel(at(w, n, like), at(g, n, like), at(m, n, like), at(v, n, like), *scalars)
    return 0


@jit
def sgd(w, g, v, _c, n, has_momentum, nesterov, _l, s, like):
    t = like.dtype.type
    arrays = at(w, n, like), at(g, n, like), at(v, n, like)
    sgd_kernel(*arrays, t(s[0]), t(s[1]), t(s[2]), has_momentum != 0, nesterov != 0)
    return 0


# Parameters that lie here and there: brought together for the rule, and put back. `pieces` holds (address, entries).


@jit
def move(together, pieces, _b, _c, count, back, _k, _l, _factors, like):
    """The pieces, one after another, to `together`; or `back`."""
    where, start = at(pieces, 2 * count, _INTEGER), 0
    for p in range(count):
        n = where[2 * p + 1]
        near, far = together + start * like.itemsize, where[2 * p]
        to, source = at(far if back != 0 else near, n, like), at(near if back != 0 else far, n, like)
        for i in range(n):
            to[i] = source[i]
        start += n
    return 0
