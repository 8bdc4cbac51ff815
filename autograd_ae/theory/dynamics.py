"""How a linear autoencoder learns: gradient flow in closed form, gradient descent step by step (rows 15-17).

Start in the eigenbasis: W₁ = V diag(u), W₂ = diag(v)Vᵀ with V of L eigenvectors of S. The gradients keep that form, so
the modes decouple, each with its product a = uv and its part of the mean squared error λ(1 − uv)².

Flow on *half* the mean squared error, du/dt = λ(1 − uv)v, dv/dt = λ(1 − uv)u. u² − v² never changes; from the balanced
start u = v = √a

    da/dt = 2λa(1 − a)                      (row 15)
    da/dt = 2a(λ − (λ + σ²)a)               (row 16: additive noise of variance σ² adds ½σ²a²)

The logistic equation da/dt = 2a(λ − κa), solved through 1/a, which is linear:

    a(t) = a₀ / (e^{−r} + a₀ κ φ),   r = 2λt,   φ = 2t (1 − e^{−r})/r  →  2t as λ → 0.

One unit of t is 1/(learning rate) steps on ½ mean SE; on the project's loss, without the ½, a step counts double:
t = 2 × learning_rate × steps. The agreement is to first order in the learning rate; row 17 is exact instead.

Sources: Saxe, McClelland & Ganguli 2013; Pretorius, Kroon & Kamper 2018, "Learning dynamics of linear denoising
autoencoders".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import Array, as_count, as_float, as_number


def gradient_flow(eigenvalues: ArrayLike, initial: ArrayLike, time: ArrayLike) -> Array:
    """Row 15. a(t) = 1/(1 + (1/a₀ − 1)e^{−2λt}): the modes of W₁W₂ under gradient flow on ½ mean SE, balanced start.

    eigenvalues λ ≥ 0 and initial a₀ ≥ 0: scalars or (k,), broadcast; time t ≥ 0: scalar or (T,). Shape (T, k), without
    the axes of scalars. a₀ = 0 stays 0: the saddle.

    Source: Saxe et al. 2013.

    >>> gradient_flow([2.0, 0.5], 0.01, [0.0, 2.0]).round(4)
    array([[0.01  , 0.01  ],
           [0.9679, 0.0695]])
    """
    return denoising_gradient_flow(eigenvalues, initial, time, noise_variance=0.0)


def denoising_gradient_flow(
    eigenvalues: ArrayLike, initial: ArrayLike, time: ArrayLike, *, noise_variance: float
) -> Array:
    """Row 16. a(t) = a∞/(1 + (a∞/a₀ − 1)e^{−2λt}), a∞ = λ/(λ + σ²), in the form that also holds at λ = 0 and a₀ = 0.

    Arguments as in `gradient_flow`; `noise_variance` σ² ≥ 0. The noise moves the goal and not the rate 2λ.

    Source: Pretorius et al. 2018.

    >>> denoising_gradient_flow(2.0, 0.01, [0.0, 50.0], noise_variance=0.5).round(4)
    array([0.01, 0.8 ])
    """
    eigen = _nonnegative(eigenvalues, "eigenvalues", (0, 1))
    a0 = _nonnegative(initial, "initial", (0, 1))
    t = _nonnegative(time, "time", (0, 1))
    _broadcast(eigenvalues=eigen, initial=a0)
    kappa = eigen + as_number(noise_variance, "noise_variance", low=0)
    if t.ndim and (eigen.ndim or a0.ndim):
        t = t[:, None]  # (T, 1) against (k,)
    rate = 2 * eigen * t
    phi = 2 * t * np.divide(-np.expm1(-rate), rate, out=np.ones(rate.shape), where=rate > 0)
    still = np.zeros(np.broadcast_shapes(rate.shape, a0.shape))  # what starts at 0 stays there
    return np.divide(a0, np.exp(-rate) + a0 * kappa * phi, out=still, where=a0 > 0)


def gradient_descent(
    eigenvalues: ArrayLike, encoder: ArrayLike, decoder: ArrayLike, *, learning_rate: float, n_steps: int
) -> tuple[Array, Array]:
    """Row 17. u ← u + 2ηλ(1 − uv)v, v ← v + 2ηλ(1 − uv)u, both from the old values: training, to rounding.

    Plain gradient descent with rate η > 0 on the mean SE (no ½) of W₁ = V diag(u), W₂ = diag(v)Vᵀ. eigenvalues λ ≥ 0,
    encoder u₀ and decoder v₀: scalars or (k,), broadcast. Returns u and v, each (n_steps + 1, k), row 0 the start.
    Near the balanced goal u = v = 1 it contracts while η < 1/(2λ₁); a rate that diverges raises ValueError.

    Source: elementary, from dW₁ = (2/B)XᵀRW₂ᵀ, dW₂ = (2/B)(XW₁)ᵀR with R = XW₁W₂ − X.

    >>> u, v = gradient_descent([2.0], [0.5], [0.25], learning_rate=0.125, n_steps=1)
    >>> u.ravel(), v.ravel()
    (array([0.5     , 0.609375]), array([0.25   , 0.46875]))
    """
    eigen = _nonnegative(eigenvalues, "eigenvalues", (0, 1))
    u, v = as_float(encoder, "encoder", (0, 1)), as_float(decoder, "decoder", (0, 1))
    shape = _broadcast(eigenvalues=eigen, encoder=u, decoder=v)
    rate = as_number(learning_rate, "learning_rate", above=0)
    steps = as_count(n_steps, "n_steps", 0, np.iinfo(np.int32).max, "the steps are computed one by one")
    path = np.empty((2, steps + 1, *shape))
    path[0, 0], path[1, 0] = u, v
    with np.errstate(over="ignore", invalid="ignore"):  # reported below
        for k in range(steps):
            u, v = path[:, k]
            force = 2 * rate * eigen * (1 - u * v)
            path[0, k + 1], path[1, k + 1] = u + force * v, v + force * u
    if not np.isfinite(path[:, -1]).all():
        raise ValueError(
            f"learning_rate={rate}: gradient descent diverges; near the optimum it needs a rate below "
            f"1/(2 λ₁) = {0.5 / eigen.max():.3g}"
        )
    return path[0], path[1]


def _nonnegative(value: ArrayLike, name: str, ndim: tuple[int, ...]) -> Array:
    array = as_float(value, name, ndim)
    if array.size == 0:
        raise ValueError(f"{name}: at least one value is needed, but the shape is {array.shape}")
    if array.min() < 0:
        raise ValueError(f"{name}: it must not be negative, but {array.min()} arrived")
    return array


def _broadcast(**arrays: Array) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError as error:
        shapes = ", ".join(f"{name} {a.shape}" for name, a in arrays.items())
        raise ValueError(f"{shapes}: one value per mode, or one for all, is needed") from error
