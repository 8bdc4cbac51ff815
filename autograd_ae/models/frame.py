"""Training in a frame of the data's own: samples less their mean, divided by their root mean square deviation.

    x' = (x − μ)/s,      s² = Σ_b ‖x_b − μ‖² / (B N)      loss = s² loss'

Where the mean is long beside the deviations, or the unit of the data is large or small, the loss is badly conditioned
in the weights of the first layer. There the same function of x has other parameters; a subclass says which
(`_enter_frame`), and how to come back (`_leave_frame`), so that nothing is seen of the frame from outside: not by the
caller, not by callbacks, not in the recorded losses. The frame decides the course of training, not what is minimised.

`fit` takes μ and s of its samples. `partial_fit` takes those of all samples seen so far, this batch included,
updated by batches (Chan, Golub & LeVeque 1983): with means m₁, m₂ of n₁, n₂ samples,

    Σ‖x − m‖² = Σ₁‖x − m₁‖² + Σ₂‖x − m₂‖² + n₁n₂/(n₁ + n₂) ‖m₁ − m₂‖².

Entering and leaving leave the function as it is, to rounding, so a frame that moves between batches moves no output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import hypot, sqrt
from typing import Any, ClassVar

import numpy as np

from autograd_ae.models.network import Network
from autograd_ae.models.training import put_back
from autograd_ae.optim import global_norm


def spread_of(X: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean of samples (B, N), in float64, and √Σ‖x − mean‖²."""
    mean = X.mean(axis=0, dtype=np.float64)
    return mean, global_norm([X - mean.astype(X.dtype)])


def unit_of(mean: np.ndarray, deviation: float, dtype: Any) -> float:
    """s, or 1 where the deviations are no more than rounding of the mean.

    >>> unit_of(np.array([0.1]), 1e-17, np.float64), unit_of(np.array([0.1]), 0.5, np.float64)
    (1.0, 0.5)
    """
    rounding = 8 * float(np.finfo(dtype).eps) * float(np.abs(mean).max())
    return deviation if deviation > rounding else 1.0


class FramedNetwork(Network):
    """A network that is trained on (x − μ)/s."""

    _accepts_uint8: ClassVar[bool] = False
    _spread: float  # √Σ‖x − mean_‖² over the samples seen

    def _enter_frame(self, mean: np.ndarray, unit: float) -> None:
        """Make the parameters, in place (optimisers hold the arrays), those of the same function of x'."""
        raise NotImplementedError

    def _leave_frame(self, mean: np.ndarray, unit: float) -> None:
        """And back."""
        raise NotImplementedError

    def _go_on(self, X: np.ndarray) -> np.ndarray:
        return super()._go_on(X).astype(self._dtype, copy=False)

    @property
    def _frame(self) -> tuple[np.ndarray, float]:
        """μ, of the samples seen, and s."""
        deviation = self._spread / sqrt(self.n_samples_seen_ * self.n_features_in_)
        return self.mean_, unit_of(self.mean_, deviation, self.mean_.dtype)

    def _see(self, X: np.ndarray) -> None:
        count, before = self.n_samples_seen_, self.mean_
        super()._see(X)
        mean, spread = spread_of(X)
        between = sqrt(count * len(X) / self.n_samples_seen_) * global_norm([mean - before])
        self._spread = hypot(self._spread, spread, between) if count else spread

    @contextmanager
    def _inside(self) -> Iterator[None]:
        frame = self._frame
        self._enter_frame(*frame)
        self._loss_unit = frame[1] * frame[1]  # ** raises where * gives inf
        try:
            yield
        finally:
            del self._loss_unit
            self._leave_frame(*frame)

    @contextmanager
    def _outside(self) -> Iterator[None]:
        """For a while, in the midst of `_inside`."""
        self._leave_frame(*self._frame)
        inside, self._loss_unit = self._loss_unit, 1.0
        try:
            yield
        finally:
            self._loss_unit = inside
            self._enter_frame(*self._frame)

    def _seen_from_inside(self, X: np.ndarray) -> np.ndarray:
        mean, unit = self._frame
        return ((X - mean) / unit).astype(X.dtype, copy=False)

    def _train(self, X: np.ndarray, rng: np.random.Generator, callback: Callable[[Any, int], object] | None) -> None:
        def outside(model: Any, epoch: int) -> object:
            with self._outside():
                return callback is not None and callback(model, epoch)

        with self._inside():
            super()._train(self._seen_from_inside(X), rng, outside if callback else None)

    def _pass(self, X: np.ndarray) -> None:
        outside = [p.data.copy() for p in self.parameters()]
        try:
            with self._inside():
                super()._pass(self._seen_from_inside(X))
        except FloatingPointError:
            put_back(self, outside)  # exactly: there and back is not, where the frame is far larger than the parameters
            raise
