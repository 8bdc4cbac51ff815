"""Closed forms: the exact answers that the models of the lecture are held against, in NumPy alone.

The rows are numbered as they are cited in the modules, the tests and the reports.

| rows | module | what |
|---|---|---|
| 1, 3, 4, 20 | `linear` | optimum, bound for any encoder, biases, lossless dimension |
| 2 | `critical_points` | losses and weights of all critical points, the way out of a saddle |
| 5, 6 | `regularised` | uniform and non-uniform L2 |
| 7, 8 | `denoising` | additive and masking noise |
| 9, 10, 11 | `probabilistic` | probabilistic PCA, linear VAE, posterior collapse |
| 12, 13 | `gaussian` | expected squared error, KL |
| 14 | `sparse` | soft and hard thresholds |
| 15, 16, 17 | `dynamics` | gradient flow, gradient descent |
| 18, 19 | `lecture` | the line, the circle and its antipodal pair |
| | `cross_entropy` | mean-image plateau, floor and collapse level |
| | `subspaces`, `compare` | principal angles, eigengap, a model against its optimum |
| | `setting`, `laws`, `evaluate`, `verdicts` | what a model says of itself, which row holds for it, and how well |

Samples in rows; losses summed over features, averaged over samples; X is raw and each function centres where its
theorem does; results are float64.
"""

from .compare import Comparison, compare
from .critical_points import EscapeDirection, critical_loss, critical_weights, escape_direction
from .cross_entropy import collapse_level, cross_entropy_floor, mean_image_plateau
from .denoising import LinearDAE, additive_dae, additive_dae_loss, masking_dae, masking_dae_loss
from .dynamics import denoising_gradient_flow, gradient_descent, gradient_flow
from .gaussian import expected_squared_error, gaussian_kl
from .laws import Law, law_of
from .lecture import (
    AntipodalPair,
    borsuk_ulam,
    circle_line_loss,
    circle_points,
    cut_circle_code,
    rank_one_amplification,
    rank_one_decoder,
    rank_one_projector,
)
from .linear import (
    LinearOptimum,
    bourlard_kamp_bound,
    eckart_young,
    lossless_dimension,
    optimal_decoder_bias,
    principal_axes,
    spectrum,
)
from .probabilistic import LinearVAE, ProbabilisticPCA, linear_vae, linear_vae_loss, ppca
from .regularised import RegularisedOptimum, nonuniform_linear, recover_principal_axes, regularised_linear
from .setting import Setting, setting_of
from .sparse import SparseCode, hard_threshold, soft_threshold, sparse_code
from .subspaces import (
    SpectralGap,
    angle_bound,
    compare_directions,
    compare_subspaces,
    principal_angles,
    spectral_gap,
)
from .verdicts import Verdict

__all__ = [
    "AntipodalPair",
    "Comparison",
    "EscapeDirection",
    "Law",
    "LinearDAE",
    "LinearOptimum",
    "LinearVAE",
    "ProbabilisticPCA",
    "RegularisedOptimum",
    "Setting",
    "SparseCode",
    "SpectralGap",
    "Verdict",
    "additive_dae",
    "additive_dae_loss",
    "angle_bound",
    "borsuk_ulam",
    "bourlard_kamp_bound",
    "circle_line_loss",
    "circle_points",
    "collapse_level",
    "compare",
    "compare_directions",
    "compare_subspaces",
    "critical_loss",
    "critical_weights",
    "cross_entropy_floor",
    "cut_circle_code",
    "denoising_gradient_flow",
    "eckart_young",
    "escape_direction",
    "expected_squared_error",
    "gaussian_kl",
    "gradient_descent",
    "gradient_flow",
    "hard_threshold",
    "law_of",
    "linear_vae",
    "linear_vae_loss",
    "lossless_dimension",
    "masking_dae",
    "masking_dae_loss",
    "mean_image_plateau",
    "nonuniform_linear",
    "optimal_decoder_bias",
    "ppca",
    "principal_angles",
    "principal_axes",
    "rank_one_amplification",
    "rank_one_decoder",
    "rank_one_projector",
    "recover_principal_axes",
    "regularised_linear",
    "setting_of",
    "soft_threshold",
    "sparse_code",
    "spectral_gap",
    "spectrum",
]
