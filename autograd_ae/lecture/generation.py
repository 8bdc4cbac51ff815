"""Section 12 of the chapter: generation from the 2-d codes of digits 1 and 8, and its drawback.

The codes of each class concentrate in a region; take the union of the regions for the latent space, sample there and
decode. Compression is good and yet many samples are invalid, because the true latent space is neither compact nor
smooth. `one_and_eight.py` says how codes are sampled and which samples count as invalid.
"""

from __future__ import annotations

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture import figures
from autograd_ae.lecture.one_and_eight import (
    CLASSES,
    REFERENCES,
    SAMPLES,
    K,
    Study,
    Trial,
    box_of,
    study,
    summary,
    valid,
)
from autograd_ae.lecture.section import Section

SHOWN = 10
MEASURE = (
    "A sample is called invalid if it lies outside the region of a reference set: outside all balls that reach from "
    f"a point of the set to its {K}rd nearest neighbour in it. Three sets are used. Decodings: what the same decoder "
    "makes of the training digits; blur cancels, and what counts is whether the code is near to a digit's. Pixels: "
    "the training digits themselves. Features: the same, seen through the hidden layer of a classifier.",
    "Codes are drawn from the union of the regions, the smallest rectangles around the training codes of 1 and of "
    "8, and for comparison from the smallest rectangle around both.",
)


def run(digits: Dataset, *, seed: int = 0, quick: bool = False, verbose: bool = True) -> Section:
    section = Section(
        "generation",
        "Generation by the vanilla autoencoder",
        "Digits 1 and 8 compress well to two numbers, but codes sampled where theirs lie decode to many invalid "
        "images: the true latent space is neither compact nor smooth.",
        "Section 12 of the chapter; invalid share: Kynkäänniemi et al. 2019",
        (
            r"\text{precision} = \tfrac{1}{G} \textstyle\sum_g [ \exists \phi : \lVert g - \phi \rVert \le r_k(\phi) ]",
            r"\text{invalid share} = 1 - \text{precision}",
        ),
    )
    made = study(digits, seed, quick, verbose)
    for sentence in MEASURE:
        section.say(sentence)
    _compression(section, made)
    _validity(section, made)
    _draw(section, made)
    section.settings |= settings_of(made)
    return section


def settings_of(made: Study) -> dict[str, str]:
    """How the study of digits 1 and 8 was run."""
    return {
        "model": repr(made.autoencoders[0].model),
        "digits": f"{len(made.digits.train):,} images of 1 and 8 to train, {len(made.digits.test):,} to test",
        "samples": f"{SAMPLES:,} for each of {made.seeds} seeds; regions: uniform in the union of the smallest "
        "rectangles around the training codes of each class; box: uniform in the smallest rectangle around all",
        "classifier for features": f"784-256-64-10, right on {made.judge_accuracy:.1%} of the test images",
    }


def _compression(section: Section, made: Study) -> None:
    """It is good, compared with PCA."""
    X, X_test = made.digits.train.images, made.digits.test.images
    pca = ae.PCA(2).fit(X)
    errors = [trial.model.reconstruction_error(X_test) for trial in made.autoencoders]
    section.add(
        "PCA, two numbers: test error",
        pca.reconstruction_error(X_test),
        f"mean image {pca.plateau(X_test):.4g}",
        key="pca_error",
    )
    section.below(
        f"autoencoder, two numbers: test error, worst of {made.seeds} seeds",
        max(errors),
        pca.reconstruction_error(X_test),
        "PCA",
        key="autoencoder_error",
    )


def _validity(section: Section, made: Study) -> None:
    """The share of invalid samples, by what is sampled and what it is held against."""
    for sampled in ("digits not seen", "regions", "box"):
        for reference in REFERENCES:
            shares = made.shares("autoencoders", sampled, reference)
            section.add(
                f"invalid share, codes: {sampled}; reference: {reference}",
                summary(shares),
                f"mean ± s.d. of {made.seeds} seeds",
            )
            section.numbers[f"invalid_{sampled.replace(' ', '_')}_{reference}"] = shares
    samples, unseen = (
        made.shares("autoencoders", "regions", "decodings"),
        made.shares("autoencoders", "digits not seen", "decodings"),
    )
    section.add(
        "invalid among samples, over that of unseen digits, least of the seeds",
        min(np.divide(samples, np.maximum(unseen, 1e-3))),
        "above 1: the drawback",
        key="drawback",
        holds=min(np.subtract(samples, unseen)) > 0,
    )
    pixels = made.shares("autoencoders", "regions", "pixels")
    section.say(
        f"Of the samples from the two regions {100 * np.mean(samples):.0f} % are farther from what the decoder makes "
        f"of digits than its decodings are from each other; of unseen digits {100 * np.mean(unseen):.0f} % are. Held "
        f"against the digits' own pixels, {100 * np.mean(pixels):.0f} % would be invalid: a blurred image lies "
        "between sharp ones, so that measure cannot see the difference."
    )


def _draw(section: Section, made: Study) -> None:
    trial = made.autoencoders[0]
    Z, labels = trial.model.transform(made.digits.train.images), made.digits.train.labels
    figure = ae.plot.code_map(Z, labels, title="Codes of the training digits 1 and 8")
    figures.draw_boxes(figure.axes[0], {f"region of {c}": box_of(Z[labels == c]) for c in CLASSES})
    section.show(
        "codes_1_8",
        figure,
        "The two-dimensional codes of digits 1 and 8 in two colours, each class in a region of its own, and around "
        "each a dashed rectangle from whose union samples are drawn. The rectangles also cover places without any "
        "code.",
        "What the lecture calls the latent space: the union of the regions.",
    )
    show_samples(section, "samples_autoencoder", made, trial, "regions", "the autoencoder")


def show_samples(section: Section, name: str, made: Study, trial: Trial, sampled: str, who: str) -> None:
    """Ten valid and ten invalid samples, in the order in which they were drawn."""
    codes = trial.codes[sampled]
    good = valid(trial, made, codes)
    rows = {}
    for label, chosen in (("valid", codes[good]), ("invalid", codes[~good])):
        if len(chosen) >= SHOWN:
            share = f"{len(chosen) / len(codes):.0%} of the samples"
            rows[f"{label}\n{share}"] = trial.model.inverse_transform(chosen[:SHOWN])
    section.show(
        name,
        ae.plot.image_rows(rows, title=f"Samples of {who}, codes from the {sampled}"),
        f"Images decoded by {who} from random codes, in rows: "
        f"{' and '.join(label.partition(chr(10))[0] for label in rows)} ones.",
        f"The first {SHOWN} samples of each kind from the first seed, in the order drawn; valid: in the region of the "
        "decodings of digits.",
    )
