"""Matrix products by register tiles: the inner kernels, written as LLVM vectors.

**How fast can it be?** A core that starts two fused multiply-adds a cycle on registers of `lanes` numbers does
4·lanes flops a cycle: 32 in float32 with AVX2, 102 GFLOP/s at 3.2 GHz. A product of (m, k) by (k, n) has 2mnk flops on
mk + kn + mn numbers, so for sizes of hundreds each number is used hundreds of times, and memory is no limit
if it is fetched into registers rarely enough. That is all there is to a GEMM: the order of loops and the layout.

**The tile.** Hold an (R, C) block of the result in registers and run over k. One step loads C numbers of B and
broadcasts R numbers of A, for R·C multiply-adds:

    acc[r][c] += A[r, k] · B[k, c]        R·C/lanes multiply-adds,  C/lanes + R loads

Two pipes of latency 4 need 8 independent sums in flight; 16 registers hold 12 sums (R = 6, C = 2·lanes), two vectors
of B and one broadcast of A, and nothing spills: 12 multiply-adds (6 cycles) against 8 loads (4 cycles). With the 32
registers of NEON R = 12. A vector of AVX-512 is a cache line: (8, lanes) has 8 sums, broadcasts that are part of the
multiply-add, and pads of at most 15 units; with two vectors and 12 rows the forward pass was slower (Zen 4). `Tile`
names these numbers, `tile_for` picks them from the processor's features.
Work comes in strips of C rows, cut as evenly as R allows (16 = 5 + 5 + 6), so two heights of tile are enough; 5 rows
(10 sums) run at the same speed.

**The layout.** B is read C numbers at a time, one row after the other: so it is kept as a *panel*, (k, C) contiguous.
A is read R numbers at a time, in one of three ways, each a kernel here (X (B, K) activations, W (K, N) weights, D (B,
N)):

    tile_along_panels   Y  = X W     A: rows of X, itself in panels [K/C][B][C], so a step is 1 and a panel ends after C
    tile_along_rows     Gᵀ = W Dᵀ    A: rows of W as it lies, (K, N) in C order
    tile_across_panel   dW = Xᵀ D    A: columns of a panel of X

So W is read where it lies; only its column panels are packed (by `panels.py`), which also gives each panel its
bias as a first row: the sums of `tile_along_panels` start from it.

**Rounding.** Every element is one chain of fused multiply-adds in the order of k. So a result depends neither on the
tile's shape nor on how rows and panels are shared out among threads, bit for bit, and |error| ≤ γ_k Σ|a||b|, γ_k = k
u/(1 − k u) (Higham 2002, §3.1), u the unit roundoff. Without an FMA unit the multiply and the add round apart: other
bits, same bound.

Pads (columns beyond the last unit) are lanes of their own: whatever lies there, NaN too, never meets another lane.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from autograd_ae.core.native import Native
from autograd_ae.runtime.emitter import Emitter, intrinsic_for, tile_of


class Access(NamedTuple):
    """How a tile walks over A: row r at step s is element r·row + s·step of a chunk, and chunks are `advance` apart.

    None stands for the stride given at run time.
    """

    row: int | None
    step: int
    chunk: int  # steps written out one after the other: constant offsets from one pointer
    advance: int | None
    biased: bool = False  # the sums start from the panel's first row


def accesses(columns: int) -> dict[str, Access]:
    """The three ways to read A, for panels of `columns`."""
    return {
        "tile_along_panels": Access(columns, 1, columns, None, biased=True),
        "tile_along_rows": Access(None, 1, 8, 8),
        "tile_across_panel": Access(1, columns, 8, 8 * columns),
    }


def product(
    emitter: Emitter,
    access: Access,
    rows: int,
    out: Any,
    out_row: Any,
    a: Any,
    valid: Any,
    stride: Any,
    b: Any,
    steps: Any,
) -> None:
    """The (rows, columns) tile at `out` ← Σ_s A[·, s] B[s, ·]; the sums live in registers from end to end.

    Where the caller says how far apart rows are, only `valid` of them exist, and the last one stands for the rest.
    """
    from numba.core import cgutils

    builder, tile, number = emitter.builder, emitter.tile, emitter.number
    pieces = range(tile.vectors)
    zero = emitter.ir.Constant(emitter.vector, [0.0] * tile.lanes)
    starts = [emitter.load(b, v * tile.lanes) if access.biased else zero for v in pieces]
    if access.biased:
        b = emitter.address(b, tile.columns)
    # Stack places that LLVM turns into registers: one for each vector of the tile.
    sums = [[cgutils.alloca_once_value(builder, starts[v]) for v in pieces] for _ in range(rows)]
    if access.row is None:
        last = builder.sub(valid, number(1))
        places = [number(r) for r in range(rows)]
        places = [builder.select(builder.icmp_signed("<", r, last), r, last) for r in places]
        row_places = [builder.mul(r, stride) for r in places]
    else:
        row_places = [number(r * access.row) for r in range(rows)]
    advance = stride if access.advance is None else number(access.advance)

    def step(a_chunk: Any, b_chunk: Any, s: int) -> None:
        vectors = [emitter.load(b_chunk, s * tile.columns + v * tile.lanes) for v in pieces]
        for r in range(rows):
            place = builder.add(row_places[r], number(s * access.step))
            x = emitter.broadcast(emitter.load(a_chunk, place, emitter.real))
            for v in pieces:
                builder.store(emitter.multiply_add(x, vectors[v], builder.load(sums[r][v])), sums[r][v])

    chunks = builder.sdiv(steps, number(access.chunk))
    with cgutils.for_range(builder, chunks) as loop:
        a_chunk = emitter.address(a, builder.mul(loop.index, advance))
        b_chunk = emitter.address(b, builder.mul(loop.index, number(access.chunk * tile.columns)))
        for s in range(access.chunk):
            step(a_chunk, b_chunk, s)
    a = emitter.address(a, builder.mul(chunks, advance))
    b = emitter.address(b, builder.mul(chunks, number(access.chunk * tile.columns)))
    rest = builder.sub(steps, builder.mul(chunks, number(access.chunk)))
    with cgutils.for_range(builder, rest) as loop:
        a_step = emitter.address(a, builder.mul(loop.index, number(access.step)))
        step(a_step, emitter.address(b, builder.mul(loop.index, number(tile.columns))), 0)
    for r in range(rows):
        for v in pieces:
            place = builder.add(builder.mul(number(r), out_row), number(v * tile.lanes))
            emitter.store(builder.load(sums[r][v]), out, place)


def tile_kernel(name: str, geometry: Any = tile_of) -> Any:
    """The intrinsic `name(like, (rows, out, out_row, a, valid, stride, b, steps))`: a kernel for each height."""

    def emit(emitter: Emitter, rows: Any, *arguments: Any) -> None:
        builder, tile = emitter.builder, emitter.tile
        done = builder.append_basic_block("done")
        choice = builder.switch(rows, done)
        for count in tile.heights:
            block = builder.append_basic_block(f"rows_{count}")
            choice.add_case(emitter.number(count), block)
            builder.position_at_end(block)
            product(emitter, accesses(tile.columns)[name], count, *arguments)
            builder.branch(done)
        builder.position_at_end(done)

    return intrinsic_for(8, emit, geometry)


tile_along_panels = Native(lambda: tile_kernel("tile_along_panels"))
tile_along_rows = Native(lambda: tile_kernel("tile_along_rows"))
tile_across_panel = Native(lambda: tile_kernel("tile_across_panel"))


def transpose_kernel(geometry: Any = tile_of) -> Any:
    """The intrinsic `transpose(like, (out, a))`: a block (columns, columns) at `out` ← the one at `a`, transposed."""

    def emit(emitter: Emitter, out: Any, a: Any) -> None:
        n, width = emitter.tile.lanes, emitter.tile.columns
        for i in range(0, width, n):
            for j in range(0, width, n):
                block = emitter.transposed([emitter.load(a, (i + r) * width + j) for r in range(n)])
                for r, row in enumerate(block):
                    emitter.store(row, out, (j + r) * width + i)

    return intrinsic_for(2, emit, geometry)


def sum_kernel(geometry: Any = tile_of, *, squared: bool = False) -> Any:
    """The intrinsic `sum_panel(like, (out, panel, rows))`: (columns,) at `out` ← Σ rows, one after another.

    `squared`: of the squares.
    """

    def emit(emitter: Emitter, out: Any, panel: Any, rows: Any) -> None:
        from numba.core import cgutils

        builder, tile = emitter.builder, emitter.tile
        zero = emitter.ir.Constant(emitter.vector, [0.0] * tile.lanes)
        sums = [cgutils.alloca_once_value(builder, zero) for _ in range(tile.vectors)]
        with cgutils.for_range(builder, rows) as loop:
            row = emitter.address(panel, builder.mul(loop.index, emitter.number(tile.columns)))
            for v, s in enumerate(sums):
                x, before = emitter.load(row, v * tile.lanes), builder.load(s)
                after = emitter.multiply_add(x, x, before) if squared else builder.fadd(before, x)
                builder.store(after, s)
        for v, s in enumerate(sums):
            emitter.store(builder.load(s), out, v * tile.lanes)

    return intrinsic_for(3, emit, geometry)


def copy_kernel(geometry: Any = tile_of) -> Any:
    """The intrinsic `copy_row(like, (out, a))`: `columns` numbers by vectors, unasked whether the two overlap."""

    def emit(emitter: Emitter, out: Any, a: Any) -> None:
        for v in range(emitter.tile.vectors):
            emitter.store(emitter.load(a, v * emitter.tile.lanes), out, v * emitter.tile.lanes)

    return intrinsic_for(2, emit, geometry)


def prefetch_kernel(geometry: Any = tile_of) -> Any:
    """The intrinsic `prefetch(like, (address,))`: ask for a cache line that will be read soon; any address will do."""

    def emit(emitter: Emitter, address: Any) -> None:
        from numba.core import cgutils

        ir, builder = emitter.ir, emitter.builder
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        reading, near, data = (ir.Constant(word, n) for n in (0, 3, 1))
        builder.call(function, [builder.inttoptr(address, byte), reading, near, data])

    return intrinsic_for(1, emit, geometry)


copy_row = Native(copy_kernel)
prefetch = Native(prefetch_kernel)
transpose = Native(transpose_kernel)
sum_panel = Native(sum_kernel)
squares_of_panel = Native(lambda: sum_kernel(squared=True))


def _constant(attribute: str) -> Native:
    """`f(like)`: a number of the tile for like's dtype, a constant to the compiler."""

    def recipe() -> Any:
        from numba.extending import overload

        def constant(like):
            return getattr(tile_of(like.dtype), attribute)

        @overload(constant)
        def choose(like):
            found = getattr(tile_of(str(like.dtype)), attribute)
            return lambda like: found

        return constant

    return Native(recipe)


columns, parts, lanes = _constant("columns"), _constant("parts"), _constant("lanes")
