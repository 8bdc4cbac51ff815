"""What a trained net may have failed at, in numbers: a loss alone does not say it.

    plateau            ‖X − μ‖²/B, the error of answering with the training mean μ: nothing learned but a bias
    collapse level     Σ_j H(m_j, m_j), m the mean of X: the same for a cross-entropy H(t, p) = −t ln p − (1−t) ln(1−p)
    floor              (1/B) Σ H(x, x): what cross-entropy costs where x̂ = x, 0 only for black and white pixels
    dead latents       columns of the code that stand still: deviation below 1e-3 of the liveliest column's
    saturated units    values of hidden sigmoids outside (0.01, 0.99), of tanh outside ±0.98: there σ′ < 0.01,
                       tanh′ < 0.04, so next to nothing is passed back
    silent units       hidden relus that are 0 for all samples of X: they get no gradient from them

Each is of the samples given. A VAE's latent j is *active* if the mean M_j of q(z|x) varies, Var_x M_j > 0.01 (Burda,
Grosse & Salakhutdinov 2016, "Importance weighted autoencoders", §5.2); the others have collapsed to the prior.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_ae.core.tensor import no_grad

DEAD = 1e-3  # of the largest deviation
ACTIVE = 0.01  # variance of a latent's mean, in units of the prior's


def cross_entropy_levels(X: np.ndarray) -> dict[str, float]:
    """Floor and collapse level of X (B, N) in [0, 1], nats per sample.

    >>> cross_entropy_levels(np.array([[0.0, 1.0], [1.0, 1.0]]))
    {'floor': 0.0, 'collapse_level': 1.3862943611198906}
    """
    X = X.astype(np.float64)
    return {"floor": float(_entropy(X).sum() / len(X)), "collapse_level": float(_entropy(X.mean(axis=0)).sum())}


def _entropy(t: np.ndarray) -> np.ndarray:
    """H(t, t), 0 at 0 and 1."""
    inside = (t > 0) & (t < 1)
    s = np.where(inside, t, 0.5)
    return np.where(inside, -s * np.log(s) - (1 - s) * np.log1p(-s), 0.0)


def dead_latents(Z: np.ndarray) -> int:
    """How many columns of codes (B, L) stand still beside the liveliest; all, where none moves.

    >>> dead_latents(np.array([[0.0, 1.0, 3.0], [0.0, 2.0, 3.0]]))
    2
    """
    deviation = Z.astype(np.float64).std(axis=0)
    return int(np.sum(deviation <= DEAD * deviation.max()))


def hidden_units(model: Any, X: np.ndarray) -> dict[str, float]:
    """Saturated share of hidden sigmoids and tanhs, and the number of silent hidden relus, where there are such."""
    saturated: list[np.ndarray] = []
    silent: list[int] = []
    for activation, h in _hidden(model, X):
        if activation in ("sigmoid", "tanh"):
            centre, reach = (0.5, 0.49) if activation == "sigmoid" else (0.0, 0.98)
            saturated.append((np.abs(h - centre) > reach).mean(axis=0))
        elif activation == "relu":
            silent.append(int(np.sum(~h.any(axis=0))))
    found: dict[str, float] = {"saturated_share": float(np.concatenate(saturated).mean())} if saturated else {}
    return found | ({"silent_units": sum(silent)} if silent else {})


def _hidden(model: Any, X: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Activation and values (B, units) of each layer between input and code, and between code and output."""
    for layers, h in (
        (getattr(model.encoder_, "layers", ()), X),
        (getattr(model.decoder_, "layers", ()), model._encode(X)),
    ):
        for layer in layers[:-1]:
            with no_grad():
                h = layer(h).data
            yield layer.activation, h


TEXTS = {
    "error": ("error", "{:.6g}"),
    "denoising_error": ("denoising error", "{:.6g}   (of samples spoiled as in training)"),
    "plateau": ("plateau (mean image)", "{:.6g}   (the model is {share:.1%} {side} it)"),
    "cross_entropy": ("cross-entropy", "{:.6g} nats"),
    "elbo": ("evidence lower bound", "{:.6g} nats"),
    "kl": ("KL to the prior", "{:.6g} nats"),
    "collapse_level": ("collapse level", "{:.6g} nats   (cross-entropy of the mean of X)"),
    "floor": ("floor", "{:.6g} nats   (entropy of the pixels of X)"),
    "dead_latents": ("dead latents", "{} of {latents}   (deviation below 1e-3 of the liveliest)"),
    "active_latents": ("active latents", "{} of {latents}   (variance of the mean above 0.01)"),
    "active_share": ("active code units", "{:.1%}   (above 0.1)"),
    "saturated_share": ("saturated units", "{:.1%}   (hidden, σ′ or tanh′ next to 0)"),
    "silent_units": ("silent units", "{}   (hidden relus that are 0 for all of X)"),
}


def as_text(found: dict[str, float], latents: int) -> list[str]:
    """A line for each number, in the order of TEXTS."""
    plateau = found.get("plateau", 0.0)
    below = 1 - found["error"] / plateau if plateau > 0 else 0.0
    extra = {"latents": latents, "share": abs(below), "side": "below" if below >= 0 else "above"}
    return [f"{label:22}{text.format(found[key], **extra)}" for key, (label, text) in TEXTS.items() if key in found]
