"""A tiny program compiled as one function: the same numbers and errors as by the interpreter, found on disk later."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.core.jit import JIT_ENABLED

pytestmark = [
    pytest.mark.timeout(900),  # it is compiled here
    pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off"),
]


def training(compiled):
    W = ae.tensor(np.linspace(-1, 1, 6).reshape(3, 2))
    optimizer = ae.optim.SGD([W.data], learning_rate=0.1)
    x, t = np.random.default_rng(0).normal(size=(4, 3)), np.random.default_rng(1).random((4, 2))
    step = ae.capture(lambda x, t: ae.bce_with_logits(x @ W, t), ae.constant(x), ae.constant(t), optimizer=optimizer)
    if compiled:
        assert step.compile()
    return W, step, x, t


def test_a_program_written_out_trains_as_the_interpreter_does_and_refuses_the_same():
    (V, interpreted, x, t), (W, straight, *_) = training(False), training(True)
    for _ in range(5):
        assert straight(x, t) == pytest.approx(float(interpreted(x, t)), rel=1e-14)
    np.testing.assert_allclose(W.data, V.data, rtol=1e-13)
    before = W.data.copy()
    with pytest.raises(ValueError, match=r"targets in \[0, 1\]"):
        straight(x, t + 1)
    np.testing.assert_array_equal(W.data, before)
    with np.errstate(invalid="ignore"), pytest.raises(FloatingPointError, match="no parameter was changed"):
        straight(x * np.nan, t)
    np.testing.assert_array_equal(W.data, before)
    assert training(False)[1].runtime.straight  # a program of these shapes now finds its code


def test_larger_programs_are_left_to_the_interpreter(rng):
    W = rng.normal(size=(60, 50))
    step = ae.capture(lambda x: ae.sum(ae.square(x @ W)), rng.normal(size=(100, 60)))
    assert not step.compile()
    assert not step.runtime.straight
