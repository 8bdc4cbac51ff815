"""Section 9 of the chapter: obvious compression.

With a code as large as the input, Decoder(Encoder(·)) = identity is always available, Z = X, and it is useless: a loss
of 0, and nothing learned. The identity does to noise what it does to digits. More precisely the loss is 0 as soon as
the code is as large as the data's *rank* (row 20 of the theorems), and below that it is the sum of the eigenvalues left
out, so the error against the code's size can be drawn without training anything.
"""

from __future__ import annotations

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture.section import Section
from autograd_ae.lecture.theorems.training import quietly

FEATURES, RANK, SAMPLES = 12, 5, 200


def run(digits: Dataset, *, seed: int = 0, quick: bool = False, verbose: bool = True) -> Section:
    section = Section(
        "compression",
        "Obvious compression",
        "With a code as large as the input the identity is always available, and useless: nothing is compressed, and "
        "noise is returned as faithfully as data.",
        "Section 9 of the chapter",
        (r"\operatorname{Decoder}(\operatorname{Encoder}(X)) = X \quad \text{with} \quad Z = X",),
    )
    _full(section, seed)
    _low_rank(section, seed)
    _digits(section, digits)
    section.settings |= {
        "data": f"{SAMPLES} Gaussian samples of {FEATURES} features; of rank {RANK}; {len(digits.train):,} digits",
        "networks": "one linear layer in, one out, L-BFGS",
    }
    return section


def _map_of(model: ae.LinearPCA) -> np.ndarray:
    """The whole network as one matrix, x̂ = x M + …"""
    return model.encoder_weight_.astype(np.float64) @ model.components_


def _full(section: Section, seed: int) -> None:
    """Code as large as the input: the identity, for whatever comes."""
    rng = np.random.default_rng(seed)
    spectrum = np.geomspace(1, 0.1, FEATURES)
    X = ae.data.gaussian_with_spectrum(SAMPLES, eigenvalues=spectrum, rng=seed)
    model = quietly(ae.LinearPCA(FEATURES, max_iter=1000, tol=1e-12, random_state=seed).fit, X)
    noise = 10 * rng.standard_normal((SAMPLES, FEATURES))
    scale = float(np.sum(X.var(axis=0)))
    section.at_most(
        f"code of {FEATURES} for {FEATURES} features: error, as a share of the variance",
        model.loss_ / scale,
        1e-9,
        "0",
        key="full_error",
    )
    section.at_most(
        "largest entry of W₁W₂ − I",
        float(np.abs(_map_of(model) - np.eye(FEATURES)).max()),
        1e-3,
        "the identity",
        key="full_identity",
    )
    error = model.reconstruction_error(noise) / float(np.mean(np.sum(noise**2, axis=1)))
    section.at_most(
        "error on noise that it never saw, as a share of its energy",
        error,
        1e-5,
        "returned as it is",
        key="noise_error",
    )
    section.say(
        f"Trained until its error is {model.loss_ / scale:.1g} of the variance, the network has become the identity, "
        f"and reconstructs pure noise, which is nothing like its data, as well ({error:.1g} of its energy is lost)."
    )


def _low_rank(section: Section, seed: int) -> None:
    """Code as large as the rank: 0 on the data, and no identity."""
    X = ae.data.low_rank(SAMPLES, FEATURES, singular_values=np.linspace(20, 10, RANK), rng=seed)
    model = quietly(ae.LinearPCA(RANK, max_iter=1000, tol=1e-12, random_state=seed).fit, X)
    section.at_most(
        f"data of rank {RANK}, code of {RANK}: error, as a share of the variance",
        model.loss_ / float(np.sum(X.var(axis=0))),
        1e-9,
        "0: the rank is enough",
        key="rank_error",
    )
    gap = float(np.abs(_map_of(model) - np.eye(FEATURES)).max())
    section.at_least(
        "largest entry of W₁W₂ − I", gap, 0.1, "not the identity: it knows the data's plane", key="rank_identity"
    )


def _digits(section: Section, digits: Dataset) -> None:
    """The error of the best linear code against its size, in closed form."""
    pca = ae.PCA().fit(digits.train.pixels / 255.0)
    spectrum = pca.spectrum_
    left = np.append(np.cumsum(spectrum[::-1])[::-1], 0.0)  # left[L] = Σ_{i>L} λ_i
    lossless = ae.theory.lossless_dimension(digits.train.pixels / 255.0)
    varying = int(np.sum(digits.train.pixels.max(axis=0) != digits.train.pixels.min(axis=0)))
    section.add(
        "digits: pixels that are not the same in all images", varying, f"of {len(spectrum)}", key="varying_pixels"
    )
    section.add(
        "digits: least linear code without loss",
        lossless,
        "the rank of the centred images",
        key="lossless",
        holds=lossless <= varying,
    )
    half = int(np.argmax(left <= 0.05 * left[0]))
    section.add("digits: numbers that keep 95 % of the variance", half, "closed form", key="for_95_percent")
    section.say(
        f"Digits of {len(spectrum)} pixels need {lossless} numbers to lose nothing by a linear code, but {half} keep "
        "95 % of the variance: what compresses is the bottleneck."
    )
    sizes = np.unique(np.concatenate([np.arange(0, 40), np.arange(40, lossless, 10), [lossless]]))
    section.show(
        "compression",
        ae.plot.learning_curves(
            {"PCA": (sizes, left[sizes])},
            references={"2 numbers": left[2], "30 numbers": left[30]},
            xlabel="numbers in the code, L",
            ylabel="squared error per image",
            title="The best linear code of the digits, by its size",
        ),
        "The error of PCA on the digits against the number of components: it falls steeply at first, slowly later, "
        f"and is 0 at {lossless}.",
        "Each point is the sum of the eigenvalues left out; no training is needed to know it.",
    )
