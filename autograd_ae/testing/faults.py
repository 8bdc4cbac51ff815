"""Planted faults: every gradient rule made wrong in every way of a catalogue, and the project's own laws as judge.

A checker is worth what it rejects. Each fault of `fault_catalogue.py` is planted in every rule of every op, and one
of these laws must object:

    gradcheck                      the engine's gradient is that of complex step through the references, to nine digits
    written whole                  the result does not depend on what the destination held
    arguments left alone           g, y and the inputs are as they were, to the bit
    complex-linear                 rule(i·g) = i·rule(g): what Hessian-vector products rest on
    analytic                       Im rule(…, x + ih·v)/h is the rule's derivative along v: they rest on that too

A mutant that none objects to has *survived*, unless it gives the same numbers on every case tried and a proof says
why it must: then it is *equivalent*. The proof comes from the rule's signature and shapes, or is written down in
`fault_proofs.py`, by op and rule.

    autograd-ae check --faults
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.op import Op, Pullback, wengert_list
from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.core.transforms import STEP
from autograd_ae.testing.fault_catalogue import FAULTS, Call, Fault, Rule, copied, is_float
from autograd_ae.testing.fault_proofs import PROOFS
from autograd_ae.testing.gradcheck import gradcheck
from autograd_ae.testing.specs import SPECS, OpSpec

Array = np.ndarray
Case = tuple[list[Array], dict[str, Any]]
Function = Callable[..., Tensor]

CASES = 8  # drawn per op
SEARCH = 60  # more of them, to find one on which a mutant that no law objected to differs from the right rule
DIGITS = 1e-9  # relative error that the laws allow: the cases lie where rules keep their digits


@dataclass(frozen=True)
class Mutant:
    """One fault in one place. `outcome`: "killed" (why: by which law), "equivalent" (why: the proof) or "survived"."""

    subject: str
    fault: str
    outcome: str
    why: str

    def __str__(self) -> str:
        return f"{self.outcome:10s} {self.subject}: {self.fault} ({self.why})"


@contextmanager
def planted(rule: Pullback, wrong: Rule) -> Iterator[None]:
    """Inside, the engine uses `wrong` for this rule."""
    kept = rule.fn, rule.kernel, rule.passes
    rule.fn, rule.kernel, rule.passes = wrong, None, False
    try:
        yield
    finally:
        rule.fn, rule.kernel, rule.passes = kept


# The subjects: rules, and cases that tell.


def cases_of(spec: OpSpec, count: int, seed: int = 0, *, least: int = 2) -> list[Case]:
    """Cases of an op: `least` entries or more in each argument where the op allows it, 40 in all at most."""
    found: list[Case] = []
    spare: list[Case] = []
    for number in range(40 * count):
        if len(found) == count:
            break
        rng = np.random.default_rng([seed, number])
        arrays, params = spec.draw(_picker(rng), rng)
        sizes = [a.size for a in arrays if a.dtype != bool]
        if 0 < sum(sizes) <= 40:
            (found if min(sizes) >= least else spare).append((arrays, params))
    return (found + spare)[:count]


def _picker(rng: np.random.Generator) -> Callable[[int, int], int]:
    return lambda low, high: int(rng.integers(low, high + 1))


def function_of(spec: OpSpec, arrays: list[Array], params: dict[str, Any]) -> tuple[Function, tuple[Array, ...]]:
    """The op as a function of its float inputs (conditions held fixed), and those inputs."""
    fixed = [a if a.dtype == bool else None for a in arrays]

    def fn(*tensors: Tensor) -> Tensor:
        rest = iter(tensors)
        return spec.call(*[a if a is not None else next(rest) for a in fixed], **params)

    return fn, tuple(a for a in arrays if a.dtype != bool)


def rules_of(functions: Sequence[tuple[Function, tuple[Array, ...]]]) -> list[tuple[Op, str, Pullback]]:
    """The rules that these calls use, each once, with the op that owns it."""
    rules: dict[int, tuple[Op, str, Pullback]] = {}
    for fn, inputs in functions:
        for node in wengert_list([fn(*map(Tensor, inputs))]):
            for k, t in enumerate(node.inputs):
                if t.traced and (rule := node.op.rule(k)) is not None:
                    rules.setdefault(id(rule), (node.op, node.op.rule_name(k), rule))
            if node.op.delta is not None:
                rules.setdefault(id(node.op.delta), (node.op, "delta", node.op.delta))
    return list(rules.values())


def calls_of(rule: Pullback, fn: Function, inputs: tuple[Array, ...], seed: int = 0) -> Iterator[Call]:
    """How the engine calls the rule in one backward pass from a random cotangent."""
    leaves = [Tensor(a) for a in inputs]
    program = Program([fn(*leaves)], wrt=leaves)
    env: list[Any] = list(program.arrays)
    if program.seed:
        env[program.seed] = np.asarray(np.random.default_rng([seed, 1]).normal(size=program.values[program.seed].shape))
    for line in program.backward:
        value = program.values[line.out]
        if env[line.out] is None:
            env[line.out] = np.zeros(value.shape, value.dtype)
        g, y, *others = [env[a] for a in line.args] if len(line.args) > 1 else [env[line.args[0]], None]
        if line.analytic is rule.fn:
            yield Call(value.shape, value.dtype, g.copy(), copied(y), tuple(map(copied, others)), line.params)
        line.run(env[line.out], *[env[a] for a in line.args], **line.params)


# The laws.


def law_that_objects(rule: Pullback, wrong: Rule, fn: Function, inputs: tuple[Array, ...], seed: int) -> str:
    """The first law that the rule breaks in one case once it is replaced by `wrong`; "" when none is broken."""
    calls = list(calls_of(rule, fn, inputs, seed))
    with planted(rule, wrong), np.errstate(all="ignore"):
        if gradcheck(fn, inputs, points=1, rtol=DIGITS, seed=seed).verdict == "disagrees":
            return "gradcheck"
    return next(filter(None, (_contract(wrong, rule.fn, call, seed) for call in calls)), "")


def _contract(wrong: Rule, right: Rule, call: Call, seed: int) -> str:
    if not np.array_equal(call.result(wrong, np.nan), call.result(wrong, 3.0), equal_nan=True):
        return "written whole"
    given = [call.g.copy(), copied(call.y), *map(copied, call.inputs)]
    with np.errstate(all="ignore"):
        wrong(np.empty(call.shape, call.dtype), *given, **call.params)
    before = (call.g, call.y, *call.inputs)
    if not all(np.array_equal(a, b) for a, b in zip(given, before, strict=True) if isinstance(a, np.ndarray)):
        return "arguments left alone"
    if not _complex_linear(wrong, call):
        return "complex-linear"
    return "" if _analytic(wrong, right, call, seed) else "analytic"


def _complex_linear(wrong: Rule, call: Call) -> bool:
    out = np.full(call.shape, np.nan, complex)
    y, inputs = _promoted(call.y), map(_promoted, call.inputs)
    if not _runs(lambda: wrong(out, 1j * call.g, y, *inputs, **call.params)):
        return False
    return _close(out, 1j * call.result(wrong), DIGITS)


def _runs(call: Callable[[], None]) -> bool:
    """Whether a rule takes complex numbers without refusing them or cutting off their imaginary parts."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            call()
        except (TypeError, np.exceptions.ComplexWarning):
            return False
    return True


