"""Ops that work element by element, with broadcasting."""

from autograd_ae.ops import arithmetic, sigmoid
from autograd_ae.testing.specs.spec import OpSpec, binary, unary

SPECS = [
    OpSpec("add", arithmetic.add, binary),
    OpSpec("multiply", arithmetic.multiply, binary),
    OpSpec("sigmoid", sigmoid.sigmoid, unary, extreme=True),
]
