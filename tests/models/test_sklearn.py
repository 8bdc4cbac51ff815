"""scikit-learn's own checks of estimators, and the company that our models keep in its pipelines and searches."""

import importlib.util
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA as Reference
from sklearn.exceptions import SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import autograd_ae as ae

# The checks use data of any range and count epochs that do not suffice to converge.
pytestmark = [
    pytest.mark.filterwarnings("ignore::autograd_ae.DataRangeWarning"),
    pytest.mark.filterwarnings("ignore::autograd_ae.ConvergenceWarning"),
    pytest.mark.filterwarnings(f"ignore::{SkipTestWarning.__module__}.{SkipTestWarning.__name__}"),
]


def tiny(**settings):
    return ae.Autoencoder(
        **{"n_components": 1, "hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0} | settings
    )


class Squashed:
    """A model that needs samples in [0, 1], after a sigmoid: the checks use data of any range."""

    def _samples(self, X, **options):
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(-super()._samples(X, **options))))


class SquashedAutoencoder(Squashed, ae.Autoencoder):
    pass


class SquashedVAE(Squashed, ae.VAE):
    pass


# Low resolution is left out: it needs images, and the checks' numbers of features are no squares of even numbers.
QUICK = {"max_iter": 2, "random_state": 0}
DEEP = QUICK | {"hidden_layer_sizes": (3,)}
ESTIMATORS = [
    ae.PCA(1),
    ae.PCA(1, svd_solver="gram"),
    ae.LinearPCA(1, max_iter=20),
    ae.LinearPCA(1, max_iter=20, tied=True),
    ae.LinearPCA(1, max_iter=5, solver="adam", l2=0.1),
    ae.LinearPCA(1, max_iter=20, l2=(0.1,), tied=True),
    ae.DeepPCA(1, **DEEP),
    ae.DeepPCA(1, code="circular", **DEEP),
    ae.DeepPCA(1, code="circular", solver="adam", hidden_layer_sizes=(), max_iter=2, random_state=0),
    tiny(),
    tiny(solver="lbfgs", activation="tanh", output_activation="identity"),
    tiny(solver="sgd", early_stopping=True, validation_fraction=0.3, hidden_layer_sizes=()),
    SquashedAutoencoder(1, reconstruction_loss="bce", **DEEP),
    ae.SparseAE(2, **QUICK),
    ae.SparseAE(2, penalty="l1", code_activation="relu", **QUICK),
    ae.SparseAE(2, kl_form="ufldl", kl_over="units", **QUICK),
    ae.DenoisingAE(1, **DEEP),
    ae.DenoisingAE(1, corruption="masking", output_activation="identity", sparsity_weight=0.1, **DEEP),
    ae.DenoisingAE(1, corruption="salt_and_pepper", solver="sgd", **DEEP),
    ae.VAE(1, likelihood="gaussian", **DEEP),
    ae.VAE(1, likelihood="gaussian", observation_variance="learned", beta_warmup=2, **DEEP),
    SquashedVAE(1, **DEEP),
]


with warnings.catch_warnings():  # the models behave as estimators without inheriting, so that sklearn is not imported
    warnings.filterwarnings("ignore", "Estimator .* does not inherit from `sklearn.base.BaseEstimator`")
    every_check = parametrize_with_checks(ESTIMATORS)


@every_check
def test_scikit_learns_estimator_checks_pass(estimator, check):
    """No expected failures. scikit-learn itself skips the check of array API input unless SCIPY_ARRAY_API is set."""
    check(estimator)


@pytest.fixture
def X(rng):
    return ae.data.low_rank(60, 5, singular_values=[6, 3, 0.1, 0.1], rng=0) + rng.uniform(size=5)


FITTED = [
    ae.PCA(2),
    ae.LinearPCA(2, random_state=0),
    ae.DeepPCA(1, code="circular", **DEEP),
    tiny(n_components=2),
    ae.SparseAE(2, **QUICK),
    ae.DenoisingAE(2, **DEEP),
    ae.VAE(2, likelihood="gaussian", **DEEP),
]
every_model = pytest.mark.parametrize("model", FITTED, ids=lambda m: type(m).__name__)


@every_model
def test_clone_copies_settings_and_forgets_what_was_learned(X, model):
    twin = clone(clone(model).fit(X))
    assert twin.get_params() == model.get_params()
    assert repr(twin) == repr(model)
    with pytest.raises(ae.NotFittedError):
        twin.transform(X)


@every_model
def test_a_pipeline_fits_encodes_and_decodes(X, model):
    pipeline = make_pipeline(MinMaxScaler(), clone(model)).fit(X)
    codes = pipeline.transform(X)
    assert codes.shape == (60, 2)
    scaled = pipeline[0].transform(X)
    np.testing.assert_array_equal(codes, pipeline[1].transform(scaled))
    decoded = pipeline[0].inverse_transform(pipeline[1].reconstruct(scaled))
    np.testing.assert_allclose(pipeline.inverse_transform(codes), decoded, rtol=1e-10, atol=1e-12)
    assert pipeline.score(X) == -pipeline[1].reconstruction_error(scaled)
    names = list(pipeline.get_feature_names_out())
    assert names == list(pipeline[1].get_feature_names_out())
    assert names[0].startswith(f"{type(model).__name__.lower()}0")
    assert len(set(names)) == 2


