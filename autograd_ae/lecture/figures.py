"""Figures that only the chapter needs, in the look of `plot`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autograd_ae.plot.images import mosaic
from autograd_ae.plot.style import BLUE, FAINT, GRID, INK, PALETTE, VERMILION, WIDTH, for_text, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]


@styled
def circle_panels(X: Array, panels: Mapping[str, Array], pairs: Mapping[str, tuple[Array, Array]]) -> Figure:
    """The circle X (n, 2) in grey and, panel by panel, its reconstruction.

    panels : title → (n, 2), in the order of X.    pairs : title → (points, outputs), both (2, 2), two points and what
    becomes of them, drawn with arrows.
    """
    figure = new_figure(WIDTH, WIDTH / len(panels) + 0.55)
    for k, (title, X_hat) in enumerate(panels.items()):
        axes = figure.add_subplot(1, len(panels), k + 1)
        axes.set_aspect("equal")
        axes.set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), xlabel="x₁", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        axes.set_ylabel("x₂" if k == 0 else "")
        axes.set_title(title, size=10.5)
        axes.plot(*np.vstack([X, X[:1]]).T, color="#B8B8B8", lw=5, zorder=1)
        axes.plot(*np.vstack([X_hat, X_hat[:1]]).T, color=BLUE, lw=1.2, marker="o", ms=3, zorder=2)
        for p, q in zip(*pairs.get(title, ((), ())), strict=True):
            arrow = {"arrowstyle": "-|>", "color": VERMILION, "lw": 1.6, "shrinkA": 3, "shrinkB": 1}
            axes.annotate("", xy=tuple(q), xytext=tuple(p), arrowprops=arrow, zorder=4)
            axes.plot(*p, marker="s", ms=7, color=VERMILION, zorder=5)
    return figure


@styled
def codes_around(
    theta: Array, codes: Mapping[str, Array], errors: Mapping[str, Array], pair: tuple[float, float]
) -> Figure:
    """Codes (n,) and errors (n,) along the circle, with the two antipodal angles of `pair` marked in both."""
    figure = new_figure(WIDTH, 5.2)
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axes, curves, label in ((upper, codes, "code z"), (lower, errors, "error ‖x − x̂‖")):
        axes.grid(axis="y", color=GRID, lw=0.8)
        axes.set_ylabel(label)
        for k, (name, y) in enumerate(curves.items()):
            axes.plot(theta, y, color=PALETTE[k], ls=("-", (0, (5, 2)))[k % 2], label=name)
            on = np.interp(pair, theta, y)
            axes.plot(pair, on, ls="none", marker="s", ms=7, color=VERMILION, zorder=4) if k == 0 else None
        for angle in pair:
            axes.axvline(angle, color=VERMILION, lw=1, ls=":", zorder=1)
    upper.axhline(float(np.interp(pair[0], theta, next(iter(codes.values())))), color=VERMILION, lw=1, ls=":")
    upper.set_title("Opposite points, one code: no continuous number goes once round a circle")
    if len(errors) > 1:
        lower.legend(frameon=False, loc="upper right")
    lower.axhline(1, color=FAINT, lw=1.2, ls=(0, (5, 3)))
    lower.annotate(
        "1: somewhere it must be reached",
        (theta[0], 1),
        xytext=(4, 4),
        textcoords="offset points",
        color=FAINT,
        size=9.5,
    )
    lower.set(xlabel="angle θ (radians)", xlim=(0, 2 * np.pi))
    lower.set_xticks(np.arange(0, 2 * np.pi + 0.1, np.pi / 2), ["0", "π/2", "π", "3π/2", "2π"])
    return figure


@styled
def two_grids(grids: Mapping[str, Array], *, columns: int, image_shape: tuple[int, int] = (28, 28)) -> Figure:
    """Grids of images side by side, one per entry, each (n, pixels)."""
    pictures = {name: mosaic(X.reshape(len(X), *image_shape), columns=columns) for name, X in grids.items()}
    height, width = next(iter(pictures.values())).shape
    each = WIDTH / len(pictures)
    figure = new_figure(WIDTH, (each - 0.2) * height / width + 0.6)
    for k, (name, picture) in enumerate(pictures.items()):
        axes = figure.add_subplot(1, len(pictures), k + 1)
        axes.imshow(np.ma.masked_invalid(picture), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.set_title(name, size=11)
    return figure


@styled
def bars(
    groups: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    ylabel: str,
    title: str,
    reference: tuple[str, float] | None = None,
) -> Figure:
    """A group of bars per entry: group → name → values of several runs; the mean as a bar, each run as a dot.

    Whiskers are the standard deviation over the runs.
    """
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    figure = new_figure(WIDTH, 4.2)
    axes = figure.add_subplot()
    axes.grid(axis="y", color=GRID, lw=0.8)
    for k, name in enumerate(names):
        values = [np.asarray(group[name], float) for group in groups.values() if name in group]
        at = np.array([g for g, group in enumerate(groups.values()) if name in group]) + _offset(k, len(names))
        means, spread = [v.mean() for v in values], [v.std(ddof=1) if len(v) > 1 else 0.0 for v in values]
        axes.bar(at, means, 0.8 / len(names), color=PALETTE[k], alpha=0.75, label=name, zorder=2)
        if any(spread):
            axes.errorbar(at, means, spread, fmt="none", ecolor=INK, capsize=4, lw=1.4, zorder=4)
        for x, v, mean in zip(at, values, means, strict=True):
            if len(v) > 1:
                axes.plot(x + np.linspace(-0.1, 0.1, len(v)) * 0.8 / len(names), v, "o", ms=4, color=INK, zorder=5)
            top = max(mean, v.max()) if len(v) > 1 else mean
            axes.annotate(
                f"{mean:.1f}",
                (x, top),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                size=9.5,
                color=for_text(PALETTE[k]),
                weight="bold",
                zorder=6,
            )
    if reference:
        axes.axhline(reference[1], color=FAINT, lw=1.2, ls=(0, (5, 3)), label=f"{reference[0]}: {reference[1]:.3g}")
    axes.set_xticks(range(len(groups)), list(groups))
    axes.set(ylabel=ylabel)
    axes.margins(y=0.15)
    axes.set_ylim(bottom=0)
    axes.set_title(title)
    if len(names) > 1 or reference:
        figure.legend(frameon=False, loc="outside lower center", ncols=3)
    return figure


def _offset(k: int, n: int) -> float:
    return (k - (n - 1) / 2) * 0.8 / n


def draw_boxes(axes: Axes, boxes: Mapping[str, tuple[Array, Array]]) -> None:
    """Rectangles (low, high) on a code map, each with its name: where codes are sampled from."""
    from matplotlib.patches import Rectangle

    for name, (low, high) in boxes.items():
        x, y = float(low[0]), float(low[1])
        axes.add_patch(Rectangle((x, y), *(high - low), fill=False, ec=INK, lw=1.5, ls=(0, (5, 3)), zorder=6))
        axes.annotate(
            name, (x, float(high[1])), xytext=(3, 3), textcoords="offset points", size=9.5, color=INK, zorder=7
        )


@styled
def margins(rows: Mapping[str, tuple[float, float]]) -> Figure:
    """For each row (error, tolerance), both above 0: a dot at the error, a bar at the tolerance, on one log scale."""
    figure = new_figure(WIDTH, 0.9 + 0.24 * len(rows))
    axes = figure.add_subplot()
    at = np.arange(len(rows))[::-1]
    errors, tolerances = (np.array([row[i] for row in rows.values()]) for i in (0, 1))
    held = errors <= tolerances
    axes.hlines(at, errors, tolerances, color=GRID, lw=3, zorder=1)
    axes.plot(tolerances, at, ls="none", marker="|", ms=12, mew=2.5, color=INK, label="tolerance", zorder=3)
    for ok, colour, marker, label in ((True, BLUE, "o", "error"), (False, VERMILION, "X", "error, too large")):
        if np.any(held == ok):
            axes.plot(
                errors[held == ok], at[held == ok], ls="none", marker=marker, ms=7, color=colour, label=label, zorder=4
            )
    axes.set(
        xscale="log",
        xlabel="error, and the tolerance that the theorem allows",
        ylabel="row",
        ylim=(-0.7, len(rows) - 0.3),
    )
    axes.set_yticks(at, list(rows))
    axes.grid(axis="x", color=GRID, lw=0.8)
    figure.legend(frameon=False, loc="outside upper right", ncols=3)
    return figure
