"""einsum: products of tensors, summed over the indices that the output does not name (Einstein's convention).

    "ij,jk->ik"   Y_ik = Σ_j A_ij B_jk            "ij,ij->i"   row by row scalar products
    "ii->i"       the diagonal                    "bij,bjk->bik", "...ij,...jk->...ik"   a batch of products

Derivation. Every y is a sum of products with one factor from each operand, Y_out = Σ x⁰ x¹ ⋯, so the derivative by
one entry of xᵏ is the sum of what multiplied it: again an einsum, of G = ∂L/∂Y and the other operands, whose output
is named by xᵏ's own indices,

    dxᵏ_own = Σ G_out Πⱼ≠ₖ xʲ       for "ij,jk->ik":  dA = einsum("ik,jk->ij", G, B) = G Bᵀ.

Two cases need a word. An index that stands in xᵏ alone was summed there and nowhere else: all entries along it have
the same gradient, so it is broadcast. An index that stands in xᵏ twice reads its diagonal only: the gradient is
written to the diagonal, zero elsewhere.

An ellipsis stands for batch axes; before recording it is spelled out in letters of its own, and axes of size 1 that
meet larger ones are dropped from their operand. Cost: NumPy's pairwise contraction order (`optimize=True`), with BLAS
where a pair is a matrix product; every gradient costs about as much as y. Accuracy: as for matmul.
"""

from __future__ import annotations

import string
from functools import lru_cache

import numpy as np

from autograd_ae.core.errors import ShapeError
from autograd_ae.core.op import Op, Shape, pullback
from autograd_ae.core.tensor import Tensor, record
from autograd_ae.ops.axes import TensorLike, blamed, numeric
from autograd_ae.ops.shaping import squeeze


def terms(subscripts: str) -> tuple[list[str], str]:
    """ "ij,jk->ik" as (["ij", "jk"], "ik")."""
    inputs, output = subscripts.split("->")
    return inputs.split(","), output


def contract(out, *x, subscripts):
    np.einsum(subscripts, *x, out=out, optimize=True)


@pullback(r"\bar{x}_k = \operatorname{einsum}(\bar{y}, x_{j \ne k})")
def dx(out, g, _y, *x, wrt, subscripts):
    inputs, output = terms(subscripts)
    own = "".join(dict.fromkeys(inputs[wrt]))
    factors = {j: x[j] for j in range(len(x)) if j != wrt}
    named = ",".join([output, *[inputs[j] for j in factors]])
    shared = "".join(i for i in own if i in named)
    gradient = np.asarray(np.einsum(f"{named}->{shared}", g, *factors.values(), optimize=True))
    out[...] = 0.0
    diagonal = out if own == inputs[wrt] else np.einsum(f"{inputs[wrt]}->{own}", out)  # a view
    diagonal[...] = gradient[tuple(slice(None) if i in shared else None for i in own)]


def shape(*xs: Shape, subscripts: str) -> Shape:
    inputs, output = terms(subscripts)
    sizes: dict[str, tuple[int, int]] = {}  # letter → size, and which operand said so
    for k, (letters, x) in enumerate(zip(inputs, xs, strict=True)):
        for letter, n in zip(letters, x, strict=True):
            size, first = sizes.setdefault(letter, (n, k))
            if size != n:
                raise ShapeError(
                    f"index {letter} of {subscripts!r} is {size} in operand {first} but {n} in operand {k}: "
                    "one letter, one size. Transpose an operand, or use another letter"
                )
    return tuple(sizes[letter][0] for letter in output)


_einsum = Op(
    "einsum",
    lambda *x, subscripts: np.einsum(subscripts, *x),
    dx,
    latex=r"y = \operatorname{einsum}(x_0, x_1, \dots)",
    forward=contract,
    shape=shape,
)


