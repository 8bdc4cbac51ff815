"""autograd_ae.data as a whole: cheap to import, complete, with examples that run."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import autograd_ae.data as data

MODULES = [module.name for module in pkgutil.walk_packages(data.__path__, "autograd_ae.data.")]


def test_importing_data_loads_nothing_that_is_not_needed_yet():
    code = "import sys, numpy, autograd_ae; old = {*sys.modules}; import autograd_ae.data; print(*{*sys.modules} - old)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {*run.stdout.split()}
    assert "autograd_ae.data.synthetic" in loaded
    lazy = {"numba", "matplotlib", "tqdm", "sklearn", "pooch", "gzip", "hashlib", "zipfile", "pathlib", "numpy.random"}
    assert not loaded & lazy


def test_every_public_name_exists_and_is_documented():
    assert sorted(data.__all__) == data.__all__
    for name in data.__all__:
        assert getattr(data, name).__doc__


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_every_function_that_draws_or_reads_has_an_example():
    examples = {
        test.name
        for name in MODULES
        for test in doctest.DocTestFinder().find(importlib.import_module(name))
        if test.examples
    }
    shown = {example.rpartition(".")[2] for example in examples}
    assert {*data.__all__} - shown <= {
        "DataError",
        "Dataset",
        "cache_dir",
        "write_idx",
        "load_mnist",
        "load_fashion_mnist",
    }  # shown in read_idx, or in need of files
