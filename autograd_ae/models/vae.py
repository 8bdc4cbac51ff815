"""Variational autoencoder (Kingma & Welling 2014): the encoder gives a distribution, the decoder a likelihood.

    q(z|x) = N(M, V),  M and ln V two heads of the encoder;     z = M + √V ⊙ ε,  ε ~ N(0, 1);     prior N(0, 1)

    loss = −(1/B) Σ_b ln p(x_b | z_b) + β KL(q ‖ prior),     KL = ½ Σ (M² + V − 1 − ln V) / B          in nats

With β = 1 the loss is minus the evidence lower bound, ELBO ≤ ln p(x). The lecture's λ is β, its Div the KL, its V the
variance: the head gives its *logarithm* here, so that V = exp(·) is positive and √V = exp(½ ·).

    likelihood="bernoulli"   −ln p = Σ [softplus(a) − x a], a the decoder's output (logits); x in [0, 1]
    likelihood="gaussian"    −ln p = ‖x − x̂‖²/2σ² + (N/2) ln 2πσ², σ² fixed, or learned with the weights: ln σ² is a
                             parameter s, with ∂(−ln p)/∂s = N/2 − ‖x − x̂‖²/2σ², so σ² settles at the mean error
                             per feature

Through z the encoder gets ∂z/∂M = 1 and ∂z/∂(ln V) = ½ √V ⊙ ε; from the KL, M/B and (V − 1)/2B, times β. A warm-up
lets β rise linearly, epoch e of E with β e/E, so that latents are not given up before the decoder can use them
(Sønderby et al. 2016, "Ladder variational autoencoders").

ε is an input of the recorded loss, drawn afresh for every batch. A latent whose variance does not pay for its KL
collapses to the prior: for a linear decoder exactly those with λ_i ≤ βσ² (Wang & Ziyin 2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from autograd_ae.core.tensor import Tensor, no_grad, tensor
from autograd_ae.models.base import affine_setting
from autograd_ae.models.estimator import SettingError, check_choice, check_count, check_real, check_sizes
from autograd_ae.models.health import ACTIVE, cross_entropy_levels
from autograd_ae.models.network import Network
from autograd_ae.models.validation import as_samples, check_unit_interval, generator
from autograd_ae.nn.layers import MLP, Dense
from autograd_ae.ops.activations import ACTIVATIONS
from autograd_ae.ops.arithmetic import add, multiply
from autograd_ae.ops.elementary import exp
from autograd_ae.ops.gaussian import gaussian_kl, reparameterise
from autograd_ae.ops.losses import bce_with_logits, squared_error
from autograd_ae.ops.reductions import sum as total
from autograd_ae.ops.sigmoid import sigmoid

LEARNED = "learned"


@dataclass(eq=False)
class GaussianEncoder:
    """Mean and log-variance of q(z|x) from one trunk."""

    trunk: MLP
    mean: Dense
    log_variance: Dense

    def __call__(self, x: Any) -> tuple[Tensor, Tensor]:
        h = self.trunk(x)
        return self.mean(h), self.log_variance(h)

    @property
    def layers(self) -> tuple[Dense, ...]:
        return (*self.trunk.layers, self.mean)


@dataclass(eq=False)
class GaussianDecoder:
    """The decoder's network, and ln σ² where it is learned."""

    network: MLP
    log_noise: Tensor | None = None

    def __call__(self, z: Any) -> Tensor:
        return self.network(z)

    @property
    def layers(self) -> tuple[Dense, ...]:
        return self.network.layers


