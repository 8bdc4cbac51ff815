"""Section 4 of the chapter: PCA as a neural network.

A linear encoder and a linear decoder, trained without labels on ‖X̂ − X‖², reach the loss of PCA and span its
subspace (Baldi & Hornik 1989). The table gives the excess of the trained loss over the closed form and the largest
principal angle between the subspaces.
"""

from __future__ import annotations

import time

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture.section import Section


def run(digits: Dataset, *, components: tuple[int, ...] = (2, 30), seed: int = 0, verbose: bool = True) -> Section:
    section = Section(
        "pca",
        "PCA as a neural network",
        "Every minimum of the linear autoencoder has the loss and the subspace of PCA; all else is a saddle.",
    )
    X, X_test = digits.train.images, digits.test.images
    curves = {}
    for k in components:
        pca = ae.PCA(n_components=k).fit(digits.train.pixels / 255.0)
        started = time.perf_counter()
        linear = ae.LinearPCA(n_components=k, random_state=seed, verbose=verbose).fit(X)
        seconds = time.perf_counter() - started
        found = ae.theory.compare(linear, pca)
        section.add(f"k = {k}: PCA, training error", pca.loss_, "closed form", key=f"pca_{k}_train")
        section.add(
            f"k = {k}: PCA, test error",
            pca.reconstruction_error(X_test),
            f"mean image {pca.plateau(X_test):.6g}",
            key=f"pca_{k}_test",
        )
        section.add(
            f"k = {k}: LinearPCA, test error",
            linear.reconstruction_error(X_test),
            f"{linear.n_iter_} L-BFGS iterations, {seconds:.1f} s",
            key=f"linear_{k}_test",
        )
        section.add(
            f"k = {k}: relative excess loss",
            found.relative_excess_loss,
            "0 (Baldi & Hornik 1989); bar 1e-6",
            key=f"relative_excess_{k}",
        )
        section.add(
            f"k = {k}: largest principal angle, rad", float(found.largest_angle), "0; bar 1e-3", key=f"angle_{k}"
        )
        excess = [max(value / pca.loss_ - 1, 1e-12) for value in linear.loss_curve_]
        curves[f"k = {k}"] = (range(1, len(excess) + 1), excess)
    section.figures["linear_pca"] = ae.plot.learning_curves(
        curves,
        references={"bar": 1e-6},
        xlabel="L-BFGS iteration",
        ylabel="relative excess over PCA's loss",
        log_y=True,
        title="Backpropagation finds PCA",
    )
    return section
