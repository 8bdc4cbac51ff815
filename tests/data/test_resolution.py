"""Lower resolution: enlarging is undone by reducing, and reducing then enlarging is an orthogonal projector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.data import enlarge, reduce_resolution

sizes = {"k": st.integers(1, 4), "h": st.integers(1, 4), "w": st.integers(1, 4), "B": st.integers(0, 5)}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@given(**sizes)
def test_reducing_undoes_enlarging(k, h, w, B):
    X = draw(B, h * w)
    np.testing.assert_allclose(reduce_resolution(enlarge(X, k, shape=(h, w)), k, shape=(h * k, w * k)), X, rtol=1e-14)


@given(**sizes)
def test_reducing_is_the_mean_over_blocks(k, h, w, B):
    X = draw(B, h * k * w * k)
    images, small = X.reshape(B, h * k, w * k), reduce_resolution(X, k, shape=(h * k, w * k)).reshape(B, h, w)
    for b, i, j in np.ndindex(B, h, w):
        block = images[b, i * k : (i + 1) * k, j * k : (j + 1) * k]
        assert small[b, i, j] == pytest.approx(block.mean(), rel=1e-12, abs=1e-15)


@given(k=sizes["k"], h=sizes["h"], w=sizes["w"])
def test_reducing_then_enlarging_projects_orthogonally(k, h, w):
    n, shape = h * k * w * k, (h * k, w * k)
    P = enlarge(reduce_resolution(np.eye(n), k, shape=shape), k, shape=(h, w))
    np.testing.assert_allclose(P @ P, P, atol=1e-15)
    np.testing.assert_array_equal(P, P.T)
    assert np.linalg.matrix_rank(P) == h * w


def test_the_degraded_images_squared_error_is_the_energy_that_was_lost():
    X = draw(10, 784)
    P = enlarge(reduce_resolution(X))
    lost = np.sum(X**2, axis=1) - np.sum(P**2, axis=1)
    np.testing.assert_allclose(np.sum((P - X) ** 2, axis=1), lost, rtol=1e-12)


def test_a_square_of_28_becomes_7_and_keeps_its_mean_and_its_dtype():
    for dtype in (np.float32, np.float64):
        X = draw(3, 784).astype(dtype)
        small = reduce_resolution(X)
        assert small.shape == (3, 49)
        assert enlarge(small).shape == (3, 784)
        assert small.dtype == enlarge(small).dtype == dtype
        np.testing.assert_allclose(small.mean(axis=1), X.mean(axis=1), rtol=1e-4 if dtype == np.float32 else 1e-12)


def test_integers_do_not_overflow_and_become_float64():
    small = reduce_resolution(np.full((1, 16), 255, np.uint8))
    assert small.dtype == np.float64
    assert small.tolist() == [[255.0]]


def test_the_input_is_not_shared():
    X = draw(2, 4)
    for result in (reduce_resolution(X, 1), enlarge(X, 1)):
        assert not np.shares_memory(result, X)


@pytest.mark.parametrize("function", [reduce_resolution, enlarge])
@pytest.mark.parametrize(
    ("images", "options", "error", "message"),
    [
        (np.zeros(784), {}, ValueError, r"one image in each row; got an array of shape \(784,\)"),
        (np.zeros((2, 28, 28)), {}, ValueError, "one image in each row"),
        (np.zeros((2, 12)), {}, ValueError, "rows of 12 pixels are not images of 3×3"),
        (np.zeros((2, 12)), {"shape": (3, 5)}, ValueError, "not images of 3×5"),
        (np.zeros((2, 12)), {"shape": (-3, -4)}, ValueError, "not images of -3×-4"),
        (np.zeros((2, 0)), {}, ValueError, "not images of 0×0"),
        (np.zeros((2, 16), complex), {}, TypeError, "real numbers; got dtype complex128"),
        (np.zeros((2, 16)), {"factor": 0}, ValueError, "factor must be an integer of at least 1"),
        (np.zeros((2, 16)), {"factor": 2.0}, TypeError, "factor must be an integer"),
    ],
)
def test_what_are_no_images_is_refused(function, images, options, error, message):
    with pytest.raises(error, match=message):
        function(images, **options)


def test_blocks_must_tile_the_image():
    with pytest.raises(ValueError, match="blocks of 3×3 pixels do not tile an image of 28×28"):
        reduce_resolution(np.zeros((1, 784)), 3)
