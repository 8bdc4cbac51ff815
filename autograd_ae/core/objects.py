"""Python's own objects in kernels: CPython's and NumPy's interfaces for C, with addresses as 64-bit integers.

A kernel that works on objects calls the same functions as an extension module written in C would, by their names; what
they do is told in "Python/C API Reference Manual". All of them belong to the interface that CPython and NumPy keep
stable. An object is the address where it lies; 0 stands for none, and says after a call that an exception was raised.
Whoever is handed a *new* reference owes a `Py_DecRef`; a *borrowed* one lives only as long as the object that has it.

Three things lie where they lie without a promise: the slots of our own classes, a code object's file name, and what a
ufunc consists of. Those are looked for in objects whose contents are known (`slot`, `loops`), and not found means that
this machine code is not used.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import platform
import sys
from typing import Any

import numpy as np

from autograd_ae.core.entry import hold
from autograd_ae.core.entry import word as word_at
from autograd_ae.core.jit import jit
from autograd_ae.core.native import Native, at

INTEGER, HALF = np.zeros(1, np.int64), np.zeros(1, np.int32)


def _c(name: str, arguments: int, *, answer: str = "int64") -> Native:
    """A function of the process by its name, of so many words. `answer`: int32 where it gives an int of C."""

    def recipe() -> Any:
        from numba.core import types

        return types.ExternalFunction(name, getattr(types, answer)(*(types.int64,) * arguments))

    return Native(recipe)


# New references are given by those that make or call something, borrowed ones by those that get something.
PyType_GenericAlloc = _c("PyType_GenericAlloc", 2)  # (type, 0): an object with empty slots
PyIter_Next = _c("PyIter_Next", 1)
PyObject_Vectorcall = _c("PyObject_Vectorcall", 4)  # (function, address of arguments, their number, 0)
PyTuple_New, PyTuple_GetItem = _c("PyTuple_New", 1), _c("PyTuple_GetItem", 2)
PyTuple_SetItem = _c("PyTuple_SetItem", 3, answer="int32")  # takes over the reference
PyTuple_Size = _c("PyTuple_Size", 1)
PyList_New, PyList_GetItem, PyList_Size = _c("PyList_New", 1), _c("PyList_GetItem", 2), _c("PyList_Size", 1)
PyList_SetItem = _c("PyList_SetItem", 3, answer="int32")  # takes over the reference
PyList_Append = _c("PyList_Append", 2, answer="int32")
PyDict_GetItemWithError = _c("PyDict_GetItemWithError", 2)
PyDict_SetItem, PyDict_DelItem = _c("PyDict_SetItem", 3, answer="int32"), _c("PyDict_DelItem", 2, answer="int32")
PyDict_Size = _c("PyDict_Size", 1)
PySet_Size = _c("PySet_Size", 1)
PyBytes_FromStringAndSize = _c("PyBytes_FromStringAndSize", 2)
PyBytes_AsString, PyBytes_Size = _c("PyBytes_AsString", 1), _c("PyBytes_Size", 1)
PyLong_FromLongLong, PyLong_AsLongLong = _c("PyLong_FromLongLong", 1), _c("PyLong_AsLongLong", 1)
PyEval_GetFrame = _c("PyEval_GetFrame", 0)  # borrowed
PyFrame_GetBack, PyFrame_GetCode = _c("PyFrame_GetBack", 1), _c("PyFrame_GetCode", 1)
PyFrame_GetLasti = _c("PyFrame_GetLasti", 1, answer="int32")
PyErr_ExceptionMatches = _c("PyErr_ExceptionMatches", 1, answer="int32")
PyErr_Occurred, PyErr_Clear = _c("PyErr_Occurred", 0), _c("PyErr_Clear", 0, answer="none")
Py_IncRef, Py_DecRef = _c("Py_IncRef", 1, answer="none"), _c("Py_DecRef", 1, answer="none")
fetestexcept = _c("fetestexcept", 1, answer="int32")  # which flags of floating point arithmetic have been raised
memcmp, memcpy = _c("memcmp", 3, answer="int32"), _c("memcpy", 3)


def _on_stack(words: int) -> Native:
    def recipe() -> Any:
        from llvmlite import ir
        from numba.core import cgutils, types
        from numba.extending import intrinsic

        def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            integer = ir.IntType(64)
            place = cgutils.alloca_once(builder, integer, size=ir.Constant(integer, words))
            for k, value in enumerate(args):
                builder.store(value, builder.gep(place, [ir.Constant(integer, k)]))
            return builder.ptrtoint(place, integer)

        declared = types.int64(*(types.int64,) * words), build
        if words == 1:
            return intrinsic(lambda _context, a: declared)
        if words == 2:
            return intrinsic(lambda _context, a, b: declared)
        if words == 3:
            return intrinsic(lambda _context, a, b, c: declared)
        return intrinsic(lambda _context, a, b, c, d: declared)

    return Native(recipe)


# Words in a row on the stack, for C functions that want the address of several: valid until the kernel ends.
row1, row2, row3, row4 = _on_stack(1), _on_stack(2), _on_stack(3), _on_stack(4)


@Native
def c_call() -> Any:
    """`c_call(address, a, b, c, d)`: a C function of four words by its address."""
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def call(_context: Any, address: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            integer = ir.IntType(64)
            kind = ir.FunctionType(integer, [integer] * 4)
            return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

        return types.int64(*(types.int64,) * 5), build

    return call


@jit
def word(place, k):
    """The k-th word of an object."""
    return at(place, k + 1, INTEGER)[k]


@jit
def put(place, k, value):
    at(place, k + 1, INTEGER)[k] = value


@jit
def keep(thing):
    """The object, with one reference more."""
    Py_IncRef(thing)
    return thing


# Arrays (PyArrayObject): words, and half words where NumPy has an int.
TYPE, DATA, DIMENSIONS, STRIDES, DTYPE = 1, 2, 4, 5, 7
AXES, FLAGS = 6, 16
IN_ORDER, WRITEABLE = 0x101, 0x400  # C order and aligned


@jit
def axes_of(array):
    return at(array, 18, HALF)[AXES]


@jit
def is_plain(array, ndarray):
    """Whether an object is an array in C order and aligned, of no subclass."""
    return word(array, TYPE) == ndarray and at(array, 18, HALF)[FLAGS] & IN_ORDER == IN_ORDER


@jit
def is_writeable(array):
    return at(array, 18, HALF)[FLAGS] & WRITEABLE != 0


@jit
def size_of(array):
    """How many elements an array has."""
    n = 1
    for k in range(axes_of(array)):
        n *= word(word(array, DIMENSIONS), k)
    return n


@jit
def same_shape(a, b):
    axes = axes_of(a)
    if axes != axes_of(b):
        return False
    same = True
    for k in range(axes):
        same &= word(word(a, DIMENSIONS), k) == word(word(b, DIMENSIONS), k)
    return same


# Found out when the kernels are made ready.


class _Ufunc(ctypes.Structure):
    """PyUFuncObject, as far as it is needed; part of NumPy's interface for C."""

    _fields_ = (
        ("head", ctypes.c_int64 * 2), ("nin", ctypes.c_int), ("nout", ctypes.c_int), ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int), ("functions", ctypes.POINTER(ctypes.c_int64)),
        ("data", ctypes.POINTER(ctypes.c_int64)), ("ntypes", ctypes.c_int), ("reserved", ctypes.c_int),
        ("name", ctypes.c_char_p),
    )  # fmt: skip


