"""PCA against scikit-learn, against itself by the other way, against exact integers, and against published figures."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from sklearn.decomposition import PCA as Reference

import autograd_ae as ae
from autograd_ae.models.pca import EXACT_ROWS, WIDE, as_pixels, exact_scatter, float_scatter

SOLVERS = ("svd", "gram")


@pytest.fixture
def X(rng):
    """60 samples in 9 dimensions, spectrum 2⁻ⁱ, mean far from 0."""
    return rng.normal(size=(60, 9)) * 2.0 ** -np.arange(9) @ np.linalg.qr(rng.normal(size=(9, 9)))[0] + 5.0


@pytest.mark.parametrize("svd_solver", SOLVERS)
@pytest.mark.parametrize("shape", [(60, 9), (9, 40), (12, 12)])
@pytest.mark.parametrize("k", [1, 4, 8])
def test_pca_equals_scikit_learn(rng, svd_solver, shape, k):
    X = rng.normal(size=shape) * np.geomspace(1, 0.1, shape[1]) + 3.0
    ours, theirs = ae.PCA(k, svd_solver=svd_solver).fit(X), Reference(k, svd_solver="full").fit(X)
    signs = np.sign(np.sum(ours.components_ * theirs.components_, axis=1))
    np.testing.assert_allclose(ours.components_, signs[:, None] * theirs.components_, atol=1e-10)
    np.testing.assert_allclose(ours.mean_, theirs.mean_, rtol=1e-13)
    for name in ("explained_variance_", "explained_variance_ratio_", "singular_values_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-10)
    np.testing.assert_allclose(ours.transform(X), signs * theirs.transform(X), atol=1e-9)
    np.testing.assert_allclose(ours.reconstruct(X), theirs.inverse_transform(theirs.transform(X)), atol=1e-9)


@pytest.mark.parametrize("offset", [0.0, 1.0, 2.5, 3.5, 1e3, 1e7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_scatter_matrix_loses_no_digits_to_the_mean(rng, offset, dtype):
    """Either side of the place where centring begins; sorted rows, so that the first ones tell little."""
    X = (np.sort(rng.normal(size=(5000, 8)), axis=0) + offset).astype(dtype)
    mean, scatter = float_scatter(X)
    exact = X.astype(np.longdouble) - X.astype(np.longdouble).mean(axis=0)
    np.testing.assert_allclose(mean, X.mean(axis=0, dtype=np.longdouble).astype(float), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(scatter, (exact.T @ exact).astype(float), rtol=0, atol=1e-12 * np.abs(scatter).max())


@pytest.mark.parametrize("svd_solver", SOLVERS)
def test_rows_are_orthonormal_and_their_largest_entry_is_positive(X, svd_solver):
    W = ae.PCA(5, svd_solver=svd_solver).fit(X).components_
    np.testing.assert_allclose(W @ W.T, np.eye(5), atol=1e-12)
    assert (W[np.arange(5), np.abs(W).argmax(axis=1)] > 0).all()


@pytest.mark.parametrize("svd_solver", SOLVERS)
def test_signs_do_not_depend_on_the_order_of_samples_or_their_sign(X, svd_solver):
    W = ae.PCA(4, svd_solver=svd_solver).fit(X).components_
    for other in (X[::-1], 2 * X.mean(axis=0) - X):
        np.testing.assert_allclose(ae.PCA(4, svd_solver=svd_solver).fit(other).components_, W, atol=1e-11)


@pytest.mark.parametrize("svd_solver", SOLVERS)
@pytest.mark.parametrize("k", [1, 3, 9])
def test_the_loss_is_the_sum_of_the_eigenvalues_left_out_and_the_reconstruction_error(X, svd_solver, k):
    """Eckart & Young 1936."""
    pca = ae.PCA(k, svd_solver=svd_solver).fit(X)
    s = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    scale = np.sum(s**2) / len(X)
    np.testing.assert_allclose(pca.loss_, np.sum(s[k:] ** 2) / len(X), rtol=1e-11, atol=1e-14 * scale)
    np.testing.assert_allclose(pca.reconstruction_error(X), pca.loss_, rtol=1e-9, atol=1e-14 * scale)
    np.testing.assert_allclose(pca.plateau(X), pca.spectrum_.sum(), rtol=1e-12)
    assert pca.score(X) == -pca.reconstruction_error(X)


def test_no_other_linear_code_of_that_size_has_less_error(X, rng):
    best = ae.PCA(3).fit(X).loss_
    centred = X - X.mean(axis=0)
    for _ in range(20):
        Q = np.linalg.qr(rng.normal(size=(9, 3)))[0]
        assert np.sum((centred - centred @ Q @ Q.T) ** 2) / len(X) >= best


@given(pixels=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_the_scatter_of_uint8_pixels_equals_python_integers_exactly(pixels):
    check_exact(pixels)


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("rows", [EXACT_ROWS - 1, EXACT_ROWS, EXACT_ROWS + 1, 2 * EXACT_ROWS + 3])
def test_the_scatter_is_exact_where_a_block_reaches_two_to_the_24(rng, value, rows):
    """All pixels 0 give 1,024 products of (−128)², the largest sum that float32 holds as an integer."""
    pixels = np.full((rows, 3), value, np.uint8)
    pixels[:, 2] = rng.integers(0, 256, rows)
    check_exact(pixels)


def check_exact(pixels):
    mean, scatter = exact_scatter(pixels)
    B, columns = len(pixels), [[int(v) for v in column] for column in pixels.T]
    for i, a in enumerate(columns):
        assert mean[i] == pytest.approx(sum(a) / B, rel=1e-15, abs=1e-13)  # a shift by 128 costs an ulp of 128
        for j, b in enumerate(columns):
            assert scatter[i, j] == (B * sum(x * y for x, y in zip(a, b, strict=True)) - sum(a) * sum(b)) / B


@pytest.mark.parametrize("rows", [40, 3000])
def test_uint8_images_are_fitted_as_the_same_numbers_in_float(rng, rows):
    pixels = (rng.integers(0, 256, (rows, 20)) * np.geomspace(1, 0.2, 20)).astype(np.uint8)
    exact, plain = ae.PCA(5).fit(pixels), ae.PCA(5, svd_solver="svd").fit(pixels.astype(float))
    np.testing.assert_allclose(exact.spectrum_, plain.spectrum_, rtol=1e-12)
    np.testing.assert_allclose(exact.mean_, plain.mean_, rtol=1e-13)
    np.testing.assert_allclose(exact.loss_, plain.loss_, rtol=1e-12)
    np.testing.assert_allclose(exact.components_, plain.components_, atol=1e-11)
    np.testing.assert_allclose(
        exact.reconstruction_error(pixels), plain.reconstruction_error(pixels.astype(float)), rtol=1e-12
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_whole_pixels_in_float_are_fitted_exactly_as_uint8(rng, dtype):
    pixels = rng.integers(0, 256, (2 * EXACT_ROWS + 5, WIDE), dtype=np.uint8)
    pixels[0, :2] = 0, 255
    X = pixels.astype(dtype)
    np.testing.assert_array_equal(as_pixels(X), pixels)
    ours, exact = ae.PCA(3).fit(X), ae.PCA(3).fit(pixels)
    np.testing.assert_array_equal(ours.spectrum_, exact.spectrum_)
    np.testing.assert_array_equal(ours.components_, exact.components_.astype(dtype))
    np.testing.assert_array_equal(ours.mean_, exact.mean_.astype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.5, -1.0, 256.0, 1e30, 254.99998])
@pytest.mark.parametrize("row", [0, EXACT_ROWS, EXACT_ROWS + 2])
def test_one_number_that_is_no_pixel_is_not_rounded_to_one(rng, dtype, value, row):
    X = rng.integers(0, 256, (EXACT_ROWS + 3, WIDE)).astype(dtype)
    assert as_pixels(X) is not None
    X[row, -1] = value
    assert as_pixels(X) is None


def test_narrow_samples_are_not_looked_through_for_pixels(rng):
    assert as_pixels(rng.integers(0, 256, (600, WIDE - 1)).astype(float)) is None


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("svd_solver", SOLVERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("features", [3, WIDE])
@pytest.mark.parametrize(
    ("values", "message"),
    [([np.nan], "contains NaN"), ([np.inf], "contains infinity"), ([np.inf, -np.inf], "contains infinity")],
)
def test_a_number_that_is_not_finite_is_named_whatever_the_solver(rng, svd_solver, dtype, features, values, message):
    fitted = ae.PCA(2, svd_solver=svd_solver).fit(rng.normal(size=(20, 4)))
    X = rng.integers(0, 256, (600, features)).astype(dtype)
    X[-len(values) :, 1] = values
    with pytest.raises(ValueError, match=message):
        fitted.fit(X)
    assert fitted.n_features_in_ == 4
    assert fitted.components_.shape == (2, 4)


def test_a_few_large_uint8_images_make_no_matrix_of_pixels_by_pixels(rng, monkeypatch):
    """With fewer samples than features the singular value decomposition is the smaller problem."""
    monkeypatch.setattr("autograd_ae.models.pca.exact_scatter", lambda _: pytest.fail("a Gram matrix was made"))
    ae.PCA(2).fit(rng.integers(0, 256, (5, 400), dtype=np.uint8))


def test_the_solver_chosen_by_itself_gives_the_same_subspace(rng):
    for shape in ((100, 8), (10, 8)):
        X = rng.normal(size=shape) * np.geomspace(1, 0.01, 8)
        chosen = ae.PCA(3).fit(X)
        for svd_solver in SOLVERS:
            other = ae.PCA(3, svd_solver=svd_solver).fit(X)
            np.testing.assert_allclose(other.components_, chosen.components_, atol=1e-10)


@pytest.mark.parametrize("svd_solver", SOLVERS)
def test_float32_samples_keep_their_dtype_and_are_decomposed_in_float64(X, svd_solver):
    single = X.astype(np.float32)
    pca = ae.PCA(3, svd_solver=svd_solver).fit(single)
    double = ae.PCA(3, svd_solver=svd_solver).fit(single.astype(float))
    for array in (pca.components_, pca.mean_, pca.transform(single), pca.reconstruct(single)):
        assert array.dtype == np.float32
    np.testing.assert_allclose(pca.spectrum_, double.spectrum_, rtol=1e-12)
    np.testing.assert_allclose(pca.components_, double.components_, atol=1e-7)
    np.testing.assert_allclose(pca.reconstruct(single), double.reconstruct(single), rtol=1e-5)


@pytest.mark.parametrize("svd_solver", SOLVERS)
def test_one_sample_is_its_own_mean(svd_solver):
    pca = ae.PCA(svd_solver=svd_solver).fit([[1.0, 2.0, 3.0]])
    assert (pca.n_components_, pca.loss_, pca.explained_variance_.tolist()) == (1, 0.0, [0.0])
    assert pca.explained_variance_ratio_.tolist() == [0.0]
    assert pca.reconstruct([[1.0, 2.0, 3.0]]).tolist() == [[1.0, 2.0, 3.0]]


def test_none_keeps_all_components_and_loses_nothing(X):
    pca = ae.PCA().fit(X)
    assert pca.n_components_ == 9
    assert pca.loss_ == 0.0
    np.testing.assert_allclose(pca.inverse_transform(pca.transform(X)), X, rtol=1e-12)
    assert len(ae.PCA().fit(X[:4]).components_) == 4


@pytest.mark.parametrize(
    ("n_components", "message"),
    [
        (10, r"n_components=10 must be at most min\(n_samples, n_features\) = 9.*n_samples = 60"),
        (0, "n_components is 0; a whole number of at least 1"),
        (0.95, "n_components is 0.95; a whole number"),
        ("mle", "n_components is 'mle'; a whole number"),
        (True, "n_components is True; a whole number"),
    ],
)
def test_a_number_of_components_that_makes_no_sense_is_refused(X, n_components, message):
    with pytest.raises(ValueError, match=message):
        ae.PCA(n_components).fit(X)


def test_other_mistakes_are_named(X):
    with pytest.raises(ValueError, match="svd_solver is 'full'; one of 'auto', 'svd', 'gram' is needed"):
        ae.PCA(2, svd_solver="full").fit(X)
    pca = ae.PCA(2).fit(X)
    with pytest.raises(ValueError, match="codes have 3 columns, but PCA has 2 components"):
        pca.inverse_transform(np.ones((4, 3)))
    with pytest.raises(ValueError, match="X has 4 features, but PCA is expecting 9 features as input"):
        pca.reconstruction_error(np.ones((4, 4)))
    with pytest.raises(ae.NotFittedError, match="This PCA instance is not fitted yet"):
        ae.PCA(2).transform(X)


def test_the_lectures_line_has_the_projector_of_the_lecture():
    pca = ae.PCA(1).fit(ae.data.rank_one_line(50))
    np.testing.assert_allclose(pca.components_.T @ pca.components_, [[0.8, 0.4], [0.4, 0.2]], atol=1e-14)


def test_the_summary_gives_the_figures(X):
    text = ae.PCA(2).fit(X).summary(X)
    assert "9 features, 2 components, closed form" in text
    assert "(sum of the 7 eigenvalues left out)" in text
    assert f"{ae.PCA(2).fit(X).loss_:.6g}" in text


PUBLISHED = {  # components: squared error per image on training and test set, pixels in [0, 1]
    2: (43.866919, 43.644881),
    30: (14.207105, 13.866266),
}


@pytest.mark.skipif("AUTOGRAD_AE_DATA_DIR" not in os.environ, reason="AUTOGRAD_AE_DATA_DIR names no folder with MNIST")
def test_full_mnist_gives_the_reference_figures():
    """13.87 for 30 components is the figure of Hinton & Salakhutdinov 2006."""
    digits = ae.data.load_mnist()
    everything = ae.PCA().fit(digits.train.pixels.reshape(60000, -1))
    unit = digits.test.pixels.reshape(10000, -1) / 255.0
    for k, (train, test) in PUBLISHED.items():
        assert everything.spectrum_[k:].sum() / 255**2 == pytest.approx(train, abs=1e-6)
        pca = ae.PCA(k).fit(digits.train.pixels.reshape(60000, -1))
        pca.mean_ /= 255.0
        assert pca.loss_ / 255**2 == pytest.approx(train, abs=1e-6)
        assert pca.reconstruction_error(unit) == pytest.approx(test, abs=1e-6)
        assert pca.plateau(unit) == pytest.approx(52.896533, abs=1e-6)
    assert everything.spectrum_.sum() / 255**2 == pytest.approx(52.725035, abs=1e-6)
