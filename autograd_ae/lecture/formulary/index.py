"""What pages there are, by family; and which one a name means."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from difflib import get_close_matches

from autograd_ae.explain.blocks import Page
from autograd_ae.lecture.formulary.examples import EXAMPLES
from autograd_ae.lecture.formulary.loss_page import ALSO, LOSSES, loss_page
from autograd_ae.lecture.formulary.op_page import op_page, signature, summary
from autograd_ae.ops import api

FAMILIES = {
    "arithmetic": "Arithmetic", "choices": "Choices and comparisons", "elementary": "Elementary functions",
    "erf": "Elementary functions", "sigmoid": "Activations", "activations": "Activations", "softmax": "Activations",
    "reductions": "Reductions", "extremes": "Reductions", "shaping": "Shaping", "joining": "Shaping",
    "indexing": "Shaping", "matmul": "Products", "einsum": "Products", "dense": "Products", "losses": "Losses",
    "cross_entropy": "Losses", "sparsity": "Penalties and the Gaussian", "gaussian": "Penalties and the Gaussian",
}  # fmt: skip
MODELS = "Losses of the models"
LAYOUTS = ("rows", "columns")


@dataclass(frozen=True)
class Entry:
    """A page that there is: its name, what it is about in one line, its family."""

    name: str
    written: str
    summary: str
    family: str


def entries() -> list[Entry]:
    """All pages, by family: the models' losses first."""
    found = [Entry(name, losses[0].model.__name__, _first(losses[0].model), MODELS) for name, losses in LOSSES.items()]
    made = [Entry(name, signature(name), summary(name), _family(name)) for name in EXAMPLES]
    order = list(dict.fromkeys(FAMILIES.values()))
    return found + sorted(made, key=lambda e: (order.index(e.family), e.name))


def _first(model: type) -> str:
    """The first sentence of the file that a model stands in."""
    text = sys.modules[model.__module__].__doc__ or ""
    return " ".join(text.partition("\n\n")[0].split())


def _family(name: str) -> str:
    return FAMILIES[getattr(api, name).__module__.rpartition(".")[2]]


def find(name: str) -> str:
    """The page that a name means; a model's class will do, in any case of letters.

    Raises
    ------
    ValueError : there is none; the message suggests what might be meant.

    >>> find("SparseAE"), find("gaussian-kl")
    ('sparse', 'gaussian_kl')
    """
    wanted = name.strip().removeprefix("ae.").replace("-", "_")
    for candidate in (wanted, wanted.lower(), ALSO.get(wanted.lower(), "")):
        if candidate in EXAMPLES or candidate in LOSSES:
            return candidate
    close = get_close_matches(wanted.lower(), [*LOSSES, *EXAMPLES], 3, 0.5)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    raise ValueError(f"there is no page {name!r}{hint}; the name list shows all")


def page(name: str, *, layout: str = "rows", seed: int = 0) -> Page:
    """The page of a function or of a model's loss.

    Parameters
    ----------
    name : see `entries`.
    layout : of the numbers, "rows" or "columns"; the formulas are given in both.
    seed : of the gradient that arrives in an example, and of a model's samples and weights.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout={layout!r}; there are {', '.join(map(repr, LAYOUTS))}")
    found = find(name)
    return (loss_page if found in LOSSES else op_page)(found, layout=layout, seed=seed)
