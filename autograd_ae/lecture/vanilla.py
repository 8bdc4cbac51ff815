"""Sections 6 to 8 of the chapter, the practice: an 8-layer MLP, all sigmoid, with a 2-d code, on digits, by ‖X̂ − X‖².

Three figures tell whether it learned: the plateau (the error of the mean image, where an untrained deep sigmoid net
stays), the error of PCA with as many components, and its own error on images that it has not seen.
"""

from __future__ import annotations

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture.section import Section

EPOCHS, QUICK_EPOCHS = 24, 4


def run(
    digits: Dataset,
    *,
    seed: int = 0,
    quick: bool = False,
    verbose: bool = True,
    hidden: tuple[int, ...] = (512, 256, 64),
) -> Section:
    sizes = "-".join(map(str, (784, *hidden, 2, *hidden[::-1], 784)))
    section = Section(
        "autoencoder",
        "The lecture's sigmoid autoencoder",
        f"{sizes}, every unit a sigmoid: more than PCA can do with two numbers.",
        "Sections 6 to 8 of the chapter, the practice on digits",
        (
            r"\hat{X} = \operatorname{Decoder}(\operatorname{Encoder}(X))",
            r"\hat{R} = \mathcal{L}(\hat{X}, X) = \tfrac{1}{B} \lVert \hat{X} - X \rVert^2",
        ),
    )
    X, X_test = digits.train.images, digits.test.images
    pca = ae.PCA(n_components=2).fit(X)
    test_errors: list[float] = []
    model = ae.Autoencoder(
        n_components=2,
        hidden_layer_sizes=hidden,
        learning_rate="cosine",
        learning_rate_init=2e-3,
        batch_size=32,
        max_iter=QUICK_EPOCHS if quick else EPOCHS,
        random_state=seed,
        verbose=verbose,
    )
    model.fit(X, callback=lambda m, epoch: test_errors.append(m.reconstruction_error(X_test)))
    _table(section, model, pca, X_test)
    section.numbers["test_curve"] = test_errors
    _draw(section, model, pca, digits, test_errors)
    section.settings |= {
        "model": repr(model),
        "epochs": f"{model.n_iter_}",
        "images": f"{len(X):,} to train, {len(X_test):,} to test",
    }
    return section


def _table(section: Section, model: ae.Autoencoder, pca: ae.PCA, X_test: np.ndarray) -> None:
    error, pca_error, plateau = (
        model.reconstruction_error(X_test),
        pca.reconstruction_error(X_test),
        model.plateau(X_test),
    )
    section.add("mean image (plateau), test error", plateau, "an untrained deep sigmoid net stays here", key="plateau")
    section.add("PCA, 2 components, test error", pca_error, "closed form", key="pca_2_test")
    section.add("autoencoder, 2-d code, training error", model.loss_, f"{model.n_iter_} epochs", key="train_error")
    section.below("autoencoder, 2-d code, test error", error, pca_error, "PCA", key="test_error")
    section.numbers["below_pca"] = 1 - error / pca_error
    where = "below" if error < pca_error else "above"
    section.say(
        f"Two numbers per image leave an error of {error:.1f} on unseen digits: {abs(1 - error / pca_error):.1%} "
        f"{where} PCA's {pca_error:.1f}, {abs(1 - error / plateau):.1%} {'below' if error < plateau else 'above'} the "
        f"mean image's {plateau:.1f}."
    )


def _draw(section: Section, model: ae.Autoencoder, pca: ae.PCA, digits: Dataset, test_errors: list[float]) -> None:
    X_test, labels = digits.test.images, digits.test.labels
    samples = X_test[[np.flatnonzero(labels == d)[0] for d in digits.test.classes]]
    errors = [m.reconstruction_error(X_test) for m in (model, pca)]
    rows = {
        "original": samples,
        f"autoencoder, 2 numbers\ntest error {errors[0]:.1f}": model.reconstruct(samples),
        f"PCA, 2 numbers\ntest error {errors[1]:.1f}": pca.reconstruct(samples),
    }
    section.show(
        "reconstructions",
        ae.plot.image_rows(rows),
        "Three rows of ten digits: unseen originals, the same from two numbers by the autoencoder, and by PCA, "
        "which gives nearly the same blur for all.",
        "Unseen digits, each compressed to two numbers and back.",
    )
    section.show(
        "codes",
        ae.plot.code_map(model.transform(X_test), labels, title="Codes of unseen digits"),
        "A map of the two code numbers of all test images, coloured by digit. The classes, which training never "
        "saw, lie in regions of their own, some of which overlap.",
        "The network was not told which digit an image shows.",
    )
    epochs = range(1, len(test_errors) + 1)
    section.show(
        "learning",
        ae.plot.learning_curves(
            {"training": (epochs, model.loss_curve_), "test": (epochs, test_errors)},
            references={"mean image": model.plateau(X_test), "PCA, 2 components": errors[1]},
            xlabel="epoch",
            ylabel="squared error per image",
            title="Learning, against the mean image and PCA",
        ),
        f"Training and test error against the epoch, from {model.loss_curve_[0]:.0f} and {test_errors[0]:.0f} to "
        f"{model.loss_curve_[-1]:.0f} and {test_errors[-1]:.0f}, with the levels of the mean image and of PCA.",
    )
