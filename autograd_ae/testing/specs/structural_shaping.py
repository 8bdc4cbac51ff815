"""Shaping, joining and cutting: axes of either sign, sizes 0 and 1, 0-d tensors."""

import math

from autograd_ae.ops import joining, shaping
from autograd_ae.testing.specs.spec import OpSpec, Pick, any_shape
from autograd_ae.testing.specs.structural_reductions import signed, some_axes


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def reshape_case(pick: Pick):
    """The same entries in two axes, with or without -1; empty shapes to another empty one."""
    shape = any_shape(pick)
    size = math.prod(shape)
    if size == 0:
        return (shape,), {"shape": (0, pick(0, 3)) if pick(0, 1) else (3, -1)}
    choices = divisors(size)
    first = choices[pick(0, len(choices) - 1)]
    targets = [(first, size // first), (first, -1), (-1, first), -1, (1, first, 1, -1)]
    return (shape,), {"shape": targets[pick(0, len(targets) - 1)]}


def transpose_case(pick: Pick):
    shape = any_shape(pick)
    if pick(0, 2) == 0:
        return (shape,), {}
    left = list(range(len(shape)))
    order = [left.pop(pick(0, len(left) - 1)) for _ in shape]
    return (shape,), {"axes": tuple(signed(pick, k, len(shape)) for k in order)}


def swapaxes_case(pick: Pick):
    shape = (*any_shape(pick), pick(0, 4))
    return (shape,), {name: signed(pick, pick(0, len(shape) - 1), len(shape)) for name in ("axis1", "axis2")}


def expand_dims_case(pick: Pick):
    shape = any_shape(pick)
    if pick(0, 1):
        return (shape,), {"axis": signed(pick, pick(0, len(shape)), len(shape) + 1)}
    return (shape,), {"axis": (0, -1)}


def squeeze_case(pick: Pick):
    shape = tuple(1 if pick(0, 1) else n for n in any_shape(pick))
    ones = [k for k, n in enumerate(shape) if n == 1]
    if not ones or pick(0, 1):
        return (shape,), {}
    axis = signed(pick, ones[pick(0, len(ones) - 1)], len(shape))
    return (shape,), {"axis": axis if pick(0, 1) else (axis,)}


def flip_case(pick: Pick):
    shape = any_shape(pick)
    return (shape,), {"axis": some_axes(pick, len(shape))}


def broadcast_to_case(pick: Pick):
    target = any_shape(pick)
    shape = tuple(1 if pick(0, 1) else n for n in target[pick(0, len(target)) :])
    return (shape,), {"shape": target}


def pad_case(pick: Pick):
    shape = (*any_shape(pick), pick(0, 4))
    pairs = tuple((pick(0, 2), pick(0, 2)) for _ in shape)
    widths = [pick(0, 2), (pick(0, 2), pick(0, 2)), pairs, ((1, 2),)]
    return (shape,), {"pad_width": widths[pick(0, 3)], "constant_values": float(pick(-1, 1))}


def concatenate_case(pick: Pick):
    if pick(0, 3) == 0:
        return tuple(any_shape(pick) for _ in range(pick(1, 3))), {"axis": None}
    shape = (*any_shape(pick), pick(0, 4))
    axis = pick(0, len(shape) - 1)
    shapes = tuple((*shape[:axis], pick(0, 3), *shape[axis + 1 :]) for _ in range(pick(1, 4)))
    return shapes, {"axis": signed(pick, axis, len(shape))}


def stack_case(pick: Pick):
    shape = any_shape(pick)
    return (shape,) * pick(1, 4), {"axis": signed(pick, pick(0, len(shape)), len(shape) + 1)}


def split_case(pick: Pick):
    axis = pick(0, 2)
    parts = pick(1, 3)
    shape = [pick(0, 3) for _ in range(axis + 1)]
    if pick(0, 1):
        shape[axis] *= parts
        return (tuple(shape),), {"cuts": parts, "axis": signed(pick, axis, axis + 1)}
    return (tuple(shape),), {"cuts": [pick(0, 3), pick(0, 3)], "axis": axis}


SPECS = [
    OpSpec("reshape", shaping.reshape, reshape_case),
    OpSpec("transpose", shaping.transpose, transpose_case),
    OpSpec("swapaxes", shaping.swapaxes, swapaxes_case, ops=("transpose",)),
    OpSpec("expand_dims", shaping.expand_dims, expand_dims_case, ops=("reshape",)),
    OpSpec("squeeze", shaping.squeeze, squeeze_case, ops=("reshape",)),
    OpSpec("flip", shaping.flip, flip_case),
    OpSpec("broadcast_to", shaping.broadcast_to, broadcast_to_case),
    OpSpec("pad", joining.pad, pad_case),
    OpSpec("concatenate", lambda *xs, axis: joining.concatenate(xs, axis), concatenate_case),
    OpSpec("stack", lambda *xs, axis: joining.stack(xs, axis), stack_case),
    OpSpec(
        "split",
        lambda x, cuts, axis: joining.concatenate(joining.split(x, cuts, axis)[::-1], axis),
        split_case,
        ops=("getitem",),
    ),
]
