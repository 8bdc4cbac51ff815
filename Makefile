# Every target makes what it needs: a virtual environment in .venv, one stamp file for each set of extras.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo test test-slow test-nojit lint types faults theorems bench notebooks docs clean

help:
	@echo "make demo        run the chapter on the embedded digits and write a report"
	@echo "make test        the test suite"
	@echo "make test-slow   the longer tests, which 'make test' leaves out, and more examples for its laws"
	@echo "make test-nojit  the engine's tests with NUMBA_DISABLE_JIT=1"
	@echo "make lint        ruff"
	@echo "make types       mypy"
	@echo "make faults      plant mistakes in every gradient rule, and see that the laws catch them"
	@echo "make theorems    train a model for each closed form: error, tolerance, verdict"
	@echo "make bench       the benchmarks, against the peers that are installed"
	@echo "make notebooks   execute the notebooks in place"
	@echo "make docs        the API reference and a page per op, in site/"
	@echo "make clean       remove the environment, caches and runs"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.stamp-run: $(VENV)/bin/python pyproject.toml
	$(INSTALL) -e .
	@touch $@

$(VENV)/.stamp-test: $(VENV)/.stamp-run
	$(INSTALL) -e ".[test]"
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-test
	$(INSTALL) -e ".[test,dev]"
	@touch $@

demo: $(VENV)/.stamp-run
	$(BIN)/python -m autograd_ae demo

test: $(VENV)/.stamp-test
	$(BIN)/python -m pytest -q -n auto -m "not slow"

test-slow: $(VENV)/.stamp-test
	$(BIN)/python -m pytest -q -m "slow or hypothesis" --hypothesis-profile=thorough --timeout=1800

test-nojit: $(VENV)/.stamp-test
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -m "not slow" tests/core tests/ops tests/nn

lint: $(VENV)/.stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.stamp-dev
	$(BIN)/mypy

faults: $(VENV)/.stamp-run
	$(BIN)/python -m autograd_ae check --faults

theorems: $(VENV)/.stamp-run
	$(BIN)/python -m autograd_ae theorems

bench: $(VENV)/.stamp-run
	$(BIN)/python -m benchmarks --json bench.json --plot bench.png

notebooks: $(VENV)/.stamp-dev
	$(BIN)/python -m notebooks

docs: $(VENV)/.stamp-dev
	$(BIN)/python .ci/docs

clean:
	rm -rf $(VENV) runs site bench.json bench.png build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
