"""Training: reproducible, resumable, stoppable, and honest when it diverges."""

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


# Stopping.


@every_solver
def test_a_callback_stops_training(X, solver):
    seen = []
    model = tiny(solver=solver, max_iter=50)

    def at_three(m, i):
        seen.append((m, i))
        return i == 3

    assert model.fit(X, callback=at_three) is model
    assert [i for _, i in seen] == [1, 2, 3]
    assert all(m is model for m, _ in seen)
    assert model.n_iter_ == len(model.loss_curve_) == 3


def test_early_stopping_puts_the_best_parameters_back(X):
    held_out, trail = [], []

    def watch(model, epoch):
        trail.append(arrays(model))
        held_out.append(model.history_["validation"][-1])

    settings = {"early_stopping": True, "n_iter_no_change": 3, "tol": 0.0, "learning_rate_init": 0.3, "max_iter": 200}
    model = tiny(**settings).fit(X, callback=watch)
    assert model.n_iter_ < 200
    best = int(np.argmin(held_out))
    assert best == len(held_out) - 4  # three epochs without a new best, after it
    assert same(arrays(model), trail[best])
    assert not same(trail[best], trail[-1])


def test_early_stopping_waits_for_a_fall_by_tol(X):
    model = tiny(early_stopping=True, n_iter_no_change=2, tol=1e9, max_iter=50).fit(X)
    assert model.n_iter_ == 3  # the first epoch falls from infinity


@pytest.mark.parametrize("make", [MODELS["autoencoder"], MODELS["linear"]])
def test_held_out_errors_have_the_scale_of_the_reconstruction_error(X, make):
    model = make(early_stopping=True, validation_fraction=0.5, learning_rate_init=1e-300, max_iter=1).fit(X)
    error = model.history_["validation"][0] / 2 + model.history_["reconstruction"][0] / 2
    assert error == pytest.approx(model.reconstruction_error(X), rel=1e-10)


class Interrupt:
    """A callback, or a hook of a pass, that is interrupted at its third call."""

    def __init__(self, wrapped=None):
        self.calls, self.wrapped = 0, wrapped

    def __call__(self, *args):
        self.calls += 1
        if self.calls == 3:
            raise KeyboardInterrupt
        return self.wrapped(*args) if self.wrapped else None


@every_solver
def test_ctrl_c_in_a_callback_keeps_what_was_learned(X, solver):
    with pytest.warns(UserWarning, match="[Tt]raining interrupted after 3") as record:
        model = tiny(solver=solver, max_iter=50).fit(X, callback=Interrupt())
    assert record[0].filename == __file__
    assert model.n_iter_ == 3
    assert model.loss_ == model.reconstruction_error(X)
    if solver != "lbfgs":
        assert same(arrays(model), arrays(tiny(solver=solver, max_iter=3).fit(X)))


def test_ctrl_c_within_an_epoch_keeps_what_was_learned(X, monkeypatch):
    """The third batch of the first epoch: two steps are kept, and no epoch is recorded."""
    model = tiny()
    monkeypatch.setattr(model, "_draw", Interrupt(lambda batch, rng: ()))
    with pytest.warns(UserWarning, match="interrupted after 0 whole epochs; what was learned so far is kept"):
        model.fit(X)
    assert (model.n_iter_, model.loss_curve_) == (0, [])
    assert model.loss_ == model.reconstruction_error(X)
    assert "0 epochs of adam" in model.summary()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_error_in_a_callback_comes_through_and_leaves_a_whole_model(X, solver):
    X = X.astype(np.float32)
    model = tiny(solver=solver)
    with pytest.raises(ZeroDivisionError):
        model.fit(X, callback=lambda m, i: 1 / 0)
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    assert model.transform(X).dtype == np.float32
    linear = ae.LinearPCA(2, solver=solver, random_state=0)
    with pytest.raises(ZeroDivisionError):
        linear.fit(X + 5.0, callback=lambda m, i: 1 / 0)
    np.testing.assert_allclose(linear.reconstruct(X + 5.0).mean(axis=0), X.mean(axis=0) + 5.0, rtol=0.05)


# Diverging.


def diverging(**settings):
    return ae.LinearPCA(2, solver="sgd", learning_rate="constant", batch_size=8, random_state=0, **settings)


def test_a_diverging_run_names_the_epoch_and_the_remedy_and_puts_the_last_good_parameters_back(X):
    trail = []
    model = diverging(learning_rate_init=2.0)
    with pytest.raises(FloatingPointError, match=r"diverged in epoch \d+ .*Lower learning_rate_init \(2\), or scale"):
        model.fit(X, callback=lambda m, i: trail.append(arrays(m)))
    assert len(trail) == model.n_iter_ == len(model.loss_curve_)
    assert trail  # it went well for a while
    assert all(np.isfinite(a).all() for a in arrays(model))
    for a, b in zip(arrays(model), trail[-1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_the_first_epoch_may_diverge_too(X):
    model = diverging(learning_rate_init=1e200)
    with pytest.raises(
        FloatingPointError, match=r"training diverged in epoch 1 \(.*\); the parameters are again those"
    ):
        model.fit(X)
    assert (model.n_iter_, model.loss_curve_) == (0, [])
    np.testing.assert_allclose(model.reconstruct(X).mean(axis=0), X.mean(axis=0), rtol=0.05)
    assert model.loss_ == model.reconstruction_error(X)


def test_a_last_step_that_overflows_is_not_returned_in_silence(X):
    """One batch, one epoch: its loss is finite, only the parameters after it are not."""
    model = tiny(solver="sgd", max_iter=1, batch_size=len(X), learning_rate_init=1e308, output_activation="identity")
    with pytest.raises(FloatingPointError, match=r"epoch 1 \(a parameter is not finite any more\)"):
        model.fit(1e6 * X)
    assert all(np.isfinite(a).all() for a in arrays(model))


def test_partial_fit_recovers_from_divergence(X):
    model = diverging(learning_rate_init=0.05).partial_fit(X)
    before = arrays(model)
    with pytest.raises(FloatingPointError, match="diverged in epoch 2"):
        model.partial_fit(1e200 * X)
    assert same(arrays(model), before)
    error = model.reconstruction_error(X)
    for _ in range(20):
        model.partial_fit(X)
    assert model.reconstruction_error(X) < error


def test_a_loss_that_overflows_at_the_start_of_lbfgs_is_named():
    X = 1e200 * np.random.default_rng(0).uniform(size=(20, 4))
    with pytest.raises(FloatingPointError, match=r"L-BFGS cannot start: the value at x0 is inf.*Scale the data"):
        tiny(solver="lbfgs", output_activation="identity").fit(X)


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
