"""Register tiles: products within the bound of a chain of fused multiply-adds, for every geometry; blocks turned; rows
summed."""

import numpy as np
import pytest

from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.runtime.emitter import Tile, tile_for, tile_of
from autograd_ae.runtime.gemm import copy_kernel, sum_kernel, tile_kernel, transpose_kernel

pytestmark = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")

GEOMETRIES = {  # the processor's own, and others' shapes, which LLVM maps onto the registers that there are
    "own-float32": (tile_of(np.float32), np.float32) if JIT_ENABLED else None,
    "own-float64": (tile_of(np.float64), np.float64) if JIT_ENABLED else None,
    "sse-float32": (Tile(4, 2, 6), np.float32),
    "avx512-float64": (Tile(8, 1, 8), np.float64),
    "neon-float32": (Tile(4, 2, 12), np.float32),
}


@pytest.fixture(scope="module", params=list(GEOMETRIES))
def machine(request):
    """A geometry with its kernels, compiled."""
    import numba

    tile, dtype = GEOMETRIES[request.param]
    along_panels, along_rows, across = (
        tile_kernel(f"tile_{name}", lambda _dtype: tile) for name in ("along_panels", "along_rows", "across_panel")
    )
    turn, total, copy = (make(lambda _dtype: tile) for make in (transpose_kernel, sum_kernel, copy_kernel))

    @numba.njit
    def run(like, which, rows, out, out_row, a, valid, stride, b, steps):
        if which == 0:
            along_panels(like, (rows, out, out_row, a, valid, stride, b, steps))
        elif which == 1:
            along_rows(like, (rows, out, out_row, a, valid, stride, b, steps))
        elif which == 2:
            across(like, (rows, out, out_row, a, valid, stride, b, steps))
        elif which == 3:
            turn(like, (out, a))
        elif which == 4:
            total(like, (out, a, rows))
        else:
            copy(like, (out, a))

    def call(which, out, a, *, rows=0, out_row=0, valid=0, stride=0, b=None, steps=0):
        place = 0 if b is None else b.ctypes.data
        run(np.empty(0, dtype), which, rows, out.ctypes.data, out_row, a.ctypes.data, valid, stride, place, steps)
        return out

    return tile, np.dtype(dtype), call


def within_chain_bound(out, a, b, start=0.0):
    """|out − (start + a b)| ≤ γ_{k+1} (|start| + |a| |b|): Higham 2002, §3.1."""
    u = np.finfo(out.dtype).eps / 2
    k = a.shape[1] + 1
    exact = start + a.astype(np.longdouble) @ b.astype(np.longdouble)
    size = np.abs(start) + np.abs(a).astype(np.longdouble) @ np.abs(b).astype(np.longdouble)
    assert (np.abs(out - exact) <= k * u / (1 - k * u) * size).all()


