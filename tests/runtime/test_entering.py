"""The way past Python: what it may not overlook, and many steps at once as one after another."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.core import entry
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.optim import SGD, Adam, cosine

pytestmark = pytest.mark.timeout(900)  # with an empty cache some kernels are compiled
needs_kernels = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")


def trained(make=lambda arrays: Adam(arrays, learning_rate=0.01), dtype=np.float32, runtime="compiled", batch=5):
    net = ae.nn.MLP.create((3, 4, 3), ("sigmoid", "sigmoid"), rng=np.random.default_rng(3), dtype=dtype)
    parameters = ae.nn.parameters(net)
    optimizer = make([p.data for p in parameters])
    example = ae.constant(np.zeros((batch, 3), dtype))
    step = ae.capture(lambda x: ae.squared_error(net(x), x), example, optimizer=optimizer, runtime=runtime)
    return step, parameters, optimizer


@needs_kernels
def test_the_layout_of_objects_is_known_here_and_a_small_program_is_entered():
    assert entry.layout() is not None
    assert trained()[0].brief


@pytest.mark.parametrize(
    "form", ["list", "float64", "fortran", "strided", "read only", "tensor", "own buffer", "subclass"]
)
def test_whatever_holds_the_numbers_the_value_is_the_same(rng, form):
    step, _, _ = trained(lambda arrays: SGD(arrays, learning_rate=0.0))
    x = rng.random((5, 3)).astype(np.float32)
    expected = step(x)
    wide = np.zeros((5, 6), np.float32)
    wide[:, ::2] = x
    frozen = x.copy()
    frozen.flags.writeable = False
    if form == "own buffer":
        step.inputs["x"][...] = x
    forms = {
        "list": x.tolist(), "float64": x.astype(np.float64), "fortran": np.asfortranarray(x), "strided": wide[:, ::2],
        "read only": frozen, "tensor": ae.constant(x), "own buffer": step.inputs["x"], "subclass": x.view(np.memmap),
    }  # fmt: skip
    step(np.ones((5, 3), np.float32)) if form != "own buffer" else None
    assert step(forms[form]) == pytest.approx(float(expected), rel=1e-6)


def test_other_shapes_and_a_wrong_number_of_arrays_are_noticed(rng):
    step, _, _ = trained(lambda arrays: SGD(arrays, learning_rate=0.0))
    x = rng.random((5, 3)).astype(np.float32)
    whole = step(x)
    assert step(x[:2]) != whole
    assert step(x) == whole == step()
    with pytest.raises(TypeError, match="takes 1 arrays"):
        step(x, x)
    with pytest.raises(ae.ShapeError):
        step(x[:, :2])
    assert step(x) == whole


def test_a_new_array_of_a_parameter_is_seen_by_the_next_step(rng):
    values = []
    for runtime in ("compiled", "replay"):
        net = ae.nn.MLP.create((3, 4, 3), ("sigmoid", "sigmoid"), rng=np.random.default_rng(3))
        step = ae.capture(lambda x, net=net: ae.squared_error(net(x), x), ae.constant(np.ones((5, 3))), runtime=runtime)
        x = np.linspace(0, 1, 15).reshape(5, 3)
        step(x)
        net.layers[0].W.data = net.layers[0].W.data * 3
        values.append((step(x), step(x)))
    assert values[0] == pytest.approx(values[1], rel=1e-13)


def test_a_rate_a_schedule_and_the_watch_for_nan_take_effect_at_once(rng):
    x = rng.random((5, 3)).astype(np.float32)
    ends = []
    for runtime in ("compiled", "replay"):
        step, parameters, optimizer = trained(runtime=runtime)
        step(x)
        optimizer.learning_rate = 0.3
        step(x)
        optimizer.learning_rate = cosine(0.1, 10)
        step(x), step(x)
        assert optimizer.steps == 4
        assert optimizer.learning_rate == cosine(0.1, 10)(4)
        ends.append([p.data for p in parameters])
        with ae.detect_anomaly(), np.errstate(invalid="ignore"):
            if runtime == "compiled":
                with pytest.raises(ae.AnomalyError):
                    step(x * np.float32(np.nan))
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_where_objects_lie_otherwise_python_does_the_step(rng, monkeypatch):
    x = rng.random((5, 3)).astype(np.float32)
    usual = [trained()[0](x) for _ in range(2)]
    monkeypatch.setattr("autograd_ae.runtime.compiled.possible", lambda: False)
    step, _, _ = trained()
    assert not step.brief
    assert [step(x)] * 2 == usual


MAKERS = {
    "adam": lambda arrays: Adam(arrays, learning_rate=0.01),
    "scheduled": lambda arrays: Adam(arrays, learning_rate=cosine(0.1, 30)),
    "momentum": lambda arrays: SGD(arrays, learning_rate=0.1, momentum=0.9),
    "unchecked": lambda arrays: SGD(arrays, learning_rate=cosine(0.1, 30), check_finite=False),
}


@pytest.mark.parametrize("runtime", ["compiled", "replay"])
@pytest.mark.parametrize("name", list(MAKERS))
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_many_steps_in_one_call_are_those_steps_one_after_another(rng, name, runtime, dtype):
    X = rng.integers(0, 200, size=(20, 3)).astype(dtype)
    rows = rng.integers(0, 20, size=(7, 5))
    (one, p, first), (many, q, second) = (trained(MAKERS[name], runtime=runtime) for _ in range(2))
    values = [one.on_rows(X, r, scale=0.01) for r in rows]
    np.testing.assert_array_equal(many.on_rows(X, rows, scale=0.01), values)
    for a, b in zip(p, q, strict=True):
        np.testing.assert_array_equal(a.data, b.data)
    assert first.steps == second.steps == 7
    assert first.gradient_norm == second.gradient_norm
    assert first.learning_rate == second.learning_rate


def test_stretches_of_many_steps_join_without_a_seam(rng, monkeypatch):
    monkeypatch.setattr("autograd_ae.runtime.compiled.AT_A_TIME", 1)
    X, rows = rng.random((20, 3)).astype(np.float32), rng.integers(0, 20, size=(7, 5))
    one, many = trained()[0], trained()[0]
    np.testing.assert_array_equal(many.on_rows(X, rows), [one.on_rows(X, r) for r in rows])


@pytest.mark.parametrize("runtime", ["compiled", "replay"])
def test_what_a_batch_cannot_be_trained_on_raises_when_the_batches_before_it_are_done(rng, runtime):
    X = rng.random((20, 3)).astype(np.float32)
    X[19] = np.nan
    good = np.arange(15).reshape(3, 5)
    step, _, optimizer = trained(runtime=runtime)
    with pytest.raises(IndexError, match="row 20 was asked for"):
        step.on_rows(X, np.vstack([good, [[0, 1, 2, 3, 20]], good]))
    assert optimizer.steps == 3
    with np.errstate(invalid="ignore"), pytest.raises(FloatingPointError, match="no parameter was changed"):
        step.on_rows(X, np.vstack([good, [[0, 1, 2, 3, 19]], good]))
    assert optimizer.steps == 6


@pytest.mark.parametrize("runtime", ["compiled", "replay"])
def test_values_that_are_arrays_and_further_arguments_come_stacked(rng, runtime):
    W = rng.normal(size=(3, 2))
    step = ae.capture(
        lambda x, e: (ae.sum((x + e) @ W), x @ W),
        *map(ae.constant, (np.ones((5, 3)), np.ones((5, 3)))),
        runtime=runtime,
    )
    X, rows, e = rng.random((20, 3)), rng.integers(0, 20, size=(4, 5)), rng.random((4, 5, 3))
    total, products = step.on_rows(X, rows, e)
    for k in range(4):
        value, product = step(X[rows[k]], e[k])
        assert total[k] == value
        np.testing.assert_array_equal(products[k], product)
    none, nothing = step.on_rows(X, np.zeros((0, 5), int), e[:0])
    assert none.shape == (0,)
    assert nothing.shape == (0, 5, 2)


def test_another_batch_size_is_another_program(rng):
    X = rng.random((20, 3)).astype(np.float32)
    (one, p, _), (many, q, _) = trained(), trained()
    rows = [rng.integers(0, 20, size=(4, size)) for size in (5, 2, 5)]
    for group in rows:
        np.testing.assert_array_equal(many.on_rows(X, group), [one.on_rows(X, r) for r in group])
    for a, b in zip(p, q, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_a_refused_row_is_computed_by_python_and_the_step_goes_on():
    """Squares that overflow: the check refuses, the exact one does not."""
    w = ae.tensor(np.zeros(3))
    step = ae.capture(lambda c: ae.sum(w * c), ae.constant(np.ones((1, 3))), optimizer=SGD([w.data], learning_rate=1.0))
    X = np.array([[1.0, 1.0, 1.0], [1e200, 1e200, 1e200]])
    np.testing.assert_array_equal(step.on_rows(X, [[0], [1], [0]]), [0, -3e200, -3e200])
    np.testing.assert_array_equal(w.data, -1e200)
