"""Synthetic sets: their spectra, ranks and supports are what was asked for, to rounding."""

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.data import circle, gaussian_with_spectrum, low_rank, noisy_line, rank_one_line, sparse_codes

SETS = {
    "rank_one_line": lambda **o: (rank_one_line(20, **o),),
    "noisy_line": lambda **o: (noisy_line(20, **o),),
    "circle": lambda **o: circle(20, **o),
    "low_rank": lambda **o: (low_rank(20, 6, singular_values=[3, 2], **o),),
    "gaussian_with_spectrum": lambda **o: (gaussian_with_spectrum(20, eigenvalues=[3, 2, 0], **o),),
    "gaussian, exact": lambda **o: (gaussian_with_spectrum(20, eigenvalues=[3, 2, 0], exact=True, **o),),
    "sparse_codes": lambda **o: sparse_codes(20, 10, n_atoms=8, n_nonzero=3, **o),
    "sparse_codes, overcomplete": lambda **o: sparse_codes(20, 10, n_atoms=15, n_nonzero=3, **o),
}
every_set = pytest.mark.parametrize("draw", SETS.values(), ids=SETS)
values = st.floats(0.01, 100, allow_subnormal=False)
seeds = st.integers(0, 2**32)


def covariance(X):
    C = X - X.mean(axis=0)
    return C.T @ C / len(X)


def frame(n, r, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n, r)))[0]


# what all sets obey


@every_set
def test_a_seed_decides_the_sample_and_a_generator_goes_on(draw):
    for a, b, c in zip(draw(rng=5), draw(rng=5), draw(rng=np.random.default_rng(5)), strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(a, c)
    assert not np.array_equal(draw(rng=5)[0], draw(rng=6)[0])
    rng = np.random.default_rng(5)
    assert not np.array_equal(draw(rng=rng)[0], draw(rng=rng)[0])


@every_set
def test_float32_is_the_float64_sample_rounded_once(draw):
    for double, single in zip(draw(rng=1), draw(rng=1, dtype=np.float32), strict=True):
        assert (double.dtype, single.dtype) == (np.float64, np.float32)
        assert np.array_equal(double.astype(np.float32), single)


@every_set
def test_samples_are_in_rows_of_a_contiguous_array(draw):
    X = draw(rng=0)[0]
    assert X.shape[0] == 20
    assert X.flags.c_contiguous
    assert np.isfinite(X).all()


@every_set
def test_drawing_does_not_touch_numpys_global_state(draw):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    draw(rng=0)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@every_set
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rng": "x"}, TypeError, "rng must be"),
        ({"rng": -1}, ValueError, "rng must be"),
        ({"rng": 1.5}, TypeError, "rng must be"),
        ({"dtype": np.float16}, TypeError, "dtype must be float32 or float64"),
        ({"dtype": int}, TypeError, "dtype must be float32 or float64"),
        ({"dtype": None}, TypeError, "dtype must be float32 or float64"),
        ({"dtype": "no such"}, TypeError, "dtype must be float32 or float64"),
    ],
)
def test_bad_seeds_and_dtypes_are_refused(draw, options, error, message):
    with pytest.raises(error, match=message):
        draw(**options)


# the lecture's line


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_line_is_of_rank_one_without_rounding(dtype):
    X = rank_one_line(50, dtype=dtype)
    assert np.array_equal(X[:, 0], 2 * X[:, 1])
    assert np.linalg.matrix_rank(X) == 1


def test_the_lectures_weights_recover_every_point_of_the_line_exactly():
    X, w, w_hat = rank_one_line(50), np.array([1.0, -1.0]), np.array([2.0, 1.0])
    assert np.array_equal(np.outer(X @ w, w_hat), X)
    assert not np.array_equal(np.outer(w_hat, w), np.eye(2))


def test_pca_of_the_line_is_the_orthogonal_projector_on_it():
    V = np.linalg.eigh(covariance(rank_one_line(50)))[1][:, -1:]
    np.testing.assert_allclose(V @ V.T, [[0.8, 0.4], [0.4, 0.2]], atol=1e-14)


# points around a line


def test_the_noisy_lines_covariance_is_that_of_probabilistic_pca():
    B, d, sigma = 40_000, np.array([2.0, -1.0, 0.5]), 0.3
    X = noisy_line(B, direction=d, noise=sigma, rng=0)
    expected = np.outer(d, d) + sigma**2 * np.eye(3)
    deviation = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / B)  # of a Wishart entry
    assert np.all(np.abs(X.T @ X / B - expected) < 4 * deviation)


