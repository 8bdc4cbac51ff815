"""Training reads its batches where the data lie: a file far larger than a batch is never in memory as a whole."""

import gc
import tracemalloc

import numpy as np
import pytest

import autograd_ae as ae

pytestmark = pytest.mark.timeout(900)  # with an empty cache some kernels are compiled
BRIEF = {"hidden_layer_sizes": (4,), "batch_size": 64, "max_iter": 1, "random_state": 0}
MODELS = {
    "Autoencoder": lambda **s: ae.Autoencoder(2, output_activation="identity", **BRIEF | s),
    "SparseAE": lambda **s: ae.SparseAE(3, **BRIEF | s),
    "DenoisingAE": lambda **s: ae.DenoisingAE(3, output_activation="identity", **BRIEF | s),
    "VAE": lambda **s: ae.VAE(2, likelihood="gaussian", **BRIEF | s),
}
every_model = pytest.mark.parametrize("name", list(MODELS))


def in_a_file(folder, X):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


@pytest.mark.parametrize(
    ("name", "dtype"), [*((name, np.uint8) for name in MODELS), ("Autoencoder", np.float32), ("VAE", np.float64)]
)
def test_a_large_file_is_fitted_without_a_copy_of_it(name, dtype, tmp_path):
    """Batches of 64 samples, errors by blocks of 256; files of 8 MB of bytes, 65 as floats, or of 16 MB of floats."""
    shape = ({1: 20480, 4: 10240, 8: 5120}[np.dtype(dtype).itemsize], 400)
    X = in_a_file(tmp_path, np.random.default_rng(0).integers(0, 2, shape, dtype=np.uint8).astype(dtype))
    model = MODELS[name](warm_start=True).fit(X[:128])  # what is made once is there
    tracemalloc.start()
    try:
        model.fit(X)
        gc.collect()  # a program of the first fit, which no one waits for
        model.fit(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.8 * X.nbytes


@every_model
@pytest.mark.parametrize("runtime", ["compiled", "eager"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_bytes_are_fitted_as_the_same_numbers_in_float64(name, runtime, early_stopping, rng):
    X = rng.integers(0, 6, (90, 9), dtype=np.uint8)
    settings = {"runtime": runtime, "early_stopping": early_stopping, "learning_rate_init": 1e-3}
    bytes_, floats = (MODELS[name](**settings).fit(data).partial_fit(data) for data in (X, X.astype(np.float64)))
    assert bytes_.loss_curve_ == floats.loss_curve_
    assert bytes_.loss_ == floats.loss_
    np.testing.assert_array_equal(bytes_.mean_, floats.mean_)
    for p, q in zip(bytes_.parameters(), floats.parameters(), strict=True):
        assert p.dtype == np.float64
        np.testing.assert_array_equal(p.data, q.data)
    np.testing.assert_array_equal(bytes_.transform(X), floats.transform(X.astype(np.float64)))


@every_model
def test_float64_samples_given_to_a_float32_model_are_rounded_batch_by_batch(name, rng):
    """Its parameters stay float32; the error is that on the samples as given."""
    X = rng.random((90, 9))
    wide, narrow = (MODELS[name]().fit(X.astype(np.float32)).partial_fit(data) for data in (X, X.astype(np.float32)))
    for p, q in zip(wide.parameters(), narrow.parameters(), strict=True):
        assert p.dtype == np.float32
        np.testing.assert_array_equal(p.data, q.data)
    assert wide.loss_ == pytest.approx(narrow.loss_, rel=1e-6)


@pytest.mark.parametrize("make", [lambda: ae.LinearPCA(2, random_state=0), lambda: ae.DeepPCA(1, random_state=0)])
@pytest.mark.filterwarnings("ignore:L-BFGS")
def test_models_with_a_frame_of_their_own_take_bytes_as_floats(make, rng):
    X = rng.integers(0, 6, (30, 5), dtype=np.uint8)
    assert make().set_params(max_iter=3).fit(X).loss_ == make().set_params(max_iter=3).fit(X.astype(float)).loss_


def test_the_error_is_the_same_in_blocks_as_at_once(rng, monkeypatch):
    X = rng.random((50, 6))
    model = MODELS["Autoencoder"]().fit(X)
    whole = model.reconstruction_error(X)
    monkeypatch.setattr("autograd_ae.models.network.BLOCK", 7)
    assert model.reconstruction_error(X) == pytest.approx(whole, rel=1e-14)
    assert whole == pytest.approx(np.sum((model.reconstruct(X) - X) ** 2) / 50, rel=1e-12)
