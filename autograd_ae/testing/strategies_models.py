"""Random networks with data, and valid settings of models. Public through `autograd_ae.testing.strategies`."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.tensor import Tensor, tensor
from autograd_ae.ops.activations import ACTIVATIONS
from autograd_ae.ops.dense import dense
from autograd_ae.ops.losses import squared_error
from autograd_ae.testing.strategies_arrays import Array, _known, shown_by_hypothesis, st


@dataclass(frozen=True, eq=False, repr=False)
class RandomMLP:
    """Dense layers and a batch: `mlp(x)` is the output, `mlp.loss(*mlp.data)` the squared error per sample.

    weights, biases : tensors W_i (n_in, n_out), b_i (n_out,).    data : (X,), reconstructed, or (X, Y), a target of
        its own.
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    activations: tuple[str, ...]
    data: tuple[Array, ...]
    seed: int

    @property
    def parameters(self) -> list[Tensor]:
        """W_1, b_1, W_2, b_2, …"""
        return [t for pair in zip(self.weights, self.biases, strict=True) for t in pair]

    def __call__(self, x: Any) -> Any:
        for W, b, activation in zip(self.weights, self.biases, self.activations, strict=True):
            x = dense(x, W, b, activation)
        return x

    def loss(self, x: Any, y: Any = None) -> Tensor:
        """‖output − y‖²/B; y is x unless given."""
        return squared_error(self(x), x if y is None else y)

    def __repr__(self) -> str:
        widths = [W.shape[0] for W in self.weights[:1]] + [W.shape[1] for W in self.weights]
        layers = " ".join(f"{n} {f}" for n, f in zip(widths[1:], self.activations, strict=True))
        kind = "its input" if len(self.data) == 1 else "a target"
        shape, dtype = self.data[0].shape, self.data[0].dtype
        return f"RandomMLP({widths[0]} -> {layers}, against {kind}, batch {shape} {dtype}, seed {self.seed})"

    _repr_pretty_ = shown_by_hypothesis


@st.composite
def mlps(
    draw: Any,
    *,
    min_layers: int = 1,
    max_layers: int = 3,
    max_width: int = 5,
    max_batch: int = 6,
    activation: str | None = None,
    output_activation: str | None = None,
    autoencoder: bool | None = None,
    dtype: Any = np.float64,
) -> RandomMLP:
    """MLPs with random weights (N(0, 1/n_in)), biases and a batch; they shrink to one unit, one layer, one sample.

    Parameters
    ----------
    activation, output_activation : names of `ACTIVATIONS` for hidden layers and the last; any by default.
    autoencoder : the batch is its own target (the output is as wide as the input); either by default.
    """
    for name in (activation, output_activation):
        if name is not None:
            _known("activation", name, ACTIVATIONS)
    names = [name for name in ACTIVATIONS if name != "softmax"]
    depth = draw(st.integers(min_layers, max_layers))
    widths = [draw(st.integers(1, max_width)) for _ in range(depth + 1)]
    own_target = draw(st.booleans()) if autoencoder is None else not autoencoder
    if not own_target:
        widths[-1] = widths[0]
    chosen = [activation or draw(st.sampled_from(names)) for _ in range(depth - 1)]
    chosen.append(output_activation or draw(st.sampled_from(names)))
    batch, seed = draw(st.integers(1, max_batch)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)

    def normal(*shape: int, spread: float = 1.0) -> Array:
        return (spread * rng.normal(size=shape)).astype(dtype)

    pairs = list(itertools.pairwise(widths))
    weights = tuple(tensor(normal(n, m, spread=n**-0.5), f"W_{i}") for i, (n, m) in enumerate(pairs, 1))
    biases = tuple(tensor(normal(m, spread=0.5), f"b_{i}") for i, (_, m) in enumerate(pairs, 1))
    data = (normal(batch, widths[0]), *([normal(batch, widths[-1])] if own_target else []))
    return RandomMLP(weights, biases, tuple(chosen), data, seed)


@dataclass(frozen=True, eq=False, repr=False)
class AutoencoderConfig:
    """A model by name, valid keyword arguments of it, and small data: `getattr(ae, c.model)(**c.params).fit(c.X)`."""

    model: str
    params: dict[str, Any]
    X: Array

    def __repr__(self) -> str:
        shown = ", ".join(f"{k}={v!r}" for k, v in self.params.items())
        return f"{self.model}({shown}) on X {self.X.shape} {self.X.dtype}"

    _repr_pretty_ = shown_by_hypothesis


MODELS = ("LinearPCA", "Autoencoder")


@st.composite
def autoencoder_configs(
    draw: Any, model: str | None = None, *, max_iter: int = 3, dtype: Any = None
) -> AutoencoderConfig:
    """Settings that a model accepts without a warning about its data (that few iterations do not converge, L-BFGS may
    still say).

    model : "LinearPCA", "Autoencoder" or any.    max_iter : the most epochs.    dtype : of the data; float64 or
        float32 by default.
    """
    if model is not None:
        _known("model", model, MODELS)
    name = model or draw(st.sampled_from(MODELS))
    solver = draw(st.sampled_from(("adam", "sgd", "lbfgs")))
    B, N = draw(st.integers(2, 8)), draw(st.integers(1, 5))
    common: dict[str, Any] = {
        "n_components": draw(st.integers(1, N)),
        "solver": solver,
        "learning_rate": draw(st.sampled_from(("constant", "cosine"))),
        "batch_size": draw(st.integers(1, B + 1)),
        "max_iter": draw(st.integers(1, max_iter)),
        "weight_decay": 0.0 if solver == "lbfgs" else draw(st.sampled_from((0.0, 1e-3))),
        "early_stopping": solver != "lbfgs" and draw(st.booleans()),
        "random_state": draw(st.integers(0, 2**32 - 1)),
    }
    own = {"tied": draw(st.booleans())} if name == "LinearPCA" else _autoencoder_only(draw)
    X = np.random.default_rng(common["random_state"]).uniform(0.05, 0.95, size=(B, N))  # inside what a sigmoid reaches
    return AutoencoderConfig(
        name, {**common, **own}, X.astype(dtype or draw(st.sampled_from((np.float64, np.float32))))
    )


def _autoencoder_only(draw: Any) -> dict[str, Any]:
    names = tuple(ACTIVATIONS)
    loss = draw(st.sampled_from(("squared_error", "bce")))
    return {
        "hidden_layer_sizes": tuple(draw(st.lists(st.integers(1, 4), max_size=2))),
        "activation": draw(st.sampled_from(names)),
        "code_activation": draw(st.sampled_from(names)),
        "output_activation": "sigmoid" if loss == "bce" else draw(st.sampled_from(("identity", "sigmoid", "tanh"))),
        "reconstruction_loss": loss,
    }
