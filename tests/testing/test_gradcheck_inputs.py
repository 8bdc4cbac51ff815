"""What may be checked: any layout, dtype, array library and kind of function; the rest is one clear error."""

import numpy as np
import pytest

from autograd_ae.testing import check_gradient, check_vjp

methods = pytest.mark.parametrize("method", ["auto", "differences"])


def squares(x):
    return np.sum(x**2)


def twice(x):
    return 2 * x


@pytest.mark.parametrize(
    ("f", "g", "x", "error", "words"),
    [
        (lambda x: None, twice, np.ones(2), TypeError, "NoneType"),
        (squares, lambda x: None, np.ones(2), TypeError, "NoneType"),
        (lambda x: np.sum(1j * x), twice, np.ones(2), TypeError, "complex"),
        (squares, lambda x: 2j * x, np.ones(2), TypeError, "complex"),
        (squares, twice, "abc", TypeError, "str"),
        (squares, twice, None, TypeError, "NoneType"),
        (squares, twice, np.array([1j]), TypeError, "complex"),
        (squares, twice, np.array([np.nan]), ValueError, "NaN"),
        (squares, twice, (), ValueError, "empty tuple"),
        (twice, twice, np.ones(2), ValueError, "check_vjp"),
        (lambda x, y: squares(x) * squares(y), lambda x, y: 2 * x, (np.ones(2), np.ones(2)), ValueError, "1 gradient"),
    ],
)
def test_bad_input_is_one_clear_error(f, g, x, error, words):
    with pytest.raises(error, match=words):
        check_gradient(f, g, x)


def test_options_that_do_not_exist_are_refused():
    for options in ({"method": "magic"}, {"points": 0}):
        with pytest.raises(ValueError, match="needed"):
            check_gradient(squares, twice, np.ones(2), **options)


READ_ONLY = np.arange(1.0, 7.0).reshape(2, 3)
READ_ONLY.flags.writeable = False


@methods
@pytest.mark.parametrize(
    "x",
    [
        1.5, [1.0, 2.0], np.array(1.5), np.array([[1.5]]), np.array([1, 2, 3]), np.asfortranarray(READ_ONLY),
        READ_ONLY[::-1],
        READ_ONLY[:, ::2], READ_ONLY, np.array([0.5, 1.5], np.float16),
    ],
    ids=str,
)  # fmt: skip
def test_any_point_of_real_numbers_will_do(x, method):
    assert check_gradient(squares, twice, x, method=method)
    assert check_gradient(squares, lambda x: np.array(2 * x, order="F"), x, method=method)
    assert not check_gradient(squares, lambda x: 3 * x, x, method=method)


@methods
def test_empty_arguments_have_nothing_to_compare(method):
    empty = np.zeros((0, 3))
    assert check_gradient(squares, twice, empty, method=method).verdict == "undecided"
    both = (lambda x, y: squares(x) + squares(y), lambda x, y: (2 * x, 2 * y))
    assert check_gradient(*both, (empty, np.ones(2)), method=method)


class Foreign:
    """As much of a tensor of another library as reading it takes."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.array


@methods
def test_arrays_of_another_library_are_read(method):
    x, y = np.array([1.0, -2.0]), np.array([0.5])
    f, g = (
        lambda x, y: Foreign(squares(x) * np.sum(y)),
        lambda x, y: (Foreign(2 * x * np.sum(y)), Foreign([squares(x)])),
    )
    assert check_gradient(f, g, (x, y), method=method)
    assert check_gradient(f, lambda x, y: (g(x, y)[0], Foreign([-squares(x)])), (x, y), method=method).worst.name == "y"


@pytest.mark.parametrize(
    ("f", "g"),
    [
        (lambda x: np.sum(np.abs(x) ** 2), twice),
        (lambda x: np.sum(x * np.conj(x)), twice),
        (lambda x: np.sum(np.real(x) ** 2), twice),
        (lambda x: np.sum(np.real(x) ** 2) + np.sum(x**3), lambda x: 2 * x + 3 * x**2),
        (lambda x: np.vdot(x, x), twice),
        (np.linalg.norm, lambda x: x / np.linalg.norm(x)),
        (lambda x: squares(x) if x[0] > 0 else np.sum(x), twice),
        (lambda x: float(x[0]) ** 2 + float(np.sum(x[1:])), lambda x: np.array([2 * x[0], 1, 1])),
    ],
    ids=["abs", "conj", "real", "partly real", "vdot", "norm", "branch", "float"],
)
def test_functions_that_are_not_analytic_are_not_misjudged(f, g):
    x = np.array([0.5, -1.0, 2.0])
    assert check_gradient(f, g, x).verdict == "agrees"
    assert check_gradient(f, lambda x: 0 * g(x), x).verdict == "disagrees"
    assert check_gradient(f, lambda x: 1.01 * g(x), x).verdict == "disagrees"


def test_a_point_next_to_the_end_of_the_domain_is_looked_at_from_inside():
    result = check_gradient(lambda x: np.sum(np.arccosh(x)), lambda x: 1 / np.sqrt(x**2 - 1), np.array([1.01, 2.0]))
    assert result.verdict == "agrees"


@methods
def test_float32_is_judged_by_its_own_digits(dense_sigmoid, method):
    case = dense_sigmoid()
    W = case.W.astype(np.float32)
    assert check_gradient(case.f, lambda W: case.gradient(W).astype(np.float32), W, method=method)
    for name in ("zero", "sign", "rows swapped", "100 times too large", "1 % too large"):
        assert check_gradient(case.f, case.wrong[name], W, method=method).verdict == "disagrees", name


@methods
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_lossy_formula_of_a_saturated_sigmoid_is_not_called_wrong(method, dtype):
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    x = np.array([12.0, 30.0, 35.0, 40.0], dtype)
    result = check_gradient(lambda x: np.sum(sigmoid(x)), lambda x: sigmoid(x) * (1 - sigmoid(x)), x, method=method)
    assert result.verdict != "disagrees"


def test_float32_inside_is_noise_not_a_fault():
    def f(x):
        return float(np.sum(np.tanh(x.astype(np.float32))))

    def g(x):
        return 1 - np.tanh(x) ** 2

    x = np.array([0.3, -1.2])
    assert check_gradient(f, g, x, method="differences").verdict != "disagrees"
    assert check_gradient(f, lambda x: 1.1 * g(x), x, method="differences").verdict == "disagrees"


@pytest.mark.parametrize("check", [check_gradient, check_vjp])
def test_an_array_in_place_of_a_function_is_refused_by_name(check):
    with pytest.raises(TypeError, match="is of type ndarray; a function is needed"):
        check(lambda x: (x**2).sum(), np.ones(3), np.ones(3))
    with pytest.raises(TypeError, match="f is of type ndarray"):
        check(np.ones(3), lambda x: 2 * x, np.ones(3))
