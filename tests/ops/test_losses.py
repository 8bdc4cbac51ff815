"""The scale of losses, their exact values, and what they refuse; their digits in the tails are in test_tails.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.ops.losses import bce, bce_with_logits, cross_entropy, mse, squared_error
from autograd_ae.ops.softmax import softmax

INF = np.inf
PROBABILITIES = {bce}
ALL = [mse, squared_error, bce, bce_with_logits, cross_entropy]
PER_SAMPLE = [squared_error, bce, bce_with_logits, cross_entropy]
by_name = {"ids": lambda fn: fn.__name__}


def pair(rng, shape, fn):
    prediction = rng.uniform(0.1, 0.9, size=shape) if fn in PROBABILITIES else rng.normal(size=shape)
    return prediction, rng.uniform(0.1, 0.9, size=shape)


# The scale.


@pytest.mark.parametrize("fn", PER_SAMPLE, **by_name)
@pytest.mark.parametrize("shape", [(5, 3), (4, 2, 3), (1, 1), (3, 2, 2, 2)])
def test_a_loss_is_the_mean_over_samples_of_single_losses_and_so_is_its_gradient(rng, fn, shape):
    x_hat, x = pair(rng, shape, fn)
    value, gradients = ae.value_and_grad(fn)(x_hat, x)
    single = [ae.value_and_grad(fn)(a[None], b[None]) for a, b in zip(x_hat, x, strict=True)]
    assert value == pytest.approx(np.mean([v for v, _ in single]), rel=1e-14, abs=0)
    for k in range(2):
        each = np.concatenate([g[k] for _, g in single])
        np.testing.assert_allclose(gradients[k], each / shape[0], rtol=1e-13)


@pytest.mark.parametrize("fn", PER_SAMPLE, **by_name)
def test_a_vector_is_one_sample(rng, fn):
    x_hat, x = pair(rng, (7,), fn)
    assert fn(x_hat, x).item() == fn(x_hat[None], x[None]).item()


@pytest.mark.parametrize("fn", [squared_error, bce, bce_with_logits], **by_name)
def test_features_add_up(rng, fn):
    x_hat, x = pair(rng, (5, 6), fn)
    parts = fn(x_hat[:, :2], x[:, :2]).item() + fn(x_hat[:, 2:], x[:, 2:]).item()
    assert fn(x_hat, x).item() == pytest.approx(parts, rel=1e-14, abs=0)


def test_mse_is_the_mean_over_all_entries(rng):
    x_hat, x = pair(rng, (5, 6), mse)
    assert mse(x_hat, x).item() == pytest.approx(np.mean((x_hat - x) ** 2), rel=1e-15, abs=0)
    assert squared_error(x_hat, x).item() == pytest.approx(6 * mse(x_hat, x).item(), rel=1e-15, abs=0)


# Values.


def test_squared_error_of_a_hand_computed_example_and_its_gradient():
    value, (dx_hat, dx) = ae.value_and_grad(squared_error)(
        np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[0.0, 0.0], [3.0, 4.0]])
    )
    assert value == 3.0  # (1 + 4 + 0 + 1) / 2
    np.testing.assert_array_equal(dx_hat, [[1.0, 2.0], [0.0, 1.0]])  # 2 (x̂ − x) / 2
    np.testing.assert_array_equal(dx, -dx_hat)


@given(st.floats(-30, 10), st.floats(0, 1))
def test_bce_of_the_sigmoid_is_bce_with_logits_while_1_minus_p_has_its_digits(a, t):
    p = ae.sigmoid([a])
    assert bce(p, [t]).item() == pytest.approx(bce_with_logits([a], [t]).item(), rel=1e-11, abs=0)


@given(st.floats(0, 1), st.floats(0.01, 0.99))
def test_bce_is_least_at_the_target_where_it_is_the_entropy(t, p):
    entropy = -(t * np.log(t) if t > 0 else 0.0) - ((1 - t) * np.log1p(-t) if t < 1 else 0.0)
    assert bce([t], [t]).item() == pytest.approx(entropy, rel=1e-14, abs=0)
    assert bce([p], [t]).item() >= entropy - 1e-15


def test_bce_at_probabilities_0_and_1_is_0_where_right_and_infinite_where_wrong():
    p, t = ae.tensor([0.0, 1.0]), np.array([0.0, 1.0])
    assert str(bce(p, t).item()) == "0.0"
    np.testing.assert_array_equal(ae.grad(bce(p, t), p), [1.0, -1.0])
    wrong = bce(p, 1 - t)
    assert wrong.item() == INF
    np.testing.assert_array_equal(ae.grad(wrong, p), [-INF, INF])
    half = bce(p, [0.5, 0.5])
    assert half.item() == INF
    np.testing.assert_array_equal(ae.grad(half, p), [-INF, INF])


def test_infinite_logits_cost_nothing_where_they_are_right_and_everything_where_wrong():
    a = ae.tensor([-INF, INF])
    right = bce_with_logits(a, [0.0, 1.0])
    assert right.item() == 0.0
    np.testing.assert_array_equal(ae.grad(right, a), [0.0, 0.0])
    wrong = bce_with_logits(a, [1.0, 0.0])
    assert wrong.item() == INF
    np.testing.assert_array_equal(ae.grad(wrong, a), [-1.0, 1.0])


def test_nan_is_not_hidden():
    for fn in ALL:
        assert np.isnan(fn([[np.nan, 0.5]], [[0.5, 0.5]]).item())


def test_cross_entropy_of_equal_logits_is_log_k():
    for k in (1, 2, 10):
        assert cross_entropy(np.zeros((3, k)), np.zeros(3, int)).item() == pytest.approx(np.log(k), rel=1e-15, abs=0)


def test_cross_entropy_of_classes_is_that_of_one_hot_rows(rng):
    a, classes = rng.normal(size=(5, 2, 4)), rng.integers(4, size=(5, 2))
    one_hot = np.eye(4)[classes]
    for dtype in (np.float32, np.float64):
        logits = ae.tensor(a.astype(dtype))
        of_classes, of_rows = cross_entropy(logits, classes), cross_entropy(logits, one_hot.astype(dtype))
        assert of_classes.dtype == dtype
        assert of_classes.item() == of_rows.item()
        np.testing.assert_array_equal(ae.grad(of_classes, logits), ae.grad(of_rows, logits))
    expected = -np.log(softmax(a).data)[one_hot == 1].sum() / 5
    assert cross_entropy(a, classes).item() == pytest.approx(expected, rel=1e-14, abs=0)


def test_cross_entropy_of_two_classes_is_bce_of_the_difference(rng):
    a, t = rng.normal(size=(6, 2)), rng.uniform(size=6)
    rows = np.stack([1 - t, t], axis=1)
    assert cross_entropy(a, rows).item() == pytest.approx(
        bce_with_logits((a[:, 1] - a[:, 0])[:, None], t[:, None]).item(), rel=1e-14, abs=0
    )


def test_cross_entropy_has_no_gradient_where_the_prediction_is_the_target(rng):
    a = ae.tensor(rng.normal(size=(4, 3)))
    np.testing.assert_allclose(ae.grad(cross_entropy(a, softmax(a.data).data), a), 0.0, atol=1e-16)


def test_a_masked_class_costs_nothing_unless_it_is_the_target():
    a = ae.tensor([[0.0, -INF, 0.0]])
    right = cross_entropy(a, np.array([0]))
    assert right.item() == pytest.approx(np.log(2.0), rel=1e-14, abs=0)
    np.testing.assert_allclose(ae.grad(right, a), [[-0.5, 0.0, 0.5]])
    assert cross_entropy(a, np.array([1])).item() == INF


# What is refused.


@pytest.mark.parametrize("fn", ALL, **by_name)
def test_shapes_that_differ_are_refused_and_not_broadcast(fn):
    with pytest.raises(ae.ShapeError, match=r"\(\(4, 1\), \(4, 2\)\).*same shape"):
        fn(np.full((4, 1), 0.5), np.full((4, 2), 0.5))


@pytest.mark.parametrize("fn", ALL, **by_name)
def test_an_empty_batch_is_refused(fn):
    with pytest.raises(ae.ShapeError, match="empty"):
        fn(np.empty((0, 3)), np.empty((0, 3)))


def test_no_entries_have_no_mean_and_no_classes_no_cross_entropy():
    with pytest.raises(ae.ShapeError, match="no entries"):
        mse(np.empty((2, 0)), np.empty((2, 0)))
    with pytest.raises(ae.ShapeError, match="at least one"):
        cross_entropy(np.empty((2, 0)), np.empty((2, 0)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: bce([1.5], [1.0]),
            r"bce: probabilities in \[0, 1\] were needed, values from 1.5 to 1.5 arrived; .*sigmoid",
        ),
        (lambda: bce([-0.1, 0.5], [1.0, 1.0]), "values from -0.1 to 0.5"),
        (lambda: bce([0.5], [255.0]), r"bce: targets in \[0, 1\].*pixels / 255"),
        (lambda: bce_with_logits([3.0], [255.0]), r"bce_with_logits: targets in \[0, 1\].*pixels / 255"),
        (lambda: cross_entropy(np.zeros((2, 3)), np.array([0, 3])), r"classes must lie in 0 … 2 .*0 … 3 arrived"),
        (lambda: cross_entropy(np.zeros((2, 3)), np.array([-1, 0])), "-1 … 0 arrived"),
        (
            lambda: cross_entropy(np.zeros((2, 3)), np.array([0, 1, 2])),
            r"integer classes of shape \(2,\), \(3,\) arrived",
        ),
        (
            lambda: cross_entropy(np.zeros((2, 3)), np.array([0.0, 1.0])),
            r"array of integers, not floats: targets\.astype",
        ),
    ],
)
def test_values_out_of_range_are_refused_with_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_captured_loss_refuses_bad_values_at_replay_too():
    step = ae.capture(lambda p: bce(p, np.array([[1.0, 0.0]])), np.array([[0.5, 0.5]]))
    with pytest.raises(ValueError, match="probabilities"):
        step(np.array([[0.5, 1.5]]))
