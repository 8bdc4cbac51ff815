"""Arrays as a reader wants them: small ones in full, large ones by four facets (min, median, max, norm).

One function decides (`small`), so that every output shows the same numbers: four significant digits, a column's numbers
with the same number of decimals where their sizes allow it.
"""

from __future__ import annotations

from html import escape

import numpy as np

Array = np.ndarray
ENTRIES, COLUMNS, ROWS = 16, 4, 6  # what is shown in full
FACETS = ("min", "median", "max", "norm")
MINUS = "−"


def small(a: Array) -> bool:
    """Is the array shown in full? At most 16 entries, in at most 6 rows and 4 columns."""
    if a.ndim < 2:
        return a.size <= COLUMNS
    return a.ndim == 2 and a.size <= ENTRIES and a.shape[0] <= ROWS and a.shape[1] <= COLUMNS


def number(x: float) -> str:
    """Four significant digits; a true minus sign.

    >>> number(-0.000012345), number(0.5), number(1234567.0), number(0.0)
    ('−1.234e−05', '0.5', '1.235e+06', '0')
    """
    shown = f"{float(x):.4g}"
    return shown.replace("-", MINUS)


def facets(a: Array) -> tuple[tuple[str, str], ...]:
    """(name, number) of min, median, max and Euclidean norm; or how many are true, or not finite."""
    if a.dtype == bool:
        return (("true", str(int(a.sum()))), ("of", str(a.size)))
    if not a.size:
        return (("size", "0"),)
    if not np.isfinite(a).all():
        return (("not finite", str(int((~np.isfinite(a)).sum()))), ("of", str(a.size)))
    with np.errstate(all="ignore"):
        found = (a.min(), np.median(a), a.max(), np.linalg.norm(a.astype(np.float64).ravel()))
    return tuple((name, number(float(x))) for name, x in zip(FACETS, found, strict=True))


def entries(a: Array) -> list[list[str]]:
    """Rows of numbers with as many decimals as the largest of them can use; a vector is one row."""
    rows = np.atleast_2d(a)
    if a.dtype == bool:
        return [[str(int(x)) for x in row] for row in rows]
    finite = np.abs(rows[np.isfinite(rows)])
    largest = float(finite.max()) if finite.size else 0.0
    if largest == 0 or not 1e-3 <= largest < 1e4 or np.all(rows == np.round(rows)):
        return [[number(x) for x in row] for row in rows]
    decimals = max(0, 3 - int(np.floor(np.log10(largest))))
    return [[f"{x + 0.0:.{decimals}f}".replace("-", MINUS) for x in row] for row in rows]


def lines(a: Array) -> list[str]:
    """For a terminal: a number, the rows of a matrix in brackets, or the facets on two lines."""
    if not small(a):
        pairs = [f"{name} {value}" for name, value in facets(a)]
        return [", ".join(pairs[:2]), ", ".join(pairs[2:])] if len(pairs) > 2 else [", ".join(pairs)]
    if not a.ndim:
        return [number(float(a))]
    rows = entries(a)
    if not a.size:
        return ["[]"]
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    shown = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    if a.ndim == 1:
        return [f"[{shown[0]}]"]
    return [f"[{row}]" for row in shown]


def inline(a: Array) -> str:
    """On one line, for Markdown: rows parted by semicolons."""
    if not small(a) or not a.ndim:
        return ", ".join(lines(a))
    return f"[{'; '.join(', '.join(row) for row in entries(a))}]"


def latex(a: Array) -> str:
    """For a table cell, in math mode: a matrix or a number."""
    if not a.ndim:
        return in_math(number(float(a)))
    if small(a) and a.size:
        rows = r" \\ ".join(" & ".join(in_math(x) for x in row) for row in entries(a))
        return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"
    raise ValueError(f"an array of shape {a.shape} is too large to be a matrix on a page")


def in_math(shown: str) -> str:
    r"""A number as `number` writes it, in LaTeX: `−1.5e−05` is `-1.5 \cdot 10^{-5}`."""
    shown = shown.replace(MINUS, "-").replace("inf", r"\infty").replace("nan", r"\mathrm{NaN}")
    if "e" in shown and "m" not in shown:
        digits, exponent = shown.split("e")
        return rf"{digits} \cdot 10^{{{int(exponent)}}}"
    return shown


def html(a: Array) -> str:
    """For a table cell: a grid of numbers with brackets at its sides, or the facets."""
    if not a.ndim:
        return f'<span class="figure">{escape(number(float(a)))}</span>'
    if small(a) and a.size:
        rows = entries(a)
        cells = "".join(f"<span>{escape(x)}</span>" for row in rows for x in row)
        return f'<span class="matrix" style="--n:{len(rows[0])}">{cells}</span>'
    pairs = "".join(f'<span class="facet"><i>{name}</i> {escape(value)}</span> ' for name, value in facets(a))
    return f'<span class="facets">{pairs.strip()}</span>'
