"""The strategies draw what they promise, everything that they promise, and shrink to something small."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.ops import elementary
from autograd_ae.testing import laws
from autograd_ae.testing import strategies as aes
from autograd_ae.testing.specs import SPECS
from autograd_ae.testing.strategies_programs import GUARDS

DIFFERENTIABLE = [name for name, spec in SPECS.items() if spec.differentiable]
SEARCH = settings(
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=500,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


def smallest(strategy, condition):
    return find(strategy, condition, settings=SEARCH)


# Arrays.


@given(aes.arrays(away_from=(0.0, 1.0), min_gap=0.25))
def test_arrays_keep_their_distance_from_kinks(a):
    assert a.dtype in (np.float32, np.float64)
    assert (np.abs(a) <= 3).all()
    assert (np.abs(a) >= 0.25).all()
    assert (np.abs(a - 1) >= 0.25).all()


@pytest.mark.parametrize(
    ("values", "low", "high"), [("positive", 0.2, 3.0), ("unit", 0.05, 0.95), ("normal", -3.0, 3.0)]
)
@given(data=st.data())
def test_values_lie_in_their_interval(values, low, high, data):
    a = data.draw(aes.arrays(values=values))
    assert ((low <= a) & (a <= high)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_finite_reaches_the_largest_and_subnormal_numbers(dtype):
    info = np.finfo(dtype)
    strategy = aes.arrays((1,), dtype, values="any finite")
    assert smallest(strategy, lambda a: abs(a[0]) > info.max / 4).dtype == dtype
    assert smallest(strategy, lambda a: 0 < abs(a[0]) < info.tiny).dtype == dtype


@given(aes.arrays(values="distinct", min_gap=0.5))
def test_distinct_values_are_a_gap_apart(a):
    assert (np.diff(np.sort(a, axis=None)) >= 0.5).all()


@pytest.mark.parametrize(
    "wanted",
    [
        lambda a: a.ndim == 0,
        lambda a: a.size == 0,
        lambda a: a.ndim == 2 and 1 in a.shape and a.size > 1,
        lambda a: not a.flags.writeable,
        lambda a: a.ndim > 1 and min(a.shape) > 1 and a.flags.f_contiguous and not a.flags.c_contiguous,
        lambda a: a.size > 1 and a.strides[0] < 0,
        lambda a: a.ndim == 1 and a.size > 1 and a.strides[0] == 2 * a.itemsize,
    ],
    ids=["0-d", "empty", "size-1 axis", "read-only", "Fortran", "negative stride", "strided"],
)
def test_every_shape_and_layout_is_drawn(wanted):
    assert wanted(smallest(aes.arrays(), wanted))


def test_arrays_shrink_to_few_simple_entries():
    assert smallest(aes.arrays(dtype=np.float64), lambda a: a.sum() > 2).tolist() in ([3.0], 3.0)
    assert smallest(aes.arrays(away_from=(0.0,)), lambda a: a.size >= 2).tolist() == [1.0, 1.0]


def test_the_minimal_pair_that_broadcasts_is_small():
    not_empty = smallest(aes.broadcastable_shapes(2, min_side=1), lambda s: s[0] != s[1] and all(s))
    assert sorted(not_empty) == [(1,), (2,)]
    assert sorted(smallest(aes.broadcastable_shapes(2), lambda s: s[0] != s[1])) == [(), (0,)]


@given(aes.broadcastable_shapes(3))
def test_broadcastable_shapes_broadcast(shapes):
    assert len(shapes) == 3
    np.broadcast_shapes(*shapes)


@given(aes.shapes(max_dims=2, max_side=3))
def test_shapes_keep_to_their_limits(shape):
    assert len(shape) <= 2
    assert all(0 <= n <= 3 for n in shape)


@given(aes.tensors(name="t"))
def test_tensors_are_traced_and_named(t):
    assert t.traced
    assert t.name == "t"
    assert t.data.flags.c_contiguous


# Ops and programs.


@given(aes.op_cases())
def test_op_cases_are_defined_with_their_gradient(case):
    leaves = [a if a.dtype == bool else ae.tensor(a) for a in case.arrays]
    y = case(*leaves)
    traced = [t for t in leaves if isinstance(t, ae.Tensor)]
    assert np.isfinite(y.data).all()
    for g in ae.grad(y, traced, case.cotangent(y.shape), allow_unused=True):
        assert np.isfinite(g).all()
    assert case.spec.name in repr(case)


@given(aes.op_cases("where"))
def test_an_op_can_be_asked_for_by_name(case):
    assert case.spec.name == "where"
    assert case.arrays[0].dtype == bool


@given(aes.programs())
def test_programs_are_defined_with_their_gradient_and_moderate(program):
    y, pull = ae.vjp(program, *program.arrays)
    for values in (y, *pull(np.cos(np.arange(np.size(y))).reshape(np.shape(y)))):
        assert np.abs(values).max() < 1e6  # false for NaN


@pytest.mark.parametrize("key", list(GUARDS), ids=[name for name, _ in GUARDS.values()])
def test_guards_bring_any_number_into_their_domain(key):
    """So a line is defined whatever the lines before it gave."""
    name, guard = GUARDS[key]
    y = guard(ae.tensor(np.array([-1e150, -40.0, -1.0, 0.0, 1.0, 40.0, 1e150])), 0).data
    assert np.isfinite(y).all()
    assert np.abs(y).max() <= 3.0
    lowest = {"positive": 0.2, "unit": 0.05, "above_minus_one": -0.8, "nonzero": -3.0}
    assert y.min() >= lowest.get(name, -1.5) - 1e-12
    assert name != "nonzero" or np.abs(y).min() >= 0.2 - 1e-12
    assert name not in ("distinct", "apart") or np.diff(np.sort(y)).min() >= 0.0799


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=2)
@given(data=st.data())
def test_every_op_can_follow_itself_in_a_program(name, data):
    program = data.draw(aes.programs(max_ops=2, min_ops=2, ops=(name,)))
    assert program.ops == (name, name)
    assert np.isfinite(program(*[ae.tensor(a) for a in program.arrays]).data).all()


def test_a_value_may_be_used_twice():
    def fans_out(program):
        used = [a.value for step in program.steps for a in step.arguments]
        return any(used.count(i) > 1 and program.order[i] < 0 for i in used)

    assert len(smallest(aes.programs(3, ops=("multiply",)), fans_out).steps) <= 3


@given(aes.programs(min_ops=2))
def test_every_line_leads_to_the_last(program):
    lines = {i: ~place for i, place in enumerate(program.order) if place < 0}
    used = {lines[a.value] for step in program.steps for a in step.arguments if a.value in lines}
    assert used == set(range(len(program.steps) - 1))


@pytest.mark.parametrize("name", ["exp", "softmax"])
def test_the_minimal_program_with_an_op_is_one_line(name):
    program = smallest(aes.programs(ops=(name, "sin", "multiply", "sum")), lambda p: name in p.ops)
    assert program.ops == (name,)


def test_a_planted_fault_shrinks_to_the_one_line_that_has_it(monkeypatch):
    rule = elementary._exp.pullbacks[0]
    monkeypatch.setattr(rule, "fn", lambda out, g, y, _x: np.multiply(1.01 * g, y, out=out))
    monkeypatch.setattr(rule, "kernel", None)

    def breaks_the_law(program):
        try:
            laws.assert_adjoint(program, program.arrays, np.random.default_rng(0))
        except AssertionError:
            return True
        return False

    program = smallest(aes.programs(ops=("exp", "sin", "multiply", "matmul", "mean")), breaks_the_law)
    assert repr(program) == "StraightLine\n  x1  input () float64\n  %1  = exp(x1)  ()"


def test_a_program_prints_as_numbered_lines():
    program = smallest(aes.programs(min_ops=2, ops=("sin", "log")), lambda p: p.ops == ("sin", "log"))
    assert repr(program).splitlines() == [
        "StraightLine",
        "  x1  input () float64",
        "  %1  = sin(x1)  ()",
        "  %2  = log(positive(%1))  ()",
    ]


def test_a_falsifying_example_is_shown_as_lines():
    @settings(SEARCH, max_examples=20)
    @given(aes.programs(ops=("exp",)))
    def fails(program):
        raise AssertionError("always")

    with pytest.raises(AssertionError, match="always") as caught:
        fails()
    shown = "\n".join(caught.value.__notes__)
    assert "x1  input () float64" in shown
    assert "%1  = exp(x1)  ()" in shown
    assert "Argument" not in shown


def test_a_program_refuses_a_wrong_number_of_tensors():
    program = smallest(aes.programs(1, ops=("exp",)), lambda p: True)
    with pytest.raises(TypeError, match=r"takes 1 tensors, 2 arrived"):
        program(1.0, 2.0)


# Networks and models.


@given(aes.mlps(autoencoder=True))
def test_random_autoencoders_have_a_finite_loss_and_gradient(mlp):
    loss = mlp.loss(*mlp.data)
    assert mlp(mlp.data[0]).shape == mlp.data[0].shape
    assert np.isfinite(loss.data)
    assert all(np.isfinite(g).all() for g in ae.grad(loss, mlp.parameters))


def test_a_network_shrinks_to_one_unit_and_one_sample():
    mlp = smallest(aes.mlps(dtype=np.float32), lambda m: True)
    assert repr(mlp) == "RandomMLP(1 -> 1 identity, against its input, batch (1, 1) float32, seed 0)"


@settings(max_examples=15)
@given(aes.autoencoder_configs())
def test_autoencoder_configurations_are_accepted(config):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ae.ConvergenceWarning)  # three iterations are few
        model = getattr(ae, config.model)(**config.params).fit(config.X)
    assert np.isfinite(model.loss_)
    assert model.transform(config.X).shape == (len(config.X), config.params["n_components"])
    assert config.model in repr(config)


# Refusals.


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: aes.arrays(values="gaussian"), "values is 'gaussian'; one of 'normal', 'positive'"),
        (lambda: aes.arrays(layout="diagonal"), "layout is 'diagonal'; one of 'C', 'Fortran'"),
        (lambda: aes.arrays(values="distinct", away_from=(0.0,)), "lie on a lattice"),
        (lambda: aes.arrays((1,), values="unit", away_from=(0.5,), min_gap=1.0).example(), "lower min_gap"),
        (lambda: aes.op_cases("expo").example(), "name is 'expo'"),
        (lambda: aes.programs(ops=("greater",)).example(), "ops is 'greater'"),
        (lambda: aes.programs(max_ops=0).example(), "1 ≤ min_ops ≤ max_ops is needed"),
        (lambda: aes.mlps(activation="sigmod").example(), "activation is 'sigmod'"),
        (lambda: aes.autoencoder_configs("VAE2").example(), "model is 'VAE2'"),
    ],
)
@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_misspelt_arguments_are_refused_with_the_choices(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_integer_dtype_is_refused():
    with pytest.raises(TypeError, match=r"np\.float64, np\.float32 or None"):
        aes.arrays(dtype=np.int64)


def test_without_hypothesis_the_import_error_names_the_extra():
    code = "import sys; sys.modules['hypothesis'] = None; import autograd_ae.testing.strategies"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 1
    assert "pip install 'autograd_ae[test]'" in run.stderr
