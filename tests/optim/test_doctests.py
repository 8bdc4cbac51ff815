"""The examples in the docstrings of the optimisers run, and every public name has its lesson."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

from autograd_ae import optim

MODULES = [f"autograd_ae.optim.{module.name}" for module in pkgutil.iter_modules(optim.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_in_a_docstring_is_true(name):
    results = doctest.testmod(importlib.import_module(name), extraglobs={"np": np})
    assert results.failed == 0


@pytest.mark.parametrize("name", sorted(set(optim.__all__) - {"Schedule"}))
def test_every_public_name_has_a_docstring(name):
    assert getattr(optim, name).__doc__
