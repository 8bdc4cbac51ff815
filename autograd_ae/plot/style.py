"""The look that all figures share, and how a figure becomes a file.

Eight inches wide, 200 dots to the inch: shown at 800 pixels a point of type is 1.4 pixels high, so 10 pt is as large as
the text around it, with two dots to the pixel for sharp screens.

The palette is that of Okabe & Ito ("Color Universal Design", 2008), eight colours that remain distinct under each kind
of colour blindness, and two more for ten digits, a brown and a violet. They were found by search: of all colours dark
enough for white paper they lie farthest from the eight and from each other, least CIELAB distance 34 over normal vision
and the three dichromacies of Machado, Oliveira & Fernandes 2009 (the eight alone: 16).
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, ORANGE, BLACK, YELLOW = "#56B4E9", "#E69F00", "#000000", "#F0E442"
VIOLET, BROWN = "#7700DD", "#663311"
PALETTE = (
    BLUE,
    VERMILION,
    GREEN,
    PURPLE,
    SKY,
    ORANGE,
    VIOLET,
    BROWN,
    BLACK,
    YELLOW,
)  # yellow, weak on white, comes last

INK, FAINT, GRID = "#222222", "#5A5A5A", "#E3E3E3"
WIDTH, MARGIN, HEAD, DPI, NOTEBOOK_DPI = 8.0, 0.12, 0.3, 200, 110  # inches; HEAD is the height of a title
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with Matplotlib, so the same glyphs everywhere
    "font.size": 10,
    "text.usetex": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.edgecolor": FAINT,
    "axes.facecolor": "white",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "axes.formatter.use_mathtext": False,  # a third of the time of a figure
    "axes.unicode_minus": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": "white",  # not transparent: a page may be dark
    "figure.dpi": 100,
    "image.interpolation": "nearest",  # a pixel is a square
    "image.origin": "upper",
    "lines.linewidth": 2.0,
    "savefig.facecolor": "auto",
    "savefig.bbox": None,
    "svg.hashsalt": "autograd_ae",
    "svg.fonttype": "path",
}
UNDATED: dict[str, dict[str, None]] = {  # metadata that would differ from day to day, or from version to version
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def for_text(colour: str) -> str:
    """`colour`, darkened in its own hue until it stands out from white by at least 4.5 : 1, as type needs (WCAG 2.1).

    >>> for_text("#0072B2"), for_text("#E69F00")
    ('#0072b2', '#966700')
    """
    from matplotlib.colors import to_hex, to_rgb

    r, g, b = to_rgb(colour)
    shades = ((k / 20 * r, k / 20 * g, k / 20 * b) for k in range(20, -1, -1))
    return to_hex(next(shade for shade in shades if _contrast_with_white(shade) >= 4.5))


def _contrast_with_white(rgb: tuple[float, float, float]) -> float:
    """(1 + 0.05) / (Y + 0.05), Y the relative luminance of an sRGB colour."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 1.05 / (0.05 + sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True)))


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run `draw` under STYLE, whatever the user's matplotlibrc says, and leave the user's settings as they were."""

    @functools.wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib

        with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]
            return draw(*args, **kwargs)

    return inner


@functools.cache
def _figure_class() -> type[Figure]:
    """Matplotlib's Figure, shown by notebooks without pyplot; made at the first figure, when Matplotlib is imported."""
    import io

    from matplotlib.figure import Figure

    class NotebookFigure(Figure):
        def _repr_png_(self) -> bytes:
            png = io.BytesIO()
            self.savefig(png, format="png", dpi=NOTEBOOK_DPI, metadata=UNDATED[".png"])
            return png.getvalue()

    return NotebookFigure


def new_figure(width: float, height: float, *, layout: str | None = "constrained") -> Figure:
    """A figure of this size in inches; as the last line of a notebook's cell it is shown."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = _figure_class()(figsize=(width, height), layout=layout)  # type: ignore[arg-type]
    FigureCanvasAgg(figure)  # draws to memory on every machine, and measures text
    return figure


def set_page(figure: Figure, width: float, height: float, title: str | None) -> None:
    """Make room for content of this size in inches and the title above it; the page is as wide as both need."""
    from autograd_ae.plot.labels import size_of

    if title:
        text = figure.text(MARGIN, height + HEAD - MARGIN, title, weight="bold", size=12, va="top", parse_math=False)
        text.set_transform(figure.dpi_scale_trans)
        width, height = max(width, float(size_of(text)[0]) / figure.dpi + 2 * MARGIN), height + HEAD
    figure.set_size_inches(width, height)


def add_axes(figure: Figure, x: float, y: float, width: float, height: float, *, label: str = "") -> Axes:
    """Axes at a place in inches from the lower left corner."""
    w, h = figure.get_size_inches()
    return figure.add_axes((x / w, y / h, width / w, height / h), label=label)


def settle(figure: Figure) -> None:
    """Lay the figure out, once and for all: from here on sizes and places in dots can be relied on."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


@styled
def save(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write `figure` to `path`, a .png, .svg or .pdf, at 200 dots per inch; missing folders are made. Returns the path.

    The same figure gives the same bytes: no date, no version of Matplotlib goes into the file.
    ValueError: another ending.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(new_figure(2, 1), folder + "/empty.png").name
    'empty.png'
    """
    from pathlib import Path

    path = Path(path)
    if path.suffix.lower() not in UNDATED:
        raise ValueError(f"a figure is saved as {', '.join(UNDATED)}, but the path is {str(path)!r}; change its ending")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, metadata=UNDATED[path.suffix.lower()])
    return path
