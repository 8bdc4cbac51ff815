"""What command-line arguments are read as, each with an error that says what is needed."""

from __future__ import annotations

import argparse
import os

from autograd_ae.cli.output import UsageError


def seed(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"a seed is an integer that is not negative, not {text!r}")
    return number


def count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a positive integer is needed, not {text!r}")
    return int(text)


def shape(text: str) -> tuple[int, ...]:
    """`3,4` is (3, 4); an empty text is the shape of a number, ()."""
    sizes = [size.strip() for size in text.split(",") if size.strip()]
    if not all(map(str.isdecimal, sizes)):
        raise argparse.ArgumentTypeError(f"a shape is sizes with commas, such as 3,4, not {text!r}")
    return tuple(map(int, sizes))


def new_folder(name: str | None, force: bool) -> str | None:
    """`name`, if results may go there."""
    folder = os.path.expanduser(name) if name else None
    if folder and os.path.exists(folder) and not os.path.isdir(folder):
        raise UsageError(f"--out {folder} is a file; name a folder")
    if folder and not force and os.path.isdir(folder) and os.listdir(folder):
        raise UsageError(f"--out {folder} is not empty; name another folder, or add --force to write into this one")
    return folder
