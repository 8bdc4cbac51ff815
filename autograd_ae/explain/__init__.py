"""Derivations and computation graphs as text, LaTeX, HTML with MathML, SVG, Mermaid and DOT.

This package is also the function `ae.explain(loss)`: see `explain` below.

    import autograd_ae as ae

    print(ae.explain(loss))                        # the derivation of anything that was recorded, with numbers
    ae.explain(loss, layout="columns").save("derivation.html")
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd_ae.core.tensor import Tensor
    from autograd_ae.explain.derivation import Derivation

__all__ = ["explain"]


def explain(
    loss: Tensor,
    *,
    layout: str = "rows",
    symbols: Mapping[str, str] | None = None,
    upto: int | str | Tensor | None = None,
    level: str = "op",
    wrt: Tensor | list[Tensor] | None = None,
    cotangent: Any = None,
    check: bool = True,
    against: Any = None,
) -> Derivation:
    r"""The derivation of a recorded computation: one row per step, forward and back, with numbers and a check of each.

    Parameters
    ----------
    loss : any recorded tensor; one that is not a scalar is explained for the sum of its entries, or with `cotangent`.
    layout : "rows" (samples in rows, as in the code) or "columns" (as in the lecture: dW = G Xᵀ).
    symbols : LaTeX by tensor name or by the symbol that would be used: `{"W_1": "W", "Z": "C"}`.
    upto : the last step to show, by number, tensor, symbol, or name (`"W_1"`, and `"dW_1"` for the gradient).
    level : "op", one row per op; "layer", one row per layer, and what it hands back collected; "chain rule", as "op",
        with each rule derived from its definition, entry by entry: ∂L/∂W_ij = Σ_n …
    wrt : tensors whose gradients are derived; by default all traced leaves.
    cotangent : ∂L/∂loss to start from, of the shape of `loss`.
    check : compute the column of the complex step.
    against : gradients of your own, by name (`{"W_1": …}`; also by symbol or tensor) or as a list in the order of the
        leaves, in the layout of the page: put beside the engine's, with a diagnosis where they differ.

    Returns
    -------
    Derivation : print it, or let a notebook show it; `.text()`, `.markdown()`, `.latex()`, `.html()`, `.save(path)`;
        `.rows` holds symbols, formulas and numbers.

    Raises
    ------
    TypeError, GraphError : `loss` is not a recorded tensor, or its recording was freed by `backward()`.
    ValueError : an unknown layout, level or step.

    >>> import autograd_ae as ae
    >>> w = ae.tensor([1.0, 2.0], name="w")
    >>> derivation = ae.explain(ae.sum(w * w * w))
    >>> print(derivation.rows[-1].equation)
    \bar{w} \leftarrow \bar{w} + \bar{t}_{2} \odot t_{1}
    """
    from autograd_ae.explain.derivation import derive

    return derive(
        loss,
        layout=layout,
        symbols=symbols,
        upto=upto,
        level=level,
        wrt=wrt,
        cotangent=cotangent,
        check=check,
        against=against,
    )


class _CallableModule(ModuleType):
    """The package, which is called like the function of its name."""

    __call__ = staticmethod(explain)


sys.modules[__name__].__class__ = _CallableModule
