"""Learning curves show the numbers given, name every line at its end, and let no name cover another."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.plot.labels import in_a_column, number
from autograd_ae.plot.style import for_text

AXES = {"xlabel": "epoch", "ylabel": "squared error per image"}


def test_curves_and_references_are_drawn_as_given():
    epochs, errors = range(1, 4), [50.0, 45.0, 40.0]
    figure = ae.plot.learning_curves({"training": (epochs, errors)}, references={"mean image": 52.9}, **AXES)
    reference, curve = sorted(figure.axes[0].lines[:2], key=lambda line: line.get_zorder())
    assert curve.get_xydata().tolist() == [[1, 50], [2, 45], [3, 40]]
    assert set(reference.get_ydata()) == {52.9}
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == tuple(AXES.values())
    assert figure.axes[0].get_ylim()[1] > 52.9
    assert figure.axes[0].get_legend() is None


def test_every_line_is_named_with_its_last_value_in_its_own_colour():
    figure = ae.plot.learning_curves(
        {"a": ([0, 1], [3.0, 2.0]), "b": ([0, 1], [2.0, 1.0])}, references={"floor": 1e-6}, **AXES
    )
    lines = {for_text(line.get_color()) for line in figure.axes[0].lines}
    names = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert list(names) == ["a: 2.00", "b: 1.00", "floor: 10⁻⁶"]
    assert len(set(names.values())) == 3
    assert set(names.values()) <= lines


@pytest.mark.parametrize("k", [2, 9, 30])
def test_names_stay_on_the_page_and_clear_of_each_other_when_all_lines_end_at_one_point(k):
    curves = {f"start {i}": ([0, 1], [float(i), 0.0]) for i in range(k)}
    figure = ae.plot.learning_curves(curves, references={"floor": 0.0}, **AXES)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    for a, b in itertools.combinations(boxes, 2):
        assert min(a.y1, b.y1) <= max(a.y0, b.y0)
    assert all(figure.bbox.y0 <= b.y0 and b.y1 <= figure.bbox.y1 and b.x1 <= figure.bbox.x1 for b in boxes)
    assert min(b.x0 for b in boxes) >= figure.axes[0].get_window_extent().x1  # no name covers data


def test_a_logarithmic_axis_takes_positive_values_only():
    figure = ae.plot.learning_curves({"a": ([1, 2], [1.0, 1e-9])}, references={"bar": 1e-6}, log_y=True, **AXES)
    assert figure.axes[0].get_yscale() == "log"
    with pytest.raises(ValueError, match="log_y needs values above 0, but 'a' has 0"):
        ae.plot.learning_curves({"a": ([1, 2], [1.0, 0.0])}, log_y=True, **AXES)
    with pytest.raises(ValueError, match="'bar' has -1"):
        ae.plot.learning_curves({"a": ([1, 2], [1.0, 2.0])}, references={"bar": -1}, log_y=True, **AXES)


@pytest.mark.parametrize(
    ("curves", "references", "error", "message"),
    [
        ({}, {}, ValueError, "curves is empty"),
        ({"a": [1.0, 2.0, 3.0]}, {}, TypeError, r"curve 'a' must be a pair \(x, y\)"),
        ({"a": ([1, 2], [1.0])}, {}, ValueError, r"vectors of one length; got \(2,\) and \(1,\)"),
        ({"a": ([], [])}, {}, ValueError, "one length"),
        ({"a": ([1, 2], [1.0, np.nan])}, {}, ValueError, r"y of curve 'a' has 1 NaN.*first at \(1,\); did training"),
        ({"a": ([1], [1.0])}, {"b": np.nan}, ValueError, "reference 'b' has 1 NaN"),
        ({"a": ([1], [1.0])}, {"b": [1.0, 2.0]}, ValueError, "reference 'b' must be one number"),
    ],
)
def test_wrong_curves_are_refused(curves, references, error, message):
    with pytest.raises(error, match=message):
        ae.plot.learning_curves(curves, references=references, **AXES)


heights = st.lists(st.floats(-50, 50), min_size=1, max_size=12)


@given(heights=heights, gap=st.floats(0.5, 10), seed=st.integers(0, 2**32 - 1), bounded=st.booleans())
def test_a_column_of_labels_is_the_projection_onto_all_columns_without_overlap(heights, gap, seed, bounded):
    """p is the projection of y onto a convex set iff it lies in it and (y − p)·(c − p) ≤ 0 for every c in the set."""
    y = np.array(heights)
    room = gap * (len(y) - 1)
    low, high = (-20.0, -20.0 + room + 15) if bounded else (-np.inf, np.inf)
    p = in_a_column(y, gap, low=low, high=high)
    order = np.argsort(y, kind="stable")
    assert (np.diff(p[order]) >= gap - 1e-9).all()
    assert p.min() >= low - 1e-9
    assert p.max() <= high + 1e-9
    rng = np.random.default_rng(seed)
    for _ in range(20):  # columns c without overlap, between the same bounds
        steps = rng.exponential(size=len(y)) * (rng.random(len(y)) < 0.5)
        start = rng.normal(scale=30)
        if bounded:
            steps *= rng.random() * 15 / max(steps.sum(), 1e-12)
            start = low
        c = np.empty(len(y))
        c[order] = start + np.cumsum(steps) + gap * np.arange(len(y))
        assert (y - p) @ (c - p) <= 1e-6


@given(value=st.floats(min_value=1e-300, max_value=1e300), sign=st.sampled_from([1, -1]))
def test_a_printed_number_is_right_to_half_a_unit_of_its_third_digit(value, sign):
    text = number(sign * value).replace("−", "-")
    if power := re.fullmatch("(?:(.+)·)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text):
        text = f"{power[1] or 1}e{power[2].translate(str.maketrans('⁻⁰¹²³⁴⁵⁶⁷⁸⁹', '-0123456789'))}"
    assert abs(float(text) - sign * value) <= 0.00501 * value
