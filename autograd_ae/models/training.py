"""Training loops: minibatches with a first-order optimiser, or all samples with L-BFGS.

Both capture the loss once and replay the program (see `core/capture.py`). Losses are averaged over the samples
of an epoch while the parameters move, as scikit-learn's `loss_curve_` is. Ctrl-C ends training and keeps what was
learned; a loss that leaves the finite numbers raises, with the parameters of the last good epoch put back.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from autograd_ae.core.capture import capture
from autograd_ae.core.tensor import Tensor, constant
from autograd_ae.data.batches import batches
from autograd_ae.ops.arithmetic import add
from autograd_ae.optim import SGD, Adam, AdamW, cosine, lbfgs_in_place

SOLVERS = ("adam", "sgd", "lbfgs")


class ConvergenceWarning(UserWarning):
    """Training stopped before it converged."""


def train(model: Any, X: np.ndarray, rng: np.random.Generator, callback: Callable[[Any, int], object] | None) -> None:
    """Train as the model's hyper-parameters say."""
    if model.solver == "lbfgs":
        by_lbfgs(model, X, callback)
    else:
        by_minibatches(model, X.astype(model._dtype, copy=False), rng, callback)


def objective(model: Any) -> Callable[..., tuple[Tensor, ...]]:
    """What is captured: the loss, then its terms."""

    def loss_and_terms(x: Tensor, *noise: Tensor) -> tuple[Tensor, ...]:
        terms = model.loss_terms(x, *noise).values()
        return reduce(add, terms), *terms

    return loss_and_terms


def make_optimizer(model: Any, steps: int) -> Any:
    """The first-order optimiser that the hyper-parameters name, over the model's own arrays."""
    arrays = [p.data for p in model.parameters()]
    rate = cosine(model.learning_rate_init, steps) if model.learning_rate == "cosine" else model.learning_rate_init
    if model.solver == "sgd":
        return SGD(
            arrays,
            learning_rate=rate,
            momentum=model.momentum,
            nesterov=model.momentum > 0,
            weight_decay=model.weight_decay,
        )
    kind = AdamW if model.weight_decay > 0 else Adam
    return kind(arrays, learning_rate=rate, betas=(model.beta_1, model.beta_2), weight_decay=model.weight_decay)


def one_pass(model: Any, X: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """One epoch of minibatches; returns and records the mean loss and terms."""
    if getattr(model, "_optimizer", None) is None:
        model._optimizer = make_optimizer(model, model.max_iter * -(-len(X) // model.batch_size))
        if "_optimizer_state" in model.__dict__:  # an unpickled model goes on where it stood
            model._optimizer.load_state_dict(model.__dict__.pop("_optimizer_state"))
    totals: dict[str, float] = {}
    for rows in batches(X, min(model.batch_size, len(X)), rng):
        batch = X[rows]
        noise = model._draw(batch, rng)
        if not hasattr(model, "_step"):
            model._term_names = ("loss", *model.loss_terms(batch[:1], *(n[:1] for n in noise)))
            model._step = capture(objective(model), *map(constant, (batch, *noise)))
        values = model._step(batch, *noise)
        if not np.isfinite(values[0]):
            raise FloatingPointError(
                f"the loss became {values[0]} in epoch {model.n_iter_ + 1}. "
                f"Lower learning_rate_init ({model.learning_rate_init:g}), or scale the data"
            )
        model._optimizer.step([model._step.gradients[p] for p in model.parameters()])
        for name, value in zip(model._term_names, values, strict=True):
            totals[name] = totals.get(name, 0.0) + float(value) * len(rows) / len(X)
    model.n_iter_ += 1
    for name, value in totals.items():
        model.history_.setdefault(name, []).append(value)
    model.loss_terms_ = {name: value for name, value in totals.items() if name != "loss"}
    return totals


def by_minibatches(
    model: Any, X: np.ndarray, rng: np.random.Generator, callback: Callable[[Any, int], object] | None
) -> None:
    """Epochs of minibatches, with early stopping on held-out samples where asked for."""
    model._optimizer = None
    for stale in ("_step", "_optimizer_state"):
        model.__dict__.pop(stale, None)
    X, held_out = _split(model, X, rng)
    best, best_state, waited = np.inf, None, 0
    with _progress(model) as bar:
        for _ in range(model.max_iter):
            good = [p.data.copy() for p in model.parameters()]
            try:
                totals = one_pass(model, X, rng)
            except KeyboardInterrupt:
                warnings.warn(
                    f"Training interrupted in epoch {model.n_iter_ + 1}; what was learned so far is kept.", stacklevel=3
                )
                model.history_.setdefault("loss", [float("nan")])
                break
            except FloatingPointError:
                _put_back(model, good)
                raise
            bar.set_postfix_str(f"loss {totals['loss']:.4g}", refresh=False)
            bar.update()
            if held_out is not None:
                error = model.reconstruction_error(held_out)
                model.history_.setdefault("validation", []).append(error)
                waited = 0 if error < best - model.tol else waited + 1
                if error < best:
                    best, best_state = error, [p.data.copy() for p in model.parameters()]
                if waited >= model.n_iter_no_change:
                    break
            if callback is not None and callback(model, model.n_iter_):
                break
    if best_state is not None:
        _put_back(model, best_state)


def by_lbfgs(model: Any, X: np.ndarray, callback: Callable[[Any, int], object] | None) -> None:
    """All samples at once, in float64 whatever the samples' dtype; the parameters are rounded to it at the end."""
    final = model._dtype
    model._dtype = np.dtype(np.float64)
    parameters = model.parameters()
    for p in parameters:
        p.data = p.data.astype(np.float64)
    X = X.astype(np.float64, copy=False)
    model.__dict__.pop("_step", None)
    step = capture(objective(model), constant(X))
    names = ("loss", *model.loss_terms(X[:1]))
    history = model.history_

    def value_and_grad(*_arrays: np.ndarray) -> tuple[float, list[np.ndarray]]:
        value, *terms = step()
        model.loss_terms_ = dict(zip(names[1:], map(float, terms), strict=True))
        return value, [step.gradients[p] for p in parameters]

    with _progress(model) as bar:

        def after(found: Any) -> object:
            model.n_iter_ += 1
            history.setdefault("loss", []).append(found.value)
            bar.set_postfix_str(f"loss {found.value:.6g}", refresh=False)
            bar.update()
            return callback is not None and callback(model, model.n_iter_)

        result = lbfgs_in_place(
            value_and_grad,
            [p.data for p in parameters],
            history=20,
            max_iter=model.max_iter,
            tol_gradient=model.tol,
            tol_change=0.0,
            callback=after,
        )
    history.setdefault("loss", [result.value])
    model.n_iter_ = max(model.n_iter_, 1)
    model._dtype = final
    for p in parameters:
        p.data = p.data.astype(final)
    if result.status in ("max_iter", "line_search"):
        warnings.warn(
            f"L-BFGS {result.message}. Raise max_iter ({model.max_iter}) or tol ({model.tol:g})",
            ConvergenceWarning,
            stacklevel=4,
        )
    if result.status == "interrupted":
        warnings.warn(f"Training {result.message}", stacklevel=4)


def _split(model: Any, X: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None]:
    if not model.early_stopping:
        return X, None
    count = max(1, round(model.validation_fraction * len(X)))
    if count >= len(X):
        raise ValueError(
            f"early_stopping would hold out {count} of {len(X)} samples: "
            f"lower validation_fraction ({model.validation_fraction})"
        )
    order = rng.permutation(len(X))
    return X[order[count:]], X[order[:count]]


def _put_back(model: Any, arrays: list[np.ndarray]) -> None:
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
