"""Figures: rows of images, codes in the plane, learning curves, the lecture's line, weights as images.

    figure = ae.plot.learning_curves({"training": (epochs, errors)}, references={"mean image": 52.9}, ...)
    ae.plot.save(figure, "learning.png")

Every function takes arrays and returns a `matplotlib.figure.Figure`, drawn without pyplot: no window, no global state,
nothing to close. Reading order: `style`, `arguments`, `labels`, then the figures. Nothing here knows the engine.

Four rules hold for all of them. Colours are told apart by colour-blind readers too, and are never the only cue: every
curve, class and arrow carries its name. Labels stand beside what they name, not in a box that covers data, and do not
cover one another. What is compared shares one scale. Text stays legible when the figure is 800 pixels wide.

Matplotlib (0.3 s) is imported by the first figure, not with this package.
"""

from autograd_ae.plot.codes import code_map
from autograd_ae.plot.curves import learning_curves
from autograd_ae.plot.directions import line_data
from autograd_ae.plot.features import features
from autograd_ae.plot.images import image_rows
from autograd_ae.plot.style import save

__all__ = ["code_map", "features", "image_rows", "learning_curves", "line_data", "save"]
