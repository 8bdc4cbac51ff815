"""A step with an optimiser in it: the same parameters, moments and errors as gradients and optimiser.step."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.optim import SGD, Adam, AdamW, cosine

pytestmark = pytest.mark.timeout(900)  # with an empty cache some kernels are compiled

OPTIMIZERS = {
    "adam": lambda arrays: Adam(arrays, learning_rate=0.01),
    "adam with decay": lambda arrays: Adam(arrays, learning_rate=0.01, weight_decay=0.1),
    "adamw": lambda arrays: AdamW(arrays, learning_rate=0.01, weight_decay=0.1),
    "scheduled": lambda arrays: Adam(arrays, learning_rate=cosine(0.01, 10)),
    "sgd": lambda arrays: SGD(arrays, learning_rate=0.1, weight_decay=0.01),
    "momentum": lambda arrays: SGD(arrays, learning_rate=0.1, momentum=0.9),
    "nesterov": lambda arrays: SGD(arrays, learning_rate=0.1, momentum=0.9, nesterov=True),
}


def network(dtype=np.float64):
    layers = ae.nn.MLP.create((6, 5, 2, 6), ("sigmoid", "tanh", "identity"), rng=np.random.default_rng(3), dtype=dtype)
    return ae.nn.parameters(layers), lambda x: ae.squared_error(layers(x), x)


def arena(parameters):
    """The parameters moved into one block, side by side."""
    block = np.concatenate([p.data.ravel() for p in parameters])
    start = 0
    for p in parameters:
        p.data, start = block[start : start + p.size].reshape(p.shape), start + p.size


def trained(runtime, name, dtype, batches, prepare=lambda parameters: None):
    parameters, loss = network(dtype)
    prepare(parameters)
    optimizer = OPTIMIZERS[name]([p.data for p in parameters])
    if runtime == "eager":
        values = []
        for x in batches:
            recorded = loss(ae.constant(x))
            optimizer.step(ae.grad(recorded, parameters))
            values.append(recorded.data)
    else:
        step = ae.capture(loss, ae.constant(batches[0]), optimizer=optimizer, runtime=runtime)
        values = [step(x) for x in batches]
    return parameters, optimizer, values


@pytest.mark.parametrize("side_by_side", [False, True])
@pytest.mark.parametrize("name", list(OPTIMIZERS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_is_the_same_compiled_replayed_and_eager(rng, name, dtype, side_by_side):
    batches = rng.random((6, 4, 6)).astype(dtype)
    prepare = arena if side_by_side else lambda parameters: None
    runs = [trained(r, name, dtype, batches, prepare) for r in ("eager", "replay", "compiled")]
    (eager, optimizer, values), *others = runs
    for exact, (parameters, other, their_values) in zip((True, False), others, strict=True):
        tolerance = 0 if exact else 300 * np.finfo(dtype).eps
        np.testing.assert_allclose(their_values, values, rtol=tolerance)
        for p, q in zip(eager, parameters, strict=True):
            np.testing.assert_allclose(q.data, p.data, rtol=0, atol=10 * tolerance)
        assert other.steps == optimizer.steps == 6
        for key, mine in optimizer.state_dict().items():
            if isinstance(mine, np.ndarray):
                np.testing.assert_allclose(other.state_dict()[key], mine, rtol=0, atol=10 * tolerance)
        assert other.gradient_norm == pytest.approx(optimizer.gradient_norm, rel=1e-4)


def test_given_the_same_gradients_adam_in_rows_has_the_bits_of_its_step(rng):
    """A loss that is linear in the parameters: both ways see the same gradients."""
    ends = []
    for runtime in ("compiled", "replay"):
        w = ae.tensor(np.linspace(-1, 1, 50))
        optimizer = Adam([w.data], learning_rate=cosine(0.1, 20), weight_decay=0.01)
        step = ae.capture(lambda c, w=w: ae.sum(w * c), ae.constant(np.ones(50)), optimizer=optimizer, runtime=runtime)
        for k in range(8):
            step(np.cos(k + np.arange(50.0)))
        ends.append([w.data, *optimizer.state_dict().values()])
    for a, b in zip(*ends, strict=True):
        np.testing.assert_array_equal(a, b)


def test_capturing_takes_no_step(rng):
    parameters, loss = network()
    before = [p.data.copy() for p in parameters]
    optimizer = Adam([p.data for p in parameters])
    ae.capture(loss, ae.constant(rng.random((4, 6))), optimizer=optimizer)
    assert optimizer.steps == 0
    for p, b in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(p.data, b)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", [Adam, AdamW, lambda arrays: SGD(arrays, learning_rate=0.1, momentum=0.9)])
def test_a_gradient_that_is_not_finite_changes_nothing_and_is_named(rng, kind, bad):
    parameters, loss = network()
    optimizer = kind([p.data for p in parameters])
    x = rng.random((4, 6))
    step = ae.capture(loss, ae.constant(x), optimizer=optimizer)
    step(x)
    before = [p.data.copy() for p in parameters]
    wrong = x.copy()
    wrong[0, 0] = bad
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(FloatingPointError, match=r"grads\[\d\].*no parameter was changed"),
    ):
        step(wrong)
    for p, b in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(p.data, b)
    assert optimizer.steps == 1
    step(x)
    assert optimizer.steps == 2


def test_gradients_whose_squares_overflow_are_finite_all_the_same():
    w = ae.tensor(np.zeros(3))
    step = ae.capture(lambda c: ae.sum(w * c), ae.constant(np.ones(3)), optimizer=SGD([w.data], learning_rate=1.0))
    step(np.full(3, 1e200))
    np.testing.assert_array_equal(w.data, -1e200)


def test_the_state_may_be_loaded_and_the_rate_changed_between_steps(rng):
    ends = []
    x = rng.random((5, 4, 6))
    for runtime in ("compiled", "replay"):
        parameters, loss = network()
        optimizer = Adam([p.data for p in parameters])
        step = ae.capture(loss, ae.constant(x[0]), optimizer=optimizer, runtime=runtime)
        step(x[0])
        saved = optimizer.state_dict()
        step(x[1])
        optimizer.load_state_dict(saved)
        optimizer.learning_rate = 0.5
        step(x[2])
        ends.append((optimizer.steps, parameters[0].data))
    assert ends[0][0] == ends[1][0] == 2
    np.testing.assert_allclose(ends[0][1], ends[1][1], rtol=1e-9)


def test_an_optimizer_of_ones_own_is_called_back(rng):
    class Signs:
        def __init__(self, params):
            self.params = tuple(params)

        def step(self, gradients):
            for p, g in zip(self.params, gradients, strict=True):
                p -= 0.5 * np.sign(g)

    w = ae.tensor(np.zeros(3))
    step = ae.capture(lambda c: ae.sum(w * c), ae.constant(np.ones(3)), optimizer=Signs([w.data]))
    step(np.array([1.0, -2.0, 0.0]))
    assert w.data.tolist() == [-0.5, 0.5, 0.0]


def test_an_array_that_takes_no_part_is_an_error():
    w, other = ae.tensor(np.zeros(3)), np.zeros(2)
    with pytest.raises(ae.CaptureError, match=r"params\[1\] of the optimizer, of shape \(2,\), is not the array"):
        ae.capture(lambda c: ae.sum(w * c), ae.constant(np.ones(3)), optimizer=Adam([w.data, other]))


@pytest.mark.parametrize("runtime", ["compiled", "replay"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_batches_are_read_straight_from_the_array_or_the_file(rng, tmp_path, runtime, dtype):
    X = rng.integers(0, 255, size=(20, 6)).astype(dtype)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    values = X / np.float32(255) if dtype == np.uint8 else X.astype(np.float32)
    _, loss = network(np.float32)
    step = ae.capture(loss, ae.constant(values[:4]), runtime=runtime)
    for rows in ([3, 1, 19, 0], [7, 7, 2, 5], [0, 1, 2]):
        expected = step(values[rows])
        assert step.on_rows(X, np.array(rows)) == expected
        assert step.on_rows(mapped, rows) == expected
        np.testing.assert_array_equal(step.inputs["x"], values[rows])
    assert step.on_rows(X, [0, 1], scale=0.5) == step(X[:2].astype(np.float32) * np.float32(0.5))


@pytest.mark.parametrize("runtime", ["compiled", "replay"])
def test_rows_that_are_not_there_and_arrays_that_do_not_fit_are_refused(rng, runtime):
    _, loss = network()
    step = ae.capture(loss, ae.constant(rng.random((2, 6))), runtime=runtime)
    with pytest.raises(IndexError, match="row 9 was asked for, and X has rows 0 to 8"):
        step.on_rows(rng.random((9, 6)), [0, 9])
    with pytest.raises(ae.ShapeError, match="takes rows of 6 numbers"):
        step.on_rows(rng.random((9, 5)), [0, 1])
    with pytest.raises(TypeError, match="not int64"):
        step.on_rows(np.ones((9, 6), int), [0, 1])


def test_noise_is_drawn_into_the_input_buffers_in_place(rng):
    _, loss = network()
    step = ae.capture(lambda x, e: loss(x + e), ae.constant(np.ones((2, 6))), ae.constant(np.ones((2, 6))))
    X = rng.random((9, 6))
    np.random.default_rng(5).standard_normal(out=step.inputs["e"])
    noise = np.random.default_rng(5).standard_normal((2, 6))
    assert step.on_rows(X, [4, 2]) == step(X[[4, 2]], noise)
    assert step.on_rows(X, [4, 2], noise) == step(X[[4, 2]], noise)


def test_an_unknown_runtime_is_refused():
    with pytest.raises(ValueError, match="runtime is 'fast'; one of 'compiled', 'replay' is needed"):
        ae.capture(lambda x: ae.sum(x), np.ones(2), runtime="fast")
