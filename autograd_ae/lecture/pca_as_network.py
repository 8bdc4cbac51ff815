"""Sections 3 and 4 of the chapter: PCA, and PCA as a neural network.

A linear encoder and a linear decoder, trained without labels on ‖X̂ − X‖², reach the loss of PCA and span its
subspace (Baldi & Hornik 1989). The table gives the excess of the trained loss over the closed form and the largest
principal angle between the subspaces, held against the one that this excess and the eigengap allow, arcsin
√(excess/gap) (`theory.angle_bound`). L-BFGS works on all images at once, so some thousand of them are enough here:
the theorem is about whatever data there are.
"""

from __future__ import annotations

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture.section import Section
from autograd_ae.lecture.theorems.training import quietly

IMAGES = 1000
EXCESS_BAR, ROUNDING = 1e-6, 1e-9  # relative to the loss; the second is what float32 makes of it


def run(
    digits: Dataset,
    *,
    seed: int = 0,
    quick: bool = False,
    verbose: bool = True,
    components: tuple[int, ...] | None = None,
) -> Section:
    section = Section(
        "pca",
        "PCA as a neural network",
        "Every minimum of the linear autoencoder has the loss and the subspace of PCA; all else is a saddle.",
        "Sections 3 and 4 of the chapter; Eckart & Young 1936, Baldi & Hornik 1989",
        (
            r"\hat{R} = \tfrac{1}{B} \lVert \hat{X} - X \rVert^2 \ge \sum_{i > L} \lambda_i",
            r"\text{encoder: } (N + 1) L \text{ parameters}",
        ),
    )
    components = components or ((2,) if quick else (2, 30))
    X, X_test = digits.train.images[:IMAGES], digits.test.images
    curves, angles = {}, []
    for k in components:
        pca = ae.PCA(n_components=k).fit(X.astype(np.float64))
        linear = quietly(ae.LinearPCA(n_components=k, random_state=seed, verbose=verbose).fit, X)
        angles.append(_compare(section, k, pca, linear, X_test))
        excess = [max(value / pca.loss_ - 1, 1e-12) for value in linear.loss_curve_]
        curves[f"L = {k}"] = (range(1, len(excess) + 1), excess)
    section.say(
        "Trained by gradients alone, without labels and without knowing PCA, the network spans PCA's subspace to "
        f"within {max(angles):.1g} rad, in some basis of it and not in the components themselves."
    )
    section.show(
        "linear_pca",
        ae.plot.learning_curves(
            curves,
            references={"bar": EXCESS_BAR},
            xlabel="L-BFGS iteration",
            ylabel="relative excess over PCA's loss",
            log_y=True,
            title="Backpropagation finds PCA",
        ),
        "The relative excess of the linear autoencoder's loss over PCA's, on a logarithmic scale, against the "
        "iteration. It falls by many powers of ten, past the bar of one millionth.",
        "All critical points that are no minimum are saddles, so a plateau can slow descent and never stop it.",
    )
    section.settings |= {"images": f"{len(X):,} of the training set", "solver": "L-BFGS, float64, all images at once"}
    return section


def _compare(section: Section, k: int, pca: ae.PCA, linear: ae.LinearPCA, X_test: np.ndarray) -> float:
    """The trained network against the closed form, for a code of k numbers; the largest principal angle."""
    found = ae.theory.compare(linear, pca)
    section.add(
        f"L = {k}: PCA, training error", pca.loss_, "closed form, the sum of the λ left out", key=f"pca_{k}_train"
    )
    test, mean_image = pca.reconstruction_error(X_test), pca.plateau(X_test)
    section.below(f"L = {k}: PCA, test error", test, mean_image, "mean image", key=f"pca_{k}_test")
    iterations = f"{linear.n_iter_} L-BFGS iterations"
    section.add(
        f"L = {k}: LinearPCA, test error", linear.reconstruction_error(X_test), iterations, key=f"linear_{k}_test"
    )
    theorem = "0 (Baldi & Hornik 1989)"
    section.at_most(
        f"L = {k}: relative excess of the training loss",
        abs(found.relative_excess_loss),
        EXCESS_BAR,
        theorem,
        key=f"relative_excess_{k}",
    )
    angle = np.inf if found.largest_angle is None else float(found.largest_angle)
    gap = found.gap.gap if found.gap is not None else 0.0
    allowed = ae.theory.angle_bound(max(found.excess_loss, ROUNDING * pca.loss_), gap) if gap > 0 else 0.0
    section.at_most(
        f"L = {k}: largest principal angle, rad",
        angle,
        allowed,
        "0; by this excess and the eigengap",
        key=f"angle_{k}",
    )
    parameters = linear.encoder_.layers[0].W.size + linear.encoder_.layers[0].b.size
    expected = (linear.n_features_in_ + 1) * k
    section.add(
        f"L = {k}: parameters of the encoder", parameters, f"(N + 1) L = {expected}", holds=parameters == expected
    )
    return angle
