"""Each closed form of the lecture is kept by the models that are trained for it, and by none with a planted fault."""

import doctest
import functools
import importlib
import json
import pkgutil

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.lecture import theorems
from autograd_ae.lecture.theorems import training
from autograd_ae.lecture.theorems.measure import Measure, Theorem, examine, monte_carlo
from autograd_ae.models import autoencoder, denoising, linear, sparse, vae

SEEDS = (0, 1)  # the command's own, and another
PROMISED = {  # the loosest tolerance that the measures of a row may have, of those whose names begin so
    ("1", "excess loss"): 1e-6,
    ("1", "largest principal angle"): 1e-6,
    ("5", "singular value"): 1e-6,
    ("10", "ELBO"): 1e-4,
    ("11", "number of dead latents"): 0.0,
    ("17", "W"): 1e-12,
}


@functools.cache
def checked(number, seed):
    [finding] = theorems.check([number], seed=seed)
    return finding


@pytest.mark.parametrize("seed", [SEEDS[0], *(pytest.param(s, marks=pytest.mark.slow) for s in SEEDS[1:])])
@pytest.mark.parametrize("number", theorems.THEOREMS)
def test_the_trained_model_keeps_the_theorem(number, seed):
    finding = checked(number, seed)
    assert finding.ok, finding.text


@pytest.mark.parametrize(("number", "beginning"), PROMISED)
def test_no_tolerance_is_wider_than_promised(number, beginning):
    measures = [m for m in checked(number, 0).measures if m.quantity.startswith(beginning)]
    assert measures
    assert max(m.tolerance for m in measures) <= PROMISED[number, beginning]


def test_all_twenty_rows_and_the_identities_are_there_in_order_each_with_title_statement_and_source():
    assert list(theorems.THEOREMS) == [*map(str, range(1, 21)), "I", "II", "III", "IV", "V", "VI"]
    for theorem in theorems.THEOREMS.values():
        assert theorem.statement.endswith(".")
        assert theorem.source
        assert 0 < len(theorem.title) < 58
    assert len({theorem.title for theorem in theorems.THEOREMS.values()}) == 26


# What is wrong is found.


def log_deviation(mean, log_variance, noise):
    """The classic: the head read as ln σ where it is ln σ²."""
    return mean + ae.exp(log_variance) * noise


def half_a_kl(mean, log_variance):
    return 0.5 * ae.gaussian_kl(mean, log_variance)


def one_percent_more(output, x):
    return 1.01 * ae.squared_error(output, x)


def a_sum_over_the_batch(output, x):
    return output.shape[0] * ae.squared_error(output, x)


def half_an_l1(z):
    return 0.5 * ae.l1(z)


def noise_of_variance_level(X, kind, level, rng, out=None):
    out = np.empty_like(X) if out is None else out
    out[...] = X + np.sqrt(level) * rng.standard_normal(X.shape)
    return out


def masked_by_keep_probability(X, kind, level, rng, out=None):
    out = np.empty_like(X) if out is None else out
    out[...] = X * (rng.random(X.shape) < level)
    return out


def half_a_penalty(self):
    return 0.5 * PENALTY(self)


PENALTY = linear.LinearPCA._penalty
FAULTS = {
    "ln σ² read as ln σ": (("9", "10", "12", "13"), vae, "reparameterise", log_deviation),
    "half a KL": (("10", "11", "13"), vae, "gaussian_kl", half_a_kl),
    "noise of variance σ for σ²": (("7",), denoising, "corrupt", noise_of_variance_level),
    "kept with the probability of a mask": (("8",), denoising, "corrupt", masked_by_keep_probability),
    "a lost factor of the L2 penalty": (("5", "6"), linear.LinearPCA, "_penalty", half_a_penalty),
    "half an L1 penalty": (("14",), sparse, "l1", half_an_l1),
    "a gradient 1 % too large": (("2", "15", "16", "17"), autoencoder, "squared_error", one_percent_more),
    "a sum for a mean over the batch": (("17", "IV"), autoencoder, "squared_error", a_sum_over_the_batch),
}
LONG = ("2", "9", "10", "11", "15", "16")
PLANTED = [
    pytest.param(fault, number, marks=[pytest.mark.slow] if number in LONG else [])
    for fault, (numbers, *_) in FAULTS.items()
    for number in numbers
]


