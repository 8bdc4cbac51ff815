"""The chain rule as the engine applies it: fan-out, depth, freeing, errors."""

import gc
import re
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.core.program import Program
from autograd_ae.testing.complex_step import complex_step_gradient


def assert_same_gradients(fn, *arrays):
    """value_and_grad against complex step, to 1e-9 of the largest entry."""
    _, gradients = ae.value_and_grad(fn)(*arrays)
    for gradient, true in zip(gradients, complex_step_gradient(fn, arrays), strict=True):
        assert np.abs(gradient - true).max() <= 1e-9 * np.abs(true).max()


def test_a_tensor_used_twice_gets_both_contributions():
    assert_same_gradients(lambda x: (x * x).sum(), np.array([3.0, -2.0]))
    assert_same_gradients(lambda x: (x + x + ae.exp(x) * x).sum(), np.array([0.3, -2.0]))


def test_a_diamond_adds_its_two_paths():
    def diamond(x):
        h = ae.tanh(x)
        return (ae.exp(h) * ae.sin(h)).sum()

    assert_same_gradients(diamond, np.linspace(-1, 1, 5))


def test_one_tensor_as_both_operands_and_broadcast():
    assert_same_gradients(lambda x: (x @ x.T).sum(), np.arange(6.0).reshape(2, 3))
    assert_same_gradients(lambda x: (ae.reshape(x, (3, 1)) * x).sum(), np.arange(1.0, 4.0))


@given(st.lists(st.sampled_from(["add", "multiply", "subtract"]), min_size=1, max_size=12), st.integers(0, 2**31))
def test_random_reuse_of_intermediates(names, seed):
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, 2**31, size=(len(names), 2))

    def fn(x, y):
        values = [x, y]
        for name, (i, j) in zip(names, picks, strict=True):
            values.append(getattr(ae, name)(values[i % len(values)], values[j % len(values)]))
            values[-1] = ae.tanh(values[-1])
        return values[-1].sum() + values[2].sum()

    x, y = rng.normal(size=(2, 3)), rng.normal(size=(1, 3))
    _, gradients = ae.value_and_grad(fn)(x, y)
    for gradient, true in zip(gradients, complex_step_gradient(fn, (x, y)), strict=True):
        assert np.abs(gradient - true).max() <= 1e-9 * max(np.abs(true).max(), 1e-12)
    leaves = [ae.tensor(x), ae.tensor(y)]
    written_down = Program([fn(*leaves)], wrt=leaves).run_once()
    for gradient, same in zip(gradients, written_down, strict=True):
        np.testing.assert_array_equal(gradient, same)  # bit for bit: contributions are added in the same order


@pytest.mark.parametrize("depth", [10_000, 100_000])
def test_deep_chains_do_not_recurse(depth):
    x = ae.tensor(np.ones(1), name="x")
    y = x
    for _ in range(depth):
        y = y + 1e-5
    y.sum().backward()
    assert x.grad == 1.0
    del y  # nor does letting go of the chain


def test_a_deep_product_has_the_gradient_of_the_power():
    x = ae.tensor(1.0001)
    y = x
    for _ in range(9_999):
        y = y * x
    gradient = ae.grad(y, x)
    assert abs(gradient / (10_000 * 1.0001**9_999) - 1) < 1e-9


def test_backward_accumulates_and_zero_grad_forgets():
    x = ae.tensor([1.0, 2.0])
    for times in (1, 2):
        (x * x).sum().backward()
        np.testing.assert_array_equal(x.grad, times * np.array([2.0, 4.0]))
    x.zero_grad()
    assert x.grad is None


def test_the_functional_forms_do_not_touch_grad():
    x = ae.tensor([1.0, 2.0])
    loss = (x * x).sum()
    ae.grad(loss, x)
    ae.grad(loss, [x])
    assert x.grad is None
    loss.backward()
    assert x.grad is not None


def test_gradients_of_intermediate_results():
    x = ae.tensor([1.0, 2.0])
    h = x * 3.0
    gh, gx = ae.grad((h * h).sum(), [h, x])
    np.testing.assert_array_equal(gh, 2 * h.data)
    np.testing.assert_array_equal(gx, 3 * gh)


def test_constants_and_unneeded_inputs_get_no_gradient_lines():
    x, W = ae.constant(np.ones((4, 3)), name="x"), ae.tensor(np.ones((3, 2)), name="W")
    program = Program([(x @ W).sum()])
    assert not any("matmul.da(" in program.text(line) for line in program.backward)
    assert [program.name(place) for place in program.wrt] == ["W"]


def test_the_recording_is_freed_with_its_result_without_the_garbage_collector():
    gc.disable()
    try:
        x = ae.tensor(np.ones(10))
        h = ae.exp(x)
        watched = weakref.ref(h)
        loss = (h * h).sum()
        loss.backward()
        del h, loss
        assert watched() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("retain_graph", [False, True])
