"""Exact identities of networks' gradients. Public through `autograd_ae.testing.laws`, which is the page to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_ae.core.tensor import Tensor
from autograd_ae.testing.laws_report import Array, assert_close, eps_of, loss_gradients, values_of

Loss = Callable[..., Tensor]


def _batch(X: Any) -> list[Array]:
    """The arrays of a batch, samples in rows: X, or X with targets and noise beside it."""
    arrays = [np.asarray(a) for a in (X if isinstance(X, tuple) else (X,))]
    if not all(a.ndim and len(a) == len(arrays[0]) for a in arrays) or not len(arrays[0]):
        raise ValueError(
            f"a batch has one row per sample, at least one, in every array; shapes {[a.shape for a in arrays]} arrived"
        )
    return arrays


def _names(parameters: Sequence[Tensor]) -> list[str]:
    return [f"∇{t.name}" if t.name else f"∇parameter {k} {t.shape}" for k, t in enumerate(parameters)]


def _rounding_of_product(A: Array, B: Array, near_A: float, near_B: float) -> float:
    """What A B may be off by: entries of A are right to near_A, of B to near_B, and n terms are added."""
    n = A.shape[-1]
    sizes = [float(np.abs(M).max()) if M.size else 0.0 for M in (A, B)]
    return n * (near_A * sizes[1] + sizes[0] * near_B + n * eps_of(A) * sizes[0] * sizes[1])


def assert_batch_gradient_is_mean(loss: Loss, parameters: Sequence[Tensor], X: Any) -> None:
    """∇loss(X) = mean over samples of ∇loss(x_b): fails on a sum for a mean, and on anything that mixes samples.

    loss : `loss(*batch)` → scalar tensor, over the parameters.    X : (B, n), or a tuple of such arrays.
    """
    batch = _batch(X)
    whole, near = loss_gradients(loss, parameters, batch)
    parts = [loss_gradients(loss, parameters, [a[b : b + 1] for a in batch]) for b in range(len(batch[0]))]
    for k, name in enumerate(_names(parameters)):
        mean = np.mean([gradients[k] for gradients, _ in parts], axis=0)
        allowed = near[k] + max(noise[k] for _, noise in parts)
        words = ("of the batch", "mean of the samples'")
        assert_close("the batch's gradient is not the mean over samples", name, whole[k], mean, allowed, words=words)


def assert_permutation_equivariant(
    loss: Loss,
    parameters: Sequence[Tensor],
    X: Any,
    rng: np.random.Generator,
    *,
    hidden: Sequence[tuple[Tensor, Tensor, Tensor]] = (),
) -> None:
    """Permuting samples permutes ∇X and leaves parameters' gradients; permuting a layer's hidden units permutes theirs.

    hidden : (W, b, V) of hidden layers: incoming weights (n, h), biases (h,), outgoing weights (h, m).
    """
    batch = _batch(X)
    before, near = loss_gradients(loss, parameters, batch)
    order = rng.permutation(len(batch[0]))
    after, near_after = loss_gradients(loss, parameters, [a[order] for a in batch])
    count = len(parameters)
    names = [*_names(parameters), *[f"∇x_{k}" for k in range(len(batch))]]
    for k, name in enumerate(names):
        expected = before[k] if k < count else before[k][order]
        allowed = near[k] + near_after[k]
        words = ("on permuted samples", "expected")
        assert_close(
            "gradients do not follow a permutation of the samples", name, after[k], expected, allowed, words=words
        )
    for W, b, V in hidden:
        units = rng.permutation(len(b))
        move: dict[int, Any] = {id(W): (slice(None), units), id(b): units, id(V): units}
        with values_of((W, b, V), [t.data[move[id(t)]] for t in (W, b, V)]):
            after, near_after = loss_gradients(loss, parameters, batch)
        for k, name in enumerate(names):
            expected = before[k][move[id(parameters[k])]] if k < count and id(parameters[k]) in move else before[k]
            words = ("with permuted units", "expected")
            law = f"gradients do not follow a permutation of the units of {b.name or 'a hidden layer'}"
            assert_close(law, name, after[k], expected, near[k] + near_after[k], words=words)


def assert_rotation_equivariant(
    loss: Loss,
    parameters: Sequence[Tensor],
    X: Any,
    rng: np.random.Generator,
    *,
    first: Sequence[Tensor],
    last: Sequence[Tensor] = (),
) -> None:
    """With X Q in place of X for an orthogonal Q, and Qᵀ W for each `first` weight, X W is what it was, and ∇W becomes
    Qᵀ∇W.

    An autoencoder's target turns as well: name in `last` what produces its output, W₂ (h, n) and b₂ (n,), which become
    W₂ Q and b₂ Q. Only the first array of X is turned; the loss must be the squared error when the output turns.
    """
    x, *others = _batch(X)
    Q = np.linalg.qr(rng.normal(size=(x.shape[1], x.shape[1])))[0].astype(x.dtype)
    turned = [*first, *last]

    def turn(t: Tensor, array: Array) -> Array:
        return Q.T @ array if any(t is f for f in first) else array @ Q if any(t is l for l in last) else array

    before, near = loss_gradients(loss, parameters, [x, *others])
    with values_of(turned, [turn(t, t.data) for t in turned]):
        after, near_after = loss_gradients(loss, parameters, [x @ Q, *others])
        noise = _rounding_of_rotation(loss, parameters, [x @ Q, *others], turned)
    for k, (t, name) in enumerate(zip(parameters, _names(parameters), strict=True)):
        size = float(np.abs(before[k]).max()) if before[k].size else 0.0
        allowed = near_after[k] + noise[k] + len(Q) * (near[k] + len(Q) * eps_of(before[k]) * size)
        words = ("on turned data", "Qᵀ∇W or ∇W Q")
        assert_close(
            "gradients do not follow a rotation of the data", name, after[k], turn(t, before[k]), allowed, words=words
        )


def _rounding_of_rotation(
    loss: Loss, parameters: Sequence[Tensor], batch: list[Array], turned: Sequence[Tensor]
) -> list[float]:
    """How far gradients move when the rounding of x Q, Qᵀ W, W₂ Q, n terms each, moves data and weights: measured."""
    x, *others = batch
    n, rng = x.shape[1], np.random.default_rng(1)

    def shaken(a: Array) -> Array:
        return a + (n * eps_of(a) * np.abs(a).max() * rng.uniform(-1, 1, size=a.shape)).astype(a.dtype) if a.size else a

    before, _ = loss_gradients(loss, parameters, batch)
    largest = [0.0] * len(parameters)
    for _ in range(4):
        with values_of(turned, [shaken(t.data) for t in turned]):
            after, _ = loss_gradients(loss, parameters, [shaken(x), *others])
        for k in range(len(parameters)):
            largest[k] = max(largest[k], float(np.abs(after[k] - before[k]).max(initial=0.0)))
    return [4 * value for value in largest]


def assert_balance_linear(loss: Loss, X: Any, W1: Tensor, b1: Tensor | None, W2: Tensor) -> None:
    """At a linear code z = h W₁ + b₁, followed by z W₂:  W₁ᵀ∇W₁ + b₁ ⊗ ∇b₁ = ∇W₂ W₂ᵀ  (L × L).

    The loss depends on (W₁, b₁, W₂) through W₁A, b₁A, A⁻¹W₂ for no invertible A, so its derivative along A is 0.
    Sources: Saxe et al. 2013 (conserved by gradient flow); Arora et al. 2018. `b1` None: no bias.
    """
    parameters = [W1, W2] if b1 is None else [W1, W2, b1]
    gradients, near = loss_gradients(loss, parameters, _batch(X))
    incoming = W1.data.T @ gradients[0]
    allowed = _rounding_of_product(W1.data.T, gradients[0], 0.0, near[0])
    if b1 is not None:
        incoming = incoming + np.outer(b1.data, gradients[2])
        allowed += _rounding_of_product(b1.data[:, None], gradients[2][None], 0.0, near[2])
    outgoing = gradients[1] @ W2.data.T
    allowed += _rounding_of_product(gradients[1], W2.data.T, near[1], 0.0)
    names = f"{W1.name or 'W1'} and {W2.name or 'W2'}"
    words = ("W1ᵀ∇W1 + b1 ∇b1", "∇W2 W2ᵀ")
    assert_close("the balance of a linear code is broken", names, incoming, outgoing, allowed, words=words)


def assert_balance_relu(loss: Loss, X: Any, W1: Tensor, b1: Tensor | None, W2: Tensor) -> None:
    """Unit j of a relu layer:  Σ_i W₁ᵢⱼ∇W₁ᵢⱼ + b₁ⱼ∇b₁ⱼ = Σ_k W₂ⱼₖ∇W₂ⱼₖ.

    relu(a z) = a relu(z) for a > 0, so (a w, a b, v/a) is the same function; differentiate along a at 1. Holds for
    leaky_relu too. Source: Du, Hu & Lee 2018, "Algorithmic regularization in learning deep homogeneous models",
    Theorem 2.1.
    """
    parameters = [W1, W2] if b1 is None else [W1, W2, b1]
    gradients, near = loss_gradients(loss, parameters, _batch(X))
    incoming = np.sum(W1.data * gradients[0], axis=0)
    allowed = _rounding_of_product(W1.data.T, gradients[0], 0.0, near[0])
    if b1 is not None:
        incoming = incoming + b1.data * gradients[2]
        allowed += _rounding_of_product(b1.data[:, None], gradients[2][None], 0.0, near[2])
    outgoing = np.sum(W2.data * gradients[1], axis=1)
    allowed += _rounding_of_product(gradients[1], W2.data.T, near[1], 0.0)
    unit = f"a unit between {W1.name or 'W1'} and {W2.name or 'W2'}"
    words = ("incoming · ∇incoming", "outgoing · ∇outgoing")
    assert_close("the balance of a relu unit is broken", unit, incoming, outgoing, allowed, words=words)


def assert_sigmoid_flip(loss: Loss, X: Any, W: Tensor, b: Tensor, V: Tensor, c: Tensor, unit: int = 0) -> None:
    """(w, b, v, c) → (−w, −b, −v, c + v) of one sigmoid unit is the same function, since σ(−z) = 1 − σ(z). Its
    gradients map by

        ∇w = −∇'w,    ∇b = −∇'b,    ∇v = −∇'v + ∇'c,    ∇c = ∇'c.

    W (n, h), b (h,) lead to the sigmoid layer; V (h, m), c (m,) are the layer after it.
    """
    parameters = [W, b, V, c]
    before, near = loss_gradients(loss, parameters, _batch(X))
    flipped = [t.data.copy() for t in parameters]
    flipped[0][:, unit] *= -1
    flipped[1][unit] *= -1
    flipped[2][unit] *= -1
    flipped[3] += V.data[unit]
    with values_of(parameters, flipped):
        after, near_after = loss_gradients(loss, parameters, _batch(X))
    after[0][:, unit] *= -1
    after[1][unit] *= -1
    after[2][unit] = after[3] - after[2][unit]
    for k, name in enumerate(_names(parameters)):
        allowed = near[k] + near_after[k] + near_after[3] * (k == 2)
        words = ("mapped back from the flip", "as they are")
        law = f"gradients do not follow the flip of sigmoid unit {unit}"
        assert_close(law, name, after[k], before[k], 2 * allowed, words=words)
