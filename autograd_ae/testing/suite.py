"""What `autograd-ae check` runs on the project itself: the laws on every op, and planted faults.

    check_ops()           each op at several cases: gradcheck, and the laws of `laws.py`
    fault_matrix()        planted faults: killed of total, survivors by name, equivalents with their proof

A user's function is in `user_file.py`, false alarms are in `hard_points.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from autograd_ae.testing import laws
from autograd_ae.testing.faults import Mutant, all_mutants, cases_of, function_of
from autograd_ae.testing.gradcheck import gradcheck
from autograd_ae.testing.specs import SPECS, OpSpec
from autograd_ae.testing.user_file import TargetError
from autograd_ae.testing.verdict import AGREES, DISAGREES, UNDECIDED

Array = np.ndarray
Note = Callable[[str], None]
CASES = 6  # of each op
EXIT_CODES = {AGREES: 0, DISAGREES: 1, UNDECIDED: 3}


def silent(_line: str) -> None:
    """No progress report."""


def worst_verdict(verdicts: Iterable[str]) -> str:
    """One wrong is wrong; else one right is right (seen to be right, and nowhere wrong); else undecided."""
    seen = set(verdicts)
    return next((v for v in (DISAGREES, AGREES) if v in seen), UNDECIDED)


# All ops.


@dataclass
class OpReport:
    """One op: cases, how many were undecided, the fewest digits among those that agreed, what went wrong."""

    op: str
    cases: int = 0
    undecided: int = 0
    digits: float = 16.0
    verdict: str = UNDECIDED
    failures: list[str] = field(default_factory=list)

    def row(self) -> str:
        digits = f"{self.digits:6.1f}" if self.verdict == AGREES else "     -"
        spared = f"  ({self.undecided} undecided)" if self.undecided else ""
        return f"{self.op:28s} {self.cases:5d} {digits}  {self.verdict}{spared}"


def check_op(spec: OpSpec, *, cases: int = CASES, seed: int = 0) -> OpReport:
    """gradcheck and the laws on `cases` cases of one op; no law runs again that has failed already."""
    report = OpReport(spec.name)
    verdicts: list[str] = []
    for number, (arrays, params) in enumerate(cases_of(spec, cases, seed)):
        fn, inputs = function_of(spec, arrays, params)
        report.cases += 1
        result = gradcheck(fn, inputs, points=1, seed=seed + number)
        verdicts.append(result.verdict)
        report.undecided += result.verdict == UNDECIDED
        if result.verdict == AGREES:
            report.digits = min(report.digits, result.digits)
        shown = f"{spec.name}{tuple(a.shape for a in arrays)} {params or ''}".strip()
        if result.verdict == DISAGREES:
            report.failures.append(f"{shown}: {result}")
        broken = [f"{shown}: {text}" for text in broken_laws(fn, inputs, np.random.default_rng([seed, number]))]
        report.failures += broken
        verdicts += [DISAGREES] * len(broken)
    report.verdict = worst_verdict(verdicts)
    return report


def broken_laws(fn: Callable[..., Any], inputs: Sequence[Array], rng: np.random.Generator) -> list[str]:
    """The laws of one function that do not hold at these inputs, each with its report."""
    others = [np.flip(a).copy() for a in inputs]  # values in the same domain, in another order
    checks: dict[str, Callable[[], None]] = {
        "adjoint": lambda: laws.assert_adjoint(fn, inputs, rng),
        "vjp linear": lambda: laws.assert_vjp_linear(fn, inputs, rng),
        "replay is eager": lambda: laws.assert_replay_is_eager(fn, inputs, others),
        "deterministic": lambda: laws.assert_deterministic(fn, inputs),
        "dtype kept": lambda: laws.assert_dtype_kept(fn, inputs),
        "memory not shared": lambda: laws.assert_memory_not_shared(fn, inputs),
        "inputs untouched": lambda: laws.assert_inputs_untouched(fn, inputs),
    }
    broken = []
    for name, check in checks.items():
        try:
            check()
        except AssertionError as error:
            broken.append(f"law '{name}': {error}")
    return broken


def differentiable_ops() -> list[str]:
    """The names of all ops that have a gradient."""
    return [name for name, spec in SPECS.items() if spec.differentiable]


def check_ops(names: Sequence[str] = (), *, cases: int = CASES, seed: int = 0, note: Note = silent) -> list[OpReport]:
    """`check_op` for the named ops, all by default. TargetError for a name that is not in the table."""
    chosen = list(names) or differentiable_ops()
    known(chosen)
    reports = []
    for name in chosen:
        note(name)
        reports.append(check_op(SPECS[name], cases=cases, seed=seed))
    return reports


def known(names: Sequence[str]) -> None:
    """TargetError for a name that is no op with a gradient."""
    for name in names:
        if name not in SPECS or not SPECS[name].differentiable:
            raise TargetError(unknown_op(name))


def unknown_op(name: str) -> str:
    """What to say of a name that is no op with a gradient."""
    from difflib import get_close_matches

    if name in SPECS:
        return f"{name!r} has no gradient to check; the ops that have one are {', '.join(differentiable_ops())}"
    close = get_close_matches(name, differentiable_ops(), n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"the ops are {', '.join(differentiable_ops())}."
    return f"there is no op {name!r}: {hint} For a function in a file write path/to/file.py::function"


def ops_outcome(reports: Sequence[OpReport]) -> tuple[str, dict[str, Any], int]:
    """Table, data and exit code of `check_ops`."""
    failures = [text for report in reports for text in report.failures]
    verdict = DISAGREES if failures else worst_verdict(r.verdict for r in reports)
    if verdict == AGREES and any(r.verdict == UNDECIDED for r in reports):
        verdict = UNDECIDED
    agreeing = sum(r.verdict == AGREES for r in reports)
    cases = sum(r.cases for r in reports)
    lines = [f"{'op':28s} {'cases':>5s} {'digits':>6s}  verdict", *(report.row() for report in reports), ""]
    lines += [
        f"{agreeing} of {len(reports)} ops agree over {cases} cases, each under gradcheck and seven laws",
        *failures,
    ]
    data = {"verdict": verdict, "ops": [asdict(r) for r in reports]}
    return "\n".join(lines), data, EXIT_CODES[verdict]


# Planted faults.


def fault_matrix(names: Sequence[str] = (), *, note: Note = silent) -> list[Mutant]:
    """Every planted fault and what became of it; with names, those of the rules of these ops only."""
    known(names)
    mutants = []
    subject = ""
    for mutant in all_mutants(list(names) or None):
        if mutant.subject != subject:
            subject = mutant.subject
            note(subject)
        mutants.append(mutant)
    return mutants


def faults_outcome(mutants: Sequence[Mutant]) -> tuple[str, dict[str, Any], int]:
    """Matrix, data and exit code (1 if one survives) of `fault_matrix`."""
    survivors = [m for m in mutants if m.outcome == "survived"]
    equivalent = [m for m in mutants if m.outcome == "equivalent"]
    killed = [m for m in mutants if m.outcome == "killed"]
    lines = [f"{'rule or model':36s} {'killed':>9s}  equivalent"]
    for subject in dict.fromkeys(m.subject for m in mutants):
        own = [m for m in mutants if m.subject == subject]
        same = sum(m.outcome == "equivalent" for m in own)
        lines.append(
            f"{subject:36s} {sum(m.outcome == 'killed' for m in own):4d}/{len(own) - same:<4d}  {same or ''}".rstrip()
        )
    lines += ["", "equivalent, since they change nothing:"]
    for why in dict.fromkeys(m.why for m in equivalent):
        places = [f"{m.subject} ({m.fault})" for m in equivalent if m.why == why]
        lines.append(f"  {why}:\n    {'; '.join(places)}")
    by_law = ", ".join(f"{law} {sum(m.why == law for m in killed)}" for law in dict.fromkeys(m.why for m in killed))
    lines += ["", f"killed by: {by_law}", *(str(m) for m in survivors)]
    lines.append(
        f"{len(killed)} of {len(mutants) - len(equivalent)} planted faults killed, {len(survivors)} survived; "
        f"{len(equivalent)} equivalent"
    )
    data = {
        "killed": len(killed),
        "total": len(mutants) - len(equivalent),
        "survivors": [asdict(m) for m in survivors],
        "equivalent": [asdict(m) for m in equivalent],
    }
    return "\n".join(lines), data, int(bool(survivors))
