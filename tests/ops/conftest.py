"""What every op test does with a row of the table of ops."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import strategies as st

from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.testing.complex_step import complex_step_gradient

LAYOUTS = {
    "C": lambda a: a,
    "Fortran": lambda a: np.asarray(a, order="F"),
    "negative stride": lambda a: a[::-1].copy()[::-1] if a.ndim else a,
    "read-only": lambda a: _read_only(a),
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
}


def _read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


@st.composite
def cases(draw, spec):
    """Arrays, parameters and a random cotangent's seed for one op; everything that shrinks, shrinks."""
    seed = draw(st.integers(0, 2**32 - 1))
    arrays, params = spec.draw(lambda low, high: draw(st.integers(low, high)), np.random.default_rng(seed))
    layout = LAYOUTS[draw(st.sampled_from(list(LAYOUTS)))]
    return [layout(a) for a in arrays], params, seed


def leaves_of(arrays):
    return [Tensor(np.asarray(a, order="C"), traced=a.dtype != bool) for a in arrays]


def engine_gradients(spec, arrays, params, cotangent_of):
    leaves = leaves_of(arrays)
    output = spec.call(*leaves, **params)
    u = cotangent_of(output.shape)
    traced = [t for t in leaves if t.traced]
    return output, u, Program([output], wrt=traced).run_once(u)


def worst_relative_error(spec, arrays, params, seed):
    """Largest |engine − complex step| of any gradient, relative to that gradient's largest entry."""
    u_of = lambda shape: np.random.default_rng([seed, 1]).normal(size=shape)  # noqa: E731
    _, u, gradients = engine_gradients(spec, arrays, params, u_of)
    every = complex_step_gradient(lambda *ts: spec.call(*ts, **params), arrays, u)
    oracle = [o for o, a in zip(every, arrays, strict=True) if a.dtype != bool]
    worst = 0.0
    for gradient, true in zip(gradients, oracle, strict=True):
        assert gradient.shape == true.shape
        if true.size:
            scale = np.abs(true).max()
            error = np.abs(gradient - true).max()
            worst = max(worst, error / scale if scale > 0 else np.inf if error > 0 else 0.0)
    return worst


@pytest.fixture(scope="session")
def op_tools():
    """The functions above: test modules cannot import each other."""
    return SimpleNamespace(
        cases=cases, engine_gradients=engine_gradients, leaves_of=leaves_of, worst_relative_error=worst_relative_error
    )
