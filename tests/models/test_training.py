"""Training: reproducible, recorded, and resumable, by warm start, in a stream and from a pickle."""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest

import autograd_ae as ae

pytestmark = pytest.mark.filterwarnings("ignore::autograd_ae.ConvergenceWarning")


@pytest.fixture
def X(rng):
    return rng.uniform(0.1, 0.9, size=(30, 6))


def tiny(**settings):
    return ae.Autoencoder(**{"hidden_layer_sizes": (5,), "max_iter": 4, "batch_size": 8, "random_state": 0} | settings)


MODELS = {
    "autoencoder": tiny,
    "autoencoder, cosine": lambda **s: tiny(**{"learning_rate": "cosine"} | s),
    "autoencoder, sgd": lambda **s: tiny(**{"solver": "sgd", "learning_rate_init": 0.01} | s),
    "autoencoder, decay": lambda **s: tiny(**{"weight_decay": 0.01} | s),
    "linear": lambda **s: ae.LinearPCA(
        2, **{"solver": "adam", "max_iter": 4, "batch_size": 8, "random_state": 0, "learning_rate_init": 0.01} | s
    ),
    "linear, tied": lambda **s: ae.LinearPCA(
        2, tied=True, **{"solver": "adam", "max_iter": 4, "batch_size": 8, "random_state": 0} | s
    ),
}
every_model = pytest.mark.parametrize("make", list(MODELS.values()), ids=list(MODELS))
every_solver = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])


def arrays(model):
    return [p.data.copy() for p in model.parameters()]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


class FrameOfData:
    """As much of a data frame as the models look at: columns, and an array."""

    def __init__(self, array):
        self.array = array
        self.columns: list[object] = [f"feature {i}" for i in range(array.shape[1])]

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype=dtype)


# Reproducible.


@every_model
def test_one_seed_gives_the_same_parameters_bit_for_bit(X, make):
    first, second = make().fit(X), make().fit(X)
    assert same(arrays(first), arrays(second))
    assert first.history_ == second.history_
    assert not same(arrays(first), arrays(make(random_state=1).fit(X)))


@every_solver
def test_a_watched_run_equals_an_unwatched_one(X, solver):
    watched = tiny(solver=solver).fit(X, callback=lambda m, i: m.reconstruction_error(X) < 0)
    assert same(arrays(watched), arrays(tiny(solver=solver).fit(X)))


def test_a_generator_is_used_on_and_an_old_random_state_accepted(X):
    generator = np.random.default_rng(0)
    first, second = (tiny(random_state=generator).fit(X) for _ in range(2))
    assert not same(arrays(first), arrays(second))
    with_old = [tiny(random_state=np.random.RandomState(3)).fit(X) for _ in range(2)]
    assert same(arrays(with_old[0]), arrays(with_old[1]))


def test_fit_forgets_what_was_learned_before(X):
    model = tiny().fit(X + 0.05).fit(X)
    assert same(arrays(model), arrays(tiny().fit(X)))
    assert len(model.loss_curve_) == model.n_iter_ == 4


@every_model
def test_training_does_not_touch_the_samples(X, make):
    before = X.copy()
    make().fit(X).partial_fit(X)
    assert np.array_equal(X, before)


# What is recorded.


def test_the_loss_curve_is_the_mean_over_the_samples_of_an_epoch(X):
    """With a rate so small that nothing moves, the mean over batches is the loss itself, last short batch included."""
    model = tiny(learning_rate_init=1e-300, max_iter=1, batch_size=7).fit(X)
    assert model.loss_curve_ == pytest.approx([model.loss(X).item()], rel=1e-12)
    assert model.loss_terms_["reconstruction"] == pytest.approx(model.loss_, rel=1e-12)


@every_solver
def test_one_entry_is_recorded_per_iteration(X, solver):
    model = tiny(solver=solver).fit(X)
    assert (
        model.n_iter_
        == len(model.loss_curve_)
        == len(model.history_["reconstruction" if solver != "lbfgs" else "loss"])
    )


