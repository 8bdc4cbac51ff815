"""Planted faults in the losses of whole models: what a student gets wrong who derives the gradient of an autoencoder
by hand.

Each loss is recorded, and every mistake of `planting.py` (the catalogue of `diagnose`) is made in its backward pass,
at every place where it can be made: a σ′ left out or taken at the wrong point, `=` for `+=` where a value is used
twice, a penalty not differentiated, a mean for a sum over the batch, a lost ½ of the reparameterisation. Then come
mistakes with the finished gradients: transposed, of the wrong parameter, zero. `check_gradient` must reject each of
them, judged against complex step, whether the loss is of size 1 or 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.program import Program
from autograd_ae.core.tensor import Tensor
from autograd_ae.ops import api as ae
from autograd_ae.testing.complex_step import complex_step_gradient
from autograd_ae.testing.faults import Mutant
from autograd_ae.testing.gradcheck import check_gradient
from autograd_ae.testing.planting import Planted, planted_gradients

Array = np.ndarray
SCALES = (1.0, 1e-6)
UNCHANGED = 1e-12  # relative difference up to which two gradients are the same numbers


@dataclass(frozen=True)
class ModelLoss:
    """A loss as a function of its parameters; data and noise are constants in it."""

    name: str
    loss: Callable[..., Tensor]
    parameters: dict[str, Array]

    def recorded(self) -> Program:
        leaves = [Tensor(a.copy(), name=name) for name, a in self.parameters.items()]
        return Program([self.loss(*leaves)], wrt=leaves)


def model_losses(seed: int = 0, samples: int = 5, inputs: int = 4, code: int = 3) -> list[ModelLoss]:
    """The losses of the autoencoder family with random data and parameters, samples in rows.

    The code is of another size than the data, and neither is the number of samples, so no transpose goes unnoticed.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(samples, inputs))
    P = rng.uniform(0.1, 0.9, size=(samples, inputs))
    noise = rng.normal(size=(samples, code))

    def weights(n: int, m: int) -> Array:
        return rng.normal(size=(n, m)) / np.sqrt(n)

    def layer(k: int | str, n: int, m: int) -> dict[str, Array]:
        return {f"W_{k}": weights(n, m), f"b_{k}": 0.3 * rng.normal(size=m)}

    two_layers = {**layer(1, inputs, code), **layer(2, code, inputs)}
    heads = {**layer("mean", inputs, code), **layer("log_variance", inputs, code), **layer(2, code, inputs)}

    def mean_squares(X_hat: Any) -> Tensor:
        return ae.squared_error(X_hat, X)

    def mlp(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> Tensor:
        Z = ae.dense(X, W1, b1, activation="sigmoid")
        return ae.squared_error(ae.dense(Z, W2, b2, activation="sigmoid"), P) + 0.1 * ae.l1(Z)

    def mlp_by_hand(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> Tensor:
        Z = 1.0 / (1.0 + ae.exp(-(X @ W1 + b1)))
        X_hat = ae.tanh(Z @ W2 + b2)
        return ae.sum(ae.square(X_hat - X)) / samples

    def kl_code(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> Tensor:
        Z = ae.dense(X, W1, b1, activation="sigmoid")
        return mean_squares(ae.dense(Z, W2, b2)) + 0.2 * ae.bernoulli_kl(Z, 0.2, over="batch")

    def vae(Wm: Tensor, bm: Tensor, Wv: Tensor, bv: Tensor, W2: Tensor, b2: Tensor) -> Tensor:
        mean, log_variance = ae.dense(X, Wm, bm), ae.dense(X, Wv, bv)
        Z = ae.reparameterise(mean, log_variance, noise)
        return mean_squares(ae.dense(Z, W2, b2)) + 0.5 * ae.gaussian_kl(mean, log_variance)

    def vae_by_hand(Wm: Tensor, bm: Tensor, Wv: Tensor, bv: Tensor, W2: Tensor, b2: Tensor) -> Tensor:
        mean, log_variance = X @ Wm + bm, X @ Wv + bv
        Z = mean + ae.exp(0.5 * log_variance) * noise
        kl = 0.5 * ae.sum(ae.square(mean) + ae.exp(log_variance) - 1.0 - log_variance) / samples
        return mean_squares(Z @ W2 + b2) + 0.5 * kl

    def cross_entropy(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> Tensor:
        Z = ae.dense(P, W1, b1, activation="sigmoid")
        return ae.bce(ae.dense(Z, W2, b2, activation="sigmoid"), P)

    def residual(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> Tensor:
        Z = ae.tanh(X @ W1 + b1)
        X_hat = X + Z @ W2 + b2
        return mean_squares(X_hat) + 0.1 * ae.l2(Z) + 0.05 * ae.sum(ae.abs(Z))

    return [
        ModelLoss("sigmoid MLP + L1 code", mlp, two_layers),
        ModelLoss("sigmoid MLP written out", mlp_by_hand, two_layers),
        ModelLoss(
            "linear autoencoder",
            lambda W1, W2: mean_squares(ae.matmul(X @ W1, W2)),
            {"W_1": weights(inputs, code), "W_2": weights(code, inputs)},
        ),
        ModelLoss("tied linear autoencoder", lambda W: mean_squares(X @ W @ W.T), {"W": weights(inputs, code)}),
        ModelLoss("Bernoulli-KL code", kl_code, two_layers),
        ModelLoss("VAE", vae, heads),
        ModelLoss("VAE written out", vae_by_hand, heads),
        ModelLoss("Bernoulli cross-entropy", cross_entropy, two_layers),
        ModelLoss("residual autoencoder", residual, two_layers),
    ]


def finished_faults(gradients: list[Array], names: list[str]) -> Iterator[Planted]:
    """Mistakes with the gradients when they are done: one at a time, the other parameters' being right."""
    for k, (g, name) in enumerate(zip(gradients, names, strict=True)):
        changed = {
            "sign": -g,
            "zero": 0 * g,
            "1 % too large": 1.01 * g,
            "100 times too large": 100 * g,
            "rows reversed": g[::-1],
            "one entry dropped": np.where(np.abs(g) == np.abs(g).max(), 0.0, g),
            "NaN": g * np.nan,
        }
        if g.ndim == 2:
            changed |= {"columns reversed": g[:, ::-1], "transpose": g.T}
        changed |= {
            f"that of {names[j]}": other for j, other in enumerate(gradients) if j != k and other.shape == g.shape
        }
        for fault, wrong in changed.items():
            yield Planted(fault, f"d{name}", [wrong if j == k else other for j, other in enumerate(gradients)])


def model_mutants(seed: int = 0) -> Iterator[Mutant]:
    """Every mistake at every place of every loss, judged at each of SCALES."""
    for model in model_losses(seed):
        points = list(model.parameters.values())
        truth = list(complex_step_gradient(model.loss, points))
        mistakes = [*planted_gradients(model.recorded()), *finished_faults(truth, list(model.parameters))]
        for number, mistake in enumerate(mistakes):
            scale = SCALES[number % len(SCALES)]
            yield judge_gradients(model, mistake, truth, scale)


def judge_gradients(model: ModelLoss, mistake: Planted, truth: list[Array], scale: float = 1.0) -> Mutant:
    """Does check_gradient reject these gradients of scale × loss? If not: are they the right numbers, and why?"""
    fault = f"{mistake.cause} {mistake.detail}"
    check = check_gradient(
        lambda *ts: scale * model.loss(*ts),
        lambda *_: tuple(scale * g for g in mistake.gradients),
        tuple(model.parameters.values()),
        points=1,
    )
    if check.verdict == "disagrees":
        return Mutant(model.name, fault, "killed", "check_gradient")
    same = all(
        np.abs(g - t).max() <= UNCHANGED * np.abs(t).max() for g, t in zip(mistake.gradients, truth, strict=True)
    )
    proof = next((why for (name, words), why in EQUIVALENT.items() if name == model.name and words in fault), "")
    if same and proof:
        return Mutant(model.name, fault, "equivalent", proof)
    return Mutant(model.name, fault, "survived", f"the check says: {check.reason}")


EQUIVALENT = {  # (model, words of the fault) → why the numbers are the same
    (
        "sigmoid MLP + L1 code",
        "stale_activations activations of another sample were used in l1(",
    ): "a sigmoid code is positive, so the slope of |z| is sign(z) = 1 in every sample: the neighbour's is the same",
    (
        "Bernoulli-KL code",
        "stale_activations activations of another sample were used in bernoulli_kl(",
    ): "over the batch the penalty sees the mean activation only: its slope is the same in every sample",
}
