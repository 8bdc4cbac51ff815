"""Why some planted faults change nothing: what follows from a rule's formula, by op and rule.

What follows from signatures and shapes alone (a rule that does not read y cannot read a stale one) is found by the
proofs in `fault_catalogue.py`. A proof excuses a mutant only if its numbers are right in every case tried as well.
"""

from __future__ import annotations

ONE = "the derivative is 1: the rule hands g on, so leaving the derivative out is the rule itself"
SPREAD = "each entry is copied with factor 1: g spread over the input is the rule itself"
SQUARE = "the derivative is 0 or 1, which is its own square"
MASK = "values enter through comparisons only: the slope is piecewise constant, its own derivative is 0"
WHOLE = "g has the input's shape only where nothing was cut, added or repeated: there the rule is the identity"
SINGLE = "y has x's shape only where each maximum is over one entry: there y = x"
NO_SPREAD = "y has x's shape only where each deviation is of one entry: it is 0, and so is the rule's result"
EVEN = "the derivative is an even function"

_TABLE: dict[tuple[str, str], str] = {
    ("derivative left out", ONE): "add.da add.db reshape.dx reparameterise.dmean",
    ("derivative left out", WHOLE): """pad.dx concatenate.dx stack.dx broadcast_to.dx dense.db dense_sigmoid.db
        dense_tanh.db dense_relu.db""",  # one rule, named after the op that was judged first
    ("derivative left out", SPREAD): "sum.dx",
    ("input for output", SINGLE): "max.dx",
    ("input for output", NO_SPREAD): "std.dx",
    ("derivative twice", SQUARE): """add.da add.db sum.dx reshape.dx maximum.da maximum.db minimum.da minimum.db clip.dx
        where.da where.db relu.dx max.dx transpose.dx flip.dx pad.dx concatenate.dx stack.dx getitem.dx dense_relu.delta
        reparameterise.dmean""",
    ("imaginary parts of values dropped", MASK): """abs.dx maximum.da maximum.db minimum.da minimum.db clip.dx relu.dx
        leaky_relu.dx dense_relu.delta max.dx norm_1.dx norm_inf.dx l1.dz""",
    ("inputs negated", EVEN): "sin.dx sinh.dx tanh.dx erf.dx erfc.dx sigmoid.dx",
}

PROOFS = {(rule, fault): why for (fault, why), rules in _TABLE.items() for rule in rules.split()}