def test_without_noise_the_points_lie_on_the_line():
    X = noisy_line(30, direction=(3, 0, 4), noise=0)
    np.testing.assert_allclose(X @ (np.eye(3) - np.outer([0.6, 0, 0.8], [0.6, 0, 0.8])), 0, atol=1e-14)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"direction": (0, 0)}, ValueError, "zero vector"),
        ({"direction": ()}, ValueError, "direction must be a vector of at least 1"),
        ({"direction": [[1, 2]]}, ValueError, r"direction must be a vector.*got shape \(1, 2\)"),
        ({"direction": (1, np.nan)}, ValueError, "finite"),
        ({"direction": "up"}, TypeError, "direction must be a sequence of numbers"),
        ({"noise": -0.1}, ValueError, "noise must be finite and not negative, not -0.1"),
        ({"noise": np.nan}, ValueError, "noise must be finite"),
        ({"noise": np.inf}, ValueError, "noise must be finite"),
        ({"noise": "loud"}, TypeError, "noise must be a number"),
        ({"n_samples": 0}, ValueError, "n_samples must be an integer of at least 1, not 0"),
        ({"n_samples": 2.5}, TypeError, "n_samples must be an integer"),
    ],
)
def test_a_line_that_is_none_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        noisy_line(**options)


# the circle


@given(B=st.integers(3, 200))
def test_even_points_of_the_circle_have_mean_zero_and_equal_variances(B):
    X, theta = circle(B)
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(X.T @ X / B, np.eye(2) / 2, atol=1e-12)
    np.testing.assert_allclose(np.diff(theta), 2 * np.pi / B, rtol=1e-10)


@given(B=st.integers(1, 100), seed=seeds | st.none())
def test_the_circle_is_sine_and_cosine_of_its_angle(B, seed):
    X, theta = circle(B, rng=seed)
    np.testing.assert_allclose(np.sum(X**2, axis=1), 1, rtol=1e-14)
    np.testing.assert_array_equal(X, np.stack([np.sin(theta), np.cos(theta)], axis=1))
    assert np.all((theta >= 0) & (theta < 2 * np.pi))


def test_random_angles_are_uniform():
    theta = circle(6000, rng=0).theta
    counts = np.histogram(theta, bins=6, range=(0, 2 * np.pi))[0]
    assert np.sum((counts - 1000) ** 2 / 1000) < 20.5  # χ² with 5 degrees of freedom: p = 0.001


# given singular values


@given(
    s=npst.arrays(float, st.integers(1, 6), elements=values),
    spare=st.integers(0, 5),
    more=st.integers(1, 30),
    seed=seeds,
)
def test_the_singular_values_are_exactly_those_that_were_given(s, spare, more, seed):
    B, N = len(s) + more, len(s) + spare
    X = low_rank(B, N, singular_values=s, rng=seed)
    assert X.shape == (B, N)
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12 * s.max())
    expected = np.zeros(min(B, N))
    expected[: len(s)] = np.sort(s)[::-1]
    np.testing.assert_allclose(np.linalg.svd(X, compute_uv=False), expected, atol=1e-12 * s.max())


def test_the_principal_directions_are_those_that_were_given():
    V, s = frame(7, 3), np.array([5.0, 3.0, 1.0])
    X = low_rank(40, 7, singular_values=s, directions=V, rng=2)
    np.testing.assert_allclose(X.T @ X, V * s**2 @ V.T, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((10, 2), {"singular_values": [3, 2, 1]}, "3 singular values do not fit into 2 features"),
        ((3, 5), {"singular_values": [3, 2, 1]}, "need at least 4 samples.*got 3"),
        ((10, 5), {"singular_values": [3, -2]}, "must not be negative; the least of them is -2"),
        ((10, 5), {"singular_values": []}, "at least 1 finite"),
        ((10, 5), {"singular_values": [np.inf]}, "finite"),
        (
            (10, 5),
            {"singular_values": [1, 1], "directions": np.eye(5)},
            r"directions must have shape \(5, 2\).*\(5, 5\)",
        ),
        (
            (10, 2),
            {"singular_values": [1, 1], "directions": np.ones((2, 2))},
            "orthonormal columns.*differs from I by 2",
        ),
        ((10, 2), {"singular_values": [1, 1], "directions": np.full((2, 2), np.nan)}, "orthonormal columns"),
        ((0, 2), {"singular_values": [1]}, "n_samples"),
        ((10, 0), {"singular_values": [1]}, "n_features"),
    ],
)
def test_a_spectrum_that_cannot_be_had_is_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        low_rank(*arguments, **options)


# given covariance


@given(
    lam=npst.arrays(float, st.integers(1, 6), elements=st.just(0.0) | values),
    more=st.integers(1, 30),
    seed=seeds,
    data=st.data(),
)
def test_the_exact_sample_has_exactly_this_mean_and_this_covariance(lam, more, seed, data):
    N, B = len(lam), int((lam > 0).sum()) + more
    mu, V = data.draw(npst.arrays(float, N, elements=st.floats(-10, 10))), frame(N, N, seed)
    X = gaussian_with_spectrum(B, eigenvalues=lam, mean=mu, directions=V, exact=True, rng=seed)
    tolerance = 1e-12 * max(lam.max(), 10.0)
    np.testing.assert_allclose(X.mean(axis=0), mu, atol=tolerance)
    np.testing.assert_allclose(covariance(X), V * lam @ V.T, atol=tolerance)


