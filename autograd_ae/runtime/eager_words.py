"""What the kernels of eager mode know, a block of words for each function, and what recording and sweeping share."""

from __future__ import annotations

from autograd_ae.core.jit import jit
from autograd_ae.core.objects import (
    DATA,
    DIMENSIONS,
    DTYPE,
    STRIDES,
    Py_IncRef,
    axes_of,
    c_call,
    fetestexcept,
    is_plain,
    row1,
    row2,
    row3,
    size_of,
    word,
)

# Types, dtypes, and the only ones of their kind; NumPy's function that makes an array; the flags that it looks at.
(
    TENSOR, NODE, BYTES, NDARRAY, FLOAT, INT, SINGLE, DOUBLE, NONE, TRUE, FALSE, NO_PARAMS, VALUE_ERROR, MAKE, RAISED,
) = range(15)  # fmt: skip
# Which word of an object is which of its slots.
(
    T_DATA, T_GRAD, T_NAME, T_NODE, T_TRACED, N_OP, N_PLAN, N_INPUTS, N_PARAMS, N_VALUE, N_NUMBER, N_CODE, N_LASTI,
    N_PRINTS, CODE_FILE, RULE_FN,
) = range(15, 31)  # fmt: skip
# Objects to ask.
(
    UNUSUAL, NUMBERS, INTERNAL, OUTSIDE, FINGERPRINT, AS_ARRAY, HAND_ON, ACCUMULATE, REACH, NEXT, BREATHE, GONE,
    NOTHING,
) = range(31, 44)  # fmt: skip
# Of one op: its functions, whether it is called through a Python function, where its loops are, and its plans, by what
# is traced.
OP, GENERAL, UFUNC, NUMBER, KEPT_SINGLE, KEPT_DOUBLE, THROUGH, LOOPS_AT, PLANS = range(44, 53)
PLAN_WORDS = 5  # a plan, how many arrays its rules read, which ones
WORDS = PLANS + PLAN_WORDS * 5
SMALL = 65536  # bytes: in a larger array NumPy's calls cost nothing, and let other threads run


@jit
def usable(b, array):
    """Whether NumPy's loops can run over an object as it is: a float32 or float64 array in order."""
    if array == 0 or not is_plain(array, b[NDARRAY]):
        return False
    return word(array, DTYPE) == b[SINGLE] or word(array, DTYPE) == b[DOUBLE]


@jit
def nbytes_of(b, array):
    return size_of(array) * (4 if word(array, DTYPE) == b[SINGLE] else 8)


@jit
def new_like(b, array):
    """A new array of the shape and dtype of another; 0 with an exception."""
    dtype = word(array, DTYPE)
    Py_IncRef(dtype)
    return c_call(b[MAKE], axes_of(array), word(array, DIMENSIONS), dtype, 0)


@jit
def step_of(array, item):
    """From one element to the next, in bytes, as NumPy tells its loops: of a single one it is whatever the array says.

    It matters: some loops are another one for steps backwards, with other last bits.
    """
    return word(word(array, STRIDES), 0) if axes_of(array) == 1 else item


@jit
def unary_loop(b, loop, array, out):
    """out ← f(array), and whether NumPy would have nothing to say about it: no flag is up.

    `loop` : where the loops of f begin (address and what it wants beside, for float32, then for float64).
    """
    single = word(array, DTYPE) == b[SINGLE]
    item, loop = 4 if single else 8, loop if single else loop + 16
    steps = row2(step_of(array, item), step_of(out, item))
    c_call(word(loop, 0), row2(word(array, DATA), word(out, DATA)), row1(size_of(array)), steps, word(loop, 1))
    return fetestexcept(b[RAISED]) == 0


@jit
def binary_loop(b, loop, left, right, out):
    """out ← f(left, right), where an operand without axes goes with every element of the other; the same answer."""
    single = word(out, DTYPE) == b[SINGLE]
    item, loop = 4 if single else 8, loop if single else loop + 16
    steps = row3(
        0 if axes_of(left) == 0 and axes_of(out) != 0 else step_of(left, item),
        0 if axes_of(right) == 0 and axes_of(out) != 0 else step_of(right, item),
        step_of(out, item),
    )
    data = row3(word(left, DATA), word(right, DATA), word(out, DATA))
    c_call(word(loop, 0), data, row1(size_of(out)), steps, word(loop, 1))
    return fetestexcept(b[RAISED]) == 0