def test_one_step_over_all_samples_is_one_step_of_the_optimiser(X):
    """SGD without momentum: the parameters after a step are those before less the rate times the gradient."""
    settings = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1, "max_iter": 1, "batch_size": len(X)}
    start = tiny(**settings | {"learning_rate_init": 1e-300}).fit(X)
    gradients = ae.grad(start.loss(X), start.parameters())
    for after, before, gradient in zip(arrays(tiny(**settings).fit(X)), arrays(start), gradients, strict=True):
        np.testing.assert_allclose(after, before - 0.1 * gradient, rtol=1e-12, atol=1e-14)


def test_a_cosine_ends_at_rate_zero(X):
    """The last of many epochs moves the parameters much less than the first."""
    trail = []
    tiny(learning_rate="cosine", max_iter=40).fit(X, callback=lambda m, i: trail.append(arrays(m)))
    moved = [sum(np.abs(a - b).sum() for a, b in zip(*pair, strict=True)) for pair in pairwise(trail)]
    assert moved[-1] < 0.02 * moved[0]


def test_weight_decay_shrinks_the_weights(X):
    norm = lambda model: sum(float(np.sum(a**2)) for a in arrays(model))  # noqa: E731
    assert norm(tiny(weight_decay=1.0, max_iter=30).fit(X)) < norm(tiny(max_iter=30).fit(X))


# Going on.


@every_solver
def test_warm_start_goes_on_and_without_it_fit_begins_anew(X, solver):
    warm = tiny(solver=solver, warm_start=True, max_iter=5).fit(X)
    first, tensors = warm.loss_, warm.parameters()
    warm.fit(X)
    assert warm.loss_ < first
    assert warm.n_iter_ == len(warm.loss_curve_) == 10
    assert all(a is b for a, b in zip(warm.parameters(), tensors, strict=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"hidden_layer_sizes": (3,)},
            r"built with hidden_layer_sizes=\(5,\), which is \(3,\) now, so training cannot",
        ),
        ({"n_components": 3}, "built with n_components=2, which is 3 now.*warm_start=False to start anew"),
        ({"activation": "tanh"}, "built with activation='sigmoid'"),
    ],
)
def test_training_cannot_go_on_with_another_architecture(X, change, message):
    model = tiny(warm_start=True).fit(X)
    before = arrays(model)
    model.set_params(**change)
    for go_on in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=message):
            go_on(X)
    assert same(arrays(model), before)
    assert model.transform(X).shape == (30, 2)
    assert list(model.get_feature_names_out()) == ["autoencoder0", "autoencoder1"]
    model.set_params(warm_start=False).fit(X)


def test_a_list_of_sizes_is_as_good_as_a_tuple_to_go_on(X):
    model = tiny(warm_start=True, hidden_layer_sizes=[5]).fit(X)
    model.set_params(hidden_layer_sizes=(5,)).fit(X)
    assert model.n_iter_ == 8


def test_going_on_with_other_features_is_refused(X):
    model = tiny(warm_start=True).fit(X)
    with pytest.raises(ValueError, match="X has 4 features, but Autoencoder is expecting 6 features as input"):
        model.fit(X[:, :4])


@every_model
def test_partial_fit_is_one_epoch_and_learns(X, make):
    model = make(learning_rate_init=0.02).partial_fit(X)
    first = model.loss_
    for _ in range(30):
        model.partial_fit(X)
    assert model.loss_ < first
    assert model.n_iter_ == len(model.loss_curve_) == 31


def test_partial_fit_does_not_come_to_rest_at_the_end_of_a_cosine(X):
    model = tiny(learning_rate="cosine", max_iter=2).fit(X)
    for _ in range(5):
        before = arrays(model)
        model.partial_fit(X)
        assert not same(arrays(model), before)


def test_the_mean_of_a_stream_is_that_of_all_samples_seen(X):
    model = tiny()
    for start in (0, 7, 14):
        model.partial_fit(X[start : start + 7])
    np.testing.assert_allclose(model.mean_, X[:21].mean(axis=0), rtol=1e-14)
    assert model.n_samples_seen_ == 21
    assert model.fit(X).n_samples_seen_ == 30


# Saved and copied.


