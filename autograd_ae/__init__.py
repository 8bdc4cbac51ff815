"""autograd_ae: the autoencoder laboratory in which every gradient is derived, checked and fast.

    import autograd_ae as ae

Names are imported when they are first used, so `import autograd_ae` loads nothing, not even NumPy. Type checkers and
editors read `__init__.pyi` instead, which names them all.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

__version__ = "0.1.0.dev0"

_SUBPACKAGES = (
    "core",
    "data",
    "explain",
    "lecture",
    "models",
    "nn",
    "ops",
    "optim",
    "plot",
    "runtime",
    "testing",
    "theory",
)
_HOMES = {
    "core.errors": "AnomalyError CaptureError GraphError InPlaceError ShapeError",
    "core.modes": "detect_anomaly no_grad",
    "core.tensor": "Tensor constant detach tensor",
    "core.transforms": "backward grad hessian hvp jvp value_and_grad vjp",
    "explain.graph": "graph",
    "runtime.capture": "capture",
    "models": """
        PCA Autoencoder ConvergenceWarning DataRangeWarning DeepPCA DenoisingAE LinearPCA ModelFileError NotFittedError
        SparseAE VAE load""",
    "ops.api": """
        abs add arctan2 bce bce_with_logits bernoulli_kl broadcast_to clip concatenate cos cosh cross_entropy
        cumsum dense divide dot einsum elu equal erf erfc exp expand_dims expm1 flip gaussian_kl
        gaussian_kl_from_variance gelu getitem greater greater_equal l1 l2 leaky_relu less less_equal log log1p
        log_sigmoid log_softmax logsumexp matmul max maximum mean min minimum mse multiply negative norm
        not_equal outer pad power prod reciprocal relu reparameterise reparameterise_from_variance reshape
        sigmoid sign silu sin sinh softmax softplus split sqrt square squared_error squeeze stack std subtract
        sum swapaxes tan tanh transpose var where""",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
__all__ = ["__version__", *sorted(_SUBPACKAGES), *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        if name in ("core", "ops", "nn"):
            _load_ops()
        return importlib.import_module(f"autograd_ae.{name}")
    if name not in _HOME_OF:
        from difflib import get_close_matches

        near = [f"{home}.{name}" for home in _homes_of(name)] or get_close_matches(name, __all__, 1)
        raise AttributeError(f"autograd_ae has no {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    _load_ops()
    value = globals()[name] = getattr(importlib.import_module(f"autograd_ae.{_HOME_OF[name]}"), name)
    return value


@functools.cache
def _load_ops() -> None:
    """Give tensors their operators, and machine code to programs that turn out to be busy."""
    importlib.import_module("autograd_ae.ops.api")
    sweep = importlib.import_module("autograd_ae.core.sweep")
    sweep.when_busy(10_000, lambda lines: importlib.import_module("autograd_ae.runtime.eager").offered(lines))


def _homes_of(name: str) -> list[str]:
    """The subpackages that have a public name; of names with underscores, which introspection asks for, none."""
    if name.startswith("_"):
        return []
    parts = ("data", "nn", "optim", "plot", "testing", "theory")
    return [part for part in parts if name in importlib.import_module(f"autograd_ae.{part}").__all__]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
