"""Each law holds for the project's gradients, and fails for a gradient that was made wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.core import program as program_module
from autograd_ae.core.op import Pullback, wengert_list
from autograd_ae.ops import arithmetic, dense, elementary
from autograd_ae.testing import laws
from autograd_ae.testing import strategies as aes
from autograd_ae.testing.specs import SPECS

seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)
DIFFERENTIABLE = [name for name, spec in SPECS.items() if spec.differentiable]
LAWS_OF_EXECUTION = (
    laws.assert_deterministic,
    laws.assert_dtype_kept,
    laws.assert_memory_not_shared,
    laws.assert_inputs_untouched,
)


# They hold.


@given(aes.programs(), seeds)
def test_programs_obey_the_laws_of_the_vjp(program, rng):
    laws.assert_adjoint(program, program.arrays, rng)
    laws.assert_vjp_linear(program, program.arrays, rng)


@given(aes.programs(dtype=np.float32), seeds)
def test_programs_in_float32_obey_the_laws_of_the_vjp(program, rng):
    laws.assert_adjoint(program, program.arrays, rng)
    laws.assert_vjp_linear(program, program.arrays, rng)


@given(aes.op_cases(), seeds)
def test_ops_at_any_layout_obey_all_laws_of_a_function(case, rng):
    laws.assert_adjoint(case, case.arrays, rng)
    laws.assert_vjp_linear(case, case.arrays, rng)
    for law in LAWS_OF_EXECUTION:
        law(case, case.arrays)


@given(aes.programs(max_ops=4), seeds)
def test_programs_have_symmetric_hessians(program, rng):
    laws.assert_hessian_symmetric(lambda *ts: program(*ts).sum(), program.arrays, rng)


@given(aes.programs())
def test_programs_obey_the_laws_of_execution(program):
    for law in LAWS_OF_EXECUTION:
        law(program, program.arrays)


@given(aes.programs(), st.floats(0.5, 2.0))
def test_programs_replay_as_they_run(program, factor):
    laws.assert_replay_is_eager(program, program.arrays, [factor * a for a in program.arrays])


@pytest.mark.parametrize("scale", [1e-200, 1e-6, 1e6, 1e200])
def test_the_laws_are_free_of_scale(rng, scale, monkeypatch):
    x = [rng.normal(size=(3, 2))]
    fn = lambda x: scale * ae.exp(x)  # noqa: E731
    laws.assert_adjoint(fn, x, rng)
    laws.assert_vjp_linear(fn, x, rng)
    plant(monkeypatch, EXP, lambda out, g, *_: 1.0000001 * out)
    with pytest.raises(AssertionError, match="not the adjoint"):
        laws.assert_adjoint(fn, x, rng)


def test_cancellation_is_not_taken_for_a_fault(rng):
    """(x/3)·3 − x is 0, and so is its gradient, but for the rounding of terms of size 1."""
    fn = lambda x: (x / 3.0) * 3.0 - x + 1e-9 * x  # noqa: E731
    laws.assert_adjoint(fn, [rng.normal(size=50)], rng)


@given(aes.mlps(), seeds)
def test_networks_obey_the_laws_of_a_batch(mlp, rng):
    laws.assert_batch_gradient_is_mean(mlp.loss, mlp.parameters, mlp.data)
    laws.assert_permutation_equivariant(mlp.loss, mlp.parameters, mlp.data, rng, hidden=hidden(mlp))


@given(aes.mlps(autoencoder=False), seeds)
def test_a_rotation_of_the_data_rotates_the_first_layers_gradient(mlp, rng):
    laws.assert_rotation_equivariant(mlp.loss, mlp.parameters, mlp.data, rng, first=mlp.weights[:1])


@given(aes.mlps(min_layers=2, autoencoder=True, output_activation="identity"), seeds)
def test_a_rotation_turns_an_autoencoders_first_and_last_layer(mlp, rng):
    last = (mlp.weights[-1], mlp.biases[-1])
    laws.assert_rotation_equivariant(mlp.loss, mlp.parameters, mlp.data, rng, first=mlp.weights[:1], last=last)


@given(aes.mlps(min_layers=2, max_layers=2, activation="identity"))
def test_a_linear_code_is_balanced(mlp):
    laws.assert_balance_linear(mlp.loss, mlp.data, mlp.weights[0], mlp.biases[0], mlp.weights[1])


@given(aes.mlps(min_layers=3, max_layers=3, activation="relu"))
def test_relu_units_are_balanced(mlp):
    for W, b, V in hidden(mlp):
        laws.assert_balance_relu(mlp.loss, mlp.data, W, b, V)


@given(aes.mlps(min_layers=3, max_layers=3, activation="sigmoid"), st.integers(0, 4))
def test_a_flipped_sigmoid_unit_is_the_same_unit(mlp, unit):
    for i, (W, b, V) in enumerate(hidden(mlp)):
        laws.assert_sigmoid_flip(mlp.loss, mlp.data, W, b, V, mlp.biases[i + 1], unit % len(b.data))


def test_the_laws_take_models_and_put_their_parameters_back(rng):
    X = rng.uniform(size=(12, 5))
    model = ae.Autoencoder(2, hidden_layer_sizes=(4,), max_iter=2, random_state=0).fit(X)
    before = [p.data.copy() for p in model.parameters()]
    W1, b1, W2, b2 = model.parameters()[:4]
    laws.assert_batch_gradient_is_mean(model.loss, model.parameters(), X)
    laws.assert_permutation_equivariant(model.loss, model.parameters(), X, rng, hidden=[(W1, b1, W2)])
    laws.assert_sigmoid_flip(model.loss, X, W1, b1, W2, b2)
    assert all(np.array_equal(p.data, a) for p, a in zip(model.parameters(), before, strict=True))


def hidden(mlp):
    return [(mlp.weights[i], mlp.biases[i], mlp.weights[i + 1]) for i in range(len(mlp.weights) - 1)]


# They fail.

EXP, MULTIPLY_DX = elementary._exp.pullbacks[0], arithmetic._multiply.pullbacks[0]


def plant(patch, rule, fault):
    """The rule's result becomes fault(result, g, y, *inputs), in NumPy and without its kernel."""
    right = rule.fn

    def wrong(out, g, y, *inputs, **params):
        right(out, g, y, *inputs, **params)
        out[...] = fault(out.copy(), g, y, *inputs)

    patch.setattr(rule, "fn", wrong)
    patch.setattr(rule, "kernel", None)


