"""The words of lowering: how a line of a program, `out ← run(args)`, is written as rows of a table.

Products, entry by entry, sums, losses. Rows take arrays in C order, of one dtype but for conditions. Where shapes are
beyond them (broadcasting that is neither of rows nor of columns, sums over inner axes), a lowering returns None. A row
may have arrays of its own, for intermediate results and numbers. (Which line is written how: `lowering.py`.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_ae.core.jit import Kernel
from autograd_ae.core.op import Array
from autograd_ae.ops import dense
from autograd_ae.ops.axes import count
from autograd_ae.ops.scale import batch
from autograd_ae.runtime import formulas as f
from autograd_ae.runtime import instructions as do
from autograd_ae.runtime.templates import each, on_matrix, refuse, total, whole

LONG = 1024  # entries from which the call of a NumPy loop, vectorised for some functions on some CPUs, costs less


class Row(NamedTuple):
    """An instruction on arrays. Factors that change from step to step are an array of eight float64, shared by rows."""

    instruction: Kernel
    arrays: Sequence[Array]  # destination, then up to three operands
    sizes: Sequence[int] = ()
    factors: Sequence[float] | Array = ()
    dtype: np.dtype | None = None  # of the kernel; by default that of the last operand


def dtype_of(row: Row) -> np.dtype:
    """The dtype that the row's instruction is compiled for."""
    return row.dtype or row.arrays[-1].dtype


Rows = list[Row] | None
Lowering = Callable[..., Rows]


# Products.


def product(out: Array, a: Array, b: Array, transposed: int = 0) -> Row:
    k = a.shape[0] if transposed & 1 else a.shape[1]
    return Row(do.product, (out, a, b), (*out.shape, k, transposed))


def layer(bias: Kernel) -> Lowering:
    def rows(out: Array, x: Array, W: Array, b: Array) -> Rows:
        y = dense.rows(out)
        return [product(y, dense.rows(x), W), Row(on_matrix(bias), (y, b), y.shape)]

    return rows


def layer_dx(out: Array, g: Array, _y: None, _x: None, W: Array, _b: None) -> Rows:
    return [product(dense.rows(out), dense.rows(g), W, 2)]


def layer_dW(out: Array, g: Array, _y: None, x: Array, _W: None, _b: None) -> Rows:
    return [product(out, dense.rows(x), dense.rows(g), 1)]


def layer_db(out: Array, g: Array, _y: None, _x: None, _W: None, _b: None) -> Rows:
    return [Row(do.sum_rows, (out, g), dense.rows(g).shape, [1])]


def matmul_rows(out: Array, a: Array, b: Array) -> Rows:
    return [product(out, a, b)] if out.ndim == a.ndim == b.ndim == 2 else None


def matmul_da(out: Array, g: Array, _y: None, _a: None, b: Array) -> Rows:
    return [product(out, g, b, 2)] if out.ndim == g.ndim == b.ndim == 2 else None


def matmul_db(out: Array, g: Array, _y: None, a: Array, _b: None) -> Rows:
    return [product(out, a, g, 1)] if out.ndim == g.ndim == a.ndim == 2 else None


# Entry by entry.


def view(operands: Sequence[Array], out: Array) -> tuple[int, int, tuple[int, ...], int] | None:
    """Rows and columns by which each operand is whole, repeated over rows, over columns, or a number; steps and moves.

    >>> view((np.ones((3, 2)), np.ones(2)), np.ones((3, 2)))
    (3, 2, (1, 1), 1)
    """
    shapes = [(1,) * (out.ndim - a.ndim) + a.shape for a in operands]
    for cut in range(out.ndim + 1):
        rows, columns = math.prod(out.shape[:cut]), math.prod(out.shape[cut:])
        own = [(math.prod(shape[:cut]), math.prod(shape[cut:])) for shape in shapes]
        if all(r in (1, rows) and c in (1, columns) for r, c in own):
            moves = sum((r > 1) << k for k, (r, _) in enumerate(own))
            return rows, columns, tuple(int(c > 1 or columns == 1) for _, c in own), moves
    return None


