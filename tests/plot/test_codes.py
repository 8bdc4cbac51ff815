"""A code map shows every code once, in the colour of its class, and names the classes where they are."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex

import autograd_ae as ae
from autograd_ae.plot.codes import densest
from autograd_ae.plot.style import PALETTE


def clusters(rng, n=200, classes=10, spread=0.3):
    labels = rng.integers(0, classes, n)
    centres = rng.normal(size=(classes, 2))
    return centres[labels] + spread * rng.normal(size=(n, 2)), labels


def test_every_code_is_drawn_once_in_the_colour_of_its_class(rng):
    Z, labels = clusters(rng)
    points = ae.plot.code_map(Z, labels).axes[0].collections[0]
    drawn = {tuple(xy): to_hex(c) for xy, c in zip(points.get_offsets(), points.get_facecolors(), strict=True)}
    assert drawn == {tuple(z): PALETTE[k].lower() for z, k in zip(Z, labels, strict=True)}


def test_a_class_keeps_its_colour_whatever_other_classes_there_are(rng):
    Z, labels = clusters(rng)
    some = np.isin(labels, (1, 8))
    points = ae.plot.code_map(Z[some], labels[some]).axes[0].collections[0]
    assert {to_hex(c) for c in points.get_facecolors()} == {PALETTE[1].lower(), PALETTE[8].lower()}


def test_classes_are_drawn_in_mixed_order_so_that_none_hides_another():
    labels = np.repeat(np.arange(10), 100)
    points = ae.plot.code_map(np.random.default_rng(0).normal(size=(1000, 2)), labels).axes[0].collections[0]
    colours = [to_hex(c) for c in points.get_facecolors()]
    last = set(colours[-100:])  # what lies on top
    assert len(last) == 10


def overlap(a, b):
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 0 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0


@pytest.mark.parametrize("spread", [0.0, 0.05, 1.0])
def test_names_of_classes_overlap_neither_each_other_nor_the_frame(rng, spread):
    """Also when all ten classes have one centre."""
    labels = np.arange(500) % 10
    figure = ae.plot.code_map(spread * rng.normal(size=(500, 2)), labels)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [text.get_bbox_patch().get_window_extent() for text in axes.texts]
    assert len(boxes) == 10
    assert not any(overlap(a, b) for a, b in itertools.combinations(boxes, 2))
    frame = axes.get_window_extent()
    assert all(frame.x0 <= b.x0 and b.x1 <= frame.x1 and frame.y0 <= b.y0 and b.y1 <= frame.y1 for b in boxes)


def test_a_name_stands_in_the_densest_cluster_of_its_class(rng):
    large, small = rng.normal(size=(300, 2)) * 0.1, rng.normal(size=(200, 2)) * 0.1 + 10
    Z = np.concatenate([large, small])
    assert np.linalg.norm(densest(Z, 0.6)) < 0.2
    (text,) = ae.plot.code_map(Z, np.full(500, 7), names={7: "seven"}).axes[0].texts
    assert text.get_text() == "seven"
    assert np.linalg.norm(text.get_position()) < 0.2


def test_both_axes_have_one_scale_even_if_one_latent_variable_is_dead(rng):
    Z = np.column_stack([rng.normal(size=50), np.full(50, 0.5)])
    figure = ae.plot.code_map(Z, np.zeros(50, int))
    figure.draw_without_rendering()
    x, y = figure.axes[0].transData.transform([(0, 0), (1, 1)]).T
    assert np.isclose(np.diff(x), np.diff(y))


def test_axes_are_labelled_and_names_may_be_a_sequence_or_the_labels_text():
    figure = ae.plot.code_map(np.eye(2), ["one", "eight"], xlabel="first code", title="a title")
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("first code", "z₂")
    assert axes.get_title(loc="left") == "a title"
    assert [t.get_text() for t in axes.texts] == ["eight", "one"]
    assert [t.get_text() for t in ae.plot.code_map(np.eye(2), [1, 0], names=["zero", "one"]).axes[0].texts] == [
        "zero",
        "one",
    ]


@pytest.mark.parametrize(
    ("codes", "labels", "options", "message"),
    [
        (
            np.zeros((2, 5)),
            np.zeros(5),
            {},
            r"codes must have shape \(n, 2\).*got \(2, 5\); did you mean its transpose",
        ),
        (np.zeros((5, 3)), np.zeros(5), {}, r"got \(5, 3\)$"),
        (np.zeros((0, 2)), np.zeros(0), {}, "codes must have shape"),
        (np.zeros((5, 2)), np.zeros(4), {}, r"labels must have shape \(5,\), one for each code; got \(4,\)"),
        (np.full((5, 2), np.inf), np.zeros(5), {}, "10 NaN or infinite"),
        (np.zeros((1, 2)), [3], {"names": {1: "one"}}, "names has no entry for the class 3"),
        (np.zeros((1, 2)), [3], {"names": ["zero", "one"]}, "names has no entry for the class 3"),
    ],
)
def test_wrong_codes_labels_or_names_are_refused(codes, labels, options, message):
    with pytest.raises(ValueError, match=message):
        ae.plot.code_map(codes, labels, **options)
