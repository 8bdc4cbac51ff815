"""The limited-memory BFGS approximation H of the inverse Hessian (Nocedal & Wright 2006, section 7.2).

H is never formed.  It is the γ·I that fits the newest pair, updated by the last m pairs s = x⁺ − x, y = g⁺ − g:

    H⁺ = (I − ρ s yᵀ) H (I − ρ y sᵀ) + ρ s sᵀ,    ρ = 1/yᵀs            (7.16), which makes H⁺ y = s
    γ  = sᵀy / yᵀy                                                     (7.20)

H stays positive definite as long as yᵀs > 0, which the curvature condition of the line search ensures; a pair for
which rounding says otherwise is left out.  The product H g is the two-loop recursion, algorithm 7.4.
Memory 2mn numbers; cost 4mn multiplications per product.

>>> H = InverseHessian(size=2, history=5, scale=1.0)
>>> H.update(np.array([1.0, 0.0]), np.array([4.0, 0.0]))
True
>>> H.direction(np.array([8.0, 0.0]))                 # −H g, a Newton step where the curvature 4 is known
array([-2., -0.])
"""

from __future__ import annotations

import numpy as np

from autograd_ae.optim.checks import Array
from autograd_ae.optim.clipping import scaled_norm


class InverseHessian:
    """H of size×size out of the last `history` pairs; before the first pair H = scale·I."""

    def __init__(self, size: int, history: int, scale: float) -> None:
        self.scale = scale
        self._s = np.empty((history, size))
        self._y = np.empty((history, size))
        self._rho = np.empty(history)
        self._rows: list[int] = []  # rows in use, oldest pair first
        self._direction = np.empty(size)
        self._work = np.empty(size)

    def __len__(self) -> int:
        return len(self._rows)

    def clear(self) -> None:
        """Forget the pairs, but keep γ, so that steepest descent starts with a step of the right size."""
        self._rows.clear()

    def update(self, s: Array, y: Array) -> bool:
        """Take the pair (s, y) in, in place of the oldest if all rows are full; False if yᵀs is not positive."""
        curvature = float(np.dot(s, y))
        y_scale, y_root = scaled_norm([y])
        s_scale, s_root = scaled_norm([s])
        cosine = curvature / y_scale / s_scale / (y_root * s_root) if y_root and s_root else 0.0
        if not np.finfo(float).eps < cosine < np.inf:
            return False
        row = self._rows.pop(0) if len(self._rows) == len(self._rho) else len(self._rows)
        self._s[row], self._y[row], self._rho[row] = s, y, 1 / curvature
        self._rows.append(row)
        self.scale = cosine * (s_scale / y_scale) * (s_root / y_root)  # sᵀy/yᵀy without squares of large numbers
        return True

    def direction(self, g: Array) -> Array:
        """−H g, in a buffer that the next call overwrites."""
        q, work, rho = self._direction, self._work, self._rho
        np.copyto(q, g)
        alpha = {}
        for i in reversed(self._rows):
            alpha[i] = rho[i] * np.dot(self._s[i], q)
            q -= np.multiply(self._y[i], alpha[i], out=work)
        q *= self.scale
        for i in self._rows:
            beta = rho[i] * np.dot(self._y[i], q)
            q += np.multiply(self._s[i], alpha[i] - beta, out=work)
        return np.negative(q, out=q)
