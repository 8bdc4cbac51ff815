"""All figures: no pyplot, no global state, the same bytes each time, colours that all readers can tell apart."""

import colorsys
import doctest
import importlib
import itertools
import pkgutil
import subprocess
import sys

import matplotlib
import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.plot.style import NOTEBOOK_DPI, PALETTE, for_text, new_figure

MODULES = ["autograd_ae.plot", *(f"autograd_ae.plot.{m.name}" for m in pkgutil.iter_modules(ae.plot.__path__))]
FIGURES = {
    "image_rows": lambda: ae.plot.image_rows({"a": np.eye(4), "b": 1 - np.eye(4)}, image_shape=(2, 2), title="t"),
    "features": lambda: ae.plot.features(np.eye(4), image_shape=(2, 2), title="t"),
    "code_map": lambda: ae.plot.code_map(np.eye(2), [1, 8], title="t"),
    "learning_curves": lambda: ae.plot.learning_curves({"a": ([1, 2], [2, 1])}, xlabel="x", ylabel="y", title="t"),
    "line_data": lambda: ae.plot.line_data(np.eye(2), {"w": [1, -1]}, title="t"),
}
every_figure = pytest.mark.parametrize("name", FIGURES)


@pytest.mark.parametrize("name", MODULES)
def test_every_example_in_a_docstring_is_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_public_function_is_shown_in_an_example_and_drawn_here():
    assert {*FIGURES, "save"} == set(ae.plot.__all__)
    assert all(">>>" in getattr(ae.plot, name).__doc__ for name in ae.plot.__all__)


def loaded_after(code):
    check = "import sys; print([m for m in ('matplotlib', 'matplotlib.pyplot') if m in sys.modules])"
    return subprocess.run([sys.executable, "-c", f"{code}\n{check}"], capture_output=True, text=True, check=True).stdout


def test_importing_the_package_does_not_import_matplotlib():
    assert loaded_after("import autograd_ae.plot") == "[]\n"


def test_no_figure_imports_pyplot():
    code = """
import numpy as np, io
from autograd_ae import plot
plot.image_rows({"a": np.eye(4)}, image_shape=(2, 2))
plot.features(np.eye(4), image_shape=(2, 2))
plot.code_map(np.eye(2), [1, 8])
plot.line_data(np.eye(2), {"w": [1, -1]})
plot.learning_curves({"a": ([1, 2], [2, 1])}, xlabel="x", ylabel="y").savefig(io.BytesIO())
"""
    assert loaded_after(code) == "['matplotlib']\n"


@pytest.mark.parametrize(
    ("name", "ending"), [*((name, ".png") for name in FIGURES), ("features", ".svg"), ("code_map", ".pdf")]
)
def test_the_same_figure_gives_the_same_bytes(name, ending, tmp_path):
    first, second = (ae.plot.save(FIGURES[name](), tmp_path / f"{i}{ending}").read_bytes() for i in (1, 2))
    assert first == second
    assert matplotlib.__version__.encode() not in first


@every_figure
def test_the_users_settings_neither_change_a_figure_nor_are_changed(name, tmp_path):
    plain = ae.plot.save(FIGURES[name](), tmp_path / "plain.png").read_bytes()
    mine = {
        "font.size": 30,
        "axes.grid": True,
        "figure.facecolor": "black",
        "savefig.bbox": "tight",
        "text.usetex": True,
    }
    with matplotlib.rc_context(mine):
        before = dict(matplotlib.rcParams)
        figure = FIGURES[name]()
        assert dict(matplotlib.rcParams) == before
        assert ae.plot.save(figure, tmp_path / "mine.png").read_bytes() == plain


@every_figure
def test_a_picture_is_legible_at_the_width_of_a_page(name, tmp_path):
    """Not wider than 1640 dots, shown at 800 pixels; no type below 9 points; white and opaque, for dark pages."""
    figure = FIGURES[name]()
    picture = matplotlib.image.imread(ae.plot.save(figure, tmp_path / "a.png"))
    assert picture.shape[1] <= 1640
    corner = picture[0, 0]
    assert (corner == 1).all()
    shown = [t for t in figure.findobj(matplotlib.text.Text) if t.get_text()]
    assert min(t.get_fontsize() for t in shown) >= 9


@pytest.mark.parametrize("colour", PALETTE)
def test_type_in_a_colour_of_the_palette_stands_out_from_white_and_keeps_its_hue(colour):
    before, after = (colorsys.rgb_to_hsv(*matplotlib.colors.to_rgb(c)) for c in (colour, for_text(colour)))
    assert after[:2] == pytest.approx(before[:2], abs=0.02)  # hue and saturation, up to 256 levels
    L = lab(for_text(colour), "normal")[0]
    luminance = ((L + 16) / 116) ** 3 if L > 8 else L / 903.3
    assert 1.05 / (luminance + 0.05) >= 4.45  # 4.5 before rounding to 256 levels


def test_user_text_is_never_read_as_mathematics():
    label = "costs $1, or $\\frac{"
    figure = ae.plot.learning_curves({label: ([1, 2], [2.0, 1.0])}, xlabel="x", ylabel="y")
    figure.draw_without_rendering()
    assert figure.axes[0].texts[0].get_text() == f"{label}: 1.00"


def test_folders_are_made_and_other_endings_refused(tmp_path):
    figure = FIGURES["line_data"]()
    path = ae.plot.save(figure, str(tmp_path / "new" / "folder" / "line.png"))
    assert path.is_file()
    with pytest.raises(ValueError, match=r"saved as \.png, \.svg, \.pdf, but the path is '.*line\.jpg'"):
        ae.plot.save(figure, tmp_path / "line.jpg")


# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour, vision):
    """CIELAB coordinates of a hexadecimal colour as seen with this kind of vision."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = XYZ @ np.clip(np.asarray(VISION[vision]) @ linear, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISION)
def test_colours_remain_distinct_under_every_kind_of_colour_blindness(vision):
    distance = {(a, b): np.linalg.norm(lab(a, vision) - lab(b, vision)) for a, b in itertools.combinations(PALETTE, 2)}
    assert min(distance.values()) >= 16
    added = {pair: d for pair, d in distance.items() if {"#7700DD", "#663311"} & set(pair)}
    assert min(added.values()) >= 34


def test_a_notebook_shows_a_figure_as_png_without_pyplot():
    png = new_figure(2, 1)._repr_png_()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert png == new_figure(2, 1)._repr_png_()
    width, height = np.frombuffer(png[16:24], dtype=">u4")
    assert (width, height) == (2 * NOTEBOOK_DPI, NOTEBOOK_DPI)
