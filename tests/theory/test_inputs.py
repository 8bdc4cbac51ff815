"""One table of bad data for every function that takes data: one clear error each, never a NaN."""

import numpy as np
import pytest

from autograd_ae import theory

TAKES_DATA = {
    "spectrum": theory.spectrum,
    "principal_axes": theory.principal_axes,
    "eckart_young": lambda X: theory.eckart_young(X, 1),
    "bourlard_kamp_bound": lambda X: theory.bourlard_kamp_bound(X, 1),
    "lossless_dimension": theory.lossless_dimension,
    "optimal_decoder_bias": lambda X: theory.optimal_decoder_bias(X, np.ones((2, 1)), np.ones((1, 2))),
    "critical_loss": lambda X: theory.critical_loss(X, [0]),
    "regularised_linear": lambda X: theory.regularised_linear(X, 1, penalty=0.1),
    "nonuniform_linear": lambda X: theory.nonuniform_linear(X, [0.1]),
    "additive_dae": lambda X: theory.additive_dae(X, noise_variance=0.1),
    "masking_dae": lambda X: theory.masking_dae(X, keep_probability=0.5),
    "ppca": lambda X: theory.ppca(X, 1),
    "linear_vae": lambda X: theory.linear_vae(X, 1, noise_variance=0.1),
    "linear_vae_loss": lambda X: theory.linear_vae_loss(X, np.ones((1, 2)), noise_variance=0.1),
    "sparse_code": lambda X: theory.sparse_code(X, np.eye(2), penalty=0.1),
    "mean_image_plateau": theory.mean_image_plateau,
    "cross_entropy_floor": theory.cross_entropy_floor,
    "collapse_level": theory.collapse_level,
}

BAD_DATA = [
    ([1.0, 2.0], ValueError, r"2-d array is needed.*reshape"),
    (np.ones((2, 2, 2)), ValueError, "flatten each image"),
    (3.0, ValueError, "2-d array is needed"),
    (np.empty((0, 2)), ValueError, "empty"),
    (np.empty((2, 0)), ValueError, "empty"),
    ([[1.0, np.nan]], ValueError, r"NaN or infinity at index \(0, 1\)"),
    ([[np.inf, 1.0]], ValueError, "NaN or infinity"),
    ([[1e200, 1.0]], ValueError, "squares overflow"),
    ([[1.0 + 2.0j, 1.0]], TypeError, "complex"),
    ([["1", "2"]], TypeError, "real numbers are needed"),
    ([[1.0], [1.0, 2.0]], TypeError, "rows differ in length"),
    (np.array([[None, 1.0]]), TypeError, "object"),
]


@pytest.mark.parametrize(("X", "error", "message"), BAD_DATA, ids=[message for _, _, message in BAD_DATA])
@pytest.mark.parametrize("name", TAKES_DATA)
def test_bad_data_are_refused_by_name(name, X, error, message):
    with pytest.raises(error, match=message) as caught:
        TAKES_DATA[name](X)
    assert str(caught.value).startswith("X")


@pytest.mark.parametrize("L", [-1, 3, 10**30])
def test_a_dimension_out_of_range_is_refused(L):
    for fit in (theory.eckart_young, theory.ppca):
        with pytest.raises(ValueError, match=f"n_components={L}"):
            fit([[1.0, 2.0], [3.0, 5.0]], L)


@pytest.mark.parametrize("L", [1.0, "1", None, True, np.float64(1)])
def test_a_dimension_that_is_no_whole_number_is_refused(L):
    with pytest.raises(TypeError, match="whole number"):
        theory.eckart_young([[1.0, 2.0], [3.0, 5.0]], L)


@pytest.mark.parametrize("value", ["1", None, True, [1.0], 1j])
def test_a_hyperparameter_that_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="one real number is needed"):
        theory.additive_dae([[1.0, 2.0]], noise_variance=value)


@pytest.mark.parametrize("value", [np.float32(0.5), np.int64(1), 1, 0.5])
def test_numpy_scalars_are_numbers(value):
    assert theory.additive_dae([[1.0], [2.0]], noise_variance=value).loss > 0


def test_transposed_data_get_the_advice_to_transpose():
    optimum = theory.eckart_young(np.ones((3, 2)), 1)
    with pytest.raises(ValueError, match=r"samples go in rows; did you mean the transpose"):
        optimum.reconstruct(np.ones((2, 3)))
