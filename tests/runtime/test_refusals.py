"""What `ae.capture` refuses, and in which words."""

import numpy as np
import pytest

import autograd_ae as ae

W = ae.tensor(np.ones((3, 2)), name="W")
X = np.ones((4, 3))


def scalar(x):
    return ae.sum(ae.matmul(x, W))


def vector(x):
    return ae.sum(ae.matmul(x, W), axis=0)


@pytest.mark.parametrize("runtime", ["compiled", "replay"])
def test_an_optimizer_needs_a_scalar_to_follow(runtime):
    adam = ae.optim.Adam([W.data], learning_rate=0.1)
    with pytest.raises(ae.CaptureError, match=r"output has shape \(2,\)\. Reduce it"):
        ae.capture(vector, ae.constant(X), optimizer=adam, runtime=runtime)


@pytest.mark.parametrize("optimizer", ["adam", ae.optim.Adam, 0.1])
def test_what_is_no_optimizer_is_refused(optimizer):
    with pytest.raises(TypeError, match=r"an optimiser of the parameters' arrays is needed, such as ae\.optim\.Adam"):
        ae.capture(scalar, ae.constant(X), optimizer=optimizer)


@pytest.mark.parametrize("threads", [0, -1, 1.5, "two", True])
def test_a_number_of_threads_that_cannot_be_is_refused(threads):
    with pytest.raises(ValueError, match="a whole number from 1 is needed"):
        ae.capture(scalar, ae.constant(X), threads=threads)
