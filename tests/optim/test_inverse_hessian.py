"""The two-loop recursion against the BFGS formula written out with matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.optim.inverse_hessian import InverseHessian

seeds = st.integers(0, 2**32)


def pairs(seed, size, count):
    """Steps and gradient changes of a random convex quadratic, whose Hessian A makes sᵀy > 0."""
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((size, size)) + 2 * np.eye(size)
    steps = rng.standard_normal((count, size))
    return steps, steps @ (root @ root.T)


def dense(memory, size):
    return np.column_stack([-memory.direction(column) for column in np.eye(size)])


def bfgs_formula(steps, changes, size):
    """H from γ·I of the newest pair through (7.16) for each pair, oldest first."""
    gamma = steps[-1] @ changes[-1] / (changes[-1] @ changes[-1])
    H = gamma * np.eye(size)
    for s, y in zip(steps, changes, strict=True):
        rho = 1 / (y @ s)
        left = np.eye(size) - rho * np.outer(s, y)
        H = left @ H @ left.T + rho * np.outer(s, s)
    return H


@given(seeds, st.integers(1, 6), st.integers(1, 9), st.integers(1, 5))
def test_the_product_is_that_of_the_bfgs_matrix_of_the_last_pairs(seed, size, count, history):
    steps, changes = pairs(seed, size, count)
    memory = InverseHessian(size, history, scale=1.0)
    for s, y in zip(steps, changes, strict=True):
        assert memory.update(s, y)
    H = bfgs_formula(steps[-history:], changes[-history:], size)
    assert len(memory) == min(count, history)
    np.testing.assert_allclose(dense(memory, size), H, rtol=1e-7, atol=1e-9 * np.abs(H).max())


@given(seeds, st.integers(1, 6), st.integers(1, 5))
def test_the_matrix_is_symmetric_positive_and_meets_the_secant_equation(seed, size, count):
    steps, changes = pairs(seed, size, count)
    memory = InverseHessian(size, 10, scale=1.0)
    for s, y in zip(steps, changes, strict=True):
        memory.update(s, y)
        H = dense(memory, size)
        np.testing.assert_allclose(H @ y, s, rtol=1e-7, atol=1e-7 * np.abs(s).max())
        np.testing.assert_allclose(H, H.T, atol=1e-9 * np.abs(H).max())
        assert np.linalg.eigvalsh((H + H.T) / 2).min() > 0


def test_before_the_first_pair_and_after_clearing_it_is_steepest_descent():
    g = np.array([3.0, -4.0])
    memory = InverseHessian(2, 5, scale=0.5)
    assert np.array_equal(memory.direction(g), -0.5 * g)
    memory.update(np.array([1.0, 0.0]), np.array([4.0, 3.0]))
    memory.clear()
    np.testing.assert_allclose(memory.direction(g), -4 / 25 * g, rtol=1e-15)  # γ = sᵀy/yᵀy is kept


@pytest.mark.parametrize("y", [[-1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
def test_pairs_without_positive_curvature_are_left_out(y):
    memory = InverseHessian(2, 5, scale=1.0)
    assert not memory.update(np.array([1.0, 0.0]), np.array(y))
    assert len(memory) == 0
    assert memory.scale == 1.0


@pytest.mark.parametrize("size", [1e-160, 1e160])
def test_squares_that_leave_the_range_of_float64_do_no_harm(size):
    memory = InverseHessian(2, 5, scale=1.0)
    assert memory.update(np.array([1.0, 0.0]), size * np.array([4.0, 0.0]))
    np.testing.assert_allclose(memory.direction(size * np.array([8.0, 4.0])), [-2.0, -1.0], rtol=1e-14)
