"""What a program consists of: numbered values, and lines that compute one value from others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd_ae.core.op import Shape


class Value(NamedTuple):
    """A numbered place of a program: an input, a leaf, a result or a gradient."""

    name: str  # empty for results: `Program.name` numbers them
    shape: Shape
    dtype: np.dtype
    kind: str  # "nothing", "input", "parameter", "constant", "result", "gradient" or "partial"


class Line(NamedTuple):
    """`values[out] ← run(values[a] for a in args)`; `frees` are the values that no later line reads."""

    run: Callable[..., None]
    analytic: Callable[..., None]  # the same in complex arithmetic
    out: int
    args: tuple[int, ...]
    params: dict[str, Any]
    label: str  # `dense`, `dense.dW`, `add`: see `Program.text`
    node: int  # which forward line it belongs to
    frees: tuple[int, ...] = ()


NOTHING = 0  # the place that an unneeded argument names: always None
