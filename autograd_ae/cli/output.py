"""What the commands print: one line for an error, JSON for programs, progress on stderr."""

from __future__ import annotations

import sys
from typing import Any


class UsageError(ValueError):
    """The command line asks for what does not exist, or for what does not go together: exit code 2."""


def one_line(error: object) -> str:
    """A message of several lines as one."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = ""
    for line in filter(None, map(str.strip, str(error).splitlines())):
        mark = "" if not text or text.endswith((":", ",", ".")) else "." if line[0].isupper() else ";"
        text += f"{mark} {line}"
    return text.strip() or type(error).__name__


def as_json(values: Any) -> str:
    import json

    return json.dumps(_plain(values), indent=2, allow_nan=False, ensure_ascii=True)


def _plain(value: Any) -> Any:
    """Only what JSON has: NumPy's numbers and arrays, tuples and paths converted, NaN and infinity null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def silent(_text: str) -> None:
    """With --quiet."""


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text} …", end="\r", file=sys.stderr, flush=True)
