"""What is special to the logistic function; its digits in the tails are in test_tails.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.ops import sigmoid as module
from autograd_ae.ops.sigmoid import sigmoid

finite = st.floats(-1000, 1000)


@given(finite)
def test_the_graph_is_symmetric_about_the_point_0_one_half(x):
    assert sigmoid([x]).data + sigmoid([-x]).data == pytest.approx(1.0, rel=4e-16, abs=0)


@given(finite)
def test_the_gradient_is_even_bit_for_bit(x):
    slope = ae.grad(ae.sum(sigmoid(t := ae.tensor([x, -x]))), t)
    assert slope[0] == slope[1]


@given(finite, finite)
def test_it_does_not_decrease(a, b):
    low, high = sigmoid(sorted([a, b])).data
    assert low <= high


def test_the_gradient_at_37_is_not_rounded_to_zero_with_1_minus_y():
    x = ae.tensor([37.0])
    y = sigmoid(x)
    assert y.data[0] == 1.0
    assert ae.grad(ae.sum(y), x)[0] == pytest.approx(np.exp(-37.0), rel=1e-15, abs=0)


def test_infinities_give_the_limits_and_nan_gives_nan():
    x = ae.tensor([-np.inf, np.inf, np.nan])
    y = sigmoid(x)
    np.testing.assert_array_equal(y.data, [0.0, 1.0, np.nan])
    np.testing.assert_array_equal(ae.grad(ae.sum(y), x), [0.0, 0.0, np.nan])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_kernels_and_numpy_forms_agree_to_2_ulp(rng, dtype):
    x = (30 * rng.normal(size=1000)).astype(dtype)
    g = rng.normal(size=1000).astype(dtype)
    compiled, plain = np.empty_like(x), np.empty_like(x)
    module.forward(compiled, x)
    np.testing.assert_allclose(compiled, module.reference(x), rtol=2 * np.finfo(dtype).eps)
    module.dx_compiled(compiled, g, None, x)
    module.dx.fn(plain, g, None, x)
    np.testing.assert_allclose(compiled, plain, rtol=4 * np.finfo(dtype).eps)
