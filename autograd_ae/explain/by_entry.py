"""A matrix formula written for one entry: `by_entry(XW, (n, k))` is Σ_i X_{ni} W_{ik}."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from autograd_ae.explain import components as c
from autograd_ae.explain.components import Entry, Index
from autograd_ae.explain.expression import Expr

Indices = tuple[Index, ...]
SUMMED = "lmpqrstuvw"  # letters of indices that are summed over


class NotByEntry(Exception):
    """The formula moves entries about (reshape, an index): it has no form of this kind."""


class ByEntry:
    """Entries of formulas; every sum gets an index letter of its own."""

    def __init__(self, taken: Indices):
        self.letters: Iterator[str] = (
            letter + "'" * k for k in range(9) for letter in SUMMED if letter not in {i.name for i in taken}
        )

    def new(self, size: int) -> Index:
        return Index(next(self.letters), size) if size != 1 else only(1)

    def __call__(self, e: Expr, at: Indices) -> Entry:
        rule: Callable[[Expr, Indices], Entry] | None = getattr(self, f"_{e.kind}", None)
        if rule is None:
            raise NotByEntry(e.kind)
        return rule(e, at)

    def _sym(self, e: Expr, at: Indices) -> Entry:
        return c.entry(e.params["name"], at)

    def _num(self, e: Expr, at: Indices) -> Entry:
        return c.number(float(e.params["value"]), e.params["latex"])

    def _let(self, e: Expr, at: Indices) -> Entry:
        return self(e.args[0], at)

    _detach = _let

    def broadcast(self, a: Expr, at: Indices) -> Entry:
        """The entry of a smaller array that broadcasting puts there."""
        own = at[len(at) - a.ndim :]
        return self(a, tuple(only(1) if n == 1 else i for n, i in zip(a.shape, own, strict=True)))

    def parts(self, e: Expr, at: Indices) -> list[Entry]:
        return [self.broadcast(a, at) for a in e.args]

    def _add(self, e: Expr, at: Indices) -> Entry:
        return c.add(*self.parts(e, at))

    def _mul(self, e: Expr, at: Indices) -> Entry:
        return c.mul(*self.parts(e, at))

    def _div(self, e: Expr, at: Indices) -> Entry:
        return c.div(*self.parts(e, at))

    def _pow(self, e: Expr, at: Indices) -> Entry:
        return c.power(*self.parts(e, at))

    def _fn(self, e: Expr, at: Indices) -> Entry:
        return c.fn(e.params["name"], *self.parts(e, at))

    def _relation(self, e: Expr, at: Indices) -> Entry:
        return c.relation(e.params["sign"], *self.parts(e, at))

    def _cases(self, e: Expr, at: Indices) -> Entry:
        return Entry("cases", tuple(self.parts(e, at)))

    def _tr(self, e: Expr, at: Indices) -> Entry:
        return self(e.args[0], (*at[:-2], at[-1], at[-2]))

    def _transpose(self, e: Expr, at: Indices) -> Entry:
        axes = e.params["axes"]
        return self(e.args[0], tuple(at[axes.index(k)] for k in range(len(axes))))

    def _reshape(self, e: Expr, at: Indices) -> Entry:
        """Where only axes of size 1 come or go."""
        x = e.args[0]
        if [n for n in x.shape if n != 1] != [n for n in e.shape if n != 1]:
            raise NotByEntry(e.kind)
        own = iter([i for i in at if i.size != 1])
        return self(x, tuple(only(1) if n == 1 else next(own) for n in x.shape))

    def _row(self, e: Expr, at: Indices) -> Entry:
        return self(e.args[0], at[1:])

    def _column(self, e: Expr, at: Indices) -> Entry:
        return self(e.args[0], at[:1])

    def _vector(self, e: Expr, at: Indices) -> Entry:
        return self(e.args[0], (*at, only(1)) if e.args[0].shape[1] == 1 else (only(1), *at))

    def _mat(self, e: Expr, at: Indices) -> Entry:
        a, b = e.args
        inner = self.new(a.shape[-1])
        tail = at[len(at) - (a.ndim > 1) - (b.ndim > 1) :]
        batch = at[: len(at) - len(tail)]
        left = (*self.stack(a, batch), *tail[: a.ndim > 1], inner) if a.ndim > 1 else (inner,)
        right = (*self.stack(b, batch), inner, *tail[len(tail) - 1 :]) if b.ndim > 1 else (inner,)
        return c.total(inner, c.mul(self(a, left), self(b, right)))

    @staticmethod
    def stack(a: Expr, batch: Indices) -> Indices:
        sizes = a.shape[:-2]
        own = batch[len(batch) - len(sizes) :]
        return tuple(only(1) if n == 1 else i for n, i in zip(sizes, own, strict=True))

    def _outer(self, e: Expr, at: Indices) -> Entry:
        return c.mul(self(e.args[0], at[:1]), self(e.args[1], at[1:]))

    def _spread(self, e: Expr, at: Indices) -> Entry:
        axis, keepdims = e.params["axis"], e.params["keepdims"]
        own = [(only(1) if k in axis else i) for k, i in enumerate(at) if keepdims or k not in axis]
        return self(e.args[0], tuple(own))

    def over(self, e: Expr, at: Indices) -> tuple[Indices, Indices]:
        """(indices of the argument of a reduction, those among them that it is over)."""
        x, axis, keepdims = e.args[0], e.params["axis"], e.params["keepdims"]
        new = {k: self.new(x.shape[k]) for k in axis}
        rest = iter(at)
        inside = []
        for k in range(x.ndim):
            kept = next(rest) if keepdims or k not in axis else None
            inside.append(new[k] if k in axis else kept)
        return tuple(i for i in inside if i is not None), tuple(new.values())

    def summed(self, indices: Indices, body: Entry) -> Entry:
        for index in reversed(indices):
            body = c.total(index, body)
        return body

    def _sum(self, e: Expr, at: Indices) -> Entry:
        inside, new = self.over(e, at)
        return self.summed(new, self(e.args[0], inside))

    def _mean(self, e: Expr, at: Indices) -> Entry:
        inside, new = self.over(e, at)
        size = float(e.args[0].ndim and int(_product(i.size for i in new)))
        return c.div(self.summed(new, self(e.args[0], inside)), c.number(size or 1.0, "n"))

    def _over(self, e: Expr, at: Indices) -> Entry:
        inside, new = self.over(e, at)
        return c.over(e.kind, new, self(e.args[0], inside))

    _max = _min = _prod = _over

    def _logsumexp(self, e: Expr, at: Indices) -> Entry:
        inside, new = self.over(e, at)
        return c.fn("ln", self.summed(new, c.fn("exp", self(e.args[0], inside))))

    def normaliser(self, e: Expr, at: Indices) -> Entry:
        """Σ e^x along the axes of a softmax."""
        axis = e.params["axis"]
        new = {k: self.new(e.shape[k]) for k in axis}
        inside = tuple(new.get(k, i) for k, i in enumerate(at))
        return self.summed(tuple(new.values()), c.fn("exp", self(e.args[0], inside)))

    def _softmax(self, e: Expr, at: Indices) -> Entry:
        return c.div(c.fn("exp", self(e.args[0], at)), self.normaliser(e, at))

    def _log_softmax(self, e: Expr, at: Indices) -> Entry:
        return c.add(self(e.args[0], at), c.minus(c.fn("ln", self.normaliser(e, at))))

    def _cumsum(self, e: Expr, at: Indices) -> Entry:
        (axis,) = e.params["axis"]
        new = self.new(e.shape[axis])
        inside = tuple(new if k == axis else i for k, i in enumerate(at))
        upto = Entry("index", (), (r"\le", new, at[axis]))
        return c.total(new, c.mul(upto, self(e.args[0], inside)))

    def everywhere(self, e: Expr, of: Callable[[Entry], Entry]) -> Entry:
        new = tuple(self.new(n) for n in e.args[0].shape)
        return self.summed(new, of(self(e.args[0], new)))

    def _sqnorm(self, e: Expr, at: Indices) -> Entry:
        return self.everywhere(e, lambda x: c.power(x, c.TWO))

    def _norm1(self, e: Expr, at: Indices) -> Entry:
        return self.everywhere(e, lambda x: c.fn("abs", x))

    def _einsum(self, e: Expr, at: Indices) -> Entry:
        left, right = e.params["subscripts"].split("->")
        terms = left.split(",")
        sizes = {
            letter: n for term, a in zip(terms, e.args, strict=True) for letter, n in zip(term, a.shape, strict=True)
        }
        named = dict(zip(right, at, strict=True))
        new = {letter: self.new(n) for letter, n in sizes.items() if letter not in named}
        named |= new
        factors = [self(a, tuple(named[letter] for letter in term)) for term, a in zip(terms, e.args, strict=True)]
        return self.summed(tuple(new.values()), c.mul(*factors))


def only(size: int) -> Index:
    """The index of an axis of size 1."""
    return Index("1", size)


def _product(sizes: Any) -> int:
    result = 1
    for n in sizes:
        result *= n
    return result
