"""What the kernels of eager mode know, a block of words for each function, and what recording and sweeping share."""

from __future__ import annotations

from autograd_ae.core.jit import jit
from autograd_ae.core.native import at
from autograd_ae.core.objects import (
    DATA, DIMENSIONS, DTYPE, INFINITE, ZERO, Py_IncRef, axes_of, c_call, has_vanished, is_plain, is_zero, kinds_among,
    row1, row2, row3, size_of, word,
)  # fmt: skip

# Types, dtypes, and the only ones of their kind; NumPy's function that makes an array.
(
    TENSOR, NODE, TUPLE, BYTES, NDARRAY, FLOAT, INT, SINGLE, DOUBLE, NONE, TRUE, FALSE, NO_PARAMS, VALUE_ERROR, MAKE,
) = range(15)  # fmt: skip
# Which word of an object is which of its slots.
(
    T_DATA, T_GRAD, T_NAME, T_NODE, T_TRACED, N_OP, N_PLAN, N_INPUTS, N_PARAMS, N_VALUE, N_NUMBER, N_CODE, N_LASTI,
    N_PRINTS, CODE_FILE, RULE_FN,
) = range(15, 31)  # fmt: skip
# Objects to ask.
(
    UNUSUAL, NUMBERS, INTERNAL, OUTSIDE, FINGERPRINT, AS_ARRAY, HAND_ON, ACCUMULATE, REACH, NEXT, BREATHE, GONE, NOTHING,
) = range(31, 44)  # fmt: skip
# Of one op: its functions, whether it is called through a Python function, what its results can raise,
# its loops (address and what the loop wants beside, for float32, then for float64), its plans by what is traced.
OP, GENERAL, UFUNC, NUMBER, KEPT_SINGLE, KEPT_DOUBLE, THROUGH, CARE, LOOPS, PLANS = *range(44, 53), 56
PLAN_WORDS = 5  # a plan, how many arrays its rules read, which ones
WORDS = PLANS + PLAN_WORDS * 5
NEVER, OVERFLOW, ALL = range(3)  # flags that NumPy may find raised: none (−x), overflow (x + y), any
SMALL = 65536  # bytes: in a larger array NumPy's calls cost nothing, and let other threads run


@jit
def usable(b, array):
    """Whether NumPy's loops can run over an object as it is: a float32 or float64 array in order."""
    if array == 0 or not is_plain(array, b[NDARRAY]):
        return False
    return word(array, DTYPE) == b[SINGLE] or word(array, DTYPE) == b[DOUBLE]


@jit
def new_like(b, array):
    """A new array of the shape and dtype of another; 0 with an exception."""
    dtype = word(array, DTYPE)
    Py_IncRef(dtype)
    return c_call(b[MAKE], axes_of(array), word(array, DIMENSIONS), dtype, 0)


@jit
def unary_loop(loop, beside, array, out, single, care):
    """out ← f(array), and whether NumPy has nothing to say about the results."""
    n, item = size_of(array), 4 if single else 8
    x, y = word(array, DATA), word(out, DATA)
    c_call(loop, row2(x, y), row1(n), row2(item, item), beside)
    if care == NEVER:
        return True
    kinds = kinds_among(y, n, single)
    return kinds == 0 or (kinds == ZERO and not has_vanished(y, x, x, n, single))


@jit
def binary_loop(loop, beside, left, right, out, single, care):
    """out ← f(left, right), where an operand without axes goes with every element of the other; the same answer."""
    n, item = size_of(out), 4 if single else 8
    x, y, z = word(left, DATA), word(right, DATA), word(out, DATA)
    x_step = 0 if axes_of(left) == 0 and axes_of(out) != 0 else item
    y_step = 0 if axes_of(right) == 0 and axes_of(out) != 0 else item
    c_call(loop, row3(x, y, z), row1(n), row3(x_step, y_step, item), beside)
    kinds = kinds_among(z, n, single)
    if care == OVERFLOW:
        return kinds & INFINITE == 0
    if kinds != ZERO:
        return kinds == 0
    if y == z:  # which has been written over
        return not has_vanished(z, x, x, n, single)
    if x_step == 0:
        return is_zero(x, single) or not has_vanished(z, y, y, n, single)
    if y_step == 0:
        return is_zero(y, single) or not has_vanished(z, x, x, n, single)
    return not has_vanished(z, x, y, n, single)
