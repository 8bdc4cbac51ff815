"""The levels beside which a reconstruction loss is read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_ae import theory

IMAGES = hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(0, 1, width=16))


def cross_entropy(X, P):
    """Binary cross-entropy by its definition, 0 < P < 1."""
    return -np.sum(X * np.log(P) + (1 - X) * np.log(1 - P)) / len(X)


@given(IMAGES, st.integers(0, 2**32 - 1))
def test_no_output_is_below_the_floor_and_no_constant_below_the_collapse_level(X, seed):
    rng = np.random.default_rng(seed)
    P = rng.uniform(0.001, 0.999, size=X.shape)
    assert theory.cross_entropy_floor(X) <= cross_entropy(X, P)
    assert theory.collapse_level(X) <= cross_entropy(X, np.broadcast_to(P[0], X.shape)) + 1e-12
    assert theory.cross_entropy_floor(X) <= theory.collapse_level(X) + 1e-12


@given(IMAGES)
def test_floor_and_collapse_level_are_the_cross_entropies_of_the_image_and_of_the_mean(X):
    X = 0.01 + 0.98 * X  # away from 0 ln 0
    mean = X.mean(axis=0)
    assert theory.cross_entropy_floor(X) == pytest.approx(cross_entropy(X, X), rel=1e-12)
    assert theory.collapse_level(X) == pytest.approx(cross_entropy(X, np.broadcast_to(mean, X.shape)), rel=1e-12)
    assert theory.collapse_level(X, mean=mean) == theory.collapse_level(X)


def test_gradient_descent_on_one_output_for_all_images_stops_at_the_collapse_level():
    X = np.random.default_rng(0).random((30, 4))
    logits = np.zeros(4)
    for _ in range(2000):
        logits -= np.mean(1 / (1 + np.exp(-logits)) - X, axis=0)
    reached = np.sum(np.logaddexp(0, logits) - X * logits) / len(X)
    assert reached == pytest.approx(theory.collapse_level(X), rel=1e-13)


@given(IMAGES)
def test_black_and_white_images_have_floor_zero_and_inversion_changes_nothing(X):
    assert theory.cross_entropy_floor(np.round(X)) == 0
    assert theory.cross_entropy_floor(1 - X) == pytest.approx(theory.cross_entropy_floor(X), rel=1e-12, abs=1e-15)
    assert theory.collapse_level(1 - X) == pytest.approx(theory.collapse_level(X), rel=1e-12, abs=1e-15)


def test_a_pixel_that_the_training_mean_excludes_costs_infinity_and_a_clipped_mean_does_not():
    test, mean = [[0.5, 0.0]], np.array([0.0, 0.0])
    assert theory.collapse_level(test, mean=mean) == np.inf
    clipped = np.clip(mean, 1e-4, 1 - 1e-4)
    assert theory.collapse_level(test, mean=clipped) == pytest.approx(cross_entropy(np.array(test), clipped), rel=1e-13)


@given(IMAGES, st.integers(0, 2**32 - 1))
def test_the_plateau_is_the_squared_error_of_the_best_constant_image(X, seed):
    other = np.random.default_rng(seed).random(X.shape[1])
    plateau = theory.mean_image_plateau(X)
    assert plateau == pytest.approx(theory.eckart_young(X, 0).loss_, rel=1e-12, abs=1e-15)
    expected = plateau + np.sum((X.mean(axis=0) - other) ** 2)
    assert theory.mean_image_plateau(X, mean=other) == pytest.approx(expected, rel=1e-12)


def test_pixels_outside_the_unit_interval_are_refused_with_the_remedy():
    for levels in (theory.cross_entropy_floor, theory.collapse_level):
        with pytest.raises(ValueError, match=r"from 0 to 255.*divide"):
            levels([[0.0, 255.0]])
    with pytest.raises(ValueError, match="mean: cross-entropy"):
        theory.collapse_level([[0.5]], mean=[1.5])
    with pytest.raises(ValueError, match="mean: 1 entries"):
        theory.mean_image_plateau([[0.5]], mean=[0.5, 0.5])
