"""Models in files: what comes back is what was written, and a file that is none says so."""

import json
import warnings

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.models.saving import FORMAT, NAMES

pytestmark = pytest.mark.filterwarnings("ignore::autograd_ae.ConvergenceWarning")

QUICK = {"max_iter": 2, "solver": "adam", "random_state": 0}
HIDDEN = QUICK | {"hidden_layer_sizes": (3,)}
MODELS = {
    "pca": lambda: ae.PCA(2),
    "linear": lambda: ae.LinearPCA(2, l2=np.array([0.1, 0.2]), **QUICK),
    "tied": lambda: ae.LinearPCA(2, tied=True, **QUICK),
    "deep": lambda: ae.DeepPCA(2, **HIDDEN),
    "circular": lambda: ae.DeepPCA(2, code="circular", **HIDDEN),
    "autoencoder": lambda: ae.Autoencoder(2, reconstruction_loss="bce", **HIDDEN),
    "sparse": lambda: ae.SparseAE(5, **QUICK),
    "denoising": lambda: ae.DenoisingAE(2, corruption="masking", **HIDDEN),
    "vae": lambda: ae.VAE(2, **HIDDEN),
    "vae, learned": lambda: ae.VAE(2, likelihood="gaussian", observation_variance="learned", **HIDDEN),
}
every_model = pytest.mark.parametrize("make", list(MODELS.values()), ids=list(MODELS))


@pytest.fixture
def X(rng):
    return rng.uniform(0.1, 0.9, size=(20, 4))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


def there_and_back(model, path):
    model.save(path)
    return ae.load(path)


@every_model
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_model_comes_back_bit_for_bit(X, path, make, dtype):
    X = X.astype(dtype)
    model = make().fit(X)
    with warnings.catch_warnings(action="error"):
        twin = there_and_back(model, path)
    assert type(twin) is type(model)
    assert repr(twin.set_params(l2=model.l2) if "l2" in model.get_params() else twin) == repr(model)
    for method in (model.transform, model.reconstruct):
        again = getattr(twin, method.__name__)(X)
        assert again.dtype == dtype
        np.testing.assert_array_equal(again, method(X))
    assert twin.loss_ == model.loss_
    assert twin.diagnostics(X) == model.diagnostics(X)
    assert twin.summary(X) == model.summary(X)
    np.testing.assert_array_equal(twin.mean_, model.mean_)
    np.testing.assert_array_equal(twin.inverse_transform(model.transform(X)), model.reconstruct(X))


@every_model
def test_training_goes_on_from_a_file_as_from_a_copy_with_a_new_optimiser(X, path, make):
    model = make().fit(X)
    twin = there_and_back(model, path)
    if isinstance(model, ae.PCA):
        return
    model._optimizer = None
    model.partial_fit(X)
    twin.partial_fit(X)
    assert twin.history_ == model.history_
    for a, b in zip(twin.parameters(), model.parameters(), strict=True):
        assert a.name == b.name
        np.testing.assert_array_equal(a.data, b.data)
    twin.set_params(warm_start=True).fit(X)
    assert twin.n_iter_ == 5


def test_a_vae_from_a_file_draws_and_judges_alike(X, path):
    model = MODELS["vae"]().fit(X)
    twin = there_and_back(model, path)
    np.testing.assert_array_equal(twin.sample(4, random_state=1), model.sample(4, random_state=1))
    assert twin.log_likelihood(X, random_state=1) == model.log_likelihood(X, random_state=1)


def test_settings_that_were_changed_after_the_fit_do_not_change_the_networks(X, path):
    model = MODELS["autoencoder"]().fit(X)
    codes = model.transform(X)
    model.set_params(hidden_layer_sizes=[7, 5], n_components=3)
    twin = there_and_back(model, path)
    np.testing.assert_array_equal(twin.transform(X), codes)
    with pytest.raises(ValueError, match=r"built with .* which is .* now"):
        twin.partial_fit(X)


def test_names_of_features_and_the_chosen_container_come_back(X, path):
    class Frame:
        columns = ("a", "b", "c", "d")

        def __array__(self, dtype=None, copy=None):
            return X.copy()

    model = ae.PCA(2).fit(Frame()).set_output(transform="default")
    twin = there_and_back(model, path)
    assert list(twin.feature_names_in_) == ["a", "b", "c", "d"]
    assert twin._sklearn_output_config == {"transform": "default"}
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        twin.transform(X)


def test_a_generator_comes_back_as_none_and_history_may_hold_what_json_has_no_number_for(X, path):
    model = ae.Autoencoder(2, **HIDDEN | {"random_state": np.random.Generator(np.random.MT19937(0))}).fit(X)
    model.history_["loss"][0] = np.inf
    twin = there_and_back(model, path)
    assert twin.random_state is None
    assert twin.history_ == model.history_
    twin.partial_fit(X)


