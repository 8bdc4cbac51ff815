"""Digits 1 and 8 in two numbers, by an autoencoder and by a VAE alike: how many of their samples are valid?

Both have the encoder 784-256-64-2, the decoder 2-64-256-784 with ReLU inside and the same Bernoulli reconstruction
loss, epochs, batches and step sizes. They differ in what the lecture adds: noise in the code and the KL to N(0, 1).

Codes to sample:   regions   for the autoencoder, as the lecture does: the smallest rectangle around the training codes
                             of each class, sampled uniformly in the union of the two
                   box       the smallest rectangle around all training codes, uniformly
                   prior     for the VAE: N(0, 1)

A sample is invalid if it lies outside the region (see `neighbours.py`) of a reference set:

    decodings   the same model's reconstructions of the training digits. Both sets come out of one decoder, so its blur
                cancels, and what is measured is the lecture's point: is the code space, where it is sampled, compact
                and smooth, or has it places that no digit's code comes near?
    pixels      the training digits themselves. Around few points in many dimensions the balls are wide, and a blurred
                image lies between all of them: nearly nothing is invalid, whoever made it.
    features    the training digits, in the features of a classifier (see `judge.py`), as the paper does.

"decodings" is the measure of the lecture's claim; the other two are reported beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, TypeVar

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture.judge import Judge, train_judge
from autograd_ae.lecture.neighbours import inside, radii

CLASSES, SAMPLES, K = (1, 8), 1000, 3
REFERENCES = ("decodings", "pixels", "features")
HIDDEN, SEEDS, QUICK_SEEDS, EPOCHS, QUICK_EPOCHS = (256, 64), 5, 3, 30, 12
M = TypeVar("M", bound="ae.Autoencoder | ae.VAE")
Box = tuple[np.ndarray, np.ndarray]  # lowest and highest corner


@dataclass
class Trial(Generic[M]):
    """One trained model, where its codes are sampled, and the shares of invalid samples: sampled from → reference → "
    "share."""

    model: M
    codes: dict[str, np.ndarray]
    shares: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass
class Study:
    """Autoencoders and VAEs from several seeds, and the judge."""

    digits: Dataset
    judge: Judge
    judge_accuracy: float
    autoencoders: list[Trial[ae.Autoencoder]] = field(default_factory=list)
    vaes: list[Trial[ae.VAE]] = field(default_factory=list)
    regions: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)  # of the digits themselves

    @property
    def seeds(self) -> int:
        return len(self.vaes)

    def shares(self, kind: str, sampled: str, reference: str) -> list[float]:
        """The invalid shares of all seeds; kind is "autoencoders" or "vaes"."""
        return [trial.shares[sampled][reference] for trial in getattr(self, kind)]


@lru_cache(maxsize=2)
def study(digits: Dataset, seed: int, quick: bool, verbose: bool) -> Study:
    """Train and measure; the sections on generation, on the VAE and on traversals share one."""
    pair = digits.only(*CLASSES)
    judge = train_judge(digits.train, epochs=3 if quick else 8, seed=seed)
    settings: dict[str, Any] = {
        "hidden_layer_sizes": HIDDEN,
        "activation": "relu",
        "batch_size": 32,
        "learning_rate": "cosine",
        "learning_rate_init": 3e-3,
        "max_iter": QUICK_EPOCHS if quick else EPOCHS,
        "verbose": verbose,
    }
    made = Study(pair, judge, judge.accuracy(digits.test))
    for s in range(seed, seed + (QUICK_SEEDS if quick else SEEDS)):
        plain = ae.Autoencoder(2, code_activation="identity", reconstruction_loss="bce", random_state=s, **settings)
        made.autoencoders.append(_measured(plain.fit(pair.train.images), made, s))
        made.vaes.append(_measured(ae.VAE(2, random_state=s, **settings).fit(pair.train.images), made, s))
    return made


def _measured(model: M, study: Study, seed: int) -> Trial[M]:
    trial = Trial(model, _codes(model, study, np.random.default_rng([seed, 1])))
    regions = {name: _region(name, model, study) for name in REFERENCES}
    for sampled, codes in trial.codes.items():
        images = model.inverse_transform(codes)
        trial.shares[sampled] = {
            name: float(np.mean(~inside(*region, _seen(name, images, study)))) for name, region in regions.items()
        }
    return trial


def _codes(model: ae.Autoencoder | ae.VAE, study: Study, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Where codes are sampled: from the prior, or from the boxes of the classes and of all; and the unseen digits'."""
    Z, labels = model.transform(study.digits.train.images), study.digits.train.labels
    unseen = {"digits not seen": model.transform(study.digits.test.images)}
    if isinstance(model, ae.VAE):
        return {"prior": rng.standard_normal((SAMPLES, 2)).astype(Z.dtype), **unseen}
    boxes = [box_of(Z[labels == c]) for c in CLASSES]
    return {"regions": in_boxes(boxes, SAMPLES, rng), "box": in_boxes([box_of(Z)], SAMPLES, rng), **unseen}


def _region(reference: str, model: ae.Autoencoder | ae.VAE, study: Study) -> tuple[np.ndarray, np.ndarray]:
    """Points and radii of a reference set's region."""
    if reference in study.regions:
        return study.regions[reference]
    X = study.digits.train.images
    points = _seen(reference, model.reconstruct(X) if reference == "decodings" else X, study)
    region = points, radii(points, K)
    if reference != "decodings":
        study.regions[reference] = region
    return region


def _seen(reference: str, images: np.ndarray, study: Study) -> np.ndarray:
    """Images as the reference looks at them."""
    return np.asarray(study.judge.features(images) if reference == "features" else images, np.float64)


def valid(trial: Trial, study: Study, codes: np.ndarray) -> np.ndarray:
    """For each code (G, 2): does its decoding lie in the region of the decodings of digits? (G,)"""
    images = trial.model.inverse_transform(np.asarray(codes, np.float32))
    return inside(*_region("decodings", trial.model, study), np.asarray(images, np.float64))


def box_of(Z: np.ndarray) -> Box:
    """The smallest rectangle around codes (B, L)."""
    return Z.min(axis=0), Z.max(axis=0)


def in_boxes(boxes: list[Box], n: int, rng: np.random.Generator) -> np.ndarray:
    """n points (n, L), uniform in the union of boxes: drawn in the box around them all, kept where one contains them.

    >>> boxes = [(np.zeros(2), np.ones(2)), (np.full(2, 9.0), np.full(2, 10.0))]
    >>> points = in_boxes(boxes, 100, np.random.default_rng(0))
    >>> bool(np.all((points <= 1).all(axis=1) | (points >= 9).all(axis=1))), points.shape
    (True, (100, 2))
    """
    low, high = np.min([b[0] for b in boxes], axis=0), np.max([b[1] for b in boxes], axis=0)
    kept: list[np.ndarray] = []
    while sum(map(len, kept)) < n:
        z = rng.uniform(low, high, (4 * n, len(low))).astype(low.dtype)
        kept.append(z[np.any([((z >= a) & (z <= b)).all(axis=1) for a, b in boxes], axis=0)])
    return np.concatenate(kept)[:n]


def summary(values: list[float]) -> str:
    """Mean and standard deviation over seeds, in percent.

    >>> summary([0.1, 0.2, 0.3])
    '20.0 % ± 10.0 %'
    """
    return f"{100 * np.mean(values):.1f} % ± {100 * np.std(values, ddof=1):.1f} %"
