"""Which rule is at fault: each pullback of a recording against complex step through its own reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_ae.core.op import Node, runnable, source_line, wengert_list
from autograd_ae.core.tensor import Tensor
from autograd_ae.core.transforms import STEP


def faulty_rule(func: Callable[..., Tensor], xs: list[np.ndarray], *, directions: int = 3) -> str:
    """`op.rule, recorded at file:line`, of the first rule that disagrees, from the output backwards.

    Empty if each rule is right by itself.
    """
    rng = np.random.default_rng(0)
    for node in reversed(wengert_list([func(*[Tensor(x) for x in xs])])):
        for k, t in enumerate(node.inputs):
            if t.traced and node.op.rule(k) is not None and _is_wrong(node, k, rng, directions):
                return f"{node.op.name}.{node.op.rule_name(k)}, recorded at {source_line(node.where)}"
    return ""


def _is_wrong(node: Node, k: int, rng: np.random.Generator, directions: int) -> bool:
    """Does ⟨v, pullback(u)⟩ differ from ⟨u, J v⟩ along random v?"""
    op, arrays = node.op, [t.data for t in node.inputs]
    u = rng.normal(size=node.value.shape).astype(node.value.dtype)
    g: Any = u
    if op.delta is not None:
        g = np.empty_like(node.value)
        runnable(op.delta)(g, u, node.value, *arrays, **node.params)
    shape = node.value.shape if op.broadcasts else arrays[k].shape
    out = np.empty(shape, arrays[k].dtype)
    params = {**node.params, "wrt": k} if op.variadic else node.params
    runnable(op.rule(k))(out, g, node.value, *arrays, **params)  # type: ignore[arg-type]
    for _ in range(directions):
        v = rng.normal(size=arrays[k].shape)
        stepped: list[Any] = [a if a.dtype == bool else a.astype(complex) for a in arrays]
        stepped[k] = arrays[k] + 1j * STEP * v
        with np.errstate(all="ignore"):
            Jv = np.broadcast_to(np.asarray(op.reference(*stepped, **node.params)), node.value.shape).imag / STEP
        left, right = np.sum(out * np.broadcast_to(v, shape)), np.sum(u * Jv)
        if abs(left - right) > 1e4 * np.finfo(arrays[k].dtype).eps * (np.abs(out * v).sum() + np.abs(u * Jv).sum()):
            return True
    return False
