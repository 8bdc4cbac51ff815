"""Gradients by complex step: the oracle of every gradient rule.

For analytic f and real u,  ∂⟨u, f⟩/∂xᵢ = Im ⟨u, f(x + ih·eᵢ)⟩ / h  with h = 1e-30: no truncation error, no
subtraction, so all digits of float64 (Squire & Trapp 1998). It runs the references only, never a gradient rule or a
kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor, _floats
from autograd_ae.core.transforms import STEP


def complex_step_gradient(
    fn: Callable[..., Tensor], arrays: Sequence[Any], cotangent: Any = None
) -> tuple[np.ndarray, ...]:
    """∂⟨cotangent, fn⟩/∂(each array), entry by entry, in float64. One forward pass per entry: for small arrays.

    Parameters
    ----------
    fn : takes tensors, returns a tensor.
    arrays : float arrays; boolean ones (conditions) are passed on and get a gradient of zeros.
    cotangent : of the shape of fn's output; 1 for a scalar output.

    Raises
    ------
    GraphError : the output is no scalar and no cotangent is given, or one of another shape.

    >>> import autograd_ae as ae
    >>> complex_step_gradient(lambda x: ae.sum(x**3), [np.array([1.0, 2.0])])
    (array([ 3., 12.]),)
    """
    leaves = [
        Tensor(a, traced=False) if getattr(a, "dtype", None) is np.dtype(bool) else Tensor(_floats(a)) for a in arrays
    ]
    output = fn(*leaves)
    program = Program([output], wrt=())
    u = program.cotangent(cotangent)
    gradients = []
    for leaf in leaves:
        gradient = np.zeros(leaf.shape)
        if leaf.traced and id(leaf) in program._place:
            place = program.place(leaf)
            for i in np.ndindex(leaf.shape):
                stepped = leaf.data.astype(complex)
                stepped[i] += 1j * STEP
                y = program.run_complex({place: stepped})[program.outputs[0]]
                gradient[i] = np.sum(u * y.imag) / STEP  # type: ignore[union-attr]
        gradients.append(gradient)
    return tuple(gradients)
