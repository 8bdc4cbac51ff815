"""What a tensor takes, keeps and refuses; NumPy's protocols."""

import pickle

import numpy as np
import pytest

import autograd_ae as ae


@pytest.mark.parametrize("values", [3, 2.5, [1, 2], [[1.0], [2.0]], np.float64(1.5)])
def test_numbers_and_lists_become_float64(values):
    t = ae.tensor(values)
    assert t.dtype == np.float64
    np.testing.assert_array_equal(t.data, np.asarray(values, float))


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, complex, np.float16])
def test_other_arrays_are_refused_with_the_fix(dtype):
    for make in (ae.tensor, ae.constant):
        with pytest.raises(
            TypeError,
            match=r"'pixels' of shape \(2,\) has dtype .*float32 or float64 is needed.*x\.astype\(np\.float64\)",
        ):
            make(np.ones(2, dtype), name="pixels")
    with pytest.raises(TypeError, match="float32 or float64"):
        ae.tensor(np.ones(2)) * np.ones(2, np.int64)


def test_python_scalars_are_weak_and_arrays_are_strong():
    t = ae.tensor(np.ones(3, np.float32))
    for y in (t * 2.0, 2 - t, t**2, t / 3, 1.0 + t):
        assert y.dtype == np.float32
    assert (t * np.ones(3)).dtype == np.float64
    assert (t * np.float64(2.0)).dtype == np.float64
    g = ae.grad((t * np.ones(3)).sum(), t)
    assert g.dtype == np.float32


@pytest.mark.parametrize(
    "layout", [np.asfortranarray, lambda a: a[::-1], lambda a: a.T, lambda a: np.broadcast_to(a[0], (3, 4))]
)
def test_arrays_are_brought_to_c_order_once(rng, layout):
    a = layout(rng.normal(size=(3, 4)))
    t = ae.tensor(a)
    assert t.data.flags.c_contiguous
    np.testing.assert_array_equal(t.data, a)


def test_a_c_ordered_array_is_shared_and_0_d_stays_0_d():
    a = np.ones((2, 2))
    assert ae.tensor(a).data is a
    assert ae.tensor(np.array(3.0)).shape == ()


def test_numpy_functions_are_recorded(rng):
    x = ae.tensor(rng.normal(size=(3, 4)), name="x")
    for result in (
        np.exp(x),
        np.sum(x, axis=0),
        np.ones((2, 3)) @ x,
        np.add(1.0, x),
        np.concatenate([x, x]),
        np.reshape(x, (4, 3)),
        np.where(x > 0, x, 0.0),
        np.max(x),
        np.linalg.vector_norm(x),
        np.einsum("ij->j", x),
        np.clip(x, -1, 1),
    ):
        assert isinstance(result, ae.Tensor)
        assert result.node is not None
    assert np.shape(x) == (3, 4)
    assert np.size(x) == 12


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.cbrt(x),
        lambda x: np.add.reduce(x),
        lambda x: np.exp(x, out=np.empty(2)),
        lambda x: np.median(x),
        lambda x: np.linalg.svd(x),
        lambda x: np.asarray(x),
        lambda x: np.array(x),
    ],
)
def test_what_is_not_recorded_raises_and_never_detaches(call):
    with pytest.raises(TypeError, match=r"not recorded by autograd_ae|detach it from the recording"):
        call(ae.tensor([1.0, 2.0]))


def test_values_leave_by_request():
    t = ae.tensor([2.0])
    assert (t.item(), float(t), int(t), bool(t)) == (2.0, 2.0, 2, True)
    assert f"{t:.1f}" == "2.0"
    with pytest.raises(ValueError, match=r"one element was needed.*\(2,\)"):
        ae.tensor([1.0, 2.0]).item()


def test_tensors_know_their_length_rows_and_text():
    t = ae.tensor([[1.0, 2.0], [3.0, 4.0]], name="t")
    assert len(t) == 2
    assert [row.data.tolist() for row in t] == [[1.0, 2.0], [3.0, 4.0]]
    assert repr(t).startswith("tensor([[1., 2.],")
    assert "name='t'" in repr(t)
    with pytest.raises(TypeError, match="0-d"):
        len(ae.tensor(1.0))


def test_leaves_can_be_pickled():
    t = pickle.loads(pickle.dumps(ae.tensor([1.0, 2.0], name="W")))
    assert t.name == "W"
    np.testing.assert_array_equal(t.data, [1.0, 2.0])


def test_no_grad_is_restored_after_an_error():
    with pytest.raises(ZeroDivisionError), ae.no_grad():
        1 / 0  # noqa: B018
    assert (ae.tensor(1.0) * 2.0).traced


def test_a_tensor_of_a_tensor_is_refused():
    with pytest.raises(TypeError, match="use it as it is"):
        ae.tensor(ae.tensor(1.0))
    with pytest.raises(TypeError, match=r"ae\.stack"):
        ae.tensor([ae.tensor(1.0), ae.tensor(2.0)])
