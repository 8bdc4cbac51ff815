"""Which functions are drawn, over which range. Every value is the op's own, and so is every slope."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograd_ae.core.tensor import Tensor, tensor
from autograd_ae.core.transforms import grad
from autograd_ae.explain.blocks import Picture
from autograd_ae.lecture.formulary.curves import Curve, picture
from autograd_ae.ops import api

Array = np.ndarray
POINTS = 600  # even, so that no point is 0, where some have a kink or a pole
ELEMENTWISE: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("sigmoid", "log_sigmoid", "softplus", "silu", "gelu"), (-6.0, 6.0)),
    **dict.fromkeys(("relu", "leaky_relu", "elu", "abs", "square", "negative"), (-3.0, 3.0)),
    **dict.fromkeys(("sin", "cos"), (-2 * np.pi, 2 * np.pi)),
    **dict.fromkeys(("exp", "expm1", "sinh", "cosh"), (-2.5, 2.5)),
    **dict.fromkeys(("erf", "erfc", "tanh"), (-4.0, 4.0)),
    "tan": (-1.4, 1.4), "log": (0.05, 5.0), "log1p": (-0.95, 4.0), "sqrt": (0.0, 4.0), "reciprocal": (-3.0, 3.0),
}  # fmt: skip
OPTIONS = {"clip": ((-3.0, 4.0), {"a_min": -1.0, "a_max": 2.0})}

# Losses and penalties of one number at a time: name → (the variable, its range, curves).
One = Callable[[Tensor], Tensor]
LOSSES: dict[str, tuple[str, tuple[float, float], dict[str, One]]] = {
    "bce": ("probability p", (0.005, 0.995), {
        "t = 1": lambda p: api.bce(p, [1.0]), "t = 0": lambda p: api.bce(p, [0.0])}),
    "bce_with_logits": ("logit a", (-6.0, 6.0), {
        "t = 1": lambda a: api.bce_with_logits(a, [1.0]), "t = 0": lambda a: api.bce_with_logits(a, [0.0])}),
    "squared_error": ("x̂ − x", (-2.0, 2.0), {"squared error": lambda r: api.squared_error(r, [0.0])}),
    "l1": ("z", (-2.0, 2.0), {"l1": lambda z: api.l1(z)}),
    "l2": ("z", (-2.0, 2.0), {"l2": lambda z: api.l2(z)}),
    "bernoulli_kl": ("mean activation ρ̂, wanted ρ = 0.2", (0.002, 0.998), {
        "lecture": lambda z: api.bernoulli_kl(z, 0.2), "ufldl": lambda z: api.bernoulli_kl(z, 0.2, form="ufldl")}),
    "gaussian_kl": ("log-variance s, at m = 0", (-3.0, 2.5), {"KL": lambda s: api.gaussian_kl([0.0], s)}),
    "gaussian_kl_from_variance": ("variance v, at m = 0", (0.02, 4.0), {
        "KL": lambda v: api.gaussian_kl_from_variance([0.0], v)}),
}  # fmt: skip


def plot(name: str) -> Picture | None:
    """The function and its derivative, where a picture helps."""
    if name in ELEMENTWISE or name in OPTIONS:
        (low, high), params = OPTIONS.get(name, (ELEMENTWISE.get(name, (0.0, 0.0)), {}))
        x = tensor(np.linspace(low, high, POINTS))
        y = getattr(api, name)(x, **params)
        (slope,) = grad(y, [x], cotangent=np.ones(POINTS))
        curves = [Curve(name, x.data, y.data), Curve("derivative", x.data, slope)]
        return _drawn(name, "x", curves)
    if name not in LOSSES:
        return None
    variable, (low, high), functions = LOSSES[name]
    points = np.linspace(low, high, POINTS)
    curves = []
    for label, f in functions.items():
        values, slopes = along(f, points)
        curves += [Curve(label, points, values), Curve(f"{label}, derivative", points, slopes)]
    return _drawn(name, variable, curves)


def along(f: One, points: Array) -> tuple[Array, Array]:
    """Value and derivative of a function of one number at each of the points."""
    pairs = []
    for p in points:
        x = tensor(np.array([p]))
        y = f(x)
        pairs.append((float(y.data), float(grad(y, [x])[0][0])))
    values, slopes = np.array(pairs).T
    return values, slopes


def _drawn(name: str, variable: str, curves: list[Curve]) -> Picture:
    caption = f"{name} and its derivative, over the {variable}." if " " in variable else f"{name} and its derivative."
    return Picture(picture(curves, xlabel=variable, label=caption), caption)
