"""Learning curves against the levels that matter: a curve alone does not say whether a model learned anything."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from autograd_ae.plot import arguments
from autograd_ae.plot.arguments import Array
from autograd_ae.plot.labels import in_a_column, number, size_of
from autograd_ae.plot.style import FAINT, GRID, PALETTE, WIDTH, for_text, new_figure, settle, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = PALETTE[:-1]  # yellow is too weak for a line
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))


class End(NamedTuple):
    """Where a line ends, to be named there."""

    name: str
    x: float
    y: float
    colour: str


@styled
def learning_curves(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    references: Mapping[str, float] | None = None,
    xlabel: str,
    ylabel: str,
    log_y: bool = False,
    title: str | None = None,
) -> Figure:
    """Curves, each named at its end with its last value, and horizontal reference lines, each named at the line.

    Parameters
    ----------
    curves : name → (x, y), vectors of one length.    references : name → level, such as {"mean image": 52.9}.
    xlabel, ylabel : with the unit: "epoch", "squared error per image".    log_y : logarithmic y.

    Raises
    ------
    ValueError, TypeError : no curve, x and y of different length, NaN or infinity (the message says where), a value ≤ 0
        with `log_y`.

    >>> curves = {"training": ([1, 2], [50.0, 40.0])}
    >>> figure = learning_curves(curves, references={"PCA": 43.6}, xlabel="epoch", ylabel="squared error per image")
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['training: 40.0', 'PCA: 43.6']
    """
    if not curves:
        raise ValueError("curves is empty; give at least one, name → (x, y)")
    data = {name: arguments.curve(name, xy) for name, xy in curves.items()}
    levels = {name: arguments.level(name, value) for name, value in (references or {}).items()}
    if log_y:
        _refuse_non_positive({**{name: y for name, (_, y) in data.items()}, **levels})
    figure = new_figure(WIDTH, max(4.6, 1.5 + 0.25 * len([*data, *levels])))
    axes = figure.add_subplot()
    axes.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if log_y else "linear")
    axes.set_title(title or "")
    axes.grid(axis="y", color=GRID, lw=0.8)
    ends = [_draw_curve(axes, k, name, x, y) for k, (name, (x, y)) in enumerate(data.items())]
    ends += [_draw_level(axes, name, y) for name, y in levels.items()]
    axes.margins(x=0)
    _ticks(axes, np.concatenate([x for x, _ in data.values()]), log_y)
    _name_ends(figure, axes, ends)
    return figure


def _draw_curve(axes: Axes, k: int, name: str, x: Array, y: Array) -> End:
    colour, dashes = COLOURS[k % len(COLOURS)], DASHES[k // len(COLOURS) % len(DASHES)]
    axes.plot(x, y, color=colour, ls=dashes, marker="o" if len(x) == 1 else None, clip_on=False, zorder=3)
    return End(name, float(x[-1]), float(y[-1]), colour)


def _draw_level(axes: Axes, name: str, y: float) -> End:
    axes.axhline(y, color=FAINT, lw=1.3, ls=(0, (5, 3)), zorder=2)
    return End(name, np.inf, y, FAINT)


def _name_ends(figure: Figure, axes: Axes, ends: list[End]) -> None:
    """Names in a column right of the axes, at the height of what they name or as near as they fit."""
    right = axes.get_xlim()[1]
    texts = [
        axes.text(1.035, end.y, textwrap.fill(f"{end.name}: {number(end.y)}", 28), size=10.5, va="center",
                  color=for_text(end.colour), transform=axes.get_yaxis_transform(), parse_math=False)
        for end in ends
    ]  # fmt: skip
    settle(figure)  # makes room for the names
    heights = axes.transData.transform([(right, end.y) for end in ends])[:, 1]
    gap = max(size_of(text)[1] for text in texts) + 2
    placed = in_a_column(heights, gap, low=gap / 2, high=figure.bbox.height - gap / 2)
    to_axes = axes.transAxes.inverted()
    for text, end, at, name_at in zip(texts, ends, heights, placed, strict=True):
        start, stop = to_axes.transform([(0, at), (0, name_at)])[:, 1]
        text.set(transform=axes.transAxes, y=stop)
        axes.plot([1, 1.028], [start, stop], transform=axes.transAxes, color=end.colour, lw=1, clip_on=False)
        if end.x < right:
            axes.plot([end.x, right], [end.y] * 2, color=end.colour, lw=1, ls=":", scalex=False, scaley=False)


def _ticks(axes: Axes, x: Array, log_y: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(9, steps=[1, 2, 5, 10], integer=bool((x == np.round(x)).all())))
    if not log_y:
        axes.yaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))


def _refuse_non_positive(values: Mapping[str, ArrayLike]) -> None:
    for name, y in values.items():
        if (least := np.min(y)) <= 0:
            raise ValueError(f"log_y needs values above 0, but {name!r} has {least:.3g}; pass log_y=False, or clip it")
