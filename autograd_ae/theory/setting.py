"""What a model says of itself, so that `compare` can find the theorem that holds for it.

`compare` knows no model class. A fitted model has a method `theory_setting()` that returns a dict with some of the
fields of `Setting`; what it leaves out has the default. A network that is one affine map gives its weights: that it
gives them says that it is linear. The model's own numbers are then asked of it, as far as the theorem needs them:

    reconstruction_error(X)       always: ‖X − X̂‖²/B, a number
    transform(X)                  the codes (B, L), where the code is penalised
    encode_distribution(X)        mean and variance of q(z|x), each (B, L), where it is variational
    elbo(X, random_state=0)       nats per sample, where it is variational and the likelihood Bernoulli
    reconstruct(X)                X̂ (B, N), where the likelihood is Bernoulli
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import Array, as_count, as_matrix, as_number, as_vector

RECONSTRUCTIONS = ("squared_error", "bernoulli")


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """Architecture and objective of a fitted model, samples in rows.

    n_components                    L, the width of the code
    encoder_weight, encoder_bias    (N, L), (L,) of an encoder z = xW₁ + b₁; no weight: it is not affine
    decoder_weight, decoder_bias    (L, N), (N,) of a decoder x̂ = zW₂ + b₂; a weight without bias: b₂ = 0
    reconstruction                  "squared_error" ‖x − x̂‖², or "bernoulli": cross-entropy of x in [0, 1]
    l2                              γ ≥ 0 of γ(‖W₁‖² + ‖W₂‖²), or (L,) with one γ_j for each latent
    sparsity, sparsity_weight       name of the penalty S on the code ("l1": mean ‖z‖₁) and its λ ≥ 0; None: none
    corruption, corruption_level    what spoils the input: "gaussian" and σ, "masking" and the probability of a 0,
                                    another name (for which no closed form is known here), or None
    variational                     whether z is drawn from N(m(x), diag v(x)) and the loss is that of `probabilistic`
    noise_variance, learned_noise   η² of its Gaussian likelihood, as it is now, and whether it was learned
    beta                            weight of its KL
    weight_decay                    of the optimiser, over all parameters: what is minimised is then not the loss alone
    """

    n_components: int
    encoder_weight: ArrayLike | None = None
    encoder_bias: ArrayLike | None = None
    decoder_weight: ArrayLike | None = None
    decoder_bias: ArrayLike | None = None
    reconstruction: str = "squared_error"
    l2: float | ArrayLike = 0.0
    sparsity: str | None = None
    sparsity_weight: float = 0.0
    corruption: str | None = None
    corruption_level: float = 0.0
    variational: bool = False
    noise_variance: float | None = None
    learned_noise: bool = False
    beta: float = 1.0
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        L = as_count(self.n_components, "n_components", 1, np.iinfo(np.int64).max, "the width of the code")
        decoder = None if self.decoder_weight is None else as_matrix(self.decoder_weight, "decoder_weight", rows=L)
        encoder = None if self.encoder_weight is None else as_matrix(self.encoder_weight, "encoder_weight", columns=L)
        if encoder is not None and decoder is not None and len(encoder) != decoder.shape[1]:
            raise ValueError(f"encoder_weight {encoder.shape} and decoder_weight {decoder.shape} differ in features")
        checked: dict[str, Any] = {"encoder_weight": encoder, "decoder_weight": decoder}
        for name, size in (("encoder_bias", L), ("decoder_bias", None if decoder is None else decoder.shape[1])):
            bias = getattr(self, name)
            checked[name] = None if bias is None else as_vector(bias, name, size)
        if self.reconstruction not in RECONSTRUCTIONS:
            raise ValueError(f"reconstruction={self.reconstruction!r}: one of {', '.join(RECONSTRUCTIONS)} is needed")
        checked["l2"] = as_vector(self.l2, "l2", L) if np.ndim(self.l2) else as_number(self.l2, "l2", low=0)  # type: ignore[arg-type]
        if np.min(checked["l2"]) < 0:
            raise ValueError("l2: penalties must not be negative")
        for name in ("sparsity_weight", "corruption_level", "beta", "weight_decay"):
            checked[name] = as_number(getattr(self, name), name, low=0)
        if self.variational and self.reconstruction == "squared_error":
            checked["noise_variance"] = as_number(self.noise_variance, "noise_variance", above=0)  # type: ignore[arg-type]
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def linear_decoder(self) -> bool:
        return self.decoder_weight is not None

    @property
    def linear(self) -> bool:
        """Both maps are affine."""
        return self.encoder_weight is not None and self.linear_decoder

    @property
    def n_features(self) -> int | None:
        """N, where the decoder tells it."""
        return None if self.decoder_weight is None else int(np.asarray(self.decoder_weight).shape[1])

    @property
    def wider(self) -> bool:
        """More latents than features."""
        return self.n_features is not None and self.n_components > self.n_features

    @property
    def biased(self) -> bool:
        """Whether the decoder can add a mean."""
        return self.decoder_bias is not None

    @property
    def penalties(self) -> Array:
        """γ_j of each latent, (L,)."""
        return np.broadcast_to(np.asarray(self.l2, dtype=float), (self.n_components,))


def setting_of(model: Any) -> Setting:
    """The `Setting` of a fitted model, from its `theory_setting()`.

    Errors: TypeError where there is no such method, it returns no dict, or the dict has unknown fields.

    >>> class Mine:
    ...     def theory_setting(self):
    ...         return {"n_components": 1, "decoder_weight": [[0.6, 0.8]]}
    >>> setting = setting_of(Mine())
    >>> setting.linear_decoder, setting.linear
    (True, False)
    """
    name = type(model).__name__
    if not callable(getattr(model, "theory_setting", None)):
        raise TypeError(f"model: a {name} without `theory_setting()`; let it return a dict of fields of theory.Setting")
    said = model.theory_setting()
    if isinstance(said, Setting):
        return said
    if not isinstance(said, dict):
        raise TypeError(f"{name}.theory_setting() returned an object of type {type(said).__name__}; a dict is needed")
    known = [field.name for field in fields(Setting)]
    if unknown := sorted(set(said) - set(known)):
        raise TypeError(f"{name}.theory_setting(): unknown {', '.join(unknown)}; there are {', '.join(known)}")
    if "n_components" not in said:
        raise TypeError(f"{name}.theory_setting(): n_components, the width of the code, is needed")
    return Setting(**said)
