"""Section 13 of the chapter: the variational autoencoder, whose samples must be valid more often.

The encoder returns a mean M and a variance V, the code is drawn from N(M, V), and the loss adds KL(N(M, V) ‖ N(0, 1)).
The noise makes the decoder smooth, the KL brings the codes together where N(0, 1) is, so that sampling N(0, 1) meets
codes of digits. Same encoder, same decoder, same training as the vanilla autoencoder of section 12.
"""

from __future__ import annotations

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture import figures
from autograd_ae.lecture.generation import settings_of, show_samples
from autograd_ae.lecture.one_and_eight import REFERENCES, Study, study, summary
from autograd_ae.lecture.section import Section


def run(digits: Dataset, *, seed: int = 0, quick: bool = False, verbose: bool = True) -> Section:
    section = Section(
        "vae",
        "The variational autoencoder",
        "A code that is a distribution near N(0, 1) makes the latent space compact and smooth: of codes sampled from "
        "N(0, 1) fewer decode to invalid images.",
        "Section 13 of the chapter; Kingma & Welling 2014",
        (
            r"Z \sim p_Z = \mathcal{N}(M, V), \qquad q_Z = \mathcal{N}(0, 1)",
            r"\hat{R} = \mathcal{L}(\hat{X}, X) + \lambda \operatorname{KL}(p_Z \Vert q_Z)",
            r"\operatorname{KL} = \tfrac{1}{2} \sum (M^2 + V - 1 - \ln V)",
        ),
    )
    made = study(digits, seed, quick, verbose)
    _likelihood(section, made, seed)
    _validity(section, made)
    _draw(section, made)
    section.settings |= settings_of(made) | {
        "model": repr(made.vaes[0].model),
        "sampled": "z ~ N(0, 1), the decoder's mean",
    }
    return section


def _likelihood(section: Section, made: Study, seed: int) -> None:
    """The ELBO, between what constant pixels give and the entropy of grey pixels."""
    X_test = made.digits.test.images
    floor, collapse = ae.theory.cross_entropy_floor(X_test), ae.theory.collapse_level(X_test)
    losses = [-trial.model.elbo(X_test, n_draws=5, random_state=seed) for trial in made.vaes]
    section.add("floor of the cross-entropy of grey pixels, nats per image", floor, "no model is below", key="floor")
    section.below(
        f"VAE: −ELBO, nats per unseen image, worst of {made.seeds} seeds",
        max(losses),
        collapse,
        "constant output",
        key="negative_elbo",
    )
    section.add(
        "and it is above the floor, least of the seeds", min(losses), f"floor {floor:.4g}", holds=min(losses) > floor
    )
    term = [trial.model.loss_terms_["kl"] for trial in made.vaes]
    section.at_least(
        "KL of the codes to N(0, 1), nats, least of the seeds", min(term), 1.0, "0 is a collapsed code", key="kl"
    )
    errors = [trial.model.reconstruction_error(X_test) for trial in made.vaes]
    vanilla = np.mean([trial.model.reconstruction_error(X_test) for trial in made.autoencoders])
    section.add(
        "VAE: squared error on unseen digits, mean",
        float(np.mean(errors)),
        f"autoencoder {vanilla:.4g}",
        key="vae_error",
    )


def _validity(section: Section, made: Study) -> None:
    """The share of invalid samples, beside the autoencoder's."""
    for reference in REFERENCES:
        vae, plain = made.shares("vaes", "prior", reference), made.shares("autoencoders", "regions", reference)
        section.add(f"invalid share of samples, reference: {reference}", summary(vae), f"autoencoder {summary(plain)}")
        section.numbers[f"invalid_prior_{reference}"] = vae
    vae, plain = made.shares("vaes", "prior", "decodings"), made.shares("autoencoders", "regions", "decodings")
    gap, error = float(np.mean(plain) - np.mean(vae)), standard_error(vae, plain)
    section.numbers |= {"gap": gap, "gap_standard_error": error}
    section.below(
        "invalid share, VAE, reference: decodings, mean",
        float(np.mean(vae)),
        float(np.mean(plain)),
        "autoencoder",
        key="invalid_vae",
    )
    section.at_least(
        "the difference in standard errors over the seeds", gap / max(error, 1e-9), 2.0, "clearly", key="gap_in_errors"
    )
    direction = "falls" if gap > 0 else "does not fall"
    others = "; ".join(
        f"held against {name}, {100 * np.mean(made.shares('vaes', 'prior', name)):.1f} % against "
        f"{100 * np.mean(made.shares('autoencoders', 'regions', name)):.1f} %"
        for name in REFERENCES[1:]
    )
    section.say(
        f"The invalid share {direction} from {summary(plain)} to {summary(vae)} over {made.seeds} seeds. By the two "
        f"other measures, which see less of the latent space: {others}."
    )


def standard_error(a: list[float], b: list[float]) -> float:
    """Of the difference of two means: √(s_a²/n_a + s_b²/n_b).

    >>> standard_error([1.0, 3.0], [1.0, 3.0])
    1.4142135623730951
    """
    return float(np.sqrt(np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b)))


def _draw(section: Section, made: Study) -> None:
    groups = {
        name: {
            "autoencoder, regions of the codes": [100 * s for s in made.shares("autoencoders", "regions", name)],
            "VAE, N(0, 1)": [100 * s for s in made.shares("vaes", "prior", name)],
        }
        for name in REFERENCES
    }
    labels = {
        "decodings": "decodings of digits\n(same decoder)",
        "pixels": "digits,\nby pixels",
        "features": "digits, by features\nof a classifier",
    }
    section.show(
        "invalid_shares",
        figures.bars(
            {labels[name]: group for name, group in groups.items()},
            ylabel="invalid samples (%)",
            title="Invalid samples, by what they are held against",
        ),
        "Bars of the share of invalid samples of the autoencoder and of the VAE, held against three references. "
        + " ".join(
            f"{name}: {np.mean(group['autoencoder, regions of the codes']):.1f} and "
            f"{np.mean(group['VAE, N(0, 1)']):.1f} percent."
            for name, group in groups.items()
        ),
        f"Bars: mean of {made.seeds} seeds, whiskers: standard deviation, dots: each seed.",
    )
    trial = made.vaes[0]
    section.show(
        "codes_vae",
        ae.plot.code_map(
            trial.model.transform(made.digits.train.images),
            made.digits.train.labels,
            title="Codes of the VAE: means M of the training digits",
        ),
        "The two-dimensional code means of the VAE for digits 1 and 8 in two colours, lying together around the "
        "origin.",
        "The KL pulls the codes to where N(0, 1) has its mass.",
    )
    show_samples(section, "samples_vae", made, trial, "prior", "the VAE")
