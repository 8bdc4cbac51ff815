"""Planted faults: every gradient rule made wrong in every way of a catalogue, and the project's own laws as judge.

A checker is worth what it rejects. Each fault here is a slip that people make in a gradient rule. It is planted in every rule of every op, and
the laws (gradcheck against complex step; the destination is written whole; inputs are left alone) must kill the mutant. A mutant that
survives is either *equivalent*, which is shown by giving the right bits on every case tried, with the reason why, or a hole in the laws.

    python -m autograd_ae check --faults
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.op import Op, Pullback, wengert_list
from autograd_ae.core.tensor import Tensor
from autograd_ae.testing.gradcheck import gradcheck
from autograd_ae.testing.specs import SPECS, OpSpec

Array = np.ndarray
Rule = Callable[..., None]
CASES = 8  # drawn per op
SEARCH = 150  # more of them, to find one on which a mutant that no law objected to differs from the right rule


@dataclass(frozen=True)
class Fault:
    """A way to make a rule wrong: `plant(rule)` is the wrong rule. `equivalent` says when it changes nothing, if ever."""

    name: str
    plant: Callable[[Rule], Rule]
    equivalent: str = ""


def _after(change: Callable[[Array], Array]) -> Callable[[Rule], Rule]:
    """A fault that changes what the right rule wrote."""

    def plant(rule: Rule) -> Rule:
        def wrong(out: Array, g: Array, y: Array, *inputs: Array, **params: Any) -> None:
            rule(out, g, y, *inputs, **params)
            changed = change(out.copy())
            if changed.shape == out.shape:
                out[...] = changed

        return wrong

    return plant


def _with_arguments(change: Callable[[Array, Any, tuple[Any, ...]], tuple[Array, Any, tuple[Any, ...]]]) -> Callable[[Rule], Rule]:
    """A fault that gives the right rule wrong arguments."""

    def plant(rule: Rule) -> Rule:
        def wrong(out: Array, g: Array, y: Any, *inputs: Any, **params: Any) -> None:
            g, y, inputs = change(g, y, inputs)
            rule(out, g, y, *inputs, **params)

        return wrong

    return plant


def _rolled(a: Any) -> Any:
    floats = isinstance(a, np.ndarray) and a.dtype != bool
    return np.ascontiguousarray(np.roll(a, 1)) if floats and a.ndim else a


def _doubled(rule: Rule) -> Rule:
    def wrong(out: Array, g: Array, y: Any, *inputs: Any, **params: Any) -> None:
        rule(out, g, y, *inputs, **params)
        if out.shape == g.shape:
            rule(out, out.copy(), y, *inputs, **params)

    return wrong


def _forgotten(rule: Rule) -> Rule:
    def wrong(out: Array, g: Array, y: Any, *inputs: Any, **params: Any) -> None:
        if out.shape == g.shape:
            out[...] = g
        else:
            rule(out, g, y, *inputs, **params)

    return wrong


def _accumulating(rule: Rule) -> Rule:
    def wrong(out: Array, g: Array, y: Any, *inputs: Any, **params: Any) -> None:
        before = out.copy()
        rule(out, g, y, *inputs, **params)
        out += before

    return wrong


def _mutating(rule: Rule) -> Rule:
    def wrong(out: Array, g: Array, y: Any, *inputs: Any, **params: Any) -> None:
        rule(out, g, y, *inputs, **params)
        g *= 1.5

    return wrong


def _one_entry(out: Array) -> Array:
    if out.size:
        i = np.unravel_index(np.abs(out).argmax(), out.shape)
        out[i] = 0.0
    return out


def _swapped(axis: int) -> Callable[[Array], Array]:
    return lambda out: np.flip(out, axis) if out.ndim > axis else out


SYMMETRIC = "the rule's result is always the same after the rearrangement, or has no such axes"
LINEAR = "the Jacobian is one, or a projection, which applied twice is itself"
UNREAD = "the rule does not read what was changed"
FAULTS = (
    Fault("wrong sign", _after(lambda out: -out)),
    Fault("1 % too large", _after(lambda out: 1.01 * out)),
    Fault("factor 2", _after(lambda out: 2 * out)),
    Fault("factor 1/2", _after(lambda out: out / 2)),
    Fault("zero", _after(lambda out: 0 * out)),
    Fault("mean for a sum", _after(lambda out: out / max(out.shape[0], 2) if out.ndim else out / 2)),
    Fault("rows reversed", _after(_swapped(0)), SYMMETRIC),
    Fault("columns reversed", _after(_swapped(1)), SYMMETRIC),
    Fault("transposed", _after(lambda out: out.T), SYMMETRIC),
    Fault("absolute value", _after(np.abs), "the rule's result is never negative"),
    Fault("largest entry dropped", _after(_one_entry)),
    Fault("a constant added", _after(lambda out: out + 1e-3 * (np.abs(out).max(initial=0.0) or 1.0))),
    Fault("derivative left out", _forgotten, LINEAR),
    Fault("derivative twice", _doubled, LINEAR),
    Fault("upstream gradient ignored", _with_arguments(lambda g, y, xs: (np.ones_like(g), y, xs))),
    Fault("upstream gradient of another entry", _with_arguments(lambda g, y, xs: (_rolled(g), y, xs)), UNREAD),
    Fault("stale inputs", _with_arguments(lambda g, y, xs: (g, y, tuple(_rolled(x) for x in xs))), UNREAD),
    Fault("stale output", _with_arguments(lambda g, y, xs: (g, _rolled(y), xs)), UNREAD),
    Fault("destination added to, not written", _accumulating),
    Fault("upstream gradient mutated", _mutating),
)  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One fault in one rule, and what became of it: "killed", "equivalent" or "survived"."""

    op: str
    rule: str
    fault: str
    outcome: str
    why: str

    def __str__(self) -> str:
        return f"{self.outcome:10s} {self.op}.{self.rule}: {self.fault} ({self.why})"


