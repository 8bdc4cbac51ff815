"""The parameters of a network lie side by side, so that the optimiser goes over them once; nobody sees it otherwise."""

import copy
import itertools
import pickle

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.runtime.updating import follows

SMALL = {"max_iter": 2, "batch_size": 8, "random_state": 0}
MODELS = {
    "Autoencoder": lambda: ae.Autoencoder(2, hidden_layer_sizes=(5,), **SMALL),
    "sgd": lambda: ae.Autoencoder(2, hidden_layer_sizes=(5,), solver="sgd", weight_decay=0.01, **SMALL),
    "VAE": lambda: ae.VAE(
        2, hidden_layer_sizes=(5,), likelihood="gaussian", observation_variance="learned", **SMALL
    ),
    "LinearPCA tied": lambda: ae.LinearPCA(2, tied=True, solver="adam", max_iter=2, random_state=0),
    "DeepPCA lbfgs": lambda: ae.DeepPCA(1, hidden_layer_sizes=(4,), max_iter=2, random_state=0),
}  # fmt: skip
every_model = pytest.mark.parametrize("name", list(MODELS))


@pytest.fixture
def X():
    return np.random.default_rng(1).random((20, 6)).astype(np.float32)


def in_one_row(arrays):
    return all(follows(a, a.size, b) for a, b in itertools.pairwise(arrays))


def arrays_of(model):
    return [p.data for p in model.parameters()]


@every_model
@pytest.mark.filterwarnings("ignore:L-BFGS")
def test_parameters_lie_side_by_side_after_fitting_saving_and_copying(name, X, tmp_path):
    model = MODELS[name]().fit(X)
    assert in_one_row(arrays_of(model))
    assert {a.dtype for a in arrays_of(model)} == {np.dtype(np.float32)}
    model.save(tmp_path / "model")
    for other in (ae.load(tmp_path / "model"), pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        for p, q in zip(model.parameters(), other.parameters(), strict=True):
            np.testing.assert_array_equal(q.data, p.data)
            assert (q.name, q.shape, q.dtype) == (p.name, p.shape, p.dtype)
            assert not np.shares_memory(p.data, q.data)
        np.testing.assert_array_equal(other.reconstruct(X), model.reconstruct(X))
    assert in_one_row(arrays_of(ae.load(tmp_path / "model")))


@every_model
@pytest.mark.skipif(not JIT_ENABLED, reason="without kernels the optimiser is called")
def test_the_optimiser_goes_over_all_parameters_in_one_pass(name, X):
    model = MODELS[name]().set_params(solver="sgd" if name == "sgd" else "adam").fit(X)
    runtime = model._step.step.runtime
    assert len(runtime._update._stretches) == 1
    assert runtime._update._stretches[0][0].size == sum(p.size for p in model.parameters())


@every_model
@pytest.mark.filterwarnings("ignore:L-BFGS")
def test_training_on_keeps_the_arrays_that_somebody_may_hold(name, X):
    model = MODELS[name]().set_params(warm_start=True, solver="adam").fit(X)
    held = arrays_of(model)
    model.fit(X).partial_fit(X)
    assert all(p.data is a for p, a in zip(model.parameters(), held, strict=True))
    before = model.reconstruct(X)
    for a in held:
        a += 1.0
    assert not np.array_equal(model.reconstruct(X), before)


@pytest.mark.parametrize("runtime", ["compiled", "replay", "eager"])
@pytest.mark.parametrize("which", [0, 2, -1])
def test_a_parameter_that_is_given_an_array_of_its_own_is_trained_like_the_others(X, which, runtime):
    trained = []
    for own in (False, True):
        model = ae.Autoencoder(2, hidden_layer_sizes=(5,), runtime=runtime, **SMALL).fit(X)
        p = model.parameters()[which]
        if own:
            p.data = p.data.copy()
        array = p.data
        model.partial_fit(X).partial_fit(X)
        assert p.data is array
        trained.append(arrays_of(model))
    for a, b in zip(*trained, strict=True):
        np.testing.assert_array_equal(a, b)


def test_any_modules_parameters_are_moved_with_their_values_an_arena_for_each_dtype(rng):
    layers = [ae.nn.Dense.create(3, 2, rng=rng, dtype=dtype) for dtype in (np.float32, np.float64, np.float32)]
    scalar = ae.tensor(np.float64(3.0), "s")
    before = [p.data.copy() for p in ae.nn.parameters([layers, scalar])]
    ae.nn.side_by_side([layers, scalar])
    after = [p.data for p in ae.nn.parameters([layers, scalar])]
    for a, b in zip(after, before, strict=True):
        np.testing.assert_array_equal(a, b)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
    assert in_one_row(after[:2] + after[4:6])
    assert in_one_row(after[2:4] + after[6:])
