"""Training loops: minibatches with a first-order optimiser, or all samples with L-BFGS.

Both record the loss once and run the program again and again (see `stepping.py`). Losses are averaged over the samples
of an epoch while the parameters move, as scikit-learn's `loss_curve_` is. Ctrl-C ends training and keeps what was
learned; a loss, gradient or parameter that leaves the finite numbers raises, with the parameters of the last good
epoch put back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_ae.core.blas import limit_blas_threads
from autograd_ae.data.batches import batch_tables
from autograd_ae.models.stepping import evaluation, stepper
from autograd_ae.models.validation import warn_user
from autograd_ae.nn.layers import side_by_side
from autograd_ae.optim import SGD, Adam, AdamW, cosine, global_norm, lbfgs_in_place

SOLVERS = ("adam", "sgd", "lbfgs")
OPTIMIZER_SETTINGS = ("solver", "learning_rate_init", "beta_1", "beta_2", "momentum", "weight_decay")
Callback = Callable[[Any, int], object]


class ConvergenceWarning(UserWarning):
    """Training stopped before it converged."""


def train(model: Any, X: np.ndarray, rng: np.random.Generator, callback: Callback | None) -> None:
    """Train as the model's hyper-parameters say."""
    if model.solver == "lbfgs":
        by_lbfgs(model, X, callback)
    else:
        by_minibatches(model, X, rng, callback)


def make_optimizer(model: Any, *, steps: int | None = None) -> Any:
    """The first-order optimiser that the hyper-parameters name, over the model's own arrays.

    `steps` is the number of steps to come, which a cosine schedule needs; where it is unknown the rate is constant.
    """
    arrays = [p.data for p in model.parameters()]
    rate = model.learning_rate_init
    if model.learning_rate == "cosine" and steps is not None:
        rate = cosine(rate, steps)
    if model.solver == "sgd":
        momentum = {"momentum": model.momentum, "nesterov": model.momentum > 0}
        return SGD(arrays, learning_rate=rate, weight_decay=model.weight_decay, **momentum)
    kind = AdamW if model.weight_decay > 0 else Adam
    return kind(arrays, learning_rate=rate, betas=(model.beta_1, model.beta_2), weight_decay=model.weight_decay)


