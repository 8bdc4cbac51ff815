"""Capture and replay: the same lines, the same bits, on new data."""

import numpy as np
import pytest

import autograd_ae as ae


def network(rng, dtype=np.float64):
    """A closed-over two-layer net and its loss of a batch."""
    layers = ae.nn.MLP.create((5, 4, 5), ("sigmoid", "identity"), rng=rng, dtype=dtype)
    return layers, lambda x: ae.squared_error(layers(ae.constant(x)), ae.constant(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_replay_equals_eager_bitwise_values_and_gradients(rng, dtype):
    layers, loss = network(rng, dtype)
    step = ae.capture(loss, rng.normal(size=(8, 5)).astype(dtype), runtime="replay")
    for _ in range(3):
        x = rng.normal(size=(8, 5)).astype(dtype)
        value = step(x)
        eager = loss(ae.constant(x))
        parameters = ae.nn.parameters(layers)
        assert value == eager.data
        assert value.dtype == dtype
        for p, gradient in zip(parameters, ae.grad(eager, parameters), strict=True):
            np.testing.assert_array_equal(step.gradients[p], gradient)
            np.testing.assert_array_equal(step.gradients[p.name], gradient)


def test_one_program_per_tuple_of_shapes(rng):
    _, loss = network(rng)
    step = ae.capture(loss, rng.normal(size=(8, 5)), runtime="replay")
    full = step.program
    short = rng.normal(size=(3, 5))
    assert step(short) == loss(ae.constant(short)).data
    assert step.program is not full
    step(rng.normal(size=(8, 5)))
    assert step.program is full


def test_parameters_updated_in_place_or_replaced_are_seen(rng):
    layers, loss = network(rng)
    x = rng.normal(size=(4, 5))
    step = ae.capture(loss, x, runtime="replay")
    W = layers.layers[0].W
    W.data -= 0.5
    assert step(x) == loss(ae.constant(x)).data
    W.data = W.data * 2.0
    assert step(x) == loss(ae.constant(x)).data


def test_arguments_get_gradients_by_their_names(rng):
    W, x = rng.normal(size=(3, 2)), rng.normal(size=(5, 3))
    step = ae.capture(lambda W, x: ((x @ W) ** 2.0).sum(), W, x)
    step(W, x)
    assert list(step.gradients) == ["W", "x"]
    np.testing.assert_allclose(step.gradients["W"], 2 * x.T @ (x @ W), rtol=1e-13)
    np.testing.assert_array_equal(step.gradients[0], step.gradients["W"])
    with pytest.raises(ae.GraphError, match="no gradient for 'V'; there are W, x"):
        step.gradients["V"]


def test_results_are_copies_and_the_callers_arrays_are_left_alone(rng):
    x = rng.normal(size=(2, 2))
    step = ae.capture(lambda x: x * 2.0, x)
    first = step(x)
    kept = first.copy()
    x *= 3.0
    second = step(x)
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(second, 2 * x)
    with pytest.raises(ae.GraphError, match=r"output has shape \(2, 2\).*ae\.vjp"):
        step.gradients  # noqa: B018


def test_several_outputs_come_along(rng):
    step = ae.capture(lambda x: ((x * x).sum(), x.sum(), x), np.ones(3))
    loss, total, same = step(np.array([1.0, 2.0, 3.0]))
    assert (loss, total) == (14.0, 6.0)
    np.testing.assert_array_equal(same, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(step.gradients["x"], [2.0, 4.0, 6.0])


def test_comparisons_are_replayed_not_frozen():
    step = ae.capture(lambda x: ae.where(x > 0, x, -2.0 * x).sum(), np.array([1.0, 2.0]))
    assert step(np.array([-1.0, 2.0])) == 4.0
    np.testing.assert_array_equal(step.gradients["x"], [-2.0, 1.0])


def test_detached_values_follow_the_data():
    step = ae.capture(lambda x: (ae.detach(x) * x).sum(), np.array([1.0, 2.0]))
    assert step(np.array([3.0, 4.0])) == 25.0
    np.testing.assert_array_equal(step.gradients["x"], [3.0, 4.0])
    with_no_grad = ae.capture(lambda x: (held(x) * x).sum(), np.array([1.0, 2.0]))
    assert with_no_grad(np.array([3.0, 4.0])) == 25.0
    np.testing.assert_array_equal(with_no_grad.gradients["x"], [3.0, 4.0])


def held(x):
    with ae.no_grad():
        return x * 1.0


def test_an_output_without_parameters_and_an_unused_argument(rng):
    step = ae.capture(lambda x, unused: (x * x).sum(), np.ones(2), np.ones(3))
    step(np.ones(2), np.ones(3))
    np.testing.assert_array_equal(step.gradients["unused"], np.zeros(3))


@pytest.mark.parametrize(
    "branch",
    [
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x * float(x.sum()),
        lambda x: x[0 : int(x.sum())],
        lambda x: x * x.sum().item(),
    ],
)
def test_python_may_not_decide_by_values(branch):
    with pytest.raises(ae.CaptureError, match="while capturing"):
        ae.capture(lambda x: branch(x).sum(), np.array([1.0, 2.0]))


def test_noise_drawn_inside_is_refused(rng):
    with pytest.raises(ae.CaptureError, match=r"differs between two recordings.*draw it outside"):
        ae.capture(lambda x: (x + rng.normal(size=3)).sum(), np.ones(3))


def test_data_used_as_a_constant_is_refused():
    with pytest.raises(ae.CaptureError, match=r"computed from \.data outside"):
        ae.capture(lambda x: (x - x.data[0]).sum(), np.arange(3.0))


def test_wrong_calls_are_explained():
    step = ae.capture(lambda a, b: (a * b).sum(), np.ones(2), np.ones(2))
    with pytest.raises(TypeError, match=r"takes 2 arrays \(a, b\), 1 arrived"):
        step(np.ones(2))
    with pytest.raises(TypeError, match=r"dtype int64.*astype"):
        step(np.ones(2), np.ones(2, int))
    with pytest.raises(ae.CaptureError, match="must return a tensor"):
        ae.capture(lambda a: 3.0, np.ones(2))
    with pytest.raises(TypeError, match="fn is of type int; a function of tensors is needed"):
        ae.capture(3, np.ones(2))


def test_a_printed_program_is_the_derivation_unrolled(rng):
    _, loss = network(rng)
    text = str(ae.capture(loss, rng.normal(size=(8, 5))).program)
    lines = text.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["forward", "backward"]
    for part in ("W_1", "(5, 4)", "dense_sigmoid(", "squared_error(", "dense.dW(", "= 1", "float64"):
        assert part in text
    numbers = [int(line.split()[0]) for line in lines if line.startswith(" ")]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    "frozen",
    [
        lambda x: ((x - x.data.max(axis=0)) ** 2).sum(),  # the same for rows in any order
        lambda x: (x * float(x.data.sum())).sum(),
        lambda x: (x * x).sum() if x.data.sum() > 14 else -(x * x).sum(),
    ],
)
def test_values_that_do_not_depend_on_the_order_of_rows_are_refused_too(frozen):
    with pytest.raises(ae.CaptureError, match=r"differs between two recordings|gave different lines"):
        ae.capture(frozen, np.arange(1.0, 6.0))


def test_a_function_that_refuses_shrunken_values_is_recorded_on_reordered_ones():
    def loss(logits, p):
        return ae.cross_entropy(logits, p)

    logits, p = np.arange(6.0).reshape(2, 3), np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    assert ae.capture(loss, logits, p)(logits, p) == loss(ae.tensor(logits), ae.tensor(p)).data


@pytest.mark.parametrize(
    "branch",
    [
        lambda x: x if x.data.sum() > 0 else -x,
        lambda x: x * 2.0 if np.abs(x.data).max() < 8 else x,
        lambda x: x[x.data > 0],
        lambda x: x * np.sign(x.data[0]),
        lambda x: x[:2] if x.data[0] < 0 else x,
    ],
    ids=["sign", "size", "mask", "constant", "shape"],
)
def test_a_branch_on_a_sign_or_a_size_that_similar_data_do_not_show_is_refused(branch):
    with pytest.raises(ae.CaptureError, match=r"between two recordings|different lines|while capturing"):
        ae.capture(lambda x: branch(x).sum(), np.array([1.0, 3.0, 2.0, 4.0]))


def test_a_branch_that_asks_python_for_a_negative_value_is_refused():
    with pytest.raises(ae.CaptureError, match="while capturing"):
        ae.capture(lambda x: (x * float(x.sum()) if x.data[0] < 0 else x).sum(), np.ones(3))


def refusing_negatives(x):
    assert (x.data >= 0).all()
    return ae.sqrt(x).sum()


@pytest.mark.parametrize(
    ("fn", "value"),
    [
        (lambda x: ae.log(x).sum(), 0.0),
        (lambda x: ae.bernoulli_kl(ae.reshape(x, (1, 3)), 0.5, form="ufldl") + x.sum(), None),
        (refusing_negatives, 3.0),
        (lambda x: ae.exp(1e3 * x - 1e3).sum(), 3.0),
    ],
    ids=["NaN", "ValueError", "AssertionError", "overflow"],
)
def test_functions_of_a_domain_of_their_own_are_captured_without_a_warning(fn, value):
    step = ae.capture(fn, np.ones(3))
    assert value is None or step(np.ones(3)) == value


@pytest.mark.filterwarnings("error")
def test_under_detect_anomaly_values_out_of_the_domain_are_no_anomaly():
    with ae.detect_anomaly():
        assert ae.capture(lambda x: ae.sqrt(x).sum(), np.ones(3))(np.ones(3)) == 3.0


def test_capturing_takes_no_fingerprints(monkeypatch):
    """They would load Numba, for a hash that nobody compares."""

    def fingerprint(_array):
        raise AssertionError("a fingerprint was taken")

    monkeypatch.setattr("autograd_ae.core.recording.fingerprint", fingerprint)
    W = ae.tensor(np.ones((3, 2)))
    step = ae.capture(lambda x: ae.sum(ae.dense(x, W, ae.tensor(np.zeros(2)), "sigmoid")), np.ones((4, 3)))
    np.testing.assert_allclose(step(np.zeros((4, 3))), 4.0)
