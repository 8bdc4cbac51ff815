"""compare(model, reference): excess loss and angles for anything that has the attributes, and what it refuses."""

from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae import theory


class Trained:
    """A linear autoencoder with this decoder and the best encoder and biases for it: what training would leave."""

    def __init__(self, X, decoder, attribute="components_"):
        setattr(self, attribute, np.asarray(decoder))
        self.projector = np.linalg.pinv(decoder) @ decoder
        self.mean = X.mean(axis=0)
        self.loss_ = self.reconstruction_error(X)

    def reconstruction_error(self, X):
        residual = (X - self.mean) @ (np.eye(len(self.projector)) - self.projector)
        return float(np.sum(residual**2) / len(X))


def data(scales=(4.0, 2.0, 1.0, 0.5), seed=0):
    rng = np.random.default_rng(seed)
    N = len(scales)
    Z = rng.normal(size=(30, N))
    U = np.linalg.qr(Z - Z.mean(axis=0))[0] * np.sqrt(30)
    return U * scales @ np.linalg.qr(rng.normal(size=(N, N)))[0] + 1.0  # spectrum: scales squared


@given(st.integers(0, 2**32 - 1), st.floats(-7, 0))
def test_a_perturbed_optimum_is_found_as_far_off_as_it_is_and_within_the_bound(seed, exponent):
    X = data(seed=seed)
    best = theory.eckart_young(X, 2)
    C = np.random.default_rng(seed).normal(size=(2, 2)) + 3 * np.eye(2)
    noise = 10**exponent * np.random.default_rng(seed + 1).normal(size=(2, 4))
    model = Trained(X, C @ (best.components_ + noise))
    found = theory.compare(model, best)
    assert found.excess_loss == model.loss_ - best.loss_
    assert found.relative_excess_loss == found.excess_loss / best.loss_
    np.testing.assert_array_equal(found.principal_angles, theory.principal_angles(model.components_, best.components_))
    assert found.largest_angle == found.principal_angles[-1]
    assert found.largest_angle <= theory.angle_bound(max(found.excess_loss, 0) + 1e-14, found.gap.gap) + 1e-13
    assert found.gap.subspace_identified


def test_data_may_stand_for_the_reference():
    X = data()
    best = theory.eckart_young(X, 2)
    model = Trained(X, best.components_ + 1e-3)
    by_data, by_optimum = theory.compare(model, X), theory.compare(model, best)
    assert by_data.excess_loss == pytest.approx(by_optimum.excess_loss, rel=1e-9)
    np.testing.assert_array_equal(by_data.principal_angles, by_optimum.principal_angles)
    assert "the closed form" in by_data.text
    assert theory.compare(model, X.tolist()).excess_loss == by_data.excess_loss


def test_a_decoder_weight_serves_where_there_are_no_components():
    X = data()
    best = theory.eckart_young(X, 2)
    assert theory.compare(Trained(X, best.components_, "decoder_weight_"), best).largest_angle < 1e-13


def test_two_trained_models_are_compared_without_a_spectrum_and_the_gap_is_called_unknown():
    X = data()
    decoder = theory.eckart_young(X, 2).components_
    found = theory.compare(Trained(X, decoder), Trained(X, [[1, 2], [0, 1]] @ decoder))
    assert found.largest_angle < 1e-13
    assert (found.gap, found.angle_bound) == (None, None)
    assert "unknown" in str(found)


def test_without_an_eigengap_the_losses_are_compared_and_the_subspaces_are_not():
    X = data(scales=(3.0, 2.0, 2.0, 1.0))
    model = Trained(X, np.linalg.svd(X - X.mean(axis=0))[2][[0, 2]])  # as good as components 1 and 2
    found = theory.compare(model, theory.eckart_young(X, 2))
    assert abs(found.relative_excess_loss) < 1e-13
    assert (found.principal_angles, found.largest_angle, found.angle_bound) == (None, None, None)
    assert "NOT identified" in found.text
    assert "not compared" in found.text
    assert theory.compare(Trained(X, model.components_[:1]), theory.eckart_young(X, 1)).largest_angle < 1e-12


def test_the_table_says_everything_in_lines_that_fit():
    X = data()
    text = str(theory.compare(Trained(X, theory.eckart_young(X, 3).components_ + 1e-4), X))
    assert text.startswith("Trained against the closed form: 3 of 4 dimensions\n")
    for word in (
        "loss",
        "excess loss",
        "relative",
        "eigengap",
        "λ_3 − λ_4 = 0.75",
        "largest angle",
        "allows",
        "all angles",
    ):
        assert word in text
    assert max(map(len, text.splitlines())) <= 100
    assert "caution" not in text
    many = np.eye(20)[:9]
    model = SimpleNamespace(components_=many, loss_=1.0)
    assert "…" in theory.compare(model, model).text


