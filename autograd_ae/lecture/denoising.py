"""Section 11 of the chapter, first half: denoising.

Each image is spoiled, the network is fed the spoiled one and answers for the original (Vincent et al. 2008). What can
a linear map do at best? That is known in closed form for noise that is drawn anew each time: W = Q⁻¹P, Q = Cov(x̃),
P = Cov(x̃, x), and the mean put back by the bias (`theory.additive_dae`, `theory.masking_dae`). Salt and pepper is of
the same kind: a pixel is kept with probability q, else it is 0 or 1, evenly, so

    E x̃ = qμ + (1 − q)/2,   P = qS,   Q_ij = q²S_ij,   Q_ii = q E xᵢ² + (1 − q)/2 − (E x̃ᵢ)².

The network is judged on unseen digits with unseen noise, against that best linear map and against doing nothing.
"""

from __future__ import annotations

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture.section import Section

NOISES = {
    "gaussian": ("Gaussian, σ = 0.5", 0.5),
    "masking": ("half of the pixels masked", 0.5),
    "salt_and_pepper": ("salt and pepper on 30 %", 0.3),
}
UNITS, EPOCHS, QUICK_EPOCHS, RATE, SHOWN = 400, 6, 2, 4e-3, 10


def run(
    digits: Dataset, *, seed: int = 0, quick: bool = False, verbose: bool = True, epochs: int | None = None
) -> Section:
    section = Section(
        "denoising",
        "Denoising",
        "Spoil each image, feed the spoiled one, compare with the original: the network learns to undo the noise, "
        "better than the best linear map, which is known in closed form.",
        "Section 11 of the chapter; Vincent et al. 2008; linear optimum: Bishop 1995, Chen et al. 2012",
        (
            r"\hat{R} = \mathcal{L}(\operatorname{Decoder}(\operatorname{Encoder}(\tilde{X})), X) + \lambda S(Z)",
            r"W = Q^{-1} P, \qquad Q = \operatorname{Cov}(\tilde{x}), \quad P = \operatorname{Cov}(\tilde{x}, x)",
        ),
    )
    epochs = epochs or (QUICK_EPOCHS if quick else EPOCHS)
    for kind, (name, level) in NOISES.items():
        _one(section, digits, kind, name, level, epochs=epochs, seed=seed, verbose=verbose)
    section.settings |= {
        "network": f"784-{UNITS}-784, ReLU and sigmoid, cross-entropy, Adam",
        "epochs": str(epochs),
        "images": f"{len(digits.train):,} to train, {len(digits.test):,} to test",
    }
    return section


def linear_denoiser(X: np.ndarray, kind: str, level: float) -> tuple[np.ndarray, np.ndarray]:
    """W (N, N) and b (N,) of the best linear map x̃W + b for noise of this kind on images X (B, N)."""
    if kind == "gaussian":
        best = ae.theory.additive_dae(X, noise_variance=level**2)
        return best.weight, best.bias
    if kind == "masking":
        best = ae.theory.masking_dae(X, keep_probability=1 - level)
        return best.weight, best.bias
    return salt_and_pepper_map(X, level)


def salt_and_pepper_map(X: np.ndarray, probability: float) -> tuple[np.ndarray, np.ndarray]:
    """The best linear denoiser where an entry is with this probability 0 or 1, evenly, else kept; X (B, N) in [0, 1].

    >>> W, b = salt_and_pepper_map(np.array([[0.0], [1.0]]), 0.5)     # half is kept: Cov(x̃, x)/Var x̃ = ½
    >>> W.round(12), b.round(12)
    (array([[0.5]]), array([0.25]))
    """
    X = np.asarray(X, np.float64)
    q, mean = 1 - probability, X.mean(axis=0)
    S = (X - mean).T @ (X - mean) / len(X)
    noisy_mean = q * mean + (1 - q) / 2
    Q = q**2 * S
    np.fill_diagonal(Q, q * np.mean(X**2, axis=0) + (1 - q) / 2 - noisy_mean**2)
    W = np.linalg.solve(Q, q * S)  # the noise alone makes Q regular
    return W, mean - noisy_mean @ W


def _one(
    section: Section, digits: Dataset, kind: str, name: str, level: float, *, epochs: int, seed: int, verbose: bool
) -> None:
    """Train against one kind of noise, and report."""
    X, X_test = digits.train.images, digits.test.images
    model = ae.DenoisingAE(
        UNITS,
        hidden_layer_sizes=(),
        code_activation="relu",
        reconstruction_loss="bce",
        corruption=kind,
        corruption_level=level,
        learning_rate="cosine",
        learning_rate_init=RATE,
        batch_size=32,
        max_iter=epochs,
        random_state=seed,
        verbose=verbose,
    ).fit(X)
    spoiled = model.corrupt(X_test, random_state=seed + 1)
    W, b = linear_denoiser(X, kind, level)
    linear, deep = spoiled @ W + b, model.reconstruct(spoiled)
    errors = [float(np.mean(np.sum((Y - X_test.astype(np.float64)) ** 2, axis=1))) for Y in (spoiled, linear, deep)]
    key = kind
    section.add(f"{name}: error of the spoiled images", errors[0], "doing nothing", key=f"{key}_spoiled")
    section.below(f"{name}: best linear denoiser", errors[1], errors[0], "closed form", key=f"{key}_linear")
    section.below(f"{name}: denoising autoencoder", errors[2], errors[1], "the best linear one", key=f"{key}_network")
    gain = 1 - errors[2] / errors[1]
    section.say(
        f"{name[0].upper()}{name[1:]}: the network leaves {errors[2]:.1f} of an error of {errors[0]:.1f}, "
        f"{abs(gain):.0%} {'less' if gain > 0 else 'more'} than the best linear map ({errors[1]:.1f})."
    )
    first = slice(0, SHOWN)
    rows = {
        "original": X_test[first],
        f"spoiled\nerror {errors[0]:.1f}": spoiled[first],
        f"best linear map\nerror {errors[1]:.1f}": linear[first],
        f"autoencoder\nerror {errors[2]:.1f}": deep[first],
    }
    section.show(
        f"denoising_{key}",
        ae.plot.image_rows(rows, title=name[0].upper() + name[1:]),
        f"Four rows of {SHOWN} unseen digits: originals, the same spoiled ({name}), as the best linear map restores "
        "them, and as the autoencoder does.",
        "Unseen digits with noise that was not seen in training.",
    )
