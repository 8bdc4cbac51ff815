"""Initial weights W (n_in, n_out): how large a random matrix must be so that signals neither die nor explode.

For A = X W with independent zero-mean entries, Var A_j = n_in · Var W · E X²; backwards, Var dX_i = n_out · Var W ·
Var D. Glorot & Bengio (2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 16)
take the compromise Var W = 2/(n_in + n_out), uniform within ±√(6/(n_in + n_out)). For relu half of the units are off,
so He et al. (2015, "Delving deep into rectifiers", eq. 10) take Var W = 2/n_in.

The logistic sigmoid has slope σ'(0) = ¼, so each layer shrinks a gradient by four; `glorot_sigmoid` multiplies
Glorot's bound by 4 to undo that (the advice of Glorot & Bengio's deep learning tutorials). In eight sigmoid layers it
is the difference between learning and staying on the plateau of the mean image.

Martens (2010, "Deep learning via Hessian-free optimization", §5) gives each unit only 15 incoming weights drawn from
N(0, 1), the rest 0: units stay diverse and are not saturated however wide the layer below.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Initialiser = Callable[[np.random.Generator, int, int], np.ndarray]


def glorot(rng: np.random.Generator, n_in: int, n_out: int, *, gain: float = 1.0) -> np.ndarray:
    """Uniform within ±gain·√(6/(n_in + n_out)); float64 (n_in, n_out)."""
    bound = gain * np.sqrt(6.0 / max(n_in + n_out, 1))
    return rng.uniform(-bound, bound, size=(n_in, n_out))


def glorot_sigmoid(rng: np.random.Generator, n_in: int, n_out: int) -> np.ndarray:
    """Glorot with gain 4 = 1/σ'(0), for logistic sigmoid layers."""
    return glorot(rng, n_in, n_out, gain=4.0)


def he(rng: np.random.Generator, n_in: int, n_out: int) -> np.ndarray:
    """Normal with variance 2/n_in, for relu layers."""
    return rng.normal(0.0, np.sqrt(2.0 / max(n_in, 1)), size=(n_in, n_out))


def sparse(rng: np.random.Generator, n_in: int, n_out: int, *, connections: int = 15) -> np.ndarray:
    """Martens' sparse initialisation: `connections` incoming weights of N(0, 1) per unit, the rest 0."""
    W = np.zeros((n_in, n_out))
    kept = min(connections, n_in)
    for j in range(n_out):
        W[rng.choice(n_in, size=kept, replace=False), j] = rng.normal(size=kept)
    return W


INITIALISERS: dict[str, Initialiser] = {"glorot": glorot, "glorot_sigmoid": glorot_sigmoid, "he": he, "sparse": sparse}


def initialiser_for(activation: str) -> str:
    """The usual choice: he for the relu family, glorot_sigmoid for sigmoid, glorot otherwise."""
    if activation == "sigmoid":
        return "glorot_sigmoid"
    return "he" if activation in ("relu", "leaky_relu", "elu", "silu", "gelu") else "glorot"
