"""Statistics of rounds: ratios that a disturbance leaves alone, spreads, what is no time."""

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import (
    summary,
)

POSITIVE = st.floats(1e-6, 1e3)


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=9), POSITIVE)
def test_a_disturbance_that_slows_a_whole_round_leaves_the_ratios(rounds, factor):
    ours, theirs = zip(*rounds, strict=True)
    quiet = summary.ratios(theirs, ours)
    disturbed = summary.ratios([theirs[0] * factor, *theirs[1:]], [ours[0] * factor, *ours[1:]])
    assert disturbed == pytest.approx(quiet, rel=1e-12)


@given(st.lists(POSITIVE, min_size=1, max_size=9))
def test_the_spread_is_that_of_the_sorted_values(values):
    spread, ordered = summary.spread(values), sorted(values)
    assert (spread.low, spread.high) == (ordered[0], ordered[-1])
    assert spread.median == (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2


def test_the_median_ratio_is_of_rounds_and_not_of_medians():
    times = {"ours": [1.0, 10.0, 100.0], "theirs": [3.0, 20.0, 100.0]}
    statistics = summary.summarise(times, "ours")
    assert statistics["theirs"]["ratio"] == (2.0, 1.0, 3.0)
    assert statistics["ours"]["ratio"] == (1.0, 1.0, 1.0)
    assert statistics["theirs"]["seconds"] == (20.0, 3.0, 100.0)


@pytest.mark.parametrize("values", [[], [0.0], [-1.0], [math.nan], [math.inf]])
def test_a_time_that_is_no_time_is_refused(values):
    with pytest.raises(ValueError, match="finite positive times are needed"):
        summary.spread(values)


def test_ratios_need_the_same_rounds():
    with pytest.raises(ValueError, match="2 and 1 arrived"):
        summary.ratios([1.0, 2.0], [1.0])


def test_disagreement_is_relative_to_each_array_and_infinite_where_arrays_do_not_match():
    reference = [[[1000.0, 0.0], [0.5]], [[1.0, 1.0], [0.25]]]
    assert summary.disagreement(reference, reference) == 0
    assert summary.disagreement([[[1000.0, 1.0], [0.5]], [[1.0, 1.0], [0.25]]], reference) == pytest.approx(1e-3)
    assert summary.disagreement([[[1000.0, 0.0], [0.5]], [[1.0, 1.0], [0.5]]], reference) == pytest.approx(1.0)
    assert summary.disagreement([[[1000.0, math.nan], [0.5]], [[1.0, 1.0], [0.25]]], reference) == math.inf
    assert summary.disagreement([[[1000.0], [0.5]], [[1.0, 1.0], [0.25]]], reference) == math.inf
    assert summary.disagreement(reference[:1], reference) == math.inf


def test_the_examples_of_the_summary_are_true():
    failed, tried = doctest.testmod(summary)
    assert failed == 0
    assert tried > 0
