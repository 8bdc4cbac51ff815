"""`EXAMPLES`: each function of the calculus on a few small numbers, in every form that it has.

An example is what its page derives, checks and computes. Which op is behind it is not said here: it is read off what
the call records, so a page cannot describe another op than the one that runs. Points lie away from kinks, where a
complex step sees one side only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.tensor import Tensor, capturing, tensor
from autograd_ae.ops import api

Array = np.ndarray


@dataclass(frozen=True)
class Example:
    """A call `fn(*tensors)` on arrays by name, and how it is written."""

    written: str
    call: Callable[..., Tensor]
    arrays: dict[str, Any]

    def leaves(self) -> list[Any]:
        """Tensors with their names; conditions stay plain arrays."""
        arrays = {name: np.array(a) for name, a in self.arrays.items()}
        return [a if a.dtype == bool else tensor(a.astype(np.float64), name=name) for name, a in arrays.items()]

    def record(self) -> Tensor:
        """The result, recorded even where no gradient flows."""
        with capturing():
            return self.call(*self.leaves())


SMALL = [[-2.0, -0.5, 0.25], [0.5, 1.0, 3.0]]
ABOVE = [[0.25, 0.5, 1.5], [2.0, 3.0, 4.0]]
SHARE = [[0.1, 0.4, 0.75], [0.2, 0.6, 0.9]]
OTHER = [[1.5, -1.0, 2.0], [-0.5, 2.0, -1.0]]
TARGET = [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]
ONE_OF = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
WEIGHT = [[0.5, -1.0], [1.0, 0.25], [-0.5, 2.0]]
NOISE = [[0.3, -1.2, 0.8], [-0.4, 1.1, -0.6]]


def _one(name: str, x: Any = SMALL, argument: str = "x", **params: Any) -> list[Example]:
    """A function of one array."""
    shown = "".join(f", {k}={v!r}" for k, v in params.items())
    function = getattr(api, name)
    return [Example(f"ae.{name}({argument}{shown})", lambda t: function(t, **params), {argument: x})]


def _two(name: str, a: Any = SMALL, b: Any = OTHER, names: str = "a b") -> list[Example]:
    """A function of two arrays."""
    function, (first, second) = getattr(api, name), names.split()
    return [Example(f"ae.{name}({first}, {second})", lambda s, t: function(s, t), {first: a, second: b})]


def _call(written: str, call: Callable[..., Tensor], **arrays: Any) -> list[Example]:
    return [Example(written, call, arrays)]


def _three(name: str, names: str, middle: Any) -> list[Example]:
    """mean, log-variance or variance, noise."""
    function = getattr(api, name)
    arrays = dict(zip(names.split(), (SMALL, middle, NOISE), strict=True))
    return [Example(f"ae.{name}({', '.join(names.split())})", lambda *t: function(*t), arrays)]


def _dense() -> list[Example]:
    made = []
    for activation in ("identity", "sigmoid", "tanh", "relu"):
        shown = "" if activation == "identity" else f', "{activation}"'
        call = lambda x, W, b, f=activation: api.dense(x, W, b, f)  # noqa: E731
        arrays = {"x": SMALL, "W": WEIGHT, "b": [0.1, -0.2]}
        made.append(Example(f"ae.dense(x, W, b{shown})", call, arrays))
    return made


def _penalty() -> list[Example]:
    return [
        example
        for over in ("units", "batch")
        for form in ("lecture", "ufldl")
        for example in _one("bernoulli_kl", SHARE, "z", rho=0.2, form=form, over=over)
    ]


EVERYWHERE = (
    "abs", "cos", "cosh", "elu", "erf", "erfc", "exp", "expm1", "gelu", "leaky_relu", "log_sigmoid", "negative",
    "relu", "sigmoid", "sign", "silu", "sin", "sinh", "softplus", "square", "tan", "tanh",
)  # fmt: skip
POSITIVE = ("log", "log1p", "reciprocal", "sqrt")

EXAMPLES: dict[str, list[Example]] = {
    **{name: _one(name) for name in EVERYWHERE},
    **{name: _one(name, ABOVE) for name in POSITIVE},
    **{name: _two(name) for name in (
        "add", "subtract", "multiply", "divide", "maximum", "minimum",
        "equal", "not_equal", "greater", "greater_equal", "less", "less_equal",
    )},
    "power": _two("power", ABOVE, OTHER),
    "arctan2": _two("arctan2", SMALL, OTHER, "y x"),
    "clip": _one("clip", a_min=-1.0, a_max=2.0),
    "where": _call(
        "ae.where(condition, a, b)", lambda c, a, b: api.where(c, a, b),
        condition=[[True, False, True], [False, False, True]], a=SMALL, b=OTHER,
    ),
    "softmax": _one("softmax"),
    "log_softmax": _one("log_softmax"),
    "logsumexp": _one("logsumexp", axis=1),
    **{name: _one(name, axis=0) for name in ("sum", "mean", "prod", "max", "min")},
    "var": _one("var", axis=0),
    "std": _one("std", axis=1, ddof=1),
    "cumsum": _one("cumsum", axis=1),
    "norm": [*_one("norm", axis=1), *_one("norm", ord=1, axis=1), *_one("norm", ord=np.inf, axis=1)],
    "reshape": _one("reshape", shape=(3, 2)),
    "transpose": _one("transpose"),
    "swapaxes": _one("swapaxes", axis1=0, axis2=1),
    "expand_dims": _one("expand_dims", [1.0, -2.0, 3.0], axis=1),
    "squeeze": _one("squeeze", [[1.0], [-2.0], [3.0]], axis=1),
    "flip": _one("flip", axis=1),
    "broadcast_to": _one("broadcast_to", [1.0, -2.0, 3.0], shape=(2, 3)),
    "pad": _one("pad", [1.0, -2.0], pad_width=(1, 2)),
    "concatenate": _call("ae.concatenate((a, b))", lambda a, b: api.concatenate((a, b)), a=SMALL, b=OTHER),
    "stack": _call("ae.stack((a, b))", lambda a, b: api.stack((a, b)), a=[1.0, -2.0, 3.0], b=[0.5, 1.5, -1.0]),
    "split": _call("ae.split(x, [1], axis=1)[1]", lambda x: api.split(x, [1], axis=1)[1], x=SMALL),
    "getitem": [
        *_call("x[1, ::2]", lambda x: api.getitem(x, (1, slice(None, None, 2))), x=SMALL),
        *_call("x[[0, 1, 1]]", lambda x: api.getitem(x, [0, 1, 1]), x=SMALL),
    ],
    "matmul": _two("matmul", SMALL, WEIGHT, "a b"),
    "dot": _two("dot", SMALL, WEIGHT, "a b"),
    "outer": _two("outer", [1.0, -2.0], [0.5, 1.0, -1.5], "a b"),
    "einsum": _call('ae.einsum("ij,jk->ik", a, b)', lambda a, b: api.einsum("ij,jk->ik", a, b), a=SMALL, b=WEIGHT),
    "dense": _dense(),
    "mse": _two("mse", SMALL, OTHER, "x_hat x"),
    "squared_error": _two("squared_error", SMALL, OTHER, "x_hat x"),
    "bce": _two("bce", SHARE, TARGET, "p t"),
    "bce_with_logits": _two("bce_with_logits", SMALL, TARGET, "a t"),
    "cross_entropy": _two("cross_entropy", SMALL, ONE_OF, "a t"),
    "l1": _one("l1", argument="z"),
    "l2": _one("l2", argument="z"),
    "bernoulli_kl": _penalty(),
    "gaussian_kl": _two("gaussian_kl", SMALL, OTHER, "m s"),
    "gaussian_kl_from_variance": _two("gaussian_kl_from_variance", SMALL, ABOVE, "m v"),
    "reparameterise": _three("reparameterise", "m s e", OTHER),
    "reparameterise_from_variance": _three("reparameterise_from_variance", "m v e", ABOVE),
}  # fmt: skip
