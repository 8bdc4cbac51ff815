"""Laws that right gradients obey, as assertions: no finite differences, and no number to compare with but the law's
other side.

| law | what it catches |
|---|---|
| `assert_adjoint` | ⟨J v, u⟩ = ⟨v, Jᵀu⟩: any wrong, transposed or dropped rule |
| `assert_vjp_linear` | a rule that is not linear in the upstream gradient, or keeps state |
| `assert_hessian_symmetric` | a gradient that is no function's gradient |
| `assert_batch_gradient_is_mean` | a sum for a mean, samples that mix |
| `assert_permutation_equivariant` | rows or units out of order |
| `assert_rotation_equivariant` | a first layer's gradient in a wrong basis |
| `assert_balance_linear`, `assert_balance_relu` | layers whose gradients do not belong together |
| `assert_sigmoid_flip` | a wrong σ′, a wrong bias |
| `assert_replay_is_eager`, `assert_deterministic` | stale or random state; bit for bit |
| `assert_dtype_kept`, `assert_memory_not_shared`, `assert_inputs_untouched` | the commonest slips of an engine |

Laws of a function take `fn(*tensors) -> tensor` and arrays. Laws of a network take `loss(*batch) -> scalar tensor`,
the parameters it uses (tensors, moved and put back where a law asks for it), and X with samples in rows, or a tuple of
arrays (X, targets, …).

A failure is an AssertionError that names the argument or parameter, the index, both values and their relative error.
Tolerances are rounding and nothing else: measured at the point in question by Monte Carlo arithmetic (see
`laws_report.py`), free of scale. None of these laws is enough alone: a wrong rule that is linear passes
`assert_vjp_linear`, and 1.01 times every gradient passes all identities of networks. Only `assert_adjoint` and a
gradient check judge the size.

>>> import numpy as np
>>> from autograd_ae.ops.api import exp
>>> assert_adjoint(lambda x: exp(x * x), [np.array([0.5, -1.0])], np.random.default_rng(0))
"""

from autograd_ae.testing.laws_calculus import (
    assert_adjoint,
    assert_deterministic,
    assert_dtype_kept,
    assert_hessian_symmetric,
    assert_inputs_untouched,
    assert_memory_not_shared,
    assert_replay_is_eager,
    assert_vjp_linear,
)
from autograd_ae.testing.laws_networks import (
    assert_balance_linear,
    assert_balance_relu,
    assert_batch_gradient_is_mean,
    assert_permutation_equivariant,
    assert_rotation_equivariant,
    assert_sigmoid_flip,
)

__all__ = [
    "assert_adjoint", "assert_balance_linear", "assert_balance_relu", "assert_batch_gradient_is_mean",
    "assert_deterministic", "assert_dtype_kept", "assert_hessian_symmetric", "assert_inputs_untouched",
    "assert_memory_not_shared", "assert_permutation_equivariant", "assert_replay_is_eager",
    "assert_rotation_equivariant", "assert_sigmoid_flip", "assert_vjp_linear",
]  # fmt: skip