def test_a_backward_pass_leaves_nothing_for_the_garbage_collector(retain_graph):
    x, W = ae.tensor(np.ones((4, 3))), ae.tensor(np.ones((3, 3)))

    def step():
        h = ae.dense(x, W, np.zeros(3), "sigmoid")
        ae.grad((h * 2.0).sum(), h)
        (h * h + ae.sin(h) * x).sum().backward(retain_graph=retain_graph)

    step()  # whatever is made once
    gc.collect()
    gc.disable()
    try:
        step()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_parameter_that_was_given_a_new_array_after_recording_is_noticed():
    W = ae.tensor([1.0, 2.0], name="W")
    loss = (W * W).sum()
    W.data = W.data - 0.1
    with pytest.raises(ae.InPlaceError, match="'W' was edited"):
        loss.backward()


def test_an_error_on_the_way_leaves_every_gradient_as_it_was():
    x, w = ae.tensor([1.0], name="x"), ae.tensor([2.0], name="w")
    freed = ae.exp(x)
    freed.sum().backward()
    before = x.grad.copy()
    with pytest.raises(ae.GraphError, match="freed"):
        (w * freed).sum().backward()
    assert w.grad is None
    np.testing.assert_array_equal(x.grad, before)


def test_a_second_backward_through_a_freed_graph_says_what_to_do():
    x = ae.tensor([1.0], name="x")
    loss = ae.exp(x).sum()
    loss.backward()
    with pytest.raises(
        ae.GraphError, match=r"history of sum, .*test_backward\.py:\d+: loss = ae\.exp\(x\).*retain_graph=True"
    ):
        loss.backward()


def test_retain_graph_allows_a_second_backward():
    x = ae.tensor([1.0])
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    np.testing.assert_array_equal(x.grad, [4.0])


def test_a_vector_needs_a_cotangent_and_a_right_one():
    x = ae.tensor([1.0, 2.0], name="x")
    made = r"multiply\(x \(2,\), x \(2,\)\), recorded at test_backward\.py:\d+: "
    with pytest.raises(ae.GraphError, match=made + r".*has shape \(2,\).*starts from a scalar.*pass cotangent="):
        (x * x).backward()
    with pytest.raises(ae.GraphError, match=r"cotangent has shape \(3,\), but the output of " + made):
        (x * x).backward(np.ones(3))
    (x * x).backward(np.array([1.0, 10.0]))
    np.testing.assert_array_equal(x.grad, [2.0, 40.0])


def test_what_was_not_recorded_cannot_be_differentiated():
    x = ae.tensor([1.0], name="x")
    with ae.no_grad():
        y = (x * x).sum()
    for loss in (y, ae.detach(x * x).sum(), ae.constant(1.0) * 2.0):
        with pytest.raises(ae.GraphError, match="nothing to differentiate"):
            loss.backward()
    with pytest.raises(ae.GraphError, match="not computed from tensor 'w'"):
        ae.grad((x * x).sum(), ae.tensor([1.0], name="w"))
    assert ae.grad((x * x).sum(), ae.tensor([1.0]), allow_unused=True) == 0.0
    with pytest.raises(ae.GraphError, match="is a constant"):
        ae.grad((x * x).sum(), ae.constant(1.0, name="c"))


def test_a_shape_mismatch_names_op_inputs_line_and_remedy():
    W, x = ae.tensor(np.ones((4, 2)), name="W"), ae.tensor(np.ones((4, 3)), name="x")
    with pytest.raises(ae.ShapeError) as caught:
        ae.dense(x, W, np.zeros(2))
    message = str(caught.value)
    for part in (
        r"dense\(x \(4, 3\), W \(4, 2\)",
        r"test_backward\.py:\d+",
        r"3 columns but W has 4 rows",
        r"did you mean x\.T",
    ):
        assert re.search(part, message), message


