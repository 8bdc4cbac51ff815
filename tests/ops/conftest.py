"""What the op tests share: test modules cannot import each other."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import strategies as st

from autograd_ae.core.tensor import Tensor
from autograd_ae.testing import strategies


def cases(spec):
    """Arrays in any layout, parameters and a seed for one row of the table of ops."""
    drawn = strategies.op_cases(spec.name, differentiable=False)
    return st.builds(lambda case: (list(case.arrays), case.params, case.seed), drawn)


def leaves_of(arrays):
    return [Tensor(np.asarray(a, order="C"), traced=a.dtype != bool) for a in arrays]


@pytest.fixture(scope="session")
def op_tools():
    return SimpleNamespace(cases=cases, leaves_of=leaves_of)
