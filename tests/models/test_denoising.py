"""Corruptions do what they say; the denoising autoencoder learns to undo them."""

import tracemalloc

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.models.corruption import CORRUPTIONS, corrupt


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_corruption_keeps_shape_dtype_and_the_original(rng, kind, dtype):
    X = rng.random((5, 16)).astype(dtype)
    before = X.copy()
    spoiled = corrupt(X, kind, 2 if kind == "low_resolution" else 0.5, rng)
    assert spoiled.dtype == dtype
    assert spoiled.shape == X.shape
    np.testing.assert_array_equal(X, before)
    assert not np.array_equal(spoiled, X)


def test_corruption_has_the_moments_that_it_names(rng):
    X = np.full((400, 100), 0.5)
    n = X.size
    noise = corrupt(X, "gaussian", 0.3, rng) - X
    assert abs(noise.mean()) < 5 * 0.3 / np.sqrt(n)
    assert noise.std() == pytest.approx(0.3, rel=5 / np.sqrt(2 * n))
    hit = corrupt(X, "masking", 0.3, rng) == 0
    assert hit.mean() == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / n))
    X[0, 0], X[0, 1] = 0.0, 1.0
    spoiled = corrupt(X, "salt_and_pepper", 0.4, rng)
    for value in (0.0, 1.0):
        assert (spoiled == value).mean() == pytest.approx(0.2, abs=5 * np.sqrt(0.16 / n) + 2 / n)


def test_low_resolution_is_the_block_mean_repeated():
    image = np.arange(16.0).reshape(1, 16)
    expected = np.kron(image.reshape(4, 4).reshape(2, 2, 2, 2).mean(axis=(1, 3)), np.ones((2, 2)))
    np.testing.assert_allclose(corrupt(image, "low_resolution", 2, np.random.default_rng(0)).reshape(4, 4), expected)


def test_a_linear_denoiser_reaches_the_closed_form_within_its_sampling_error():
    """E‖x̃W − x‖² = ‖XW − X‖²/B + σ²‖W‖²: trained on drawn noise, judged by the expectation, against the best map."""
    X = ae.data.gaussian_with_spectrum(600, eigenvalues=[4.0, 2.0, 0.5, 0.1], rng=0, exact=True)
    sigma = 0.8
    model = ae.DenoisingAE(
        2, hidden_layer_sizes=(), activation="identity", code_activation="identity", output_activation="identity",
        corruption_level=sigma, learning_rate="cosine", learning_rate_init=1e-2, max_iter=200, random_state=0,
    ).fit(X)  # fmt: skip
    W = model.encoder_.layers[0].W.data @ model.decoder_.layers[0].W.data
    expected = np.sum((X @ W - X) ** 2) / len(X) + sigma**2 * np.sum(W**2)
    spectrum = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]
    optimum = spectrum.sum() - np.sum(spectrum[:2] ** 2 / (spectrum[:2] + sigma**2))
    assert optimum * (1 - 1e-9) <= expected <= optimum * 1.01


def test_low_resolution_shows_digits_at_seven_by_seven():
    X = ae.data.load_digits().train.images[:20]
    settings = {"corruption": "low_resolution", "corruption_level": 4, "hidden_layer_sizes": (8,), "max_iter": 1}
    spoiled = ae.DenoisingAE(8, random_state=0, **settings).fit(X).corrupt(X)
    np.testing.assert_array_equal(spoiled, ae.data.enlarge(ae.data.reduce_resolution(X, 4), 4))
    assert spoiled.shape == X.shape
    assert max(len(np.unique(image)) for image in spoiled) <= 49


@pytest.mark.parametrize("kind", ["gaussian", "masking", "salt_and_pepper"])
def test_entries_are_spoiled_independently_of_one_another(rng, kind):
    """No correlation between two entries of a sample, nor between samples: within five deviations of 0."""
    X = np.full((20_000, 4), 0.5)
    X[0] = [0.0, 1.0, 0.0, 1.0]
    spoiled = corrupt(X, kind, 0.3, rng)[1:]
    off = np.corrcoef(np.hstack([spoiled[:-1], spoiled[1:]]).T)[np.triu_indices(8, 1)]
    assert np.abs(off).max() < 5 / np.sqrt(len(spoiled))


@pytest.mark.parametrize(("kind", "level"), [("gaussian", 0.0), ("masking", 0.0), ("low_resolution", 1)])
def test_level_none_spoils_nothing(rng, kind, level):
    X = rng.random((5, 16))
    np.testing.assert_array_equal(corrupt(X, kind, level, rng), X)


LEVELS = {"gaussian": 0.4, "masking": 0.3, "salt_and_pepper": 0.2, "low_resolution": 2}


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_reconstructions_of_spoiled_samples_are_nearer_to_the_clean_ones(kind):
    images = ae.data.reduce_resolution(ae.data.load_digits().train.images[:600], 2).reshape(600, 14, 14)
    X = np.ascontiguousarray(images[:, 1:13, 1:13].reshape(600, 144))
    settings = {"corruption": kind, "corruption_level": LEVELS[kind], "hidden_layer_sizes": ()}
    model = ae.DenoisingAE(32, max_iter=250, learning_rate_init=5e-3, random_state=0, **settings).fit(X)
    spoiled = model.corrupt(X, random_state=1)
    assert model.denoising_error(X, random_state=1) < 0.8 * np.sum((spoiled - X) ** 2) / len(X)


