"""Small dense layers, samples in lanes: any sizes, any batch, both dtypes, the numbers of the replayed program."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.runtime import lanes, small

pytestmark = pytest.mark.timeout(900)  # with an empty cache some kernels are compiled
needs_kernels = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")
ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu")


@st.composite
def networks(draw):
    """Layers, a batch, and whether its gradient is wanted."""
    sizes = draw(st.lists(st.integers(1, 19), min_size=2, max_size=5))
    kinds = draw(st.lists(st.sampled_from(ACTIVATIONS), min_size=len(sizes) - 1, max_size=len(sizes) - 1))
    rng, dtype = np.random.default_rng(draw(st.integers(0, 99))), draw(st.sampled_from([np.float32, np.float64]))
    net = ae.nn.MLP.create(sizes, kinds, rng=rng, dtype=dtype)
    x = rng.normal(size=(draw(st.integers(1, 70)), sizes[0])).astype(dtype)
    return net, x, rng.normal(size=(len(x), sizes[-1])).astype(dtype), draw(st.booleans())


def results(net, x, target, traced, runtime):
    """Value and gradients."""
    step = ae.capture(
        lambda x, t: ae.squared_error(net(x), t), x if traced else ae.constant(x), ae.constant(target), runtime=runtime
    )
    return step, [step(x, target), *step.gradients.values()]


@given(networks())
@settings(max_examples=60)
def test_values_and_gradients_are_those_of_the_replayed_lines(network):
    (_, fast), (_, exact) = (results(*network, runtime) for runtime in ("compiled", "replay"))
    for a, b in zip(fast, exact, strict=True):
        scale = max(float(np.abs(b).max()), 1e-30)
        np.testing.assert_allclose(a, b, rtol=0, atol=200 * np.finfo(b.dtype).eps * scale)


def circle(dtype=np.float32, batch=32):
    net = ae.nn.MLP.create((2, 8, 1, 8, 2), ("sigmoid",) * 4, rng=np.random.default_rng(0), dtype=dtype)
    return net, np.random.default_rng(1).random((batch, 2)).astype(dtype)


@needs_kernels
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_of_a_few_units_runs_in_lanes_and_a_larger_one_does_not(dtype):
    net, x = circle(dtype)
    step, _ = results(net, x, x, False, "compiled")
    assert [row.instruction for row in step.runtime._rows].count(lanes.lanes_gradient) == 4
    wide = ae.nn.MLP.create((40, 40), ("sigmoid",), rng=np.random.default_rng(0), dtype=dtype)
    x = np.ones((4, 40), dtype)
    step, _ = results(wide, x, x, False, "compiled")
    assert lanes.lanes_forward not in [row.instruction for row in step.runtime._rows]


@pytest.mark.parametrize("name", ["W", "b"])
def test_a_parameter_given_a_new_array_in_any_order_is_seen(name):
    net, x = circle(np.float64)
    step, (before, *_) = results(net, x, x, False, "compiled")
    parameter = getattr(net.layers[1], name)
    parameter.data = np.asfortranarray(parameter.data * 2.0)
    _, (expected, *gradients) = results(net, x, x, False, "replay")
    assert step(x, x) == pytest.approx(float(expected), rel=1e-13) != pytest.approx(float(before))
    for a, b in zip(step.gradients.values(), gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-14)


def test_a_value_in_the_middle_that_is_an_output_too_comes_out_right():
    net, x = circle(np.float64)

    def loss(x):
        code = net.layers[1](net.layers[0](x))
        return ae.squared_error(net.layers[3](net.layers[2](code)), x), code

    values = [ae.capture(loss, ae.constant(x), runtime=runtime)(x) for runtime in ("compiled", "replay")]
    for a, b in zip(*values, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


@needs_kernels
def test_pads_and_what_was_there_before_do_not_matter(monkeypatch):
    """A batch of NaN leaves no trace in the next one, whatever its size."""
    net, x = circle(batch=13)
    step = ae.capture(lambda x: ae.squared_error(net(x), x), ae.constant(x))
    clean, gradients = step(x), [g.copy() for g in step.gradients.values()]
    with np.errstate(invalid="ignore"):
        assert np.isnan(step(np.full_like(x, np.nan)))
    assert step(x) == clean
    for a, b in zip(step.gradients.values(), gradients, strict=True):
        np.testing.assert_array_equal(a, b)
    monkeypatch.setattr(small, "MOST_WORK", 0)
    plain = ae.capture(lambda x: ae.squared_error(net(x), x), ae.constant(x))
    assert plain(x) == pytest.approx(float(clean), rel=1e-5)
