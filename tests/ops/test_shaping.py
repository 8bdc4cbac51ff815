"""Shaping and joining: NumPy's results, copies in C order, inverses of one another, clear errors."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.testing.specs import SPECS

NUMPY = {
    "reshape": np.reshape,
    "transpose": np.transpose,
    "swapaxes": np.swapaxes,
    "expand_dims": np.expand_dims,
    "squeeze": np.squeeze,
    "flip": np.flip,
    "broadcast_to": np.broadcast_to,
    "pad": np.pad,
    "concatenate": lambda *xs, axis: np.concatenate(xs, axis),
    "stack": lambda *xs, axis: np.stack(xs, axis),
    "split": lambda x, cuts, axis: np.concatenate(np.split(x, cuts, axis)[::-1], axis),
}


@pytest.mark.parametrize("name", list(NUMPY))
@given(data=st.data())
def test_results_are_numpys_in_memory_of_their_own(op_tools, name, data):
    arrays, params, _ = data.draw(op_tools.cases(SPECS[name]))
    expected = NUMPY[name](*arrays, **params)
    leaves = op_tools.leaves_of(arrays)
    y = SPECS[name].call(*leaves, **params).data
    assert y.shape == expected.shape
    assert np.array_equal(y, expected)
    assert y.flags.c_contiguous
    assert not any(np.shares_memory(y, t.data) for t in leaves)


@given(st.integers(0, 3), st.integers(0, 4), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_to_join_what_was_split_is_the_identity_for_values_and_gradients(axis, i, j, seed):
    rng = np.random.default_rng(seed)
    x, g = rng.normal(size=(3, 4, 1, 2)), rng.normal(size=(3, 4, 1, 2))
    y, pull = ae.vjp(lambda t: ae.concatenate(ae.split(t, sorted([i, j]), axis), axis), x)
    assert np.array_equal(y, x)
    assert np.array_equal(pull(g)[0], g)


@pytest.mark.parametrize(
    "there_and_back",
    [
        lambda t: ae.transpose(ae.transpose(t, (2, 0, 1)), (1, 2, 0)),
        lambda t: ae.swapaxes(ae.swapaxes(t, 0, -1), 0, -1),
        lambda t: ae.reshape(ae.reshape(t, (-1, 6)), (2, 3, 4)),
        lambda t: ae.squeeze(ae.expand_dims(t, (0, -1)), (0, -1)),
        lambda t: ae.flip(ae.flip(t, (0, 2)), (2, 0)),
        lambda t: ae.pad(t, ((1, 2), (0, 3), (2, 0)), constant_values=7.0)[1:-2, :-3, 2:],
        lambda t: ae.stack(list(t)),
        lambda t: ae.concatenate([t[:, 0], t[:, 1], t[:, 2]], axis=-1).reshape(2, 3, 4),
        lambda t: ae.transpose(t).T,
    ],
)
def test_there_and_back_is_the_identity_for_values_and_gradients(there_and_back, rng):
    x, g = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))
    y, pull = ae.vjp(there_and_back, x)
    assert np.array_equal(y, x)
    assert np.array_equal(pull(g)[0], g)


def test_the_gradient_of_a_repetition_counts_the_copies():
    for shape, target in [
        ((), (2, 3)),
        ((3,), (2, 3)),
        ((2, 1), (2, 3)),
        ((1, 1), (4, 2, 3)),
        ((2, 3), (2, 3)),
        ((1,), (0,)),
    ]:
        (dx,) = ae.vjp(partial(ae.broadcast_to, shape=target), np.zeros(shape))[1](np.ones(target))
        assert np.array_equal(dx, np.full(shape, np.prod(target) / np.prod(shape)))


def test_a_tensor_joined_to_itself_receives_every_part_of_the_gradient():
    (dx,) = ae.vjp(lambda t: ae.concatenate([t, t, t]), np.zeros(2))[1](np.array([1.0, 2.0, 10.0, 20.0, 100.0, 200.0]))
    assert dx.tolist() == [111.0, 222.0]


def test_constants_may_stand_among_the_joined():
    x = ae.tensor([1.0, 2.0])
    y = ae.concatenate([np.array([9.0]), x, [8.0]])
    assert y.data.tolist() == [9.0, 1.0, 2.0, 8.0]
    assert ae.grad(y, x, cotangent=np.array([1.0, 2.0, 3.0, 4.0])).tolist() == [2.0, 3.0]


def test_split_gives_a_tuple_of_tensors_each_with_a_gradient_of_its_own():
    x = ae.tensor(np.arange(6.0))
    parts = ae.split(x, 3)
    assert isinstance(parts, tuple)
    assert [p.data.tolist() for p in parts] == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert ae.grad(ae.sum(parts[1]), x).tolist() == [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]


def test_booleans_are_shaped_too_and_stay_boolean():
    mask = ae.tensor([[1.0, -1.0]]) > 0.0
    assert ae.transpose(mask).data.tolist() == [[True], [False]]
    assert ae.broadcast_to(mask, (2, 2)).dtype == bool


def test_float32_and_float64_join_as_float64():
    x = ae.tensor(np.ones(2, np.float32))
    y = ae.stack([x, np.zeros(2)])
    assert y.dtype == np.float64
    assert ae.grad(ae.sum(y), x).dtype == np.float32


x23 = ae.tensor(np.zeros((2, 3)), name="x")
ERRORS = [
    (
        lambda: ae.reshape(x23, (4, 2)),
        ae.ShapeError,
        r"reshape\(x \(2, 3\)\).* 6 entries do not fill shape \(4, 2\), which has 8",
    ),
    (
        lambda: ae.reshape(x23, (4, -1)),
        ae.ShapeError,
        r"no size at -1 makes \(4, -1\) hold 6 entries: the other sizes make 4",
    ),
    (lambda: ae.reshape(x23, (-1, -1)), ae.ShapeError, r"more than one unknown"),
    (lambda: ae.reshape(np.zeros((0, 3)), (0, -1)), ae.ShapeError, r"no size at -1"),
    (lambda: ae.reshape(x23, (2, -3)), ae.ShapeError, r"negative size"),
    (lambda: ae.reshape(x23, (2.0, 3)), TypeError, r"a size must be an integer, float arrived"),
    (lambda: ae.transpose(x23, (0, 0)), ae.ShapeError, r"axes=\(0, 0\) must name each of 2 axes once"),
    (lambda: ae.transpose(x23, (0,)), ae.ShapeError, r"axes=\(0,\) must name each of 2 axes once"),
    (lambda: ae.transpose(x23, (0, 2)), ae.ShapeError, r"there is no axis 2: use -2 to 1"),
    (lambda: ae.swapaxes(x23, 0, 2), ae.ShapeError, r"swapaxes\(x \(2, 3\)\): there is no axis 2"),
    (lambda: ae.expand_dims(x23, 3), ae.ShapeError, r"there is no axis 3: use -3 to 2"),
    (lambda: ae.expand_dims(x23, (0, 0)), ae.ShapeError, r"names an axis of 4 twice"),
    (lambda: ae.squeeze(x23, 1), ae.ShapeError, r"axis 1 has size 3, only axes of size 1 can be dropped"),
    (lambda: ae.flip(x23, 2), ae.ShapeError, r"there is no axis 2"),
    (
        lambda: ae.broadcast_to(x23, (3, 3)),
        ae.ShapeError,
        r"\(2, 3\) does not broadcast to \(3, 3\): aligned at the right",
    ),
    (lambda: ae.broadcast_to(x23, (3,)), ae.ShapeError, r"\(2, 3\) does not broadcast to \(3,\)"),
    (lambda: ae.broadcast_to(x23, (-1, 3)), ae.ShapeError, r"negative size"),
    (lambda: ae.concatenate([x23, np.zeros((3, 2))]), ae.ShapeError, r"number 0 is \(2, 3\), number 1 is \(3, 2\)"),
    (lambda: ae.concatenate([x23, np.zeros(3)]), ae.ShapeError, r"number 0 is \(2, 3\), number 1 is \(3,\)"),
    (lambda: ae.concatenate([x23], axis=2), ae.ShapeError, r"there is no axis 2"),
    (
        lambda: ae.concatenate([ae.sum(x23)]),
        ae.ShapeError,
        r"a 0-d tensor has no axis to be joined along: use ae.stack",
    ),
    (lambda: ae.concatenate([]), ValueError, r"concatenate was given an empty sequence"),
    (
        lambda: ae.concatenate(3.0),
        TypeError,
        r"concatenate takes a sequence of tensors, float arrived: put them in a list",
    ),
    (lambda: ae.stack([x23, np.zeros((2, 4))]), ae.ShapeError, r"number 0 is \(2, 3\), number 1 is \(2, 4\)"),
    (lambda: ae.stack([]), ValueError, r"stack was given an empty sequence"),
    (lambda: ae.stack([x23], axis=3), ae.ShapeError, r"there is no axis 3: use -3 to 2"),
    (
        lambda: ae.split(x23, 2, axis=1),
        ae.ShapeError,
        r"an axis of size 3 does not split into 2 equal parts: give the indices",
    ),
    (lambda: ae.split(x23, 0), ae.ShapeError, r"does not split into 0 equal parts"),
    (lambda: ae.split(x23, [1.5]), TypeError, r"an index to cut before must be an integer"),
    (lambda: ae.pad(x23, -1), ValueError, r"must hold integers, 0 or more: to cut, use an index"),
    (lambda: ae.pad(x23, 1.5), ValueError, r"must hold integers, 0 or more"),
    (lambda: ae.pad(x23, ((1, 1),) * 3), ae.ShapeError, r"nor one such pair for each of 2 axes"),
    (lambda: ae.pad(x23, 1, "reflect"), ValueError, r"mode 'reflect' is not there, only 'constant'"),
    (
        lambda: ae.pad(x23, 1, constant_values=(0, 1)),
        TypeError,
        r"constant_values is one number for all sides, tuple arrived",
    ),
    (lambda: ae.pad(1.0, 1), ae.ShapeError, r"a 0-d tensor has no side to pad"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_what_does_not_fit_is_refused_with_a_remedy(call, error, message):
    with pytest.raises(error, match=message):
        call()
