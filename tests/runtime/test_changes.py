"""What may change after a function was captured, and what is refused because it would train or read something else."""

import threading

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.runtime.team import Team

pytestmark = pytest.mark.timeout(900)  # with an empty cache some kernels are compiled
runtimes = pytest.mark.parametrize("runtime", ["compiled", "replay"])


def layer():
    """W, b, and a loss of them."""
    rng = np.random.default_rng(3)
    W, b = ae.tensor(rng.normal(size=(4, 3)), name="W"), ae.tensor(rng.normal(size=3), name="b")
    return W, b, lambda x: ae.mean(ae.sigmoid(x @ W + b) ** 2.0)


X = np.random.default_rng(0).normal(size=(8, 4))


@runtimes
@pytest.mark.parametrize(
    "changed",
    [
        lambda W: np.asfortranarray(2 * W),
        lambda W: np.repeat(2 * W, 2, axis=1)[:, ::2],
        lambda W: W[::-1],
        lambda W: np.frombuffer((3 * W).tobytes(), W.dtype).reshape(W.shape),  # read-only
        lambda W: np.frombuffer(b" " + W.tobytes(), W.dtype, offset=1).reshape(W.shape),  # not aligned
    ],
    ids=["Fortran order", "strided", "backwards", "read-only", "unaligned"],
)
def test_a_parameter_may_get_an_array_of_another_layout(runtime, changed):
    W, _, loss = layer()
    step = ae.capture(loss, X, runtime=runtime)
    W.data = changed(W.data)
    expected = loss(ae.constant(X))
    expected.backward()
    np.testing.assert_allclose(step(X), expected.data, rtol=1e-14)
    np.testing.assert_allclose(step.gradients["W"], W.grad, rtol=1e-13)


@runtimes
@pytest.mark.parametrize(
    "changed",
    [
        (np.ones((4, 5)), r"float64 \(4, 3\) when .* now float64 \(4, 5\)"),
        (np.ones((2, 3)), r"now float64 \(2, 3\)"),
        (np.ones((4, 3), np.float32), r"now float32 \(4, 3\)"),
        ([[1.0] * 3] * 4, "now of type list"),
    ],
)
def test_an_array_of_another_shape_or_dtype_is_refused_until_a_fitting_one_is_back(runtime, changed):
    W, _, loss = layer()
    step = ae.capture(loss, X, runtime=runtime)
    value, kept = step(X), W.data
    W.data, message = changed
    for _ in range(2):
        with pytest.raises(ae.CaptureError, match=message):
            step(X)
    W.data = kept
    assert step(X) == value


@runtimes
def test_a_new_array_that_the_optimizer_does_not_change_is_refused(runtime):
    W, b, loss = layer()
    step = ae.capture(loss, X, runtime=runtime, optimizer=ae.optim.SGD([W.data, b.data], learning_rate=0.1))
    step(X)
    kept, W.data = W.data, W.data.copy()
    with pytest.raises(ae.CaptureError, match=r"W\.data was given a new array, and the optimizer's params\[0\]"):
        step(X)
    W.data = kept
    kept[...] = 0.0
    step(X)
    assert kept.all()


@runtimes
def test_two_tensors_of_one_array_cannot_be_optimized(runtime):
    W = ae.tensor(np.eye(4), name="W")
    tied = ae.tensor(W.data, name="V")
    optimizer = ae.optim.SGD([W.data], learning_rate=0.1)
    with pytest.raises(ae.CaptureError, match="W and V are two tensors of one array"):
        ae.capture(lambda x: ae.mean(x @ W @ tied), X, optimizer=optimizer, runtime=runtime)
    ae.capture(lambda x: ae.mean(x @ W @ W), X, optimizer=optimizer, runtime=runtime)(X)
    np.testing.assert_allclose(W.data, np.eye(4) - 0.1 * 2 * X.sum(0)[:, None] / X.size, rtol=1e-12)


@runtimes
def test_no_grad_around_a_capture_or_a_call_changes_nothing(runtime):
    moved = []
    for inside in (False, True):
        W, b, loss = layer()
        optimizer = ae.optim.SGD([W.data, b.data], learning_rate=0.1)
        with ae.no_grad() if inside else ae.detect_anomaly():
            step = ae.capture(loss, X, runtime=runtime, optimizer=optimizer)
            step(X)
            step(X[:3])  # recorded now
        moved.append(W.data)
    np.testing.assert_allclose(*moved, rtol=1e-14)
    assert np.abs(moved[0] - layer()[0].data).max() > 1e-4