def _promoted(a: Any) -> Any:
    return a.astype(complex) if is_float(a) else copied(a)


def _analytic(wrong: Rule, right: Rule, call: Call, seed: int) -> bool:
    """Complex step through the wrong rule against differences of the right one, along random y and inputs."""
    rng = np.random.default_rng([seed, 2])
    values = (call.y, *call.inputs)
    along = [rng.normal(size=a.shape) * np.abs(a) if is_float(a) else None for a in values]  # zeros stay: masks

    def moved(t: Any) -> list[Any]:
        return [copied(a) if v is None else np.asarray(a + t * v) for a, v in zip(values, along, strict=True)]

    def at(t: float) -> Array:
        out = np.full(call.shape, np.nan)
        right(out, call.g.copy(), *moved(t), **call.params)
        return out

    out = np.full(call.shape, np.nan, complex)
    if not _runs(lambda: wrong(out, call.g.astype(complex), *moved(1j * STEP), **call.params)):
        return False
    with np.errstate(all="ignore"):
        h = 1e-5
        differences = (at(h) - at(-h)) / (2 * h)
    rough = 1e-9 * np.abs(at(0.0)).max(initial=0.0)  # the rounding of the differences
    return _close(out.imag / STEP, differences, 1e-4, rough)


def _close(a: Array, b: Array, rtol: float, atol: float = 0.0) -> bool:
    finite = np.isfinite(b)
    return bool(np.all(np.abs(a - b)[finite] <= rtol * np.abs(b[finite]).max(initial=0.0) + atol))


# The judgement.


def judge_mutant(subject: str, rule: Pullback, fault: Fault, spec: OpSpec, cases: Sequence[Case]) -> Mutant:
    """Plant one fault in one rule and let the laws look at it."""
    wrong = fault.plant(rule.fn)

    def objection(chosen: Sequence[Case]) -> str:
        found = (law_that_objects(rule, wrong, *function_of(spec, *case), seed=k) for k, case in enumerate(chosen))
        return next(filter(None, found), "")

    def outcome(law: str) -> Mutant:
        return Mutant(subject, fault.name, "killed", law)

    law = objection(cases)
    if law:
        return outcome(law)
    calls = [call for k, case in enumerate(cases) for call in calls_of(rule, *function_of(spec, *case), seed=k)]
    proof = fault.proof(rule, calls) or PROOFS.get((subject, fault.name), "")
    if proof and _same(rule.fn, wrong, calls):
        return Mutant(subject, fault.name, "equivalent", proof)
    law = objection([*cases_of(spec, SEARCH, seed=1), *cases_of(spec, SEARCH, seed=2, least=1)])
    return outcome(law) if law else Mutant(subject, fault.name, "survived", "no law objects, and no proof excuses it")


def _same(right: Rule, wrong: Rule, calls: Sequence[Call]) -> bool:
    return all(_close(call.result(wrong), call.result(right), 1e-13) for call in calls)


def op_mutants(names: Sequence[str] | None = None, *, cases: int = CASES) -> Iterator[Mutant]:
    """Every fault in every rule of the named ops (all by default); a rule shared by several ops is judged once."""
    seen: set[int] = set()
    for name, spec in SPECS.items():
        if (names is not None and name not in names) or not spec.differentiable:
            continue
        drawn = cases_of(spec, cases)
        for op, rule_name, rule in rules_of([function_of(spec, *case) for case in drawn]):
            if id(rule) not in seen:
                seen.add(id(rule))
                yield from (judge_mutant(f"{op.name}.{rule_name}", rule, fault, spec, drawn) for fault in FAULTS)


def all_mutants(names: Sequence[str] | None = None, *, cases: int = CASES) -> Iterator[Mutant]:
    """Every fault in every rule of the named ops; without names in the losses of whole models as well."""
    yield from op_mutants(names, cases=cases)
    if names is None:
        from autograd_ae.testing.model_faults import model_mutants

        yield from model_mutants()
