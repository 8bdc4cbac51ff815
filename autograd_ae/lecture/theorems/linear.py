"""Rows 1 to 4 and 20: linear autoencoders, deep encoders, biases, codes as large as the rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd_ae as ae
from autograd_ae.lecture.theorems.measure import Measure, given, relative
from autograd_ae.lecture.theorems.training import (
    LINEAR,
    as_function,
    built,
    data,
    descend,
    linear_autoencoder,
    put,
    quietly,
)
from autograd_ae.nn.layers import MLP

SPECTRUM = (4.0, 2.5, 1.5, 0.8, 0.4, 0.2)
MEAN = (1.0, -2.0, 0.0, 3.0, 0.5, 0.0)


def eckart_young(seed: int) -> list[Measure]:
    """A linear autoencoder reaches Σ_{i>L} λ_i at every minimum, and its decoder spans the principal subspace.

    Source: Eckart & Young 1936; Baldi & Hornik 1989.
    """
    X, measures = data(SPECTRUM, mean=MEAN, seed=seed), []
    for tied in (False, True):
        model = quietly(ae.LinearPCA(2, tied=tied, tol=1e-12, max_iter=3000, random_state=seed).fit, X)
        found, kind = ae.theory.compare(model, X), "tied" if tied else "untied"
        measures += [
            Measure(f"excess loss, relative, {kind} weights", abs(given(found.relative_excess_loss)), 1e-10),
            Measure(f"largest principal angle, {kind} weights", given(found.largest_angle), 1e-6),
        ]
    return measures


def critical_points(seed: int) -> list[Measure]:
    """Of the critical points W₁ = V_I C, W₂ = C⁻¹V_Iᵀ only I = {1 … L} is a minimum; all others are saddles.

    The Hessian of the model's own loss, by complex step through its gradient, has one negative eigenvalue for each pair
    of an eigenvector in I and a stronger one outside, whatever C, and among them the exchange of the two, curvature
    −2(λ_k − λ_i). At the minimum it has none but rounding; the flat directions are those of C, and of b₁. So training
    that starts beside a saddle ends at the minimum.

    Source: Baldi & Hornik 1989, Fact 4.
    """
    X = data(SPECTRUM[:4], seed=seed)
    C = np.linalg.qr(np.random.default_rng(seed).standard_normal((2, 2)))[0] * [1.3, 0.8]
    model = built(ae.Autoencoder(2, **LINEAR, random_state=seed), X)
    worst = dict.fromkeys(("gradient", "loss", "negative", "curvature", "flat", "left", "trained"), 0.0)
    for indices in ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)):
        at = _at_critical_point(model, X, indices, C)
        worst = {name: max(value, at.get(name, 0.0)) for name, value in worst.items()}
    return [
        Measure("largest gradient at all six critical points", worst["gradient"], 1e-13),
        Measure("loss against tr S − Σ_I λ_i, relative", worst["loss"], 1e-13),
        Measure("number of negative eigenvalues against the pairs", worst["negative"], 0.0),
        Measure("curvature along the exchange against −2(λ_k − λ_i), relative", worst["curvature"], 1e-12),
        Measure("negative eigenvalue at the minimum, share of the largest", worst["flat"], 1e-13),
        Measure("loss after training from beside each saddle against the minimum", worst["left"], 1e-10),
        Measure("negative eigenvalue where training ended, share of the largest", worst["trained"], 1e-12),
    ]


def _at_critical_point(model: Any, X: np.ndarray, indices: tuple[int, ...], C: np.ndarray) -> dict[str, float]:
    """Errors at the critical point of these eigenvectors."""
    W1, W2 = ae.theory.critical_weights(X, indices, C=C)
    put(model, W1, 0.0, W2, ae.theory.optimal_decoder_bias(X, W1, W2))
    loss, point = as_function(model, X)
    H = ae.hessian(loss, point)
    eigenvalues = np.linalg.eigvalsh(H)
    rounding = 1e-12 * eigenvalues[-1]
    pairs = sum(k < i for i in indices for k in range(4) if k not in indices)
    expected = ae.theory.critical_loss(X, indices)
    found = {
        "gradient": max(float(np.abs(g).max()) for g in ae.grad(model.loss(X), model.parameters())),
        "loss": abs(model.loss(X).item() / expected - 1),
        "negative": float(abs(np.sum(eigenvalues < -rounding) - pairs)),
    }
    if not pairs:
        return {**found, "flat": max(0.0, float(-eigenvalues[0] / eigenvalues[-1]))}
    way = ae.theory.escape_direction(X, indices, C=C)
    d = ae.optim.pack([way.dW1, np.zeros(len(W2)), way.dW2, np.zeros(X.shape[1])])
    found["curvature"] = abs(d @ ae.hvp(loss, point, d) / way.curvature - 1)
    _roll_down(model, X, point + 0.01 * d)
    found["left"] = abs(descend(model, X).loss(X).item() / ae.theory.eckart_young(X, 2).loss_ - 1)
    eigenvalues = np.linalg.eigvalsh(ae.hessian(*as_function(model, X)))
    return {**found, "trained": max(0.0, float(-eigenvalues[0] / eigenvalues[-1]))}


def _roll_down(model: Any, X: np.ndarray, start: np.ndarray, steps: int = 600, rate: float = 0.02) -> None:
    """Gradient descent from a point beside a saddle, where L-BFGS, with hardly a gradient, may step far too wide.

    The point is moved by another hundredth at random: a saddle may have more ways out than one.
    """
    arrays, step = [p.data for p in model.parameters()], ae.capture(model.loss, ae.constant(X))
    ae.optim.unpack(start + 0.01 * np.random.default_rng(0).standard_normal(start.size), arrays)
    optimizer = ae.optim.SGD(arrays, learning_rate=rate)
    for _ in range(steps):
        step()
        optimizer.step([step.gradients[p] for p in model.parameters()])


@dataclass(eq=False, repr=False, kw_only=True)
class DeepEncoder(ae.Autoencoder):
    """A deep encoder under ONE linear decoder layer."""

    def _build(self, n_features: int, rng: np.random.Generator, dtype: Any) -> tuple[MLP, MLP]:
        encoder, _ = super()._build(n_features, rng, dtype)
        return encoder, MLP.create((self.n_components, n_features), ("identity",), rng=rng, dtype=dtype, first=9)


def deep_encoder(seed: int) -> list[Measure]:
    """However deep the encoder, one linear decoder layer leaves at least Σ_{i>L} λ_i; depth helps in the decoder.

    Held all along the training of a tanh net on a parabola, which a deep decoder follows and a linear one cannot.

    Source: Bourlard & Kamp 1988.
    """
    t = np.linspace(-1, 1, 80)
    X = np.column_stack([t, t**2, t**3])
    bound = ae.theory.bourlard_kamp_bound(X, 1)
    options: dict[str, Any] = {**LINEAR, "hidden_layer_sizes": (8,), "activation": "tanh"}
    options |= {"solver": "lbfgs", "tol": 1e-9, "max_iter": 400}
    path: list[float] = []
    shallow = DeepEncoder(1, **options, random_state=seed)
    quietly(shallow.fit, X, callback=lambda m, _: path.append(m.reconstruction_error(X)))
    deep = quietly(ae.Autoencoder(1, **options, random_state=seed).fit, X)
    return [
        Measure(f"below the bound, relative, worst of {len(path)} iterations", max(0.0, 1 - min(path) / bound), 1e-12),
        Measure("above the bound at the end, relative", path[-1] / bound - 1, 1e-4),
        Measure("a deep decoder's error, as a share of the bound", deep.loss_ / bound, 0.1),
    ]


def biases(seed: int) -> list[Measure]:
    """The best biases do the centring: b₂ = μ(I − W₁W₂) − b₁W₂, and the loss is that of centred data.

    Source: Bourlard & Kamp 1988.
    """
    X = data(SPECTRUM, mean=MEAN, seed=seed)
    model = linear_autoencoder(X, 2, seed=seed)  # nothing in it knows of the mean
    W1, b1, W2, b2 = (p.data for p in model.parameters())
    expected = ae.theory.optimal_decoder_bias(X, W1, W2, b1)
    optimum = ae.theory.eckart_young(X, 2).loss_
    return [
        Measure("b₂ after training, relative", relative(b2, expected), 1e-8),
        Measure("loss against the centred optimum, relative", abs(model.loss_ / optimum - 1), 1e-8),
    ]


def obvious_compression(seed: int) -> list[Measure]:
    """A code as large as the rank of the data loses nothing, "obvious compression"; one number less loses λ_r.

    Source: the lecture.
    """
    X = data((*SPECTRUM[:3], 0.0, 0.0, 0.0), mean=MEAN, seed=seed)
    rank, total = ae.theory.lossless_dimension(X), sum(SPECTRUM[:3])
    at, above = linear_autoencoder(X, rank, seed=seed), linear_autoencoder(X, 6, seed=seed)
    below = linear_autoencoder(X, rank - 1, seed=seed)
    return [
        Measure("rank found against 3", abs(rank - 3), 0.0),
        Measure("X̂ against X at L = rank, worst entry", np.abs(at.reconstruct(X) - X).max(), 1e-6),
        Measure("loss at L = rank, share of the variance", at.loss_ / total, 1e-12),
        Measure("loss at L = N, share of the variance", above.loss_ / total, 1e-12),
        Measure("loss at L = rank − 1 against λ_r, relative", abs(below.loss_ / SPECTRUM[2] - 1), 1e-8),
        Measure("loss of PCA at L = rank, share of the variance", ae.PCA(rank).fit(X).loss_ / total, 1e-14),
    ]
