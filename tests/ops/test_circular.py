"""sin and cos of kernels against wider arithmetic: units in the last place, edges, and what is out of reach."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.core.jit import JIT_ENABLED, jit
from autograd_ae.ops import circular

needs_kernels = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")
sin, cos = circular.sin, circular.cos
DTYPES = [np.float32, np.float64]


@jit
def sin_loop(out, x):
    for i in range(x.size):
        out[i] = sin(x[i])


@jit
def cos_loop(out, x):
    for i in range(x.size):
        out[i] = cos(x[i])


LOOPS = {"sin": sin_loop, "cos": cos_loop}


def run(name, x):
    out = np.empty_like(x)
    LOOPS[name](out, x)
    return out


def points(dtype):
    """Small and large, and the numbers next to multiples of a quarter of the circle, where most digits cancel."""
    quarters = (np.arange(1, 63_000, 7) * (np.pi / 2)).astype(dtype)
    near = [quarters, np.nextafter(quarters, dtype(0)), np.nextafter(quarters, dtype(np.inf))]
    wide = [np.geomspace(1e-30, circular.REACH, 50_001), np.linspace(-20, 20, 50_001)]
    return np.concatenate([*near, *(w.astype(dtype) for w in wide)])


@needs_kernels
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", list(LOOPS))
def test_it_is_right_to_the_ulps_that_the_docstring_states(name, dtype):
    x = points(dtype)
    exact = getattr(np, name)(x.astype(np.longdouble))
    unit = np.spacing(np.abs(exact).astype(dtype)).astype(np.longdouble)
    assert (np.abs(run(name, x).astype(np.longdouble) - exact) / unit).max() <= 2


@needs_kernels
@pytest.mark.parametrize("dtype", DTYPES)
def test_sin_is_odd_and_cos_even_and_zeros_keep_their_sign(dtype, rng):
    x = rng.normal(scale=9, size=10_000).astype(dtype)
    np.testing.assert_array_equal(run("sin", -x), -run("sin", x))
    np.testing.assert_array_equal(run("cos", -x), run("cos", x))
    zeros = np.array([-0.0, 0.0], dtype)
    assert np.signbit(run("sin", zeros)).tolist() == [True, False]
    assert run("cos", zeros).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("far", [1e6, -1e20, np.inf, np.nan])
def test_what_is_out_of_reach_a_program_leaves_to_numpy(far):
    def loss(x):
        return ae.sum(ae.sin(x) * ae.cos(x))

    x = np.array([0.5, far, -3.0])
    results = []
    with np.errstate(invalid="ignore"):
        for runtime in ("compiled", "replay"):
            step = ae.capture(loss, np.array([0.1, 0.2, 0.3]), runtime=runtime)
            results.append([step(x), *step.gradients[0]])
    np.testing.assert_allclose(*results, rtol=1e-14)
