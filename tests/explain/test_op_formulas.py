"""The LaTeX in the ops' own files parses, and can be read in a terminal."""

import pytest

from autograd_ae.core.program import Program
from autograd_ae.explain.mathml import mathml
from autograd_ae.explain.plain import plain
from autograd_ae.explain.table import RULES
from autograd_ae.testing.specs import SPECS


def engine_ops():
    """Every op that the table of specs records, by name."""
    import numpy as np

    from autograd_ae.core.tensor import Tensor

    found = {}
    for spec in SPECS.values():
        if not spec.differentiable:
            continue
        rng = np.random.default_rng(0)
        arrays, params = spec.draw(lambda low, high: max(low, min(high, 2)), rng)
        y = spec.call(*[Tensor(a, traced=a.dtype != bool) for a in arrays], **params)
        y = y[0] if isinstance(y, (list, tuple)) else y
        found |= {node.op.name: node.op for node in (Program([y]).nodes if y.node is not None else ())}
    return found


OPS = engine_ops()


@pytest.mark.parametrize("name", sorted(OPS))
def test_the_statement_and_the_rules_of_every_op_parse(name):
    op = OPS[name]
    rules = [rule.latex for rule in (*op.pullbacks, op.delta) if rule is not None]
    assert rules
    for written in (op.latex, *rules):
        assert mathml(written).startswith("<math")
        assert "\\" not in plain(written)


def test_most_ops_are_seen_here():
    assert len(OPS) > 60
    assert set(OPS) <= set(RULES)
