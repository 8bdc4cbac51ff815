"""Gradient rules run in complex arithmetic as they stand: that is where Hessian–vector products come from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.testing.specs.elementwise import SPECS as ELEMENTWISE
from autograd_ae.testing.specs.losses import SPECS as LOSSES

SPECS = {spec.name: spec for spec in (*ELEMENTWISE, *LOSSES) if spec.differentiable}
H = 1e-30


def program_of(spec, arrays, params):
    leaves = [Tensor(np.array(a), traced=a.dtype != bool) for a in arrays]
    output = spec.call(*leaves, **params)
    return Program([output], wrt=[t for t in leaves if t.traced]), leaves


def along(spec, arrays, params, cotangent, directions, h):
    """The gradients of ⟨cotangent, op⟩ at arrays + h · directions, by the rules on real numbers."""
    moved = [a if a.dtype == bool else a + h * v for a, v in zip(arrays, directions, strict=True)]
    return program_of(spec, moved, params)[0].run_once(cotangent)


@pytest.mark.parametrize("name", list(SPECS))
@given(data=st.data())
def test_the_derivative_of_every_rule_by_complex_step_is_its_richardson_difference(name, data):
    spec, seed = SPECS[name], data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    arrays, params = spec.draw(lambda low, high: data.draw(st.integers(low, high)), rng)
    arrays = [np.asarray(a) for a in arrays]
    directions = [rng.normal(size=a.shape) for a in arrays]
    program, leaves = program_of(spec, arrays, params)
    u = rng.normal(size=program.values[program.outputs[0]].shape)
    steps = {
        program.place(t): t.data + 1j * H * v for t, v in zip(leaves, directions, strict=True) if t.traced
    }  # fmt: skip
    env = program.run_complex(steps, cotangent=u, backward=True)
    wide, narrow = (
        [
            (p - m) / (2 * h)
            for p, m in zip(*[along(spec, arrays, params, u, directions, s * h) for s in (1, -1)], strict=True)
        ]
        for h in (2e-4, 1e-4)
    )
    for place, gradient, d2, d1 in zip(program.wrt, program.run_once(u), wide, narrow, strict=True):
        complex_gradient = env[program.gradients[place]]
        difference = (4 * d1 - d2) / 3
        if gradient.size:
            scale = np.abs(gradient).max()
            assert np.abs(complex_gradient.real - gradient).max() <= 1e-12 * scale
            assert np.abs(complex_gradient.imag / H - difference).max() <= 1e-8 * max(scale, np.abs(difference).max())
