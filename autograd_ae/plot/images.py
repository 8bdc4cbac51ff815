"""Images in rows, to be compared by eye.

They are drawn so that a pixel of the image is a whole number of dots: no resampling, no uneven pixels.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from autograd_ae.plot import arguments
from autograd_ae.plot.arguments import Array
from autograd_ae.plot.labels import size_of
from autograd_ae.plot.style import DPI, FAINT, MARGIN, WIDTH, add_axes, new_figure, set_page, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

ROW_GAP, LARGEST = 0.1, 1.2  # inches: between rows; the side of an image


@styled
def image_rows(
    rows: Mapping[str, ArrayLike], *, image_shape: Sequence[int] = (28, 28), title: str | None = None
) -> Figure:
    """One labelled row of grey images per entry: originals, then reconstructions of the same, column by column.

    Parameters
    ----------
    rows : label → (n, pixels), the same n in all; ten images are read best. The first line of a label is its name, what
        follows a newline is set below it in grey: "PCA, 2 numbers\\ntest error 43.6".
    image_shape : (height, width) with height · width = pixels.

    One grey scale for all, 0 black and 1 white; values outside [0, 1], which a linear decoder gives, are clipped.

    Raises
    ------
    ValueError, TypeError : no rows, a shape that does not fit, rows of unequal length, NaN.

    >>> image_rows({"noise": np.random.default_rng(0).random((3, 16))}, image_shape=(4, 4)).axes[0].get_label()
    'noise'
    """
    shape = arguments.size_of_image(image_shape)
    if not rows:
        raise ValueError("rows is empty; give at least one entry, label → images (n, pixels)")
    stacks = {label: arguments.images(f"rows[{label!r}]", X, shape) for label, X in rows.items()}
    counts = {label: len(X) for label, X in stacks.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"every row needs the same number of images, to be compared column by column; got {counts}")
    return _figure({label: mosaic(X, columns=len(X)) for label, X in stacks.items()}, shape, title)


def _figure(mosaics: dict[str, Array], shape: tuple[int, int], title: str | None) -> Figure:
    figure = new_figure(WIDTH, 1, layout=None)
    labels = [_label(figure, label) for label in mosaics]
    sizes = np.array([[size_of(text) for text in pair] for pair in labels]) / figure.dpi  # (rows, 2, 2)
    left = 2 * MARGIN + sizes[..., 0].max()
    height, width = next(iter(mosaics.values())).shape
    dots = whole_dots((WIDTH - left - MARGIN) / width, LARGEST / max(shape))
    h, w = height * dots / DPI, width * dots / DPI
    pitch = max(h, sizes[..., 1].sum(axis=1).max()) + ROW_GAP
    top = len(mosaics) * pitch - ROW_GAP + MARGIN
    set_page(figure, left + w + MARGIN, top + MARGIN, title)
    for i, (label, image) in enumerate(mosaics.items()):
        middle = top - i * pitch - (pitch - ROW_GAP) / 2
        axes = add_axes(figure, left, middle - h / 2, w, h, label=label)
        axes.imshow(image, cmap="gray", vmin=0, vmax=1, aspect="auto")
        axes.set_axis_off()
        above, below = sizes[i, :, 1]
        for text, y in zip(labels[i], (middle + (above + below) / 2, middle + (below - above) / 2), strict=True):
            text.set(x=MARGIN, y=y, transform=figure.dpi_scale_trans, va="top")
    return figure


def _label(figure: Figure, label: str) -> tuple[Text, Text]:
    """The name and, under it, the remark, not yet in their place."""
    name, _, remark = label.partition("\n")
    below = [line for part in remark.split("\n") for line in textwrap.wrap(part, 26)]
    return (
        figure.text(0, 0, textwrap.fill(name, 22), size=11, parse_math=False),
        figure.text(0, 0, "\n".join(below), size=9.5, color=FAINT, linespacing=1.25, parse_math=False),
    )


def whole_dots(inches: float, at_most: float) -> int:
    """Dots along one pixel of an image: a whole number, at least 2, else neither above `inches` nor `at_most`."""
    return max(2, int(min(inches, at_most) * DPI))


def mosaic(images: Array, *, columns: int, gap: int = 2) -> Array:
    """(n, h, w) as one picture of `columns` columns, NaN between the images and in empty places.

    >>> mosaic(np.ones((3, 1, 1)), columns=2, gap=1)
    array([[ 1., nan,  1.],
           [nan, nan, nan],
           [ 1., nan, nan]])
    """
    n, h, w = images.shape
    rows = -(-n // columns)
    tiles = np.full((rows * columns, h + gap, w + gap), np.nan)
    tiles[:n, :h, :w] = images
    picture = tiles.reshape(rows, columns, h + gap, w + gap).swapaxes(1, 2).reshape(rows * (h + gap), -1)
    return picture[: picture.shape[0] - gap, : picture.shape[1] - gap]
