"""A stack by register tiles against the same network in float64; every tail, activation and number of threads."""

import ctypes
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.core.object_code import callable_at, code_of
from autograd_ae.ops.dense import (
    bias_relu_kernel,
    bias_sigmoid_kernel,
    bias_tanh_kernel,
    relu_delta_kernel,
    sigmoid_delta_kernel,
    tanh_delta_kernel,
)
from autograd_ae.optim import SGD, Adam, AdamW
from autograd_ae.runtime.emitter import tile_of
from autograd_ae.runtime.panels import panels_of
from autograd_ae.runtime.stack_plan import Layer, Stack, renew, rule_of
from autograd_ae.runtime.team import perform

pytestmark = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")

ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu")
F = {
    "identity": (lambda a: a, lambda y: np.ones_like(y)),
    "sigmoid": (lambda a: 1 / (1 + np.exp(-a)), lambda y: y * (1 - y)),
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "relu": (lambda a: np.maximum(a, 0), lambda y: (y > 0).astype(y.dtype)),
}


def run(score):
    result = ctypes.c_int64(-1)
    callable_at(code_of(perform), 1)(ctypes.addressof(result), None, score.ctypes.data)
    return result.value


class Example:
    """Random layers with room for their gradients, a batch, and a cotangent."""

    def __init__(self, samples, widths, activations, dtype=np.float32, seed=0):
        rng = np.random.default_rng(seed)

        def draw(*shape):
            return rng.normal(size=shape).astype(dtype)

        pairs = list(itertools.pairwise(widths))
        self.layers = [
            Layer(draw(k, n) / dtype(np.sqrt(k)), draw(n), f, np.zeros((k, n), dtype), np.zeros(n, dtype))
            for (k, n), f in zip(pairs, activations, strict=True)
        ]
        self.x, self.g = draw(samples, widths[0]), draw(samples, widths[-1])
        self.y, self.dx = np.zeros_like(self.g), np.zeros_like(self.x)

    def stack(self, threads=1, **options):
        return Stack(self.layers, self.x, self.y, self.g, dx=self.dx, threads=threads, **options)

    def results(self):
        return [self.y, self.dx, *(a for layer in self.layers for a in (layer.dW, layer.db))]

    def run(self, *, spoiled=False, **options):
        stack = self.stack(**options)
        assert [run(score) for score in stack.scores] == [1, 0 if spoiled else 1, 1]
        return [a.copy() for a in self.results()]

    def expected(self):
        """The same in float64, from this stack's own outputs where a kink would make them differ."""
        ys = [self.x.astype(float)]
        for W, b, f, *_ in self.layers:
            ys.append(F[f][0](ys[-1] @ W.astype(float) + b))
        d, grads = self.g.astype(float), []
        for (W, _b, f, *_), x, y in reversed(list(zip(self.layers, ys, ys[1:], strict=False))):
            d = d * F[f][1](y)
            grads[:0] = [x.T @ d, d.sum(axis=0)]
            d = d @ W.astype(float).T
        return [ys[-1], d, *grads]


sizes = st.integers(1, 70)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    samples=sizes,
    widths=st.lists(sizes, min_size=2, max_size=4),
    activation=st.sampled_from(["identity", "sigmoid", "tanh"]),
    threads=st.sampled_from([1, 2, 3]),
)
def test_output_and_gradients_are_those_of_the_network_for_every_tail(dtype, samples, widths, activation, threads):
    example = Example(samples, widths, [activation] * (len(widths) - 1), dtype)
    for got, wanted in zip(example.run(threads=threads), example.expected(), strict=True):
        scale = max(1.0, np.abs(wanted).max())
        assert np.abs(got - wanted).max() <= 70 * len(widths) * np.finfo(dtype).eps * scale


@given(samples=sizes, width=sizes, units=sizes)
def test_a_relu_layer_passes_gradients_where_its_output_is_positive(samples, width, units):
    example = Example(samples, [width, units], ["relu"])
    y, dx, dW, db = example.run()
    W, b = example.layers[0].W.astype(float), example.layers[0].b.astype(float)
    np.testing.assert_allclose(y, np.maximum(example.x @ W + b, 0), atol=1e-5)
    d = example.g.astype(float) * (y > 0)
    for got, wanted in ((dx, d @ W.T), (dW, example.x.T @ d), (db, d.sum(axis=0))):
        np.testing.assert_allclose(got, wanted, atol=2e-5 * max(1, np.abs(wanted).max()))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(33, 70, 50), (128, 17, 100), (5, 3, 1)])
