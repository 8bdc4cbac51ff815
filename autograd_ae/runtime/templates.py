"""From a kernel to an instruction: templates, filled in when a row asks for one.

    each(f)        y ← f(a), f(a, b) or f(a, b, c), entry by entry, f a formula of numbers (`formulas.py`)
    total(f)       y ← Σ f(a) or Σ f(a, b), divided, the terms added up in float64
    refuse(f)      no result: 1 where f holds for some entry, so that the line is handed over to Python
    whole(k)       an op's own kernel k on flat arrays of one size, result first
    on_matrix(k)   a kernel that works in place on a matrix, given a row as well

An operand of `each` that is smaller than the result is repeated: the result is seen as `rows` of `columns` entries, and
each operand has either a row of its own for each of them or the same for all (`moves`, one bit an operand), and in a
row either `columns` entries or one (`steps`). Steps are part of the code, so the inner loop is one that the compiler
can turn into vector instructions; each combination that occurs is an instruction.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from autograd_ae.core.jit import Kernel, jit
from autograd_ae.core.native import at, matrix_at

SUMS = frozenset({"reassoc", "nsz", "contract"})  # the terms of a sum may be added in several chains
TRUTH = np.zeros(1, np.bool_)


@jit
def as_numbers(like):
    return like


@jit
def as_truth(_like):
    return TRUTH


@jit
def line_of(operand, i, moves, step, columns, like):
    """What an operand has for row i: `columns` entries, or one where the step is 0."""
    length = columns if step else 1
    return at(operand + i * moves * length * like.itemsize, length, like)


# What is bound anew when a template is filled in: the kernel, of what kind y and a are, steps.


def formula(*_operands: Any) -> Any:
    raise NotImplementedError


result, first = as_numbers, as_numbers
A = B = C = 1


def each_1(out, a, _b, _c, rows, columns, _k, moves, _factors, like):
    for i in range(rows):
        y = line_of(out, i, 1, 1, columns, result(like))
        u = line_of(a, i, moves & 1, A, columns, first(like))
        u_0 = u[0]
        for j in range(columns):
            y[j] = formula(u[j] if A else u_0)
    return 0


def each_2(out, a, b, _c, rows, columns, _k, moves, _factors, like):
    for i in range(rows):
        y = line_of(out, i, 1, 1, columns, result(like))
        u = line_of(a, i, moves & 1, A, columns, first(like))
        v = line_of(b, i, moves >> 1 & 1, B, columns, like)
        u_0, v_0 = u[0], v[0]
        for j in range(columns):
            y[j] = formula(u[j] if A else u_0, v[j] if B else v_0)
    return 0


def each_3(out, a, b, c, rows, columns, _k, moves, _factors, like):
    for i in range(rows):
        y = line_of(out, i, 1, 1, columns, result(like))
        u = line_of(a, i, moves & 1, A, columns, first(like))
        v = line_of(b, i, moves >> 1 & 1, B, columns, like)
        w = line_of(c, i, moves >> 2 & 1, C, columns, like)
        u_0, v_0, w_0 = u[0], v[0], w[0]
        for j in range(columns):
            y[j] = formula(u[j] if A else u_0, v[j] if B else v_0, w[j] if C else w_0)
    return 0


def total_1(out, a, _b, _c, n, _j, _k, _l, factors, like):
    u, s = at(a, n, like), 0.0
    for i in range(n):
        s += formula(u[i])
    at(out, 1, like)[0] = s / factors[0]
    return 0


def total_2(out, a, b, _c, n, _j, _k, _l, factors, like):
    u, v, s = at(a, n, like), at(b, n, like), 0.0
    for i in range(n):
        s += formula(u[i], v[i])
    at(out, 1, like)[0] = s / factors[0]
    return 0


def refuse_1(out, _a, _b, _c, n, _j, _k, _l, _factors, like):
    x, found = at(out, n, like), 0
    for i in range(n):
        found += 1 if formula(x[i]) else 0
    return 1 if found > 0 else 0


def whole_2(out, x, _b, _c, n, _j, _k, _l, _factors, like):
    formula(at(out, n, like), at(x, n, like))
    return 0


def whole_3(out, g, x, _c, n, _j, _k, _l, _factors, like):
    formula(at(out, n, like), at(g, n, like), at(x, n, like))
    return 0


def matrix_2(z, b, _b, _c, rows, columns, _k, _l, _factors, like):
    formula(matrix_at(z, rows, columns, like), at(b, columns, like))
    return 0


class Merged(Kernel):
    """A kernel that becomes part of the loop it is called in: only then can the loop be turned into vectors."""

    def part(self) -> Callable[..., Any]:
        return self.inlined()


@functools.cache
def each(function: Kernel, steps: tuple[int, ...], *, truth: bool = False, chooses: bool = False) -> Kernel:
    """The instruction y ← f(…) with these steps; `truth` where y is boolean, `chooses` where a is."""
    of = {"result": as_truth if truth else as_numbers, "first": as_truth if chooses else as_numbers}
    return _filled(function, "each", frozenset(), **of, **dict(zip("ABC", steps, strict=False)))


@functools.cache
def total(function: Kernel) -> Kernel:
    return _filled(function, "total", SUMS)


@functools.cache
def refuse(function: Kernel) -> Kernel:
    return _filled(function, "refuse", frozenset())


@functools.cache
def whole(function: Kernel) -> Kernel:
    return _filled(function, "whole", frozenset())


@functools.cache
def on_matrix(function: Kernel) -> Kernel:
    return _filled(function, "matrix", frozenset())


def _filled(function: Kernel, template: str, flags: frozenset[str], **parts: Any) -> Kernel:
    """A template with its names bound anew."""
    operands = len(inspect.signature(function.py_func).parameters)
    written = globals()[f"{template}_{operands}"]
    steps = "".join(str(parts[name]) for name in "ABC"[:operands] if name in parts)
    name = "_".join([template, function.py_func.__module__.rpartition(".")[2], function.__name__, steps]).rstrip("_")
    names = {**globals(), "formula": Merged(function.py_func, function.flags), **parts}
    filled = FunctionType(written.__code__, names, name)
    filled.__qualname__ = name
    return Kernel(filled, flags)
