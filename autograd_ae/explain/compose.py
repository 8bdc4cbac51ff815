"""Gradients in closed form: the rules of all steps put into each other, and simplified.

Backpropagation is a list of small steps; by hand one writes one formula. Here the formula is made from the steps: in

    Z̄ = X̂̄ W₂ᵀ,   X̂̄ = (2/B)(X̂ − X) L̄,   L̄ = 1          follows  ∇_Z L = (2/B) R W₂ᵀ  with R = X̂ − X,

each gradient is replaced by what it is, until only values are left. A formula goes on being put into the next one
while it is a product (numbers, matrices, transposes); where it holds a product entry by entry or a sum it gets a name,
Δ⁽ᵏ⁾ at a layer's activation, Z̄ for ∇_Z L else, and is listed beside the others. Contributions of several paths are
added: this is how ∇_Z L = (from the decoder) + λ ∇_Z S arises, and ∇_M L, ∇_V L of a variational autoencoder.

Nothing here knows a model. Each closed form is evaluated and compared with what the program computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.explain.check import digits_of
from autograd_ae.explain.evaluation import evaluate, magnitude
from autograd_ae.explain.expression import Expr, add, let, lets_of, size_of, substitute, sym, symbols_of
from autograd_ae.explain.rows import Layout
from autograd_ae.explain.simplify import factors, recall, simplify
from autograd_ae.explain.tape import Key, Step, Tape

Array = np.ndarray
RESIDUALS = ("mse", "squared_error", "bce_with_logits", "cross_entropy")  # their gradient is a multiple of R
VIEWS = ("transpose", "reshape", "cast")  # a value that is another one, looked at differently
PRODUCTS = ("sym", "num", "let", "tr", "mat", "outer", "row", "column", "vector", "sum", "spread", "mul", "div")
SHORT = 4  # symbols up to which a nameless number is put into formulas
LONGEST = 9  # symbols up to which a formula is put into the next one


@dataclass(frozen=True)
class ClosedForm:
    r"""A gradient as one formula.

    symbol : LaTeX, `\nabla_{W_1} L`.    formula : LaTeX.    expr : the expression that it was written from.
    value : what the formula gives.    program : what the engine's backward pass gave; None for a name such as R.
    digits : to which the two agree.    target : key of the value whose gradient it is.
    """

    symbol: str
    formula: str
    expr: Expr
    value: Array
    program: Array | None
    digits: float | None
    target: Key | None

    @property
    def equation(self) -> str:
        return f"{self.symbol} = {self.formula}"


class Composer:
    """Closed forms of all gradients of a tape. What has a name of its own is the symbol ("n", key) in them."""

    def __init__(self, tape: Tape):
        self.tape = tape
        self.steps: dict[Key, list[Step]] = {}
        for step in tape.backward:
            self.steps.setdefault(step.target, []).append(step)
        self.order = [step.target for step in tape.backward if step.last]
        self.done: dict[Key, Expr] = {}
        self.output = tape.names["v", tape.symbols.output]
        self.views: dict[Key, Expr] = self._views()
        self.known = {
            step.formula: tape.value(step.target[1])
            for step in tape.forward
            if step.formula.args and step.target not in self.views
        }
        taken = set(tape.symbols.of.values())
        self.residual = next(r for r in ("R", r"\tilde{R}", r"\check{R}") if r not in taken)

    def _views(self) -> dict[Key, Expr]:
        """Values that are only another value transposed or reshaped, and nameless numbers, as formulas."""
        views: dict[Key, Expr] = {}
        for step in self.tape.forward:
            nameless = step.array.ndim == 0 and self.tape.names[step.target].startswith(r"\ell_{")
            if step.node is not None and (step.node.op.name in VIEWS or nameless):
                whole = simplify(substitute(step.formula, lambda s: views.get(s.params["name"])))
                if not nameless or size_of(whole) <= SHORT:
                    views[step.target] = whole
        return views

    def of(self, key: Key) -> Expr:
        """The gradient as one formula of values and of what has a name."""
        for earlier in self.order if key not in self.done else ():  # in this order each needs only what is done
            if earlier not in self.done:
                self.done[earlier] = self._composed(earlier)
            if earlier == key:
                break
        return self.done[key]

    def _composed(self, key: Key) -> Expr:
        terms = [simplify(substitute(self._residual(step), self._inside)) for step in self.steps[key]]
        terms.sort(key=_from_here)  # what came back through the network, and then the penalty
        return simplify(recall(add(*terms) if len(terms) > 1 else terms[0], self.known))

    def _residual(self, step: Step) -> Expr:
        """The formula of a step; in that of a loss, the difference of prediction and target is called R."""
        if step.node is None or step.node.op.name not in RESIDUALS:
            return step.formula
        differences = [a for a in _walk(step.formula) if a.kind == "add" and a.ndim > 0]
        if not differences:
            return step.formula
        first = differences[0]
        return _replaced(step.formula, first, let(first, self.residual))

    def _inside(self, s: Expr) -> Expr | None:
        """What stands for a symbol inside another formula."""
        key = s.params["name"]
        if key[0] == "v" or key not in self.done:
            return self.views.get(key)
        whole = self.done[key]
        return whole if compact(whole) else sym(("n", key), whole.shape)

    def name(self, key: Key) -> str:
        return rf"\nabla_{{{self.tape.names['v', key[1]]}}} {self.output}"

    def needed(self, wanted: list[Key]) -> list[Key]:
        """The gradients that are wanted and those that they name, in the order of the backward pass."""
        found, open_ = set(wanted), list(wanted)
        while open_:
            named = [key[1] for key in symbols_of(self.of(open_.pop())) if key[0] == "n"]
            open_ += [key for key in named if key not in found]
            found.update(named)
        return [key for key in self.order if key in found]


def closed_forms(tape: Tape, layout: Layout) -> list[ClosedForm]:
    """The closed form of the gradient of every code, mean and variance, then of every leaf, and of what they name."""
    composer = Composer(tape)
    wanted = [("g", place) for place in _interesting(tape) if ("g", place) in composer.steps]
    env: dict[Any, Array] = {key: layout.array(a) for key, a in tape.env.items()}
    forms: dict[object, ClosedForm] = {}
    for key in composer.needed(wanted):
        whole = composer.of(key)
        for e in lets_of(whole):
            symbol = e.params["latex"]
            forms.setdefault(symbol, _form(symbol, e.args[0], None, None, tape, layout, env))
        symbol = composer.name(key) if key in wanted else tape.names[key]
        forms[key] = _form(symbol, whole, composer.steps[key][-1].total, key, tape, layout, env)
        env["n", key] = forms[key].value
    named = [form for key, form in forms.items() if key not in wanted]
    return [*named, *(forms[key] for key in wanted)]


def _form(
    symbol: str, e: Expr, program: Array | None, key: Key | None, tape: Tape, layout: Layout, env: dict[Any, Array]
) -> ClosedForm:
    turned = layout.formula(e)
    value = evaluate(turned, env)
    digits = None
    if program is not None:
        program = layout.array(program)
        scale = max(float(np.abs(program).max(initial=0.0)), 1e-4 * magnitude(turned, env))
        digits = digits_of(float(np.abs(value - program).max(initial=0.0)), scale)
    return ClosedForm(symbol, layout.latex(e, tape.names), turned, value, program, digits, key)


def _interesting(tape: Tape) -> list[int]:
    """Codes, arguments of a divergence or a sampling, then the leaves in order of use."""
    symbols, places = tape.symbols, []
    for step in tape.forward:
        if step.node is not None and step.node.op.name.startswith(("gaussian_kl", "reparameterise")):
            places += [p for p in tape.program.forward[step.line].args if symbols.kind(p) == "result"]
    if symbols.code is not None and not places:
        places.append(symbols.code)
    leaves = [p for p in range(len(tape.program.values)) if symbols.kind(p) in ("parameter", "input")]
    return list(dict.fromkeys([*places, *leaves]))


def _from_here(term: Expr) -> bool:
    """Is it of values alone, made by a penalty on them?"""
    handed = any(key[0] != "v" for key in symbols_of(term))
    return not handed and all(e.params["latex"] == r"\hat{\rho}" for e in lets_of(term))


def compact(e: Expr) -> bool:
    """Is it a product that can be put into another formula without brackets?"""
    _, core = factors(e)
    return size_of(e) <= LONGEST and (core is None or all(_linear(part) for part in _walk(core)))


def _linear(e: Expr) -> bool:
    return e.kind in PRODUCTS and not (e.kind == "mul" and sum(a.ndim > 0 for a in e.args) > 1) and not (
        e.kind == "div" and e.args[1].ndim > 0
    )  # fmt: skip


def _walk(e: Expr) -> list[Expr]:
    """The node and all below it, but not inside of what has a name."""
    return [e] if e.kind == "let" else [e, *(part for a in e.args for part in _walk(a))]


def _replaced(e: Expr, old: Expr, new: Expr) -> Expr:
    if e == old:
        return new
    if not e.args:
        return e
    args: Any = tuple(_replaced(a, old, new) for a in e.args)
    return Expr(e.kind, args, e.shape, **e.params)
