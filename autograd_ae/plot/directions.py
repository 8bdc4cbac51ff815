"""The lecture's picture of a rank-one representation: points on or around a line, and where the weights point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from autograd_ae.plot import arguments
from autograd_ae.plot.arguments import Array
from autograd_ae.plot.labels import in_the_plane, size_of
from autograd_ae.plot.style import FAINT, GRID, PALETTE, WIDTH, for_text, new_figure, settle, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

RINGS = (0, 6, 12, 20, 30)  # dots between a name and its arrow or line


@styled
def line_data(
    X: ArrayLike,
    directions: Mapping[str, ArrayLike],
    *,
    title: str | None = None,
    xlabel: str = "x₁",
    ylabel: str = "x₂",
) -> Figure:
    """Points of the plane, and for each direction an arrow from the origin, the line it spans, its name and numbers.

    Parameters
    ----------
    X : (n, 2).    directions : name → (2,), not zero: an encoder's w, a decoder's ŵ, a principal direction.

    Both axes have one scale, so right angles are right. Arrows have their true length.

    Raises
    ------
    ValueError, TypeError : shapes that do not fit, NaN, a direction that is zero.

    >>> figure = line_data([[2, 1], [-4, -2]], {"w": [1, -1], "ŵ": [2, 1]}, title="x = (2α, α)")
    >>> [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    ['w = (1, −1)', 'ŵ = (2, 1)']
    """
    data = arguments.points("X", X)
    vectors = {name: arguments.direction(name, v) for name, v in directions.items()}
    tips = np.array(list(vectors.values())).reshape(-1, 2)
    figure = new_figure(WIDTH, 5.0)
    axes = figure.add_subplot()
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_title(title or "")
    axes.grid(color=GRID, lw=0.8)
    size = float(np.clip(6000 / len(data), 6, 30))
    axes.scatter(data[:, 0], data[:, 1], s=size, color=FAINT, alpha=0.45, linewidths=0, zorder=2)
    axes.update_datalim(np.vstack([np.zeros(2), tips]))
    axes.margins(0.06)
    settle(figure)
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())  # fixed: lines and names change them no more
    texts = [_arrow(axes, k, name, v) for k, (name, v) in enumerate(vectors.items())]
    if texts:
        _place(axes, texts, data, tips)
    return figure


def _arrow(axes: Axes, k: int, name: str, v: Array) -> Text:
    """The arrow, the line through it, and its name, not yet in its place."""
    colour, x, y = PALETTE[k % (len(PALETTE) - 1)], float(v[0]), float(v[1])
    axes.axline((0, 0), (x, y), color=colour, lw=1, alpha=0.5, zorder=3)
    arrow = {"arrowstyle": "-|>,head_width=0.3,head_length=0.6", "color": colour, "lw": 2.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=(x, y), xytext=(0, 0), arrowprops=arrow, zorder=4)
    numbers = ", ".join(f"{n:.3g}" for n in v).replace("-", "−")
    plate = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85}
    name = f"{name} = ({numbers})"
    return axes.text(
        x, y, name, color=for_text(colour), size=10.5, bbox=plate, parse_math=False, zorder=6, ha="center", va="center"
    )


def _place(axes: Axes, texts: list[Text], data: Array, tips: Array) -> None:
    """Each name by its arrow's tip, or farther out on its line, clear of names, points, arrows and the other lines."""
    box = axes.get_window_extent().get_points()
    origin, *ends = axes.transData.transform(np.vstack([np.zeros(2), tips]))
    arrows = [origin + np.linspace(0, 1, 60)[:, None] * (end - origin) for end in ends]
    rays = [_ray(origin, end, box) for end in ends]
    always = np.concatenate([axes.transData.transform(data), *arrows])
    obstacles = [np.concatenate([always, *rays[:k], *rays[k + 1 :]]) for k in range(len(rays))]
    sizes = np.stack([size_of(t) for t in texts]) + 4
    centres = in_the_plane(rays, sizes, box=box, obstacles=obstacles, rings=RINGS)
    for text, position in zip(texts, axes.transData.inverted().transform(centres), strict=True):
        text.set_position((position[0], position[1]))


def _ray(origin: Array, tip: Array, box: Array) -> Array:
    """Points every 8 dots on the line from the arrow's tip outwards, inside the box."""
    unit = (tip - origin) / np.linalg.norm(tip - origin)
    points = tip + 8 * np.arange(np.linalg.norm(box[1] - box[0]) // 8 + 1)[:, None] * unit
    inside = ((points >= box[0]) & (points <= box[1])).all(axis=1)
    inside[0] = True
    return np.asarray(points[inside])
