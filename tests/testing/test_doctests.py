"""The examples in the docstrings of the checker run."""

import doctest
import importlib

import numpy as np
import pytest

MODULES = ("gradcheck", "verdict", "noise", "differences", "diagnose", "complex_step")


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name):
    module = importlib.import_module(f"autograd_ae.testing.{name}")
    result = doctest.testmod(module, extraglobs={"np": np})
    assert result.attempted > 0
    assert result.failed == 0
