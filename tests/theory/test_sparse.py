"""Row 14: thresholds, against a search over every value of the code."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae import theory

VALUES, PENALTIES = st.floats(-5, 5, width=16), st.floats(0, 10, width=16)


@given(VALUES, PENALTIES)
def test_the_soft_threshold_is_the_best_of_a_fine_grid_and_is_stationary(u, penalty):
    z = float(theory.soft_threshold(u, penalty=penalty))
    grid = np.append(np.linspace(-6, 6, 4001), 0.0)
    assert (u - z) ** 2 + penalty * abs(z) <= np.min((u - grid) ** 2 + penalty * np.abs(grid)) + 1e-13
    if z:
        assert 2 * (z - u) + penalty * np.sign(z) == pytest.approx(0, abs=1e-13)  # derivative
    else:
        assert 2 * abs(u) <= penalty  # 0 lies in the subdifferential


@given(VALUES, PENALTIES)
def test_the_hard_threshold_is_the_better_of_keeping_and_dropping(u, penalty):
    z = float(theory.hard_threshold(u, penalty=penalty))
    assert z in (0.0, u)
    assert (u - z) ** 2 + penalty * (z != 0) == min(u**2, penalty if u else 0.0)


@given(st.integers(0, 2**32 - 1), PENALTIES, st.sampled_from(["l1", "l0"]), st.integers(1, 5))
def test_no_code_is_better_than_the_thresholded_one(seed, penalty, norm, L):
    rng = np.random.default_rng(seed)
    X = 2 * rng.normal(size=(6, 5))
    W = np.linalg.qr(rng.normal(size=(5, L)))[0]
    best = theory.sparse_code(X, W, penalty=penalty, norm=norm)

    def loss(Z):
        size = np.abs(Z).sum() if norm == "l1" else np.count_nonzero(Z)
        return (np.sum((X - Z @ W.T) ** 2) + penalty * size) / len(X)

    assert loss(best.code) == pytest.approx(best.loss, rel=1e-14)
    others = [X @ W, 0 * best.code, best.code * (rng.random(best.code.shape) < 0.8)]
    others += [best.code + 10.0**-k * rng.normal(size=best.code.shape) for k in range(4)]
    others += [Z * (best.code != 0) for Z in others]
    assert all(loss(Z) >= best.loss - 1e-13 for Z in others)
    assert best.active_share == np.mean(best.code != 0)


def test_iterated_shrinkage_ends_at_the_l1_code():
    rng = np.random.default_rng(0)
    X, W = rng.normal(size=(8, 6)), np.linalg.qr(rng.normal(size=(6, 4)))[0]
    Z = np.zeros((8, 4))
    for _ in range(200):  # proximal gradient with step ¼, knowing nothing of orthogonality
        step = Z - 0.25 * 2 * (Z @ W.T - X) @ W
        Z = np.sign(step) * np.maximum(np.abs(step) - 0.25 * 0.7, 0)
    np.testing.assert_allclose(Z, theory.sparse_code(X, W, penalty=0.7).code, atol=1e-14)


@given(VALUES, PENALTIES, st.sampled_from([0.25, 2.0, 8.0]))
def test_thresholds_scale_with_the_data(u, penalty, scale):
    soft = theory.soft_threshold(scale * u, penalty=scale * penalty)
    hard = theory.hard_threshold(scale * u, penalty=scale**2 * penalty)
    assert soft == scale * theory.soft_threshold(u, penalty=penalty)
    assert hard == scale * theory.hard_threshold(u, penalty=penalty)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_thresholds_keep_the_shape(shape):
    for threshold in (theory.soft_threshold, theory.hard_threshold):
        assert threshold(np.ones(shape), penalty=0.1).shape == shape


def test_without_a_penalty_the_code_is_the_projection():
    X = np.random.default_rng(0).normal(size=(3, 2))
    for norm in ("l1", "l0"):
        np.testing.assert_allclose(theory.sparse_code(X, np.eye(2), penalty=0.0, norm=norm).code, X)


def test_a_dictionary_that_is_not_orthonormal_is_refused():
    with pytest.raises(ValueError, match=r"orthonormal.*qr"):
        theory.sparse_code([[1.0, 2.0]], [[1.0, 0.0], [1.0, 1.0]], penalty=1.0)
    with pytest.raises(ValueError, match="orthonormal"):
        theory.sparse_code([[1.0]], [[0.6, 0.8]], penalty=1.0)  # wider than the data
    with pytest.raises(ValueError, match='"l1" or "l0"'):
        theory.sparse_code([[1.0]], [[1.0]], penalty=1.0, norm="l2")
    with pytest.raises(ValueError, match="penalty"):
        theory.soft_threshold(1.0, penalty=-1.0)