def test_codes_serve_a_classifier(rng):
    X = np.repeat(np.eye(3, 6), 20, axis=0) + 0.05 * rng.normal(size=(60, 6))
    labels = np.repeat(np.arange(3), 20)
    pipeline = make_pipeline(ae.LinearPCA(2, random_state=0), LogisticRegression(C=100.0))
    assert cross_val_score(pipeline, X, labels, cv=4).min() == 1.0


def test_a_grid_search_over_the_size_of_the_code_scores_as_one_over_pca(X):
    """More components have less error on held-out samples too here, and the scores are those of PCA."""
    grid = {"n_components": [1, 2, 3]}
    ours, theirs = (GridSearchCV(m, grid, cv=3, scoring=s).fit(X) for m, s in searched())
    assert ours.best_params_ == {"n_components": 3}
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], rtol=1e-3)


def searched():
    """Our trained model with its own score, and scikit-learn's PCA with the same one."""

    def minus_error(model, X, y=None):
        return -np.sum((model.inverse_transform(model.transform(X)) - X) ** 2) / len(X)

    return [(ae.LinearPCA(random_state=0, tol=1e-9, max_iter=3000), None), (Reference(), minus_error)]


SEARCHED = {
    "PCA": {"n_components": [1, 2]},
    "LinearPCA": {"l2": [0.0, (0.1, 0.2)]},
    "DeepPCA": {"code": ["linear", "circular"], "hidden_layer_sizes": [(), (3,)]},
    "Autoencoder": {"hidden_layer_sizes": [(3,), [4, 3]], "activation": ["tanh", "relu"]},
    "SparseAE": {"sparsity_weight": [0.0, 1.0], "kl_over": ["units", "batch"]},
    "DenoisingAE": {"corruption": ["gaussian", "masking", "salt_and_pepper"]},
    "VAE": {"observation_variance": [0.5, "learned"], "beta": [0.5, 1.0]},
}


@every_model
def test_a_grid_search_takes_every_kind_of_setting_and_keeps_the_best(X, model):
    search = GridSearchCV(clone(model), SEARCHED[type(model).__name__], cv=2, error_score="raise").fit(X)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert search.best_score_ == scores.max()
    assert search.best_estimator_.get_params() | search.best_params_ == search.best_estimator_.get_params()
    best = clone(model).set_params(**search.best_params_).fit(X)
    np.testing.assert_array_equal(search.transform(X), best.transform(X))


def test_nested_parameters_are_reached_by_name(X):
    pipeline = make_pipeline(MinMaxScaler(), tiny())
    pipeline.set_params(autoencoder__n_components=2, autoencoder__hidden_layer_sizes=(4, 3)).fit(X)
    assert pipeline[1].transform(X).shape == (60, 2)
    with pytest.raises(ValueError, match="Invalid parameter 'n_component' for estimator Autoencoder"):
        pipeline[1].set_params(n_component=2)


def test_the_repr_shows_what_differs_from_the_defaults():
    assert repr(ae.PCA()) == "PCA()"
    assert repr(ae.LinearPCA(3, tied=True)) == "LinearPCA(n_components=3, tied=True)"


@every_model
def test_labels_are_ignored(X, model):
    first, second = clone(model).fit(X), clone(model).fit(X, np.zeros(60))
    assert np.array_equal(first.transform(X), second.transform(X))


@every_model
def test_unknown_output_containers_are_refused(X, model):
    model = clone(model).fit(X)
    assert model.set_output(transform=None) is model
    assert isinstance(model.set_output(transform="default").transform(X), np.ndarray)
    with pytest.raises(ValueError, match="transform is 'xarray'; 'default', 'pandas', 'polars' or None is needed"):
        model.set_output(transform="xarray")


@every_model
@pytest.mark.skipif(importlib.util.find_spec("pandas") is None, reason="pandas is not installed")
def test_set_output_gives_data_frames_with_the_samples_index(X, model):
    import pandas

    frame = pandas.DataFrame(X, index=[f"row {i}" for i in range(60)], columns=list("abcde"))
    model = clone(model).fit(frame)
    plain = model.transform(frame)
    codes = model.set_output(transform="pandas").transform(frame)
    assert list(codes.columns) == list(model.get_feature_names_out())
    assert list(codes.index) == list(frame.index)
    np.testing.assert_array_equal(codes.to_numpy(), plain)


@every_model
@pytest.mark.skipif(importlib.util.find_spec("polars") is None, reason="polars is not installed")
def test_set_output_gives_polars_frames(X, model):
    model = clone(model).fit(X)
    plain = model.transform(X)
    codes = model.set_output(transform="polars").transform(X)
    assert codes.columns == list(model.get_feature_names_out())
    np.testing.assert_array_equal(codes.to_numpy(), plain)