def test_a_perfect_reference_has_a_relative_excess_of_zero_or_infinity():
    exact = SimpleNamespace(components_=np.eye(2), loss_=0.0)
    assert theory.compare(exact, exact).relative_excess_loss == 0
    assert theory.compare(SimpleNamespace(components_=np.eye(2), loss_=1e-9), exact).relative_excess_loss == np.inf


def test_a_loss_below_the_optimum_is_called_suspect():
    X = data()
    found = theory.compare(Trained(X[:20], theory.eckart_young(X[:20], 2).components_), theory.eckart_young(X * 1.1, 2))
    assert found.excess_loss < 0
    assert "not the same data" in found.text


def test_a_comparison_cannot_be_altered():
    exact = SimpleNamespace(components_=np.eye(2), loss_=0.0)
    with pytest.raises(FrozenInstanceError):
        theory.compare(exact, exact).excess_loss = 1.0


def test_float32_components_are_compared_in_float64():
    X = data()
    best = theory.eckart_young(X, 2)
    rounded = SimpleNamespace(components_=best.components_.astype(np.float32), loss_=np.float32(best.loss_))
    found = theory.compare(rounded, best)
    assert 1e-10 < found.largest_angle < 1e-7


def test_what_cannot_be_compared_is_refused_with_the_missing_name():
    X = data()
    best = theory.eckart_young(X, 2)
    with pytest.raises(TypeError, match="SimpleNamespace, which has no `components_`"):
        theory.compare(SimpleNamespace(loss_=1.0), best)
    with pytest.raises(TypeError, match="reference: of type SimpleNamespace, which has no `components_`"):
        theory.compare(best, SimpleNamespace())
    with pytest.raises(TypeError, match="has no `loss_`"):
        theory.compare(SimpleNamespace(components_=np.eye(4)[:2]), best)
    with pytest.raises(TypeError, match="has no `reconstruction_error`"):
        theory.compare(SimpleNamespace(components_=np.eye(4)[:2]), X)
    with pytest.raises(ValueError, match=r"\(2, 4\).*\(3, 4\)"):
        theory.compare(best, theory.eckart_young(X, 3))
    with pytest.raises(ValueError, match="NaN"):
        theory.compare(SimpleNamespace(components_=np.full((2, 4), np.nan), loss_=1.0), best)
    with pytest.raises(ValueError, match="finite"):
        theory.compare(SimpleNamespace(components_=np.eye(4)[:2], loss_=np.nan), best)
    with pytest.raises(ValueError, match="spectrum: 4 entries"):
        theory.compare(best, SimpleNamespace(components_=np.eye(4)[:2], loss_=1.0, spectrum_=[5.0, 4.0, 3.0, 2.0, 1.0]))


def test_fewer_samples_than_features_leave_the_rest_of_the_spectrum_zero():
    import autograd_ae as ae

    X = np.random.default_rng(0).normal(size=(10, 30))
    found = ae.theory.compare(ae.LinearPCA(2, random_state=0).fit(X), ae.PCA(2).fit(X))
    assert found.relative_excess_loss < 1e-6
    assert found.largest_angle < 1e-3


def test_a_spectrum_that_stops_before_the_gap_leaves_it_unknown_and_zeros_may_be_left_out():
    X = data(scales=(3.0, 2.0, 0.0, 0.0))
    best = theory.eckart_young(X, 2)

    def gap(spectrum):
        reference = SimpleNamespace(components_=best.components_, loss_=1.0, spectrum_=np.asarray(spectrum))
        return theory.compare(best, reference).gap

    assert gap([9.0, 4.0]) is None  # truncated, as explained_variance_ is
    assert gap([9.0, 4.0, 0.0]).gap == gap([9.0, 4.0, 0.0, 0.0]).gap == 4
    whole = SimpleNamespace(components_=np.eye(4), loss_=1.0, spectrum_=np.ones(4))
    assert theory.compare(whole, whole).gap.gap == 1


def test_a_float32_spectrum_resolves_only_float32_gaps():
    spectrum = np.array([1.0, 1.0 - 1e-5, 0.5, 0.1])
    for dtype, identified in ((np.float64, True), (np.float32, False)):
        model = SimpleNamespace(components_=np.eye(4)[:1], loss_=1.0, spectrum_=spectrum.astype(dtype))
        assert theory.compare(model, model).gap.subspace_identified == identified
