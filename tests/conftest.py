"""What all tests share: how Hypothesis draws, and what keeps a worker of the suite cheap.

Hypothesis has no deadlines (a kernel may compile inside an example), and draws the same examples every run: a dozen in
`make test`, more in the profile `thorough`, by which `make test-slow` checks the same laws again.
"""

import gc
import os

# One BLAS thread a worker, of which there are as many as cores; pytest's children inherit it. NumPy reads it when it
# is loaded, which is later. Children keep their bytecode, so that the next one need not compile it again.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "autograd_ae",
    deadline=None,
    max_examples=12,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("thorough", settings.get_profile("autograd_ae"), max_examples=20)
settings.load_profile("autograd_ae")


def pytest_collection_finish():
    """The collected tests live to the end: the garbage collector need not walk over them, nor come so often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture
def rng():
    """A seeded generator: np.random.default_rng(0)."""
    import numpy as np

    return np.random.default_rng(0)