@contextmanager
def planted(rule: Pullback, wrong: Rule) -> Iterator[None]:
    """Inside, the engine uses `wrong` for this rule."""
    kept = rule.fn, rule.kernel
    rule.fn, rule.kernel = wrong, None
    try:
        yield
    finally:
        rule.fn, rule.kernel = kept


def cases_of(spec: OpSpec, count: int, seed: int = 0) -> list[tuple[list[Array], dict[str, Any]]]:
    """Cases of an op with something in them: at least one gradient of two entries or more where the op allows it."""
    found: list[tuple[list[Array], dict[str, Any]]] = []
    spare = []
    for number in range(40 * count):
        rng = np.random.default_rng([seed, number])
        arrays, params = spec.draw(lambda low, high, rng=rng: int(rng.integers(low, high + 1)), rng)  # type: ignore[misc]
        floats = [a for a in arrays if a.dtype != bool]
        entries = sum(a.size for a in floats)
        if all(a.size >= 2 for a in floats) and entries <= 40:
            found.append((arrays, params))
        elif 0 < entries <= 40:
            spare.append((arrays, params))
        if len(found) == count:
            return found
    return (found + spare)[:count]


def rules_of(spec: OpSpec, cases: list[tuple[list[Array], dict[str, Any]]]) -> list[tuple[Op, str, Pullback]]:
    """The rules that a call of the op uses, each once, with the op that owns it."""
    rules: dict[int, tuple[Op, str, Pullback]] = {}
    for arrays, params in cases:
        leaves = [Tensor(np.asarray(a, order="C"), traced=a.dtype != bool) for a in arrays]
        for node in wengert_list([spec.call(*leaves, **params)]):
            for k, t in enumerate(node.inputs):
                if t.traced and (rule := node.op.rule(k)) is not None:
                    rules.setdefault(id(rule), (node.op, node.op.rule_name(k), rule))
            if node.op.delta is not None:
                rules.setdefault(id(node.op.delta), (node.op, "delta", node.op.delta))
    return list(rules.values())


def function_of(spec: OpSpec, arrays: list[Array], params: dict[str, Any]) -> tuple[Callable[..., Tensor], tuple[Array, ...]]:
    """The op as a function of its float inputs (conditions held fixed), and those inputs."""
    fixed = [a if a.dtype == bool else None for a in arrays]

    def fn(*tensors: Tensor) -> Tensor:
        rest = iter(tensors)
        return spec.call(*[a if a is not None else next(rest) for a in fixed], **params)

    return fn, tuple(a for a in arrays if a.dtype != bool)


