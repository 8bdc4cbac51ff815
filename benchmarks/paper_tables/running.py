"""Training one model after the other, with a learning curve for each; Ctrl-C keeps what is finished."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.paper_tables.experiments import Experiment

QUICK_TRAIN, QUICK_TEST, QUICK_EPOCHS = 2_000, 1_000, 2


@dataclass
class Stopwatch:
    """Seconds by the clock and of the CPU while it runs; on a busy machine only the latter say what a step costs."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    started: tuple[float, float] = (0.0, 0.0)

    def start(self) -> None:
        self.started = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        self.seconds += time.perf_counter() - self.started[0]
        self.cpu_seconds += time.process_time() - self.started[1]

    def read(self) -> dict[str, float]:
        return {"seconds": round(self.seconds, 2), "cpu_seconds": round(self.cpu_seconds, 2)}


@dataclass
class Curve:
    """After each epoch: training loss, test error, seconds of training so far. The clock stands while testing."""

    experiment: Experiment
    test: Any
    seed: int
    say: Callable[[str], None]
    clock: Stopwatch
    epochs: list[dict[str, float]] = field(default_factory=list)

    def __call__(self, model: Any, epoch: int) -> None:
        """What `fit` calls after each epoch."""
        self.clock.stop()
        error, loss = self.experiment.measure(model, self.test, self.seed), model.loss_curve_[-1]
        self.epochs.append({"epoch": epoch, "loss": loss, "test": error, **self.clock.read()})
        whole = f"{self.experiment.name}  epoch {epoch}/{model.max_iter}  training loss {loss:.3f}"
        self.say(f"{whole}  test {self.experiment.unit} {error:.3f}  {self.clock.seconds:.0f} s")
        self.clock.start()


def run(experiment: Experiment, train: Any, test: Any, *, seed: int, quick: bool, say: Callable[[str], None]) -> dict:
    """Train and measure one model; a row of the table. `finished` is false where Ctrl-C ended training."""
    model = experiment.build()
    trained = hasattr(model, "max_iter")
    if trained:
        model.set_params(random_state=seed, **({"max_iter": QUICK_EPOCHS} if quick else {}))
    clock = Stopwatch()
    curve = Curve(experiment, test, seed, say, clock)
    clock.start()
    model.fit(train, **({"callback": curve} if trained else {}))
    if not trained:
        clock.stop()  # otherwise the last epoch's end is the end: fit goes on to measure the training error
    error = curve.epochs[-1]["test"] if curve.epochs else experiment.measure(model, test, seed)
    return {
        **{name: getattr(experiment, name) for name in ("name", "title", "unit", "published", "source", "bar")},
        "model": repr(model),
        "settings": settings(model),
        "seed": seed if trained else None,
        "epochs": model.n_iter_ if trained else None,
        "finished": not trained or model.n_iter_ == model.max_iter,
        **clock.read(),
        "test": error,
        "training_squared_error": model.loss_,
        "met": None if experiment.bar is None else experiment.bar[0] <= error <= experiment.bar[1],
        "curve": curve.epochs,
    }


def settings(model: Any) -> str:
    """How it was trained, in words."""
    if not hasattr(model, "max_iter"):
        return "closed form"
    losses = {"bce": "cross-entropy", "squared_error": "squared error"}
    loss = losses[model.reconstruction_loss] if hasattr(model, "reconstruction_loss") else "cross-entropy + KL"
    schedule = f"Adam {model.learning_rate_init:g} {model.learning_rate}"
    init = f"{model.init} start, " if getattr(model, "init", None) else ""
    return f"{loss}, {init}{schedule}, batch {model.batch_size}, {model._dtype}"


def levels(train: Any, test: Any) -> dict[str, float]:
    """What the figures are read against: test images answered with the training mean, or reproduced exactly.

    Some pixels are never lit in training; a sigmoid's output is never 0, so that mean is kept 1e-4 away from 0 and 1.
    """
    from autograd_ae import theory

    mean = train.mean(axis=0, dtype="float64")
    return {
        "mean_image_squared_error": theory.mean_image_plateau(test, mean=mean),
        "cross_entropy_floor": theory.cross_entropy_floor(test),
        "cross_entropy_collapse": theory.collapse_level(test, mean=mean.clip(1e-4, 1 - 1e-4)),
    }


def run_all(
    experiments: Sequence[Experiment],
    report: dict[str, Any],
    train: Any,
    test: Any,
    *,
    say: Callable[[str], None],
    save: Callable[[dict[str, Any]], None],
) -> bool:
    """Put a row for each into `report`, saving it after each; False where Ctrl-C ended it."""
    for experiment in experiments:
        say(f"{experiment.name}: {experiment.title}")
        try:
            found = run(experiment, train, test, seed=report["seed"], quick=report["quick"], say=say)
        except KeyboardInterrupt:
            return False
        found["environment"] = report["environment"]
        report["rows" if found["finished"] else "unfinished"].append(found)
        save(report)
        if not found["finished"]:
            return False
    return True


def earlier_rows(path: Path, report: dict[str, Any], experiments: Sequence[Experiment]) -> list[dict[str, Any]]:
    """The rows of other models that `path` holds already, so that long trainings can be done one by one.

    ValueError where the file is something else, or was made with other settings.
    """
    if not path.exists():
        return []
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
        rows, before = old["rows"], [old["quick"], old["images"]]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is there and is not a report of these tables; give another name") from None
    if before != [report["quick"], report["images"]]:
        raise ValueError(f"{path} holds a run with quick={before[0]} on other images; give another name")
    return [row for row in rows if row["name"] not in {e.name for e in experiments}]
