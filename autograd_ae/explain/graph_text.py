"""Words in a drawing: how wide they may become, formulas in one line of Unicode, arrays in a few numbers.

A drawing does not know which font will draw it. Widths are those of DejaVu Sans Bold, rounded up, which is wider than
Helvetica, Arial, Liberation Sans, Segoe UI, Roboto and DejaVu Sans itself: what fits by this table fits in all of them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from xml.etree import ElementTree

import numpy as np

from autograd_ae.explain.mathml import mathml

# Hundredths of an em, from space (32) to ~ (126).
_ASCII = (
    "35 46 53 84 70 101 88 31 46 46 53 84 38 42 38 37 70 70 70 70 70 70 70 70 70 70 40 40 84 84 84 59 "
    "100 78 77 74 84 69 69 83 84 38 38 78 64 100 84 86 74 86 78 73 69 82 78 111 78 73 73 46 37 46 84 50 "
    "50 68 72 60 72 68 44 72 72 35 35 67 35 105 72 69 72 72 50 60 48 72 66 93 65 66 59 72 37 72 84 "
)
_WIDTHS = {chr(32 + k): int(width) / 100 for k, width in enumerate(_ASCII.split())}
_OTHER, _WIDE = 1.0, 1.4  # of an em: other letters and signs; full-width letters and pictures


def text_width(words: str, size: float) -> float:
    """An upper bound of the width of a line of text, in the unit of the font size.

    >>> text_width("W", 10.0)
    11.1
    """
    return round(size * sum(map(_character_width, words)), 6)


def _character_width(sign: str) -> float:
    if sign in _WIDTHS:
        return _WIDTHS[sign]
    if unicodedata.combining(sign) or unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return 0.0
    return _WIDE if unicodedata.east_asian_width(sign) in "WF" or ord(sign) > 0xFFFF else _OTHER


def printable(words: str) -> str:
    """Without what XML cannot hold and a line cannot show: control characters and lone surrogates become spaces."""
    return "".join(" " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp", "Cn") else sign for sign in words)


def numbered(name: str) -> str:
    """A number at the end of a name as an index.

    >>> numbered("W_12"), numbered("W_mean")
    ('W₁₂', 'W_mean')
    """
    base, underscore, number = name.rpartition("_")
    return base + number.translate(_SUB) if underscore and base and number.isdecimal() and number.isascii() else name


def shortened(words: str, limit: float, size: float) -> str:
    """Words that fit into `limit`, with an ellipsis in place of what had to go."""
    if text_width(words, size) <= limit:
        return words
    kept = ""
    for sign in words:
        if text_width(kept + sign + "…", size) > limit:
            break
        kept += sign
    return kept + "…"


# Formulas in a line.

_SUPER = str.maketrans("0123456789+-−=()nijkxT⊤", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱʲᵏˣᵀᵀ")
_SUB = str.maketrans("0123456789+-−=()aeijkmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑᵢⱼₖₘₙₒₚᵣₛₜᵤᵥₓ")
_ACCENTS = {"^": "\u0302", "¯": "\u0304", "~": "\u0303", "˙": "\u0307"}
_SPACED = set("=+−⊙≤≥<>≠∈→")


@lru_cache(maxsize=1024)
def one_line(latex: str) -> str:
    r"""A formula as one line of Unicode text; what has no sign of its own is written with ^, _ and brackets.

    >>> print(one_line(r"Y = \sigma(X W_1 + b)"), one_line(r"\tfrac12 \lVert \hat{x} \rVert^2"))
    Y = σ(X W₁ + b) ½‖x̂‖²
    """
    line = _line(ElementTree.fromstring(re.sub(' xmlns="[^"]*"', "", mathml(latex), count=1)))
    return unicodedata.normalize("NFC", re.sub(r"\s+", " ", line).strip())


def right_side(latex: str) -> str:
    """The right-hand side of `y = …` in one line."""
    line = one_line(latex)
    return re.sub("^− ", "−", line.split(" = ", 1)[1] if " = " in line else line)


def _line(element: ElementTree.Element) -> str:
    parts = [_line(child) for child in element]
    if element.tag == "mfrac":
        return "½" if parts == ["1", "2"] else f"{_bracketed(parts[0])}/{_bracketed(parts[1])}"
    if element.tag == "msqrt":
        return f"√{_bracketed(''.join(parts))}"
    if element.tag in ("msup", "msub", "msubsup", "munder", "munderover", "mover"):
        return _indexed(element.tag, parts)
    if element.tag == "mspace":
        return " "
    if parts:
        return _joined(element, parts)
    words = element.text or ""
    return f" {words} " if element.tag == "mo" and words in _SPACED else words


def _joined(row: ElementTree.Element, parts: list[str]) -> str:
    """Side by side, letters apart: X W, but 2x and f(x)."""
    line = ""
    for k, part in enumerate(parts):
        letters = k > 0 and line[-1:].isalpha() and part[:1].isalpha()
        plain = row[k].get("mathvariant") is None and all(
            child.tag in ("mi", "msub", "msup", "msubsup", "mover") for child in row[k - 1 : k + 1]
        )
        line += (" " if letters and plain else "") + part
        line += " " if row[k].tag == "mo" and row[k].text == "," else ""
    return re.sub(r"(^|\() ([−+]) ", r"\1\2", line)


def _indexed(tag: str, parts: list[str]) -> str:
    base, *indices = parts
    if tag == "mover":
        return base + _ACCENTS.get(indices[0], f"^{indices[0]}")
    tables = {"msup": [(_SUPER, "^")], "msub": [(_SUB, "_")], "munder": [(_SUB, "_")]}.get(
        tag, [(_SUB, "_"), (_SUPER, "^")]
    )
    for index, (table, sign) in zip(indices, tables, strict=True):
        tight = index.replace(" ", "")
        small = all(ord(letter) in table or letter in "′" for letter in tight)
        base += tight.translate(table) if small else sign + (tight if len(tight) == 1 else f"({tight})")
    return base


def _bracketed(words: str) -> str:
    words = words.strip()
    return words if re.fullmatch(r"[\w.\u0300-\u036f²³₀-₉]*", words) else f"({words})"


# Arrays in a few numbers.


def shape_text(shape: tuple[int, ...]) -> str:
    """`64×784`; `scalar` without axes.

    >>> shape_text((64, 784)), shape_text((2,)), shape_text(())
    ('64×784', '2', 'scalar')
    """
    return "×".join(map(str, shape)) if shape else "scalar"


def facets(array: np.ndarray) -> str:
    """An array of up to 12 entries in full; a larger one by minimum, median, maximum and Euclidean norm."""
    if array.dtype == bool:
        return f"{int(array.sum())} of {array.size} true"
    if array.size <= 12:
        return np.array2string(array, precision=6, separator=", ", max_line_width=120).replace("\n", "")
    if not np.isfinite(array).all():
        return f"{int((~np.isfinite(array)).sum())} of {array.size} entries are not finite"
    low, middle, high, norm = array.min(), np.median(array), array.max(), np.linalg.norm(array.ravel())
    return f"min {low:.4g}, median {middle:.4g}, max {high:.4g}, norm {norm:.4g}"
