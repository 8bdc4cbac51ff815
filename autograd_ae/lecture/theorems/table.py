"""The theorems in order, and what holds them all against trained models."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd_ae.lecture.theorems import (
    denoising,
    dynamics,
    examples,
    identities,
    linear,
    regularised,
    sampler,
    sparse,
    variational,
)
from autograd_ae.lecture.theorems.measure import Finding, Theorem, examine

TABLE = (
    Theorem("1", "A linear autoencoder is PCA", linear.eckart_young),
    Theorem("2", "All its other critical points are saddles", linear.critical_points),
    Theorem("3", "Depth helps only in the decoder", linear.deep_encoder),
    Theorem("4", "The biases do the centring", linear.biases),
    Theorem("5", "A uniform L2 penalty gives the directions back", regularised.uniform),
    Theorem("6", "A non-uniform one gives them one by one", regularised.nonuniform),
    Theorem("7", "Gaussian noise shrinks each component", denoising.additive),
    Theorem("8", "Masking noise has a closed form, too", denoising.masking),
    Theorem("9", "Probabilistic PCA", variational.probabilistic_pca),
    Theorem("10", "A linear VAE is probabilistic PCA", variational.learned_noise),
    Theorem("11", "Posterior collapse, predicted before training", variational.posterior_collapse),
    Theorem("12", "The expected error of a VAE's linear decoder", sampler.expected_error),
    Theorem("13", "The Gaussian KL, and the model's own sampler", sampler.kullback_leibler),
    Theorem("14", "Sparse codes are thresholds", sparse.thresholds),
    Theorem("15", "Learning follows a sigmoid, mode by mode", dynamics.flow),
    Theorem("16", "With noise it stops short of 1", dynamics.denoising_flow),
    Theorem("17", "2,000 steps of gradient descent, to rounding", dynamics.descent),
    Theorem("18", "One line, many encoders", examples.line),
    Theorem("19", "No number goes once round a circle", examples.circle),
    Theorem("20", "Obvious compression", linear.obvious_compression),
    Theorem("I", "The balance of a linear code", identities.linear_balance),
    Theorem("II", "The balance of a relu unit", identities.relu_balance),
    Theorem("III", "A flipped sigmoid unit is the same unit", identities.sigmoid_flip),
    Theorem("IV", "A batch's gradient is the mean of its samples'", identities.batch_mean),
    Theorem("V", "Gradients follow permutations", identities.permutations),
    Theorem("VI", "Gradients follow rotations of the data", identities.rotations),
)
THEOREMS: dict[str, Theorem] = {theorem.number: theorem for theorem in TABLE}


def check(only: Sequence[str | int] = (), *, seed: int = 0, note: Callable[[str], None] | None = None) -> list[Finding]:
    """Train models for each theorem, and measure how well it is kept.

    Parameters
    ----------
    only : numbers of rows, such as ["1", "11"] or [1, 11]; all by default.
    seed : of data and starts.
    note : told, in a line, what comes next.

    Raises
    ------
    ValueError : a row that does not exist.

    >>> [finding] = check([18])
    >>> finding.number, finding.title, finding.ok
    ('18', 'One line, many encoders', True)
    """
    wanted = [str(number) for number in only] or list(THEOREMS)
    if unknown := [number for number in wanted if number not in THEOREMS]:
        raise ValueError(f"there is no row {', '.join(map(repr, unknown))}; there are {', '.join(THEOREMS)}")
    findings = []
    for number in wanted:
        if note is not None:
            note(f"row {number}: {THEOREMS[number].title}")
        findings.append(examine(THEOREMS[number], seed))
    return findings


def text(findings: Sequence[Finding], *, details: bool = False) -> str:
    """The findings as a table, a line for each, or with `details` its statement and every measure; how many hold."""
    held = sum(finding.ok for finding in findings)
    measures = sum(len(finding.measures) for finding in findings)
    seconds = sum(finding.seconds for finding in findings)
    lines = [finding.text if details else finding.line for finding in findings]
    end = f"{held} of {len(findings)} theorems hold, by {measures} measures; {seconds:.0f} s"
    return "\n".join([*lines, "", end])
