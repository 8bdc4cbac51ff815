"""Rows of images and grids of weights show the numbers that they were given, pixel by pixel."""

from math import ceil, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

import autograd_ae as ae
from autograd_ae.plot.features import _good_columns
from autograd_ae.plot.images import mosaic


@pytest.fixture(scope="module")
def digits():
    return ae.data.load_digits().test.images[:10]


def dots_of(axes, picture):
    """The part of a saved picture that an axes covers, grey levels in [0, 1]."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = axes.get_position().extents * [width, height, width, height]
    return picture[round(height - y1) : round(height - y0), round(x0) : round(x1), 0]


def test_every_pixel_is_a_square_of_whole_dots_with_its_own_grey(digits, tmp_path):
    figure = ae.plot.image_rows({"digits": digits})
    picture = imread(ae.plot.save(figure, tmp_path / "rows.png"))
    shown = dots_of(figure.axes[0], picture)
    expected = mosaic(digits.reshape(-1, 28, 28).astype(float), columns=10)
    dots = shown.shape[0] // 28
    assert shown.shape == (28 * dots, expected.shape[1] * dots)
    blocks = shown.reshape(28, dots, -1, dots)
    assert (blocks == blocks[:, :1, :, :1]).all()
    image = ~np.isnan(expected)
    assert np.abs(blocks[:, 0, :, 0] - expected)[image].max() <= 1 / 255  # 256 levels


def test_values_outside_the_grey_scale_are_clipped(digits, tmp_path):
    wild = 3 * digits - 1
    wild_bytes = ae.plot.save(ae.plot.image_rows({"a": wild}), tmp_path / "wild.png").read_bytes()
    tame_bytes = ae.plot.save(ae.plot.image_rows({"a": np.clip(wild, 0, 1)}), tmp_path / "tame.png").read_bytes()
    assert wild_bytes == tame_bytes


def test_all_rows_share_one_scale_and_keep_their_order(digits):
    figure = ae.plot.image_rows({"original": digits, "dark\nhalf as bright": digits / 2})
    assert [axes.get_label() for axes in figure.axes] == ["original", "dark\nhalf as bright"]
    assert all(axes.images[0].get_clim() == (0, 1) for axes in figure.axes)
    upper, lower = (axes.get_position() for axes in figure.axes)
    assert upper.y0 > lower.y1
    assert [text.get_text() for text in figure.texts] == ["original", "", "dark", "half as bright"]


@pytest.mark.parametrize("n", [1, 3, 10, 25])
@pytest.mark.parametrize(
    "title", [None, "A title that is longer than the images below it are wide, if there is but one"]
)
def test_nothing_leaves_the_page_and_labels_keep_clear_of_images(digits, n, title):
    images = np.tile(digits, (3, 1))[:n]
    labels = [
        "original",
        "autoencoder, 2 numbers\ntest error 37.6",
        "a label of many words that will have to be folded",
    ]
    figure = ae.plot.image_rows(dict.fromkeys(labels, images), title=title)
    figure.draw_without_rendering()
    page = figure.bbox
    left_of_images = min(axes.get_window_extent().x0 for axes in figure.axes)
    for text in figure.texts:
        box = text.get_window_extent()
        assert page.x0 <= box.x0
        assert box.x1 <= page.x1
        assert page.y0 <= box.y0
        assert box.y1 <= page.y1
        assert box.x1 <= left_of_images or text.get_text() == title
        assert text.get_text() != title or box.y0 >= max(axes.get_window_extent().y1 for axes in figure.axes)


@given(n=st.integers(1, 12), h=st.integers(1, 4), w=st.integers(1, 4), columns=st.integers(1, 6), gap=st.integers(0, 2))
def test_a_mosaic_holds_each_image_once_in_reading_order(n, h, w, columns, gap):
    images = np.arange(n * h * w, dtype=float).reshape(n, h, w)
    picture = mosaic(images, columns=columns, gap=gap)
    for k in range(n):
        top, left = k // columns * (h + gap), k % columns * (w + gap)
        assert (picture[top : top + h, left : left + w] == images[k]).all()
    assert np.isfinite(picture).sum() == images.size


def test_weights_share_one_scale_that_is_symmetric_about_white(rng):
    weights = rng.normal(size=(6, 12))
    figure = ae.plot.features(weights, image_shape=(3, 4), columns=3)
    image = figure.axes[0].images[0]
    top = np.abs(weights).max()
    assert image.get_clim() == (-top, top)
    red, green, blue, _ = image.to_rgba([0.0])[0]
    assert min(red, green, blue) > 0.96
    shown = image.get_array()
    assert (shown[:3, :4] == weights[0].reshape(3, 4)).all()
    assert (shown[5:8, 12:16] == weights[5].reshape(3, 4)).all()


def test_places_without_an_image_are_white_like_the_page(rng, tmp_path):
    figure = ae.plot.features(rng.normal(size=(5, 16)), image_shape=(4, 4), columns=3)
    picture = imread(ae.plot.save(figure, tmp_path / "features.png"))
    shown = dots_of(figure.axes[0], picture)
    dots = shown.shape[0] / 10
    assert (shown[round(6.5 * dots) : round(9.5 * dots), round(12.5 * dots) :] == 1).all()
    assert (shown[round(4.5 * dots) : round(5.5 * dots), : round(3 * dots)] < 0.8).all()  # the gap is grey


def test_weights_that_are_all_zero_are_white_and_not_an_error():
    assert ae.plot.features(np.zeros((2, 4)), image_shape=(2, 2)).axes[0].images[0].get_clim() == (-1, 1)


@given(k=st.integers(1, 600))
def test_the_default_grid_is_wider_than_high_and_no_emptier_than_a_square(k):
    columns, square = _good_columns(k), ceil(sqrt(k))
    rows = ceil(k / columns)
    assert rows <= columns <= max(1.6 * sqrt(k), square)
    assert rows * columns - k <= -k % square


WRONG_ROWS = {
    "no rows": ({}, {}, "rows is empty"),
    "one image as a vector": ({"a": np.zeros(784)}, {}, r"rows\['a'\] must have shape \(n, 784\)"),
    "another image size": ({"a": np.zeros((2, 64))}, {}, r"got \(2, 64\).*image_shape="),
    "no images": ({"a": np.zeros((0, 784))}, {}, "got"),
    "unequal rows": ({"a": np.zeros((2, 784)), "b": np.zeros((3, 784))}, {}, "same number.*'a': 2, 'b': 3"),
    "NaN": ({"a": np.full((2, 784), np.nan)}, {}, r"1568 NaN or infinite entries, the first at \(0, 0\)"),
    "bad image_shape": ({"a": np.zeros((2, 784))}, {"image_shape": 28}, "image_shape must be"),
    "image_shape of zero": ({"a": np.zeros((2, 0))}, {"image_shape": (0, 5)}, "at least 1"),
}


@pytest.mark.parametrize("case", WRONG_ROWS)
def test_wrong_rows_are_refused_with_what_arrived_and_what_was_needed(case):
    rows, options, message = WRONG_ROWS[case]
    with pytest.raises(ValueError, match=message):
        ae.plot.image_rows(rows, **options)


def test_what_is_no_array_of_real_numbers_is_refused():
    for values in ("abc", [[1, 2], [3]], np.zeros((1, 784), complex), None):
        with pytest.raises(TypeError, match=r"rows\['a'\] must be an array of"):
            ae.plot.image_rows({"a": values})


def test_wrong_columns_are_refused():
    with pytest.raises(ValueError, match="columns must be at least 1, not 0"):
        ae.plot.features(np.zeros((2, 4)), image_shape=(2, 2), columns=0)
    with pytest.raises(TypeError, match=r"columns must be an integer, not 1\.5"):
        ae.plot.features(np.zeros((2, 4)), image_shape=(2, 2), columns=1.5)
