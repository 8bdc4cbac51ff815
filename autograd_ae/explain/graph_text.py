"""Words in a drawing: how wide they may become, and how they are shortened.

A drawing does not know which font will draw it. Widths are those of DejaVu Sans Bold, rounded up, which is wider than
Helvetica, Arial, Liberation Sans, Segoe UI, Roboto and DejaVu Sans itself: what fits by this table fits in all of them.
"""

from __future__ import annotations

import unicodedata

from autograd_ae.explain.plain import SUBSCRIPTS

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
    if not (underscore and base and number.isdecimal() and number.isascii()):
        return name
    return base + "".join(SUBSCRIPTS[digit] for digit in number)


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


def shape_text(shape: tuple[int, ...]) -> str:
    """`64×784`; `scalar` without axes.

    >>> shape_text((64, 784)), shape_text((2,)), shape_text(())
    ('64×784', '2', 'scalar')
    """
    return "×".join(map(str, shape)) if shape else "scalar"
