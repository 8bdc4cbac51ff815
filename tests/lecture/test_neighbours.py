"""k-nearest-neighbour precision: what must hold for any two sets, and for sets whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from autograd_ae.lecture.neighbours import inside, knn_precision, knn_recall, radii

SETS = arrays(np.float64, st.tuples(st.integers(5, 12), st.just(3)), elements=st.integers(-50, 50).map(float))


@given(SETS, st.integers(1, 4))
def test_a_set_lies_in_its_own_region(X, k):
    assert knn_precision(X, X, k=k) == knn_recall(X, X, k=k) == 1


@given(SETS, SETS)
def test_what_is_far_away_is_outside(X, Y):
    assert knn_precision(X, Y + 1e4) == knn_recall(X, Y + 1e4) == 0


@given(SETS, SETS, st.randoms(use_true_random=False), st.sampled_from([0.125, 2.0, 1024.0]))
def test_order_scale_place_and_rotation_do_not_matter(X, Y, random, scale):
    before = knn_precision(X, Y)
    rows, columns = random.sample(range(len(X)), len(X)), random.sample(range(3), 3)
    assert knn_precision(X[rows], Y[::-1]) == before
    assert knn_precision(scale * X, scale * Y) == before
    assert knn_precision(X + 7, Y + 7) == before
    assert knn_precision(X[:, columns], -Y[:, columns] * -1) == before


@given(SETS, SETS)
def test_more_neighbours_make_a_larger_region(X, Y):
    shares = [knn_precision(X, Y, k=k) for k in (1, 2, 3, 4)]
    assert shares == sorted(shares)


@given(SETS, SETS)
def test_it_is_the_definition(X, Y):
    def distance(a, b):
        return np.sqrt(np.sum((a - b) ** 2))

    def in_region(y):
        return any(
            distance(y, x) <= sorted(distance(x, other) for j, other in enumerate(X) if j != i)[2]
            for i, x in enumerate(X)
        )

    assert knn_precision(X, Y, k=3) == np.mean([in_region(y) for y in Y])


def test_radii_reach_to_the_kth_neighbour():
    X = np.array([[0.0], [1.0], [3.0], [7.0]])
    assert radii(X, 1).tolist() == [1, 1, 2, 4]
    assert radii(X, 2).tolist() == [3, 2, 3, 6]


def test_blocks_do_not_matter():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(1500, 4)), rng.normal(size=(2600, 4))
    r = radii(X, 3)
    whole = (np.linalg.norm(Y[:, None] - X, axis=2) <= r).any(axis=1)
    assert np.array_equal(inside(X, r, Y), whole)


def test_between_two_clusters_is_invalid_and_within_is_valid():
    rng = np.random.default_rng(0)
    real = np.concatenate([rng.normal(size=(200, 2)), rng.normal(size=(200, 2)) + 20])
    within, between = 0.3 * rng.normal(size=(100, 2)), 0.3 * rng.normal(size=(100, 2)) + 10
    assert knn_precision(real, within) > 0.95
    assert knn_precision(real, between) == 0


@pytest.mark.parametrize(
    ("real", "generated", "k", "message"),
    [
        (np.ones((3, 2)), np.ones((3, 2)), 3, "k is 3, but 3 samples have 1 to 2 neighbours"),
        (np.ones((3, 2)), np.ones((3, 2)), 0, "k is 0"),
        (np.ones((5, 2)), np.ones((5, 3)), 3, "2 columns and generated ones 3"),
        (np.ones(5), np.ones((5, 3)), 3, r"real samples must be a matrix .* \(5,\)"),
        (np.ones((5, 2)), np.full((5, 2), np.nan), 3, "generated samples have NaN"),
    ],
)
def test_errors_say_what_is_wrong(real, generated, k, message):
    with pytest.raises(ValueError, match=message):
        knn_precision(real, generated, k=k)
