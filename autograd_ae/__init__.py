"""autograd_ae: the autoencoder laboratory in which every gradient is derived, checked and fast.

    import autograd_ae as ae

Names are imported when first used, so `import autograd_ae` costs almost nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0.dev0"

_SUBPACKAGES = ("core", "data", "lecture", "models", "nn", "ops", "optim", "plot", "testing", "theory")
_HOMES = {
    "core.errors": ("AnomalyError", "CaptureError", "GraphError", "InPlaceError", "ShapeError"),
    "core.tensor": ("Tensor", "constant", "detach", "detect_anomaly", "no_grad", "tensor"),
    "core.transforms": ("backward", "grad", "hessian", "hvp", "jvp", "value_and_grad", "vjp"),
    "core.capture": ("capture",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    if name in _SUBPACKAGES:
        return importlib.import_module(f"autograd_ae.{name}")
    importlib.import_module("autograd_ae.ops")  # gives tensors their operators
    value = getattr(importlib.import_module(f"autograd_ae.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