def judge_mutant(spec: OpSpec, op: Op, name: str, rule: Pullback, fault: Fault, cases: list[tuple[list[Array], dict[str, Any]]]) -> Mutant:
    """Plant one fault and let the laws look at it."""
    wrong = fault.plant(rule.fn)
    law = next(filter(None, (_law_that_objects(rule, wrong, *function_of(spec, *case)) for case in cases)), "")
    if not law:  # does it ever change anything? If so, on those cases a law must object
        telling = [case for case in cases_of(spec, SEARCH, seed=1) if not _same(rule, wrong, *function_of(spec, *case))]
        law = next(filter(None, (_law_that_objects(rule, wrong, *function_of(spec, *case)) for case in telling)), "")
        if not law and not telling and all(_same(rule, wrong, *function_of(spec, *case)) for case in cases):
            return Mutant(op.name, name, fault.name, "equivalent", fault.equivalent or f"the same numbers on {SEARCH} cases")
    return Mutant(op.name, name, fault.name, "killed" if law else "survived", law or "no law objects")


def _law_that_objects(rule: Pullback, wrong: Rule, fn: Callable[..., Tensor], inputs: tuple[Array, ...]) -> str:
    broken = _breaks_contract(rule, wrong, fn, inputs)
    if broken:
        return broken
    with planted(rule, wrong), np.errstate(all="ignore"):
        return "gradcheck disagrees" if gradcheck(fn, inputs, points=1).verdict == "disagrees" else ""


def _calls(rule: Pullback, fn: Callable[..., Tensor], inputs: tuple[Array, ...]) -> Iterator[tuple[tuple[int, ...], Any, list[Any], dict[str, Any], np.dtype]]:
    """The arguments with which the engine calls a rule in one backward pass: (shape of out, g, [y, *inputs], params, dtype)."""
    from autograd_ae.core.program import Program

    leaves = [Tensor(a) for a in inputs]
    program = Program([fn(*leaves)], wrt=leaves)
    env: list[Any] = list(program.arrays)
    if program.seed:
        env[program.seed] = np.random.default_rng(0).normal(size=program.values[program.seed].shape)
    for line in program.backward:
        if env[line.out] is None:
            env[line.out] = np.zeros(program.values[line.out].shape, program.values[line.out].dtype)
        arguments = [env[a] for a in line.args]
        line.run(env[line.out], *arguments, **line.params)
        if line.analytic is rule.fn:
            yield env[line.out].shape, arguments[0], arguments[1:], line.params, env[line.out].dtype


def _breaks_contract(rule: Pullback, wrong: Rule, fn: Callable[..., Tensor], inputs: tuple[Array, ...]) -> str:
    """The laws of a rule beside its numbers: it writes the whole destination, and changes nothing else."""
    for shape, g, others, params, dtype in _calls(rule, fn, inputs):
        results = []
        for fill in (np.nan, 3.0):
            out, upstream = np.full(shape, fill, dtype), g.copy()
            with np.errstate(all="ignore"):
                wrong(out, upstream, *[a.copy() if isinstance(a, np.ndarray) else a for a in others], **params)
            if not np.array_equal(upstream, g):
                return "inputs must be left alone"
            results.append(out)
        if not np.array_equal(*results, equal_nan=True):
            return "the destination must be written whole"
    return ""


def _same(rule: Pullback, wrong: Rule, fn: Callable[..., Tensor], inputs: tuple[Array, ...]) -> bool:
    for shape, g, others, params, dtype in _calls(rule, fn, inputs):
        right, other = np.empty(shape, dtype), np.empty(shape, dtype)
        rule.fn(right, g, *others, **params)
        with np.errstate(all="ignore"):
            wrong(other, g.copy(), *others, **params)
        if not np.allclose(right, other, rtol=1e-13, atol=1e-14 * np.abs(right).max(initial=0.0), equal_nan=True):
            return False
    return True


def all_mutants(names: list[str] | None = None, *, cases: int = CASES) -> Iterator[Mutant]:
    """Every fault in every rule of the named ops (all by default); a rule shared by several ops is judged once."""
    seen: set[int] = set()
    for name, spec in SPECS.items():
        if (names is not None and name not in names) or not spec.differentiable:
            continue
        drawn = cases_of(spec, cases)
        for op, rule_name, rule in rules_of(spec, drawn):
            if id(rule) not in seen:
                seen.add(id(rule))
                for fault in FAULTS:
                    yield judge_mutant(spec, op, rule_name, rule, fault, drawn)
