"""The examples in the docstrings of the theory run, and every public function has one."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import autograd_ae.theory as theory

MODULES = [f"autograd_ae.theory.{m.name}" for m in pkgutil.iter_modules(theory.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_in_a_docstring_is_true(name):
    module = importlib.import_module(name)
    results = doctest.testmod(module, extraglobs={"np": np})
    assert results.failed == 0


@pytest.mark.parametrize("name", theory.__all__)
def test_every_public_function_states_its_law_and_shows_one_example(name):
    thing = getattr(theory, name)
    assert thing.__doc__
    assert isinstance(thing, type) or ">>>" in thing.__doc__


def test_the_theory_imports_nothing_but_numpy_and_itself():
    allowed = {"numpy", "dataclasses", "typing", "collections", "numbers", "__future__"}
    for name in MODULES:
        source = importlib.import_module(name).__spec__.loader.get_source(name)
        imports = [line.split()[1] for line in source.splitlines() if line.startswith(("import ", "from "))]
        assert all((i.startswith(".") and not i.startswith("..")) or i.split(".")[0] in allowed for i in imports)
