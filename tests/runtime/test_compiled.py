"""A compiled program computes what its lines run one by one compute: any program, any op, values and gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.testing import strategies as aes
from autograd_ae.testing.specs import SPECS

BITWISE = ("add", "subtract", "multiply", "divide", "negative", "square", "sqrt", "reshape", "relu", "sigmoid")
DIFFERENTIABLE = [name for name, spec in SPECS.items() if spec.differentiable]
pytestmark = pytest.mark.timeout(900)  # with an empty cache some thirty kernels are compiled
needs_kernels = pytest.mark.skipif(not JIT_ENABLED, reason="without kernels every line is called back")


def weighted(fn):
    """A scalar in which no gradient cancels by symmetry."""

    def loss(*tensors):
        y = fn(*tensors)
        return ae.sum(y * np.cos(np.arange(y.size, dtype=y.dtype)).reshape(y.shape)), y

    return loss


def both(fn, arrays):
    """Values and gradients at `arrays` of the compiled and of the replayed program, both recorded elsewhere."""
    results = []
    for runtime in ("compiled", "replay"):
        step = ae.capture(fn, *[a * a.dtype.type(0.9) for a in arrays], runtime=runtime)
        values = step(*arrays)
        results.append([*values, *(step.gradients.values() if step.program.wrt else ())])
    return results


def close(compiled, replayed, dtype, ulps):
    """Within `ulps` units in the last place of the largest entry of each array."""
    for a, b in zip(compiled, replayed, strict=True):
        scale = max(float(np.abs(b).max(initial=0)), 1e-30)
        np.testing.assert_allclose(a, b, rtol=0, atol=ulps * np.finfo(dtype).eps * scale)


@given(program=aes.programs(max_ops=8))
@settings(max_examples=40)
def test_any_random_program_gives_the_values_and_gradients_of_its_replay(program):
    close(*both(weighted(program), program.arrays), np.float64, 2000)


@given(program=aes.programs(max_ops=8, ops=BITWISE))
def test_where_the_same_kernels_run_the_values_have_the_same_bits(program):
    """Sums have other kernels: the weighted sum, and gradients summed over broadcast axes."""
    (_, compiled, *gradients), (_, replayed, *others) = both(weighted(program), program.arrays)
    np.testing.assert_array_equal(compiled, replayed)
    close(gradients, others, np.float64, 200)


@pytest.mark.slow  # it compiles every op once more; random programs hold many of them
@pytest.mark.parametrize("name", DIFFERENTIABLE)
@given(data=st.data())
@settings(max_examples=5)
def test_every_op_of_the_table_in_float64(name, data):
    case = data.draw(aes.op_cases(name))
    arrays = [np.array(a, order="C") for a in case.arrays]
    floats = [k for k, a in enumerate(arrays) if a.dtype != bool]

    def fn(*tensors):
        given = iter(tensors)
        return case(*[next(given) if k in floats else a for k, a in enumerate(arrays)])

    close(*both(weighted(fn), [arrays[k] for k in floats]), np.float64, 500)


@given(mlp=aes.mlps())
@settings(max_examples=20)
def test_networks_of_dense_layers_in_both_dtypes(mlp):
    results = []
    for runtime in ("compiled", "replay"):
        step = ae.capture(lambda *data: mlp.loss(*data), *map(ae.constant, mlp.data), runtime=runtime)
        results.append([step(*mlp.data), *step.gradients.values()])
    close(*results, mlp.data[0].dtype, 200)


def network(rng, dtype=np.float32, sizes=(6, 5, 2, 5, 6)):
    layers = ae.nn.MLP.create(sizes, ("sigmoid", "tanh", "relu", "identity"), rng=rng, dtype=dtype)
    return layers, lambda x: ae.squared_error(layers(x), x)


@needs_kernels
def test_a_network_and_its_loss_are_one_stretch_of_rows(rng):
    _, loss = network(rng)
    step = ae.capture(loss, ae.constant(rng.random((4, 6), dtype=np.float32)))
    assert step.runtime.callbacks == []
    assert len(step.runtime._units) == 1


def test_lines_without_rows_are_called_back_between_stretches(rng):
    step = ae.capture(lambda x: ae.sum(ae.cumsum(ae.square(x), axis=1) * 2.0), rng.normal(size=(3, 4)))
    x = rng.normal(size=(3, 4))
    assert step(x) == pytest.approx(2 * np.cumsum(x * x, axis=1).sum(), rel=1e-14)
    assert {"cumsum", "cumsum.dx"} <= set(step.runtime.callbacks)


def test_a_target_outside_0_1_raises_the_ops_own_error_and_the_step_can_be_used_again(rng):
    a, t = rng.normal(size=(3, 4)), rng.random((3, 4))
    step = ae.capture(lambda a, t: ae.bce_with_logits(a, t), a, ae.constant(t))
    value = step(a, t)
    with pytest.raises(ValueError, match=r"bce_with_logits: targets in \[0, 1\] were needed"):
        step(a, t + 1)
    assert step(a, t) == value


def test_under_detect_anomaly_the_line_that_gave_nan_is_named(rng):
    step = ae.capture(lambda x: ae.sum(ae.log(x) * 2.0), ae.tensor(np.ones(3), name="x"))
    with ae.detect_anomaly(), np.errstate(invalid="ignore"), pytest.raises(ae.AnomalyError, match=r"log\(x\).* 1 NaN"):
        step(np.array([1.0, -1.0, 2.0]))


def test_parameters_given_a_new_array_in_any_order_are_seen(rng):
    layers, loss = network(rng, np.float64)
    x = rng.random((4, 6))
    step = ae.capture(loss, ae.constant(x))
    W = layers.layers[0].W
    W.data = np.asfortranarray(W.data * 2.0)
    expected = loss(ae.constant(x)).data
    assert step(x) == pytest.approx(float(expected), rel=1e-14)


@needs_kernels
def test_memory_of_dead_values_is_used_again(rng):
    """A chain of 200 exponentials and their pullbacks: only what the way back needs stays."""

    def chain(x):
        for _ in range(200):
            x = ae.tanh(x + 0.1)
        return ae.sum(x)

    step = ae.capture(chain, rng.normal(size=(50, 50)))
    one = 50 * 50 * 8
    assert step.runtime.nbytes <= 1.05 * step.runtime.peak
    assert step.runtime.nbytes < (2 * 200 + 10) * one


@needs_kernels
def test_the_same_numbers_without_the_blas_symbol(rng, monkeypatch):
    """Where NumPy has another BLAS, products are called back."""
    _, loss = network(rng, np.float64, (40, 50, 20, 50, 40))
    x = rng.random((32, 40))
    expected = ae.capture(loss, ae.constant(x))(x)
    monkeypatch.setattr("autograd_ae.runtime.lowering.HAS_BLAS", False)
    step = ae.capture(loss, ae.constant(x))
    assert "dense_sigmoid" in step.runtime.callbacks
    assert step(x) == pytest.approx(float(expected), rel=1e-14)
