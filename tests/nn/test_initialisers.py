"""Initial weights have the moments of their formulas, within error bars of six standard errors."""

import numpy as np
import pytest

from autograd_ae.nn import INITIALISERS, glorot, glorot_sigmoid, he, sparse
from autograd_ae.nn.initialisers import initialiser_for
from autograd_ae.ops.activations import ACTIVATIONS

SIGMAS = 6
SHAPES = [(300, 200), (50, 1000), (1000, 50)]


def assert_moments(W, variance, kurtosis):
    """Mean 0 and the given variance. Var(mean) = σ²/n and Var(s²) = σ⁴(κ − 1)/n, κ being the kurtosis E w⁴/σ⁴."""
    assert abs(W.mean()) <= SIGMAS * np.sqrt(variance / W.size)
    assert abs((W**2).mean() - variance) <= SIGMAS * variance * np.sqrt((kurtosis - 1) / W.size)


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
@pytest.mark.parametrize(("initialiser", "gain"), [(glorot, 1.0), (glorot_sigmoid, 4.0)])
def test_glorot_is_uniform_with_variance_two_over_the_sum_of_the_sizes(rng, initialiser, gain, n_in, n_out):
    W = initialiser(rng, n_in, n_out)
    bound = gain * np.sqrt(6 / (n_in + n_out))
    assert W.shape == (n_in, n_out)
    assert_moments(W, gain**2 * 2 / (n_in + n_out), kurtosis=9 / 5)
    assert np.abs(W).max() <= bound
    assert np.abs(W).max() >= bound * (1 - 30 / W.size)  # P(max of n uniforms below this) = e⁻³⁰
    share = np.mean(np.abs(W) < bound / 2)  # a normal one of this variance would have 0.61 here
    assert abs(share - 0.5) <= SIGMAS * 0.5 / np.sqrt(W.size)


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_he_is_normal_with_variance_two_over_the_inputs(rng, n_in, n_out):
    W = he(rng, n_in, n_out)
    assert W.shape == (n_in, n_out)
    assert_moments(W, 2 / n_in, kurtosis=3.0)
    fourth = np.mean(W**4) / (2 / n_in) ** 2
    assert abs(fourth - 3) <= SIGMAS * np.sqrt(96 / W.size)  # Var z⁴ = 105 − 9


@pytest.mark.parametrize(("n_in", "n_out", "connections"), [(784, 300, 15), (40, 200, 7), (30, 30, 30)])
def test_sparse_gives_each_unit_exactly_as_many_incoming_weights_as_asked_for(rng, n_in, n_out, connections):
    W = sparse(rng, n_in, n_out, connections=connections)
    assert W.shape == (n_in, n_out)
    assert (np.count_nonzero(W, axis=0) == connections).all()
    assert_moments(W[W != 0], 1.0, kurtosis=3.0)


def test_sparse_chooses_among_all_inputs_alike(rng):
    """Each input serves Binomial(n_out, 15/n_in) units."""
    n_in, n_out = 100, 4000
    share = 15 / n_in
    served = np.count_nonzero(sparse(rng, n_in, n_out), axis=1)
    assert np.abs(served - n_out * share).max() <= SIGMAS * np.sqrt(n_out * share * (1 - share))


def test_sparse_connects_every_input_where_there_are_fewer_than_15(rng):
    assert (sparse(rng, 4, 9) != 0).all()


@pytest.mark.parametrize("n_in", [20, 400])
def test_signals_keep_their_variance_through_a_layer_as_the_derivation_says(rng, n_in):
    """Var A_j = n_in · Var W · E X², for any width: the law that the formulas come from."""
    X = rng.normal(size=(400, n_in))
    draws = [np.mean((X @ he(rng, n_in, 30)) ** 2) for _ in range(40)]
    assert abs(np.mean(draws) - 2.0) <= SIGMAS * np.std(draws) / np.sqrt(len(draws))


@pytest.mark.parametrize("name", list(INITIALISERS))
def test_a_seed_decides_the_weights(name):
    first, second, other = (INITIALISERS[name](np.random.default_rng(seed), 30, 20) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
    assert first.dtype == np.float64


def test_every_activation_has_an_initialiser_that_suits_it():
    chosen = {name: initialiser_for(name) for name in ACTIVATIONS}
    assert set(chosen.values()) <= set(INITIALISERS)
    assert chosen["sigmoid"] == "glorot_sigmoid"
    assert {chosen[name] for name in ("relu", "leaky_relu", "elu", "silu", "gelu")} == {"he"}
    assert {chosen[name] for name in ("identity", "tanh", "softplus")} == {"glorot"}