@functools.cache
def loops(ufunc: np.ufunc) -> int | None:
    """The address of four words: NumPy's loop over contiguous float32 and what it wants beside, and over float64.

    void loop(char **operands and result, intp *n, intp *strides, void *beside). None: not found.
    """
    found = _Ufunc.from_address(id(ufunc))
    expected = ufunc.nin, ufunc.nout, ufunc.nargs, ufunc.ntypes
    if (found.nin, found.nout, found.nargs, found.ntypes) != expected or found.name != ufunc.__name__.encode():
        return None
    places = []
    for letter in "fd":
        wanted = letter * ufunc.nin + "->" + letter
        if wanted not in ufunc.types:
            return None
        k = ufunc.types.index(wanted)
        places += [found.functions[k], (found.data[k] or 0) if found.data else 0]
    words = np.array(places, np.int64)
    hold(words)
    return words.ctypes.data


@functools.cache
def array_maker() -> int:
    """The address of NumPy's PyArray_Empty(axes, sizes, dtype, 0), which takes over a reference to the dtype."""
    umath: Any = importlib.import_module("numpy._core._multiarray_umath")
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    table = pointer(umath._ARRAY_API, None)
    return word_at(table + 8 * 184)


@functools.cache
def flags_that_numpy_looks_at() -> int | None:
    """Division by zero, overflow, underflow and invalid operation, as fetestexcept numbers them; None: not known."""
    if sys.platform not in ("linux", "darwin"):
        return None
    return {"x86_64": 0x1D, "amd64": 0x1D, "aarch64": 0x0F, "arm64": 0x0F}.get(platform.machine().lower())


def slot(cls: type, name: str) -> int | None:
    """Which word of an object of `cls` holds its slot `name`."""
    thing: Any = object.__new__(cls)
    mark = object()
    setattr(thing, name, mark)
    places = [k for k in range(2, cls.__basicsize__ // 8) if word_at(id(thing) + 8 * k) == id(mark)]
    return places[0] if len(places) == 1 else None


def file_name_of_code() -> int | None:
    """Which word of a code object is the name of its file."""
    code = compile("", "a file name that nothing else has", "exec")
    places = [k for k in range(2, code.__sizeof__() // 8) if word_at(id(code) + 8 * k) == id(code.co_filename)]
    return places[0] if len(places) == 1 else None
