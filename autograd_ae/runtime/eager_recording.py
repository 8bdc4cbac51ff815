"""Recording in machine code: what `core/ufuncs.py` does for tensors in the usual case, object by object.

The two entry points are called by CPython as `__mul__` and its like are, or by the public function. Each does exactly
what is written in Python in `core/ufuncs.py` and leaves the same objects behind; where the case is not the usual one
they call the general function. Numbers are computed by the loops inside NumPy's ufuncs, called without what stands
around them (choice of a loop, casts, iterators, flags: ten times the work on a few numbers). Hence the bits are
NumPy's. Its warnings are too: where results could have raised a flag, the ufunc itself is called after all.

Objects are addresses, references are counted by hand: see `core/objects.py`.
"""

from __future__ import annotations

from autograd_ae.core.fingerprint import SMALL as KEPT_WHOLE
from autograd_ae.core.jit import jit
from autograd_ae.core.native import at
from autograd_ae.core.objects import (
    DATA,
    DTYPE,
    INTEGER,
    TYPE,
    Py_DecRef,
    PyBytes_FromStringAndSize,
    PyDict_GetItemWithError,
    PyErr_Clear,
    PyErr_ExceptionMatches,
    PyErr_Occurred,
    PyEval_GetFrame,
    PyFrame_GetBack,
    PyFrame_GetCode,
    PyFrame_GetLasti,
    PyIter_Next,
    PyList_New,
    PyList_SetItem,
    PyLong_FromLongLong,
    PyObject_Vectorcall,
    PySet_Size,
    PyTuple_GetItem,
    PyTuple_New,
    PyTuple_SetItem,
    PyType_GenericAlloc,
    axes_of,
    keep,
    put,
    row1,
    row2,
    same_shape,
    word,
)
from autograd_ae.runtime.eager_words import (
    AS_ARRAY,
    CODE_FILE,
    FALSE,
    FINGERPRINT,
    FLOAT,
    GENERAL,
    INT,
    INTERNAL,
    KEPT_DOUBLE,
    KEPT_SINGLE,
    LOOPS_AT,
    N_CODE,
    N_INPUTS,
    N_LASTI,
    N_NUMBER,
    N_OP,
    N_PARAMS,
    N_PLAN,
    N_PRINTS,
    N_VALUE,
    NDARRAY,
    NO_PARAMS,
    NODE,
    NONE,
    NUMBER,
    NUMBERS,
    OP,
    OUTSIDE,
    PLAN_WORDS,
    PLANS,
    SINGLE,
    SMALL,
    T_DATA,
    T_GRAD,
    T_NAME,
    T_NODE,
    T_TRACED,
    TENSOR,
    THROUGH,
    TRUE,
    UFUNC,
    UNUSUAL,
    VALUE_ERROR,
    WORDS,
    binary_loop,
    nbytes_of,
    new_like,
    unary_loop,
    usable,
)  # fmt: skip


@jit
def record_unary(x, block):
    """f(x) for an object x: a new tensor, or 0 with an exception."""
    b = at(block, WORDS, INTEGER)
    if word(x, TYPE) != b[TENSOR] or PySet_Size(b[UNUSUAL]) != 0 or not is_usual(b, x):
        return PyObject_Vectorcall(b[GENERAL], row1(x), 1, 0)
    array = keep(word(x, b[T_DATA]))
    result, out = 0, applied(b, array)
    if out != 0:
        result = tensor_of(b, out, x, x, array, array, 1, 0 if word(x, b[T_TRACED]) == b[TRUE] else -1)
    Py_DecRef(array)
    return result


@jit
def record_binary(left, right, block):
    """f(left, right) for two objects, one of which may be a number: a new tensor, or 0 with an exception."""
    b = at(block, WORDS, INTEGER)
    a, c, number = keep(left), keep(right), 0
    if PySet_Size(b[UNUSUAL]) == 0:
        if word(right, TYPE) != b[TENSOR]:
            c, number = instead(right, constant(b, right, left)), 1
        elif word(left, TYPE) != b[TENSOR]:
            a, number = instead(left, constant(b, left, right)), 1
        if are_usual(b, a, c):
            result = record_two(b, a, c, number)
            if result != 0 or PyErr_ExceptionMatches(b[VALUE_ERROR]) == 0:
                Py_DecRef(a)
                Py_DecRef(c)
                return result
            PyErr_Clear()  # the general function says which shapes do not fit
    Py_DecRef(a)
    Py_DecRef(c)
    return PyObject_Vectorcall(b[GENERAL], row2(left, right), 2, 0)


