"""A built-in function made of machine code: what a tiny step needs so as not to spend its time on the way in.

A call through ctypes takes 0.4 µs, np.copyto with its checks as much again; a step of a small network takes 1 µs. So
`built_in` makes a function of the kind that CPython's own modules consist of (`PyCFunction_NewEx`, part of its stable
interface), which hands the address of its one argument to a kernel. Such a call takes 40 ns.

The kernel then reads objects where they lie: the items of a tuple, and of an array its dtype, shape, flags and data
(`PyArrayObject`, part of NumPy's interface for C). How these are laid out is not taken on trust: `layout` looks at
objects whose contents are known, and is None where something else is found (another Python, another NumPy), in which
case nobody calls kernels in this way.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_ae.core.object_code import from_assembly
from autograd_ae.core.op import Array

_WORD = 8
_ONE_ARGUMENT = 8  # METH_O
# In Numba's calling convention: status = code(&result, &error, argument, block); block[0] is the code's address.
_ASSEMBLY = """
declare ptr @PyLong_FromLongLong(i64)
declare i64 @PyLong_AsLongLong(ptr)
define ptr @autograd_ae_enter(ptr %self, ptr %argument) {
  %result = alloca i64
  %error = alloca ptr
  %block = call i64 @PyLong_AsLongLong(ptr %self)
  %words = inttoptr i64 %block to ptr
  %code = load ptr, ptr %words
  %address = ptrtoint ptr %argument to i64
  %status = call i32 %code(ptr %result, ptr %error, i64 %address, i64 %block)
  %value = load i64, ptr %result
  %number = call ptr @PyLong_FromLongLong(i64 %value)
  ret ptr %number
}
"""


class Layout(NamedTuple):
    """Where things lie: bytes from the beginning of an object."""

    items: int  # of a tuple
    data: int  # the array of a Tensor


class _Method(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p), ("code", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p),
    )  # fmt: skip


@functools.cache
def _method() -> _Method:
    return _Method(b"enter", from_assembly(_ASSEMBLY, "autograd_ae_enter")[0], _ONE_ARGUMENT, None)


def built_in(block: Array) -> Callable[[object], int]:
    """`f(x)`: the result of the kernel whose code is at the address block[0], called on the addresses of x and block.

    Whoever keeps the function keeps `block`. No other thread runs meanwhile.
    """
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
    function: Callable[[object], int] = new(ctypes.addressof(_method()), block.ctypes.data, None)
    return function


# A function or method that CPython calls with objects, and that gives the object whose address a kernel returns.
_OPERATION = """
define ptr @{symbol}(ptr %self, ptr %given{count}) {{
  %result = alloca i64
  %error = alloca ptr
{arguments}
  %code = inttoptr i64 {code} to ptr
  %status = call i32 %code(ptr %result, ptr %error, {passed}, i64 {block})
  %value = load i64, ptr %result
  %object = inttoptr i64 %value to ptr
  ret ptr %object
}}
"""
_ITEM = """  %place{k} = getelementptr ptr, ptr %given, i64 {k}
  %item{k} = load ptr, ptr %place{k}
  %{name} = ptrtoint ptr %item{k} to i64"""
_FAST, _NONE = 0x80, 4  # METH_FASTCALL, METH_NOARGS


class Operation(NamedTuple):
    """How Python is to call a kernel of `operands` objects and a block (block[0] is not looked at).

    `name` of a method of a class, such as `__mul__`, or of a function. A `reflected` method hands over its object last.
    """

    name: str
    code: int
    block: Array
    operands: int
    method: bool = False
    reflected: bool = False

    def assembly(self, symbol: str) -> str:
        names = ["a", "b"][: self.operands]
        if self.method:
            places = dict(zip(names[:: -1 if self.reflected else 1], ("self", "given"), strict=False))
            arguments = [f"  %{name} = ptrtoint ptr %{places[name]} to i64" for name in names]
        else:
            arguments = [_ITEM.format(k=k, name=name) for k, name in enumerate(names)]
        return _OPERATION.format(
            symbol=symbol,
            count="" if self.method else ", i64 %count",
            arguments="\n".join(arguments),
            code=self.code,
            passed=", ".join(f"i64 %{name}" for name in names),
            block=self.block.ctypes.data,
        )

    @property
    def flags(self) -> int:
        return _FAST if not self.method else _ONE_ARGUMENT if self.operands == 2 else _NONE


def operations(wanted: Sequence[Operation], cls: type) -> list[Any]:
    """Functions and, for `cls`, method descriptors, like those of an extension module, while the process lives.

    Functions must be called with as many arguments as they have operands: nobody looks.
    """
    symbols = [f"autograd_ae_operation_{next(_numbers)}" for _ in wanted]
    addresses = from_assembly("\n".join(o.assembly(s) for o, s in zip(wanted, symbols, strict=True)), *symbols)
    methods = (_Method * len(wanted))(
        *(_Method(o.name.encode(), address, o.flags, None) for o, address in zip(wanted, addresses, strict=True))
    )
    hold(methods)
    made: list[Any] = []
    for k, operation in enumerate(wanted):
        hold(operation.block)
        place = ctypes.addressof(methods) + k * ctypes.sizeof(_Method)
        if operation.method:
            new = ctypes.pythonapi.PyDescr_NewMethod
            new.restype, new.argtypes = ctypes.py_object, (ctypes.py_object, ctypes.c_void_p)
            made.append(new(cls, place))
        else:
            new = ctypes.pythonapi.PyCFunction_NewEx
            new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
            made.append(new(place, None, None))
    return made


_numbers = itertools.count()


def hold(thing: Any) -> int:
    """The address of an object that from now on lives as long as the process."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    return id(thing)


def word(place: int) -> int:
    """The 64 bits at an address."""
    return ctypes.c_int64.from_address(place).value


@functools.cache
def layout() -> Layout | None:
    """Where the parts of objects lie, or None where they do not lie where a kernel would look for them."""
    from autograd_ae.core.tensor import Tensor

    if sys.implementation.name != "cpython" or ctypes.sizeof(ctypes.c_void_p) != _WORD or sys.byteorder != "little":
        return None
    array, marks = np.arange(6.0).reshape(2, 3), (object(), object())
    found = [word(id(array) + _WORD * k) for k in range(9)] if array.__sizeof__() >= 9 * _WORD else []
    half = (1 << 32) - 1
    shape = (
        tuple(word(found[4] + _WORD * k) for k in range(2)) if found and found[4] > 0 and _sane(array, found) else ()
    )
    tensor = Tensor(array)
    items = _place(marks, id(marks[0]), marks.__sizeof__())
    data = _place(tensor, id(array), Tensor.__basicsize__)
    plain = shape == array.shape and found[8] & half == array.flags.num and word(id(marks) + 2 * _WORD) == 2
    if not plain or items is None or data is None or word(id(marks) + items + _WORD) != id(marks[1]):
        return None
    return Layout(items, data)


def _sane(array: Array, found: list[int]) -> bool:
    """Whether the words of an array are its type, data, number of axes, …, dtype; only then is its shape looked up."""
    half = (1 << 32) - 1
    return (found[1], found[2], found[3] & half, found[7]) == (id(type(array)), array.ctypes.data, 2, id(array.dtype))


def _place(thing: Any, wanted: int, nbytes: int) -> int | None:
    """How far from its beginning an object holds a word; None where it does not, or more than once."""
    places = [k for k in range(2 * _WORD, nbytes, _WORD) if word(id(thing) + k) == wanted]
    return places[0] if len(places) == 1 else None
