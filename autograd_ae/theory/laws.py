"""Which theorem holds for a model: a decision by architecture and objective, in the order of the table.

| objective | decoder | encoder | row |
|---|---|---|---|
| Bernoulli likelihood | any | any | none: floor and collapse level stand beside the loss |
| any | nonlinear | any | none: plateau and PCA's error stand beside the loss |
| variational, Gaussian | linear | any | 10 (learned η²), 11 (fixed η², or β ≠ 1) |
| + λ‖z‖₁ | orthonormal rows | any | 14 |
| Gaussian, masking corruption | linear | linear | 7, 8 |
| + γ(‖W₁‖² + ‖W₂‖²) | linear | linear | 5 (one γ), 6 (one for each latent) |
| ‖x − x̂‖² | linear | linear | 20 if L ≥ rank X, else 1 |
| any other with ‖x − x̂‖² in it | linear | any | 3, for the reconstruction error alone |

Where the encoder is not linear the optimum is a bound: the theorem's optimal encoder is affine, and no other does
better. So it is where the optimiser decays weights, which no row knows of. On whatever data: each optimum is that of
the very X it is compared on, so no model can be below it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ._inputs import Array
from .setting import Setting

EQUALITY, BOUND, NONE = "equality", "bound", "none"


@dataclass(frozen=True)
class Law:
    """A theorem as it applies to one model.

    row        of the table in `theory`, or None
    name       in a few words
    relation   "equality": every global minimum attains the value; "bound": nothing gets below it; "none"
    objective  the quantity that the theorem is about, mean over samples
    source     author and year
    why        the reason for a bound or for none, where it is not plain
    """

    row: int | None
    name: str
    relation: str
    objective: str
    source: str
    why: str = ""


SQUARED = "‖X − X̂‖²/B"
NONLINEAR = "the encoder is not linear"


def law_of(setting: Setting, rank: int) -> Law:
    """The theorem for this setting on data of this rank (of X − 1μ, or of X for a decoder without bias).

    >>> law_of(Setting(n_components=1, decoder_weight=[[0.6, 0.8]]), rank=2).row        # any encoder, linear decoder
    3
    """
    law = _by_architecture(setting, rank)
    if setting.weight_decay > 0 and law.relation == EQUALITY:
        return replace(law, relation=BOUND, why="weight decay asks for smaller weights than the optimum has")
    return law


def _by_architecture(setting: Setting, rank: int) -> Law:
    if setting.reconstruction == "bernoulli":
        return _no_law("no closed form for a Bernoulli likelihood")
    if not setting.linear_decoder:
        return _no_law("no closed form for a decoder that is not one linear layer")
    if setting.variational:
        return _variational(setting, rank)
    if setting.sparsity_weight > 0:
        return _sparse(setting)
    if setting.corruption is not None:
        return _denoising(setting)
    if np.any(setting.penalties > 0):
        return _regularised(setting)
    if not setting.linear:
        return _bourlard_kamp(NONLINEAR)
    if setting.n_components >= rank:
        return Law(20, "a code as large as the rank loses nothing", EQUALITY, SQUARED, "the lecture")
    source = "Eckart & Young 1936; Baldi & Hornik 1989"
    return Law(1, "a linear autoencoder is PCA at every minimum", EQUALITY, SQUARED, source)


def _no_law(why: str) -> Law:
    return Law(None, "none", NONE, SQUARED, "", why)


def _bourlard_kamp(why: str) -> Law:
    name = "one linear decoder layer, whatever the encoder, is no better than PCA"
    return Law(3, name, BOUND, SQUARED, "Bourlard & Kamp 1988", why)


def _variational(setting: Setting, rank: int) -> Law:
    if not setting.biased:
        return _bourlard_kamp("no closed form for a VAE whose decoder has no bias")
    if setting.wider:
        return _bourlard_kamp("more latents than features")
    if setting.beta == 0:
        return _bourlard_kamp("β = 0: the KL does not count, and the variances go to 0")
    relation, why = (EQUALITY, "") if setting.encoder_weight is not None else (BOUND, NONLINEAR)
    if not setting.learned_noise:
        name = "linear VAE, fixed η²: latent i is dead exactly when λ_i ≤ βη²"
        return Law(11, name, relation, "E‖x − x̂‖²/2η² + β KL, nats", "Wang & Ziyin 2022", why)
    if rank <= setting.n_components:
        return _bourlard_kamp("the likelihood is unbounded: as many latents as the data's rank leave no noise to learn")
    if setting.beta != 1:
        name = "linear VAE, learned η², β ≠ 1: dead exactly when λ_i ≤ βη²"
        objective = "E‖x − x̂‖²/2η² + β KL + ½N ln 2πη², nats"
        return Law(11, name, relation, objective, "Lucas et al. 2019; Wang & Ziyin 2022", why)
    name = "linear VAE, learned η²: the ELBO is probabilistic PCA's likelihood"
    return Law(10, name, relation, "−ELBO, nats", "Lucas et al. 2019; Dai et al. 2018", why)


def _sparse(setting: Setting) -> Law:
    rows: Array = np.asarray(setting.decoder_weight)
    defect = float(np.abs(rows @ rows.T - np.eye(len(rows))).max())
    if setting.sparsity != "l1":
        return _bourlard_kamp(f"no closed form for the penalty {setting.sparsity!r}")
    if setting.corruption is not None or np.any(setting.penalties > 0):
        return _bourlard_kamp("no closed form for an L1 penalty together with another one or with corruption")
    if defect > np.sqrt(np.finfo(float).eps):
        return _bourlard_kamp(f"row 14 needs an orthonormal decoder, and W₂W₂ᵀ differs from I by {defect:.1e}")
    name = "L1 with an orthonormal decoder: soft threshold at λ/2"
    return Law(14, name, BOUND, f"{SQUARED} + λ mean ‖z‖₁", "Tibshirani 1996", "the best codes for this decoder")


def _denoising(setting: Setting) -> Law:
    if np.any(setting.penalties > 0):
        return _bourlard_kamp("no closed form for corruption together with an L2 penalty")
    if setting.corruption not in ("gaussian", "masking"):
        return _bourlard_kamp(f"no closed form for the corruption {setting.corruption!r}")
    if not setting.linear or not setting.biased:
        return _bourlard_kamp(NONLINEAR if not setting.linear else "no closed form for a denoiser without bias")
    if setting.corruption == "masking" and setting.corruption_level >= 1:
        return _bourlard_kamp("everything is masked")
    objective = "E‖x − (x̃W + b)‖², the noise averaged exactly"
    if setting.corruption == "gaussian":
        name = "linear denoising, Gaussian noise: each component shrinks by λ_i/(λ_i + σ²)"
        return Law(7, name, EQUALITY, objective, "Bishop 1995; Pretorius et al. 2018")
    return Law(8, "linear denoising, masking: W = Q⁻¹P", EQUALITY, objective, "Chen et al. 2012")


def _regularised(setting: Setting) -> Law:
    if not setting.linear:
        return _bourlard_kamp(f"{NONLINEAR}, and the penalty is left out")
    if setting.wider:
        return _bourlard_kamp("more latents than features, and the penalty is left out")
    objective = f"{SQUARED} + Σ_j γ_j (‖column j of W₁‖² + ‖row j of W₂‖²)"
    if np.ptp(setting.penalties) == 0:
        name = "uniform L2: singular values √(1 − γ/λ_i)₊, up to a rotation of the code"
        return Law(5, name, EQUALITY, objective, "Kunin et al. 2019")
    return Law(6, "non-uniform L2: the components one by one", EQUALITY, objective, "Bao et al. 2020")
