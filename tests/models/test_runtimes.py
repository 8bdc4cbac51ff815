"""compiled, replay and eager: three ways to execute a training step that give the same training."""

import numpy as np
import pytest

import autograd_ae as ae

pytestmark = pytest.mark.timeout(900)  # with an empty cache some kernels are compiled
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 3, "batch_size": 8, "random_state": 0}
# Adam divides by the size of the gradient, so the rounding of a small one grows.
TOLERANCE = {np.float32: 1e-3, np.float64: 1e-9}
MODELS = {
    "Autoencoder": lambda runtime: ae.Autoencoder(2, runtime=runtime, **SMALL),
    "Autoencoder bce": lambda runtime: ae.Autoencoder(2, reconstruction_loss="bce", runtime=runtime, **SMALL),
    "SparseAE l1": lambda runtime: ae.SparseAE(4, penalty="l1", runtime=runtime, **SMALL),
    "SparseAE kl": lambda runtime: ae.SparseAE(4, penalty="kl", runtime=runtime, **SMALL),
    "DenoisingAE": lambda runtime: ae.DenoisingAE(2, runtime=runtime, **SMALL),
    "DenoisingAE masked": lambda runtime: ae.DenoisingAE(2, corruption="masking", runtime=runtime, **SMALL),
    "DenoisingAE salt": lambda runtime: ae.DenoisingAE(2, corruption="salt_and_pepper", runtime=runtime, **SMALL),
    "VAE": lambda runtime: ae.VAE(2, beta_warmup=2, runtime=runtime, **SMALL),
    "VAE gaussian": lambda runtime: ae.VAE(
        2, likelihood="gaussian", observation_variance="learned", runtime=runtime, **SMALL
    ),
    # In batches: all centred samples at once have a bias gradient of zero, and Adam would follow its rounding.
    "LinearPCA": lambda runtime: ae.LinearPCA(
        2, solver="adam", batch_size=8, max_iter=3, random_state=0, runtime=runtime
    ),
    "LinearPCA lbfgs": lambda runtime: ae.LinearPCA(2, max_iter=200, random_state=0, runtime=runtime),
    "DeepPCA circular": lambda runtime: ae.DeepPCA(
        1, code="circular", solver="adam", learning_rate="cosine", runtime=runtime, **SMALL
    ),
    "sgd": lambda runtime: ae.Autoencoder(
        2, solver="sgd", weight_decay=0.01, early_stopping=True, runtime=runtime, **SMALL
    ),
}


def fitted(name, runtime, dtype):
    X = np.random.default_rng(1).random((20, 6)).astype(dtype)
    model = MODELS[name](runtime)
    return model.fit(X), model.partial_fit(X[:13]) if not name.endswith("lbfgs") else model


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", list(MODELS))
def test_all_runtimes_train_alike(name, dtype):
    eager, replay, compiled = (fitted(name, runtime, dtype)[0] for runtime in ("eager", "replay", "compiled"))
    for other, tolerance in ((replay, 0), (compiled, TOLERANCE[dtype])):
        assert list(other.history_) == list(eager.history_)
        for term, values in eager.history_.items():
            np.testing.assert_allclose(other.history_[term], values, rtol=tolerance, err_msg=term)
        for p, q in zip(eager.parameters(), other.parameters(), strict=True):
            np.testing.assert_allclose(q.data, p.data, rtol=0, atol=tolerance)


def test_an_unknown_runtime_is_refused():
    with pytest.raises(ValueError, match="runtime is 'fast'; one of 'compiled', 'replay', 'eager' is needed"):
        ae.Autoencoder(runtime="fast").fit(np.eye(3))


@pytest.mark.parametrize("runtime", ["compiled", "replay", "eager"])
def test_a_run_that_diverges_puts_the_parameters_back(runtime):
    X = np.random.default_rng(0).random((16, 3)).astype(np.float32)
    model = ae.LinearPCA(1, solver="sgd", learning_rate_init=1e30, max_iter=5, random_state=0, runtime=runtime)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="training diverged in epoch"):
        model.fit(X)
    assert all(np.isfinite(p.data).all() for p in model.parameters())


def test_training_reads_batches_from_a_memory_map(tmp_path):
    X = np.random.default_rng(1).random((20, 6))
    np.save(tmp_path / "X.npy", X)
    model = ae.Autoencoder(2, **SMALL).fit(np.load(tmp_path / "X.npy", mmap_mode="r"))
    assert model.loss_curve_ == ae.Autoencoder(2, **SMALL).fit(X).loss_curve_
