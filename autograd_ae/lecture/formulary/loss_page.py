"""The page of a model's loss: its lesson, its computation graph, and its derivation on a few numbers, in both layouts.

The model is small (4 samples of 3 features) and hardly trained: what is shown is where its gradients come from, not
what it has learned.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae import models
from autograd_ae.core.tensor import Tensor, constant, tensor
from autograd_ae.explain.blocks import Block, Heading, Math, Page, Paragraph, Picture, Preformatted, Table, Words
from autograd_ae.explain.derivation import Derivation, derive
from autograd_ae.explain.graph import graph
from autograd_ae.lecture.formulary.lesson import lesson
from autograd_ae.lecture.formulary.op_page import lowered
from autograd_ae.ops.arithmetic import add, multiply
from autograd_ae.ops.dense import dense
from autograd_ae.ops.gaussian import gaussian_kl_from_variance, reparameterise_from_variance
from autograd_ae.ops.losses import squared_error

SAMPLES, FEATURES = 4, 3


@dataclass(frozen=True)
class Loss:
    """A model by its class and how it is made here."""

    title: str
    model: type[Any]
    params: dict[str, Any]

    def record(self, seed: int) -> Tensor:
        """The loss of the samples, recorded."""
        X = np.random.default_rng(seed).uniform(0.1, 0.9, size=(SAMPLES, FEATURES)).round(1)
        model = self.model(**self.params, max_iter=1, random_state=seed)
        with warnings.catch_warnings(action="ignore", category=models.ConvergenceWarning):
            return model.fit(X).loss(X)

    @property
    def written(self) -> str:
        """How to have the same, in code."""
        params = ", ".join(f"{k}={v!r}" for k, v in self.params.items())
        return f"model = ae.{self.model.__name__}({params})\nae.explain(model.fit(X).loss(X))"


@dataclass(frozen=True)
class Bottleneck(Loss):
    """The VAE from its code on, as the lecture has it: the encoder hands over M and the *variance* V itself."""

    def record(self, seed: int) -> Tensor:
        """‖X̂ − X‖²/B + λ KL with X̂ = Z W + b, Z = M + √V ⊙ E, λ = ½, recorded."""
        rng = np.random.default_rng(seed)
        x = constant(rng.uniform(0.1, 0.9, (SAMPLES, FEATURES)).round(1), "x")
        M, V = tensor(rng.normal(size=(SAMPLES, 1)).round(1), "M"), tensor(rng.uniform(0.2, 1.5, (SAMPLES, 1)), "V")
        E = constant(rng.normal(size=(SAMPLES, 1)).round(1), "E")
        W, b = tensor(rng.normal(size=(1, FEATURES)).round(1), "W"), tensor(np.zeros(FEATURES), "b")
        X_hat = dense(reparameterise_from_variance(M, V, E), W, b)
        return add(squared_error(X_hat, x), multiply(constant(0.5, "lambda"), gaussian_kl_from_variance(M, V)))

    @property
    def written(self) -> str:
        return (
            "X_hat = ae.dense(ae.reparameterise_from_variance(M, V, E), W, b)\n"
            "ae.explain(ae.squared_error(X_hat, x) + 0.5 * ae.gaussian_kl_from_variance(M, V))"
        )


LOSSES: dict[str, tuple[Loss, ...]] = {
    "linear": (Loss("PCA as a neural network", models.LinearPCA, {"n_components": 1}),),
    "deep": (Loss("nonlinear PCA", models.DeepPCA, {"n_components": 1, "hidden_layer_sizes": (2,)}),),
    "autoencoder": (
        Loss("squared error", models.Autoencoder, {"n_components": 1, "hidden_layer_sizes": (2,)}),
        Loss("cross-entropy", models.Autoencoder, {
            "n_components": 1, "hidden_layer_sizes": (2,), "reconstruction_loss": "bce"}),
    ),
    "sparse": (
        Loss("penalty l1", models.SparseAE, {
            "n_components": 2, "hidden_layer_sizes": (), "penalty": "l1", "sparsity_weight": 0.1}),
        Loss("penalty kl", models.SparseAE, {
            "n_components": 2, "hidden_layer_sizes": (), "penalty": "kl", "sparsity_weight": 0.1}),
    ),
    "denoising": (Loss("masking noise", models.DenoisingAE, {
        "n_components": 2, "hidden_layer_sizes": (), "corruption": "masking"}),),
    "vae": (
        Loss("Bernoulli likelihood", models.VAE, {"n_components": 1, "hidden_layer_sizes": (2,)}),
        Loss("Gaussian likelihood", models.VAE, {
            "n_components": 1, "hidden_layer_sizes": (2,), "likelihood": "gaussian"}),
        Bottleneck("the lecture's bottleneck, V the variance", models.VAE, {}),
    ),
}  # fmt: skip
ALSO = {
    "linearpca": "linear", "deeppca": "deep", "sparseae": "sparse", "denoisingae": "denoising", "ae": "autoencoder",
    "dae": "denoising", "deep_pca": "deep", "linear_pca": "linear", "sparse_ae": "sparse", "denoising_ae": "denoising",
    "variational": "vae",
}  # fmt: skip


def loss_page(name: str, *, layout: str = "rows", seed: int = 0) -> Page:
    """The page of a model's loss. `seed` is that of samples and weights."""
    variants = LOSSES[name]
    module = sys.modules[variants[0].model.__module__]
    blocks: list[Block] = [Heading(f"From {module.__name__.replace('.', '/')}.py"), *lesson(module)]
    for variant in variants:
        title = "The loss" if len(variants) == 1 else f"The loss, {variant.title}"
        blocks += [Heading(title), *_worked(variant, layout, seed)]
    return Page(f"{name}: {variants[0].model.__name__}", tuple(blocks))


def _worked(variant: Loss, layout: str, seed: int) -> Iterator[Block]:
    loss = variant.record(seed)
    rows, columns = (derive(loss, layout=which, check=False) for which in ("rows", "columns"))
    yield Preformatted(variant.written)
    caption = "The computation graph, a layer with its weights as one node. Pointing at a node shows its numbers."
    yield Picture(graph(loss, view="layers").html(), caption)
    yield Heading("Every step in both layouts", 3)
    which = "; samples in rows are the code's, in columns the lecture's."
    bar = Math(r"\bar{W}"), Words(" is "), Math(r"\partial L / \partial W")
    yield Paragraph((Words("Forward, then backward. "), *bar, Words(which)))
    yield _both(rows, columns)
    shown = derive(loss, layout=layout, level="chain rule")
    yield Heading(f"With numbers, samples in {layout}", 3)
    yield from lowered(shown.blocks, 4)


def _both(rows: Derivation, columns: Derivation) -> Table:
    pairs = zip(rows.rows, columns.rows, strict=True)
    cells = tuple(((Words(str(a.number)),), (Math(a.equation),), (Math(b.equation),), (Words(a.op),)) for a, b in pairs)
    return Table(("no", "samples in rows", "samples in columns", "op"), cells, right=(0,))
