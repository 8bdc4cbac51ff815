"""Indexing: NumPy's values and shapes for every index, gradients that add up repeats, clear errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import autograd_ae as ae
from autograd_ae.testing.specs import SPECS


def same_as_numpy(x, index):
    y = ae.tensor(x)[index]
    assert y.shape == x[index].shape
    assert np.array_equal(y.data, x[index])
    assert not np.shares_memory(y.data, x)


@pytest.mark.parametrize("name", ["getitem", "getitem_mask", "gather", "gather_mask"])
@given(data=st.data())
def test_every_index_reads_what_numpy_reads(op_tools, name, data):
    (x,), params, _ = data.draw(op_tools.cases(SPECS[name]))
    same_as_numpy(np.asarray(x, order="C"), params["index"])


@given(st.data(), npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
def test_basic_indices_drawn_by_hypothesis_read_what_numpy_reads(data, shape):
    index = data.draw(npst.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    same_as_numpy(np.arange(float(np.prod(shape))).reshape(shape), index)


@given(st.data(), npst.array_shapes(min_dims=1, max_dims=3, max_side=3))
def test_integer_arrays_drawn_by_hypothesis_gather_what_numpy_gathers(data, shape):
    index = data.draw(
        npst.integer_array_indices(shape, dtype=data.draw(st.sampled_from([np.int8, np.uint16, np.int64])))
    )
    same_as_numpy(np.arange(float(np.prod(shape))).reshape(shape), index)


@given(st.data(), npst.array_shapes(min_dims=1, max_dims=3, max_side=3))
def test_the_gradient_of_a_sum_counts_how_often_each_entry_was_read(data, shape):
    index = data.draw(npst.integer_array_indices(shape))
    (dx,) = ae.value_and_grad(lambda t: ae.sum(t[index]))(np.zeros(shape))[1]
    places = np.arange(np.prod(shape)).reshape(shape)[index]
    assert np.array_equal(dx, np.bincount(places.ravel(), minlength=dx.size).reshape(shape))


def test_the_block_of_array_axes_goes_in_front_when_a_slice_parts_the_arrays():
    x = np.arange(120.0).reshape(2, 3, 4, 5)
    same_as_numpy(x, (0, slice(None), [0, 1, 3]))
    same_as_numpy(x, ([0, 1], slice(None), 2))
    same_as_numpy(x, (slice(None), [0, 2], None, [1, 1]))
    same_as_numpy(x, (slice(None), [0, 2], [1, 1]))
    same_as_numpy(x, (..., np.array(1), [0, 2]))


def test_repeated_rows_receive_the_sum_of_their_gradients():
    W = ae.tensor(np.zeros((3, 2)))
    y = W[[2, 0, 2, -1]]
    g = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0], [8.0, 80.0]])
    assert ae.grad(y, W, cotangent=g).tolist() == [[2.0, 20.0], [0.0, 0.0], [13.0, 130.0]]


def test_a_mask_picks_and_its_gradient_puts_back():
    x = ae.tensor([1.0, -2.0, 3.0])
    y = x[x > 0.0]
    assert y.data.tolist() == [1.0, 3.0]
    assert ae.grad(y, x, cotangent=np.array([5.0, 7.0])).tolist() == [5.0, 0.0, 7.0]


def test_index_arrays_are_copied_when_recorded():
    x, rows, mask = ae.tensor([1.0, 2.0, 3.0]), np.array([0, 0]), np.array([True, False, False])
    y = ae.sum(x[rows]) + ae.sum(x[mask])
    rows[:], mask[:] = 2, True
    assert ae.grad(y, x).tolist() == [3.0, 0.0, 0.0]


def test_a_recorded_index_prints_as_it_was_written():
    y = ae.tensor(np.zeros((4, 3, 2)), name="x")[1:, ..., None, ::-1]
    assert repr(y.node.params["index"]) == "[1:, :, None, ::-1]"
    y = ae.tensor(np.zeros((4, 3)), name="x")[[0, 1], 2]
    assert repr(y.node.params["index"]) == "[i0, 2]"
    assert y.node.params["i0"].tolist() == [0, 1]


def test_a_tensor_is_iterated_and_unpacked_over_its_first_axis():
    x = ae.tensor([[1.0, 2.0], [3.0, 4.0]])
    a, b = x
    assert ae.grad(ae.sum(a * b), x).tolist() == [[3.0, 4.0], [1.0, 2.0]]


def test_a_captured_index_array_is_a_constant_and_replays():
    step = ae.capture(lambda x: ae.sum(x[np.array([1, 1, 0])] * 2.0), np.array([1.0, 5.0]))
    assert step(np.array([10.0, 100.0])) == 420.0
    assert step.gradients[0].tolist() == [2.0, 4.0]


def test_an_index_drawn_at_random_while_capturing_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ae.CaptureError, match="index array"):
        ae.capture(lambda x: ae.sum(x[rng.integers(0, 100, size=5)]), np.ones(100))


def test_a_mask_computed_from_data_is_refused_while_capturing():
    with pytest.raises(ae.CaptureError, match=r"how many entries it selects depends on the data.*Use ae.where"):
        ae.capture(lambda x: ae.sum(x[x > 0.0]), np.array([1.0, -1.0]))


x23 = ae.tensor(np.zeros((2, 3)), name="x")
ERRORS = [
    (2, IndexError, r"^getitem\(x \(2, 3\)\): index 2 is out of range for axis 0, of size 2: use -2 to 1$"),
    ((0, -4), IndexError, r"index -4 is out of range for axis 1, of size 3"),
    ((slice(None), [0, 3]), IndexError, r"index 3 is out of range for axis 1, of size 3: use -3 to 2"),
    ([-3, 0], IndexError, r"index -3 is out of range for axis 0"),
    ((0, 0, 0), IndexError, r"the index asks for 3 axes, there are 2"),
    ((..., 0, ...), IndexError, r"one ellipsis \(...\) at most, 2 arrived"),
    (
        np.array([True, False, True]),
        IndexError,
        r"a mask of shape \(3,\) stands at axes of shape \(2,\): the two must be equal",
    ),
    (([0, 1], [0, 1, 2]), ae.ShapeError, r"index arrays of shapes \[\(2,\), \(3,\)\] do not broadcast"),
    (1.0, TypeError, r"1.0 cannot be an index: use integers, slices, None, ..., or arrays"),
    (True, TypeError, r"True cannot be an index"),
    ("0", TypeError, r"'0' cannot be an index"),
    (np.array([0.0, 1.0]), TypeError, r"an array of dtype float64 cannot be an index"),
    (ae.tensor([0.0, 1.0]), TypeError, r"a tensor of dtype float64 cannot be an index: use an integer array"),
    ([[0, 1], [0]], TypeError, r"a list of lists of unequal lengths"),
    (slice(0, 1.5), TypeError, r"a bound or step of a slice must be an integer, float arrived"),
    (slice(None, None, 0), ValueError, r"the step of a slice is 0"),
]


@pytest.mark.parametrize(("index", "error", "message"), ERRORS)
def test_an_index_that_does_not_fit_is_refused_with_a_remedy(index, error, message):
    with pytest.raises(error, match=message):
        x23[index]


def test_an_empty_axis_has_no_index_and_a_0d_tensor_no_axis():
    with pytest.raises(IndexError, match="index 0 is out of range for axis 0, of size 0: the axis is empty"):
        ae.tensor(np.zeros((0, 2)))[0]
    with pytest.raises(IndexError, match="the index asks for 1 axes, there are 0"):
        ae.tensor(1.0)[0]
    assert ae.tensor(np.ones(3))[[]].shape == (0,)
    assert ae.tensor(1.0)[()].shape == ae.tensor(1.0)[...].shape == ()