def test_the_sample_of_the_population_has_its_moments_within_sampling_error():
    B, lam, mu, V = 40_000, np.array([4.0, 1.0, 0.25]), np.array([1.0, -2.0, 0.0]), frame(3, 3)
    X = gaussian_with_spectrum(B, eigenvalues=lam, mean=mu, directions=V, rng=0)
    S = V * lam @ V.T
    assert np.all(np.abs(X.mean(axis=0) - mu) < 4 * np.sqrt(np.diag(S) / B))
    assert np.all(np.abs(covariance(X) - S) < 4 * np.sqrt((np.outer(np.diag(S), np.diag(S)) + S**2) / B))


def test_independent_features_are_asked_for_by_the_identity():
    X = gaussian_with_spectrum(30, eigenvalues=[1, 4, 9], directions=np.eye(3), exact=True)
    np.testing.assert_allclose(covariance(X), np.diag([1, 4, 9]), atol=1e-12)


def test_a_degenerate_gaussian_stays_in_its_subspace():
    V = frame(4, 4)
    X = gaussian_with_spectrum(200, eigenvalues=[2, 0, 1, 0], directions=V, rng=0)
    np.testing.assert_allclose(X @ V[:, [1, 3]], 0, atol=1e-13)
    assert not gaussian_with_spectrum(5, eigenvalues=[0, 0]).any()


def test_random_directions_are_uniform_not_only_orthonormal():
    first = np.array([low_rank(3, 3, singular_values=[1, 0], rng=seed)[0] for seed in range(2000)])
    axes = first / np.linalg.norm(first, axis=1, keepdims=True)  # ± a uniform point of the sphere in ℝ³
    deviation = np.sqrt(4 / 45 / len(axes))  # Var(a²) = 1/5 − 1/9 = 4/45
    assert np.all(np.abs(np.mean(axes**2, axis=0) - 1 / 3) < 4 * deviation)
    assert np.all(np.abs(axes.mean(axis=0)) < 4 * np.sqrt(1 / 3 / len(axes)))


def test_random_frames_are_as_often_there_as_mirrored():
    """Householder's Q alone is not uniform: without the signs of diag R its columns have a mean that is not 0."""
    n, draws = 4, 2000
    left = [low_rank(n, 2, singular_values=[1, 1], directions=np.eye(2), rng=seed) for seed in range(draws)]
    atoms = [sparse_codes(1, n, n_atoms=n, n_nonzero=0, rng=seed).D for seed in range(draws)]
    for frames in (left, atoms):
        assert np.all(np.abs(np.mean(frames, axis=0)) < 4 * np.sqrt(1 / n / draws))


@pytest.mark.parametrize(
    ("n_samples", "options", "message"),
    [
        (3, {"eigenvalues": [3, 2, 1], "exact": True}, "3 nonzero components need at least 4 samples"),
        (9, {"eigenvalues": [3, -1e-9]}, "eigenvalues must not be negative"),
        (9, {"eigenvalues": [3, 2], "mean": [1, 2, 3]}, "mean has 3 entries, but there are 2 eigenvalues"),
        (9, {"eigenvalues": [3, 2], "mean": [1, np.nan]}, "mean must be a vector"),
        (9, {"eigenvalues": [3, 2], "directions": np.eye(3)}, r"directions must have shape \(2, 2\)"),
    ],
)
def test_a_covariance_that_is_none_is_refused(n_samples, options, message):
    with pytest.raises(ValueError, match=message):
        gaussian_with_spectrum(n_samples, **options)


# sparse codes


@given(K=st.integers(1, 20), N=st.integers(1, 20), share=st.floats(0, 1), seed=seeds, non_negative=st.booleans())
def test_data_are_codes_times_atoms_and_each_code_has_this_many_nonzeros(K, N, share, seed, non_negative):
    k = round(share * K)
    X, Z, D = sparse_codes(12, N, n_atoms=K, n_nonzero=k, rng=seed, non_negative=non_negative)
    assert (X.shape, Z.shape, D.shape) == ((12, N), (12, K), (K, N))
    assert np.count_nonzero(Z, axis=1).tolist() == [k] * 12
    assert np.array_equal(X, Z @ D)
    np.testing.assert_allclose(np.linalg.norm(D, axis=1), 1, rtol=1e-12)
    assert not non_negative or Z.min() >= 0
    if K <= N:
        np.testing.assert_allclose(D @ D.T, np.eye(K), atol=1e-12)
        np.testing.assert_allclose(X @ D.T, Z, atol=1e-12)


def test_every_position_is_equally_likely_to_be_in_the_support():
    Z = sparse_codes(4000, 20, n_atoms=20, n_nonzero=5, rng=0).Z
    frequency = np.mean(Z != 0, axis=0)
    assert np.all(np.abs(frequency - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 4000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_atoms": 4, "n_nonzero": 5}, "a code of 4 numbers cannot have 5 nonzeros"),
        ({"n_nonzero": -1}, "n_nonzero must be an integer of at least 0"),
        ({"n_atoms": 0}, "n_atoms"),
        ({"n_features": 0}, "n_features"),
        ({"n_samples": 0}, "n_samples"),
    ],
)
def test_a_code_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        sparse_codes(**({"n_samples": 5} | options))
