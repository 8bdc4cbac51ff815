"""The laws that every op obeys, driven by the one table of ops.

That the first of them would notice a wrong rule is tested here; `tests/testing/test_faults.py` and `make faults` plant
many more faults and let all laws judge.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.core import sweep
from autograd_ae.core.op import wengert_list
from autograd_ae.core.program import Program, accumulate
from autograd_ae.core.tensor import Tensor, capturing
from autograd_ae.testing import faults, laws, strategies
from autograd_ae.testing.complex_step import complex_step_gradient
from autograd_ae.testing.fault_catalogue import FAULTS
from autograd_ae.testing.specs import SPECS

TOLERANCE = 1e-9  # of the gradient's largest entry, against complex step
every_op = pytest.mark.parametrize("name", list(SPECS))
every_differentiable_op = pytest.mark.parametrize("name", [n for n, s in SPECS.items() if s.differentiable])


def leaves_of(arrays):
    return [Tensor(np.asarray(a, order="C"), traced=a.dtype != bool) for a in arrays]


def gradients_of(case, arrays, dtype=np.float64):
    """The engine's gradients under the case's random cotangent, by the sweep; the program's must be the same bits."""
    leaves = leaves_of([a if a.dtype == bool else a.astype(dtype) for a in arrays])
    output = case(*leaves)
    u, wrt = case.cotangent(output.shape, dtype), [t for t in leaves if t.traced]
    swept = ae.grad(output, wrt, u, allow_unused=True)
    for ours, written_down in zip(swept, Program([output], wrt=wrt).run_once(u), strict=True):
        assert ours.dtype == written_down.dtype
        np.testing.assert_array_equal(ours, written_down)
    return swept


def relative_error(case):
    """The largest |engine − complex step| of any gradient, relative to that gradient's largest entry."""
    with ae.no_grad():
        u = case.cotangent(case(*leaves_of(case.arrays)).shape)
    oracle = complex_step_gradient(case, case.arrays, u)
    floats = [true for true, a in zip(oracle, case.arrays, strict=True) if a.dtype != bool]
    worst = 0.0
    for gradient, true in zip(gradients_of(case, case.arrays), floats, strict=True):
        assert gradient.shape == true.shape
        error, scale = np.abs(gradient - true).max(initial=0.0), np.abs(true).max(initial=0.0)
        worst = max(worst, error / scale if scale else np.inf if error else 0.0)
    return worst


@every_differentiable_op
@given(data=st.data())
def test_every_rule_agrees_with_complex_step(name, data):
    assert relative_error(data.draw(strategies.op_cases(name))) <= TOLERANCE


@every_differentiable_op
@given(data=st.data())
def test_rules_that_may_overwrite_g_give_the_same_bits_when_they_do(name, data):
    case = data.draw(strategies.op_cases(name))
    for node in wengert_list([case(*leaves_of(case.arrays))]):
        g = np.random.default_rng(0).normal(size=node.value.shape)
        for k, rule, _ in node.plan.rules:
            if rule.in_place:
                assert node.op.broadcasts, "only elementwise rules: out has the shape of g"
                apart, over = np.empty_like(g), g.copy()
                for out, upstream in ((apart, g), (over, over)):
                    sweep._pull_back(node, rule, k, out, upstream)
                np.testing.assert_array_equal(over, apart)


SLIPS = [
    fault for fault in FAULTS if fault.name in ("1 % too large", "wrong sign", "transposed", "largest entry dropped")
]


@pytest.mark.parametrize("fault", SLIPS, ids=[fault.name for fault in SLIPS])
@every_differentiable_op
def test_a_wrong_rule_is_rejected_by_the_same_test(name, fault):
    """Each rule in turn is made wrong; of the cases on which that changes its result, one must show it.

    A transpose changes nothing where no gradient is a square matrix; every other slip must find its case.
    """
    spec = SPECS[name]
    drawn = [(faults.function_of(spec, *case), case) for case in faults.cases_of(spec, 30)]
    for _, rule_name, rule in faults.rules_of([function for function, _ in drawn]):
        wrong = fault.plant(rule.fn)
        telling = [case for function, case in drawn if changes(rule, wrong, *function)][:8]
        assert telling or fault.name == "transposed", rule_name
        with faults.planted(rule, wrong):
            cases = [strategies.OpCase(spec, tuple(arrays), params, 0) for arrays, params in telling]
            assert not cases or any(relative_error(case) > TOLERANCE for case in cases), rule_name


def changes(rule, wrong, fn, inputs):
    """Does the wrong rule give another result than the right one in a backward pass through fn?"""
    calls = list(faults.calls_of(rule, fn, inputs))
    return any(not np.allclose(c.result(wrong), c.result(rule.fn), rtol=1e-6, atol=0.0) for c in calls)


@every_differentiable_op
@given(data=st.data())
def test_every_op_obeys_the_laws_of_recording(name, data):
    case = data.draw(strategies.op_cases(name))
    for law in (laws.assert_inputs_untouched, laws.assert_memory_not_shared, laws.assert_deterministic):
        law(case, case.arrays)


