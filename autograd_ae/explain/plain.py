r"""LaTeX formulas as one line of Unicode for a terminal: `\bar{W}_1 = X^\top \Delta` is W̄₁ = XᵀΔ.

Made for the LaTeX that derivations consist of (`typeset.py`, names of symbols, the formulas in the ops' files).
Sub- and superscripts are set small where Unicode has all of their letters, otherwise they are written `_(…)`, `^(…)`.
"""

from __future__ import annotations

import re
import unicodedata

SIGNS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "Delta": "Δ", "varepsilon": "ε", "epsilon": "ε",
    "eta": "η", "theta": "θ", "Theta": "Θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "Lambda": "Λ", "mu": "μ",
    "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "Sigma": "Σ", "tau": "τ", "phi": "φ",
    "varphi": "φ", "Phi": "Φ", "chi": "χ", "psi": "ψ", "Psi": "Ψ", "omega": "ω", "Omega": "Ω", "zeta": "ζ",
    "Gamma": "Γ", "ell": "ℓ", "partial": "∂", "nabla": "∇", "sum": "Σ", "prod": "Π", "int": "∫", "infty": "∞",
    "odot": " ⊙ ", "cdot": "·", "times": "×", "le": " ≤ ", "ge": " ≥ ", "ne": " ≠ ", "lnot": "¬", "to": "→",
    "dots": "…", "lvert": "|", "rvert": "|", "lVert": "‖", "rVert": "‖", "quad": "   ", "leftarrow": " ← ",
    "in": " ∈ ", "colon": ":", "top": "ᵀ", "circ": "∘", "hat": "", "mid": " | ", "sim": " ~ ", "equiv": " ≡ ",
    "approx": " ≈ ", "pm": "±", "forall": "∀",
}  # fmt: skip
FUNCTIONS = ("ln", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min", "exp", "log")
SILENT = ("textstyle", "displaystyle", "left", "right", "big", "bigl", "bigr")
LETTERS = ("operatorname", "mathrm", "text", "mathbf", "mathcal", "textbf", "mathit", "boldsymbol")
ACCENTS = {"bar": "\u0304", "hat": "\u0302", "tilde": "\u0303", "dot": "\u0307"}
SUPERSCRIPTS = dict(
    zip("0123456789+-=()ᵀnijklmxyzabcdeghoprstuvw", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵀⁿⁱʲᵏˡᵐˣʸᶻᵃᵇᶜᵈᵉᵍʰᵒᵖʳˢᵗᵘᵛʷ", strict=True)
)
SUBSCRIPTS = dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}^_]|\s+|.", re.DOTALL)


def plain(latex: str) -> str:
    r"""One line of Unicode.

    >>> plain(r"\bar{W}_1 = \frac{2}{B} \, X^\top R")
    'W̄₁ = (2/B) XᵀR'
    """
    text = "".join(_Reader(TOKEN.findall(latex)).until(None))
    text = re.sub(r"\s+", " ", re.sub(r"\(\s+", "(", re.sub(r"\s+([),])", r"\1", text))).strip()
    return " = ".join(side[1:-1] if _bracketed(side) and "," not in side else side for side in text.split(" = "))


def right_side(latex: str) -> str:
    r"""The right-hand side of `y = …` in one line.

    >>> right_side(r"Y = \sigma(X W + b)")
    'σ(XW + b)'
    """
    return plain(latex).partition(" = ")[2] or plain(latex)