@every_model
@pytest.mark.parametrize(
    "duplicate", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy], ids=["pickle", "deepcopy"]
)
def test_a_copy_goes_on_with_partial_fit_bit_for_bit_as_the_original(X, make, duplicate):
    model = make().partial_fit(X).partial_fit(X[:20])
    twin = duplicate(model)
    assert same(arrays(twin), arrays(model))
    for batch in (X, X[5:25], X):
        model.partial_fit(batch)
        twin.partial_fit(batch)
    assert same(arrays(twin), arrays(model))
    assert twin.history_ == model.history_
    assert np.array_equal(twin.transform(X), model.transform(X))


@every_model
def test_a_copy_shares_nothing_with_the_original(X, make):
    model = make().fit(X)
    before = arrays(model)
    pickle.loads(pickle.dumps(model)).partial_fit(X)
    assert same(arrays(model), before)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_pickled_fit_transforms_alike_and_can_be_fitted_on(X, solver):
    model = tiny(solver=solver).fit(X)
    twin = pickle.loads(pickle.dumps(model))
    assert np.array_equal(twin.transform(X), model.transform(X))
    assert same(arrays(twin.partial_fit(X)), arrays(model.partial_fit(X)))
    twin.fit(X)


# Names of features.


@pytest.mark.parametrize(
    "model", [tiny(early_stopping=True), tiny(solver="lbfgs"), ae.LinearPCA(2), ae.PCA(2)], ids=repr
)
def test_a_frame_with_named_columns_is_fitted_without_a_warning(X, model):
    """The models look at their own samples while training: they must not complain to themselves about names."""
    frame = FrameOfData(X)
    model.fit(frame)
    assert list(model.feature_names_in_) == frame.columns
    model.transform(frame)
    if hasattr(model, "partial_fit"):
        model.partial_fit(frame)
    with pytest.warns(UserWarning, match="X does not have valid feature names, but .* was fitted with") as record:
        model.transform(X)
    assert record[0].filename == __file__


def test_other_names_are_refused(X):
    frame = FrameOfData(X)
    model = ae.PCA(2).fit(frame)
    frame.columns = [*frame.columns[1:], frame.columns[0]]
    with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
        model.transform(frame)
    frame.columns = ["other", *frame.columns[1:]]
    with pytest.raises(ValueError, match=r"unseen at fit time:\n- other\n.*now missing:\n- feature 1"):
        model.transform(frame)
    frame.columns = [3, *frame.columns[1:]]
    with pytest.raises(TypeError, match=r"Feature names are only supported if all.*\['int', 'str'\]"):
        ae.PCA(2).fit(frame)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_refused_fit_leaves_a_fitted_model_as_it_was(rng, method):
    X = rng.random((20, 6))
    model = ae.Autoencoder(2, hidden_layer_sizes=(3,), max_iter=1, random_state=0).fit(X)
    codes = model.transform(X)
    with pytest.raises(ValueError, match=r"solver is 'bogus'|X has 4 features"):
        getattr(model.set_params(solver="bogus"), method)(X[:, :4])
    np.testing.assert_array_equal(model.transform(X), codes)
    pca = ae.PCA(2).fit(X)
    with pytest.raises(ValueError, match="n_components=50 must be at most"):
        pca.set_params(n_components=50).fit(X[:, :4])
    assert pca.transform(X).shape == (20, 2)


def test_partial_fit_follows_changed_settings(rng):
    X = rng.random((20, 6))
    models = [ae.Autoencoder(2, hidden_layer_sizes=(3,), random_state=0).partial_fit(X) for _ in range(2)]
    models[1].set_params(learning_rate_init=0.5)
    first, second = (model.partial_fit(X).reconstruct(X) for model in models)
    assert not np.array_equal(first, second)


def test_surplus_arguments_of_a_loss_are_refused(rng):
    X = rng.random((20, 6))
    model = ae.Autoencoder(2, hidden_layer_sizes=(3,), max_iter=1, random_state=0).fit(X)
    with pytest.raises(TypeError, match="0 arrays of noise; 1 more than the samples arrived"):
        model.loss(X, X)