def test_the_file_has_the_name_that_was_given_and_replaces_another_whole(X, tmp_path):
    path = tmp_path / "my model"
    first, second = (ae.PCA(k).fit(X) for k in (1, 2))
    first.save(str(path))
    second.save(path)
    assert ae.load(str(path)).n_components_ == 2
    assert [p.name for p in tmp_path.iterdir()] == ["my model"]
    before = path.read_bytes()
    second.save(path)
    assert path.read_bytes() == before
    with pytest.raises(FileNotFoundError):
        second.save(tmp_path / "no folder" / "model.npz")


def test_no_pickle_is_written_or_read(X, path):
    MODELS["vae"]().fit(X).save(path)
    with np.load(path, allow_pickle=False) as archive:
        assert {archive[name].dtype.kind for name in archive.files} <= {"f", "u"}
        header = json.loads(archive["header"].tobytes())
    assert header["format"] == FORMAT
    assert header["autograd_ae"] == ae.__version__
    np.savez(path, header=np.array([object()], dtype=object))
    with pytest.raises(ae.ModelFileError, match="truncated, damaged, or no model"):
        ae.load(path)


def test_every_class_of_the_package_can_be_saved_and_no_other(X, path):
    assert set(NAMES) == {n for n in ae.models.__all__ if hasattr(getattr(ae.models, n), "transform")}

    class Mine(ae.PCA):
        pass

    with pytest.raises(TypeError, match=r"Mine is no model of this package: only PCA, .* can be saved; pickle it"):
        Mine(1).fit(X).save(path)
    with pytest.raises(ae.NotFittedError):
        ae.VAE().save(path)
    assert not path.exists()


# Files that are none.


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_named(X, path, kept):
    MODELS["autoencoder"]().fit(X).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ae.ModelFileError, match=rf"{path.name}: truncated, damaged, or no model of autograd_ae"):
        ae.load(path)


def test_every_damaged_byte_of_an_array_is_noticed(X, path):
    MODELS["autoencoder"]().fit(X).save(path)
    content = bytearray(path.read_bytes())
    place = content.index(np.load(path)["parameter_0"].tobytes())
    content[place + 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(ae.ModelFileError, match="truncated, damaged"):
        ae.load(path)


@pytest.mark.parametrize("content", [b"x,y\n1,2\n", b"\x80\x04K\x01.", b"PK\x03\x04 not a zip"])
def test_a_foreign_file_is_named(path, content):
    path.write_bytes(content)
    with pytest.raises(ae.ModelFileError, match="no model of autograd_ae"):
        ae.load(path)


def test_arrays_of_other_programs_are_no_models(path, tmp_path):
    np.savez(path, X=np.ones(3))
    with pytest.raises(ae.ModelFileError, match=r"no header.*; was it written by model\.save"):
        ae.load(path)
    np.save(tmp_path / "a.npy", np.ones(3))
    with pytest.raises(ae.ModelFileError, match="no model of autograd_ae"):
        ae.load(tmp_path / "a.npy")
    with pytest.raises(FileNotFoundError):
        ae.load(tmp_path / "nowhere.npz")


def changed(path, change, arrays=None):
    with np.load(path) as archive:
        content = {name: archive[name] for name in archive.files}
    header = json.loads(content.pop("header").tobytes())
    change(header)
    content |= arrays or {}
    np.savez(path, header=np.frombuffer(json.dumps(header).encode(), np.uint8), **content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h.update(version=2, autograd_ae="9.9"), r"version 2 of the format, written by autograd_ae 9\.9"),
        (lambda h: h.update(format="other"), "its header is another one's"),
        (lambda h: h.update(model="os.system"), "unknown model 'os.system'; there are PCA, "),
        (lambda h: h["settings"].update(nonsense=1), "the header describes no model"),
        (lambda h: h.pop("learned"), "the header describes no model"),
        (
            lambda h: h["learned"].update(n_features_in_=5),
            r"parameter W_1 is \(4, 3\) float64; \(5, 3\) float64 is need",
        ),
        (
            lambda h: h["learned"]["_built_with"].update(hidden_layer_sizes=[3, 3]),
            "8 parameters arrived, 12 are needed",
        ),
        (lambda h: h.update(dtype="float32"), r"parameter W_1 is \(4, 3\) float64; \(4, 3\) float32 is needed"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(X, path, change, message):
    MODELS["autoencoder"]().fit(X).save(path)
    changed(path, change)
    with pytest.raises(ae.ModelFileError, match=message):
        ae.load(path)


def test_a_folder_that_is_not_there_is_named(X, tmp_path):
    model = ae.PCA(1).fit(X)
    with pytest.raises(FileNotFoundError, match=r"q\.npz: there is no folder .*nowhere; make it first"):
        model.save(tmp_path / "nowhere" / "q.npz")


def test_a_text_file_is_no_model_and_nothing_is_said_of_pickles(tmp_path):
    (tmp_path / "codes.csv").write_text("z1,z2\n1,2\n")
    with pytest.raises(ae.ModelFileError, match=r"codes\.csv: truncated, damaged, or no model") as refusal:
        ae.load(tmp_path / "codes.csv")
    assert "pickle" not in str(refusal.value)