@jit
def record_two(b, a, c, number):
    """f(a, c) for two tensors of one dtype, one of which may be a number's constant; 0 with an exception."""
    x, y = keep(word(a, b[T_DATA])), keep(word(c, b[T_DATA]))
    result, out = 0, applied_to_two(b, x, y)
    if out != 0:
        traced = 2 * (word(a, b[T_TRACED]) == b[TRUE]) + (word(c, b[T_TRACED]) == b[TRUE])
        plan = traced - 1 + 3 * number if traced != 0 else -1
        result = tensor_of(b, out, a, c, x, y, 2, plan)
    Py_DecRef(x)
    Py_DecRef(y)
    return result


@jit
def instead(thing, other):
    """`other` where there is one, for `thing`: both references are taken over."""
    if other == 0:
        return thing
    Py_DecRef(thing)
    return other


@jit
def is_usual(b, tensor):
    """Whether a tensor is as they are made: an array of floats in order; traced is True or False."""
    traced = word(tensor, b[T_TRACED])
    return (traced == b[TRUE] or traced == b[FALSE]) and usable(b, word(tensor, b[T_DATA]))


@jit
def are_usual(b, a, c):
    """Whether two objects are tensors as they are made, of one dtype."""
    if word(a, TYPE) != b[TENSOR] or word(c, TYPE) != b[TENSOR] or not is_usual(b, a) or not is_usual(b, c):
        return False
    return word(word(a, b[T_DATA]), DTYPE) == word(word(c, b[T_DATA]), DTYPE)


@jit
def constant(b, x, beside):
    """The constant of a Python number beside a tensor, a new reference; 0 where x is something else."""
    if (word(x, TYPE) != b[FLOAT] and word(x, TYPE) != b[INT]) or word(beside, TYPE) != b[TENSOR]:
        return 0
    array = word(beside, b[T_DATA])
    if not usable(b, array):
        return 0
    kept = b[KEPT_SINGLE] if word(array, DTYPE) == b[SINGLE] else b[KEPT_DOUBLE]
    found = PyDict_GetItemWithError(kept, x)
    if found != 0:
        return keep(found)
    made = PyObject_Vectorcall(b[NUMBER], row2(x, beside), 2, 0) if PyErr_Occurred() == 0 else 0
    if made == 0:
        PyErr_Clear()  # the general function meets the same error
    elif made == b[NONE]:
        Py_DecRef(made)
        made = 0
    return made


@jit
def applied(b, array):
    """f(array), a new array; 0 with an exception."""
    if nbytes_of(b, array) > SMALL:
        return by_ufunc(b, array, array, 1)
    out = new_like(b, array)
    if out != 0 and not unary_loop(b, b[LOOPS_AT], array, out):
        Py_DecRef(out)
        return by_ufunc(b, array, array, 1)
    return out


@jit
def applied_to_two(b, x, y):
    """f(x, y), a new array; 0 with an exception."""
    like = y if axes_of(x) == 0 else x
    fit = axes_of(x) == 0 or axes_of(y) == 0 or same_shape(x, y)
    if not fit or nbytes_of(b, like) > SMALL:
        return by_ufunc(b, x, y, 2)
    out = new_like(b, like)
    if out != 0 and not binary_loop(b, b[LOOPS_AT], x, y, out):
        Py_DecRef(out)
        return by_ufunc(b, x, y, 2)
    return out


@jit
def by_ufunc(b, x, y, operands):
    """What the ufunc itself gives, as an array (NumPy makes a scalar of a 0-d result), with its warnings."""
    out = PyObject_Vectorcall(b[UFUNC], row2(x, y), operands, 0)
    if out != 0 and word(out, TYPE) != b[NDARRAY]:
        scalar = out
        out = PyObject_Vectorcall(b[AS_ARRAY], row1(scalar), 1, 0)
        Py_DecRef(scalar)
    return out


