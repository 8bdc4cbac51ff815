"""A pytest plugin for tests of gradients. Opt-in: `pytest -p autograd_ae.testing.plugin`, or in the root conftest.py

    pytest_plugins = ["autograd_ae.testing.plugin"]

    def test_my_layer(gradcheck, rng):
        W = rng.normal(size=(4, 3))
        gradcheck(lambda W: np.sum(np.tanh(X @ W)), lambda W: X.T @ (1 - np.tanh(X @ W) ** 2), W)

- `rng` is a NumPy generator seeded by `--autograd-ae-seed` (default 0) and the test's own name: a test draws the same
  numbers alone, in any order and in parallel. A failing test shows the seed.
- `gradcheck(f, grad_f, x)` checks a hand-written gradient; `gradcheck(fn, x)` this project's backward pass through a
  function of tensors. A gradient that does not agree fails the test with the report, and the likely mistake. It
  returns the `Check`.
- Kernels are compiled before the first test that uses one of these fixtures, so that no test's time or deadline pays.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd_ae.testing.diagnose import diagnose
from autograd_ae.testing.gradcheck import check_gradient
from autograd_ae.testing.gradcheck import gradcheck as check_tensors
from autograd_ae.testing.verdict import DISAGREES, Check


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--autograd-ae-seed`."""
    group = parser.getgroup("autograd_ae", "gradients")
    group.addoption(
        "--autograd-ae-seed",
        type=_seed,
        default=0,
        metavar="N",
        help="seed of the rng fixture, with each test's name (0)",
    )


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a seed is an integer that is not negative, not {text!r}")
    return int(text)


def seed_of(config: pytest.Config, nodeid: str) -> list[int]:
    """The seed of one test: the option, and a checksum of the test's name (`hash` differs from process to process)."""
    return [config.getoption("--autograd-ae-seed"), zlib.crc32(nodeid.encode())]


@pytest.fixture
def rng(request: pytest.FixtureRequest, autograd_ae_kernels: None) -> np.random.Generator:
    """A generator of this test's own, the same in every run."""
    seed = seed_of(request.config, request.node.nodeid)
    request.node.add_report_section("setup", "autograd_ae", f"rng = np.random.default_rng({seed})")
    return np.random.default_rng(seed)


@pytest.fixture
def gradcheck(autograd_ae_kernels: None) -> Callable[..., Check]:
    """`gradcheck(f, grad_f, x)` or `gradcheck(fn, x)`, with options: fails the test unless the gradient agrees."""

    def check(f: Callable[..., Any], *arguments: Any, **options: Any) -> Check:
        __tracebackhide__ = True
        if len(arguments) not in (1, 2):
            raise TypeError(f"gradcheck takes (f, grad_f, x) or (fn, x), it got {1 + len(arguments)} arguments")
        by_hand = len(arguments) == 2
        result = check_gradient(f, *arguments, **options) if by_hand else check_tensors(f, *arguments, **options)
        if not result:
            report = str(result)
            if by_hand and result.verdict == DISAGREES:
                report += f"\n  diagnosis     {diagnose(f, *arguments)}"
            pytest.fail(report, pytrace=False)
        return result

    return check


@pytest.fixture(scope="session")
def autograd_ae_kernels() -> None:
    """Compile the kernels, once per session."""
    from autograd_ae.core.tensor import Tensor
    from autograd_ae.ops import api as ae

    for dtype in (np.float64, np.float32):
        x = Tensor(np.full((2, 2), 0.5, dtype), name="x")
        for activation in ("sigmoid", "tanh", "relu", "gelu"):
            ae.sum(ae.dense(x, np.eye(2, dtype=dtype), np.zeros(2, dtype), activation=activation)).backward()
        for fn in (ae.sigmoid, ae.softplus, ae.log_sigmoid, ae.gelu, ae.erf, ae.silu):
            ae.sum(fn(x)).backward()
        ae.bce_with_logits(x, np.full((2, 2), 0.5, dtype)).backward()