@dataclass(eq=False, repr=False, kw_only=True)
class VAE(Network):
    """Variational autoencoder with a mirror-image decoder.

    Parameters
    ----------
    n_components : latent dimension.    hidden_layer_sizes, activation : of the trunk; the decoder has them in reverse.
    likelihood : "bernoulli" (data in [0, 1]) or "gaussian".
    observation_variance : σ² of the Gaussian likelihood, or "learned".
    beta : weight of the KL.    beta_warmup : epochs over which it rises linearly from 0.
    All others as in `Autoencoder`; the solver is "adam" or "sgd". Early stopping watches the loss with the final beta.

    Attributes
    ----------
    observation_variance_ : σ², fixed or as learned.    loss_ : squared error of the decoded means M, as for all models.
    loss_terms_ : reconstruction, −ln p(x|z), and kl, β KL as it enters the loss, in nats per sample.

    >>> X = np.random.default_rng(0).random((50, 4))
    >>> vae = VAE(1, hidden_layer_sizes=(3,), max_iter=2, random_state=0).fit(X)
    >>> vae.sample(5, random_state=0).shape, sorted(vae.loss_terms_)
    ((5, 4), ['kl', 'reconstruction'])
    """

    n_components: int = field(default=2, kw_only=False)
    hidden_layer_sizes: tuple[int, ...] = (400,)
    activation: str = "relu"
    likelihood: str = "bernoulli"
    observation_variance: float | str = 1.0
    beta: float = 1.0
    beta_warmup: int = 0

    _architecture: ClassVar[tuple[str, ...]] = (
        "n_components",
        "hidden_layer_sizes",
        "activation",
        "likelihood",
        "observation_variance",
    )

    _n_noise: ClassVar[int] = 2

    def _check(self, X: np.ndarray) -> None:
        super()._check(X)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("likelihood", self.likelihood, ("bernoulli", "gaussian"))
        check_count("beta_warmup", self.beta_warmup, 0)
        check_real("beta", self.beta)
        if isinstance(self.observation_variance, str):
            if self.observation_variance != LEARNED:
                raise SettingError(
                    f"observation_variance is {self.observation_variance!r}; a finite number above 0, "
                    f"or {LEARNED!r}, is needed"
                )
        else:
            check_real("observation_variance", self.observation_variance, strict=True)
        check_sizes("hidden_layer_sizes", self.hidden_layer_sizes)
        if self.solver == "lbfgs":
            raise SettingError("solver='lbfgs' needs a fixed loss, and z is drawn afresh: use 'adam' or 'sgd'")
        if self.likelihood == "bernoulli":
            check_unit_interval(X, "likelihood='bernoulli'", "Scale it, or choose likelihood='gaussian'")

    def _build(self, n_features: int, rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        hidden = tuple(self.hidden_layer_sizes)
        inner, last = (self.activation,) * len(hidden), (n_features, *hidden)[-1]
        trunk = MLP.create((n_features, *hidden), inner, rng=rng, dtype=dtype)
        heads = [
            Dense.create(last, self.n_components, rng=rng, dtype=dtype, name=name) for name in ("mean", "log_variance")
        ]
        sizes = (self.n_components, *hidden[::-1], n_features)
        network = MLP.create(sizes, (*inner, "identity"), rng=rng, dtype=dtype, first=len(hidden) + 2)
        learned = self.likelihood == "gaussian" and self.observation_variance == LEARNED
        return GaussianEncoder(trunk, *heads), GaussianDecoder(
            network, tensor(np.zeros((), dtype), "log_noise") if learned else None
        )

    def _draw(self, batch: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """ε, and the present weight of the KL."""
        noise = np.empty((len(batch), self._n_features_out), batch.dtype), np.empty(1, batch.dtype)
        self._draw_into(noise, batch, rng)
        return noise

    def _draw_into(self, buffers: tuple[np.ndarray, ...], batch: np.ndarray, rng: np.random.Generator) -> None:
        noise, weight = buffers
        rng.standard_normal(out=noise, dtype=noise.dtype)
        weight[0] = self.beta * (min(1.0, (self.n_iter_ + 1) / self.beta_warmup) if self.beta_warmup else 1.0)

    def _code(self, x: Any) -> Tensor:
        return self.encoder_(x)[0]

    def _reconstruction(self, z: Any) -> Tensor:
        output = self.decoder_(z)
        return sigmoid(output) if self.likelihood == "bernoulli" else output

    def _terms(self, x: Tensor, *noise: Tensor) -> dict[str, Tensor]:
        mean, log_variance = self.encoder_(x)
        z = reparameterise(mean, log_variance, noise[0])
        divergence = gaussian_kl(mean, log_variance)
        weighted = divergence if len(noise) == 1 else total(multiply(noise[1], divergence))
        return {"reconstruction": self._negative_log_likelihood(self.decoder_(z), x), "kl": weighted}

    def _negative_log_likelihood(self, output: Tensor, x: Tensor) -> Tensor:
        """−ln p(x|z), mean over samples, in nats."""
        if self.likelihood == "bernoulli":
            return bce_with_logits(output, x)
        half, n_features = 0.5 * squared_error(output, x), output.shape[1]
        log_noise = self.decoder_.log_noise
        if log_noise is None:
            variance = float(self.observation_variance)
            return half / variance + 0.5 * n_features * math.log(2 * math.pi * variance)
        return add(half * exp(-log_noise), 0.5 * n_features * (log_noise + math.log(2 * math.pi)))

    # What a VAE can be asked.

    @property
    def observation_variance_(self) -> float:
        log_noise = self.decoder_.log_noise
        return float(np.exp(log_noise.data)) if log_noise is not None else float(self.observation_variance)

    def theory_setting(self) -> dict[str, Any]:
        """As for every model: the mean's part of the encoder is linear where there is no hidden layer."""
        setting = super().theory_setting() | affine_setting(self.encoder_.layers, self.decoder_.layers)
        setting |= {"variational": True, "beta": float(self.beta)}
        if self.likelihood == "bernoulli":
            return setting | {"reconstruction": "bernoulli"}
        learned = self.observation_variance == LEARNED
        return setting | {"noise_variance": self.observation_variance_, "learned_noise": learned}

    def encode_distribution(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Mean M and variance V of q(z|x), both (B, n_components). `transform` gives the mean."""
        mean, log_variance = self._posterior(self._samples(X))
        return mean, np.exp(log_variance)

    def _posterior(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with no_grad():
            mean, log_variance = self.encoder_(X.astype(self._dtype, copy=False))
        return mean.data, log_variance.data

    def sample(self, n_samples: int, *, random_state: Any = None) -> np.ndarray:
        """New data: the decoder's mean at z ~ N(0, 1), (n_samples, n_features), without the likelihood's own noise."""
        self._check_fitted()
        check_count("n_samples", n_samples)
        z = generator(random_state).standard_normal((n_samples, self._n_features_out), dtype=self._dtype)
        return self._decode(z)

    def interpolate(self, a: Any, b: Any, steps: int = 9) -> np.ndarray:
        """Decoded points on the line between the codes of two samples, both included: (steps, n_features)."""
        self._check_fitted()
        check_count("steps", steps, 2)
        ends = [self._encode(self._one_sample(name, x)) for name, x in (("a", a), ("b", b))]
        t = np.linspace(0.0, 1.0, steps, dtype=self._dtype)[:, None]
        return self._decode((1 - t) * ends[0] + t * ends[1])

    def _one_sample(self, name: str, x: Any) -> np.ndarray:
        x = np.asarray(x)
        if x.size != self.n_features_in_:
            raise ValueError(f"{name} has shape {x.shape}; one sample of {self.n_features_in_} features is needed")
        return as_samples(x.reshape(1, -1), who=type(self).__name__)

    def elbo(self, X: Any, *, n_draws: int = 1, random_state: Any = None) -> float:
        """The evidence lower bound (β = 1) in nats per sample, averaged over draws of z."""
        check_count("n_draws", n_draws)
        X, rng = self._samples(X), generator(random_state)
        return -float(np.mean([sum(self._nats(X, rng).values()) for _ in range(n_draws)]))

    def _nats(self, X: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
        """−ln p(x|z), z drawn once for each sample, and the KL: means over samples."""
        X = X.astype(self._dtype, copy=False)
        noise = rng.standard_normal((len(X), self._n_features_out), dtype=X.dtype)
        with no_grad():
            terms = self._terms(Tensor(X, traced=False), Tensor(noise, traced=False))
        return {name: term.item() for name, term in terms.items()}

    def _held_out_error(self, X: np.ndarray) -> float:
        """The loss with the final β, at a draw that is the same after every epoch."""
        nats = self._nats(X, np.random.default_rng(0))
        return nats["reconstruction"] + float(self.beta) * nats["kl"]

    def _diagnostics(self, X: np.ndarray) -> dict[str, float]:
        found, nats = super()._diagnostics(X), self._nats(X, np.random.default_rng(0))
        del found["dead_latents"]
        active = int(np.sum(self._encode(X).astype(np.float64).var(axis=0) > ACTIVE))
        found |= {"elbo": -sum(nats.values()), "kl": nats["kl"], "active_latents": active}
        return found | (cross_entropy_levels(X) if self.likelihood == "bernoulli" else {})

    def log_likelihood(self, X: Any, *, n_samples: int = 100, random_state: Any = None) -> float:
        """ln p(x) in nats per sample by importance weights (Burda et al. 2016), a lower bound in expectation.

        ln p(x) ≥ E ln (1/S) Σ_s p(x|z_s) p(z_s) / q(z_s|x),  z_s ~ q(z|x): the ELBO at S = 1, rising with S to ln p(x).
        """
        check_count("n_samples", n_samples)
        X, rng = self._samples(X).astype(np.float64, copy=False), generator(random_state)
        mean, log_variance = (a.astype(np.float64) for a in self._posterior(X))
        total = np.full(len(X), -np.inf)
        for _ in range(n_samples):
            noise = rng.standard_normal(mean.shape)
            z = mean + np.exp(0.5 * log_variance) * noise
            with no_grad():
                output = self.decoder_(z.astype(self._dtype)).data.astype(np.float64)
            log_ratio = 0.5 * np.sum(noise**2 + log_variance - z**2, axis=1)  # ln p(z)/q(z|x): the 2π cancel
            total = np.logaddexp(total, log_ratio + self._log_likelihood_of(output, X))
        return float(np.mean(total) - np.log(n_samples))

    def _log_likelihood_of(self, output: np.ndarray, X: np.ndarray) -> np.ndarray:
        """ln p(x|z) of each sample, (B,)."""
        if self.likelihood == "bernoulli":
            return np.sum(X * output - np.logaddexp(0.0, output), axis=1)
        variance = self.observation_variance_
        return -0.5 * np.sum((X - output) ** 2 / variance + np.log(2 * np.pi * variance), axis=1)
