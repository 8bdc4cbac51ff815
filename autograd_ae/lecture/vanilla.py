"""Section 8 of the chapter, the practice: an 8-layer MLP, all sigmoid, with a 2-d code, trained on digits by ‖X̂ − X‖².

Three figures tell whether it learned: the plateau (the error of the mean image, where an untrained deep sigmoid net
stays), the error of PCA with as many components, and its own error on images that it has not seen.
"""

from __future__ import annotations

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture.section import Section

EPOCHS, QUICK_EPOCHS = 30, 8


def run(digits: Dataset, *, seed: int = 0, quick: bool = False, verbose: bool = True) -> Section:
    section = Section(
        "autoencoder",
        "The lecture's sigmoid autoencoder",
        "784-512-256-64-2-64-256-512-784, every unit a sigmoid: more than PCA can do with two numbers.",
    )
    X, X_test = digits.train.images, digits.test.images
    pca = ae.PCA(n_components=2).fit(X)
    test_errors: list[float] = []
    model = ae.Autoencoder(
        n_components=2,
        hidden_layer_sizes=(512, 256, 64),
        learning_rate="cosine",
        learning_rate_init=2e-3,
        batch_size=32,
        max_iter=QUICK_EPOCHS if quick else EPOCHS,
        random_state=seed,
        verbose=verbose,
    )
    model.fit(X, callback=lambda m, epoch: test_errors.append(m.reconstruction_error(X_test)))
    error, pca_error = model.reconstruction_error(X_test), pca.reconstruction_error(X_test)
    plateau = model.plateau(X_test)
    section.add("mean image (plateau), test error", plateau, "an untrained deep sigmoid net stays here", key="plateau")
    section.add("PCA, 2 components, test error", pca_error, "closed form", key="pca_2_test")
    section.add("autoencoder, 2-d code, training error", model.loss_, f"{model.n_iter_} epochs", key="train_error")
    section.add(
        "autoencoder, 2-d code, test error", error, f"{1 - error / plateau:.1%} below the plateau", key="test_error"
    )
    section.add("below PCA by", f"{1 - error / pca_error:.1%}", "bar 15 %")
    section.numbers["below_pca"] = 1 - error / pca_error
    section.numbers["test_curve"] = test_errors
    shown = np.array([np.flatnonzero(digits.test.labels == d)[0] for d in range(10)])
    samples = X_test[shown]
    section.figures["reconstructions"] = ae.plot.image_rows(
        {
            "original": samples,
            f"autoencoder, 2 numbers\ntest error {error:.1f}": model.reconstruct(samples),
            f"PCA, 2 numbers\ntest error {pca_error:.1f}": pca.reconstruct(samples),
        }
    )
    section.figures["codes"] = ae.plot.code_map(
        model.transform(X_test), digits.test.labels, title="Codes of unseen digits"
    )
    epochs = range(1, len(test_errors) + 1)
    section.figures["learning"] = ae.plot.learning_curves(
        {"training": (epochs, model.loss_curve_), "test": (epochs, test_errors)},
        references={"mean image": plateau, "PCA, 2 components": pca_error},
        xlabel="epoch",
        ylabel="squared error per image",
        title="From the plateau past PCA",
    )
    return section
