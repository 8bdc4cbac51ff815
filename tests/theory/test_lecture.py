"""Rows 18 and 19: the line x = (2α, α) and the circle."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograd_ae import theory

D = np.array([2.0, 1.0])
ALPHA = np.linspace(-2, 3, 11)
LINE = ALPHA[:, None] * D
COORDINATES = st.floats(-4, 4, width=16)
ENCODERS = st.tuples(COORDINATES, COORDINATES).map(np.array)


def dense_circle(n=20_000):
    return theory.circle_points(np.linspace(0, 2 * np.pi, n, endpoint=False))


# --- the line


@given(ENCODERS)
def test_the_stated_decoder_recovers_every_point_of_the_line_and_is_the_only_one(w):
    assume(abs(w @ D) > 0.01)
    decoder = theory.rank_one_decoder(w)
    np.testing.assert_allclose(np.outer(LINE @ w, decoder), LINE, atol=1e-12 * np.abs(w).max() / abs(w @ D) + 1e-12)
    fitted = np.linalg.lstsq((LINE @ w)[:, None], LINE, rcond=None)[0][0]
    np.testing.assert_allclose(decoder, fitted, rtol=1e-11, atol=1e-11)
    assert w @ decoder == pytest.approx(1, rel=1e-12)
    assert decoder[0] == pytest.approx(2 * decoder[1], rel=1e-12)  # ŵ ∝ (2, 1)


def test_gradient_descent_on_the_line_ends_in_the_family():
    for seed in range(5):
        w, decoder = np.random.default_rng(seed).normal(size=(2, 2))
        for _ in range(4000):
            R = np.outer(LINE @ w, decoder) - LINE
            w, decoder = w - 0.02 / len(LINE) * LINE.T @ R @ decoder, decoder - 0.02 / len(LINE) * R.T @ LINE @ w
        np.testing.assert_allclose(decoder, theory.rank_one_decoder(w), atol=1e-12)
        assert theory.rank_one_amplification(w) > 1 + 1e-6  # any of them, hardly ever PCA's


def test_the_projector_of_the_lecture_is_oblique_and_that_of_pca_orthogonal():
    lecture, pca = theory.rank_one_projector([1.0, -1.0]), theory.rank_one_projector(D)
    np.testing.assert_allclose(lecture.T, np.outer([2, 1], [1, -1]))  # ŵwᵀ, samples in columns
    np.testing.assert_allclose(pca, [[0.8, 0.4], [0.4, 0.2]], atol=1e-15)
    V = theory.eckart_young(LINE, 1).components_
    np.testing.assert_allclose(pca, V.T @ V, atol=1e-14)
    for P in (lecture, pca):
        np.testing.assert_allclose(P @ P, P, atol=1e-14)
        np.testing.assert_allclose(LINE @ P, LINE, atol=1e-13)
        assert np.abs(P - np.eye(2)).max() > 0.1  # and yet not the identity
    assert np.abs(lecture - lecture.T).max() == 3
    assert np.abs(pca - pca.T).max() < 1e-15


@given(ENCODERS)
def test_the_amplification_is_the_spectral_norm_and_least_for_pca(w):
    assume(abs(w @ D) > 0.01)
    amplification = theory.rank_one_amplification(w)
    assert amplification == pytest.approx(np.linalg.norm(theory.rank_one_projector(w), 2), rel=1e-11)
    assert amplification >= theory.rank_one_amplification(D) - 1e-12 == pytest.approx(1, abs=1e-11)


def test_the_line_may_point_anywhere_in_any_dimension():
    d = np.array([1.0, -2.0, 0.5, 3.0])
    np.testing.assert_allclose(d @ theory.rank_one_projector([1.0, 1.0, 1.0, 1.0], d), d)


def test_an_encoder_that_sees_nothing_is_refused():
    with pytest.raises(ValueError, match="orthogonal to the direction"):
        theory.rank_one_decoder([1.0, -2.0])
    with pytest.raises(ValueError, match="orthogonal to the direction"):
        theory.rank_one_decoder([0.0, 0.0])
    with pytest.raises(ValueError, match="zero vector"):
        theory.rank_one_decoder([1.0, 1.0], [0.0, 0.0])
    with pytest.raises(ValueError, match="2 entries are needed"):
        theory.rank_one_decoder([1.0, 1.0, 1.0])


# --- the circle


@given(ENCODERS, st.integers(3, 50))
def test_every_line_leaves_one_half_of_the_circle(direction, n):
    assume(np.abs(direction).max() > 1e-3)
    assert theory.circle_line_loss(direction) == 0.5
    w = direction / np.linalg.norm(direction)
    X = theory.circle_points(2 * np.pi * np.arange(n) / n)
    assert np.sum((X - np.outer(X @ w, w)) ** 2) / n == pytest.approx(0.5, abs=1e-14)


def test_no_direction_of_the_circle_is_identified():
    gap = theory.spectral_gap(theory.spectrum(dense_circle(90)), 1)
    assert not gap.subspace_identified
    assert theory.eckart_young(dense_circle(90), 1).loss_ == pytest.approx(0.5, rel=1e-14)


@pytest.mark.parametrize("cut", [3.0, 0.3, 0.01])
def test_a_cut_code_has_the_stated_mean_error_and_is_continuous(cut):
    theta = (np.arange(400_000) + 0.5) * 2 * np.pi / 400_000
    code = theory.cut_circle_code(theta, cut=cut)
    error = np.sum((theory.circle_points(theta) - theory.circle_points(code)) ** 2, axis=1)
    assert error.mean() == pytest.approx(cut / np.pi, rel=1e-4)
    assert np.sqrt(error.max()) == pytest.approx(2, abs=1e-4)  # however small the mean
    steepest = max(1.0, (2 * np.pi - cut) / cut)
    assert np.abs(np.diff(code, append=code[0])).max() <= 1.01 * steepest * 2 * np.pi / 400_000


def test_the_cut_code_is_periodic():
    theta = np.linspace(0, 6, 7)
    for turns in (-1, 1, 5):
        np.testing.assert_allclose(
            theory.cut_circle_code(theta + 2 * np.pi * turns, cut=0.5),
            theory.cut_circle_code(theta, cut=0.5),
            atol=1e-12,
        )


def trigonometric(seed, degree=4):
    """A random continuous encoder of the circle, as any network is."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, degree))
    k = np.arange(1, degree + 1)

    def encoder(points):
        theta = np.arctan2(points[:, 0], points[:, 1])[:, None]
        return np.sum(a * np.sin(k * theta) + b * np.cos(k * theta), axis=1)

    return encoder


