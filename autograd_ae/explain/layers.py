r"""level="layer": a layer is one row, and what it hands back is collected.

Forward, what a layer computes on its way (the product, the pre-activation) and the numbers of which a loss is the sum
are put into the formula of what comes out:  H = σ(X W + b),  L = ‖X̂ − X‖²/B + λ S. Backward, a gradient that several
paths contribute to is one row with one sum, one that is only handed on is not shown, and that of a pre-activation is
called Δ⁽ᵏ⁾ whether one op computes the layer or three.
"""

from __future__ import annotations

from autograd_ae.explain.compose import VIEWS, Composer
from autograd_ae.explain.expression import Expr, size_of, substitute, symbols_of
from autograd_ae.explain.simplify import simplify
from autograd_ae.explain.tape import Key, Step, Tape

LARGEST = 24  # symbols up to which a number is put into other formulas


class Layers(Composer):
    """The steps of a tape, layer by layer."""

    def __init__(self, tape: Tape):
        self.inner = _inner_values(tape)
        super().__init__(tape)
        self.known |= {s.formula: tape.value(s.target[1]) for s in self.forward() if s.formula.args}
        self._name_deltas()

    def _views(self) -> dict[Key, Expr]:
        """What is put into other formulas: values inside of layers, views, numbers other than the result."""
        views: dict[Key, Expr] = {}
        self.transposed: set[Key] = set()
        output = ("v", self.tape.symbols.output)
        for step in self.tape.forward:
            whole = substitute(step.formula, lambda s: views.get(s.params["name"]))
            view = step.node is not None and step.node.op.name in VIEWS
            if view:
                self.transposed.add(step.target)
            number = step.array.shape in ((), (1,)) and size_of(whole) <= LARGEST
            if step.target != output and (step.target[1] in self.inner or view or number):
                views[step.target] = simplify(whole)
        return views

    def _name_deltas(self) -> None:
        """Δ⁽ᵏ⁾ for the gradients of pre-activations that are values of their own."""
        activated = [k for k, symbol in self.tape.symbols.of.items() if symbol[:2] in ("A^", "a^") and k in self.inner]
        for place in activated:
            if ("g", place) in self.steps:
                self.tape.names["g", place] = rf"\Delta{self.tape.symbols.of[place][1:]}"

    def _residual(self, step: Step) -> Expr:
        return step.formula

    def _inside(self, s: Expr) -> Expr | None:
        key = s.params["name"]
        if key[0] == "v":
            return self.views.get(key)
        return self.done[key] if key in self.done and self.handed_on(key) else None

    def handed_on(self, key: Key) -> bool:
        """Is the gradient one that is put into others: a number, or another gradient as it is?"""
        whole = self.of(key)
        delta = self.tape.names[key].startswith(r"\Delta")
        leaf = self.tape.symbols.kind(key[1]) != "result"
        small = (whole.shape in ((), (1,)) and size_of(whole) <= LARGEST) or whole.kind == "sym"
        return not leaf and not delta and (small or ("v", key[1]) in self.transposed)

    def forward(self) -> list[Step]:
        steps = [step for step in self.tape.forward if step.target not in self.views]
        return [self._merged(step, simplify(substitute(step.formula, self._inside))) for step in steps]

    def backward(self) -> list[Step]:
        last = [step for step in self.tape.backward if step.last and not self.handed_on(step.target)]
        return [self._merged(step, self.of(step.target)) for step in last]

    @staticmethod
    def _merged(step: Step, formula: Expr) -> Step:
        upstream = next((key for key in symbols_of(formula) if key[0] in "gd"), None)
        return Step(step.target, formula, step.total, step.total, step.line, None, step.k, upstream)


def _inner_values(tape: Tape) -> set[int]:
    """Values between a layer's product and its output."""
    symbols = tape.symbols
    layers = [line for line in tape.program.forward if symbols.is_layer(line)]
    return {place for line in layers for place in symbols.layer(line)[:-1]}
