"""Each experiment, as small as it can be: what its section claims holds, and its figures are described."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.lecture import (
    chapter,
    circle,
    compression,
    denoising,
    generation,
    one_and_eight,
    pca_as_network,
    rank_one,
    resolution,
    sparse,
    theorem_table,
    traversal,
    vanilla,
    variational,
)
from autograd_ae.lecture.judge import train_judge
from autograd_ae.models.corruption import corrupt

SMALL = {
    "rank-one": lambda few: rank_one.run(few, quick=True),
    "pca": lambda few: pca_as_network.run(few, quick=True, verbose=False, components=(1,)),
    "circle": lambda few: circle.run(few, quick=True),
    "autoencoder": lambda few: vanilla.run(few, quick=True, verbose=False, hidden=(32, 16)),
    "compression": lambda few: compression.run(few, quick=True),
    "sparse": lambda few: sparse.run(few, quick=True, verbose=False, codes=(80,)),
    "denoising": lambda few: denoising.run(few, quick=True, verbose=False, epochs=1),
    "resolution": lambda few: resolution.run(few, quick=True, verbose=False, epochs=1),
    "generation": lambda few: generation.run(few, quick=True, verbose=False),
    "vae": lambda few: variational.run(few, quick=True, verbose=False),
    "traversal": lambda few: traversal.run(few, quick=True, verbose=False),
    "theorems": lambda few: theorem_table.run(few, verbose=False, only=("18", "19")),
}
# 400 images are not enough for these laws to hold; that they run, and say what they found, is what is tested.
UNDERTRAINED = {
    "autoencoder": "autoencoder",
    "sparse": "digits",
    "denoising": "",
    "resolution": "autoencoder",
    "generation": "",
    "vae": "",
}  # section → beginning of the rows that may fail


def test_every_section_of_the_chapter_is_here():
    assert tuple(SMALL) == chapter.SECTIONS


LONGER = ("denoising", "generation")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in LONGER else n for n in SMALL])
def test_a_small_experiment_holds_and_is_described(name, few):
    section = SMALL[name](few)
    assert section.key == name
    assert not section.error
    wrong = [row for row in section.rows if row.holds is False]
    assert all(name in UNDERTRAINED and row.quantity.startswith(UNDERTRAINED[name]) for row in wrong), section.text()
    assert section.verdicts or name == "traversal"
    assert section.sentences
    assert section.settings
    assert section.pictures
    for picture in section.pictures.values():
        assert len(picture.alt) > 40
        assert picture.alt.endswith(".")
    assert len(section.text().splitlines()) > len(section.rows)


@pytest.mark.parametrize(("kind", "level"), [("gaussian", 0.5), ("masking", 0.5), ("salt_and_pepper", 0.3)])
def test_no_linear_map_removes_more_noise_than_the_closed_form(kind, level, few, rng):
    """Least squares on many noisy copies comes near to it; from other copies neither it nor a nudge is better."""
    X = few.train.images[:, 300:330].astype(np.float64)
    W, b = denoising.linear_denoiser(X, kind, level)
    copies = np.tile(X, (60, 1))
    noisy = corrupt(copies, kind, level, rng)

    def error(W, b):
        return float(np.mean(np.sum((noisy @ W + b - copies) ** 2, axis=1)))

    best = error(W, b)
    design = np.column_stack([noisy, np.ones(len(noisy))])
    fitted = np.linalg.lstsq(design, copies, rcond=None)[0]
    assert best == pytest.approx(error(fitted[:-1], fitted[-1]), rel=5e-3)
    nudges = 0.02 * rng.standard_normal((5, *W.shape))
    assert all(error(W + nudge, b) > best for nudge in nudges)


def test_bilinear_weights_are_shares_and_keep_constants_and_lines():
    for h, factor in ((1, 3), (2, 2), (7, 4)):
        A = resolution.weights(h, factor)
        assert (A >= 0).all()
        assert np.allclose(A.sum(axis=1), 1)
    line = np.arange(7.0)
    inner = (np.arange(28) + 0.5) / 4 - 0.5
    assert np.allclose(resolution.weights(7, 4) @ line, np.clip(inner, 0, 6))
    image = np.random.default_rng(0).random((2, 49))
    assert np.allclose(ae.data.reduce_resolution(resolution.bilinear(np.full((1, 49), 0.3), 4), 4), 0.3)
    assert resolution.bilinear(image, 4).shape == (2, 784)


def test_atoms_are_found_whatever_their_order_sign_and_length(rng):
    D = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    decoder = -3 * D[rng.permutation(6)]
    assert np.allclose(sparse.atoms_found(decoder, D), 1)
    assert sparse.atoms_found(decoder[:1], D).round(6).tolist().count(1) == 1


def test_codes_are_drawn_evenly_from_the_union_of_boxes(rng):
    boxes = [(np.zeros(2), np.ones(2)), (np.array([0.5, 0.5]), np.array([2.5, 1.5]))]  # areas 1 and 2, overlap ¼
    Z = one_and_eight.in_boxes(boxes, 20_000, rng)
    inside = [((a <= Z) & (b >= Z)).all(axis=1) for a, b in boxes]
    assert (inside[0] | inside[1]).all()
    assert np.mean(inside[0]) == pytest.approx(1 / 2.75, abs=0.01)
    assert np.mean(inside[0] & inside[1]) == pytest.approx(0.25 / 2.75, abs=0.01)


def test_the_ways_start_and_end_where_they_should(rng):
    a, b = rng.random((3, 2)), rng.random((3, 2))
    points = traversal.way(a, b, 5).reshape(3, 5, 2)
    assert np.allclose(points[:, 0], a)
    assert np.allclose(points[:, -1], b)
    assert np.allclose(points[:, 2], (a + b) / 2)


def test_a_judge_learns_to_tell_digits_apart(few):
    judge = train_judge(few.train, epochs=15, seed=0)
    assert judge.accuracy(few.test) > 0.7
    assert judge.features(few.test.images).shape == (100, 64)


def test_the_sections_on_digits_1_and_8_share_one_training(few, monkeypatch):
    study = one_and_eight.study(few, 0, True, False)
    monkeypatch.setattr(one_and_eight, "train_judge", None)  # whoever trains again fails
    assert one_and_eight.study(few, 0, True, False) is study
    assert study.seeds == len(study.autoencoders) == 3
    shapes = {
        tuple(layer.W.shape for layer in trial.model.decoder_.layers) for trial in study.autoencoders + study.vaes
    }
    assert len(shapes) == 1  # the same decoder
