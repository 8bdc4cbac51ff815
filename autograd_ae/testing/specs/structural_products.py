"""Products: vectors, matrices, stacks of them, and einsum over a list of subscripts."""

from autograd_ae.ops.einsum import einsum
from autograd_ae.ops.matmul import dot, matmul, outer
from autograd_ae.testing.specs.spec import OpSpec, Pick, any_shape, broadcastable


def matmul_case(pick: Pick):
    """(..., n, k)(..., k, m) with batch axes that broadcast."""
    n, k, m = pick(0, 3), pick(0, 4), pick(0, 3)
    lead, follow = broadcastable(pick, 2)
    return ((*lead[-2:], n, k), (*follow[-2:], k, m)), {}


def vectors_case(pick: Pick):
    """A vector at the left, at the right, or on both sides."""
    n, k = pick(0, 3), pick(0, 4)
    lead = tuple(pick(0, 3) for _ in range(pick(0, 1)))
    return [((k,), (*lead, k, n)), ((*lead, n, k), (k,)), ((k,), (k,))][pick(0, 2)], {}


def dot_case(pick: Pick):
    """NumPy's dot from scalars to three axes."""
    k = pick(0, 3)
    a = [(), (k,), (pick(0, 3), k), (2, pick(0, 2), k)][pick(0, 3)]
    b = [(), (k,), (k, pick(0, 3)), (pick(0, 2), k, 2)][pick(0, 3)]
    return (a, b), {}


def outer_case(pick: Pick):
    if pick(0, 3) == 0:
        return (any_shape(pick), any_shape(pick)), {}
    return ((pick(0, 4),), (pick(0, 4),)), {}


SUBSCRIPTS = (
    "ij,jk->ik",
    "ij,jk",
    "i,j->ij",
    "i,i",
    "ij->ji",
    "ji",
    "ij->i",
    "ij->",
    "ii->i",
    "ii",
    "iij->j",
    "iji,j->ij",
    "ij,ij->",
    "ij,kl->il",
    "bij,bjk->bik",
    "ij,jk,kl->il",
    "i,ij,j->",
    "i,i,i->i",
    "ijk,jil->kl",
    "ii,jj->ij",
    "->",
    ",i->i",
    "i,->",
    "aB,Bc -> ca",
)
BATCHED = ("...ij,...jk->...ik", "...i,...i", "...,...", "i...->...i", "...ii->...i", "b...,b->...", "...i->...")


def einsum_case(pick: Pick):
    subscripts = SUBSCRIPTS[pick(0, len(SUBSCRIPTS) - 1)]
    size = {letter: pick(0, 3) for letter in sorted(set(subscripts)) if letter.isalpha()}
    terms = subscripts.replace(" ", "").split("->")[0].split(",")
    return tuple(tuple(size[letter] for letter in term) for term in terms), {"subscripts": subscripts}


def batched_case(pick: Pick):
    subscripts = BATCHED[pick(0, len(BATCHED) - 1)]
    size = {letter: pick(0, 3) for letter in sorted(set(subscripts)) if letter.isalpha()}
    terms = subscripts.split("->")[0].split(",")
    shapes = []
    for term, batch in zip(terms, broadcastable(pick, len(terms)), strict=True):
        before, dots, after = term.partition("...")
        shapes.append((*[size[i] for i in before], *(batch if dots else ()), *[size[i] for i in after]))
    return tuple(shapes), {"subscripts": subscripts}


def _einsum(*xs, subscripts):
    return einsum(subscripts, *xs)


SPECS = [
    OpSpec("matmul", matmul, matmul_case),
    OpSpec("matmul_vectors", matmul, vectors_case, ops=("matmul", "reshape")),
    OpSpec("dot", dot, dot_case, ops=("matmul", "multiply")),
    OpSpec("outer", outer, outer_case),
    OpSpec("einsum", _einsum, einsum_case),
    OpSpec("einsum_batched", _einsum, batched_case, ops=("einsum", "reshape")),
]