@pytest.mark.parametrize(("fault", "number"), PLANTED)
def test_a_planted_fault_in_a_model_breaks_the_theorem(monkeypatch, fault, number):
    _, place, name, wrong = FAULTS[fault]
    monkeypatch.setattr(place, name, wrong)
    assert not theorems.check([number])[0].ok


def test_a_theorem_that_raises_has_failed_and_says_how():
    def broken(seed):
        """Something holds.

        Source: nobody.
        """
        raise ValueError("no such data")

    finding = examine(Theorem("0", "Broken", broken), 0)
    assert (finding.ok, finding.statement, finding.source) == (False, "Something holds.", "nobody")
    assert "ValueError: no such data" in finding.text
    assert "FAILS" in finding.line


@pytest.mark.parametrize(("error", "ok"), [(0.9, True), (1.0, True), (1.1, False), (np.nan, False), (np.inf, False)])
def test_a_measure_holds_up_to_its_tolerance_and_never_for_nan(error, ok):
    measure = Measure("something", np.float32(error), 1.0)
    assert (measure.ok, type(measure.error)) == (ok, float)
    assert (measure.share <= 1) == ok


def test_a_biased_sampler_is_as_many_standard_errors_off_as_it_is(rng):
    right, precision = monte_carlo("draws", rng.normal(5.0, 1.0, size=10_000), 5.0)
    assert right.ok
    assert precision.error == pytest.approx(0.01 / 5, rel=0.05)
    wrong, _ = monte_carlo("draws", rng.normal(5.1, 1.0, size=10_000), 5.0)
    assert wrong.error == pytest.approx(10, abs=4)
    assert not wrong.ok


# What is said.


def test_a_finding_is_a_line_a_text_and_json():
    finding = checked("18", 0)
    assert finding.line.startswith("  18  One line, many encoders")
    assert len(finding.text.splitlines()) == 1 + len(finding.measures)
    assert str(finding) == finding.text
    values = json.loads(json.dumps(finding.to_dict(), allow_nan=False))
    assert {"number", "title", "statement", "source", "error", "tolerance", "ok", "seconds", "measures"} <= set(values)
    assert values["error"] == finding.worst.error
    assert values["measures"][0].keys() == {"quantity", "error", "tolerance", "ok"}


def test_the_table_counts_what_holds():
    findings = [checked(number, 0) for number in ("1", "18")]
    assert "2 of 2 theorems hold" in theorems.text(findings)
    assert len(theorems.text(findings).splitlines()) == 4
    assert "w·ŵ = 1" in theorems.text(findings, details=True)


def test_rows_are_named_by_number_or_text_and_a_wrong_one_is_refused():
    notes = []
    assert [f.number for f in theorems.check([20, "18"], note=notes.append)] == ["20", "18"]
    assert notes == ["row 20: Obvious compression", "row 18: One line, many encoders"]
    with pytest.raises(ValueError, match="there is no row '21'; there are 1, 2, 3"):
        theorems.check(["21"])


# The designs have the moments that the theorems need, exactly.


@pytest.mark.parametrize("n_latents", [1, 2, 3, 4, 7])
def test_signs_are_white(n_latents):
    E = training.signs(n_latents)
    np.testing.assert_array_equal(E.mean(axis=0), 0)
    np.testing.assert_array_equal(E.T @ E / len(E), np.eye(n_latents))


def test_pairs_have_mean_zero_variance_sigma_squared_and_nothing_to_do_with_the_samples():
    X = training.data((3.0, 2.0, 1.0), seed=0, n_samples=20)
    clean, spoiled = training.with_pairs(X, 0.5, seed=1)
    noise = spoiled - clean
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(noise.T @ noise / len(noise), 0.25 * np.eye(3), atol=1e-14)
    np.testing.assert_allclose(clean.T @ noise, 0, atol=1e-12)


@pytest.mark.parametrize(("p", "n_features"), [(2, 3), (3, 4), (5, 6), (5, 2)])
def test_masks_drop_each_feature_with_probability_one_in_p_and_two_independently(p, n_features):
    kept = training.masks(p, n_features)
    q = 1 - 1 / p
    expected = np.where(np.eye(n_features), q, q**2)
    np.testing.assert_allclose(kept.T @ kept / len(kept), expected, rtol=1e-14)


@pytest.mark.parametrize("name", [m.name for m in pkgutil.iter_modules(theorems.__path__)])
def test_every_example_in_a_docstring_is_true(name):
    module = importlib.import_module(f"autograd_ae.lecture.theorems.{name}")
    assert doctest.testmod(module).failed == 0
