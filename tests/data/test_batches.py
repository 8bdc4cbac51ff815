"""Minibatches: an epoch visits every row exactly once, in an order that the generator alone decides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.data import batches


@given(n=st.integers(0, 50), size=st.integers(1, 60), shuffle=st.booleans(), seed=st.integers(0, 2**32))
def test_an_epoch_visits_every_row_exactly_once(n, size, shuffle, seed):
    parts = list(batches(np.zeros((n, 2)), size, np.random.default_rng(seed), shuffle=shuffle))
    assert sorted(row for part in parts for row in part.tolist()) == list(range(n))
    assert [len(part) for part in parts] == [size] * (n // size) + [n % size] * (n % size > 0)
    assert all(np.issubdtype(part.dtype, np.integer) for part in parts)


def test_without_shuffling_the_rows_come_in_order():
    assert [part.tolist() for part in batches(range(5), 2, shuffle=False)] == [[0, 1], [2, 3], [4]]


def test_a_seed_gives_the_same_epoch_and_a_generator_the_next_one():
    def epoch(rng):
        return np.concatenate([*batches(range(100), 7, rng)]).tolist()

    assert epoch(3) == epoch(3) == epoch(np.random.default_rng(3))
    assert epoch(3) != epoch(4)
    rng = np.random.default_rng(3)
    first, second = epoch(rng), epoch(rng)
    assert first == epoch(3)
    assert second != first


def test_shuffling_is_uniform_over_the_permutations():
    rng, counts = np.random.default_rng(0), {}
    for _ in range(6000):
        order = tuple(np.concatenate([*batches(range(3), 2, rng)]).tolist())
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert sum((c - 1000) ** 2 / 1000 for c in counts.values()) < 20.5  # χ² with 5 degrees of freedom: p = 0.001


def test_drawing_an_epoch_does_not_touch_numpys_global_state():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    list(batches(range(10), 3, 0))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((range(5), 0, 0), ValueError, "batch_size must be an integer of at least 1, not 0"),
        ((range(5), -2, 0), ValueError, "at least 1, not -2"),
        ((range(5), 2.0, 0), TypeError, "batch_size must be an integer, not 2.0"),
        ((range(5), True, 0), ValueError, "batch_size must be an integer"),
        ((range(5), 2), TypeError, "shuffle=False"),
        ((range(5), 2, "seed"), TypeError, "rng must be a non-negative int or a numpy.random.Generator"),
        ((range(5), 2, -1), ValueError, "rng must be a non-negative int"),
        ((range(5), 2, True), TypeError, "rng must be a seed"),
    ],
)
def test_bad_arguments_are_refused_at_the_call_not_at_the_first_batch(arguments, error, message):
    with pytest.raises(error, match=message):
        batches(*arguments)
