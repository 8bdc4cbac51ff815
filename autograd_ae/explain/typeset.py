r"""Formulas written as LaTeX: `latex(expr, names)`.

Typography follows what a lecturer writes on the board: numbers and 0-d symbols are coefficients in front
(`\frac{2}{B} X^\top R`), matrix products stand side by side, products entry by entry take ⊙, sums over the rows of a
matrix are 1ᵀX and over its columns X1, what a reduction took away comes back as 1 gᵀ. Brackets stand only where they
are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from autograd_ae.explain.expression import Expr

ADD, MUL, MAT, POW, ATOM = range(5)
Written = tuple[str, int]  # LaTeX, and how tightly it holds together
ONES = r"\mathbf{1}"
THIN = r" \, "
NAMED = {
    "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "sinh": r"\sinh", "cosh": r"\cosh", "tanh": r"\tanh",
    "sign": r"\operatorname{sign}", "sigma": r"\sigma", "softplus": r"\operatorname{softplus}",
    "erf": r"\operatorname{erf}", "erfc": r"\operatorname{erfc}", "Phi": r"\Phi", "phi": r"\varphi",
    "arctan2": r"\operatorname{arctan2}", "max": r"\max", "min": r"\min",
}  # fmt: skip
OPERATORS = {
    "mean": "mean", "logsumexp": "lse", "softmax": "softmax", "log_softmax": "log softmax", "cumsum": "cumsum",
    "rcumsum": "cumsum from the end", "flip": "flip", "reshape": "reshape", "detach": "detach", "pad": "pad",
    "unpad": "unpad", "concatenate": "concatenate", "stack": "stack", "put": "scatter", "diagonal_put": "diag",
}  # fmt: skip


def latex(e: Expr, names: Mapping[Any, str]) -> str:
    """The formula, with `names` for the keys of its symbols."""
    return _Writer(names).write(e)[0]


def number(value: float) -> str:
    r"""A number as it is written: `\tfrac{1}{2}`, `0.05`, `3 \cdot 10^{-7}`."""
    fraction = Fraction(value).limit_denominator(12)
    if float(fraction) == value and fraction.denominator > 1 and abs(fraction.numerator) <= 12:
        sign = "-" if fraction < 0 else ""
        return rf"{sign}\tfrac{{{abs(fraction.numerator)}}}{{{fraction.denominator}}}"
    shown = f"{value:.6g}"
    if "e" not in shown:
        return shown.replace("inf", r"\infty").replace("nan", r"\mathrm{NaN}")
    digits, exponent = shown.split("e")
    power = f"10^{{{int(exponent)}}}"
    return power if digits == "1" else rf"{digits} \cdot {power}"


def bare(e: Expr) -> bool:
    """A number without a name."""
    return e.kind == "num" and e.params["latex"] is None


def negative(e: Expr) -> bool:
    """Is it written with a minus in front?"""
    if e.kind == "mul" or (e.kind == "div" and e.args[1].ndim == 0):
        return negative(e.args[0])
    return bare(e) and e.params["value"] < 0


def short(e: Expr) -> bool:
    """Is it a product of numbers that can stand below a coefficient's stroke?"""
    return e.ndim == 0 and (e.kind in ("sym", "num") or (e.kind == "mul" and all(short(a) for a in e.args)))


def viewed(e: Expr) -> Expr:
    """What is summed over axes of size 1 is that itself."""
    while e.kind == "sum" and all(e.args[0].shape[k] == 1 for k in e.params["axis"]):
        e = e.args[0]
    return e


def one_of_ones(e: Expr) -> bool:
    """Is it a single number, copied to every entry?"""
    return e.kind == "spread" and e.args[0].ndim == 0