def one_pass(model: Any, optimizer: Any, X: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """One epoch of minibatches; returns and records the mean loss and terms.

    Where it leaves the finite numbers, the parameters it began with are put back and FloatingPointError is raised.
    """
    parameters = model.parameters()
    good = [p.data.copy() for p in parameters]
    try:
        # What is not finite is seen in the loss, the gradient or the parameters.
        with limit_blas_threads(1), np.errstate(over="ignore", invalid="ignore"):
            totals = _steps(model, optimizer, X, rng)
            if not all(np.isfinite(p.data).all() for p in parameters):
                raise FloatingPointError("a parameter is not finite any more")
    except FloatingPointError as error:
        put_back(model, good)
        raise FloatingPointError(
            f"training diverged in epoch {model.n_iter_ + 1} ({error}); the parameters are again those before it. "
            f"Lower learning_rate_init ({model.learning_rate_init:g}), or scale the data"
        ) from None
    model.n_iter_ += 1
    for name, value in totals.items():
        model.history_.setdefault(name, []).append(value)
    model.loss_terms_ = {name: value for name, value in totals.items() if name != "loss"}
    return totals


def _steps(model: Any, optimizer: Any, X: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """A step of the optimiser for each batch of an epoch; the means of the loss and its terms."""
    totals: dict[str, float] = {}
    for group in batch_tables(X, min(model.batch_size, len(X)), rng):
        if not hasattr(model, "_step") or model._step.optimizer is not optimizer:
            model._step, model._recorded_with = stepper(model, optimizer, X, group[0]), model._constants()
        for values in model._step.through(X, group, rng):
            losses = values[0].astype(float) * model._loss_unit
            if not np.isfinite(losses).all():
                raise FloatingPointError(f"the loss became {losses[~np.isfinite(losses)][0]}")
            share = model._loss_unit * group.shape[1] / len(X)
            for name, value in zip(model._step.names, values, strict=True):
                totals[name] = totals.get(name, 0.0) + float(value.sum(dtype=float)) * share
    return totals


def by_minibatches(model: Any, X: np.ndarray, rng: np.random.Generator, callback: Callback | None) -> None:
    """Epochs of minibatches, with early stopping on held-out samples where asked for."""
    model.__dict__.pop("_step", None)
    X, held_out = _split(model, X, rng)
    optimizer = make_optimizer(model, steps=model.max_iter * -(-len(X) // model.batch_size))
    stopping = EarlyStopping(model)
    with _progress(model) as bar:
        try:
            for _ in range(model.max_iter):
                totals = one_pass(model, optimizer, X, rng)
                bar.set_postfix_str(f"loss {totals['loss']:.4g}", refresh=False)
                bar.update()
                enough = held_out is not None and stopping.after(held_out)
                if (callback is not None and callback(model, model.n_iter_)) or enough:
                    break
        except KeyboardInterrupt:
            warn_user(f"Training interrupted after {model.n_iter_} whole epochs; what was learned so far is kept.")
    stopping.restore()


@dataclass
class EarlyStopping:
    """Watches the error on held-out samples and remembers the parameters where it was least."""

    model: Any
    best: float = np.inf
    waited: int = 0
    parameters: list[np.ndarray] | None = None

    def after(self, held_out: np.ndarray) -> bool:
        """Record the error after an epoch; whether it has not fallen by `tol` for `n_iter_no_change` epochs."""
        error = self.model._held_out_error(held_out) * self.model._loss_unit
        self.model.history_.setdefault("validation", []).append(error)
        self.waited = 0 if error < self.best - self.model.tol else self.waited + 1
        if error < self.best:
            self.best, self.parameters = error, [p.data.copy() for p in self.model.parameters()]
        return self.waited >= self.model.n_iter_no_change

    def restore(self) -> None:
        """Put the best parameters back, where there are any."""
        if self.parameters is not None:
            put_back(self.model, self.parameters)


def by_lbfgs(model: Any, X: np.ndarray, callback: Callback | None) -> None:
    """All samples at once, in float64 whatever the samples' dtype; the parameters are rounded to it at the end."""
    final = model._dtype
    _cast(model, np.dtype(np.float64))
    try:
        result = _minimise(model, X.astype(np.float64, copy=False), callback)
    except FloatingPointError as error:
        raise FloatingPointError(f"L-BFGS cannot start: {error}. Scale the data") from None
    finally:
        _cast(model, final)
    if result.status in ("max_iter", "line_search"):
        remedy = f"Raise max_iter ({model.max_iter}) or tol ({model.tol:g})"
        warn_user(f"L-BFGS {result.message}. {remedy}", ConvergenceWarning)
    if result.status == "interrupted":
        warn_user(f"Training {result.message}")


def _minimise(model: Any, X: np.ndarray, callback: Callback | None) -> Any:
    parameters, unit = model.parameters(), model._loss_unit
    terms, evaluate = evaluation(model, X)

    def value_and_grad(*_arrays: np.ndarray) -> tuple[float, list[np.ndarray]]:
        with np.errstate(over="ignore", invalid="ignore"):  # the line search shortens a step that went too far
            (value, *parts), gradients = evaluate()
        model.loss_terms_ = {name: float(part) * unit for name, part in zip(terms, parts, strict=True)}
        return value, gradients

    with _progress(model) as bar:

        def after(found: Any) -> object:
            model.n_iter_ += 1
            model.history_["loss"].append(found.value * unit)
            bar.set_postfix_str(f"loss {found.value * unit:.6g}", refresh=False)
            bar.update()
            return callback is not None and callback(model, model.n_iter_)

        start, gradients = value_and_grad()
        if not np.isfinite(start * unit):
            raise FloatingPointError(f"the value at x0 is {start * unit}")
        arrays, tol = [p.data for p in parameters], _relative_to_start(model.tol, start, gradients)
        limits = {"max_iter": model.max_iter, "tol_gradient": tol, "tol_change": 0.0}
        with limit_blas_threads(1):
            result = lbfgs_in_place(value_and_grad, arrays, history=20, callback=after, **limits)
    if not model.history_["loss"]:  # at the minimum from the start
        model.history_["loss"].append(result.value * unit)
        model.n_iter_ = 1
    return result


def _relative_to_start(tol: float, loss: float, gradients: list[np.ndarray]) -> float:
    """The share of the first gradient's norm that is `tol` times the first loss.

    Weights have no unit, so gradients have the loss's own. The first gradient itself is no measure: training may begin
    beside a saddle, where it is as small as one likes.
    """
    norm = global_norm(gradients)
    return min(tol * loss / norm, 0.5) if norm > 0 else 0.0


def _cast(model: Any, dtype: np.dtype) -> None:
    """Bring the parameters to `dtype`; what was recorded or allocated for the old arrays is dropped."""
    model._dtype, model._optimizer = dtype, None
    model.__dict__.pop("_step", None)
    if any(p.dtype != dtype for p in model.parameters()):
        for p in model.parameters():
            p.data = p.data.astype(dtype, copy=False)
        side_by_side(model.parameters())


def _split(model: Any, X: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None]:
    if not model.early_stopping:
        return X, None
    count, order = held_out_count(model, len(X)), rng.permutation(len(X))
    return X[order[count:]], X[order[:count]]


def held_out_count(model: Any, samples: int) -> int:
    """How many samples early stopping holds out: `validation_fraction` of them, one at least."""
    count = max(1, round(model.validation_fraction * samples))
    if count >= samples:
        raise ValueError(
            f"early_stopping would hold out {count} of {samples} samples: "
            f"lower validation_fraction ({model.validation_fraction})"
        )
    return count


def put_back(model: Any, arrays: list[np.ndarray]) -> None:
    """Copy arrays into the model's parameters."""
    for p, array in zip(model.parameters(), arrays, strict=True):
        np.copyto(p.data, array)


def _progress(model: Any) -> Any:
    """A bar on stderr when `verbose` and somebody is watching."""
    from tqdm.std import tqdm

    unit = "iteration" if model.solver == "lbfgs" else "epoch"
    return tqdm(
        total=model.max_iter,
        desc=type(model).__name__,
        unit=f" {unit}s",
        disable=None if model.verbose else True,
        leave=False,
    )
