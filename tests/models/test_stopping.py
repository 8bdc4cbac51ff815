"""The ends of a run: a callback, early stopping, Ctrl-C, an error, and divergence."""

import numpy as np
import pytest

import autograd_ae as ae

pytestmark = pytest.mark.filterwarnings("ignore::autograd_ae.ConvergenceWarning")
every_solver = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])


@pytest.fixture
def X(rng):
    return rng.uniform(0.1, 0.9, size=(30, 6))


def tiny(**settings):
    return ae.Autoencoder(**{"hidden_layer_sizes": (5,), "max_iter": 4, "batch_size": 8, "random_state": 0} | settings)


def linear(**settings):
    return ae.LinearPCA(2, **{"solver": "adam", "batch_size": 8, "random_state": 0} | settings)


def arrays(model):
    return [p.data.copy() for p in model.parameters()]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


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


@pytest.mark.parametrize("make", [tiny, linear])
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
    centred = linear(solver=solver)
    with pytest.raises(ZeroDivisionError):
        centred.fit(X + 5.0, callback=lambda m, i: 1 / 0)
    np.testing.assert_allclose(centred.reconstruct(X + 5.0).mean(axis=0), X.mean(axis=0) + 5.0, rtol=0.05)


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


@pytest.mark.parametrize("model", [ae.LinearPCA, ae.DeepPCA])
def test_a_loss_that_only_the_unit_of_the_data_makes_infinite_is_named(model):
    """Training goes on scaled samples, where nothing overflows; the loss that is recorded is that of the caller's."""
    X = 1e200 * np.random.default_rng(0).uniform(size=(20, 4))
    with pytest.raises(FloatingPointError, match=r"L-BFGS cannot start: the value at x0 is inf.*Scale the data"):
        model(2, solver="lbfgs").fit(X)
    with pytest.raises(FloatingPointError, match=r"diverged in epoch 1 \(the loss became inf\)"):
        model(2, solver="adam").fit(X)


def test_samples_that_made_training_diverge_are_not_in_the_mean(X):
    model = diverging(learning_rate_init=0.05).partial_fit(X)
    mean, frame = model.mean_.copy(), model._frame
    with pytest.raises(FloatingPointError):
        model.partial_fit(1e200 * X)
    assert model.n_samples_seen_ == len(X)
    np.testing.assert_array_equal(model.mean_, mean)
    assert model._frame[1] == frame[1]
