"""Section 10 of the chapter: a sparse representation, ℝ¹⁰⁰ → 100 numbers most of which are zero, or → 80.

    R̂ = L(X̂, X) + λ S(Z),     S = ‖Z‖₁  or  KL of the mean activation to ρ;    ‖Z‖₀, which has no gradient, is reported

A code as large as the input is no obvious compression any more once the loss looks at the code. The first data here
*are* sparse combinations, x = zD with five of 100 (or of 80) atoms each, so one can see whether the network finds the
atoms: D is orthonormal and z ≥ 0, so z = relu(xDᵀ) is an encoder of one layer. Without the penalty the error is as
small and nothing is found. Then digits, with the features that each penalty gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture.section import Section

FEATURES, NONZERO, L1, FOUND = 100, 5, 0.2, 0.9
UNITS, IMAGES, DIGITS_L1, DIGITS_KL, RHO = 100, 4000, 0.1, 1.0, 0.05
SHOWN = 40


def run(
    digits: Dataset, *, seed: int = 0, quick: bool = False, verbose: bool = True, codes: tuple[int, ...] = (100, 80)
) -> Section:
    section = Section(
        "sparse",
        "Sparse representation",
        "A code as large as the input is useful if most of it is zero: the loss looks at the code too, and the "
        "network finds the parts that the data are made of.",
        "Section 10 of the chapter",
        (
            r"\hat{R} = \mathcal{L}(\hat{X}, X) + \lambda S(Z)",
            r"S(Z) = \lVert Z \rVert_1 \quad \text{or} \quad \operatorname{KL}(p_Z \Vert \operatorname{Ber}_\rho)",
            r"\nabla_Z \hat{R} = \nabla_{\hat{X}} \hat{R} \circ \nabla_Z \hat{X} + \lambda \nabla_Z S(Z)",
        ),
    )
    for atoms in codes:
        _combinations(section, atoms, seed, quick, verbose)
    _digits(section, digits, seed, quick, verbose)
    return section


def atoms_found(decoder: np.ndarray, D: np.ndarray) -> np.ndarray:
    """For each atom, row of D (K, n), the largest |cosine| that it has with a row of the decoder (L, n): (K,).

    >>> atoms_found(np.array([[0.0, -2.0]]), np.eye(2))
    array([0., 1.])
    """
    rows = decoder / np.maximum(np.linalg.norm(decoder, axis=1, keepdims=True), 1e-12)
    return np.abs(rows @ D.T).max(axis=0)


def _combinations(section: Section, atoms: int, seed: int, quick: bool, verbose: bool) -> None:
    """Data that are sparse combinations: with the penalty, and without."""
    samples, epochs = (1500 if quick else 4000), 60
    X, Z, D = ae.data.sparse_codes(
        samples, FEATURES, n_atoms=atoms, n_nonzero=NONZERO, non_negative=True, rng=seed, dtype=np.float32
    )
    shared: dict[str, Any] = {
        "penalty": "l1",
        "code_activation": "relu",
        "max_iter": epochs,
        "batch_size": 50,
        "learning_rate_init": 3e-3,
        "learning_rate": "cosine",
        "random_state": seed,
        "verbose": verbose,
    }
    models = {weight: ae.SparseAE(atoms, sparsity_weight=weight, **shared).fit(X) for weight in (0.0, L1)}
    plateau = models[L1].plateau(X)
    active = {weight: m.active_share(X) for weight, m in models.items()}
    found = {
        weight: float(np.mean(atoms_found(m.decoder_.layers[0].W.data, D) > FOUND)) for weight, m in models.items()
    }
    name, truth = f"{FEATURES} → {atoms}", np.count_nonzero(Z) / Z.size
    for weight, label in ((0.0, "no penalty"), (L1, f"L1, λ = {L1}")):
        error = models[weight].reconstruction_error(X) / plateau
        key = f"{atoms}_{'l1' if weight else 'none'}"
        section.add(f"{name}, {label}: error, share of the variance", error, key=f"error_{key}")
    section.below(
        f"{name}, L1: share of active units (‖Z‖₀)",
        active[L1],
        0.5 * active[0.0],
        f"true {truth:.3g}; half of that without",
        key=f"active_{atoms}",
    )
    section.numbers[f"active_{atoms}_none"] = active[0.0]
    section.at_least(
        f"{name}, L1: share of the atoms found",
        found[L1],
        0.8,
        f"without penalty {found[0.0]:.2f}",
        key=f"found_{atoms}",
    )
    section.say(
        f"{name}: without a penalty {active[0.0]:.1%} of the units are active and {found[0.0]:.0%} of the atoms "
        f"appear in the decoder. With λ = {L1}, {active[L1]:.1%} are active, where the data were made with "
        f"{truth:.1%}, and {found[L1]:.0%} of the atoms are decoder rows (|cosine| > {FOUND})."
    )
    section.settings[f"{name}"] = f"{samples:,} samples, {NONZERO} of {atoms} orthonormal atoms each, {epochs} epochs"


def _digits(section: Section, digits: Dataset, seed: int, quick: bool, verbose: bool) -> None:
    """Features of digits: without a penalty, by L1, by KL."""
    X, X_test = digits.train.images[: IMAGES // 2 if quick else IMAGES], digits.test.images
    shared: dict[str, Any] = {
        "max_iter": 12,
        "batch_size": 50,
        "learning_rate_init": 2e-3,
        "learning_rate": "cosine",
        "random_state": seed,
        "verbose": verbose,
    }
    models = {
        "no penalty": ae.SparseAE(UNITS, penalty="l1", code_activation="relu", sparsity_weight=0.0, **shared),
        f"L1, λ = {DIGITS_L1}": ae.SparseAE(
            UNITS, penalty="l1", code_activation="relu", sparsity_weight=DIGITS_L1, **shared
        ),
        f"KL, λ = {DIGITS_KL:g}, ρ = {RHO}": ae.SparseAE(
            UNITS, penalty="kl", code_activation="sigmoid", sparsity_weight=DIGITS_KL, rho=RHO, **shared
        ),
    }
    active, errors = {}, {}
    for name, model in models.items():
        model.fit(X)
        errors[name], active[name] = model.reconstruction_error(X_test), model.active_share(X_test, threshold=0.1)
        key = name.split(",")[0].replace(" ", "_").lower()
        section.add(
            f"digits, {name}: test error",
            errors[name],
            f"mean image {model.plateau(X_test):.4g}",
            key=f"digits_error_{key}",
        )
        if name == "no penalty":
            section.add("digits, no penalty: share of units above 0.1", active[name], key=f"digits_active_{key}")
        else:
            section.below(
                f"digits, {name}: share of units above 0.1",
                active[name],
                active["no penalty"],
                "no penalty",
                key=f"digits_active_{key}",
            )
        _draw(section, key, name, model, X_test)
    dearest = min(error for name, error in errors.items() if name != "no penalty") > errors["no penalty"]
    price = "Sparsity costs accuracy." if dearest else "Here sparsity costs no accuracy."
    said = "; ".join(
        f"{name}: {active[name]:.0%} of the units above 0.1, test error {errors[name]:.1f}" for name in models
    )
    section.say(f"Digits, {UNITS} units. {said}. {price}")
    section.settings["digits"] = (
        f"{len(X):,} images, {UNITS} code units, one layer each way, {shared['max_iter']} epochs"
    )


def _draw(section: Section, key: str, name: str, model: ae.SparseAE, X_test: np.ndarray) -> None:
    W = model.decoder_.layers[0].W.data
    used = model.transform(X_test).std(axis=0) * np.linalg.norm(
        W, axis=1
    )  # what each unit contributes, a dead one nothing
    strongest = np.argsort(-used)[:SHOWN]
    rows = W[strongest] / np.maximum(np.linalg.norm(W[strongest], axis=1, keepdims=True), 1e-12)
    section.show(
        f"features_{key}",
        ae.plot.features(rows, columns=10, title=f"Features, {name}", label="weight"),
        f"{len(rows)} decoder features as images of 28 by 28 weights, red positive and blue negative, for the network "
        f"with {name}.",
        f"What each unit draws, {name}: the {len(rows)} of {len(W)} that contribute most to unseen digits, each of "
        "norm 1.",
    )
