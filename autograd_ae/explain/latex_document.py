r"""A LaTeX document around a derivation, and a check that needs no TeX.

`document` writes an article that compiles by itself with pdflatex: only packages that every distribution has.
`check` parses formulas with the parser that makes MathML, so a formula that passes is drawn on the HTML page too.
"""

from __future__ import annotations

import re

from autograd_ae.explain.mathml import mathml, refuse_unbalanced

_PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb}
\usepackage{booktabs,longtable,array}
\usepackage[margin=2cm%s]{geometry}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.5em}
"""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
} | {sign: "\\" + sign for sign in "#$%&_"}  # fmt: skip
_SIGNS = "λ σ ρ β α ε μ θ η δ Σ ∂ ∇ × · − ⊙ ≤ ≥ ≠ → ∞ ‖ √ ∈ ᵀ ½ ² ³ ₁ ₂"
_COMMANDS = (
    r"\lambda \sigma \rho \beta \alpha \varepsilon \mu \theta \eta \delta \Sigma \partial \nabla \times \cdot - \odot "
    r"\le \ge \ne \to \infty \Vert \surd \in ^\top \tfrac12 ^2 ^3 _1 _2"
)
_MATHEMATICAL = dict(zip(_SIGNS.split(), _COMMANDS.split(), strict=True))


def text(words: str) -> str:
    r"""Plain words as LaTeX text: special signs escaped, Greek letters and signs of mathematics as formulas.

    >>> print(text("100 % of W_1, σ² ≤ 1"))
    100 \% of W\_1, \ensuremath{\sigma}\ensuremath{^2} \ensuremath{\le} 1
    """
    return "".join(
        _SPECIAL.get(sign) or (rf"\ensuremath{{{_MATHEMATICAL[sign]}}}" if sign in _MATHEMATICAL else sign)
        for sign in words
    )


def document(body: str, title: str, *, landscape: bool = False) -> str:
    r"""A standalone article.

    Parameters
    ----------
    body : LaTeX; formulas in math mode, tables with `booktabs` and `longtable`.
    title : plain words.
    landscape : pages wider than high, for wide tables.

    Raises
    ------
    ValueError : the body's braces or environments are not balanced.

    >>> print(document(r"\[ y = x^2 \]", "Squares").splitlines()[-1])
    \end{document}
    """
    for what, given in (("body", body), ("title", title)):
        if not isinstance(given, str):
            raise TypeError(f"the document's {what} is a string, {type(given).__name__} arrived")
    try:
        refuse_unbalanced(body)
    except ValueError as error:
        raise ValueError(f"the document {title!r} would not compile: {error}") from None
    heading = rf"\section*{{{text(title)}}}"
    preamble = _PREAMBLE % (",landscape" if landscape else "")
    return f"{preamble}\\begin{{document}}\n{heading}\n{body.strip()}\n\\end{{document}}\n"


_MATH = re.compile(
    r"\\\[(?P<block>.*?)\\\]|\\\((?P<inline>.*?)\\\)|(?<!\\)\$\$(?P<dollars>.*?)\$\$|(?<!\\)\$(?P<dollar>.*?)(?<!\\)\$"
    r"|\\begin\{(?P<name>equation\*?|align\*?|gather\*?)\}(?P<environment>.*?)\\end\{(?P=name)\}",
    re.DOTALL,
)


def check(latex: str) -> None:
    r"""Raise ValueError unless the LaTeX parses: a formula, or a text whose formulas stand in math mode.

    Parameters
    ----------
    latex : one formula (`\bar{x} = 2 x`), or text or a whole document with `\[ … \]`, `\( … \)`, `$ … $`, `equation`,
        `align` or `gather`: then every formula in it is parsed, and braces and environments have to balance.

    >>> check(r"W^\top X"); check(r"where \(x > 0\) holds")
    >>> check(r"\frac{1}{2")
    Traceback (most recent call last):
      ...
    ValueError: the formula '\\frac{1}{2' does not parse as LaTeX: an opening brace without a closing one
    """
    found = list(_MATH.finditer(latex))
    if not found:
        mathml(latex)
        return
    refuse_unbalanced(latex)
    for formula in found:
        mathml(_contents(formula), display=True)


def _contents(formula: re.Match[str]) -> str:
    inner = next(
        part for part in formula.group("block", "inline", "dollars", "dollar", "environment") if part is not None
    )
    inner = re.sub(r"\\(?:nonumber|notag|label\s*\{[^{}]*\}|tag\s*\{[^{}]*\})", "", inner)
    if (formula["name"] or "").startswith(("align", "gather")):
        return rf"\begin{{aligned}}{inner}\end{{aligned}}"
    return inner
