"""Labelled images: scales are rounded once, arrays are safe to share, subsets keep pixels and labels together."""

from fractions import Fraction

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.data import Dataset, Images

GREYS = Images(np.arange(256, dtype=np.uint8).reshape(64, 4), np.arange(64) % 3, (2, 2))


def scaled(scale, dtype):
    return Images(GREYS.pixels, GREYS.labels, GREYS.shape, scale=scale, dtype=dtype).images


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("scale", "exact"), [("unit", lambda p: Fraction(p, 255)), ("signed", lambda p: Fraction(2 * p - 255, 255))]
)
def test_a_grey_level_is_rounded_once(scale, exact, dtype):
    for p, value in enumerate(scaled(scale, dtype).ravel()):
        half_ulp = Fraction(float(np.spacing(np.abs(value)))) / 2
        assert abs(Fraction(float(value)) - exact(p)) <= half_ulp


@pytest.mark.parametrize("dtype", [np.float32, np.float64, "float64"])
def test_every_scale_keeps_its_range_and_its_dtype(dtype):
    ranges = {"unit": [0, 1], "signed": [-1, 1], "binary": [0, 1]}
    for scale, ends in ranges.items():
        values = scaled(scale, dtype)
        assert values.dtype == dtype
        assert values.shape == GREYS.pixels.shape
        assert [values.min(), values.max()] == ends
        assert np.all(np.diff(values.ravel()) >= 0)


def test_signed_is_odd_and_binary_is_the_threshold_one_half():
    assert np.array_equal(scaled("signed", np.float32).ravel()[::-1], -scaled("signed", np.float32).ravel())
    assert np.array_equal(scaled("binary", np.float64), scaled("unit", np.float64) >= 0.5)


def test_images_are_made_when_asked_for_and_only_once():
    images = GREYS.take(slice(None))
    assert "images" not in vars(images)
    assert images.images is images.images


def test_the_gram_matrix_of_the_pixels_is_exact_in_float64():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (500, 9), dtype=np.uint8)
    X = Images(pixels, np.zeros(500, int), (3, 3)).pixels.astype(np.float64)
    assert np.array_equal((X.T @ X).astype(np.int64), pixels.astype(np.int64).T @ pixels.astype(np.int64))


def test_arrays_are_read_only_and_the_callers_stay_writable():
    pixels, labels = np.zeros((3, 4), np.uint8), np.zeros(3, int)
    images = Images(pixels, labels, (2, 2))
    for array in (images.pixels, images.labels, images.images):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    pixels[0] = labels[0] = 1
    with pytest.raises(AttributeError):
        images.labels = labels


@given(
    labels=npst.arrays(np.uint8, st.integers(1, 30), elements=st.integers(0, 4)),
    wanted=st.lists(st.integers(0, 4), min_size=1, max_size=5),
)
def test_only_keeps_these_classes_in_order_and_nothing_else(labels, wanted):
    images = Images(np.arange(len(labels), dtype=np.uint8)[:, None], labels, (1, 1))
    if not {*wanted} <= {*labels.tolist()}:
        with pytest.raises(ValueError, match="no image has the label"):
            images.only(*wanted)
        return
    kept = images.only(*wanted)
    rows = [b for b in range(len(labels)) if labels[b] in wanted]
    assert kept.pixels.ravel().tolist() == rows
    assert kept.labels.tolist() == labels[rows].tolist()


def test_subsets_keep_scale_dtype_and_shape():
    images = Images(GREYS.pixels, GREYS.labels, (2, 2), scale="signed", dtype=np.float64)
    for part in (images.only(0, 2), images.take(slice(5)), images.take([3, 1]), images.take(images.labels == 1)):
        assert (part.scale, part.dtype, part.shape) == ("signed", np.float64, (2, 2))
    assert images.take([3, 1]).labels.tolist() == [0, 1]
    assert np.array_equal(images.take([3, 1]).images, images.images[[3, 1]])


def test_labels_do_not_wrap_around():
    assert (Images(GREYS.pixels, np.zeros(64, np.uint8), (2, 2)).labels - 1).min() == -1


def test_a_dataset_selects_in_both_parts_and_says_what_it_is():
    data = Dataset("greys", GREYS, GREYS.take(slice(10)), "public domain")
    pair = data.only(1, 2)
    assert (pair.name, pair.notice) == ("greys", "public domain")
    assert pair.train.classes.tolist() == pair.test.classes.tolist() == [1, 2]
    assert "Images(64 of 2×2, classes 0 1 2, unit float32)" in repr(data)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((GREYS.images, GREYS.labels, (2, 2)), {}, TypeError, "must be uint8, not float32"),
        (
            (GREYS.pixels, GREYS.labels),
            {},
            ValueError,
            r"\(28, 28\) image in each row; got an array of shape \(64, 4\)",
        ),
        ((GREYS.pixels[0], GREYS.labels, (2, 2)), {}, ValueError, r"shape \(4,\)"),
        ((GREYS.pixels, GREYS.labels[:-1], (2, 2)), {}, ValueError, r"64 images need as many integer labels.*\(63,\)"),
        ((GREYS.pixels, GREYS.labels * 1.0, (2, 2)), {}, ValueError, "integer labels; got float64"),
        (
            (GREYS.pixels, GREYS.labels, (2, 2)),
            {"scale": "units"},
            ValueError,
            "unknown scale 'units'.*'unit', 'signed'",
        ),
        ((GREYS.pixels, GREYS.labels, (2, 2)), {"dtype": np.float16}, TypeError, "float32 or float64"),
        ((GREYS.pixels, GREYS.labels, (2, 2)), {"dtype": None}, TypeError, "float32 or float64, not None"),
    ],
)
def test_what_are_no_images_is_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        Images(*arguments, **options)


@pytest.mark.parametrize("classes", [(), (7,), (0, 7), ("0",), ([0, 1],)])
def test_only_names_the_classes_that_there_are(classes):
    with pytest.raises(ValueError, match="the classes here are 0 1 2"):
        GREYS.only(*classes)
