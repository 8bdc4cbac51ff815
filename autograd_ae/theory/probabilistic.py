"""Probabilistic PCA, and the linear variational autoencoder up to its optimum (rows 9-11).

Model: z ~ N(0, I_L), x | z ~ N(zA + μ, η²I), decoder A (L, N). Encoder: z | x ~ N(m(x), diag v). Per sample

    loss = E‖x − x̂‖²/(2η²) + β KL(N(m, v) ‖ N(0, I)),   ELBO = −loss|_{β=1} − (N/2) ln 2πη².

Profile of the encoder, with c = βη². For a fixed A the best encoder is linear, whatever is allowed: m is the ridge
regression E = Aᵀ(AAᵀ + cI)⁻¹, m = (x − μ)E, and v_j = c/(c + ‖A_j‖²). By Woodbury's identity what remains is

    loss(A) = (1/2η²) [ tr S(I + AᵀA/c)⁻¹ + c Σ_j ln(1 + ‖A_j‖²/c) ].

Hadamard: Σ_j ln(1 + ‖A_j‖²/c) ≥ ln det(I + AAᵀ/c), with equality only for orthogonal rows. So a rotated decoder is
strictly worse, and at the optimum A_j = a_j v_j. One latent on one eigenvalue, with t = c/(c + a²) in (0, 1], costs
(1/2η²)(λt − c ln t), least at t = c/λ if λ > c and at t = 1, a dead latent, if not:

    ‖A_j‖² = (λ_j − βη²)₊,   v_j = min(1, βη²/λ_j),   latent j is dead exactly when λ_j ≤ βη²   (posterior collapse).

Then E‖x − x̂‖² = kc + Σ_{i>k} λᵢ and KL = ½ Σ_{i≤k} ln(λᵢ/c), with k latents alive.

Learned η²: adding (N/2) ln 2πη² and setting the derivative in η² to 0 gives, with k alive, η² = Σ_{i>k} λᵢ/(N − βk),
which at β = 1 is the pPCA noise (k = L) and the maximum ELBO is the pPCA log-likelihood.

The lecture's ‖x̂ − x‖² + λ KL is this loss at η² = ½, β = λ: dead exactly when λ_j ≤ λ/2.

Sources: Tipping & Bishop 1999 (JRSS B 61:611); Dai, Wang, Aston, Hua & Wipf 2018 (JMLR 19); Lucas, Tucker, Grosse &
Norouzi 2019, "Don't blame the ELBO!"; Wang & Ziyin 2022, "Posterior collapse of a linear latent variable model".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import Array, as_count, as_matrix, as_number, as_samples
from .linear import numerical_rank, principal_axes


@dataclass(frozen=True, eq=False)
class ProbabilisticPCA:
    """Maximum likelihood of x = zWᵀ + μ + noise, at R = I.

    loadings        W (N, L) = V_L (Λ_L − σ²I)^½, unique up to W R with R orthogonal
    noise_variance  σ², the mean of the N − L smallest eigenvalues
    mean            μ (N,)
    log_likelihood  per sample, in nats
    """

    loadings: Array
    noise_variance: float
    mean: Array
    log_likelihood: float

    def posterior_mean(self, X: ArrayLike) -> Array:
        """E[z | x] = (x − μ) W (WᵀW + σ²I)⁻¹, (B, L) for X (B, N)."""
        centred = as_matrix(X, "X", columns=self.mean.size) - self.mean
        M = self.loadings.T @ self.loadings + self.noise_variance * np.eye(self.loadings.shape[1])
        return np.asarray(np.linalg.solve(M, (centred @ self.loadings).T).T, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class LinearVAE:
    """The global optimum of a linear VAE with diagonal posterior; its rows are unique up to sign where λ differ.

    decoder (L, N), decoder_bias (N,); encoder (N, L), encoder_bias (L,): m = xE + e; variance (L,): v, for every x
    noise_variance   η²
    dead             (L,) bool: latents predicted to collapse (zero decoder row, posterior = prior)
    reconstruction   E‖x − x̂‖² over samples and z: the project's squared error
    kl               KL(N(m, v) ‖ N(0, I)), mean over samples
    loss             reconstruction/(2η²) + β kl, without the normaliser of the Gaussian
    elbo             −reconstruction/(2η²) − kl − (N/2) ln 2πη², whatever β was trained with; nats per sample
    """

    decoder: Array
    decoder_bias: Array
    encoder: Array
    encoder_bias: Array
    variance: Array
    noise_variance: float
    dead: np.ndarray
    reconstruction: float
    kl: float
    loss: float
    elbo: float


def ppca(X: ArrayLike, n_components: int) -> ProbabilisticPCA:
    """Row 9. log-likelihood per sample −½[N ln 2π + Σ_{i≤L} ln λᵢ + (N − L) ln σ² + N], σ² the mean tail eigenvalue.

    X (B, N), L < N. If the tail is 0 (rank ≤ L) the likelihood is unbounded: ValueError.

    Source: Tipping & Bishop 1999, eqs. 7 and 8 and their appendix.

    >>> model = ppca([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]], 1)
    >>> round(model.noise_variance, 9), (model.loadings**2).T.round(9)
    (0.5, array([[1.5, 0. ]]))
    """
    X = as_samples(X)
    mean, spectrum, axes = principal_axes(X)
    N = mean.size
    L = as_count(n_components, "n_components", 0, N - 1, "at least one direction must be left for the noise")
    _require_noise(X, spectrum, L)
    variance = float(spectrum[L:].mean())
    loadings = axes[:L].T * np.sqrt(np.maximum(spectrum[:L] - variance, 0))
    nats = N * np.log(2 * np.pi) + np.log(spectrum[:L]).sum() + (N - L) * np.log(variance) + N
    return ProbabilisticPCA(loadings, variance, mean, float(-nats / 2))


def linear_vae(X: ArrayLike, n_components: int, *, noise_variance: float | None = None, beta: float = 1.0) -> LinearVAE:
    """Rows 10 and 11. The optimum over decoder, encoder and, if `noise_variance` is None, over η².

    X (B, N); L ≤ N latents, of which the j-th takes the j-th eigenvalue; β > 0 is the lecture's λ (in its own scale,
    ‖x̂ − x‖² + λ KL, pass noise_variance=0.5, beta=λ). A learned η² minimises loss + (N/2) ln 2πη²;
    it needs centred data of a rank above L, else the ELBO is unbounded: ValueError.

    Source: see the module; row 11 is Wang & Ziyin 2022, row 10 Lucas et al. 2019 and Dai et al. 2018. β with a learned
    η² is derived above.

    >>> X = [[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]    # λ = 2, ½
    >>> vae = linear_vae(X, 2, noise_variance=1.0)
    >>> vae.dead, vae.variance.round(9), (vae.decoder**2).round(6)
    (array([False,  True]), array([0.5, 1. ]), array([[1., 0.],
           [0., 0.]]))
    >>> abs(linear_vae(X, 1).elbo - ppca(X, 1).log_likelihood) < 1e-12      # learned noise: row 10
    True
    """
    X = as_samples(X)
    mean, spectrum, axes = principal_axes(X)
    N = mean.size
    L = as_count(n_components, "n_components", 1, N, "the number of features")
    beta = as_number(beta, "beta", above=0)
    if noise_variance is None:
        _require_noise(X, spectrum, L)
        noise_variance = _learned_noise(spectrum, L, beta)
    eta2 = as_number(noise_variance, "noise_variance", above=0)

    c, kept = beta * eta2, spectrum[:L]
    dead = kept <= c
    t = np.where(dead, 1.0, c / np.maximum(kept, c))  # v_j, and 1 − a_j e_j
    a = np.sqrt(np.where(dead, 0.0, kept - c))
    e = np.where(dead, 0.0, a / np.maximum(kept, c))  # a/(a² + c)
    decoder, encoder = a[:, None] * axes[:L], axes[:L].T * e

    reconstruction = float(np.where(dead, kept, c).sum() + spectrum[L:].sum())
    kl = float(-0.5 * np.log(t).sum())
    elbo = -reconstruction / (2 * eta2) - kl - N / 2 * np.log(2 * np.pi * eta2)
    loss = reconstruction / (2 * eta2) + beta * kl
    return LinearVAE(decoder, mean, encoder, -mean @ encoder, t, eta2, dead, reconstruction, kl, loss, float(elbo))


def linear_vae_loss(X: ArrayLike, decoder: ArrayLike, *, noise_variance: float, beta: float = 1.0) -> float:
    """The least loss that any encoder can give this decoder A (L, N): loss(A) of the module, biases optimal.

    A lower bound for every VAE with a linear decoder layer A and diagonal posterior, however deep its encoder. For
    the negative ELBO add (N/2) ln 2πη².

    Source: Lucas et al. 2019 (the optimal encoder); the profile is derived in the module.

    >>> X = [[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    >>> optimum = linear_vae(X, 2, noise_variance=0.1)
    >>> rotated = [[0.6, 0.8], [-0.8, 0.6]] @ optimum.decoder
    >>> linear_vae_loss(X, rotated, noise_variance=0.1) > optimum.loss
    True
    """
    X = as_samples(X)
    A = as_matrix(decoder, "decoder", columns=X.shape[1])
    eta2 = as_number(noise_variance, "noise_variance", above=0)
    c = as_number(beta, "beta", above=0) * eta2
    centred = X - X.mean(axis=0)
    _, a, directions = np.linalg.svd(A, full_matrices=False)
    variances = np.sum((centred @ directions.T) ** 2, axis=0) / len(X)  # of the data along the right singular vectors
    explained = variances @ (a**2 / (a**2 + c))  # tr S − tr S(I + AᵀA/c)⁻¹
    total = np.sum(centred**2) / len(X)
    return float((total - explained + c * np.log1p(np.sum(A**2, axis=1) / c).sum()) / (2 * eta2))


def _learned_noise(spectrum: Array, L: int, beta: float) -> float:
    """argmin over η² of loss + (N/2) ln 2πη²: one of its stationary points η²_k = Σ_{i>k} λᵢ/(N − βk), k alive."""
    N = spectrum.size
    tail = [float(spectrum[k:].sum()) for k in range(L + 1)]
    candidates = [(tail[k] / (N - beta * k), k) for k in range(L + 1) if beta * k < N]
    above = np.append(np.inf, spectrum)  # above[k] = λ_k, the smallest that is alive
    below = np.append(spectrum[:L], 0.0)  # below[k] = λ_{k+1}, the largest that is dead; none is at k = L
    slack = 1 + 8 * N * np.finfo(float).eps  # where λ = βη² two intervals meet, and rounding must not leave out both
    valid = [(eta2, k) for eta2, k in candidates if above[k] * slack >= beta * eta2 >= below[k] / slack]

    def objective(eta2: float, k: int) -> float:
        c = beta * eta2
        return (tail[k] / eta2 + beta * np.sum(1 + np.log(spectrum[:k] / c)) + N * np.log(eta2)) / 2

    return min(valid, key=lambda pair: objective(*pair))[0]


def _require_noise(X: Array, spectrum: Array, L: int) -> None:
    rank = numerical_rank(X, spectrum)
    if rank <= L:
        raise ValueError(
            f"n_components={L}: the centred data have rank {rank}, which leaves no noise: the learned variance goes "
            "to 0 and the likelihood has no maximum; use fewer components than the rank, or a fixed noise variance"
        )