def test_results_do_not_depend_on_the_number_of_threads(dtype, shape):
    samples, *widths = shape
    one, *others = (
        Example(samples, [*widths, 40], ["sigmoid", "tanh"], dtype).run(threads=threads) for threads in (1, 2, 3, 5)
    )
    for other in others:
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@given(samples=sizes, widths=st.lists(sizes, min_size=2, max_size=4))
def test_what_lies_in_the_pads_is_of_no_account(samples, widths):
    activations = ["sigmoid"] * (len(widths) - 1)
    clean = Example(samples, widths, activations).run()
    example = Example(samples, widths, activations)
    stack = example.stack()
    for array in stack.panels:
        array[:] = np.nan
    for score in stack.scores:
        assert run(score) == 1
    for a, b in zip(clean, example.results(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_sample_with_nan_spoils_its_own_outputs_only():
    example = Example(37, [20, 30, 10], ["sigmoid", "sigmoid"])
    clean, dx, *_ = example.run()
    example.x[5, 3] = np.nan
    y, dx_now, *_ = example.run(spoiled=True)
    others = np.arange(37) != 5
    assert np.isnan(y[5]).all()
    np.testing.assert_array_equal(y[others], clean[others])
    np.testing.assert_array_equal(dx_now[others], dx[others])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_fused_epilogues_give_the_bits_of_the_dense_op_s_kernels(rng, activation, dtype):
    forward = {"sigmoid": bias_sigmoid_kernel, "tanh": bias_tanh_kernel, "relu": bias_relu_kernel}[activation]
    delta = {"sigmoid": sigmoid_delta_kernel, "tanh": tanh_delta_kernel, "relu": relu_delta_kernel}[activation]
    plain, fused = (Example(43, [20, 37], [f], dtype, seed=3) for f in ("identity", activation))
    before, after = plain.run()[0], fused.run()
    forward(before, np.zeros(37, dtype))
    np.testing.assert_array_equal(after[0], before)
    d = np.empty_like(fused.g)
    delta(d.reshape(-1), fused.g.reshape(-1), fused.y.reshape(-1))
    np.testing.assert_array_equal(after[3], d.sum(axis=0))


RULES = [
    lambda p: Adam(p, learning_rate=1e-2, weight_decay=0.1),
    lambda p: AdamW(p, learning_rate=1e-2),
    lambda p: SGD(p, learning_rate=0.1),
    lambda p: SGD(p, learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
]


@pytest.mark.parametrize("make", RULES, ids=["adam", "adamw", "sgd", "nesterov"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_optimiser_in_the_gradient_s_pass_gives_its_own_kernel_s_bits(make, dtype):
    apart, within = (Example(29, [50, 33, 18], ["sigmoid", "tanh"], dtype) for _ in range(2))
    optimisers = [make([a for layer in e.layers for a in (layer.W, layer.b)]) for e in (apart, within)]
    kept, fused = apart.stack(), within.stack(rule=rule_of(optimisers[1], optimisers[1].params), threads=2)
    for _ in range(3):
        for score in kept.scores:
            run(score)
        optimisers[0].step([a for layer in apart.layers for a in (layer.dW, layer.db)])
        renew(fused.rule.numbers, optimisers[1])
        for score in fused.scores:
            assert run(score) == 1
    for a, b in zip(apart.layers, within.layers, strict=True):
        np.testing.assert_array_equal(a.W, b.W)
        np.testing.assert_array_equal(a.b, b.b)
    for name, flat in optimisers[0].moments.items():
        np.testing.assert_array_equal(flat[np.dtype(dtype)], optimisers[1].moments[name][np.dtype(dtype)])

    assert not any(layer.dW.any() for layer in within.layers)
    # A look at the gradients of the last step.
    fused.update(False)
    fused.keep(True)
    run(fused.gradients)
    for a, b in zip(within.layers, apart.layers, strict=True):
        np.testing.assert_array_equal(a.dW, b.dW)
        np.testing.assert_array_equal(a.db, b.db)
    norm = np.sqrt(sum(squares.sum() for squares in fused.squares))
    assert norm == pytest.approx(optimisers[0].gradient_norm, rel=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2e19])
@pytest.mark.parametrize("where", ["x", "g"])
def test_what_could_make_a_gradient_infinite_is_seen_before_any_parameter_changes(where, bad):
    example = Example(8, [20, 30, 5], ["relu", "identity"])
    optimiser = Adam([a for layer in example.layers for a in (layer.W, layer.b)])
    stack = example.stack(rule=rule_of(optimiser, optimiser.params))
    getattr(example, where)[2, 1] = bad
    run(stack.forward)
    assert run(stack.deltas) == 0
    getattr(example, where)[2, 1] = 0.5
    assert [run(score) for score in stack.scores] == [1, 1, 1]


def test_a_gradient_that_is_not_finite_leaves_its_entry_alone_where_nobody_looked_over():
    example = Example(8, [20, 5], ["identity"])
    optimiser = Adam([example.layers[0].W, example.layers[0].b])
    stack, before = example.stack(rule=rule_of(optimiser, optimiser.params)), example.layers[0].W.copy()
    renew(stack.rule.numbers, optimiser)
    example.g[2, 1] = np.inf
    assert [run(score) for score in stack.scores] == [1, 0, 0]
    changed = before != example.layers[0].W
    assert changed[:, [0, 2, 3, 4]].all()
    assert not changed[:, 1].any()


@given(samples=sizes, units=sizes)
def test_panels_hold_a_matrix_and_give_it_back(samples, units):
    x = np.arange(samples * units, dtype=np.float32).reshape(samples, units) + 1
    C = tile_of(np.float32).columns
    panels = panels_of(x, C)
    np.testing.assert_array_equal(np.hstack(list(panels))[:samples, :units], x)
    assert np.count_nonzero(panels) == x.size