@pytest.mark.parametrize("steps", [1, 2, 7, 8, 9, 15, 16, 17, 33, 100])
def test_a_tile_is_its_product_within_the_bound_of_one_chain_of_sums(machine, rng, steps):
    tile, dtype, call = machine
    C = tile.columns
    for rows in tile.heights:
        b = rng.normal(size=(steps, C)).astype(dtype)
        a = rng.normal(size=(rows, steps)).astype(dtype)
        out = np.full((rows, C + 3), np.nan, dtype)

        panels = np.full((-(-steps // C), 40, C), np.nan, dtype)  # 40 samples, of which the tile takes the first rows
        for k in range(steps):
            panels[k // C, :rows, k % C] = a[:, k]
        bias = rng.normal(size=C).astype(dtype)
        call(0, out, panels, rows=rows, out_row=C + 3, valid=rows, stride=40 * C, b=np.vstack([bias, b]), steps=steps)
        within_chain_bound(out[:, :C], a, b, bias)

        wide = np.full((rows, steps + 5), np.nan, dtype)
        wide[:, :steps] = a
        call(1, out, wide, rows=rows, out_row=C + 3, valid=rows, stride=steps + 5, b=b, steps=steps)
        within_chain_bound(out[:, :C], a, b)

        panel = np.full((steps, C), np.nan, dtype)  # its last columns are the tile's
        panel[:, C - rows :] = a.T
        call(2, out, panel[:, C - rows :], rows=rows, out_row=C + 3, valid=rows, b=b, steps=steps)
        within_chain_bound(out[:, :C], a, b)
        assert np.isnan(out[:, C:]).all()


def test_the_three_ways_to_read_a_give_the_same_bits(machine, rng):
    tile, dtype, call = machine
    C, steps, rows = tile.columns, 45, tile.heights[0]
    a, b = rng.normal(size=(rows, steps)).astype(dtype), rng.normal(size=(steps, C)).astype(dtype)
    panels = np.zeros((-(-steps // C), rows, C), dtype)
    for k in range(steps):
        panels[k // C, :, k % C] = a[:, k]
    headed, columns = np.vstack([np.zeros((1, C), dtype), b]), np.zeros((steps, C), dtype)
    columns[:, :rows] = a.T
    outs = np.zeros((3, rows, C), dtype)
    shared = {"rows": rows, "out_row": C, "valid": rows, "steps": steps}
    call(0, outs[0], panels, stride=rows * C, b=headed, **shared)
    call(1, outs[1], a, stride=steps, b=b, **shared)
    call(2, outs[2], columns, b=b, **shared)
    np.testing.assert_array_equal(outs[0], outs[1])
    np.testing.assert_array_equal(outs[0], outs[2])


def test_rows_that_do_not_exist_are_not_read(machine, rng):
    tile, dtype, call = machine
    C, rows = tile.columns, tile.heights[-1]
    a, b = rng.normal(size=(2, 9)).astype(dtype), rng.normal(size=(9, C)).astype(dtype)
    beyond = np.vstack([a, np.full((rows, 9), np.nan, dtype)])
    out = call(1, np.zeros((rows, C), dtype), beyond, rows=rows, out_row=C, valid=2, stride=9, b=b, steps=9)
    within_chain_bound(out[:2], a, b)
    assert np.isfinite(out).all()


def test_a_lane_with_nan_stays_alone(machine, rng):
    tile, dtype, call = machine
    C, rows = tile.columns, tile.heights[0]
    a, b = rng.normal(size=(rows, 20)).astype(dtype), rng.normal(size=(20, C)).astype(dtype)
    b[:, 3] = np.nan
    out = call(1, np.zeros((rows, C), dtype), a, rows=rows, out_row=C, valid=rows, stride=20, b=b, steps=20)
    np.testing.assert_array_equal(np.isnan(out), np.arange(C) == 3 + np.zeros((rows, 1)))


def test_a_block_is_turned_a_panel_summed_and_a_row_copied(machine, rng):
    tile, dtype, call = machine
    C = tile.columns
    block = rng.normal(size=(C, C)).astype(dtype)
    np.testing.assert_array_equal(call(3, np.zeros((C, C), dtype), block), block.T)
    panel = rng.normal(size=(50, C)).astype(dtype)
    np.testing.assert_array_equal(call(4, np.zeros(C, dtype), panel, rows=43), panel[:43].sum(axis=0))
    np.testing.assert_array_equal(call(5, np.zeros(C, dtype), panel), panel[0])


@pytest.mark.parametrize(
    ("features", "itemsize", "columns", "registers"),
    [
        ("+sse2,-avx", 4, 8, 16),
        ("+avx,+avx2,+fma,-avx512f", 4, 16, 16),
        ("+avx,+avx2,+fma,-avx512f", 8, 8, 16),
        ("+avx,+avx512f", 4, 16, 32),
        ("+neon", 4, 8, 32),
    ],
)
def test_a_tile_fits_into_the_registers(features, itemsize, columns, registers):
    tile = tile_for(features, itemsize)
    assert tile.columns == columns
    assert tile.rows * tile.vectors + tile.vectors + 1 <= registers
    assert all(height <= tile.rows for height in tile.heights)
    assert sum((t + 1) * columns // tile.parts - t * columns // tile.parts for t in range(tile.parts)) == columns
