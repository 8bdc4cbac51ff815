"""The models, their recipes, and the figures that they are held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

SCIENCE = "Hinton & Salakhutdinov 2006"


def pca() -> Any:
    import autograd_ae as ae

    return ae.PCA(30)


def by_cross_entropy(n_components: int, hidden_layer_sizes: tuple[int, ...], **settings: Any) -> Any:
    """Linear code, logistic units elsewhere, trained on cross-entropy, as in the paper."""
    import autograd_ae as ae

    shared = {"code_activation": "identity", "reconstruction_loss": "bce", "learning_rate": "cosine"}
    return ae.Autoencoder(n_components, hidden_layer_sizes=hidden_layer_sizes, **shared, **settings)


def logistic_pca() -> Any:
    return by_cross_entropy(30, (), learning_rate_init=1e-2, batch_size=256, max_iter=30)


def deep(n_components: int, epochs: int) -> Any:
    settings = {"init": "sparse", "learning_rate_init": 1e-3, "batch_size": 64, "max_iter": epochs}
    return by_cross_entropy(n_components, (1000, 500, 250), **settings)


def lecture() -> Any:
    import autograd_ae as ae

    return ae.Autoencoder(learning_rate_init=3e-3, learning_rate="cosine", max_iter=60)


def vae() -> Any:
    import autograd_ae as ae

    return ae.VAE(20, hidden_layer_sizes=(400,), max_iter=10)


def squared_error(model: Any, X: Any, seed: int) -> float:
    """‖x − x̂‖² per image."""
    return model.reconstruction_error(X)


def negative_elbo(model: Any, X: Any, seed: int) -> float:
    """Cross-entropy + KL in nats per image, one draw of the noise."""
    import numpy as np

    return -model.elbo(X, n_draws=1, random_state=np.random.default_rng((seed, 1)))


@dataclass(frozen=True)
class Experiment:
    """A model, what it is measured by, and what it is held against. `bar` is the range asked for."""

    name: str
    title: str
    build: Callable[[], Any]
    published: float | None
    source: str
    bar: tuple[float, float] | None = None
    measure: Callable[[Any, Any, int], float] = squared_error
    unit: str = "squared error"


EXPERIMENTS = (
    Experiment("pca-30", "PCA, 30 components", pca, 13.87, f"{SCIENCE}, Fig. 2B", (13.865, 13.875)),
    Experiment("logistic-pca-30", "784-30, logistic PCA", logistic_pca, 8.01, f"{SCIENCE}, Fig. 2B"),
    Experiment("deep-30", "784-1000-500-250-30", lambda: deep(30, 60), 3.00, f"{SCIENCE}, Fig. 2B", (0, 3.6)),
    Experiment("deep-2", "784-1000-500-250-2", lambda: deep(2, 30), None, f"{SCIENCE}, Fig. 3B: no figure"),
    Experiment("lecture-2", "784-512-256-64-2, all logistic", lecture, None, "the lecture's practice", (0, 30.0)),
    Experiment(
        "vae-20",
        "VAE 784-400-20",
        vae,
        105.6,
        "pytorch/examples vae, epoch 10",
        (104.9, 106.3),
        measure=negative_elbo,
        unit="nats",
    ),
)


def chosen(wanted: Sequence[str]) -> list[Experiment]:
    """The experiments whose names begin so; ValueError for a name that begins none.

    >>> [e.name for e in chosen(["deep", "vae"])]
    ['deep-30', 'deep-2', 'vae-20']
    """
    for name in wanted:
        if not any(e.name.startswith(name) for e in EXPERIMENTS):
            raise ValueError(f"no model begins with {name!r}; there are {', '.join(e.name for e in EXPERIMENTS)}")
    return [e for e in EXPERIMENTS if not wanted or any(e.name.startswith(name) for name in wanted)]
