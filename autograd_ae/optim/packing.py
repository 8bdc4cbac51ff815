"""Between a list of arrays and one flat float64 vector; and L-BFGS on a list of arrays, in place.

>>> W, b = np.eye(2), np.zeros(2)
>>> x = pack([W, b]); x
array([1., 0., 0., 1., 0., 0.])
>>> unpack(x + 1, [W, b]); b
array([1., 1.])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd_ae.optim.checks import Array, array_list, check_in_place, check_parameters
from autograd_ae.optim.lbfgs import Run
from autograd_ae.optim.lbfgs_types import VALUE_NOISE, Callback, LBFGSResult, Settings


def pack(arrays: Iterable[Array]) -> Array:
    """The entries of float32 or float64 arrays, one after another in C order, as a new float64 vector."""
    parts = array_list("arrays", arrays)
    vector = np.empty(sum(a.size for a in parts))
    _copy(parts, vector, to_vector=True)
    return vector


def unpack(vector: Array, arrays: Iterable[Array]) -> None:
    """Write a vector made by `pack` back into the arrays, in place; float32 arrays are rounded to."""
    parts = array_list("arrays", arrays)
    check_in_place("arrays", parts)
    size = sum(a.size for a in parts)
    if np.shape(vector) != (size,):
        raise ValueError(f"the arrays have {size} entries but the vector has shape {np.shape(vector)}")
    _copy(parts, vector, to_vector=False)


def lbfgs_in_place(
    value_and_grad: Callable[..., tuple[Any, Sequence[Array]]],
    arrays: Iterable[Array],
    *,
    history: int = 10,
    max_iter: int = 1000,
    tol_gradient: float = 1e-8,
    tol_change: float = 1e-12,
    c1: float = 1e-4,
    c2: float = 0.9,
    value_noise: float | None = None,
    callback: Callback | None = None,
) -> LBFGSResult:
    """`lbfgs` over a list of arrays, which hold the best point afterwards, also if the function or Ctrl-C raises.

    `value_and_grad(*arrays)` is called with the very arrays, set to the trial point, and returns a number and one
    gradient for each array.  `value_noise` is by default 3.6e-15, or 4.8e-7 if any array is float32.  Everything
    else is as in `lbfgs`; `result.x` is the packed vector.

    >>> W, b = np.ones((2, 2)), np.ones(2)
    >>> lbfgs_in_place(lambda W, b: (np.sum(W**2) + np.sum((b - 1) ** 2), [2 * W, 2 * (b - 1)]), [W, b]).converged
    True
    >>> W.round(6), b.round(6)
    (array([[0., 0.],
           [0., 0.]]), array([1., 1.]))
    """
    parts = check_parameters(arrays, "arrays")
    single = any(a.dtype == np.float32 for a in parts)
    noise = value_noise if value_noise is not None else 4 * float(np.finfo(np.float32).eps) if single else VALUE_NOISE
    settings = Settings(
        history=history,
        max_iter=max_iter,
        tol_gradient=tol_gradient,
        tol_change=tol_change,
        c1=c1,
        c2=c2,
        value_noise=noise,
        callback=callback,
    )
    best = pack(parts)
    packed = np.empty_like(best)

    def flat_value_and_grad(x: Array) -> tuple[Any, Array]:
        _copy(parts, x, to_vector=False)
        value, grads = value_and_grad(*parts)
        _copy(_check_gradients(grads, parts), packed, to_vector=True)
        return value, packed

    run: Run | None = None
    try:
        run = Run(flat_value_and_grad, best, settings)
        run.minimise()
    finally:
        _copy(parts, best if run is None else run.point.x, to_vector=False)
    return run.result()


def _copy(arrays: Sequence[Array], vector: Array, *, to_vector: bool) -> None:
    start = 0
    for a in arrays:
        part = vector[start : start + a.size].reshape(a.shape)
        np.copyto(part, a) if to_vector else np.copyto(a, part, casting="same_kind")
        start += a.size


def _check_gradients(grads: Sequence[Array], arrays: Sequence[Array]) -> list[Array]:
    checked = array_list("the gradients", grads, scalars=True)
    if [g.shape for g in checked] != [a.shape for a in arrays]:
        raise ValueError(
            f"value_and_grad returned gradients of shapes {[g.shape for g in checked]}; "
            f"the arrays have {[a.shape for a in arrays]}"
        )
    return checked
