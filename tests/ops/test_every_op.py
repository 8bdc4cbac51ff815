"""The laws that every op obeys, driven by the one table of ops."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.core.op import Pullback
from autograd_ae.core.tensor import Tensor
from autograd_ae.testing.specs import SPECS

TOLERANCE = 1e-9  # of the gradient's largest entry, against complex step
every_op = pytest.mark.parametrize("name", list(SPECS))
every_differentiable_op = pytest.mark.parametrize("name", [n for n, s in SPECS.items() if s.differentiable])


@every_differentiable_op
@given(data=st.data())
def test_every_rule_agrees_with_complex_step(op_tools, name, data):
    arrays, params, seed = data.draw(op_tools.cases(SPECS[name]))
    assert op_tools.worst_relative_error(SPECS[name], arrays, params, seed) <= TOLERANCE


FAULTS = {
    "1 % too large": lambda out: 1.01 * out,
    "wrong sign": lambda out: -out,
    "zero": lambda out: 0.0 * out,
    "reversed": lambda out: out[::-1],
    "transposed": lambda out: out.T if out.ndim == 2 and out.shape[0] == out.shape[1] else 1.01 * out,
    "first entry dropped": lambda out: np.where(np.arange(out.size).reshape(out.shape) == 0, 0.0, out),
}


@pytest.mark.parametrize("fault", list(FAULTS))
@every_differentiable_op
def test_a_wrong_rule_is_rejected_by_the_same_test(op_tools, name, fault, monkeypatch):
    """Each rule of the op in turn is made wrong; over a few cases at least one must show it."""
    spec = SPECS[name]
    for op, rule in rules_of(spec):
        errors = []
        with monkeypatch.context() as patch:
            patch.setattr(rule, "fn", corrupted(rule.fn, FAULTS[fault]))
            patch.setattr(rule, "kernel", None)
            for seed in range(12):
                rng = np.random.default_rng(seed)
                arrays, params = spec.draw(lambda low, high: int(rng.integers(low, high + 1)), rng)  # noqa: B023
                errors.append(op_tools.worst_relative_error(spec, arrays, params, seed))
        assert max(errors) > 1e-6, f"{op.name}: a rule with fault {fault!r} passed"


def corrupted(fn, fault):
    def wrong(out, g, y, *inputs, **params):
        fn(out, g, y, *inputs, **params)
        out[...] = fault(out.copy()) if out.ndim or fault(np.ones(2))[0] != 1 else -out

    return wrong


def rules_of(spec):
    """The engine's ops that a call of the spec records, and their rules."""
    found = {}
    for seed in range(6):
        rng = np.random.default_rng(seed)
        arrays, params = spec.draw(lambda low, high: int(rng.integers(low, high + 1)), rng)  # noqa: B023
        leaves = [Tensor(np.asarray(a, order="C"), traced=a.dtype != bool) for a in arrays]
        from autograd_ae.core.op import wengert_list

        for node in wengert_list([spec.call(*leaves, **params)]):
            for rule in (*node.op.pullbacks, node.op.delta):
                if isinstance(rule, Pullback):
                    found[id(rule)] = (node.op, rule)
    return found.values()


@every_op
@given(data=st.data())
def test_the_forward_pass_equals_the_reference(op_tools, name, data):
    """In float64 to a few ulp of the largest entry; in float32 likewise, and the dtype stays."""
    spec = SPECS[name]
    arrays, params, _ = data.draw(op_tools.cases(spec))
    for dtype in (np.float64, np.float32):
        typed = [a if a.dtype == bool else a.astype(dtype) for a in arrays]
        with ae.no_grad():
            y = spec.call(*op_tools.leaves_of(typed), **params)
        assert y.dtype in (dtype, bool)
        z = reference_value(spec, typed, params)
        assert z.shape == y.shape
        if z.size and y.dtype != bool:
            assert np.abs(y.data - z).max() <= 64 * np.finfo(dtype).eps * max(np.abs(z).max(), np.finfo(dtype).tiny)
        else:
            assert np.array_equal(y.data, z)


def reference_value(spec, arrays, params):
    """What the recorded lines give when every line runs its reference."""
    from autograd_ae.core.program import Program

    leaves = [Tensor(np.asarray(a, order="C"), traced=a.dtype != bool) for a in arrays]
    with ae.core.tensor.capturing():
        program = Program([spec.call(*leaves, **params)], wrt=())
    env = list(program.arrays)
    for line in program.forward:
        env[line.out] = np.empty_like(env[line.out])
        line.analytic(env[line.out], *[env[a] for a in line.args], **line.params)
    return env[program.outputs[0]]


