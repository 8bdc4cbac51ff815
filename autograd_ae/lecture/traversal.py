"""Latent traversals: what the decoder draws as the code moves, for the VAE and for the vanilla autoencoder.

The code plane on a grid: for the VAE at the quantiles of N(0, 1), so that each cell holds the same probability; for
the autoencoder evenly over the rectangle around its codes. Then the straight way from the code of a 1 to that of an 8,
and how many of the points on many such ways are invalid (see `one_and_eight.py`).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture import figures
from autograd_ae.lecture.one_and_eight import Study, Trial, box_of, study, summary, valid
from autograd_ae.lecture.section import Section

SIDE, STEPS, WAYS = 12, 10, 200


def run(digits: Dataset, *, seed: int = 0, quick: bool = False, verbose: bool = True) -> Section:
    section = Section(
        "traversal",
        "Latent traversals",
        "Moving the code moves the image: the decoder's picture of the whole latent plane, and the straight way from "
        "a 1 to an 8.",
        "After section 13 of the chapter",
        (r"\hat{x}(t) = \operatorname{Decoder}((1 - t) z_1 + t z_8), \qquad 0 \le t \le 1",),
    )
    made = study(digits, seed, quick, verbose)
    _ways(section, made, seed)
    _grids(section, made)
    _interpolations(section, made)
    section.settings |= {
        "grid": f"{SIDE} × {SIDE}",
        "ways": f"{WAYS} pairs of an unseen 1 and an unseen 8, {STEPS} points each",
    }
    return section


def _ends(trial: Trial, made: Study, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes (n, 2) of unseen 1s and of unseen 8s."""
    Z, labels = trial.codes["digits not seen"], made.digits.test.labels
    one, eight = (rng.choice(np.flatnonzero(labels == c), n) for c in (1, 8))
    return Z[one], Z[eight]


def way(start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """Points (n · steps, L) on the straight ways from rows of start (n, L) to rows of end, both included.

    >>> way(np.zeros((1, 1)), np.ones((1, 1)), 3).ravel().tolist()
    [0.0, 0.5, 1.0]
    """
    t = np.linspace(0, 1, steps)[:, None]
    return ((1 - t) * start[:, None] + t * end[:, None]).reshape(-1, start.shape[1])


def _ways(section: Section, made: Study, seed: int) -> None:
    """The invalid share along ways between classes."""
    shares: dict[str, list[float]] = {}
    for kind, trials in (("autoencoder", made.autoencoders), ("VAE", made.vaes)):
        rng = np.random.default_rng([seed, 2])
        shares[kind] = [float(np.mean(~valid(t, made, way(*_ends(t, made, rng, WAYS), STEPS)))) for t in trials]
        section.add(
            f"{kind}: invalid points on straight ways from a 1 to an 8",
            summary(shares[kind]),
            f"mean ± s.d. of {made.seeds} seeds",
        )
        section.numbers[f"invalid_on_ways_{kind.lower()}"] = shares[kind]
    first: dict[str, Trial] = {"autoencoder": made.autoencoders[0], "VAE": made.vaes[0]}
    jumps = {kind: largest_step(trial, made, seed) for kind, trial in first.items()}
    for kind, jump in jumps.items():
        section.add(
            f"{kind}: largest of the {STEPS - 1} steps, as a share of the way's length",
            jump,
            f"mean of {WAYS} ways; even steps: {1 / (STEPS - 1):.3g}",
            key=f"largest_step_{kind.lower()}",
        )
    plain, vae = (float(np.mean(shares[kind])) for kind in ("autoencoder", "VAE"))
    relation = "fewer" if vae < plain else "no fewer"
    section.say(
        f"On the way from one class to the other {100 * plain:.1f} % of the autoencoder's images and {100 * vae:.1f} "
        f"% of the VAE's are unlike anything that the decoder makes of a digit: {relation} with the VAE. Of the "
        f"{STEPS - 1} equal steps of the code the largest makes {jumps['autoencoder']:.0%} of the image's change with "
        f"the autoencoder, {jumps['VAE']:.0%} with the VAE."
    )


def largest_step(trial: Trial, made: Study, seed: int) -> float:
    """Of the steps of a way, the largest as a share of them all, measured between images; the mean over the ways."""
    codes = way(*_ends(trial, made, np.random.default_rng([seed, 2]), WAYS), STEPS)
    images = trial.model.inverse_transform(codes.astype(np.float32)).astype(np.float64)
    steps = np.linalg.norm(np.diff(images.reshape(WAYS, STEPS, -1), axis=1), axis=2)
    return float(np.mean(steps.max(axis=1) / steps.sum(axis=1)))


def _grids(section: Section, made: Study) -> None:
    quantiles = np.array([NormalDist().inv_cdf((i + 0.5) / SIDE) for i in range(SIDE)])
    low, high = box_of(made.autoencoders[0].model.transform(made.digits.train.images))
    axes = {
        "VAE": (quantiles, quantiles),
        "autoencoder": tuple(np.linspace(a, b, SIDE) for a, b in zip(low, high, strict=True)),
    }
    grids = {}
    for kind, trial in (("autoencoder", made.autoencoders[0]), ("VAE", made.vaes[0])):
        across, upwards = axes[kind]
        z = np.stack(np.meshgrid(across, upwards[::-1]), axis=-1).reshape(-1, 2)
        grids[f"{kind}: z₁ →, z₂ ↑"] = trial.model.inverse_transform(z.astype(np.float32))
    section.show(
        "manifold",
        figures.two_grids(grids, columns=SIDE),
        f"Two grids of {SIDE} by {SIDE} images, decoded from a grid of codes, by the autoencoder over the rectangle "
        "around its codes and by the VAE over the quantiles of the normal distribution. Ones and eights pass into "
        "each other.",
        "The latent plane as the decoder sees it. Left: evenly over the rectangle around all codes; right: at equal "
        "steps of probability of N(0, 1).",
    )


def _interpolations(section: Section, made: Study) -> None:
    rows = {}
    labels = made.digits.test.labels
    first = [int(np.flatnonzero(labels == c)[0]) for c in (1, 8)]
    for kind, trial in (("autoencoder", made.autoencoders[0]), ("VAE", made.vaes[0])):
        start, end = (trial.codes["digits not seen"][i : i + 1] for i in first)
        rows[kind] = trial.model.inverse_transform(way(start, end, STEPS).astype(np.float32))
    section.show(
        "interpolation",
        ae.plot.image_rows(rows, title="From an unseen 1 to an unseen 8, in equal steps of the code"),
        f"Two rows of {STEPS} images: the decodings on the straight way from the code of a 1 to that of an 8, by the "
        "autoencoder and by the VAE.",
        "The first image of a row is the reconstruction of the 1, the last that of the 8.",
    )
