"""Codes in the plane: what a bottleneck of two numbers makes of the classes that it was never told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd_ae.plot import arguments
from autograd_ae.plot.arguments import Array
from autograd_ae.plot.labels import in_the_plane, size_of
from autograd_ae.plot.style import INK, PALETTE, WIDTH, new_figure, settle, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 6.4  # inches
INK_SHARE = 0.16  # of the figure, if no two points met
RINGS = (0, 2, 10, 20, 35, 50, 80, 110, 150)  # dots that a name may stand off its point


@styled
def code_map(
    codes: ArrayLike,
    labels: ArrayLike,
    *,
    names: Mapping[Any, str] | Sequence[str] | None = None,
    title: str | None = None,
    xlabel: str = "z₁",
    ylabel: str = "z₂",
) -> Figure:
    """Two-dimensional codes, coloured by class, each class named where it is densest.

    Parameters
    ----------
    codes : (n, 2); 2,000 to 10,000 points are shown well.    labels : (n,), the class of each.
    names : of the classes, names[label]; by default the label itself.

    A class has the same colour in every map, whatever others there are (unless its label is no integer).
    Both axes have one scale, so distances are what they seem, and a latent variable that died shows as a line. Points
    get smaller as they get more numerous, are half transparent, and are drawn in random order: no class hides another.

    Raises
    ------
    ValueError, TypeError : shapes that do not fit, NaN, a class without a name.

    >>> figure = code_map([[0, 0], [1, 1], [1, 0]], [3, 3, 8])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['3', '8']
    """
    Z = arguments.points("codes", codes)
    classes, number = np.unique(arguments.class_labels(labels, len(Z)), return_inverse=True)
    shown = [_name(c, names) for c in classes.tolist()]
    colours = [_colour(c, k) for k, c in enumerate(classes.tolist())]
    figure = new_figure(WIDTH, HEIGHT)
    axes = figure.add_subplot()
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_title(title or "")
    axes.margins(0.03)
    _scatter(axes, Z, number, colours)
    reach = 0.06 * float(np.ptp(Z, axis=0).max())
    homes = np.stack([densest(Z[number == k], reach) for k in range(len(classes))])
    _name_classes(figure, axes, homes, shown, colours)
    return figure


def densest(Z: Array, reach: float, *, at_most: int = 1000) -> Array:
    """(2,): the mean of the points within `reach` of the one that has most of them; of every k-th point if many.

    A mean or median of all would stand in another class when there are two clusters or a crescent.

    >>> densest(np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 2.0], [9.0, 9.0]]), 1.5).tolist()
    [0.0, 1.0]
    """
    Z = Z[:: -(-len(Z) // at_most)]
    near = ((Z[:, None] - Z) ** 2).sum(axis=2) <= reach**2
    return np.asarray(Z[near[near.sum(axis=1).argmax()]].mean(axis=0))


def _colour(label: Any, k: int) -> str:
    return PALETTE[(label if isinstance(label, int) else k) % len(PALETTE)]


def _scatter(axes: Axes, Z: Array, number: NDArray[np.intp], colours: list[str]) -> None:
    order = np.random.default_rng(0).permutation(len(Z))
    area = 72 * WIDTH * 72 * HEIGHT  # points², as Matplotlib counts the sizes of markers
    axes.scatter(
        Z[order, 0],
        Z[order, 1],
        s=float(np.clip(INK_SHARE * area / len(Z), 3, 40)),
        c=[colours[k] for k in number[order]],
        alpha=0.65,
        linewidths=0,
        rasterized=True,  # ten thousand circles would make a heavy svg
    )


def _name_classes(figure: Figure, axes: Axes, homes: Array, shown: list[str], colours: list[str]) -> None:
    """Each name on a white plate edged in its colour, at home; pushed aside, with a line back, where two collide."""
    settle(figure)
    texts = [
        axes.text(
            x, y, name, weight="bold", size=12, ha="center", va="center", parse_math=False, zorder=5,
            bbox={"boxstyle": "round,pad=0.25", "fc": "white", "ec": colour, "lw": 2, "alpha": 0.92},
        )
        for (x, y), name, colour in zip(homes, shown, colours, strict=True)
    ]  # fmt: skip
    anchors = axes.transData.transform(homes)
    sizes = np.stack([size_of(t) for t in texts]) + 4
    box = axes.get_window_extent().get_points()
    centres = in_the_plane(
        list(anchors[:, None]), sizes, box=box, obstacles=[np.empty((0, 2))] * len(texts), rings=RINGS
    )
    placed = axes.transData.inverted().transform(centres)
    for k, (text, m, p) in enumerate(zip(texts, homes, placed, strict=True)):
        text.set_position((p[0], p[1]))
        if not np.array_equal(centres[k], anchors[k]):
            axes.plot([m[0], p[0]], [m[1], p[1]], color=INK, lw=1, scalex=False, scaley=False, zorder=4)
            axes.scatter(m[0], m[1], s=22, color=colours[k], edgecolors=INK, linewidths=1, zorder=4)


def _name(label: Any, names: Mapping[Any, str] | Sequence[str] | None) -> str:
    if names is None:
        return str(label)
    try:
        return str(names[label])
    except (KeyError, IndexError, TypeError):
        raise ValueError(f"names has no entry for the class {label!r}; give one for each, or leave names out") from None
