"""Hypothesis strategies for code that takes gradients: arrays, ops, whole programs, networks, models.

    from hypothesis import given
    from autograd_ae.testing import strategies as aes

    @given(aes.programs(max_ops=5))
    def test_my_transform(program):            # program(*tensors) -> tensor;  program.arrays
        ...

| strategy | draws |
|---|---|
| `shapes`, `broadcastable_shapes(n)` | from () over size-1 axes to empty |
| `arrays`, `tensors` | either dtype, every memory layout, away from kinks on request |
| `op_cases(name)` | a row of the table of ops: arrays in its domain, parameters, a cotangent |
| `programs(max_ops)` | a straight-line program over all differentiable ops, with fan-out |
| `mlps` | dense layers with a batch and a loss |
| `autoencoder_configs` | keyword arguments that `ae.LinearPCA` or `ae.Autoencoder` accepts, with data |

What shrinks: shapes, parameters, layouts and the entries of `arrays` each towards the simplest, programs towards few
lines. Bulk values (inputs of programs, weights) come from a seed, which keeps a failing example small to draw and to
print; the seed is drawn too. Source: MacIver & Donaldson 2020, "Test-case reduction via test-case generation".
"""

from autograd_ae.testing.strategies_arrays import LAYOUTS, VALUES, arrays, broadcastable_shapes, shapes, tensors
from autograd_ae.testing.strategies_models import AutoencoderConfig, RandomMLP, autoencoder_configs, mlps
from autograd_ae.testing.strategies_programs import OpCase, StraightLine, op_cases, programs

__all__ = [
    "LAYOUTS", "VALUES", "AutoencoderConfig", "OpCase", "RandomMLP", "StraightLine", "arrays", "autoencoder_configs",
    "broadcastable_shapes", "mlps", "op_cases", "programs", "shapes", "tensors",
]  # fmt: skip