def entry_by_entry(
    formula: Kernel, out: Array, operands: Sequence[Array], *, truth: bool = False, chooses: bool = False
) -> Rows:
    """out ← formula(operands); `truth` where out is boolean, `chooses` where the first operand is."""
    numbers, found = operands[1:] if chooses else operands, view(operands, out)
    kinds = {a.dtype for a in ((*numbers,) if truth else (out, *numbers))}
    if found is None or len(kinds) > 1 or (out.dtype == bool) != truth or (operands[0].dtype == bool) != chooses:
        return None
    if formula in f.BY_LIBRARY and out.size >= LONG:
        return None
    rows, columns, steps, moves = found
    return [Row(each(formula, steps, truth=truth, chooses=chooses), (out, *operands), (rows, columns, 1, moves))]


def number(value: float, like: Array) -> Array:
    return np.asarray(value, like.dtype)


def by(formula: Kernel, *order: int, **kinds: bool) -> Lowering:
    """A line whose operands, its parameters after them, are those of the formula, or are in this order."""

    def rows(out: Array, *args: Array | None, **params: float) -> Rows:
        given = [a for a in args if a is not None]
        operands = [*given, *(number(value, given[0]) for value in params.values())]
        return entry_by_entry(formula, out, [operands[k] for k in order] if order else operands, **kinds)

    return rows


def by_kernel(own: Kernel) -> Lowering:
    """A line that an op's own kernel of flat arrays computes."""
    return lambda out, *args: [Row(whole(own), (out, *(a for a in args if a is not None)), (out.size,))]


def hand_on(out: Array, g: Array, *_rest: Any, **_params: Any) -> Rows:
    return entry_by_entry(f.copy, out.reshape(-1), [g.reshape(-1)])


def clip_dx(out: Array, g: Array, _y: None, x: Array, *, a_min: float, a_max: float) -> Rows:
    below = entry_by_entry(f.unless_below, out, [g, x, number(a_min, x)])
    above = entry_by_entry(f.unless_above, out, [out, x, number(a_max, x)])
    return below + above if below and above else None


def refusing(condition: Kernel, how: Lowering, which: int) -> Lowering:
    """A line that Python runs where the condition holds for some entry of an operand."""

    def rows(out: Array, *args: Array, **params: Any) -> Rows:
        rest = how(out, *args, **params)
        return None if rest is None else [Row(refuse(condition), (args[which],), (args[which].size,)), *rest]

    return rows


# Sums.


def spread(out: Array, a: Array, divisor: float = 1) -> Rows:
    """out ← a / divisor, repeated."""
    if divisor == 1:
        return entry_by_entry(f.copy, out, [a])
    return entry_by_entry(f.divide, out, [a, number(divisor, out)])


def reduce(out: Array, x: Array, axis: Sequence[int], divisor: float) -> Rows:
    """Σ over all, the leading or the trailing axes, divided."""
    kept = [k for k in range(x.ndim) if k not in axis]
    n, m = math.prod(x.shape[k] for k in axis), math.prod(x.shape[k] for k in kept)
    if m == 1:
        return [Row(total(f.copy), (out, x), (x.size,), [divisor])]
    if tuple(axis) == tuple(range(len(axis))):
        return [Row(do.sum_rows, (out, x), (n, m), [divisor])]
    if kept == list(range(len(kept))):
        return [Row(do.sum_columns, (out, x), (m, n), [divisor])]
    return None


