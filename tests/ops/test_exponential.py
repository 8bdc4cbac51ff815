"""exp, tanh and ln(1 + e) of kernels against wider arithmetic: units in the last place, edges, NaN."""

import numpy as np
import pytest

from autograd_ae.core.jit import JIT_ENABLED, jit
from autograd_ae.ops import exponential

pytestmark = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")
exp, tanh, log1p_of_unit = exponential.exp, exponential.tanh, exponential.log1p_of_unit


@jit
def exp_loop(out, x):
    for i in range(x.size):
        out[i] = exp(x[i])


@jit
def tanh_loop(out, x):
    for i in range(x.size):
        out[i] = tanh(x[i])


@jit
def log1p_loop(out, x):
    for i in range(x.size):
        out[i] = log1p_of_unit(x[i])


LOOPS = {"exp": exp_loop, "tanh": tanh_loop, "log1p": log1p_loop}
DTYPES = [np.float32, np.float64]


def run(name, x):
    out = np.empty_like(x)
    LOOPS[name](out, x)
    return out


def ulps(got, exact, dtype):
    """|got − exact| in units in the last place of the exact value, subnormal numbers included."""
    with np.errstate(over="ignore"):
        unit = np.spacing(np.abs(exact).astype(dtype)).astype(np.longdouble)
    return np.abs(got.astype(np.longdouble) - exact) / unit


SWEEPS = {  # name → what covers its domain in a dtype, and the most ulps
    "exp": (lambda d: np.linspace(np.log(np.finfo(d).tiny), np.log(np.finfo(d).max) * 0.9999, 200_001), 1.1),
    "tanh": (lambda d: np.concatenate([np.geomspace(np.finfo(d).tiny, 30, 100_001), np.linspace(-3, 3, 100_001)]), 2.0),
    "log1p": (lambda d: np.concatenate([np.geomspace(np.finfo(d).tiny, 1, 100_001), np.linspace(0, 1, 100_001)]), 3.0),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", list(SWEEPS))
def test_it_is_right_to_the_ulps_that_the_docstring_states(name, dtype):
    points, most = SWEEPS[name]
    x = points(dtype).astype(dtype)
    exact = getattr(np, name)(x.astype(np.longdouble))
    assert ulps(run(name, x), exact, dtype).max() <= most


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_is_right_to_one_unit_below_the_normal_numbers_and_0_below_those(dtype):
    lowest = np.log(np.finfo(dtype).smallest_subnormal.astype(np.longdouble))
    x = np.linspace(float(lowest), np.log(np.finfo(dtype).tiny), 20_001).astype(dtype)
    assert ulps(run("exp", x), np.exp(x.astype(np.longdouble)), dtype).max() <= 1.0
    assert run("exp", np.array([-1e4, -np.inf], dtype)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_edges_are_numpys(dtype):
    edges = np.array([-np.inf, -1e30, -0.0, 0.0, 1e30, np.inf, np.nan], dtype)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(run("exp", edges), np.exp(edges))
    np.testing.assert_array_equal(run("tanh", edges), np.tanh(edges))
    np.testing.assert_array_equal(run("log1p", np.array([0, 1, np.nan], dtype))[[0, 2]], [0, np.nan])


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_is_odd_and_exp_rises(dtype, rng):
    x = np.sort(rng.normal(scale=4, size=50_000)).astype(dtype)
    np.testing.assert_array_equal(run("tanh", -x), -run("tanh", x))
    assert (np.diff(run("exp", x)) >= 0).all()