@runtimes
def test_the_line_that_gives_the_first_nan_is_named(runtime):
    _, _, loss = layer()
    step = ae.capture(loss, X, runtime=runtime)
    with ae.detect_anomaly(), pytest.raises(ae.AnomalyError, match=r"matmul\(x, W\) .* gave 24 NaN"):
        step(np.full_like(X, np.nan))
    assert np.isnan(step(np.full_like(X, np.nan)))


@runtimes
@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (np.ones(8, bool), TypeError, "dtype bool; .*flatnonzero"),
        ([0.0, 1.0], TypeError, "dtype float64; integers"),
        (slice(3), TypeError, "integers"),
        ([], ae.ShapeError, r"shape \(0,\); \(B,\) or \(steps, B\) is needed"),
        (3, ae.ShapeError, r"shape \(\)"),
        (np.zeros((1, 2, 2), int), ae.ShapeError, r"shape \(1, 2, 2\)"),
        ([-1, 2], IndexError, "row -1 was asked for"),
    ],
)
def test_rows_that_are_no_numbers_of_rows_are_refused(runtime, rows, error, message):
    step = ae.capture(layer()[2], X, runtime=runtime)
    with pytest.raises(error, match=message):
        step.on_rows(X, rows)


@runtimes
def test_the_other_arguments_come_with_rows_of_another_number(runtime, rng):
    W, _, _ = layer()
    Y, M = rng.normal(size=(8, 3)), rng.normal(size=(4, 4))
    step = ae.capture(lambda x, M, y: ae.mean((x @ M @ W - y) ** 2.0), X[:4], M, Y[:4], runtime=runtime)
    assert step.on_rows(X, [5, 1, 6], M, Y[[5, 1, 6]]) == step(X[[5, 1, 6]], M, Y[[5, 1, 6]])
    assert step.on_rows(X, [[5, 1]] * 2, [M, M], [Y[[5, 1]]] * 2)[1] == step(X[[5, 1]], M, Y[[5, 1]])
    for rows in ([0, 1, 2], [[0, 1, 2]]):
        with pytest.raises(TypeError, match=r"of 3 rows come after batches of 2, so .* \(M, y\) have new buffers"):
            step.on_rows(X, rows)
    step.take(X, [0, 1, 2])
    step.inputs["M"][...], step.inputs["y"][...] = M, Y[:3]
    step.take(X, [4, 5])
    step.take(X, [0, 1, 2])  # what was filled in before is there still
    assert step() == step(X[:3], M, Y[:3])
    with pytest.raises(TypeError, match=r"takes 3 arrays \(x, M, y\), 2 arrived"):
        step.on_rows(X, [0, 1], M)
    with pytest.raises(ae.ShapeError, match="y has 1 entries for 2 steps"):
        step.on_rows(X, [[5, 1]] * 2, [M, M], [Y[[5, 1]]])


@pytest.mark.parametrize("runtime", ["compiled", "replay", "small"])
def test_the_norm_of_a_gradient_whose_squares_overflow_is_told(runtime):
    w = ae.tensor(np.ones(3 if runtime == "small" else 30_000))
    optimizer = ae.optim.SGD([w.data], learning_rate=1e-300)
    step = ae.capture(
        lambda x: ae.sum(w * x), np.ones(1), optimizer=optimizer, runtime=runtime.replace("small", "compiled")
    )
    step(np.full(1, 1e200))
    np.testing.assert_allclose(optimizer.gradient_norm, 1e200 * np.sqrt(w.size), rtol=1e-14)


def test_whether_gradients_are_checked_is_settled_when_the_optimizer_is_made():
    optimizer = ae.optim.SGD([np.ones(3)], learning_rate=0.1)
    with pytest.raises(AttributeError):
        optimizer.check_finite = False


def test_a_binding_that_is_interrupted_is_done_anew(monkeypatch):
    W, _, loss = layer()
    step = ae.capture(loss, X)
    W.data = 2 * W.data

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(step.runtime), "_entry", interrupted)
        with pytest.raises(KeyboardInterrupt):
            step(X)
    np.testing.assert_allclose(step(X), loss(ae.constant(X)).data, rtol=1e-14)


def test_where_no_thread_can_be_started_one_computes_alone(monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    team, seat = Team(3), np.zeros(1, np.int64)
    assert not team.join(seat)
    assert not team.join(seat)
    assert seat[0] == 0
