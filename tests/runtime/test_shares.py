"""Panels of a phase are taken each once, whoever asks: by one thread at a stroke, by several in shrinking pieces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.core.jit import JIT_ENABLED, jit
from autograd_ae.runtime.shares import take

pytestmark = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")


@jit
def taken(count, pieces, total, threads, most):
    """All pieces until none is left, in the order in which they are given out; how many."""
    n = 0
    first, last = take(count, total, threads, most)
    while first < last:
        pieces[n, 0], pieces[n, 1] = first, last
        n += 1
        first, last = take(count, total, threads, most)
    return n


@given(st.integers(0, 200), st.integers(1, 9), st.integers(1, 20))
def test_every_panel_is_taken_once_in_pieces_of_at_most_half_a_fair_share(total, threads, most):
    count, pieces = np.zeros(1, np.int64), np.zeros((total, 2), np.int64)
    n = taken(count.ctypes.data, pieces, total, threads, most)
    assert [i for first, last in pieces[:n] for i in range(first, last)] == list(range(total))
    lengths = (pieces[:n, 1] - pieces[:n, 0]).tolist()
    if threads == 1:
        assert lengths == ([total] if total else [])
    elif total:
        assert max(lengths) <= min(most, -(-total // (2 * threads)))
        assert lengths == sorted(lengths, reverse=True)
        assert lengths[-1] == 1  # nobody waits for longer than that
