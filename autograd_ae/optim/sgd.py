"""Stochastic gradient descent, with momentum.

    d = g + λ w                          λ: weight_decay, the gradient of (λ/2) ‖w‖²
    v ← μ v + d                          μ: momentum; v starts at 0
    w ← w − η d                          without momentum
    w ← w − η v                          heavy ball (Polyak 1964)
    w ← w − η (d + μ v)                  nesterov=True (Nesterov 1983, in the form of Sutskever et al. 2013)

These are PyTorch's rules exactly (torch.optim.SGD with dampening 0): η multiplies the velocity when it is used, so a
change of η acts at once.  With nesterov the stored w is the look-ahead point w + μ·(last step) of the textbooks.

On a quadratic, mode by mode with curvature λ_i, each rule is a linear recursion.  Its characteristic polynomials are

    z = 1 − ηλ_i,     z² − (1 + μ − ηλ_i) z + μ = 0,     z² − (1 + μ)(1 − ηλ_i) z + μ(1 − ηλ_i) = 0

so plain descent converges for η < 2/λ_max, at best with factor (κ−1)/(κ+1) per step for condition number κ, and the
heavy ball at best with √μ = (√κ−1)/(√κ+1), for η = (2/(√λ_max + √λ_min))².

Cost per entry: 2 passes, 4 with momentum, 6 with nesterov, 2 more with weight decay.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from autograd_ae.core.jit import JIT_ENABLED, jit
from autograd_ae.optim.checks import Array, check_bool, check_number
from autograd_ae.optim.finite import BLOCK, finite
from autograd_ae.optim.optimizer import Optimizer
from autograd_ae.optim.schedules import Schedule


class SGD(Optimizer):
    """Gradient descent in place on `params`, a sequence of float32 or float64 arrays.

    learning_rate is a number or a schedule; momentum is in [0, 1); weight_decay is the λ of (λ/2) ‖w‖².

    >>> w = np.array([1.0, 2.0])
    >>> SGD([w], learning_rate=0.5).step([np.array([1.0, -1.0])])
    >>> w
    array([0.5, 2.5])
    """

    def __init__(
        self,
        params: Iterable[Array],
        *,
        learning_rate: float | Schedule,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        check_finite: bool = True,
    ) -> None:
        self._momentum = check_number("momentum", momentum, "in [0, 1)", minimum=0, below=1)
        self._nesterov = check_bool("nesterov", nesterov)
        self._decay = check_number("weight_decay", weight_decay, "finite and not negative", minimum=0, below=np.inf)
        if self._nesterov and self._momentum == 0:
            raise ValueError("nesterov=True needs a momentum above 0")
        super().__init__(
            params,
            learning_rate=learning_rate,
            hyperparameters={
                "momentum": self._momentum,
                "nesterov": self._nesterov,
                "weight_decay": self._decay,
            },
            moment_names=("velocity",) if self._momentum else (),
            check_finite=check_finite,
        )

    def _begin(self, rate: float) -> None:
        self.scalars = (rate, self._momentum, self._decay)
        self.switches = (self._momentum != 0, self._nesterov)

    def _update(self, w: Array, g: Array, a: Array, b: Array, *velocity: Array) -> None:
        eta, momentum, decay = [w.dtype.type(s) for s in self.scalars]
        if JIT_ENABLED:
            sgd_kernel(w, g, velocity[0] if velocity else w, eta, momentum, decay, *self.switches)
            return
        d = g
        if self._decay:
            d = np.add(g, np.multiply(w, decay, out=a), out=a)
        if velocity:
            (v,) = velocity
            np.multiply(v, momentum, out=v)
            np.add(v, d, out=v)
            d = np.add(d, np.multiply(v, momentum, out=b), out=b) if self._nesterov else v
        np.subtract(w, np.multiply(d, eta, out=a), out=w)


@jit
def sgd_kernel(w, g, v, eta, momentum, decay, has_momentum, nesterov):
    """One pass over memory, the bits of the NumPy form; v is not read without momentum.

    Returns whether all of g was finite; where it is not, w and v keep their values.
    """
    all_finite = True
    for start in range(0, w.size, BLOCK):
        block = slice(start, start + BLOCK)
        w_, g_, v_ = w[block], g[block], v[block]
        if finite(g_):
            sgd_block(w_, g_, v_, eta, momentum, decay, has_momentum, nesterov)
            continue
        all_finite = False
        for i in range(w_.size):
            one = slice(i, i + 1)
            if finite(g_[one]):
                sgd_block(w_[one], g_[one], v_[one], eta, momentum, decay, has_momentum, nesterov)
    return all_finite


@jit
def sgd_block(w, g, v, eta, momentum, decay, has_momentum, nesterov):
    if not has_momentum:
        for i in range(w.size):
            w[i] = w[i] - (g[i] + w[i] * decay) * eta
        return
    for i in range(w.size):
        old = w[i]
        d = g[i] + old * decay
        velocity = v[i] * momentum + d
        v[i] = velocity
        w[i] = old - (d + velocity * momentum if nesterov else velocity) * eta