def test_noise_is_drawn_afresh_for_every_batch_and_repeats_with_the_seed():
    X = ae.data.low_rank(64, 6, singular_values=[4, 2], rng=0)
    settings = {"hidden_layer_sizes": (), "output_activation": "identity", "max_iter": 3, "batch_size": 16}
    first, second = (ae.DenoisingAE(2, random_state=5, **settings).fit(X) for _ in range(2))
    np.testing.assert_array_equal(first.reconstruct(X), second.reconstruct(X))
    rng = np.random.default_rng(0)
    assert not np.array_equal(first._draw(X, rng)[0], first._draw(X, rng)[0])


def test_the_recorded_loss_takes_the_spoiled_batch_as_an_argument():
    X = ae.data.low_rank(20, 6, singular_values=[4, 2], rng=0)
    model = ae.DenoisingAE(2, hidden_layer_sizes=(), output_activation="identity", max_iter=1, random_state=0).fit(X)
    step = ae.capture(model.loss, X, X)
    for seed in range(2):
        spoiled = model.corrupt(X, random_state=seed)
        error = np.sum((model.reconstruct(spoiled) - X) ** 2) / len(X)
        assert step(X, spoiled) == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"corruption": "blur"}, r"corruption is 'blur'; one of 'gaussian'"),
        ({"corruption": "masking", "corruption_level": 1.5}, r"corruption_level is 1\.5; masking takes a probability"),
        ({"solver": "lbfgs"}, r"drawn afresh: use 'adam' or 'sgd'"),
        ({"corruption": "low_resolution", "corruption_level": 4}, r"are not images|multiple"),
        ({"corruption": "low_resolution"}, r"corruption_level is 0\.3; low_resolution takes a whole factor"),
        ({"corruption": "low_resolution", "corruption_level": 2.5}, r"corruption_level is 2\.5; low_resolution takes"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    X = np.random.default_rng(0).random((10, 6))
    with pytest.raises(ValueError, match=message):
        ae.DenoisingAE(2, hidden_layer_sizes=(), max_iter=1, **settings).fit(X)


@pytest.mark.parametrize("model", ["denoising", "vae"])
def test_every_batch_of_every_epoch_has_noise_of_its_own_from_the_models_generator(rng, monkeypatch, model):
    """The noise of a run is one stream of the model's generator: nothing is drawn twice, nothing from elsewhere."""
    X, drawn = rng.uniform(0.1, 0.9, size=(24, 4)), []
    cls = ae.DenoisingAE if model == "denoising" else ae.VAE
    made = cls(2, hidden_layer_sizes=(3,), max_iter=3, batch_size=8, random_state=0)
    draw = cls._draw_into

    def watched(self, buffers, batch, generator):
        draw(self, buffers, batch, generator)
        if generator is self._rng:  # what recording draws is an example, from a generator of its own
            drawn.append(buffers[0] - batch if model == "denoising" else buffers[0].copy())

    monkeypatch.setattr(cls, "_draw_into", watched)
    made.fit(X)
    made.partial_fit(X)
    values = np.concatenate([noise.ravel() for noise in drawn])
    assert len(drawn) == 12  # three batches in each of three epochs, and three more
    assert len(np.unique(values)) >= 0.9 * len(values)


def test_a_sparse_denoiser_pays_for_the_code_of_what_it_saw(rng):
    """λ S(Z) of the spoiled samples' code, beside the distance to the clean ones."""
    X = rng.uniform(0.1, 0.9, size=(20, 4))
    model = ae.DenoisingAE(3, hidden_layer_sizes=(), sparsity_weight=0.7, max_iter=1, random_state=0).fit(X)
    spoiled = model.corrupt(X, random_state=3)
    terms = model.loss_terms(X, spoiled)
    Z = model.transform(spoiled)
    assert terms["sparsity"].item() == pytest.approx(0.7 * ae.bernoulli_kl(Z, 0.05, over="batch").item(), rel=1e-12)
    assert terms["reconstruction"].item() == pytest.approx(
        np.sum((model.inverse_transform(Z) - X) ** 2) / 20, rel=1e-12
    )


@pytest.mark.skipif(not JIT_ENABLED, reason="masks without kernels")
@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_spoiling_into_a_buffer_takes_no_memory_and_gives_the_same_numbers(rng, kind):
    X, level = rng.random((1024, 784), dtype=np.float32), 4 if kind == "low_resolution" else 0.3
    out = np.empty_like(X)
    corrupt(X, kind, level, np.random.default_rng(0), out=out)  # kernels are compiled
    np.testing.assert_array_equal(out, corrupt(X, kind, level, np.random.default_rng(0)))
    assert peak_of(lambda: corrupt(X, kind, level, rng, out=out)) < X.nbytes / 8  # NumPy's own buffers, 130 kB


@pytest.mark.skipif(not JIT_ENABLED, reason="lines that are called back allocate")
@pytest.mark.parametrize(
    "model",
    [
        *(ae.DenoisingAE(8, corruption=kind, corruption_level=4 if kind == "low_resolution" else 0.3)
          for kind in CORRUPTIONS),
        ae.VAE(8),
        ae.SparseAE(8),
    ],
    ids=[*CORRUPTIONS, "VAE", "SparseAE"],
)  # fmt: skip
def test_a_training_step_takes_no_memory_but_that_of_its_buffers(rng, model):
    X, rows = rng.random((1500, 784), dtype=np.float32), rng.permutation(1500)[:1024]
    model.set_params(hidden_layer_sizes=(16,), batch_size=1024, max_iter=1, random_state=0).fit(X)
    model._step(X, rows, rng)
    assert peak_of(lambda: model._step(X, rows, rng)) < X[rows].nbytes / 8


def peak_of(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_low_resolution_refuses_images_that_blocks_do_not_tile(rng):
    for n, factor in ((15, 2), (16, 3)):
        with pytest.raises(ValueError, match=r"blocks of|not images"):
            corrupt(rng.random((3, n)), "low_resolution", factor, rng)
