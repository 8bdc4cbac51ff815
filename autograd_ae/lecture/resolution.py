"""Section 11 of the chapter, second half: raising resolution, 7×7 → 28×28.

The corruption is a loss of resolution: means over 4×4 pixels. Against the network stand interpolation, which knows
nothing of digits, and the best linear map from the 49 pixels to the 784, which is least squares on the training set.
"""

from __future__ import annotations

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture.section import Section

FACTOR, UNITS, EPOCHS, QUICK_EPOCHS, RATE, SHOWN = 4, 400, 6, 2, 4e-3, 10


def run(
    digits: Dataset, *, seed: int = 0, quick: bool = False, verbose: bool = True, epochs: int | None = None
) -> Section:
    section = Section(
        "resolution",
        "Raising resolution",
        "From images of 7 × 7 the network draws 28 × 28: better than interpolation, which knows nothing of digits, "
        "and than the best linear map, which does.",
        "Section 11 of the chapter",
        (
            r"\hat{R} = \mathcal{L}(\operatorname{Decoder}(\operatorname{Encoder}(\tilde{X})), X)",
            r"\tilde{X} = X \text{ in means over } 4 \times 4 \text{ pixels}",
        ),
    )
    X, X_test = digits.train.images, digits.test.images
    model = ae.DenoisingAE(
        UNITS,
        hidden_layer_sizes=(),
        code_activation="relu",
        reconstruction_loss="bce",
        corruption="low_resolution",
        corruption_level=FACTOR,
        learning_rate="cosine",
        learning_rate_init=RATE,
        batch_size=32,
        max_iter=epochs or (QUICK_EPOCHS if quick else EPOCHS),
        random_state=seed,
        verbose=verbose,
    ).fit(X)
    small, small_test = (ae.data.reduce_resolution(part, FACTOR) for part in (X, X_test))
    answers = {
        "nearest pixel": ae.data.enlarge(small_test, FACTOR),
        "bilinear": bilinear(small_test, FACTOR),
        "linear regression": regression(small, X, small_test),
        "autoencoder": model.reconstruct(ae.data.enlarge(small_test, FACTOR)),
    }
    errors = {name: float(np.mean(np.sum((Y - X_test.astype(np.float64)) ** 2, axis=1))) for name, Y in answers.items()}
    references = {"nearest pixel": "each pixel repeated 4 × 4 times", "bilinear": "knows nothing of digits"}
    for name, text in references.items():
        section.add(f"{name}: test error", errors[name], text, key=name.replace(" ", "_"))
    section.below(
        "linear regression: test error",
        errors["linear regression"],
        min(errors["nearest pixel"], errors["bilinear"]),
        "the better interpolation",
        key="linear_regression",
    )
    section.below(
        "autoencoder: test error",
        errors["autoencoder"],
        errors["linear regression"],
        "linear regression",
        key="autoencoder",
    )
    gain = 1 - errors["autoencoder"] / errors["linear regression"]
    section.say(
        f"Of the {errors['nearest pixel']:.1f} that enlarging leaves, regression from the 49 pixels leaves "
        f"{errors['linear regression']:.1f}, and the network {errors['autoencoder']:.1f}, {abs(gain):.0%} "
        f"{'less' if gain > 0 else 'more'}."
    )
    rows = {"original": X_test[:SHOWN]} | {
        f"{name}\nerror {errors[name]:.1f}": Y[:SHOWN] for name, Y in answers.items()
    }
    section.show(
        "resolution",
        ae.plot.image_rows(rows, title="From 7 × 7 to 28 × 28"),
        f"Five rows of {SHOWN} unseen digits: originals, the seven by seven images enlarged by repeating pixels, "
        "bilinear interpolation, linear regression, and the autoencoder's answer.",
        "All but the first row are made from the same 49 numbers per image.",
    )
    section.settings |= {
        "network": f"784-{UNITS}-784, ReLU and sigmoid, cross-entropy, Adam",
        "epochs": str(model.n_iter_),
        "images": f"{len(X):,} to train, {len(X_test):,} to test",
    }
    return section


def regression(small: np.ndarray, X: np.ndarray, small_test: np.ndarray) -> np.ndarray:
    """The affine map from small images to large ones of least squares on (small, X), applied to small_test."""
    design, design_test = (np.column_stack([np.ones(len(A)), A]).astype(np.float64) for A in (small, small_test))
    return design_test @ np.linalg.lstsq(design, X.astype(np.float64), rcond=None)[0]


def bilinear(images: np.ndarray, factor: int) -> np.ndarray:
    """Square images (B, h·h) enlarged `factor` times each way, linear between the centres of pixels, constant outside.

    >>> bilinear(np.array([[0.0, 4.0, 0.0, 4.0]]), 2).reshape(4, 4)[0].tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    h = round(images.shape[1] ** 0.5)
    A = weights(h, factor).astype(images.dtype)
    return np.einsum("ih,bhw,jw->bij", A, images.reshape(-1, h, h), A, optimize=True).reshape(len(images), -1)


def weights(h: int, factor: int) -> np.ndarray:
    """(h·factor, h): row i holds the shares of the old pixels in new pixel i along one axis; each row sums to 1."""
    at = np.clip((np.arange(h * factor) + 0.5) / factor - 0.5, 0, h - 1)
    low = np.minimum(np.floor(at).astype(int), max(h - 2, 0))
    A = np.zeros((h * factor, h))
    rows = np.arange(h * factor)
    A[rows, low] += 1 - (at - low)
    A[rows, np.minimum(low + 1, h - 1)] += at - low
    return A
