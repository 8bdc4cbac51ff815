"""Layers: what they compute, what they are called, what their parameters are, and how they are saved."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.nn import MLP, Dense, load_state_dict, parameters, state_dict
from autograd_ae.ops.activations import ACTIVATIONS


@dataclass(eq=False)
class Pair:
    """Two modules, which may share a layer."""

    first: object
    second: object


@pytest.fixture
def mlp(rng):
    return MLP.create((5, 4, 3), ("sigmoid", "identity"), rng=rng)


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_a_dense_layer_computes_the_activation_of_xw_plus_b(rng, activation):
    layer = Dense.create(4, 3, rng=rng, activation=activation)
    layer.b.data += rng.normal(size=3)
    x = rng.normal(size=(6, 4))
    expected = ACTIVATIONS[activation](ae.constant(x @ layer.W.data + layer.b.data)).data
    np.testing.assert_allclose(layer(x).data, expected, rtol=1e-13, atol=1e-15)


def test_an_mlp_is_the_composition_of_its_layers(rng, mlp):
    x = rng.normal(size=(6, 5))
    first, second = mlp.layers
    np.testing.assert_array_equal(mlp(x).data, second(first(x)).data)
    assert [layer.W.shape for layer in mlp.layers] == [(5, 4), (4, 3)]


def test_parameters_are_named_by_the_number_of_their_layer(rng):
    assert [t.name for t in parameters(MLP.create((3, 2, 2), ("tanh", "tanh"), rng=rng, first=4))] == [
        "W_4",
        "b_4",
        "W_5",
        "b_5",
    ]
    assert [t.name for t in parameters(Dense.create(3, 2, rng=rng))] == ["W", "b"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_have_the_dtype_that_was_asked_for(rng, dtype):
    mlp = MLP.create((3, 2, 3), ("sigmoid", "identity"), rng=rng, dtype=dtype)
    assert {t.dtype for t in parameters(mlp)} == {np.dtype(dtype)}
    assert mlp(np.ones((1, 3), dtype)).dtype == dtype


def test_biases_start_at_zero_where_inputs_have_mean_zero(rng):
    assert not Dense.create(4, 3, rng=rng, activation="sigmoid").b.data.any()


def test_units_start_centred_on_the_mean_of_their_inputs(rng):
    """Inputs that all equal their mean give pre-activations of 0; above a sigmoid layer that mean is one half."""
    layer = Dense.create(7, 3, rng=rng, input_mean=0.25)
    np.testing.assert_allclose(layer(np.full((1, 7), 0.25)).data, 0.0, atol=1e-15)
    above = MLP.create((5, 6, 3), ("sigmoid", "identity"), rng=rng).layers[1]
    np.testing.assert_allclose(above(np.full((1, 6), 0.5)).data, 0.0, atol=1e-15)


def test_one_initialiser_may_be_given_for_each_layer(rng):
    mlp = MLP.create((40, 20, 20), ("identity", "identity"), rng=rng, init=("sparse", None))
    assert (np.count_nonzero(mlp.layers[0].W.data, axis=0) == 15).all()
    assert (mlp.layers[1].W.data != 0).all()


def test_a_shared_layer_is_counted_once_and_in_the_order_of_the_fields(rng):
    shared, other = Dense.create(3, 3, rng=rng, name="s"), Dense.create(3, 3, rng=rng, name="o")
    both = parameters(Pair([shared, other], {"again": shared, "tuple": (other,)}))
    assert [t.name for t in both] == ["W_s", "b_s", "W_o", "b_o"]


def test_constants_are_no_parameters(rng):
    layer = Dense(ae.constant(np.ones((2, 2))), ae.tensor(np.zeros(2), "b"))
    assert [t.name for t in parameters(Pair(layer, "text"))] == ["b"]


def test_a_saved_state_restores_the_function_bit_for_bit(rng, mlp, tmp_path):
    x = rng.normal(size=(6, 5))
    before = mlp(x).data.copy()
    state: dict[str, Any] = {**state_dict(mlp)}
    np.savez(tmp_path / "state.npz", **state)
    for t in parameters(mlp):
        t.data += 1.0
    assert not np.array_equal(mlp(x).data, before)
    arrays = [t.data for t in parameters(mlp)]
    with np.load(tmp_path / "state.npz") as saved:
        load_state_dict(mlp, saved)
    assert np.array_equal(mlp(x).data, before)
    assert all(t.data is a for t, a in zip(parameters(mlp), arrays, strict=True))  # in place


def test_a_state_is_a_copy(mlp):
    state = state_dict(mlp)
    state["W_1"][...] = 7.0
    assert not (mlp.layers[0].W.data == 7.0).any()


def test_unnamed_parameters_are_saved_by_their_place():
    layer = Dense(ae.tensor(np.ones((2, 1))), ae.tensor(np.zeros(1)))
    assert list(state_dict(layer)) == ["parameter_0", "parameter_1"]
    load_state_dict(layer, {"parameter_0": np.full((2, 1), 3.0), "parameter_1": np.ones(1)})
    assert layer.W.data.tolist() == [[3.0], [3.0]]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: s.pop("b_2"), ValueError, r"\['W_1', 'W_2', 'b_1', 'b_2'\] were needed, \['W_1', 'W_2', 'b_1'\]"),
        (lambda s: s.update(W_9=np.ones(1)), ValueError, "W_9"),
        (lambda s: s.update(W_2=np.ones((3, 4))), ValueError, r"W_2 has shape \(4, 3\), the array given has \(3, 4\)"),
        (lambda s: s.update(b_2=np.array(["a", "b", "c"])), TypeError, "b_2 has dtype float64.*numbers are needed"),
        (lambda s: s.update(b_2=np.ones(3, complex)), TypeError, "b_2 has dtype float64.*complex128"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(mlp, change, error, message):
    before = state_dict(mlp)
    state = {name: array + 1.0 for name, array in before.items()}
    change(state)
    with pytest.raises(error, match=message):
        load_state_dict(mlp, state)
    assert all(np.array_equal(before[name], array) for name, array in state_dict(mlp).items())


def test_two_parameters_of_one_name_cannot_be_saved_or_loaded(rng):
    twice = [Dense.create(2, 2, rng=rng), Dense.create(2, 2, rng=rng)]
    with pytest.raises(ValueError, match="same name"):
        state_dict(twice)
    with pytest.raises(ValueError, match="same name"):
        load_state_dict(twice, {"W": np.ones((2, 2)), "b": np.ones(2)})


@pytest.mark.parametrize(("n_in", "n_out"), [(0, 3), (3, -1), (2.0, 3), (True, 3)])
def test_a_layer_without_units_is_refused(rng, n_in, n_out):
    with pytest.raises(ValueError, match="whole numbers above 0"):
        Dense.create(n_in, n_out, rng=rng)


def test_unknown_names_are_refused_with_the_list_of_known_ones(rng):
    with pytest.raises(ValueError, match=r"unknown activation 'sigmod'; there are .*sigmoid"):
        Dense.create(2, 2, rng=rng, activation="sigmod")
    with pytest.raises(ValueError, match="unknown initialiser 'xavier'; there are glorot, "):
        Dense.create(2, 2, rng=rng, init="xavier")


def test_sizes_activations_and_initialisers_must_go_together(rng):
    with pytest.raises(ValueError, match="3 sizes make 2 layers, but there are 1 activations"):
        MLP.create((2, 2, 2), ("tanh",), rng=rng)
    with pytest.raises(ValueError, match="3 initialisers"):
        MLP.create((2, 2, 2), ("tanh", "tanh"), rng=rng, init=("he", "he", "he"))


def test_a_layer_of_sizes_is_refused_with_what_makes_one():
    with pytest.raises(TypeError, match=r"W is of type int; a layer holds tensors.*Dense\.create\(n_in, n_out"):
        Dense(3, 2)
