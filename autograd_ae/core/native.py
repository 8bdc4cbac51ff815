"""What kernels need from beneath NumPy: arrays at addresses, 2ⁿ by its bits, and BLAS.

Numba is imported when the first kernel is compiled, so what is built of its parts (an intrinsic, an external function)
is built then, by `Native.compiled`; until then only the recipe is here.

BLAS: NumPy's wheels bring OpenBLAS along and export `cblas_sgemm` and `cblas_dgemm` under names of their own. A kernel
calls these very functions, so a product in a kernel and `np.matmul` give the same bits. (`np.dot` in a Numba kernel
would need SciPy and another BLAS.) Where NumPy was built with another BLAS, `has_blas()` is False and products stay
with `np.matmul`.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

from autograd_ae.core.blas import openblas

_GEMM = {"float32": ("scipy_cblas_sgemm64_", "cblas_sgemm64_"), "float64": ("scipy_cblas_dgemm64_", "cblas_dgemm64_")}


class Native:
    """A part of kernels that only Numba can build: `recipe()` is called once, when a kernel is first compiled."""

    def __init__(self, recipe: Callable[[], Any]):
        self._recipe = recipe
        self._built: Any = None

    def compiled(self) -> Any:
        if self._built is None:
            self._built = self._recipe()
        return self._built

    def __call__(self, *args: Any) -> Any:
        """Outside kernels: its Python form, where it has one."""
        return self.compiled()(*args)


def _view(dimensions: int) -> Native:
    def recipe() -> Any:
        from numba.core import types
        from numba.extending import intrinsic
        from numba.np.arrayobj import make_array, populate_array

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            made = make_array(signature.return_type)(context, builder)
            address, *shape, _like = args
            item = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(made._fe_type.dtype)))
            strides = [item] if dimensions == 1 else [builder.mul(shape[1], item), item]
            data = builder.inttoptr(address, made.data.type)
            populate_array(made, data=data, shape=shape, strides=strides, itemsize=item, meminfo=None)
            return made._getvalue()

        def declared(like: Any) -> Any:
            sizes = (types.int64,) * (1 + dimensions)
            return types.Array(like.dtype, dimensions, "C")(*sizes, like), build

        if dimensions == 1:
            return intrinsic(lambda _context, address, n, like: declared(like))
        return intrinsic(lambda _context, address, n, m, like: declared(like))

    return Native(recipe)


# Arrays of like's dtype that begin at an address: at(address, n, like) and matrix_at(address, n, m, like).
at, matrix_at = _view(1), _view(2)


def _caller(arguments: int) -> Native:
    def recipe() -> Any:
        from llvmlite import ir
        from numba.core import cgutils, types
        from numba.extending import intrinsic

        def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            word, anything = ir.IntType(64), ir.IntType(8).as_pointer()
            given = [word.as_pointer(), anything.as_pointer(), *[word] * arguments]
            kind = ir.FunctionType(ir.IntType(32), given)
            result, error = cgutils.alloca_once(builder, word), cgutils.alloca_once(builder, anything)
            builder.call(builder.inttoptr(args[0], kind.as_pointer()), [result, error, *args[1:]])
            return builder.load(result)

        declared = types.int64(*(types.int64,) * (1 + arguments)), build
        if arguments == 1:
            return intrinsic(lambda _context, code, a: declared)
        return intrinsic(lambda _context, code, a, b, c: declared)

    return Native(recipe)


# call(code, a) and call_three(code, a, b, c): run the machine code at an address (see `object_code.py`) on integers.
call, call_three = _caller(1), _caller(3)


@Native
def times_power_of_two() -> Any:
    """`times_power_of_two(p, t)`: p·2ⁿ, where t = n + 1.5·2²³ (float32) or n + 1.5·2⁵² (float64).

    Adding that constant rounds to an integer and leaves n in the low bits of t. The power is applied in two halves, so
    that results below the smallest normal number come out as they should.
    """
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def scale(_context: Any, p: Any, t: Any) -> Any:
        single = p == types.float32

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            real = context.get_value_type(p)
            word = context.get_value_type(types.int32 if single else types.int64)
            zero, mantissa, bias = (0x4B400000, 23, 127) if single else (0x4338000000000000, 52, 1023)
            n = builder.sub(builder.bitcast(args[1], word), word(zero))
            half = builder.sub(builder.lshr(builder.add(n, word(4 * bias)), word(1)), word(2 * bias))
            powers = [
                builder.bitcast(builder.shl(builder.add(part, word(bias)), word(mantissa)), real)
                for part in (half, builder.sub(n, half))
            ]
            return builder.fmul(builder.fmul(args[0], powers[0]), powers[1])

        return p(p, t), build

    return scale


@functools.cache
def _address(dtype: str) -> int | None:
    library = openblas()
    names = [name for name in _GEMM[dtype] if library is not None and hasattr(library, name)]
    return ctypes.cast(getattr(library, names[0]), ctypes.c_void_p).value if names else None


def has_blas() -> bool:
    """Whether kernels can call the BLAS that np.matmul uses."""
    return all(_address(dtype) is not None for dtype in _GEMM)


def blas_symbols() -> dict[str, int]:
    """The names by which kernels call BLAS, with the addresses of its routines."""
    found = {f"autograd_ae_gemm_{dtype}": _address(dtype) for dtype in _GEMM}
    return {name: address for name, address in found.items() if address is not None}


@Native
def gemm() -> Any:
    """`gemm(out, a, b, m, n, k, a_transposed, b_transposed)`: out (m, n) ← op(a) op(b), all flat and in C order."""
    import numba
    from llvmlite import binding
    from numba.core import types
    from numba.extending import overload

    def external(dtype: str) -> Any:
        name, real = f"autograd_ae_gemm_{dtype}", getattr(types, dtype)
        if name not in blas_symbols():
            return None
        binding.add_symbol(name, blas_symbols()[name])
        enum, size, array = types.int32, types.int64, types.CPointer(real)
        arguments = (enum,) * 3 + (size,) * 3 + (real, array, size, array, size, real, array, size)
        return types.ExternalFunction(name, types.void(*arguments))

    single, double = external("float32"), external("float64")
    ROW_MAJOR, PLAIN, TRANSPOSED = 101, 111, 112

    def product(out, a, b, m, n, k, a_transposed, b_transposed):  # the Python form is never run
        raise NotImplementedError

    @overload(product)
    def choose(out, a, b, m, n, k, a_transposed, b_transposed):
        routine = single if out.dtype == types.float32 else double

        def call(out, a, b, m, n, k, a_transposed, b_transposed):
            one, zero = out.dtype.type(1), out.dtype.type(0)
            how_a, lda = (TRANSPOSED, m) if a_transposed else (PLAIN, k)
            how_b, ldb = (TRANSPOSED, k) if b_transposed else (PLAIN, n)
            routine(
                numba.int32(ROW_MAJOR), numba.int32(how_a), numba.int32(how_b), m, n, k,
                one, a.ctypes, lda, b.ctypes, ldb, zero, out.ctypes, n,
            )  # fmt: skip

        return call

    return product
