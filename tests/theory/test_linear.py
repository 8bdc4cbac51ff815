"""Rows 1, 3, 4 and 20: the linear autoencoder's optimum, against routes that know no eigenvalue."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_ae import theory


def samples(max_side=7):
    """Any data at all: ties, constant columns, fewer samples than features."""
    shapes = st.tuples(st.integers(1, max_side), st.integers(1, max_side))
    return shapes.flatmap(lambda s: hnp.arrays(np.float64, s, elements=st.floats(-8, 8, width=16)))


def with_spectrum(rng, B, spectrum, offset=3.0):
    """(B, N) with exactly this covariance spectrum, in a random basis, away from the origin."""
    N = len(spectrum)
    Z = rng.normal(size=(B, N))
    U = np.linalg.qr(Z - Z.mean(axis=0))[0]
    V = np.linalg.qr(rng.normal(size=(N, N)))[0]
    return U * np.sqrt(B * np.asarray(spectrum)) @ V.T + offset * rng.normal(size=N)


def best_affine_decoder_error(codes, X):
    """min over W₂, b₂ of ‖X − ZW₂ − b₂‖²/B by least squares on [Z, 1]."""
    design = np.column_stack([codes, np.ones(len(X))])
    fit = np.linalg.lstsq(design, X, rcond=None)[0]
    return np.sum((X - design @ fit) ** 2) / len(X), fit


@pytest.mark.parametrize("L", [1, 2, 4])
def test_alternating_least_squares_ends_at_the_optimum_and_its_subspace(L):
    rng = np.random.default_rng(L)
    X = with_spectrum(rng, 50, [9.0, 4.0, 2.0, 1.0, 0.3, 0.1])
    codes = rng.normal(size=(50, L))
    for _ in range(200):  # the error shrinks by λ_{L+1}/λ_L ≤ ½ each time
        loss, fit = best_affine_decoder_error(codes, X)
        codes = np.linalg.lstsq(fit[:L].T, (X - fit[L]).T, rcond=None)[0].T
    optimum = theory.eckart_young(X, L)
    assert loss == pytest.approx(optimum.loss_, rel=1e-12)
    assert theory.principal_angles(fit[:L], optimum.components_)[-1] < 1e-12


@given(samples(), st.integers(0, 7))
def test_the_optimum_is_the_tail_of_the_covariance_spectrum_and_is_attained(X, L):
    L = min(L, X.shape[1])
    optimum = theory.eckart_young(X, L)
    reference = np.linalg.eigvalsh(np.cov(X.T, bias=True).reshape(X.shape[1], -1))[::-1]
    scale = 1e-14 * max(1.0, np.sum(X**2))
    np.testing.assert_allclose(optimum.spectrum_, np.maximum(reference, 0), rtol=0, atol=scale)
    assert optimum.loss_ == pytest.approx(reference[L:].sum(), abs=scale)
    assert optimum.reconstruction_error(X) == pytest.approx(optimum.loss_, abs=scale)
    np.testing.assert_allclose(optimum.components_ @ optimum.components_.T, np.eye(L), atol=1e-13)


@given(samples(), st.integers(1, 4), st.integers(0, 2**32 - 1), st.booleans())
def test_no_encoder_beats_the_bourlard_kamp_bound_through_one_linear_layer(X, L, seed, bias):
    rng = np.random.default_rng(seed)
    hidden = np.tanh(X @ rng.normal(size=(X.shape[1], 9)) + rng.normal(size=9))
    codes = np.sin(3 * hidden @ rng.normal(size=(9, L)))
    if bias:
        loss = best_affine_decoder_error(codes, X)[0]
    else:
        loss = np.sum((X - codes @ np.linalg.lstsq(codes, X, rcond=None)[0]) ** 2) / len(X)
    assert loss >= theory.bourlard_kamp_bound(X, L, bias=bias) - 1e-13 * max(1.0, np.sum(X**2))


def test_principal_codes_attain_the_bourlard_kamp_bound():
    X = with_spectrum(np.random.default_rng(0), 30, [5.0, 3.0, 1.0, 0.5])
    for L in (1, 2, 3):
        codes = X @ theory.eckart_young(X, L).components_.T
        assert best_affine_decoder_error(codes, X)[0] == pytest.approx(theory.bourlard_kamp_bound(X, L), rel=1e-13)


def test_a_second_decoder_layer_can_break_the_bourlard_kamp_bound():
    theta = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    X = np.column_stack([np.sin(theta), np.cos(theta)])
    decoded = np.column_stack([np.sin(theta), np.cos(theta)])  # code θ, nonlinear decoder
    assert np.sum((X - decoded) ** 2) == 0 < 0.49 < theory.bourlard_kamp_bound(X, 1)


def test_a_code_wider_than_the_data_has_bound_zero_and_no_code_the_plateau():
    X = [[1.0, 2.0], [3.0, 5.0]]
    assert theory.bourlard_kamp_bound(X, 100) == 0
    assert theory.bourlard_kamp_bound(X, 0) == pytest.approx(theory.mean_image_plateau(X), rel=1e-14)


@given(samples(), st.integers(0, 2**32 - 1))
def test_the_loss_does_not_see_rotation_translation_or_the_order_of_samples(X, seed):
    rng = np.random.default_rng(seed)
    N = X.shape[1]
    rotation = np.linalg.qr(rng.normal(size=(N, N)))[0]
    moved = rng.permutation(X) @ rotation + rng.normal(size=N)
    for L in range(N + 1):
        assert theory.eckart_young(moved, L).loss_ == pytest.approx(
            theory.eckart_young(X, L).loss_, abs=1e-13 * max(1.0, np.sum(X**2))
        )


@given(samples(), st.sampled_from([2.0**-20, 0.25, 3.0, 1024.0]), st.integers(1, 3))
def test_scaling_the_data_squares_the_spectrum_and_repeating_them_changes_nothing(X, scale, times):
    spectrum = theory.spectrum(X)
    tolerance = 1e-14 * max(1.0, np.sum(X**2))
    np.testing.assert_allclose(theory.spectrum(scale * X) / scale**2, spectrum, rtol=0, atol=tolerance)
    np.testing.assert_allclose(theory.spectrum(np.tile(X, (times, 1))), spectrum, rtol=0, atol=tolerance)


@given(samples())
def test_without_a_bias_the_moments_are_taken_about_the_origin_and_the_loss_is_no_lower(X):
    raw = np.linalg.svd(X, compute_uv=False) ** 2 / len(X)
    scale = 1e-14 * max(1.0, np.sum(X**2))
    np.testing.assert_allclose(theory.spectrum(X, bias=False)[: len(raw)], raw, rtol=0, atol=scale)
    for L in range(X.shape[1] + 1):
        assert theory.eckart_young(X, L, bias=False).loss_ >= theory.eckart_young(X, L).loss_ - scale


@given(samples(), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_optimal_biases_do_the_centring(X, L, seed):
    rng = np.random.default_rng(seed)
    N = X.shape[1]
    W1, W2, b1 = rng.normal(size=(N, L)), rng.normal(size=(L, N)), rng.normal(size=L)
    b2 = theory.optimal_decoder_bias(X, W1, W2, b1)
    centred = X - X.mean(axis=0)
    residual = X - (X @ W1 + b1) @ W2 - b2
    np.testing.assert_allclose(residual, centred - centred @ W1 @ W2, atol=1e-11)
    np.testing.assert_allclose(residual.mean(axis=0), 0, atol=1e-12)  # ∂/∂b₂ = 0


def test_the_lossless_dimension_is_where_the_loss_becomes_zero():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 8)) + 5 * rng.normal(size=8)
    assert theory.lossless_dimension(X) == 3
    assert theory.lossless_dimension(X, bias=False) == 4  # the mean is a direction of its own
    total = theory.eckart_young(X, 0).loss_
    assert theory.eckart_young(X, 2).loss_ > 1e-3 * total
    for L in (3, 5, 8):
        optimum = theory.eckart_young(X, L)
        assert optimum.loss_ < 1e-28 * total
        np.testing.assert_allclose(optimum.reconstruct(X), X, atol=1e-13)  # the identity, on the data only
    stranger = rng.normal(size=(1, 8))
    assert theory.eckart_young(X, 3).reconstruction_error(stranger) > 1e-2


@given(samples())
def test_the_lossless_dimension_is_the_rank_of_the_centred_data(X):
    assert theory.lossless_dimension(X) == np.linalg.matrix_rank(X - X.mean(axis=0), tol=1e-10)
    assert theory.lossless_dimension(X, bias=False) == np.linalg.matrix_rank(X, tol=1e-10)


@pytest.mark.parametrize(("s_last", "rank"), [(1e-13, 3), (1e-16, 2)])
def test_a_direction_counts_if_it_is_more_than_rounding(s_last, rank):
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.normal(size=(side, 3)))[0] for side in (100, 5))
    assert theory.lossless_dimension(U * [1.0, 0.5, s_last] @ V.T, bias=False) == rank


@pytest.mark.parametrize(("B", "N"), [(80, 12), (9, 14), (12, 12)])
def test_small_singular_values_are_as_exact_as_from_an_svd(B, N):
    rng = np.random.default_rng(B)
    s = 10.0 ** -np.linspace(0, 13, min(B, N))
    U, V = (np.linalg.qr(rng.normal(size=(side, s.size)))[0] for side in (B, N))
    X = U * s @ V.T
    _, spectrum, axes = theory.principal_axes(X, bias=False)
    np.testing.assert_allclose(np.sqrt(B * spectrum[: s.size]), s, rtol=0, atol=4e-15)
    np.testing.assert_allclose(np.linalg.norm(X @ axes.T, axis=0)[: s.size], s, rtol=0, atol=4e-15)
    np.testing.assert_allclose(axes @ axes.T, np.eye(N), atol=2e-14)
    assert np.all(np.diff(spectrum) <= 0)


@given(samples())
def test_the_entry_of_largest_size_of_every_axis_is_positive(X):
    _, _, axes = theory.principal_axes(X)
    assert np.all(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)] > 0)


def test_float32_and_integer_data_give_the_float64_answer_for_the_same_numbers():
    X = np.random.default_rng(0).integers(0, 255, size=(20, 5))
    exact = theory.eckart_young(X.astype(np.float64), 2)
    for same in (X, X.astype(np.uint8), X.astype(np.float32), X.tolist(), np.asfortranarray(X), X[::-1][::-1]):
        optimum = theory.eckart_young(same, 2)
        assert optimum.loss_ == pytest.approx(exact.loss_, rel=1e-14)
        assert optimum.components_.dtype == optimum.spectrum_.dtype == np.float64


def test_the_data_are_not_changed():
    X = np.random.default_rng(0).normal(size=(6, 3))
    before = X.copy()
    theory.eckart_young(X, 2).reconstruct(X)
    np.testing.assert_array_equal(X, before)