@lru_cache(maxsize=256)
def spelled_out(subscripts: str, xs: tuple[Shape, ...]) -> tuple[str, list[tuple[int, ...]]]:
    """Subscripts with an output and no ellipsis; and for each operand the batch axes to drop: of size 1, broadcast."""
    text = subscripts.replace(" ", "")
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    _refuse_malformed(subscripts, [*inputs, output] if arrow else inputs)
    if len(inputs) != len(xs):
        raise ValueError(
            f"{subscripts!r} names {len(inputs)} operands, {len(xs)} arrived: one comma-separated term for each"
        )
    batch = [len(x) - len(t.replace("...", "")) if "..." in t else 0 for t, x in zip(inputs, xs, strict=True)]
    for t, x, extra in zip(inputs, xs, batch, strict=True):
        if extra < 0 or len(t.replace("...", "")) + extra != len(x):
            raise ShapeError(
                f"term {t!r} of {subscripts!r} names {len(t.replace('...', ''))} axes, its operand has shape {x}"
            )
    letters = [c for c in string.ascii_letters if c not in text][: max(batch)]
    dropped, inputs = _without_ellipsis(inputs, xs, batch, letters)
    if not arrow:
        named = [c for c in left if c.isalpha()]
        output = "..." + "".join(sorted(c for c in set(named) if named.count(c) == 1))
    elif letters and "..." not in output:
        raise ValueError(f"the output of {subscripts!r} drops the ellipsis: write it there too, and sum afterwards")
    output = output.replace("...", "".join(letters))
    missing = [c for c in output if c not in "".join(inputs)]
    if missing or len(set(output)) < len(output):
        raise ValueError(f"the output of {subscripts!r} must name indices of the operands, each once")
    return f"{','.join(inputs)}->{output}", dropped


def _refuse_malformed(subscripts: str, parts: list[str]) -> None:
    for part in parts:
        letters = part.replace("...", "", 1)
        if letters and not (letters.isascii() and letters.isalpha()):
            raise ValueError(
                f"{subscripts!r} is not understood at {part!r}: use letters a-z and A-Z, one '...' a term, "
                "commas and one '->'"
            )


def _without_ellipsis(
    inputs: list[str], xs: tuple[Shape, ...], batch: list[int], letters: list[str]
) -> tuple[list[tuple[int, ...]], list[str]]:
    """Letters for the ellipsis, aligned at the right; axes of size 1 that are broadcast are left out."""
    places = [t.find("...") for t in inputs]
    shapes = [x[p : p + n] if n else () for x, p, n in zip(xs, places, batch, strict=True)]
    try:
        whole = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(
            f"the batch axes {shapes} do not broadcast: aligned at the right, two sizes must be equal or one of them 1"
        ) from None
    dropped, spelled = [], []
    for term, place, shape in zip(inputs, places, shapes, strict=True):
        own = list(zip(letters[len(letters) - len(shape) :], shape, whole[len(whole) - len(shape) :], strict=True))
        dropped.append(tuple(place + k for k, (_, n, most) in enumerate(own) if n != most))
        spelled.append(term.replace("...", "".join(letter for letter, n, most in own if n == most)))
    return dropped, spelled


def einsum(subscripts: str, *operands: TensorLike) -> Tensor:
    """Products of the operands' entries, one from each, summed over every index that the output does not name.

    Parameters
    ----------
    subscripts : one letter per axis, terms separated by commas, the output after "->"; without it the output has the
        indices that occur once, in alphabetical order. A letter twice in a term is a diagonal; "..." are batch axes.

    Raises
    ------
    ShapeError : one letter with two sizes, or a term that does not fit its operand.
    ValueError : subscripts that do not parse.

    >>> einsum("ij,j->i", [[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0]).data
    array([21., 43.])
    >>> einsum("ii", [[1.0, 2.0], [3.0, 4.0]]).item()
    5.0
    """
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum starts with subscripts such as 'ij,jk->ik', {type(subscripts).__name__} arrived")
    if not operands:
        raise ValueError(f"einsum({subscripts!r}) was given no operand")
    xs = numeric("einsum", *operands)
    with blamed("einsum", *xs):
        text, dropped = spelled_out(subscripts, tuple(x.shape for x in xs))
    kept = tuple(squeeze(x, axes) if axes else x for x, axes in zip(xs, dropped, strict=True))
    return record(_einsum, kept, {"subscripts": text})