@jit
def tensor_of(b, out, first, second, x, y, inputs, plan):
    """The tensor of a result, whose reference it takes over, with its node where plan ≥ 0; 0 with an exception."""
    result = PyType_GenericAlloc(b[TENSOR], 0)
    if result == 0:
        Py_DecRef(out)
        return 0
    put(result, b[T_DATA], out)
    put(result, b[T_NAME], keep(b[NONE]))
    put(result, b[T_GRAD], keep(b[NONE]))
    put(result, b[T_TRACED], keep(b[FALSE] if plan < 0 else b[TRUE]))
    node = keep(b[NONE]) if plan < 0 else node_of(b, out, first, second, x, y, inputs, PLANS + PLAN_WORDS * plan)
    if node == 0:
        Py_DecRef(result)
        return 0
    put(result, b[T_NODE], node)
    return result


@jit
def node_of(b, out, first, second, x, y, inputs, plan):
    """A line of the tape; 0 with an exception."""
    node = PyType_GenericAlloc(b[NODE], 0)
    if node == 0:
        return 0
    put(node, b[N_OP], keep(b[OP]))
    put(node, b[N_PLAN], keep(b[plan]))
    put(node, b[N_PARAMS], keep(b[NO_PARAMS]))
    put(node, b[N_VALUE], keep(out))
    given = PyTuple_New(inputs)
    put(node, b[N_INPUTS], given)
    if given != 0:
        PyTuple_SetItem(given, 0, keep(first))
        if inputs == 2:
            PyTuple_SetItem(given, 1, keep(second))
        number = PyIter_Next(b[NUMBERS])
        put(node, b[N_NUMBER], number)
        if number != 0 and set_place(b, node) and set_prints(b, node, plan, out, x, y):
            return node
    Py_DecRef(node)
    return 0


@jit
def set_place(b, node):
    """The line that asked: code and position of the nearest frame outside the engine. False: an exception."""
    frame = keep(PyEval_GetFrame())
    if frame == 0:  # called from C by a thread that runs no Python
        return PyObject_Vectorcall(b[OUTSIDE], row1(b[NONE]), 1, 0) != 0  # raises
    if b[THROUGH] != 0:  # past the frame of the public function
        caller = PyFrame_GetBack(frame)
        if caller != 0:
            Py_DecRef(frame)
            frame = caller
    code = PyFrame_GetCode(frame)
    put(node, b[N_CODE], code)
    known = PyDict_GetItemWithError(b[INTERNAL], word(code, b[CODE_FILE]))
    if known == b[FALSE]:
        lasti = PyLong_FromLongLong(PyFrame_GetLasti(frame))
        put(node, b[N_LASTI], lasti)
        Py_DecRef(frame)
        return lasti != 0
    pair = PyObject_Vectorcall(b[OUTSIDE], row1(frame), 1, 0)
    Py_DecRef(frame)
    if pair == 0:
        return False
    put(node, b[N_CODE], keep(PyTuple_GetItem(pair, 0)))
    Py_DecRef(code)
    put(node, b[N_LASTI], keep(PyTuple_GetItem(pair, 1)))
    Py_DecRef(pair)
    return True


@jit
def set_prints(b, node, plan, out, x, y):
    """Fingerprints of the arrays that the rules will read. False: an exception."""
    reads = b[plan + 1]
    if reads == 0:
        put(node, b[N_PRINTS], keep(b[NONE]))
        return True
    prints = PyList_New(reads)
    put(node, b[N_PRINTS], prints)
    if prints == 0:
        return False
    for k in range(reads):
        which = b[plan + 2 + k]
        array = out if which < 0 else y if which == 1 else x
        nbytes = nbytes_of(b, array)
        if nbytes <= KEPT_WHOLE:
            taken = PyBytes_FromStringAndSize(word(array, DATA), nbytes)
        else:
            taken = PyObject_Vectorcall(b[FINGERPRINT], row1(array), 1, 0)
        if taken == 0:
            return False
        PyList_SetItem(prints, k, taken)
    return True
