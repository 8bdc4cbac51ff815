"""Planted faults: the laws kill them, and a mutant is excused only by a proof."""

from collections import Counter

import numpy as np
import pytest

from autograd_ae.testing import faults, model_faults
from autograd_ae.testing.fault_catalogue import FAULTS, Fault
from autograd_ae.testing.hard_points import false_alarms, hard_cases
from autograd_ae.testing.specs import SPECS


def judged(name, fault, cases=2):
    """One fault in every rule that an op uses."""
    spec = SPECS[name]
    drawn = faults.cases_of(spec, cases)
    rules = faults.rules_of([faults.function_of(spec, *case) for case in drawn])
    return [faults.judge_mutant(f"{op.name}.{rule}", pull, fault, spec, drawn) for op, rule, pull in rules]


@pytest.mark.parametrize("name", ["multiply", "sigmoid", "relu"])
def test_every_fault_in_the_rules_of_an_op_is_killed_or_proved_equivalent(name):
    mutants = list(faults.op_mutants([name], cases=2))
    assert len(mutants) % len(FAULTS) == 0
    assert [str(m) for m in mutants if m.outcome == "survived"] == []
    assert Counter(m.outcome for m in mutants)["killed"] >= 0.6 * len(mutants)


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.differentiable])
def test_no_law_objects_to_the_right_rules(name):
    spec = SPECS[name]
    cases = [faults.function_of(spec, *case) for case in faults.cases_of(spec, 2, seed=7)]
    for _, _, rule in faults.rules_of(cases):
        assert [faults.law_that_objects(rule, rule.fn, *case, seed=k) for k, case in enumerate(cases)] == ["", ""]


@pytest.mark.parametrize(
    ("fault", "laws"),
    [
        ("wrong sign", ["gradcheck"]),
        ("rounded to float32", ["gradcheck"]),
        ("last entry not written", ["gradcheck", "written whole"]),  # fresh memory may hold the right number
        ("upstream gradient edited in place", ["arguments left alone"]),
        ("complex conjugate", ["complex-linear"]),
        ("imaginary parts of values dropped", ["analytic"]),
    ],
)
def test_each_law_kills_what_the_others_let_pass(fault, laws):
    (planted,) = [f for f in FAULTS if f.name == fault]
    outcomes = judged("square", planted)
    assert [m.outcome for m in outcomes] == ["killed"]
    assert outcomes[0].why in laws


def test_a_fault_that_changes_nothing_survives_without_a_proof_and_is_equivalent_with_one():
    nothing = lambda rule: lambda *args, **params: rule(*args, **params)  # noqa: E731
    (without,) = judged("square", Fault("nothing", nothing))
    (proved,) = judged("square", Fault("nothing", nothing, lambda rule, calls: "it is the rule itself"))
    assert (without.outcome, proved.outcome, proved.why) == ("survived", "equivalent", "it is the rule itself")


def test_a_proof_does_not_excuse_a_mutant_whose_numbers_differ():
    differs = Fault(
        "factor 2", lambda rule: lambda out, *a, **k: (rule(out, *a, **k), out.__imul__(2))[0], lambda *_: "!"
    )
    assert [m.outcome for m in judged("square", differs)] == ["killed"]


def test_the_right_rule_is_back_after_a_fault_was_planted():
    spec = SPECS["square"]
    case = faults.cases_of(spec, 1)[0]
    ((_, _, rule),) = faults.rules_of([faults.function_of(spec, *case)])
    kept = rule.fn, rule.kernel
    with pytest.raises(ZeroDivisionError), faults.planted(rule, lambda *_: None):
        raise ZeroDivisionError
    assert (rule.fn, rule.kernel) == kept


# Whole models.


def few(mistakes, count):
    step = max(len(mistakes) // count, 1)
    return mistakes[::step]


@pytest.mark.parametrize("model", model_faults.model_losses(), ids=lambda m: m.name)
def test_mistakes_in_the_loss_of_a_model_are_killed(model):
    truth = list(model_faults.complex_step_gradient(model.loss, list(model.parameters.values())))
    mistakes = [
        *model_faults.planted_gradients(model.recorded()),
        *model_faults.finished_faults(truth, list(model.parameters)),
    ]
    assert len(mistakes) > 30
    for mistake in few(mistakes, 8):
        assert model_faults.judge_gradients(model, mistake, truth, 1e-6).outcome in ("killed", "equivalent")


def test_the_right_gradients_of_a_model_are_no_killed_mutant():
    for model in model_faults.model_losses(seed=3):
        truth = list(model_faults.complex_step_gradient(model.loss, list(model.parameters.values())))
        right = model_faults.Planted("nothing", "", truth)
        assert model_faults.judge_gradients(model, right, truth, 1e-6).outcome == "survived"


# False alarms.


def test_right_gradients_at_hard_points_raise_no_alarm():
    found = false_alarms(150, seed=5)
    assert found.alarms == []
    assert found.agree + found.undecided == found.cases == 150
    assert found.agree > 75


def test_hard_cases_are_the_same_every_time_and_in_both_dtypes():
    first, second = list(hard_cases(40, seed=1)), list(hard_cases(40, seed=1))
    for a, b in zip(first, second, strict=True):
        assert (a.op, a.words) == (b.op, b.words)
        assert all(np.array_equal(x, y) for x, y in zip(a.inputs, b.inputs, strict=True))
    assert {a.inputs[0].dtype.name for a in first} == {"float32", "float64"}
