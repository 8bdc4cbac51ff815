"""What machine code is written with here: vectors of the processor's width, as LLVM instructions inside Numba kernels.

Numba vectorises loops when it sees fit; a matrix product needs to say which numbers lie in which register. So a few
kernels are *intrinsics*: functions that write LLVM's instructions themselves, once for each dtype, when a kernel that
calls them is compiled. `Emitter` has the vocabulary (load, store, broadcast, multiply-add, shuffle); `Tile` the
widths, which follow from the processor's features.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from autograd_ae.core.native import Native


class Tile(NamedTuple):
    """A register tile: `rows` rows of `vectors` registers of `lanes` numbers each."""

    lanes: int
    vectors: int
    rows: int

    @property
    def columns(self) -> int:
        """C, the width of a panel, and the height of a strip."""
        return self.lanes * self.vectors

    @property
    def parts(self) -> int:
        """How many tiles make a strip of C rows; tile t has rows t·C // parts … (t + 1)·C // parts − 1."""
        return -(-self.columns // self.rows)

    @property
    def heights(self) -> tuple[int, ...]:
        """The heights of these tiles."""
        return tuple(sorted({self.columns // self.parts, -(-self.columns // self.parts)}))


def tile_for(features: str, itemsize: int) -> Tile:
    """The tile for a processor with LLVM `features` (as "+avx,+fma,…") and numbers of `itemsize` bytes.

    >>> tile_for("+avx,+avx2,+fma", 4), tile_for("+avx512f", 8).columns
    (Tile(lanes=8, vectors=2, rows=6), 8)
    """
    known = set(features.split(","))
    if "+avx512f" in known:
        return Tile(64 // itemsize, 1, 8)
    if "+neon" in known:
        return Tile(16 // itemsize, 2, 12)
    return Tile((32 if "+avx" in known else 16) // itemsize, 2, 6)


@functools.cache
def tile_of(dtype: Any) -> Tile:
    """The tile of this machine for float32 or float64."""
    from llvmlite import binding

    return tile_for(binding.get_host_cpu_features().flatten(), np.dtype(dtype).itemsize)


class Emitter:
    """Writes LLVM instructions on vectors of one tile; addresses are int64, strides count elements."""

    def __init__(self, context: Any, builder: Any, real: Any, tile: Tile):
        from llvmlite import ir

        self.ir, self.builder, self.tile = ir, builder, tile
        self.real = context.get_value_type(real)
        self.vector = ir.VectorType(self.real, tile.lanes)
        self.itemsize = real.bitwidth // 8

    def number(self, n: int) -> Any:
        return self.ir.Constant(self.ir.IntType(64), n)

    def address(self, base: Any, elements: Any) -> Any:
        """base + elements · itemsize."""
        offset = self.number(elements) if isinstance(elements, int) else elements
        pointer = self.builder.inttoptr(base, self.real.as_pointer())
        return self.builder.ptrtoint(self.builder.gep(pointer, [offset]), self.ir.IntType(64))

    def load(self, base: Any, elements: Any, kind: Any = None) -> Any:
        kind = kind or self.vector
        pointer = self.builder.inttoptr(self.address(base, elements), kind.as_pointer())
        return self.builder.load(pointer, align=self.itemsize)

    def store(self, value: Any, base: Any, elements: Any) -> None:
        pointer = self.builder.inttoptr(self.address(base, elements), self.vector.as_pointer())
        self.builder.store(value, pointer, align=self.itemsize)

    def shuffle(self, a: Any, b: Any, places: list[int]) -> Any:
        """Lanes of a (0 … lanes−1) and b (lanes …) by their places."""
        mask = self.ir.Constant(self.ir.VectorType(self.ir.IntType(32), len(places)), places)
        return self.builder.shuffle_vector(a, b, mask)

    def broadcast(self, x: Any) -> Any:
        """x in every lane: one instruction together with the load of x."""
        empty = self.ir.Constant(self.vector, self.ir.Undefined)
        first = self.builder.insert_element(empty, x, self.ir.Constant(self.ir.IntType(32), 0))
        return self.shuffle(first, empty, [0] * self.tile.lanes)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """a·b + c with one rounding where the processor has it."""
        from numba.core import cgutils

        name = f"llvm.fmuladd.v{self.tile.lanes}f{8 * self.itemsize}"
        kind = self.ir.FunctionType(self.vector, [self.vector] * 3)
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), [a, b, c])

    def transposed(self, rows: list[Any]) -> list[Any]:
        """A (lanes, lanes) block transposed: swap its off-diagonal blocks of size 1, then 2, 4, … (Eklundh 1972)."""
        n, size = self.tile.lanes, 1
        while size < n:
            above = [j if not j & size else n + j - size for j in range(n)]
            below = [j + size if not j & size else n + j for j in range(n)]
            for i in (i for i in range(n) if not i & size):
                a, b = rows[i], rows[i + size]
                rows[i], rows[i + size] = self.shuffle(a, b, above), self.shuffle(a, b, below)
            size *= 2
        return rows


def intrinsic_for(parts: int, emit: Any, geometry: Any = tile_of) -> Any:
    """A Numba intrinsic `f(like, numbers)` of `parts` int64 numbers; `emit` writes it, for like's dtype."""
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def kernel(_context: Any, like: Any, numbers: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            given = [builder.extract_value(arguments[1], i) for i in range(parts)]
            emit(Emitter(context, builder, like.dtype, geometry(str(like.dtype))), *given)
            return context.get_dummy_value()

        return types.void(like, types.UniTuple(types.int64, parts)), build

    return kernel


def _empty(name: str) -> Native:
    """`f()`: an array without entries that tells a kernel the dtype to work in."""

    def recipe() -> Any:
        from numba.core import types
        from numba.extending import intrinsic
        from numba.np.arrayobj import make_array, populate_array

        array = types.Array(getattr(types, name), 1, "C")

        @intrinsic
        def make(_context: Any) -> Any:
            def build(context: Any, builder: Any, signature: Any, _arguments: Any) -> Any:
                made = make_array(array)(context, builder)
                zero, item = (context.get_constant(types.intp, n) for n in (0, array.dtype.bitwidth // 8))
                nowhere = builder.inttoptr(zero, made.data.type)
                populate_array(made, data=nowhere, shape=[zero], strides=[item], itemsize=item, meminfo=None)
                return made._getvalue()

            return array(), build

        return make

    return Native(recipe)


singles, doubles, words = _empty("float32"), _empty("float64"), _empty("int64")