class _Reader:
    def __init__(self, tokens: list[str]):
        self.tokens, self.at = tokens, 0

    def until(self, end: str | None) -> list[str]:
        parts: list[str] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token == end:
                break
            self.at += 1
            parts.append(self.read(token, parts))
        return parts

    def argument(self) -> str:
        """The next group or token, read."""
        while self.at < len(self.tokens) and self.tokens[self.at].isspace():
            self.at += 1
        if self.at == len(self.tokens):
            return ""
        token = self.tokens[self.at]
        self.at += 1
        if token != "{":
            return self.read(token, []).strip()
        inside = "".join(self.until("}"))
        self.at += 1
        return inside

    def raw(self) -> str:
        """The next group as it stands, its spaces too."""
        start = self.at + 1
        end = self.tokens.index("}", start)
        self.at = end + 1
        return "".join(self.tokens[start:end]).replace("\\", "")

    def read(self, token: str, before: list[str]) -> str:
        if token == "{":
            inside = "".join(self.until("}"))
            self.at += 1
            return inside
        if token in "^_":
            return self.script(token, self.argument().strip())
        if token.isspace():
            return self.space(before)
        return self.command(token[1:]) if token.startswith("\\") else f" {token} " if token in "=<>" else token

    def space(self, before: list[str]) -> str:
        """Spaces count where they part words or surround a sign; between symbols of a product they do not."""
        last = before[-1] if before else ""
        following = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if following in ("\\rvert", "\\rVert"):
            return ""
        if following in "+-=" or last[-1:] in "+-=,":
            return " "
        if len(before) > 1 and before[-2] == "∇":
            return " "
        words = len(last) > 1 and last[-1:].isalpha() and last.isalpha()
        return " " if words or following.startswith(("\\ln", "\\sign", "\\operatorname")) else ""

    def script(self, sign: str, inside: str) -> str:
        table = SUPERSCRIPTS if sign == "^" else SUBSCRIPTS
        bare = inside.replace(" ", "")
        if re.search("[A-Za-z]{2,} [A-Za-z]{2,}", inside):
            return f"{sign}({inside})"
        if bare and all(c in table for c in bare):
            return "".join(table[c] for c in bare)
        return f"{sign}{bare}" if len(bare) == 1 or bare.isalnum() else f"{sign}({inside})"

    def command(self, name: str) -> str:
        if name in ACCENTS:
            inside = self.argument()
            return inside[:1] + self.combining(inside[1:], ACCENTS[name]) if inside else ""
        if name in ("frac", "tfrac", "dfrac"):
            top, bottom = self.argument(), self.argument()
            return f"({_above(top)}/{_grouped(bottom)})"
        if name == "sqrt":
            inside = self.argument()
            return f"√{inside}" if len(inside) == 1 else f"√({inside})"
        if name == "text":
            return self.raw()
        if name in LETTERS:
            words = self.argument()
            return words if name in ("mathbf", "mathrm", "mathcal", "text") else words + self.gap()
        if name in FUNCTIONS:
            return name + self.gap()
        if name in SILENT:
            return ""
        if not name or not name.isalpha():
            return {",": " ", ";": " ", "!": "", " ": " ", "{": "{", "}": "}", "_": "_", "#": "#"}.get(name, name)
        return SIGNS.get(name, name)

    def gap(self) -> str:
        """A space after a function's name, unless a bracket or a script follows."""
        following = self.tokens[self.at] if self.at < len(self.tokens) else ""
        return "" if following in ("(", "_", "^", "") else " "

    @staticmethod
    def combining(rest: str, accent: str) -> str:
        """The accent after what already stands on the letter."""
        k = 0
        while k < len(rest) and unicodedata.combining(rest[k]):
            k += 1
        return rest[:k] + accent + rest[k:]


def _grouped(text: str) -> str:
    """In brackets where something could be read apart below a stroke."""
    return f"({text})" if len(text) > 2 and any(c in text for c in "+-/⊙ ") and not _bracketed(text) else text


def _above(text: str) -> str:
    """In brackets where something could be read apart above a stroke; a product cannot."""
    return f"({text})" if any(c in text.lstrip("-") for c in "+-⊙") and not _bracketed(text) else text


def _bracketed(text: str) -> bool:
    """Is it all inside one pair of brackets?"""
    depth = 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and k < len(text) - 1:
            return False
    return text[:1] == "(" and depth == 0


def width(text: str) -> int:
    """Columns of a terminal that a text takes: accents that sit on a letter take none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