@pytest.mark.parametrize("size", [3, 1000])
@pytest.mark.parametrize("victim", ["input", "output"])
def test_an_in_place_edit_that_backward_would_miss_is_refused(size, victim):
    values = np.linspace(0.1, 1.0, size)
    x = ae.tensor(values, name="x")
    y = ae.exp(x) if victim == "output" else ae.square(x)
    (y.data if victim == "output" else values)[size // 2] *= 1 + 1e-15
    with pytest.raises(ae.InPlaceError, match=r"edited in place.*(exp|square)\(x \(.*test_backward\.py"):
        y.sum().backward()


def test_swapping_entries_in_place_is_noticed(rng):
    values = rng.normal(size=4000)
    x = ae.tensor(values, name="x")
    loss = (x * x).sum()
    rng.shuffle(values)
    with pytest.raises(ae.InPlaceError, match="'x' was edited"):
        loss.backward()


def test_edits_that_no_rule_reads_are_allowed():
    values = np.ones(3)
    x = ae.tensor(values)
    loss = (x + 1.0).sum()
    values[0] = 5.0  # the gradient of a sum needs nothing
    loss.backward()
    x.data -= 0.1 * x.grad  # and after backward everything may be edited
    np.testing.assert_array_equal(x.grad, [1.0, 1.0, 1.0])


def test_detect_anomaly_names_the_first_nan():
    x = ae.tensor([1.0, -1.0], name="x")
    with (
        ae.detect_anomaly(),
        np.errstate(all="ignore"),
        pytest.raises(
            ae.AnomalyError,
            match=r"log\(x \(2,\)\) at test_backward\.py:\d+.*1 NaN of 2 elements, the first at index \(1,\)",
        ),
    ):
        ae.log(x)
    zero = ae.tensor([0.0], name="zero")
    with (
        ae.detect_anomaly(),
        np.errstate(all="ignore"),
        pytest.raises(ae.AnomalyError, match=r"backward pass of sqrt\(|backward pass of multiply\("),
    ):
        (ae.sqrt(zero) * 0.0).sum().backward()


def test_mazurs_example_to_all_printed_digits():
    """M. Mazur, "A step by step backpropagation example" (2015): 2-2-2 sigmoid network, E = ½ Σ (target − out)²."""
    x, target = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
    W1, W2 = np.array([[0.15, 0.25], [0.20, 0.30]]), np.array([[0.40, 0.50], [0.45, 0.55]])
    b1, b2 = np.full(2, 0.35), np.full(2, 0.60)

    def E(W1, W2):
        h = ae.dense(x, W1, b1, "sigmoid")
        return 0.5 * ((target - ae.dense(h, W2, b2, "sigmoid")) ** 2).sum()

    value, (d1, d2) = ae.value_and_grad(E)(W1, W2)
    assert f"{value:.10f}" == "0.2983711088"  # printed as .298371109
    assert f"{d2[0, 0]:.8f}" == "0.08216704"  # dE/dw5
    assert f"{d1[0, 0]:.8f}" == "0.00043857"  # dE/dw1
    W1, W2 = W1 - 0.5 * d1, W2 - 0.5 * d2
    assert f"{W2[0, 0]:.9f}" == "0.358916480"  # w5+
    assert f"{W2[1, 0]:.9f}" == "0.408666186"  # w6+
    assert f"{W2[0, 1]:.9f}" == "0.511301270"  # w7+
    assert f"{W2[1, 1]:.9f}" == "0.561370121"  # w8+
    assert f"{W1[0, 0]:.9f}" == "0.149780716"  # w1+
    assert f"{W1[1, 0]:.8f}" == "0.19956143"  # w2+
    assert f"{W1[0, 1]:.8f}" == "0.24975114"  # w3+
    assert f"{W1[1, 1]:.8f}" == "0.29950229"  # w4+
    assert f"{E(ae.constant(W1), ae.constant(W2)).item():.9f}" == "0.291027774"
    for _ in range(9_998):  # the error he prints is that of the 10,000th forward pass
        _, (d1, d2) = ae.value_and_grad(E)(W1, W2)
        W1, W2 = W1 - 0.5 * d1, W2 - 0.5 * d2
    assert f"{E(ae.constant(W1), ae.constant(W2)).item():.10f}" == "0.0000351085"


def test_a_tensor_asked_for_twice_gets_two_arrays():
    x = ae.tensor([1.0, 2.0])
    first, second = ae.grad((x * x).sum(), [x, x])
    np.testing.assert_array_equal(first, second)
    assert not np.shares_memory(first, second)


@pytest.mark.parametrize("number", [0.0, -0.0, 1, -3, 0.1, 2**53 + 1, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_number_on_either_side_is_the_constant_of_the_tensors_dtype(number, dtype):
    x = np.array([0.7, -1.3], dtype)
    c = np.array(number, dtype)
    for _ in range(2):  # the second time the constant is a kept one
        with np.errstate(divide="ignore", invalid="ignore"):
            for given, expected in ((ae.tensor(x) / number, x / c), (number * ae.tensor(x), c * x)):
                assert given.dtype == dtype
                np.testing.assert_array_equal(given.data, expected)
                np.testing.assert_array_equal(np.signbit(given.data), np.signbit(expected))


def test_gradients_that_are_passed_on_as_they_are_share_no_memory():
    a, b = ae.tensor([1.0, 2.0]), ae.tensor([3.0, 4.0])
    upstream = np.array([1.0, 10.0])
    y = a + b
    (y + 1.0).backward(upstream)
    a.grad += 1.0
    np.testing.assert_array_equal(b.grad, [1.0, 10.0])
    np.testing.assert_array_equal(upstream, [1.0, 10.0])
