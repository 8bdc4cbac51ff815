"""The theorems in order, and what holds them all against trained models."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd_ae.lecture.theorems import examples
from autograd_ae.lecture.theorems.measure import Finding, Theorem, examine

THEOREMS: dict[str, Theorem] = {
    "18": examples.line,
}


def run(only: Sequence[str] = (), *, seed: int = 0, note: Callable[[str], None] | None = None) -> list[Finding]:
    """Train a model for each theorem and measure how well it is kept.

    Parameters
    ----------
    only : rows, such as ["1", "11", "II"]; all by default.
    seed : of data and starts.
    note : told, in a line, what comes next.

    Raises
    ------
    ValueError : a row that does not exist.

    >>> [finding] = run(["18"])
    >>> finding.row, finding.passed
    ('18', True)
    """
    if unknown := [row for row in only if row not in THEOREMS]:
        raise ValueError(f"there is no row {', '.join(map(repr, unknown))}; there are {', '.join(THEOREMS)}")
    findings = []
    for row in only or THEOREMS:
        if note is not None:
            note(f"row {row}")
        findings.append(examine(row, THEOREMS[row], seed))
    return findings


def text(findings: Sequence[Finding]) -> str:
    """The findings as a table, with the count of those that hold."""
    held = sum(finding.passed for finding in findings)
    seconds = sum(finding.seconds for finding in findings)
    return "\n".join([*map(str, findings), "", f"{held} of {len(findings)} theorems hold; {seconds:.0f} s"])
