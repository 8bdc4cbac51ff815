"""Small stand-ins for the digits, and figures that are closed by nobody because nothing keeps them open."""

import numpy as np
import pytest

from autograd_ae.data import Dataset, Images, load_digits


@pytest.fixture(scope="session")
def few():
    """Some real digits: 400 to train on, 100 to test."""
    digits = load_digits()
    return Dataset("few digits", digits.train.take(slice(400)), digits.test.take(slice(100)), "a notice")


@pytest.fixture(scope="session")
def tiny():
    """Images of no meaning, for experiments that do not look at them."""
    rng = np.random.default_rng(0)
    part = Images(rng.integers(0, 256, (20, 784), dtype=np.uint8), np.arange(20) % 10)
    return Dataset("tiny", part, part)