@every_differentiable_op
@given(data=st.data())
def test_float32_stays_float32_with_the_gradient_of_float64(name, data):
    case = data.draw(strategies.op_cases(name))
    single = [a if a.dtype == bool else a.astype(np.float32) for a in case.arrays]
    laws.assert_dtype_kept(case, single)
    high = gradients_of(case, [a if a.dtype == bool else a.astype(np.float64) for a in single])
    for a, b in zip(gradients_of(case, single, np.float32), high, strict=True):
        # Values are of order 1, so 1e-7 is what float32 leaves of a gradient that cancels.
        assert np.abs(a - b).max(initial=0.0) <= max(1e-4 * np.abs(b).max(initial=0.0), 1e-7)


@every_op
@given(data=st.data())
def test_replay_at_new_data_equals_eager_bitwise(name, data):
    case = data.draw(strategies.op_cases(name, differentiable=False))
    spec, rng = case.spec, np.random.default_rng([case.seed, 2])
    drawers = spec.values if isinstance(spec.values, tuple) else (spec.values,) * len(case.arrays)
    floats = [i for i, a in enumerate(case.arrays) if a.dtype != bool]

    def fn(*tensors):
        given_ = list(case.arrays)
        for i, t in zip(floats, tensors, strict=True):
            given_[i] = t
        return case(*given_)

    arrays = [np.asarray(case.arrays[i], order="C") for i in floats]
    others = [np.asarray(drawers[i](rng, case.arrays[i].shape)) for i in floats]
    if spec.differentiable:
        laws.assert_replay_is_eager(fn, arrays, others)
    else:
        step = ae.capture(fn, *arrays)
        np.testing.assert_array_equal(step(*others), fn(*map(ae.tensor, others)).data)


# Each line of a program by itself: against the reference, and on destinations that hold something else.


def program_of(case, arrays):
    with capturing():
        return Program([case(*leaves_of(arrays))])


def reference_value(case, arrays):
    """What the recorded lines give when every line runs its reference."""
    program = program_of(case, arrays)
    env = list(program.arrays)
    for line in program.forward:
        env[line.out] = np.empty_like(env[line.out])
        line.analytic(env[line.out], *[env[a] for a in line.args], **line.params)
    return env[program.outputs[0]]


@every_op
@given(data=st.data())
def test_the_forward_pass_equals_the_reference(name, data):
    """In float64 to a few ulp of the largest entry; in float32 likewise, and the dtype stays."""
    case = data.draw(strategies.op_cases(name, differentiable=False))
    for dtype in (np.float64, np.float32):
        typed = [a if a.dtype == bool else a.astype(dtype) for a in case.arrays]
        with ae.no_grad():
            y = case(*leaves_of(typed))
        assert y.dtype in (dtype, bool)
        z = reference_value(case, typed)
        assert z.shape == y.shape
        if z.size and y.dtype != bool:
            assert np.abs(y.data - z).max() <= 64 * np.finfo(dtype).eps * max(np.abs(z).max(), np.finfo(dtype).tiny)
        else:
            assert np.array_equal(y.data, z)


EXTREMES = [0.0, -0.0, 5e-324, -5e-324, 1e-310, 1e-40, 700.0, -700.0, 1000.0, -1000.0, 1e300, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", [n for n, s in SPECS.items() if s.extreme])
def test_the_forward_pass_equals_the_reference_at_extremes(name, dtype):
    spec = SPECS[name]
    shapes, params = spec.case(lambda low, high: low)
    with np.errstate(all="ignore"):
        x = np.array(EXTREMES).astype(dtype)
        arrays = [x] if len(shapes) == 1 else [a.ravel() for a in np.meshgrid(x, x)]
        y = spec.call(*leaves_of(arrays), **params).data
        z = reference_value(lambda *ts: spec.call(*ts, **params), arrays)
    assert np.array_equal(np.isnan(y), np.isnan(z))
    np.testing.assert_allclose(y, z, rtol=8 * np.finfo(dtype).eps, atol=2 * np.finfo(dtype).smallest_subnormal)


@every_op
@given(data=st.data())
def test_destinations_are_overwritten_whole(name, data):
    """Outputs and gradients do not depend on what their arrays held before."""
    case = data.draw(strategies.op_cases(name, differentiable=False))
    program = program_of(case, case.arrays)
    env = list(program.arrays)
    if program.seed:
        env[program.seed] = case.cotangent(program.values[program.seed].shape)
    results = []
    for fill in (np.nan, 3.0):
        for line in (*program.forward, *program.backward):
            value = program.values[line.out]
            if line.run is not accumulate:
                env[line.out] = np.full(value.shape, fill).astype(value.dtype)
            line.run(env[line.out], *[env[a] for a in line.args], **line.params)
        results.append([np.copy(env[line.out]) for line in (*program.forward, *program.backward)])
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a, b, equal_nan=True)
        assert not np.isnan(a).any()
