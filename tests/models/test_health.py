"""What the summary says is wrong with a net, on nets of which it is known."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.models.health import cross_entropy_levels, dead_latents


@pytest.fixture
def X(rng):
    return rng.uniform(0.1, 0.9, size=(30, 6))


def tiny(X, **settings):
    return ae.Autoencoder(**{"hidden_layer_sizes": (5,), "max_iter": 1, "random_state": 0} | settings).fit(X)


def test_floor_and_collapse_level_are_those_of_the_theory(X):
    for data in (X, np.round(X), X.astype(np.float32)):
        found = cross_entropy_levels(data)
        assert found["floor"] == pytest.approx(ae.theory.cross_entropy_floor(data), rel=1e-12)
        assert found["collapse_level"] == pytest.approx(ae.theory.collapse_level(data), rel=1e-12)


def test_a_cross_entropy_stands_between_its_floor_and_the_collapse_level(X):
    model = tiny(X, reconstruction_loss="bce", max_iter=300, learning_rate_init=1e-2)
    found = model.diagnostics(X)
    assert found["cross_entropy"] == pytest.approx(model.loss(X).item(), rel=1e-12)
    assert found["floor"] < found["cross_entropy"] < found["collapse_level"]
    assert f"collapse level        {found['collapse_level']:.6g} nats" in model.summary(X)
    assert "cross_entropy" not in tiny(X).diagnostics(X)


def test_a_latent_that_stands_still_is_dead(X):
    model = tiny(X, code_activation="identity")
    assert model.diagnostics(X)["dead_latents"] == 0
    model.encoder_.layers[-1].W.data[:, 1] = 0.0
    assert model.diagnostics(X)["dead_latents"] == 1
    assert "dead latents          1 of 2" in model.summary(X)
    assert dead_latents(np.ones((4, 3))) == 3


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_saturated_units_are_counted_in_the_hidden_layers_of_both_nets(X, activation):
    model = tiny(X, activation=activation)
    for p in model.parameters():
        p.data *= 0.1
    before = model.diagnostics(X)["saturated_share"]
    model.encoder_.layers[0].b.data[:2] = 100.0
    model.decoder_.layers[0].b.data[:] = -100.0
    assert before == 0.0
    assert model.diagnostics(X)["saturated_share"] == pytest.approx(7 / 10)
    assert "saturated units       70.0%" in model.summary(X)


def test_silent_relus_are_counted(X):
    model = tiny(X, activation="relu")
    model.encoder_.layers[0].b.data[:3] = -100.0
    found = model.diagnostics(X)
    assert found["silent_units"] >= 3
    assert "saturated_share" not in found
    assert f"silent units          {found['silent_units']}   (hidden relus" in model.summary(X)


def test_nets_without_hidden_units_have_none_that_fail(X):
    found = ae.LinearPCA(2, max_iter=50, random_state=0).fit(X).diagnostics(X)
    assert set(found) == {"error", "plateau", "dead_latents"}
    assert ae.PCA(2).fit(X).diagnostics(X)["dead_latents"] == 0


def test_the_share_of_active_code_units_is_their_l0_norm(X):
    model = ae.SparseAE(4, penalty="l1", code_activation="relu", max_iter=1, random_state=0).fit(X)
    Z = model.transform(X)
    assert model.active_share(X) == np.count_nonzero(Z) / Z.size
    assert model.diagnostics(X)["active_share"] == model.active_share(X, threshold=0.1) == np.mean(Z > 0.1)
    with pytest.raises(ValueError, match="threshold is -1"):
        model.active_share(X, threshold=-1)


def test_a_denoisers_summary_has_the_error_of_spoiled_samples_the_same_each_time(X):
    model = ae.DenoisingAE(3, hidden_layer_sizes=(), corruption_level=0.2, max_iter=1, random_state=0).fit(X)
    found = model.diagnostics(X)
    assert found == model.diagnostics(X)
    assert found["denoising_error"] == model.denoising_error(X, random_state=0) != found["error"]
    assert f"denoising error       {found['denoising_error']:.6g}" in model.summary(X)
