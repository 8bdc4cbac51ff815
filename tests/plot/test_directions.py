"""The lecture's picture: points and arrows where they are, in one scale, every arrow named with its numbers."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import autograd_ae as ae
from autograd_ae.plot.labels import in_the_plane

LECTURE = {"lecture's w": [1, -1], "lecture's ŵ": [2, 1]}
FOUND = {"w found, start 1": [0.12, 0.71], "w found, start 2": [0.66, -0.41], "w found, start 3": [0.47, 0.15]}


@pytest.fixture
def line():
    return ae.data.rank_one_line(200, rng=0)


def test_points_and_arrows_are_drawn_as_given(line):
    figure = ae.plot.line_data(line, LECTURE, title="One line")
    (axes,) = figure.axes
    assert (axes.collections[0].get_offsets() == line).all()
    arrows = [text for text in axes.texts if getattr(text, "arrow_patch", None)]
    assert [(a.xyann, a.xy) for a in arrows] == [((0, 0), (1.0, -1.0)), ((0, 0), (2.0, 1.0))]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x₁", "x₂")


def test_every_point_and_every_arrow_is_inside_the_frame(line):
    far = np.array([30.0, -40.0])
    (axes,) = ae.plot.line_data(line, {"w": far}).axes
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    for x, y in [*line, far, (0, 0)]:
        assert x0 < x < x1
        assert y0 < y < y1


def test_right_angles_are_right(line):
    figure = ae.plot.line_data(line, {"d": [2, 1], "its normal": [-1, 2]})
    figure.draw_without_rendering()
    origin, d, normal = figure.axes[0].transData.transform([(0, 0), (2, 1), (-1, 2)])
    assert abs((d - origin) @ (normal - origin)) < 1e-6 * np.linalg.norm(d - origin) ** 2


def test_names_carry_the_numbers_and_overlap_neither_each_other_nor_the_frame(line):
    figure = ae.plot.line_data(line, LECTURE | FOUND)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    names = [text for text in axes.texts if text.get_text()]
    assert [n.get_text() for n in names[1:3]] == ["lecture's ŵ = (2, 1)", "w found, start 1 = (0.12, 0.71)"]
    boxes = [n.get_window_extent() for n in names]
    for a, b in itertools.combinations(boxes, 2):
        assert min(a.x1, b.x1) <= max(a.x0, b.x0) or min(a.y1, b.y1) <= max(a.y0, b.y0)
    frame = axes.get_window_extent()
    assert all(frame.x0 <= b.x0 and b.x1 <= frame.x1 and frame.y0 <= b.y0 and b.y1 <= frame.y1 for b in boxes)


def test_no_directions_is_a_plain_scatter_of_the_points(line):
    assert list(ae.plot.line_data(line, {}).axes[0].texts) == []


@pytest.mark.parametrize(
    ("X", "directions", "message"),
    [
        (np.zeros((2, 5)), {}, r"X must have shape \(n, 2\).*did you mean its transpose"),
        (np.zeros((5, 2)), {"w": [1, 2, 3]}, r"direction 'w' must have shape \(2,\); got \(3,\)"),
        (np.zeros((5, 2)), {"w": [0, 0]}, "direction 'w' is the zero vector"),
        (np.zeros((5, 2)), {"w": [np.nan, 0]}, "direction 'w' has 1 NaN"),
    ],
)
def test_wrong_points_or_directions_are_refused(X, directions, message):
    with pytest.raises(ValueError, match=message):
        ae.plot.line_data(X, directions)


@given(anchors=arrays(float, (8, 2), elements=st.floats(100, 900)))
def test_labels_in_the_plane_never_overlap_where_there_is_room(anchors):
    sizes = np.tile([40.0, 20.0], (8, 1))
    centres = in_the_plane(
        list(anchors[:, None]),
        sizes,
        box=np.array([[0.0, 0.0], [1000.0, 1000.0]]),
        obstacles=[np.empty((0, 2))] * 8,
        rings=(0, 10, 30, 60, 100),
    )
    for a, b in itertools.combinations(centres, 2):
        assert (np.abs(a - b) >= (40, 20)).any()
    assert (centres - sizes / 2 >= 0).all()
    assert (centres + sizes / 2 <= 1000).all()
