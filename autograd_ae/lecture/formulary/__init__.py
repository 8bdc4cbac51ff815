"""The formulary: a page for every function of the calculus and for every model's loss.

    page("sigmoid")          statement, gradients in both layouts, derivation, code, picture, worked example
    page("vae")              the loss of a model: lesson, computation graph, derivation with numbers
    write("folder")          all of them as a small site that needs no network

A page is made of what is there anyway: the formulas are `explain.RULES`, evaluated against the code by the tests; words
come from docstrings, code from the source, numbers from running it. So it cannot drift from what it describes.
"""

from __future__ import annotations

from autograd_ae.lecture.formulary.index import Entry, entries, find, page
from autograd_ae.lecture.formulary.site import write

__all__ = ["Entry", "entries", "find", "page", "write"]