def sum_rows(out: Array, x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Rows:
    return reduce(out, x, axis, 1)


def mean_rows(out: Array, x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Rows:
    return reduce(out, x, axis, count(x.shape, axis))


def as_kept(a: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """What a reduction gave, with its axes of size 1."""
    return a if keepdims else np.expand_dims(a, axis)


def sum_dx(out: Array, g: Array, _y: None, _x: None, *, axis: tuple[int, ...], keepdims: bool) -> Rows:
    return spread(out, as_kept(g, axis, keepdims))


def mean_dx(out: Array, g: Array, _y: None, _x: None, *, axis: tuple[int, ...], keepdims: bool) -> Rows:
    return spread(out, as_kept(g, axis, keepdims), count(out.shape, axis))


def norm(out: Array, x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Rows:
    kept = x.ndim - len(axis)
    if sorted(axis) != list(range(kept, x.ndim)):
        return None
    return [Row(do.norm, (out, x), (math.prod(x.shape[:kept]), math.prod(x.shape[kept:])))]


def norm_dx(out: Array, g: Array, y: Array, x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Rows:
    return entry_by_entry(f.norm_dx, out, [as_kept(g, axis, keepdims), as_kept(y, axis, keepdims), x])


def summed_broadcast(out: Array, g: Array, *_unneeded: None, **_params: Any) -> Rows:
    lead = g.ndim - out.ndim
    repeated = [k for k in range(g.ndim) if k < lead or (out.shape[k - lead] == 1 and g.shape[k] != 1)]
    return reduce(out, g, repeated, 1)


def along_rows(instruction: Kernel) -> Lowering:
    """Along the last axis."""

    def rows(out: Array, *args: Array | None, axis: int) -> Rows:
        last = axis % out.ndim == out.ndim - 1
        return [Row(instruction, (out, *(a for a in args if a is not None)), dense.rows(out).shape)] if last else None

    return rows


# Rearrangements.


def transpose(out: Array, x: Array, *, axes: tuple[int, ...]) -> Rows:
    """Two groups of neighbouring axes, exchanged, behind others that stay."""
    stay = next((k for k, axis in enumerate(axes) if k != axis), len(axes))
    first = axes[stay] if stay < len(axes) else stay
    if axes[stay:] != (*range(first, len(axes)), *range(stay, first)):
        return None
    sizes = [math.prod(x.shape[i:j]) for i, j in ((0, stay), (stay, first), (first, x.ndim))]
    return [Row(do.transpose, (out, x), sizes)]


def transpose_dx(out: Array, g: Array, _y: None, _x: None, *, axes: tuple[int, ...]) -> Rows:
    return transpose(out, g, axes=tuple(int(k) for k in np.argsort(axes)))


# Losses: each with the divisor of its scale.

Divisor = Callable[[Array], float]
SCALE: dict[str, Divisor] = {
    "batch": lambda x: batch(x.shape), "size": lambda x: x.size,
    "minus batch": lambda x: -batch(x.shape), "minus size": lambda x: -x.size,
}  # fmt: skip


def loss(formula: Kernel, scale: str = "batch") -> Lowering:
    """Σ of the formula over all entries, divided."""
    return lambda out, *xs: [Row(total(formula), (out, *xs), (xs[0].size,), [SCALE[scale](xs[0])])]


def loss_dx(formula: Kernel, scale: str = "batch") -> Lowering:
    """out ← formula(g / scale, xs)."""

    def rows(out: Array, g: Array, _y: None, *xs: Array | None) -> Rows:
        return weighted(formula, out, g, SCALE[scale](out), [x for x in xs if x is not None])

    return rows


def weighted(formula: Kernel, out: Array, g: Array, divisor: float, xs: Sequence[Array]) -> Rows:
    weight = np.empty((), out.dtype)
    rows = entry_by_entry(formula, out, [weight, *xs])
    return None if rows is None else [*(spread(weight, g.reshape(()), divisor) or ()), *rows]


def mean_activation(z: Array, over: str) -> tuple[Array, Row]:
    """ρ̂, as in `ops/sparsity.py`: an array of its own, (B, 1) or (1, n), and the row that fills it."""
    samples = batch(z.shape)
    shape = (samples, z.size // samples)
    mean = np.empty((samples, 1) if over == "units" else (1, shape[1]), z.dtype)
    n = z.size // mean.size
    return mean, Row(do.sum_columns if over == "units" else do.sum_rows, (mean, z), shape, [n])


def bernoulli_kl(divergences: dict[str, Kernel]) -> Lowering:
    def rows(out: Array, z: Array, *, rho: float, form: str, over: str) -> Rows:
        mean, averaged = mean_activation(z, over)
        divisor = batch(z.shape) if over == "units" else 1
        return [averaged, Row(total(divergences[form]), (out, mean, np.full_like(mean, rho)), (mean.size,), [divisor])]

    return rows


def bernoulli_kl_dz(slopes: dict[str, Kernel]) -> Lowering:
    def rows(out: Array, g: Array, _y: None, z: Array, *, rho: float, form: str, over: str) -> Rows:
        mean, averaged = mean_activation(z, over)
        slope, divisor = np.empty_like(mean), z.size if over == "units" else batch(z.shape)
        of_mean = weighted(slopes[form], slope, g, divisor, [mean, number(rho, mean)])
        whole_matrix = out.reshape(batch(z.shape), -1)
        return [averaged, *(of_mean or ()), *(spread(whole_matrix, slope) or ())]

    return rows
