"""Every formula that a derivation can show is the formula that the engine computes."""

from functools import lru_cache

import numpy as np
import pytest

from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.explain import columns
from autograd_ae.explain.derivation import derive
from autograd_ae.explain.evaluation import evaluate
from autograd_ae.explain.mathml import mathml
from autograd_ae.explain.plain import plain
from autograd_ae.explain.table import RULES
from autograd_ae.explain.tape import start
from autograd_ae.explain.typeset import latex
from autograd_ae.testing.specs import SPECS

DRAWS = 4


def recorded(spec, rng):
    """A call of the op with drawn inputs, recorded."""
    arrays, params = spec.draw(lambda low, high: int(rng.integers(low, high + 1)), rng)
    y = spec.call(*[Tensor(a, traced=a.dtype != bool) for a in arrays], **params)
    return y[0] if isinstance(y, (list, tuple)) else y


@lru_cache
def tapes(name):
    """Several recordings of an op, none of them without steps."""
    rng = np.random.default_rng(sum(map(ord, name)))
    drawn = [recorded(SPECS[name], rng) for _ in range(DRAWS)]
    return [start(Program([y]), rng.normal(size=y.shape), {}) for y in drawn if y.node is not None]


def assert_same(found, wanted):
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.astype(float), wanted.astype(float), rtol=1e-9, atol=1e-12)


DIFFERENTIABLE = [name for name, spec in SPECS.items() if spec.differentiable]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_every_formula_computes_what_the_engine_computes_in_both_layouts(name):
    steps = 0
    for tape in tapes(name):
        turned = {key: columns.values(a) for key, a in tape.env.items()}
        for step in (*tape.forward, *tape.backward):
            assert_same(evaluate(step.formula, tape.env), step.array)
            assert_same(evaluate(columns.formula(step.formula), turned), columns.values(step.array))
            steps += 1
    assert steps > DRAWS


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_every_formula_is_latex_that_parses_and_fits_a_terminal(name):
    for tape in tapes(name):
        for step in (*tape.forward, *tape.backward):
            for formula in (step.formula, columns.formula(step.formula)):
                written = latex(formula, tape.names)
                assert mathml(written).startswith("<math")
                assert "\\" not in plain(written)


def test_there_is_a_rule_for_every_op_that_the_specs_reach():
    reached = set()
    for name in DIFFERENTIABLE:
        for tape in tapes(name):
            reached |= {step.node.op.name for step in tape.forward}
    assert reached <= set(RULES)
    never_recorded_alone = {"sign", "detach", "cast"}
    comparisons = {"greater", "greater_equal", "less", "less_equal", "equal", "not_equal"}
    assert set(RULES) - reached == never_recorded_alone | comparisons


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_every_op_is_explained_with_gradients_that_agree_with_the_complex_step(name, layout):
    rng = np.random.default_rng(1)
    y = recorded(SPECS[name], rng)
    while y.node is None or not y.size:
        y = recorded(SPECS[name], rng)
    derivation = derive(y, layout=layout)
    assert all(len(row.rule) > 0 for row in derivation.backward[1:])
    assert derivation.digits is None or derivation.digits > 10, str(derivation)
    for row in derivation.rows:
        assert_same(derivation.evaluate(row), row.contribution)
        mathml(row.equation)
        if row.rule:
            mathml(row.rule)
    assert "<math" in derivation.html()
