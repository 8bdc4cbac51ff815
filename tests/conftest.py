"""Hypothesis without deadlines (a kernel may compile inside an example), and the same examples every run."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "autograd_ae",
    deadline=None,
    max_examples=20,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("autograd_ae")


@pytest.fixture
def rng():
    """A seeded generator: np.random.default_rng(0)."""
    import numpy as np

    return np.random.default_rng(0)