@given(st.integers(0, 2**32 - 1))
def test_every_continuous_encoder_has_an_antipodal_pair_of_one_code(seed):
    encoder = trigonometric(seed)
    pair = theory.borsuk_ulam(encoder)
    np.testing.assert_array_equal(pair.points[0], -pair.points[1])
    np.testing.assert_allclose(pair.points[:1], theory.circle_points([pair.angle]), atol=1e-16)
    np.testing.assert_array_equal(pair.codes, encoder(pair.points))
    assert pair.code_gap == abs(pair.codes[0] - pair.codes[1]) < 1e-13
    assert (pair.bound, pair.outputs, pair.errors) == (1, None, None)


@given(st.integers(0, 2**32 - 1))
def test_every_decoder_fails_at_that_pair_and_so_on_the_circle(seed):
    encoder = trigonometric(seed)
    angles = np.linspace(0, 2 * np.pi, 400)
    codes = encoder(theory.circle_points(angles))
    order = np.argsort(codes)

    def decoder(z):  # a good one: interpolates the true points by their codes
        return theory.circle_points(np.interp(z, codes[order], angles[order]))

    pair = theory.borsuk_ulam(encoder, decoder)
    np.testing.assert_allclose(pair.errors, np.linalg.norm(pair.points - decoder(encoder(pair.points)), axis=1))
    assert pair.errors.max() >= pair.bound >= 1 - 1e-6
    dense = dense_circle(2000)
    assert np.linalg.norm(dense - decoder(encoder(dense)), axis=1).max() >= 1 - 1e-2


@pytest.mark.parametrize(("apart", "bound"), [(2.0, 0.0), (1.0, 0.5), (0.5, 0.75), (5.0, 0.0)])
def test_what_a_pair_proves_shrinks_with_the_distance_of_its_outputs(apart, bound):
    def encoder(points):  # a jump too small to be told from rounding: no two codes are quite equal
        u = points @ [0.6, 0.8]
        return u + np.copysign(1e-12, u)

    points = theory.borsuk_ulam(encoder).points
    pair = theory.borsuk_ulam(encoder, lambda z: apart / 2 * points)  # exact answers where apart is 2
    assert 0 < pair.code_gap < 1e-11
    assert pair.bound == pytest.approx(bound, abs=1e-15)
    assert pair.errors.max() == pytest.approx(abs(1 - apart / 2), abs=1e-15)


def test_the_bound_is_sharp():
    pair = theory.borsuk_ulam(lambda points: 0 * points[:, 0], lambda z: np.zeros((len(z), 2)))
    assert pair.errors.max() == pair.bound == 1


def test_the_cut_code_cannot_escape_its_worst_point():
    def encoder(points):
        return theory.cut_circle_code(np.arctan2(points[:, 0], points[:, 1]), cut=0.01)

    pair = theory.borsuk_ulam(encoder, theory.circle_points)
    assert pair.errors.max() == pytest.approx(2, abs=1e-6)
    assert pair.code_gap < 1e-9


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_codes_may_be_columns_and_of_either_precision(dtype):
    W = np.random.default_rng(0).normal(size=(2, 8)).astype(dtype)
    v = np.random.default_rng(1).normal(size=(8, 1)).astype(dtype)
    pair = theory.borsuk_ulam(lambda x: np.tanh(x.astype(dtype) @ W + 1) @ v, lambda z: np.hstack([z, z]))
    assert pair.code_gap <= 30 * np.finfo(dtype).eps
    assert pair.errors.max() >= pair.bound > 0.999


def test_a_code_that_is_cut_is_recognised_and_refused():
    with pytest.raises(ValueError, match="jumps by"):
        theory.borsuk_ulam(lambda points: np.arctan2(points[:, 0], points[:, 1]))


def test_a_circular_code_is_refused_since_the_theorem_does_not_hold_for_it():
    with pytest.raises(ValueError, match="one number each"):
        theory.borsuk_ulam(lambda points: points)


def test_wrong_outputs_are_refused():
    with pytest.raises(ValueError, match="NaN or infinity"):
        theory.borsuk_ulam(lambda points: np.full(len(points), np.nan))
    with pytest.raises(ValueError, match=r"points of shape \(2, 2\)"):
        theory.borsuk_ulam(lambda points: points[:, 0], lambda z: np.zeros((2, 3)))
    with pytest.raises(ValueError, match="cut"):
        theory.cut_circle_code([0.0], cut=7.0)
