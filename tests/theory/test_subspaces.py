"""Principal angles and eigengaps, on subspaces whose angles are known by construction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae import theory

SEEDS = st.integers(0, 2**32 - 1)
ANGLES = st.one_of(
    st.floats(0, np.pi / 2), st.sampled_from([0.0, 1e-15, 1e-12, 1e-8, np.pi / 4, np.pi / 2 - 1e-12, np.pi / 2])
)


def at_angles(angles, N, seed):
    """Rows A, B (k, N) of two subspaces with exactly these principal angles, in a random frame."""
    k = len(angles)
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(N, N)))[0].T
    return Q[:k], np.cos(angles)[:, None] * Q[:k] + np.sin(angles)[:, None] * Q[k : 2 * k]


@given(st.lists(ANGLES, min_size=1, max_size=3), SEEDS)
def test_angles_are_found_to_rounding_however_small(angles, seed):
    angles = np.sort(angles)
    A, B = at_angles(angles, 7, seed)
    np.testing.assert_allclose(theory.principal_angles(A, B), angles, rtol=0, atol=3e-15)


@given(st.lists(ANGLES, min_size=2, max_size=3), SEEDS)
def test_angles_do_not_depend_on_the_bases_their_scale_or_the_frame(angles, seed):
    rng = np.random.default_rng(seed)
    A, B = at_angles(np.sort(angles), 7, seed)
    k = len(angles)
    C, D = (np.linalg.qr(rng.normal(size=(k, k)))[0] * 10.0 ** rng.uniform(-6, 6, size=(1, 1)) for _ in range(2))
    frame = np.linalg.qr(rng.normal(size=(7, 7)))[0]
    scaled = 10.0 ** rng.uniform(-100, 100, size=(k, 1)) * A  # rows of any length
    expected = theory.principal_angles(A, B)
    for a, b in ((C @ A, D @ B), (A @ frame, B @ frame), (B, A), (scaled, B[::-1])):
        np.testing.assert_allclose(theory.principal_angles(a, b), expected, rtol=0, atol=1e-14)


def test_the_whole_space_is_a_subspace():
    everything = np.random.default_rng(0).normal(size=(3, 3))
    np.testing.assert_allclose(theory.principal_angles(everything, np.eye(3)), 0, atol=1e-14)
    np.testing.assert_allclose(theory.principal_angles(everything, [[1.0, 2.0, 3.0]]), 0, atol=1e-14)


def test_an_angle_that_the_arc_cosine_cannot_see_is_seen():
    A, B = at_angles(np.array([1e-12, 2e-10]), 6, 0)
    np.testing.assert_allclose(theory.principal_angles(A, B), [1e-12, 2e-10], rtol=1e-3)
    cosines = np.minimum(np.linalg.svd(A @ B.T, compute_uv=False), 1)
    assert np.abs(np.arccos(cosines) - [1e-12, 2e-10]).max() > 1e-10  # what the textbook formula gives


@given(SEEDS)
def test_between_spaces_of_different_dimension_there_are_as_many_angles_as_the_smaller_has(seed):
    rng = np.random.default_rng(seed)
    A, x = rng.normal(size=(3, 6)), rng.normal(size=6)
    angle = theory.principal_angles(A, x[None])
    inside = A.T @ np.linalg.lstsq(A.T, x, rcond=None)[0]
    assert angle.shape == (1,)
    assert np.tan(angle[0]) == pytest.approx(np.linalg.norm(x - inside) / np.linalg.norm(inside), rel=1e-10)
    np.testing.assert_allclose(theory.principal_angles(A[:2], A), 0, atol=1e-14)


@given(SEEDS)
def test_the_largest_angle_is_the_distance_of_the_projectors(seed):
    rng = np.random.default_rng(seed)
    A, B = rng.normal(size=(2, 2, 5))
    P, Q = (np.linalg.pinv(M) @ M for M in (A, B))
    assert np.sin(theory.principal_angles(A, B)[-1]) == pytest.approx(np.linalg.norm(P - Q, 2), rel=1e-10)


@pytest.mark.parametrize(
    "A", [[[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]], np.ones((4, 3)), [[1.0, 1.0, 0.0], [1.0, 1.0, 1e-17]]]
)
def test_rows_that_do_not_span_their_dimension_are_refused(A):
    with pytest.raises(ValueError, match="linearly independent"):
        theory.principal_angles(np.eye(3)[:1], A)


def test_a_gap_on_both_sides_identifies_a_direction_and_one_below_a_subspace():
    spectrum = [4.0, 4.0, 3.0, 1.0, 1.0]
    cases = {
        1: (False, [False]),
        2: (True, [False, False]),
        3: (True, [False, False, True]),
        4: (False, [False, False, True, False]),
        5: (True, [False, False, True, False, False]),
    }
    for L, (subspace, directions) in cases.items():
        gap = theory.spectral_gap(spectrum, L)
        assert gap.subspace_identified == subspace
        assert gap.directions_identified.tolist() == directions
    assert theory.spectral_gap(spectrum, 2).relative == 0.25
    assert theory.spectral_gap([0.5, 0.25], 1).relative == 0.5


def test_what_carries_no_variance_identifies_nothing():
    assert not theory.spectral_gap([1.0, 0.0, 0.0], 2).subspace_identified
    assert not theory.spectral_gap([1.0, 0.0], 2).subspace_identified  # not even the whole space
    assert not theory.spectral_gap([0.0, 0.0], 1).subspace_identified
    assert theory.spectral_gap([0.0, 0.0], 1).relative == 0
    assert theory.spectral_gap([1.0, 0.5], 2).subspace_identified


def test_the_least_gap_that_counts_follows_the_precision_of_the_spectrum():
    spectrum = np.array([1.0, 1.0 - 1e-5, 0.5])
    assert theory.spectral_gap(spectrum, 1).subspace_identified
    assert not theory.spectral_gap(spectrum.astype(np.float32), 1).subspace_identified
    assert not theory.spectral_gap(spectrum, 1, rtol=1e-3).subspace_identified


@given(st.lists(st.floats(0, 8, width=16), min_size=3, max_size=6), st.integers(1, 2), st.floats(-6, 0.5), SEEDS)
def test_the_excess_loss_of_any_decoder_is_at_least_the_gap_times_the_squared_sines(spectrum, L, exponent, seed):
    rng = np.random.default_rng(seed)
    spectrum = np.sort(spectrum)[::-1]
    N = len(spectrum)
    V = np.linalg.qr(rng.normal(size=(N, N)))[0].T
    decoder = V[:L] + 10**exponent * rng.normal(size=(L, N))
    P = np.linalg.pinv(decoder) @ decoder
    S = V.T * spectrum @ V
    excess = spectrum[:L].sum() - np.trace(P @ S)  # over the best, with the best encoder
    angles = theory.principal_angles(decoder, V[:L])
    gap = spectrum[L - 1] - spectrum[L]
    rounding = 1e-14 * spectrum[0]
    assert excess >= gap * np.sum(np.sin(angles) ** 2) - rounding
    if gap > 1e-3:
        assert angles[-1] <= theory.angle_bound(max(excess, 0) + rounding, gap) + 1e-14


def test_the_angle_bound_is_attained_by_turning_one_direction_into_the_next():
    spectrum, angle = np.array([3.0, 1.0]), 0.3
    w = np.array([np.cos(angle), np.sin(angle)])
    excess = spectrum[0] - w @ np.diag(spectrum) @ w
    assert theory.angle_bound(excess, 2.0) == pytest.approx(angle, rel=1e-14)
    assert theory.angle_bound(5.0, 2.0) == np.pi / 2


def test_subspaces_are_compared_only_where_the_spectrum_defines_them():
    A, B = at_angles(np.array([0.1, 0.2]), 5, 0)
    np.testing.assert_allclose(theory.compare_subspaces(A, B, spectrum=[5, 4, 3, 2, 1]), [0.1, 0.2], atol=1e-14)
    np.testing.assert_allclose(theory.compare_subspaces(A, B), [0.1, 0.2], atol=1e-14)
    np.testing.assert_allclose(theory.compare_subspaces(A, B, spectrum=[5, 5, 3, 2, 1]), [0.1, 0.2], atol=1e-14)
    with pytest.raises(ValueError, match=r"λ_2 − λ_3 = 0.*do not define one"):
        theory.compare_subspaces(A, B, spectrum=[5, 4, 4, 2, 1])
    with pytest.raises(ValueError, match="5 entries are needed"):
        theory.compare_subspaces(A, B, spectrum=[5, 4])
    with pytest.raises(ValueError, match="2 rows are needed"):
        theory.compare_subspaces(A, B[:1])


def test_directions_are_compared_only_where_every_one_is_defined():
    A, B = at_angles(np.array([1e-9, 0.2]), 5, 0)
    signed = B * [[-3.0], [2.0]]
    np.testing.assert_allclose(theory.compare_directions(A, signed, spectrum=[5, 4, 3, 2, 1]), [1e-9, 0.2], atol=1e-14)
    assert theory.compare_directions(A, A[::-1], spectrum=[5, 4, 3, 2, 1]) == pytest.approx(np.pi / 2)  # order counts
    with pytest.raises(ValueError, match="eigenvalue 1, 2 "):
        theory.compare_directions(A, B, spectrum=[5, 5, 3, 2, 1])


def test_wrong_spectra_are_refused():
    with pytest.raises(ValueError, match="descending"):
        theory.spectral_gap([1.0, 2.0], 1)
    with pytest.raises(ValueError, match="not negative"):
        theory.spectral_gap([1.0, -2.0], 1)
    for L in (0, 3):
        with pytest.raises(ValueError, match=f"n_components={L}"):
            theory.spectral_gap([2.0, 1.0], L)
    with pytest.raises(ValueError, match="gap"):
        theory.angle_bound(0.1, 0.0)