EXTREMES = [0.0, -0.0, 5e-324, -5e-324, 1e-310, 1e-40, 700.0, -700.0, 1000.0, -1000.0, 1e300, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", [n for n, s in SPECS.items() if s.extreme])
def test_the_forward_pass_equals_the_reference_at_extremes(op_tools, name, dtype):
    spec = SPECS[name]
    with np.errstate(all="ignore"):
        x = np.array(EXTREMES).astype(dtype)
        arrays = [x] if len(spec.case(lambda low, high: low)[0]) == 1 else [a.ravel() for a in np.meshgrid(x, x)]
        params = spec.case(lambda low, high: low)[1]
        y = spec.call(*op_tools.leaves_of(arrays), **params).data
        z = reference_value(spec, arrays, params)
    assert np.array_equal(np.isnan(y), np.isnan(z))
    np.testing.assert_allclose(y, z, rtol=8 * np.finfo(dtype).eps, atol=2 * np.finfo(dtype).smallest_subnormal)


@every_op
@given(data=st.data())
def test_destinations_are_overwritten_whole(op_tools, name, data):
    """Outputs and gradients do not depend on what their arrays held before."""
    spec = SPECS[name]
    arrays, params, seed = data.draw(op_tools.cases(spec))
    leaves = op_tools.leaves_of(arrays)
    from autograd_ae.core.program import Program

    with ae.core.tensor.capturing():
        program = Program([spec.call(*leaves, **params)])
    env: list[Any] = list(program.arrays)
    if program.seed:
        env[program.seed] = np.random.default_rng(seed).normal(size=program.values[program.seed].shape)
    results = []
    for fill in (np.nan, 3.0):
        for line in (*program.forward, *program.backward):
            fresh = np.full(program.values[line.out].shape, fill).astype(program.values[line.out].dtype)
            if line.run.__name__ != "accumulate":
                env[line.out] = fresh
            line.run(env[line.out], *[env[a] for a in line.args], **line.params)
        results.append([np.copy(env[line.out]) for line in (*program.forward, *program.backward)])
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a, b, equal_nan=True)
        assert not np.isnan(a).any()


@every_differentiable_op
@given(data=st.data())
def test_inputs_and_cotangents_are_not_mutated_and_gradients_share_no_memory(op_tools, name, data):
    spec = SPECS[name]
    arrays, params, seed = data.draw(op_tools.cases(spec))
    before = [a.copy() for a in arrays]
    kept = {}

    def cotangent_of(shape):
        kept["u"] = np.random.default_rng(seed).normal(size=shape)
        kept["copy"] = kept["u"].copy()
        return kept["u"]

    output, u, gradients = op_tools.engine_gradients(spec, arrays, params, cotangent_of)
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))
    assert np.array_equal(kept["u"], kept["copy"])
    owned = [*gradients, u, output.data, *arrays]
    for i, a in enumerate(gradients):
        assert not any(np.shares_memory(a, b) for b in owned[i + 1 :])


@every_differentiable_op
@given(data=st.data())
def test_float32_stays_float32_with_the_gradient_of_float64(op_tools, name, data):
    spec = SPECS[name]
    arrays, params, seed = data.draw(op_tools.cases(spec))
    single = [a if a.dtype == bool else a.astype(np.float32) for a in arrays]
    double = [a if a.dtype == bool else a.astype(np.float64) for a in single]
    u_of = lambda shape: np.asarray(np.random.default_rng(seed).normal(size=shape), np.float32)  # noqa: E731
    _, _, low = op_tools.engine_gradients(spec, single, params, u_of)
    _, _, high = op_tools.engine_gradients(spec, double, params, u_of)
    for a, b in zip(low, high, strict=True):
        assert a.dtype == np.float32
        if b.size:
            assert np.abs(a - b).max() <= 1e-4 * max(np.abs(b).max(), 1e-6)


@every_op
@given(data=st.data())
def test_replay_at_new_data_equals_eager_bitwise(op_tools, name, data):
    spec = SPECS[name]
    arrays, params, seed = data.draw(op_tools.cases(spec))
    rng = np.random.default_rng([seed, 2])
    drawers = spec.values if isinstance(spec.values, tuple) else (spec.values,) * len(arrays)
    conditions = [a for a in arrays if a.dtype == bool]
    floats = [i for i, a in enumerate(arrays) if a.dtype != bool]
    other = [drawers[i](rng, arrays[i].shape) for i in floats]

    def fn(*tensors):
        merged, rest = list(tensors), list(conditions)
        return spec.call(*[merged.pop(0) if i in floats else rest.pop(0) for i in range(len(arrays))], **params)

    step = ae.capture(fn, *[arrays[i] for i in floats])
    replayed = step(*other)
    assert np.array_equal(replayed, fn(*[ae.tensor(a) for a in other]).data, equal_nan=True)
