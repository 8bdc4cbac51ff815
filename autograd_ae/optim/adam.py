"""Adam (Kingma & Ba 2015, algorithm 1) and AdamW (Loshchilov & Hutter 2019, algorithm 2), steps t = 1, 2, …

    Adam:   g ← g + λ w                  λ: weight_decay, the gradient of (λ/2) ‖w‖²
    AdamW:  w ← w − η λ w                decoupled: the moments do not see the decay
    m ← m + (1 − β₁)(g − m)              running mean of g                          m₀ = 0
    v ← β₂ v + (1 − β₂) g²               running mean of g²                         v₀ = 0
    w ← w − η′ m / (√v + ε′),    η′ = η √(1 − β₂ᵗ)/(1 − β₁ᵗ),    ε′ = ε √(1 − β₂ᵗ)

The divisions by 1 − βᵗ undo the start at zero: for a constant g they make m and v exactly g and g², and the step
η·sign(g) as far as |g| ≫ ε.  So a step does not depend on the scale of the gradient, up to ε: multiplying all
gradients and ε by one factor changes nothing.

This is the paper's η m̂/(√v̂ + ε) with the divisions of m and v gathered in η′ and ε′ (its section 2), one division an
entry instead of three: PyTorch's rules (torch.optim.Adam and AdamW, amsgrad=False) up to rounding; as there, AdamW's
decay is multiplied by the scheduled learning rate.

Accuracy: in float32 v loses digits below |g| = 3e-18, where ε = 1e-8 has long since taken over, and overflows above
|g| = 1.8e19, with NumPy's overflow warning; clip the gradients or scale the loss.
Cost: one pass over parameter, gradient and moments by a kernel; without kernels the same lines as 13 NumPy passes over
blocks that stay in the cache, with the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import ClassVar

import numpy as np

from autograd_ae.core.jit import JIT_ENABLED, jit
from autograd_ae.optim.checks import Array, check_number
from autograd_ae.optim.finite import BLOCK, finite
from autograd_ae.optim.optimizer import Optimizer
from autograd_ae.optim.schedules import Schedule


class Adam(Optimizer):
    """Adam in place on `params`, a sequence of float32 or float64 arrays; weight decay as an L2 term of the gradient.

    learning_rate is a number or a schedule; betas are in [0, 1); eps is above 0 in the parameters' dtype.

    >>> w = np.array([1.0, 2.0])
    >>> Adam([w], learning_rate=0.5).step([np.array([10.0, -0.1])])
    >>> w.round(6)                                       # the first step is η·sign(g)
    array([0.5, 2.5])
    """

    decoupled: ClassVar[bool] = False

    def __init__(
        self,
        params: Iterable[Array],
        *,
        learning_rate: float | Schedule = 1e-3,
        betas: Sequence[float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        check_finite: bool = True,
    ) -> None:
        self._beta1, self._beta2 = _check_betas(betas)
        self._eps = check_number("eps", eps, "positive and finite", above=0, below=np.inf)
        self._decay = check_number("weight_decay", weight_decay, "finite and not negative", minimum=0, below=np.inf)
        super().__init__(
            params,
            learning_rate=learning_rate,
            hyperparameters={
                "betas": (self._beta1, self._beta2),
                "eps": self._eps,
                "weight_decay": self._decay,
            },
            moment_names=("first_moment", "second_moment"),
            check_finite=check_finite,
        )
        for p in self.params:
            if self._eps < np.finfo(p.dtype).tiny:
                raise ValueError(f"eps is {eps!r}, which is 0 or subnormal in {p.dtype}; a larger one is needed")

    def _begin(self, rate: float) -> None:
        root = math.sqrt(1 - self._beta2**self.steps)
        eps, step_size = self._eps * root, rate * root / (1 - self._beta1**self.steps)
        coupled, shrink = (0.0, 1 - rate * self._decay) if self.decoupled else (self._decay, 1.0)
        moments = (1 - self._beta1, self._beta2, 1 - self._beta2, eps, step_size)
        self.scalars = (*moments, coupled, shrink)

    def _update(self, w: Array, g: Array, a: Array, b: Array, *moments: Array) -> None:
        *scalars, coupled, shrink = [w.dtype.type(s) for s in self.scalars]
        if JIT_ENABLED:
            adam_kernel(w, g, *moments, *scalars, coupled, shrink)
            return
        if shrink != 1:
            np.multiply(w, shrink, out=w)
        elif coupled:
            g = np.add(g, np.multiply(w, coupled, out=a), out=a)
        adam_passes(w, g, a, b, *moments, *scalars)


@jit
def adam_kernel(w, g, m, v, gain, keep, square_gain, eps, step_size, decay, shrink):
    """The three lines of the module's docstring in one pass over memory; scalars are of the arrays' dtype.

    Returns whether all of g was finite; where it is not, w and the moments keep their values.
    """
    all_finite = True
    for start in range(0, w.size, BLOCK):
        block = slice(start, start + BLOCK)
        w_, g_, m_, v_ = w[block], g[block], m[block], v[block]
        if finite(g_):
            adam_block(w_, g_, m_, v_, gain, keep, square_gain, eps, step_size, decay, shrink)
            continue
        all_finite = False
        for i in range(w_.size):
            one = slice(i, i + 1)
            if finite(g_[one]):
                adam_block(w_[one], g_[one], m_[one], v_[one], gain, keep, square_gain, eps, step_size, decay, shrink)
    return all_finite


@jit
def adam_block(w, g, m, v, gain, keep, square_gain, eps, step_size, decay, shrink):
    for i in range(w.size):
        old, first = w[i], m[i]  # kept at hand: to load again what was just stored takes twice the time
        d = g[i] + old * decay
        first = first + (d - first) * gain
        second = v[i] * keep + d * d * square_gain
        m[i], v[i] = first, second
        w[i] = old * shrink - step_size * first / (np.sqrt(second) + eps)


def adam_passes(w, g, a, b, m, v, gain, keep, square_gain, eps, step_size):
    """The same in NumPy, with scratch a and b, operation by operation: equal bit for bit."""
    np.subtract(g, m, out=b)
    np.add(m, np.multiply(b, gain, out=b), out=m)
    np.multiply(np.multiply(g, g, out=b), square_gain, out=b)
    np.add(np.multiply(v, keep, out=v), b, out=v)
    np.add(np.sqrt(v, out=b), eps, out=b)
    np.subtract(w, np.divide(np.multiply(m, step_size, out=a), b, out=b), out=w)


class AdamW(Adam):
    """Adam with decoupled weight decay; PyTorch's default decay is 0.01.

    >>> w = np.array([1.0])
    >>> AdamW([w], learning_rate=0.1, weight_decay=0.5).step([np.array([0.0])])
    >>> w                                                # 1 − 0.1 · 0.5, though the gradient is 0
    array([0.95])
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Array],
        *,
        learning_rate: float | Schedule = 1e-3,
        betas: Sequence[float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        check_finite: bool = True,
    ) -> None:
        super().__init__(
            params,
            learning_rate=learning_rate,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            check_finite=check_finite,
        )


def _check_betas(betas: Sequence[float]) -> tuple[float, float]:
    if not isinstance(betas, Sequence) or len(betas) != 2:
        raise ValueError(f"betas is {betas!r}; a pair such as (0.9, 0.999) is needed")
    first, second = (check_number(f"betas[{i}]", b, "in [0, 1)", minimum=0, below=1) for i, b in enumerate(betas))
    return first, second