class _Writer:
    def __init__(self, names: Mapping[Any, str]):
        self.names = names

    def write(self, e: Expr) -> Written:
        special: Callable[[Expr], Written] | None = getattr(self, f"_{e.kind}", None)
        return special(e) if special is not None else self._operator(e)

    def at(self, e: Expr, least: int) -> str:
        """e in brackets unless it holds together at least so tightly."""
        text, tightness = self.write(e)
        return text if tightness >= least else rf"({text})"

    def base(self, e: Expr) -> str:
        """e as what a superscript or subscript hangs on."""
        text = self.at(e, ATOM)
        return f"{{{text}}}" if "^" in text or "_" in text else text

    def _sym(self, e: Expr) -> Written:
        return self.names[e.params["name"]], ATOM

    def _let(self, e: Expr) -> Written:
        return e.params["latex"], ATOM

    def _num(self, e: Expr) -> Written:
        if e.params["latex"] is not None:
            return e.params["latex"], ATOM
        return number(e.params["value"]), ADD if e.params["value"] < 0 else ATOM

    def _add(self, e: Expr) -> Written:
        text = self.at(e.args[0], MUL if not negative(e.args[0]) else ADD)
        for term in e.args[1:]:
            shown = self.at(term, MUL if not negative(term) else ADD)
            text += f" - {shown[1:].lstrip()}" if negative(term) and shown.startswith("-") else f" + {shown}"
        return text, ADD

    def parts(self, e: Expr) -> tuple[Fraction, float, list[Expr], list[Expr], list[Expr]]:
        """A product as (exact number, other number, 0-d factors above, 0-d factors below the line, arrays)."""
        if e.kind == "mul":
            exact, inexact = Fraction(1), 1.0
            above: list[Expr] = []
            below: list[Expr] = []
            arrays: list[Expr] = []
            for factor in e.args:
                x, r, a, b, more = self.parts(factor)
                exact, inexact = exact * x, inexact * r
                above, below, arrays = above + a, below + b, arrays + more
            return exact, inexact, above, below, arrays
        if e.kind in ("div", "safe_div") and short(e.args[1]):
            x, r, above, below, arrays = self.parts(e.args[0])
            x2, r2, above2, below2, _ = self.parts(e.args[1])
            return x / x2 if x2 else x, r / r2, above + below2, below + above2, arrays
        if e.ndim == 0 and e.kind == "div" and e.args[0] == Expr("num", (), (), value=1.0, latex=None):
            return Fraction(1), 1.0, [], [e.args[1]], []
        if bare(e):
            value = Fraction(e.params["value"]).limit_denominator(1000)
            return (value, 1.0, [], [], []) if float(value) == e.params["value"] else (
                Fraction(1), e.params["value"], [], [], [])  # fmt: skip
        if e.ndim == 0 or (e.kind == "sym" and e.shape == (1,)):
            return Fraction(1), 1.0, [e], [], []
        if one_of_ones(e):
            x, r, above, below, _ = self.parts(e.args[0])
            return x, r, above, below, [e]
        return Fraction(1), 1.0, [], [], [e]

    def _mul(self, e: Expr) -> Written:
        exact, inexact, above, below, arrays = self.parts(e)
        real = [a for a in arrays if not one_of_ones(a)]
        covered = bool(real) and any(a.shape == e.shape for a in real)
        simple = [a for a in above if viewed(a).kind in ("sym", "num", "let")]
        large = [a for a in above if viewed(a).kind not in ("sym", "num", "let")]
        sign = "-" if exact * Fraction(inexact) < 0 else ""
        exact, inexact = abs(exact), abs(inexact)
        top = ([number(inexact)] if inexact != 1 else []) + [self.at(a, POW) for a in simple]
        bottom = [self.at(b, POW if len(below) > 1 or top else ADD) for b in below]
        if bottom or len(top) > 1:
            top = ([str(exact.numerator)] if exact.numerator != 1 else []) + top
            bottom = ([str(exact.denominator)] if exact.denominator != 1 else []) + bottom
        elif exact != 1:
            top = [number(float(exact)), *top]
        alone = len(real) == 1 and real[0].kind in ("sym", "let", "add") and len(arrays) == 1 and not large
        if bottom and not top and alone:
            return rf"{sign}\frac{{{self.at(real[0], ADD)}}}{{{THIN.join(bottom)}}}", ADD if sign else POW
        front = THIN.join(top)
        if bottom:
            front = rf"\frac{{{front or '1'}}}{{{THIN.join(bottom)}}}"
        behind = [self.at(a, MUL if len(above) + len(top) == 0 else MAT) for a in large]
        if real:
            least = MAT if len(real) > 1 or front or behind else MUL
            behind.append(r" \odot ".join(self.at(a, least) for a in real))
        if not covered and arrays and not (real and not [a for a in arrays if one_of_ones(a)]):
            behind.append(ONES)
        text = THIN.join(part for part in [front, *behind] if part) or "1"
        return sign + text, ADD if sign else MUL if len(real) > 1 else MAT

    def _div(self, e: Expr) -> Written:
        a, b = e.args
        if short(b) and not (a.kind in ("sym", "let", "num", "add") and (a.ndim == 0) == (a.kind in ("sym", "num"))):
            return self._mul(Expr("mul", (e,), e.shape))
        if negative(a):
            text = self.at(a, ADD)
            return rf"-\frac{{{text[1:].lstrip()}}}{{{self.at(b, ADD)}}}", ADD
        return rf"\frac{{{self.at(a, ADD)}}}{{{self.at(b, ADD)}}}", POW

    _safe_div = _div

    def _pow(self, e: Expr) -> Written:
        return f"{self.base(e.args[0])}^{{{self.at(e.args[1], ADD)}}}", POW

    def _tr(self, e: Expr) -> Written:
        return rf"{self.base(e.args[0])}^\top", POW

    def _row(self, e: Expr) -> Written:
        return rf"{self.base(e.args[0])}^\top", POW

    def _column(self, e: Expr) -> Written:
        return self.write(e.args[0])

    _vector = _column

    def _mat(self, e: Expr) -> Written:
        a, b = e.args
        left = rf"{self.base(a)}^\top" if a.ndim == 1 else self.at(a, MAT)
        return f"{left} {self.at(b, MAT)}", MAT

    def _outer(self, e: Expr) -> Written:
        return rf"{self.at(e.args[0], MAT)} {self.base(e.args[1])}^\top", MAT

    def _fn(self, e: Expr) -> Written:
        name, args = e.params["name"], e.args
        if name == "exp":
            return f"e^{{{self.at(args[0], ADD)}}}", POW
        if name == "sqrt":
            return rf"\sqrt{{{self.at(args[0], ADD)}}}", ATOM
        if name == "abs":
            return rf"\lvert {self.at(args[0], ADD)} \rvert", ATOM
        if name == "not":
            return rf"\lnot {self.at(args[0], POW)}", POW
        if name == "ln":
            return rf"\ln {self.at(args[0], POW)}", MAT
        return rf"{NAMED[name]}({', '.join(self.at(a, ADD) for a in args)})", ATOM

    def _relation(self, e: Expr) -> Written:
        return f"[{self.at(e.args[0], ADD)} {e.params['sign']} {self.at(e.args[1], ADD)}]", ATOM

    def _cases(self, e: Expr) -> Written:
        a, condition, b = e.args
        shown = rf"{self.at(a, MUL)} \text{{ where }} {self.at(condition, ADD)}, \text{{ else }} {self.at(b, MUL)}"
        return shown, ADD

    def _sum(self, e: Expr) -> Written:
        (x,), axis = e.args, e.params["axis"]
        if all(x.shape[k] == 1 for k in axis):
            return self.write(x)
        if len(axis) == x.ndim:
            return rf"\sum {self.at(x, MAT)}", MUL
        if x.ndim == 2:
            inner = self.at(x, MAT)
            return rf"{ONES}^\top {inner}" if axis == (0,) else rf"{inner} {ONES}", MAT
        return rf"\sum_{{{_axes(axis)}}} {self.at(x, MAT)}", MUL

    def _spread(self, e: Expr) -> Written:
        (g,), axis, keepdims = e.args, e.params["axis"], e.params["keepdims"]
        if g.ndim == 0 or len(axis) == e.ndim:
            return rf"{self.at(g, MAT)} \, {ONES}", MAT
        if e.ndim == 2 and axis == (0,):
            inner = self.at(g, MAT) if keepdims else rf"{self.base(g)}^\top"
            return rf"{ONES} {inner}", MAT
        if e.ndim == 2 and axis == (1,):
            return rf"{self.at(g, MAT)} {ONES}^\top", MAT
        return rf"\operatorname{{spread}}_{{{_axes(axis)}}}({self.at(g, ADD)})", ATOM

    def _prod(self, e: Expr) -> Written:
        return rf"\prod_{{{self._over(e)}}} {self.at(e.args[0], MAT)}", MUL

    def _others(self, e: Expr) -> Written:
        return rf"\prod_{{j \ne i}} {self.base(e.args[0])}_j", MUL

    def _extreme(self, e: Expr) -> Written:
        return rf"\{e.kind}_{{{self._over(e)}}} {self.at(e.args[0], MAT)}", MUL

    _max = _min = _extreme

    def _sqnorm(self, e: Expr) -> Written:
        return rf"\lVert {self.at(e.args[0], ADD)} \rVert^2", POW

    def _norm1(self, e: Expr) -> Written:
        return rf"\lVert {self.at(e.args[0], ADD)} \rVert_1", POW

    def _getitem(self, e: Expr) -> Written:
        return f"{self.base(e.args[0])}_{{{e.params['written']}}}", POW

    def _transpose(self, e: Expr) -> Written:
        return rf"\operatorname{{transpose}}_{{{_axes(e.params['axes'])}}}({self.at(e.args[0], ADD)})", ATOM

    def _einsum(self, e: Expr) -> Written:
        left, right = e.params["subscripts"].split("->")
        shown = ", ".join(self.at(a, ADD) for a in e.args)
        subscript = rf"{left.replace(',', ', ')} \to {right or '()'}"
        return rf"\operatorname{{einsum}}_{{{subscript}}}({shown})", ATOM

    def _over(self, e: Expr) -> str:
        axis = e.params["axis"]
        return "i" if len(axis) == e.args[0].ndim else rf"\text{{axis }} {_axes(axis)}"

    def _operator(self, e: Expr) -> Written:
        axis, x = e.params.get("axis"), e.args[0]
        axis = () if axis is None else (axis,) if isinstance(axis, int) else axis
        plain = not axis or len(axis) == x.ndim or (e.kind.endswith("softmax") and axis == (x.ndim - 1,))
        subscript = "" if plain else rf"_{{\text{{axis }} {_axes(axis)}}}"
        shown = ", ".join(self.at(a, ADD) for a in e.args)
        return rf"\operatorname{{{OPERATORS[e.kind]}}}{subscript}({shown})", ATOM


def _axes(axis: tuple[int, ...]) -> str:
    return ", ".join(str(k) for k in axis)
