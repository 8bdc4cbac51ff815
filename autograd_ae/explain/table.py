"""`RULES`: the formulas of every op, by the op's name."""

from autograd_ae.explain.rules import ELEMENTWISE, PRODUCTS, Rule
from autograd_ae.explain.rules_losses import LOSSES
from autograd_ae.explain.rules_structural import REDUCTIONS, SHAPING

RULES: dict[str, Rule] = {**ELEMENTWISE, **PRODUCTS, **REDUCTIONS, **SHAPING, **LOSSES}
