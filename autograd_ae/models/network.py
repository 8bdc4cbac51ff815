"""The base of the models that are trained by backpropagation.

A subclass says four things: how its encoder and decoder are built (`_build`), which noise a batch needs (`_draw`),
how samples become codes (`_code`), and the terms of its loss (`_terms`). All else (recording, training, history,
reports) is here and in `training.py`.

The loss is recorded by terms, for a batch x (B, N):

    loss = reconstruction + penalty + …,     reconstruction = ‖x − x̂‖² / B     (sum over features, mean over samples).

Noise is an input of the loss, never drawn inside it, so one recorded program serves every batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import reduce
from typing import Any, ClassVar, Self

import numpy as np

from autograd_ae.core.tensor import Tensor, constant, no_grad
from autograd_ae.models import stepping, training
from autograd_ae.models.base import Model
from autograd_ae.models.estimator import SettingError, check_choice, check_count, check_real, check_share
from autograd_ae.models.health import as_text, hidden_units
from autograd_ae.models.validation import generator
from autograd_ae.nn.layers import parameters, side_by_side
from autograd_ae.ops.arithmetic import add

BLOCK = 256  # samples


class Learned(Model):
    """What training leaves behind, beside what every model has."""

    encoder_: Any  # an MLP
    decoder_: Any  # an MLP, or what else maps codes to samples
    history_: dict[str, list[float]]
    loss_terms_: dict[str, float]
    n_iter_: int
    n_samples_seen_: int
    _optimizer: Any
    _optimized_with: dict[str, Any]
    _recorded_with: Any
    _rng: np.random.Generator
    _loss_unit: float = 1.0  # what a loss of 1 stands for while training on scaled samples


@dataclass(eq=False, repr=False)
class Network(Learned):
    """Encoder and decoder networks, trained on samples without labels. The fields are the hyper-parameters."""

    n_components: int = 2
    _: KW_ONLY
    solver: str = "adam"
    learning_rate_init: float = 1e-3
    learning_rate: str = "constant"
    beta_1: float = 0.9
    beta_2: float = 0.999
    momentum: float = 0.9
    weight_decay: float = 0.0
    batch_size: int = 128
    max_iter: int = 100
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    tol: float = 1e-4
    warm_start: bool = False
    random_state: Any = None
    verbose: bool = False
    runtime: str = "compiled"

    _architecture: ClassVar[tuple[str, ...]] = ("n_components",)  # hyper-parameters that decide how it is built
    _n_noise: ClassVar[int] = 0  # arrays that `_draw` gives
    _accepts_uint8: ClassVar[bool] = True  # as integers 0 to 255, read batch by batch where they lie

    # What a subclass gives.

    def _build(self, n_features: int, rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        """New encoder and decoder."""
        raise NotImplementedError

    def _draw(self, batch: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """The noise that the loss of one batch takes as further arguments."""
        return ()

    def _draw_into(self, buffers: tuple[np.ndarray, ...], batch: np.ndarray, rng: np.random.Generator) -> None:
        """The same numbers as `_draw` into arrays of their shapes; a subclass that can do without allocating does."""
        for buffer, noise in zip(buffers, self._draw(batch, rng) if buffers else (), strict=True):
            np.copyto(buffer, noise)

    def _code(self, x: Any) -> Tensor:
        return self.encoder_(x)

    def _reconstruction(self, z: Any) -> Tensor:
        return self.decoder_(z)

    def _terms(self, x: Tensor, *noise: Tensor) -> dict[str, Tensor]:
        """The terms of the loss by name, `reconstruction` first."""
        raise NotImplementedError

    def _held_out_error(self, X: np.ndarray) -> float:
        """What early stopping watches."""
        return self._error(X)

    def _constants(self) -> Any:
        """What the recorded loss holds as constants: when they change it is recorded anew."""
        return repr(self.get_params())

    def _check(self, X: np.ndarray) -> None:
        """Hyper-parameters, and whether the data suit them."""
        check_count("n_components", self.n_components)
        check_count("max_iter", self.max_iter)
        check_count("batch_size", self.batch_size)
        check_count("n_iter_no_change", self.n_iter_no_change)
        check_choice("solver", self.solver, training.SOLVERS)
        check_choice("runtime", self.runtime, stepping.RUNTIMES)
        if isinstance(self.learning_rate, int | float):
            raise SettingError(
                f"learning_rate is {self.learning_rate!r}, and names a schedule, 'constant' or 'cosine'; "
                f"the step size is learning_rate_init={self.learning_rate!r}"
            )
        check_choice("learning_rate", self.learning_rate, ("constant", "cosine"))
        check_real("learning_rate_init", self.learning_rate_init, strict=True)
        check_real("weight_decay", self.weight_decay)
        check_real("tol", self.tol)
        for name in ("beta_1", "beta_2", "momentum"):
            check_share(name, getattr(self, name))
        check_share("validation_fraction", self.validation_fraction, strict=True)
        if self.early_stopping:
            training.held_out_count(self, len(X))
        for name in ("early_stopping", "weight_decay"):
            if self.solver == "lbfgs" and getattr(self, name):
                raise SettingError(f"{name} is {getattr(self, name)!r}, which solver='lbfgs' does not know; use 'adam'")

    # Training.

    def fit(self, X: Any, y: Any = None, *, callback: Callable[[Any, int], object] | None = None) -> Self:
        """Train on samples X (B, n_features); y is ignored.

        With `warm_start` training goes on from the present parameters. uint8 is taken as integers 0 to 255. Batches are
        read from X where it lies, also in a memory-mapped file; nothing of its size is allocated but where solver,
        early stopping or a training frame (`LinearPCA`, `DeepPCA`) need all samples at once.

        Parameters
        ----------
        callback : called as `callback(model, epoch)` after each epoch; something true stops training.

        Raises
        ------
        ValueError : samples or hyper-parameters that do not fit.
        FloatingPointError : the loss left the finite numbers; the parameters are those of the last good epoch.
        """
        goes_on = self.warm_start and hasattr(self, "encoder_")
        with self._keeping_features():
            X = self._samples(X, reset=not goes_on, training=True)
            self._check(X)
            rng = generator(self.random_state)
        self._rng = rng
        X = self._go_on(X) if goes_on else self._start(X, self._rng)
        self._optimizer, self.n_samples_seen_ = None, 0
        self._see(X)
        try:
            self._train(X, self._rng, callback)
        finally:
            self.loss_ = self._error(X)
        return self

    def _train(self, X: np.ndarray, rng: np.random.Generator, callback: Callable[[Any, int], object] | None) -> None:
        training.train(self, X, rng, callback)

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """One pass over X in minibatches, going on from the present parameters and optimiser; y is ignored.

        It goes by minibatches whatever the solver: with "lbfgs", which works on all samples at once,
        Adam takes its place. The step size is learning_rate_init throughout: a cosine needs an end, a stream has none.
        `mean_` is the mean of all samples seen so far; `loss_` is the error on this X.

        Raises
        ------
        ValueError, FloatingPointError : as `fit`.
        """
        first = not hasattr(self, "encoder_")
        with self._keeping_features():
            X = self._samples(X, reset=first, training=True)
            self._check(X)
            if first:
                self._rng = generator(self.random_state)
        X = self._start(X, self._rng) if first else self._go_on(X)
        seen = {name: value for name, value in self.__dict__.items() if name in ("mean_", "n_samples_seen_", "_spread")}
        self._see(X)
        chosen = {name: getattr(self, name) for name in training.OPTIMIZER_SETTINGS}
        if self._optimizer is None or self._optimized_with != chosen:
            self._optimizer, self._optimized_with = training.make_optimizer(self), chosen
        try:
            self._pass(X)
        except FloatingPointError:
            self._optimizer = None  # its moments come from the run that diverged
            self.__dict__.update(seen)  # nothing was learned of these samples
            raise
        finally:
            self.loss_ = self._error(X)
        return self

    def _pass(self, X: np.ndarray) -> None:
        if hasattr(self, "_step") and self._recorded_with != self._constants():
            del self._step
        training.one_pass(self, self._optimizer, X, self._rng)

    def _start(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """New networks and an empty record; X."""
        self.__dict__.pop("_step", None)
        self._dtype = X.dtype if X.dtype.kind == "f" else np.dtype(np.float64)
        self.encoder_, self.decoder_ = self._build(X.shape[1], rng, self._dtype)
        side_by_side([self.encoder_, self.decoder_])
        self._built_with = self._blueprint()
        self.history_, self.loss_terms_, self.n_iter_ = {"loss": []}, {}, 0
        self.mean_, self.n_samples_seen_, self._optimizer = np.zeros(X.shape[1], self._dtype), 0, None
        return X

    def _go_on(self, X: np.ndarray) -> np.ndarray:
        """X, whose batches will take the network's dtype, where the hyper-parameters still describe the network."""
        now = self._blueprint()
        for name, built in self._built_with.items():
            if now[name] != built:
                raise ValueError(
                    f"the network was built with {name}={built!r}, which is {now[name]!r} now, so training cannot "
                    "go on. Call fit with warm_start=False to start anew"
                )
        return X

    def _blueprint(self) -> dict[str, Any]:
        chosen = {name: getattr(self, name) for name in self._architecture}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in chosen.items()}

    def _see(self, X: np.ndarray) -> None:
        """Take samples into the running mean."""
        before, self.n_samples_seen_ = self.n_samples_seen_, self.n_samples_seen_ + len(X)
        total = before * self.mean_.astype(np.float64) + X.sum(axis=0, dtype=np.float64)
        self.mean_ = (total / self.n_samples_seen_).astype(self._dtype)

    def parameters(self) -> list[Tensor]:
        """Weights and biases of encoder and decoder, as tensors."""
        return parameters([self.encoder_, self.decoder_])

    def theory_setting(self) -> dict[str, Any]:
        """As for every model: with the optimiser's weight decay, which is no term of the loss."""
        return super().theory_setting() | {"weight_decay": float(self.weight_decay)}

    # Looking inside.

    def loss(self, X: Any, *noise: Any) -> Tensor:
        """The loss of a batch, recorded: for `ae.grad`, `ae.capture`, `ae.hvp` and derivations.

        Parameters
        ----------
        X : samples (B, n_features), an array or a tensor.
        noise : what the model draws for a batch, for models that draw; by default drawn now.
        """
        return reduce(add, self.loss_terms(X, *noise).values())

    def loss_terms(self, X: Any, *noise: Any) -> dict[str, Tensor]:
        """The terms of `loss` by name, recorded."""
        self._check_fitted()
        if not isinstance(X, Tensor):
            X = self._samples(X).astype(self._dtype, copy=False)
        if len(noise) not in (0, self._n_noise):
            raise TypeError(
                f"the loss of {type(self).__name__} takes the samples and {self._n_noise} arrays of noise; "
                f"{len(noise)} more than the samples arrived (the samples are their own target)"
            )
        noise = noise or self._draw(X.data if isinstance(X, Tensor) else X, generator(self.random_state))
        names = [f"noise_{i + 1}" for i in range(len(noise))]
        drawn = [constant(n, name=getattr(n, "name", None) or name) for n, name in zip(noise, names, strict=True)]
        return self._terms(constant(X, name="x"), *drawn)

    @property
    def loss_curve_(self) -> list[float]:
        """The training loss of each epoch: the mean over its batches, or the value at each L-BFGS iteration."""
        return self.history_["loss"]

    # The estimator's side.

    def _error(self, X: np.ndarray) -> float:
        """By blocks of samples, so that no more than a block is decoded at a time."""
        blocks = [X[start : start + BLOCK] for start in range(0, len(X), BLOCK)]
        return sum(super(Network, self)._error(block) * len(block) for block in blocks) / len(X)

    def _encode(self, X: np.ndarray) -> np.ndarray:
        with no_grad():
            return np.array(self._code(X.astype(self._dtype, copy=False)).data)

    def _decode(self, Z: np.ndarray) -> np.ndarray:
        with no_grad():
            return np.array(self._reconstruction(Z.astype(self._dtype, copy=False)).data)

    @property
    def _n_features_out(self) -> int:
        return self.encoder_.layers[-1].W.shape[1]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "encoder_")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_step"}  # a program is recorded anew

    def _sizes(self) -> list[int]:
        return [self.n_features_in_, *(layer.W.shape[1] for layer in (*self.encoder_.layers, *self.decoder_.layers))]

    def summary(self, X: Any = None) -> str:
        """Layers and training; where samples X are given, what `diagnostics` finds on them."""
        self._check_fitted()
        sizes, count = "-".join(map(str, self._sizes())), sum(p.size for p in self.parameters())
        unit = "iterations" if self.solver == "lbfgs" else "epochs"
        last = f", loss {self.loss_curve_[-1]:.6g}" if self.loss_curve_ else ""
        lines = [
            f"{type(self).__name__}: {sizes}, {count:,} parameters",
            f"training              {self.n_iter_} {unit} of {self.solver}{last}",
            f"training error        {self.loss_:.6g}",
        ]
        lines += as_text(self.diagnostics(X), self._n_features_out) if X is not None else []
        return "\n".join(lines)

    def _diagnostics(self, X: np.ndarray) -> dict[str, float]:
        return super()._diagnostics(X) | hidden_units(self, X.astype(self._dtype, copy=False))
