"""Layers are dataclasses; their parameters are the Tensors they hold, found by walking the fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.tensor import Tensor, tensor
from autograd_ae.nn.initialisers import INITIALISERS, initialiser_for
from autograd_ae.ops.activations import ACTIVATIONS
from autograd_ae.ops.dense import dense


@dataclass(eq=False)
class Dense:
    """Y = f(X W + b): X (B, n_in), W (n_in, n_out), b (n_out,)."""

    W: Tensor
    b: Tensor
    activation: str = "identity"

    def __post_init__(self) -> None:
        for name, value in (("W", self.W), ("b", self.b)):
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"{name} is of type {type(value).__name__}; a layer holds tensors (ae.tensor), or is made with "
                    "random ones by Dense.create(n_in, n_out, rng=rng)"
                )

    @classmethod
    def create(
        cls,
        n_in: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        activation: str = "identity",
        init: str | None = None,
        input_mean: float = 0.0,
        dtype: Any = np.float64,
        name: str = "",
    ) -> Dense:
        """A layer with random weights, whose units start centred.

        Parameters
        ----------
        init : a name of `INITIALISERS`; by default the one that suits the activation.
        input_mean : what the inputs are on average. Biases start at −input_mean · Σ_i W_ij, so that pre-activations
            have mean zero: sigmoids below (mean ½) would otherwise push units into saturation (LeCun et al. 1998,
            "Efficient BackProp", §4.3).
        name : suffix of the parameters' names, W_name and b_name.

        >>> Dense.create(3, 2, rng=np.random.default_rng(0), name="1").W.shape
        (3, 2)
        """
        for count in (n_in, n_out):
            if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
                raise ValueError(f"a layer of {n_in!r} inputs and {n_out!r} units: whole numbers above 0 are needed")
        if activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {activation!r}; there are {', '.join(ACTIVATIONS)}")
        init = init or initialiser_for(activation)
        if init not in INITIALISERS:
            raise ValueError(f"unknown initialiser {init!r}; there are {', '.join(INITIALISERS)}")
        suffix = f"_{name}" if name else ""
        W = INITIALISERS[init](rng, n_in, n_out)
        b = 0.0 - input_mean * W.sum(axis=0)
        return cls(tensor(W.astype(dtype), f"W{suffix}"), tensor(b.astype(dtype), f"b{suffix}"), activation)

    def __call__(self, x: Any) -> Tensor:
        return dense(x, self.W, self.b, self.activation)


@dataclass(eq=False)
class MLP:
    """Dense layers one after the other."""

    layers: tuple[Dense, ...]

    @classmethod
    def create(
        cls,
        sizes: Sequence[int],
        activations: Sequence[str],
        *,
        rng: np.random.Generator,
        init: str | Sequence[str | None] | None = None,
        input_mean: float = 0.0,
        dtype: Any = np.float64,
        first: int = 1,
    ) -> MLP:
        """Layers of `sizes[0]` inputs, then `sizes[1:]` units with their activations, numbered from `first`.

        `init` is one initialiser or one for each layer. Units above a sigmoid layer start centred for inputs of mean ½,
        those of the first layer for `input_mean`.

        >>> MLP.create((4, 3, 2), ("sigmoid", "identity"), rng=np.random.default_rng(0)).layers[1].W.name
        'W_2'
        """
        depth = len(sizes) - 1
        inits = [init] * depth if init is None or isinstance(init, str) else list(init)
        if len(activations) != depth or len(inits) != depth:
            raise ValueError(
                f"{len(sizes)} sizes make {depth} layers, but there are {len(activations)} activations "
                f"and {len(inits)} initialisers"
            )
        means = [input_mean, *(0.5 if activation == "sigmoid" else 0.0 for activation in activations[:-1])][:depth]
        layers = []
        for i, (activation, how, mean) in enumerate(zip(activations, inits, means, strict=True)):
            options: dict[str, Any] = {"activation": activation, "init": how, "input_mean": mean}
            layers.append(Dense.create(sizes[i], sizes[i + 1], rng=rng, dtype=dtype, name=str(first + i), **options))
        return cls(tuple(layers))

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x


def parameters(module: Any) -> list[Tensor]:
    """The traced tensors that a dataclass, list, tuple or dict holds, in order, each once."""
    return list({id(t): t for t in _walk(module) if t.traced}.values())


def _walk(module: Any) -> Iterator[Tensor]:
    if isinstance(module, Tensor):
        yield module
    elif dataclasses.is_dataclass(module):
        for field in dataclasses.fields(module):
            yield from _walk(getattr(module, field.name))
    elif isinstance(module, list | tuple):
        for part in module:
            yield from _walk(part)
    elif isinstance(module, dict):
        for part in module.values():
            yield from _walk(part)


def side_by_side(module: Any) -> None:
    """Move a module's parameters into one array of each dtype, one after another; each `p.data` becomes a view.

    An optimiser goes over such parameters in one pass (`runtime/updating.py`). All else is as before: values, shapes,
    edits in place. A parameter that is given an array of its own later is one pass more.

    >>> layer = Dense.create(3, 2, rng=np.random.default_rng(0))
    >>> side_by_side(layer)
    >>> layer.W.data.base is layer.b.data.base
    True
    """
    tensors = parameters(module)
    for dtype in dict.fromkeys(t.dtype for t in tensors):
        mine = [t for t in tensors if t.dtype == dtype]
        arena, start = np.concatenate([t.data.reshape(-1) for t in mine]), 0
        for t in mine:
            t.data, start = arena[start : start + t.size].reshape(t.shape), start + t.size


def state_dict(module: Any) -> dict[str, np.ndarray]:
    """Copies of the parameters by name, for saving with np.savez."""
    return {name: t.data.copy() for name, t in _named(module).items()}


def load_state_dict(module: Any, state: Mapping[str, np.ndarray]) -> None:
    """Copy arrays into the parameters of the same names, in place; on an error nothing is changed."""
    current = _named(module)
    if set(current) != set(state):
        raise ValueError(f"parameters {sorted(current)} were needed, {sorted(state)} arrived")
    arrays = {name: np.asarray(state[name]) for name in current}
    for name, t in current.items():
        if arrays[name].shape != t.shape:
            raise ValueError(f"{name} has shape {t.shape}, the array given has {arrays[name].shape}")
        if arrays[name].dtype.kind not in "fiu":
            raise TypeError(f"{name} has dtype {t.dtype}, the array given has {arrays[name].dtype}: numbers are needed")
    for name, t in current.items():
        np.copyto(t.data, arrays[name], casting="same_kind")


def _named(module: Any) -> dict[str, Tensor]:
    """The parameters by name; unnamed ones by their place."""
    tensors = parameters(module)
    named = {t.name or f"parameter_{i}": t for i, t in enumerate(tensors)}
    if len(named) != len(tensors):
        raise ValueError("two parameters have the same name: give the layers names of their own")
    return named
