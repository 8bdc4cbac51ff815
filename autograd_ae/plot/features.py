"""Weights as images: what each unit looks for, what each latent variable draws."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from operator import index
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from autograd_ae.plot import arguments
from autograd_ae.plot.arguments import Array
from autograd_ae.plot.images import mosaic, whole_dots
from autograd_ae.plot.style import DPI, MARGIN, WIDTH, add_axes, new_figure, set_page, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

BAR, TICKS, TALLEST, LARGEST = 0.16, 0.85, 8.0, 1.8  # inches: colour scale, its labels, the grid, an image
BETWEEN = "#B8B8B8"  # white is 0, so the gaps are grey


@styled
def features(
    weights: ArrayLike,
    *,
    image_shape: Sequence[int] = (28, 28),
    columns: int | None = None,
    title: str | None = None,
    label: str = "weight",
) -> Figure:
    """A grid of weight vectors as images, in reading order.

    Parameters
    ----------
    weights : (k, pixels), one unit in each row: an encoder's W (pixels, k) as W.T, a decoder's W (k, pixels) as it is.
    image_shape : (height, width) with height · width = pixels.
    columns : of the grid; by default wider than high, with few empty places.
    label : what the colour scale measures.

    One diverging scale for all, symmetric about 0, which is white: red positive, blue negative, safe for colour-blind
    readers. To compare shapes and not strengths, normalise the rows first.

    Raises
    ------
    ValueError, TypeError : a shape that does not fit, NaN, columns < 1.

    >>> features(np.eye(4), image_shape=(2, 2), columns=2).axes[0].images[0].get_clim()
    (-1.0, 1.0)
    """
    shape = arguments.size_of_image(image_shape)
    stack = arguments.images("weights", weights, shape)
    across = min(len(stack), _good_columns(len(stack)) if columns is None else _columns(columns))
    grid = mosaic(stack, columns=across)
    height, width = grid.shape
    room = min((WIDTH - 3 * MARGIN - BAR - TICKS) / width, TALLEST / height)
    dots = whole_dots(room, LARGEST / max(shape))
    h, w = height * dots / DPI, width * dots / DPI
    figure = new_figure(WIDTH, 1, layout=None)
    set_page(figure, w + 3 * MARGIN + BAR + TICKS, max(h, 1.0) + 2 * MARGIN, title)
    axes = add_axes(figure, MARGIN, MARGIN + max(h, 1.0) - h, w, h)
    image = _draw(axes, grid, float(np.abs(stack).max()) or 1.0)
    _whiten_empty_places(axes, len(stack), across, shape)
    _scale(figure, image, x=w + 2 * MARGIN, top=MARGIN + max(h, 1.0), length=min(max(h, 1.0), 2.6), label=label)
    return figure


def _draw(axes: Axes, grid: Array, top: float) -> AxesImage:
    axes.set_facecolor(BETWEEN)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return axes.imshow(np.ma.masked_invalid(grid), cmap="RdBu_r", vmin=-top, vmax=top, aspect="auto")


def _whiten_empty_places(axes: Axes, k: int, columns: int, shape: tuple[int, int], gap: int = 2) -> None:
    """The last row may not be full; there is nothing there, not even a grey."""
    if k % columns:
        left, top = (k % columns) * (shape[1] + gap) - gap, k // columns * (shape[0] + gap)
        right, bottom = axes.get_xlim()[1], axes.get_ylim()[0]
        axes.fill_between([left - 0.5, right], top - 0.5, bottom, color="white", linewidth=0, zorder=3)


def _scale(figure: Figure, image: AxesImage, *, x: float, top: float, length: float, label: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes = add_axes(figure, x, top - length, BAR, length)
    figure.colorbar(image, cax=axes, label=label, ticks=MaxNLocator(5, symmetric=True))


def _good_columns(k: int) -> int:
    """Between √k and 1.6 √k, with as few empty places as may be.

    >>> [_good_columns(k) for k in (1, 2, 10, 30, 64, 100)]
    [1, 2, 5, 6, 8, 10]
    """
    candidates = range(ceil(sqrt(k)), max(ceil(sqrt(k)), int(1.6 * sqrt(k))) + 1)
    return min(candidates, key=lambda columns: (-k % columns, columns))


def _columns(columns: int) -> int:
    try:
        n = index(columns)
    except TypeError:
        raise TypeError(f"columns must be an integer, not {columns!r}") from None
    if n < 1:
        raise ValueError(f"columns must be at least 1, not {n}")
    return n
