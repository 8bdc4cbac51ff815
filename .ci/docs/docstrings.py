"""The project's docstrings as Markdown: sections become lists, examples blocks of code, formulas stay as they are.

pdoc reads NumPy's style in its strict form, one parameter a line and its description below. Here a line holds
`name : description`, sometimes several of them, so the sections are read by this file. The rest is Markdown already:
formulas stand indented, which is code there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SECTIONS = ("Parameters", "Returns", "Raises", "Attributes", "Notes", "Yields", "Warns", "Examples", "See Also")
_ENTRY = re.compile(r"(?P<names>[\w*.]+(?:, [\w*.…]+)*) : (?P<words>.*)", re.DOTALL)
_NEXT = re.compile(r" {4,}(?=[\w*]+(?:, [\w*]+)* : )")  # a further entry on the same line


def markdown(docstring: str) -> str:
    r"""A docstring without its indentation, as Markdown.

    >>> print(markdown("Sum.\n\nParameters\n----------\nx : an array.    axis : which\n    one.\n\n>>> 1 + 1\n2"))
    Sum.
    <BLANKLINE>
    **Parameters**
    <BLANKLINE>
    - `x`: an array.
    - `axis`: which one.
    <BLANKLINE>
    ```python
    >>> 1 + 1
    2
    ```
    """
    lines = docstring.splitlines()
    shown: list[str] = []
    k = 0
    while k < len(lines):
        if lines[k].strip() in SECTIONS and k + 1 < len(lines) and set(lines[k + 1].strip()) == {"-"}:
            end = _end_of_section(lines, k + 2)
            shown += ["", f"**{lines[k].strip()}**", "", *_items(lines[k + 2 : end]), ""]
            k = end
        elif lines[k].startswith(">>>"):
            end = next((i for i in range(k, len(lines)) if not lines[i].strip()), len(lines))
            shown += ["", "```python", *lines[k:end], "```", ""]
            k = end
        else:
            shown.append(lines[k] if lines[k].startswith("    ") else _escaped(lines[k]))
            k += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(shown)).strip()


def _end_of_section(lines: list[str], start: int) -> int:
    """A section ends at a blank line, at an example, or with the text."""
    return next((i for i in range(start, len(lines)) if not lines[i].strip() or lines[i].startswith(">>>")), len(lines))


def _items(lines: list[str]) -> Iterator[str]:
    """A list item for each entry; indented lines go on with the entry before."""
    entries: list[str] = []
    for line in lines:
        if line.startswith(" ") and entries:
            entries[-1] += f" {line.strip()}"
        else:
            entries += _NEXT.split(line.strip())
    for entry in entries:
        found = _ENTRY.fullmatch(entry)
        yield f"- `{found['names']}`: {_escaped(found['words'])}" if found else f"- {_escaped(entry)}"


def _escaped(line: str) -> str:
    """A < before a letter would begin a tag; between backticks it stays."""
    parts = line.split("`")
    return "`".join(part if k % 2 else re.sub(r"<(?=[A-Za-z/!])", "&lt;", part) for k, part in enumerate(parts))
