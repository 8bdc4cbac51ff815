"""What a script says: a workload, and the contenders that do it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Step = Callable[[], tuple[Any, ...]]  # one unit of work; returns the arrays or numbers on which contenders must agree


@dataclass(frozen=True)
class Options:
    """What the command line asks of a workload. `data` is an absolute path to a folder of IDX files."""

    quick: bool = False
    data: str | None = None


@dataclass(frozen=True)
class Contender:
    """One way to do the work.

    Parameters
    ----------
    build : takes the workload's problem, returns a `Step`. Libraries are imported inside.
    needs : modules to import before; where one is not installed, the contender is skipped by name.
    starts : packages that it needs too, but imports in processes that it starts itself.
    checked : whether its results must agree with the others' (not those of a floor, which computes a part only).
    warm_up : steps to do before it is timed, for what speeds up only after a while; none with --quick.
    """

    name: str
    build: Callable[[Any], Step]
    needs: tuple[str, ...] = ()
    checked: bool = True
    starts: tuple[str, ...] = ()
    warm_up: int = 0

    def missing(self) -> str | None:
        """The first package of `needs` and `starts` that is not installed, if any."""
        packages = (module.split(".")[0] for module in (*self.needs, *self.starts))
        return next((package for package in packages if importlib.util.find_spec(package) is None), None)

    @property
    def own(self) -> bool:
        """Whether it depends on this project and NumPy alone, so that its failure is ours."""
        return all(module.split(".")[0] in ("autograd_ae", "numpy") for module in (*self.needs, *self.starts))


@dataclass(frozen=True)
class Workload:
    """One problem and its contenders; the first of them is what the others are compared with.

    Parameters
    ----------
    name : short, as `S/128`.   title : what is computed, in words.
    problem : takes Options, returns what contenders are built from; the same in every process.
    unit, scale : seconds per step times `scale` is the figure in the table, `unit` its name.
    tolerance : largest allowed difference of results, relative to the largest entry of each array.
    checked_step : results are compared at step 0 and at this one.
    reported : what is measured is not the time of a step but the last of its outputs, which is then no result.
    threads : CPUs and threads, where not those of the command line.
    rounds : how many at most, where a step takes minutes.
    """

    name: str
    title: str
    problem: Callable[[Options], Any]
    contenders: Sequence[Contender]
    unit: str = "ms per step"
    scale: float = 1e3
    tolerance: float = 1e-5
    checked_step: int = 20
    reported: bool = False
    threads: int | None = None
    rounds: int | None = None

    def contender(self, name: str) -> Contender:
        """The contender of this name."""
        return next(c for c in self.contenders if c.name == name)