def rules_of(case):
    """The rules of the engine's ops behind a call, each with its op; none where nothing comes out."""
    leaves = [a if a.dtype == bool else ae.tensor(a) for a in case.arrays]
    output = case(*leaves)
    for node in wengert_list([output]) if output.size else ():
        for rule in {id(r): r for r in (*node.op.pullbacks, node.op.delta)}.values():
            if isinstance(rule, Pullback):
                yield node.op, rule


def cases_of(name, count=12):
    """A few cases of an op from plain seeds."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        arrays, params = SPECS[name].draw(lambda low, high: int(rng.integers(low, high + 1)), rng)  # noqa: B023
        yield aes.OpCase(SPECS[name], tuple(arrays), params, seed)


RULE_FAULTS = {
    "1 % too large": lambda out, *_: 1.01 * out,
    "one entry dropped": lambda out, *_: np.where(np.arange(out.size).reshape(out.shape) == 0, 0.0, out),
    "transposed": lambda out, *_: out.T if out.ndim == 2 and out.shape[0] == out.shape[1] else 1.01 * out,
}


@pytest.mark.parametrize("fault", list(RULE_FAULTS))
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_the_adjoint_law_finds_every_wrong_rule_and_names_the_op(name, fault, monkeypatch):
    cases = list(cases_of(name))
    found = {id(rule): (op, rule) for case in cases for op, rule in rules_of(case)}
    for op, rule in found.values():
        reports = []
        with monkeypatch.context() as patch:
            plant(patch, rule, RULE_FAULTS[fault])
            for case in cases:
                try:
                    laws.assert_adjoint(case, case.arrays, np.random.default_rng(case.seed))
                except AssertionError as error:
                    reports.append(str(error))
                    break
        assert reports, f"{op.name}: a rule with fault {fault!r} obeyed the law"
        assert f" of {op.name}(" in reports[0]


def test_a_report_names_argument_index_values_and_op(monkeypatch):
    plant(monkeypatch, EXP, lambda out, *_: np.where(np.arange(out.size) == 1, 1.01 * out, out))
    with pytest.raises(AssertionError) as caught:
        laws.assert_adjoint(lambda x, w: (ae.exp(x) * w).sum(), [np.zeros(3), np.ones(3)], np.random.default_rng(0))
    report = str(caught.value)
    assert "at argument 0[1]" in report
    assert "Jᵀu (backward)" in report
    assert "complex step" in report
    assert "relative error 9.90e-03" in report
    assert "dx of exp(argument 0 (3,)), recorded at test_laws.py:" in report


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_reported(monkeypatch, rng, value):
    plant(monkeypatch, EXP, lambda out, *_: np.where(np.arange(out.size) == 1, value, out))
    with pytest.raises(AssertionError, match=r"at argument 0\[1\]"):
        laws.assert_adjoint(ae.exp, [np.zeros(3)], rng)


def test_the_adjoint_law_finds_a_dropped_path(rng, monkeypatch):
    """`=` for `+=` where a value is used twice: no op is to blame."""
    monkeypatch.setattr(program_module, "accumulate", lambda out, g: None)
    with pytest.raises(AssertionError, match="lost or added between ops"):
        laws.assert_adjoint(lambda x: ae.sin(x) * ae.exp(x), [rng.normal(size=4)], rng)


NOT_LINEAR = {
    "an offset": lambda out, *_: out + 1e-6,
    "clipped": lambda out, *_: np.clip(out, -0.5, 0.5),
    "a modulus": lambda out, g, y, *_: np.abs(g) * y,
    "a square": lambda out, *_: out + 1e-3 * out**2,
}


@pytest.mark.parametrize("fault", list(NOT_LINEAR))
def test_a_rule_that_is_not_linear_breaks_linearity(rng, monkeypatch, fault):
    plant(monkeypatch, EXP, NOT_LINEAR[fault])
    with pytest.raises(AssertionError, match="not linear"):
        laws.assert_vjp_linear(ae.exp, [rng.normal(size=(4, 3))], rng)


@pytest.mark.parametrize("factor", [1.01, -1.0, 0.0])
def test_a_rule_that_is_no_gradient_breaks_the_symmetry_of_the_hessian(rng, monkeypatch, factor):
    plant(monkeypatch, MULTIPLY_DX, lambda out, *_: factor * out)
    with pytest.raises(AssertionError, match="Hessian is not symmetric"):
        laws.assert_hessian_symmetric(lambda x, w: (ae.sin(x) * ae.exp(w)).sum(), list(rng.normal(size=(2, 3))), rng)


def network(rng, activation, output="identity", B=6):
    """5-4-5 with a batch that is its own target."""
    W1, W2 = ae.tensor(rng.normal(size=(5, 4)), "W_1"), ae.tensor(rng.normal(size=(4, 5)), "W_2")
    b1, b2 = ae.tensor(rng.normal(size=4), "b_1"), ae.tensor(rng.normal(size=5), "b_2")
    loss = lambda x: ae.squared_error(ae.dense(ae.dense(x, W1, b1, activation), W2, b2, output), x)  # noqa: E731
    return loss, [W1, b1, W2, b2], rng.normal(size=(B, 5))


def test_a_sum_for_a_mean_breaks_the_law_of_the_batch(rng):
    loss, parameters, X = network(rng, "tanh")
    with pytest.raises(AssertionError, match=r"not the mean over samples\n  at ∇W_1\["):
        laws.assert_batch_gradient_is_mean(lambda x: loss(x) * float(len(x.data)), parameters, X)


def test_a_dropped_sample_breaks_the_law_of_the_batch(rng, monkeypatch):
    plant(monkeypatch, dense.dW, lambda out, g, y, x, W, b: x[1:].T @ g[1:])
    loss, parameters, X = network(rng, "tanh")
    with pytest.raises(AssertionError, match="not the mean over samples"):
        laws.assert_batch_gradient_is_mean(loss, parameters, X)


def test_samples_paired_in_wrong_order_break_permutation_equivariance(rng, monkeypatch):
    plant(monkeypatch, dense.dW, lambda out, g, y, x, W, b: x[::-1].T @ g)
    loss, parameters, X = network(rng, "tanh")
    with pytest.raises(AssertionError, match="permutation of the samples"):
        laws.assert_permutation_equivariant(loss, parameters, X, rng)


def test_units_in_wrong_order_break_permutation_equivariance(rng, monkeypatch):
    plant(monkeypatch, dense.db, lambda out, *_: out * (1 + 0.01 * np.arange(out.size)))
    loss, parameters, X = network(rng, "tanh")
    W1, b1, W2, _ = parameters
    laws.assert_permutation_equivariant(loss, parameters, X, rng)
    with pytest.raises(AssertionError, match=r"permutation of the units of b_1\n  at ∇b_1"):
        laws.assert_permutation_equivariant(loss, parameters, X, rng, hidden=[(W1, b1, W2)])


def test_a_wrong_row_breaks_rotation_equivariance(rng, monkeypatch):
    plant(monkeypatch, dense.dW, lambda out, *_: out * np.where(np.arange(len(out)) == 0, 1.01, 1.0)[:, None])
    loss, parameters, X = network(rng, "tanh")
    W1, _, W2, b2 = parameters
    with pytest.raises(AssertionError, match="rotation of the data"):
        laws.assert_rotation_equivariant(loss, parameters, X, rng, first=[W1], last=[W2, b2])


LINEAR_FAULTS = {
    "1 % in dX": (dense.dx, lambda out, *_: 1.01 * out),
    "1 % in dW": (dense.dW, lambda out, *_: 1.01 * out),
    "dropped db": (dense.db, lambda out, *_: 0.0 * out),
    "a wrong row of dW": (dense.dW, lambda out, *_: out * (1 + 0.01 * np.arange(len(out)))[:, None]),
}


@pytest.mark.parametrize("fault", list(LINEAR_FAULTS))
def test_a_wrong_dense_rule_breaks_the_balance_of_a_linear_code(rng, monkeypatch, fault):
    plant(monkeypatch, *LINEAR_FAULTS[fault])
    loss, (W1, b1, W2, _), X = network(rng, "identity")
    with pytest.raises(AssertionError, match="balance of a linear code"):
        laws.assert_balance_linear(loss, X, W1, b1, W2)


def test_a_wrong_relu_delta_breaks_the_balance_of_relu_units(rng, monkeypatch):
    loss, (W1, b1, W2, _), X = network(rng, "relu")
    for fault in (lambda out, *_: 1.01 * out, lambda out, g, *_: g):
        with monkeypatch.context() as patch:
            plant(patch, dense.relu_delta, fault)
            with pytest.raises(AssertionError, match="balance of a relu unit"):
                laws.assert_balance_relu(loss, X, W1, b1, W2)


def test_an_activation_without_homogeneity_breaks_the_balance_of_relu_units(rng):
    loss, (W1, b1, W2, _), X = network(rng, "tanh")
    with pytest.raises(AssertionError, match="balance of a relu unit"):
        laws.assert_balance_relu(loss, X, W1, b1, W2)


SIGMOID_FAULTS = {
    "y for y(1 − y)": lambda out, g, y, *_: g * y,
    "missing": lambda out, g, y, *_: g * y**0 + 1e-3 * y,
    "squared": lambda out, g, y, *_: g * y * (1 - y) * y,
}


@pytest.mark.parametrize("fault", list(SIGMOID_FAULTS))
def test_a_wrong_sigmoid_derivative_breaks_the_flip(rng, monkeypatch, fault):
    plant(monkeypatch, dense.sigmoid_delta, SIGMOID_FAULTS[fault])
    loss, parameters, X = network(rng, "sigmoid")
    with pytest.raises(AssertionError, match="flip of sigmoid unit 2"):
        laws.assert_sigmoid_flip(loss, X, *parameters, unit=2)


def test_a_rule_that_adds_to_its_destination_breaks_replay(rng, monkeypatch):
    monkeypatch.setattr(EXP, "fn", lambda out, g, y, _x: np.add(out, g * y, out=out))
    monkeypatch.setattr(EXP, "kernel", None)
    with pytest.raises(AssertionError, match=r"replay differs from eager execution\n  at the gradient of argument 0"):
        laws.assert_replay_is_eager(ae.exp, [rng.normal(size=3)], [rng.normal(size=3)])


def test_replay_at_other_shapes_is_no_replay(rng):
    with pytest.raises(ValueError, match="nothing is replayed"):
        laws.assert_replay_is_eager(ae.exp, [np.ones(3)], [np.ones(4)])


def test_chance_breaks_determinism(rng, monkeypatch):
    with pytest.raises(AssertionError, match="two runs differ\n  at the output"):
        laws.assert_deterministic(lambda x: x * rng.normal(), [np.ones(3)])
    plant(monkeypatch, EXP, lambda out, *_: out * (1 + 1e-12 * rng.normal()))
    with pytest.raises(AssertionError, match="two runs differ\n  at the gradient of argument 0"):
        laws.assert_deterministic(ae.exp, [np.ones(3)])
    with pytest.raises(AssertionError, match="not deterministic"):
        laws.assert_adjoint(ae.exp, [np.ones(3)], rng)


def test_a_float64_constant_breaks_float32():
    with pytest.raises(AssertionError, match="float32 went in, the output is float64"):
        laws.assert_dtype_kept(lambda x: x * np.ones(3), [np.ones(3)])


def test_a_gradient_of_another_dtype_is_reported(monkeypatch):
    once = program_module.Program.run_once
    widened = lambda self, u=None: [g.astype(float) for g in once(self, u)]  # noqa: E731
    monkeypatch.setattr(program_module.Program, "run_once", widened)
    with pytest.raises(AssertionError, match="the gradient of argument 0 is float64"):
        laws.assert_dtype_kept(ae.exp, [np.ones(3)])


ALIASED = {
    "argument 1": lambda fn, u, gradients: [gradients[0], gradients[0]],
    "the cotangent": lambda fn, u, gradients: [u, gradients[1]],
    "argument 0": lambda fn, u, gradients: [fn.arrays[1], gradients[1]],
}


@pytest.mark.parametrize("other", list(ALIASED))
def test_gradients_that_are_views_are_reported(monkeypatch, other):
    once = program_module.Program.run_once
    aliased = lambda self, u=None: ALIASED[other](self, u, once(self, u))  # noqa: E731
    monkeypatch.setattr(program_module.Program, "run_once", aliased)
    with pytest.raises(AssertionError, match=f"memory is shared: the gradient of argument 0 and .*{other} overlap"):
        laws.assert_memory_not_shared(lambda x, y: x + y, [np.ones(3), np.ones(3)])


def test_editing_an_input_is_reported(monkeypatch):
    def doubled(x):
        y = ae.exp(x)
        x.data[...] *= 2
        return y

    with pytest.raises(AssertionError, match=r"forward pass edited its input in place\n  at argument 0\[0\]"):
        laws.assert_inputs_untouched(doubled, [np.ones(3)])
    monkeypatch.setattr(
        MULTIPLY_DX, "fn", lambda out, g, _y, _x, y: (np.multiply(g, y, out=out), np.add(y, 1.0, out=y))
    )
    monkeypatch.setattr(MULTIPLY_DX, "kernel", None)
    with pytest.raises(AssertionError, match="backward pass edited its input in place\n  at argument 1"):
        laws.assert_inputs_untouched(lambda x, w: x * w, [np.ones(3), np.ones(3)])


# Refusals.


def test_a_loss_that_is_no_scalar_is_refused(rng):
    with pytest.raises(ae.GraphError, match=r"about a scalar loss; loss\(X\) has shape \(3,\)"):
        laws.assert_batch_gradient_is_mean(lambda x: x[:, 0], [], rng.normal(size=(3, 2)))
    with pytest.raises(ValueError, match=r"Hessian belongs to a scalar function; this one gives shape \(3,\)"):
        laws.assert_hessian_symmetric(ae.exp, [np.ones(3)], rng)


def test_a_batch_without_rows_is_refused(rng):
    with pytest.raises(ValueError, match="one row per sample"):
        laws.assert_batch_gradient_is_mean(lambda x, y: x.sum(), [], (np.ones((2, 3)), np.ones((4, 3))))


def test_the_examples_in_the_docstrings_are_true():
    import doctest

    from autograd_ae.testing import strategies_arrays, strategies_programs

    for module in (laws, strategies_arrays, strategies_programs):
        results = doctest.testmod(module, extraglobs={"np": np})
        assert results.attempted
        assert not results.failed
