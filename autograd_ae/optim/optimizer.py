"""What SGD and Adam share: parameters updated in place, moments in flat arrays, a schedule, a state that can be saved.

A first-order rule is elementwise: new parameter and new moments depend on the old ones and on the gradient at the
same place only.  So the parameters may be cut into blocks at will, and the result does not depend on the cut.  Here
a block has at most 2¹⁵ entries, so that the dozen NumPy passes of a rule find their operands in the cache, and the
only scratch memory is two blocks per dtype.  The moments of all parameters of one dtype lie in one flat array in the
order of the parameters (`moments[name][dtype]`), which is the layout a single pass over an arena of parameters wants.

Nothing of the size of a parameter is allocated after the first step.  A gradient that is not C-contiguous (xᵀg often
is not) is copied through one staging buffer, made when first needed.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.optim.checks import Array, array_list, check_bool, check_integer, check_parameters, describe_nonfinite
from autograd_ae.optim.clipping import BLOCK, scaled_norm
from autograd_ae.optim.schedules import Schedule, check_rate

RATE, STEPS, NORM, SCHEDULED = 0, 5, 6, 7  # places among an optimiser's cells; its rule may use 1 … 4


class Optimizer(ABC):
    """Base of SGD, Adam and AdamW.  A subclass names its moments and updates one block.

    Attributes: `params` (the arrays, as given), `steps` (updates done), `gradient_norm` (the global norm of the last
    gradients, a by-product of `check_finite`), `hyperparameters` (read-only), `moments` (name → dtype → flat array).
    What changes from step to step lies in `cells`, eight float64 numbers that compiled programs read and write.
    """

    def __init__(
        self,
        params: Iterable[Array],
        *,
        learning_rate: float | Schedule,
        hyperparameters: Mapping[str, Any],
        moment_names: tuple[str, ...],
        check_finite: bool,
    ) -> None:
        self.params: tuple[Array, ...] = tuple(check_parameters(params))
        self.hyperparameters = MappingProxyType(dict(hyperparameters))
        self._check_finite = check_bool("check_finite", check_finite)
        self._owners = {id(owner) for p in self.params for owner in (p, p.base) if owner is not None}
        self.cells = np.zeros(8)
        self.gradient_norm = None
        self.learning_rate = learning_rate
        self.moments = {name: _flat_zeros(self.params) for name in moment_names}
        self._moment_views = {name: _views(flat, self.params) for name, flat in self.moments.items()}
        self._scratch = {dtype: np.empty((2, BLOCK), dtype) for dtype in _dtypes(self.params)}
        self._staging: dict[np.dtype[Any], Array] = {}
        self._blocks = [self._cut(i) for i in range(len(self.params))]

    @abstractmethod
    def _begin(self, rate: float) -> None:
        """Compute the scalars of this step, numbered `self.steps` from 1, once for all blocks."""

    @abstractmethod
    def _update(self, p: Array, g: Array, a: Array, b: Array, *moments: Array) -> None:
        """Update one block: flat parameter p, gradient g (read only), scratch a and b, then the moments."""

    @property
    def check_finite(self) -> bool:
        """Whether a gradient with a NaN or an infinity is an error; programs are compiled for it, so it stays."""
        return self._check_finite

    @property
    def steps(self) -> int:
        """How many updates were done."""
        return int(self.cells[STEPS])

    @steps.setter
    def steps(self, count: int) -> None:
        self.cells[STEPS] = count

    @property
    def gradient_norm(self) -> float | None:
        """The global norm of the last gradients that were checked; None before."""
        norm = float(self.cells[NORM])
        return None if norm < 0 else norm

    @gradient_norm.setter
    def gradient_norm(self, norm: float | None) -> None:
        self.cells[NORM] = -1 if norm is None else norm

    @property
    def learning_rate(self) -> float:
        """The rate of the next step.  Assign a number, or a schedule (a callable: step 0, 1, 2, … → rate)."""
        return self.rate_at(self.steps)

    @learning_rate.setter
    def learning_rate(self, value: float | Schedule) -> None:
        if callable(value):
            _scheduled_rate(value, self.steps)
            self.schedule: Schedule | None = value
        else:
            self.cells[RATE] = check_rate("learning_rate", value)
            self.schedule = None
        self.cells[SCHEDULED] = self.schedule is not None

    def rate_at(self, step: int) -> float:
        """The rate of step 0, 1, 2, …, as the schedule has it, or the constant one."""
        return float(self.cells[RATE]) if self.schedule is None else _scheduled_rate(self.schedule, step)

    @property
    def _rate_or_schedule(self) -> float | Schedule:
        return self.learning_rate if self.schedule is None else self.schedule

    def step(self, grads: Iterable[Array]) -> None:
        """Update all parameters by one step against `grads`, arrays of the parameters' shapes and dtypes.

        The gradients may have any strides and are not changed.  All are checked before any parameter is touched:
        TypeError or ValueError for a wrong dtype or shape or for memory shared with a parameter, FloatingPointError
        for NaN or infinity; with check_finite=False only the entries in question keep their values.  Each error names
        the index.
        """
        checked = self._check_gradients(grads)
        rate = self.learning_rate
        self.steps += 1
        self._begin(rate)
        for g, blocks in zip(checked, self._blocks, strict=True):
            flat = self._flatten(g)
            for part, p, arrays in blocks:
                self._update_finite(p, flat[part], *arrays)

    def _update_finite(self, p: Array, g: Array, a: Array, b: Array, *moments: Array) -> None:
        """Update one block, but for entries whose gradient is not finite; kernels see to that themselves."""
        if self.check_finite or JIT_ENABLED or (fine := np.isfinite(g)).all():
            self._update(p, g, a, b, *moments)
            return
        parts = [x[fine] for x in (p, g, a, b, *moments)]
        self._update(*parts)
        for x, part in zip((p, *moments), (parts[0], *parts[4:]), strict=True):
            x[fine] = part

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on as if never interrupted, but for the parameters and the schedule's code.

        A flat dict of numbers, one string and copies of arrays: fit for pickle, or for np.savez(path, **state).
        """
        arrays = {
            f"{name}.{i}": view.copy() for name, views in self._moment_views.items() for i, view in enumerate(views)
        }
        return {
            "optimizer": type(self).__name__,
            "steps": self.steps,
            "learning_rate": self.learning_rate,
            "scheduled": self.schedule is not None,
            **self.hyperparameters,
            **arrays,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a `state_dict` of an optimiser that was built in the same way; nothing is changed on an error.

        ValueError if kind, hyper-parameters, shapes or dtypes differ, or if only one of the two has a schedule.
        """
        expected = self.state_dict()
        _compare_states(expected, state)
        steps = check_integer("steps", _plain(state["steps"]), 0)
        rate = check_rate("learning_rate", _plain(state["learning_rate"]))
        self.steps, self.gradient_norm = steps, None
        if self.schedule is None:
            self.cells[RATE] = rate
        for name, views in self._moment_views.items():
            for i, view in enumerate(views):
                np.copyto(view, state[f"{name}.{i}"])

    def _cut(self, i: int) -> list[tuple[slice, Array, tuple[Array, ...]]]:
        """(place in the flat gradient, block of the parameter, scratch and moments) of params[i], block by block."""
        p = self.params[i].reshape(-1)
        moments = [views[i].reshape(-1) for views in self._moment_views.values()]
        scratch = self._scratch[p.dtype]
        blocks = []
        for start in range(0, p.size, BLOCK):
            part = slice(start, min(start + BLOCK, p.size))
            work = scratch[:, : part.stop - start]
            blocks.append((part, p[part], (work[0], work[1], *(m[part] for m in moments))))
        return blocks

    def _check_gradients(self, grads: Iterable[Array]) -> list[Array]:
        checked = array_list("grads", grads, scalars=True)
        if len(checked) != len(self.params):
            raise ValueError(f"{len(checked)} gradients arrived for {len(self.params)} parameters; pass one for each")
        for i, (g, p) in enumerate(zip(checked, self.params, strict=True)):
            self._check_gradient(i, g, p)
        if self.check_finite:
            scale, root = scaled_norm(checked)  # one pass: the norm is finite only if every entry is
            self.gradient_norm = scale * root
            if not math.isfinite(self.gradient_norm) and (trouble := describe_nonfinite("grads", checked)):
                raise FloatingPointError(
                    f"{trouble}; no parameter was changed (a learning rate of {self.learning_rate:g} may be too large)"
                )
        return checked

    def _check_gradient(self, i: int, g: Array, p: Array) -> None:
        if g.dtype != p.dtype:
            raise TypeError(f"grads[{i}] has dtype {g.dtype} but params[{i}] has {p.dtype}; convert one of them")
        if g.shape != p.shape:
            hint = " (transposed?)" if g.shape == p.shape[::-1] else ""
            raise ValueError(f"grads[{i}] has shape {g.shape} but params[{i}] has {p.shape}{hint}")
        if id(g) in self._owners or id(g.base) in self._owners:  # cheap; the exact question only then
            for j, other in enumerate(self.params):
                if np.shares_memory(g, other):
                    raise ValueError(
                        f"grads[{i}] shares memory with params[{j}], which changes during the step; pass a copy"
                    )

    def _flatten(self, g: Array) -> Array:
        if g.flags.c_contiguous:
            return g.reshape(-1)
        if g.dtype not in self._staging:
            longest = max(p.size for p in self.params if p.dtype == g.dtype)
            self._staging[g.dtype] = np.empty(longest, g.dtype)
        flat = self._staging[g.dtype][: g.size]
        np.copyto(flat.reshape(g.shape), g)
        return flat

    def __reduce__(self) -> tuple[Any, ...]:
        # Blocks are views, and a copied view would no longer be one: copies and pickles are built anew.
        settings = {**self.hyperparameters, "learning_rate": self._rate_or_schedule, "check_finite": self.check_finite}
        return _rebuild, (type(self), self.params, settings, self.state_dict())

    def __repr__(self) -> str:
        settings = {"learning_rate": self._rate_or_schedule, **self.hyperparameters}
        listed = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        entries = sum(p.size for p in self.params)
        return f"{type(self).__name__}({len(self.params)} arrays, {entries} entries, {listed}, steps={self.steps})"


def _rebuild(
    kind: type[Optimizer], params: tuple[Array, ...], settings: dict[str, Any], state: dict[str, Any]
) -> Optimizer:
    optimizer = kind(params, **settings)
    optimizer.load_state_dict(state)
    return optimizer


def _scheduled_rate(schedule: Schedule, step: int) -> float:
    return check_rate(f"the learning rate that {schedule!r} gives for step {step}", schedule(step))


def _dtypes(params: tuple[Array, ...]) -> list[np.dtype[Any]]:
    return list(dict.fromkeys(p.dtype for p in params))


def _flat_zeros(params: tuple[Array, ...]) -> dict[np.dtype[Any], Array]:
    return {dtype: np.zeros(sum(p.size for p in params if p.dtype == dtype), dtype) for dtype in _dtypes(params)}


def _views(flat: dict[np.dtype[Any], Array], params: tuple[Array, ...]) -> list[Array]:
    """One view of the flat arrays for each parameter, of its shape, in the order of the parameters."""
    views, used = [], dict.fromkeys(flat, 0)
    for p in params:
        start = used[p.dtype]
        views.append(flat[p.dtype][start : start + p.size].reshape(p.shape))
        used[p.dtype] = start + p.size
    return views


def _plain(value: Any) -> Any:
    """A number or string out of the 0-d array that np.load makes of it."""
    return value.item() if isinstance(value, (np.ndarray, np.generic)) and np.ndim(value) == 0 else value


def _compare_states(expected: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    if "optimizer" not in state or _plain(state["optimizer"]) != expected["optimizer"]:
        kind = _plain(state["optimizer"]) if "optimizer" in state else "nothing known"
        raise ValueError(f"the state is of {kind}, and this optimizer is {expected['optimizer']}")
    if missing := sorted(expected.keys() - state.keys()):
        raise ValueError(f"the state lacks {', '.join(missing)}; was it saved with the same parameters and settings?")
    if surplus := sorted(state.keys() - expected.keys()):
        raise ValueError(f"the state has {', '.join(surplus)} besides; was it saved with more parameters?")
    for name in expected.keys() - {"steps", "learning_rate"}:
        own = expected[name]
        if "." in name:  # a moment
            new = np.asarray(state[name])
            if new.shape != own.shape or new.dtype != own.dtype:
                raise ValueError(
                    f"the state's {name} has shape {new.shape} and dtype {new.dtype}; "
                    f"{own.shape} and {own.dtype} are needed"
                )
        elif not np.array_equal(own, state[name]):
            new = _plain(state[name])
            raise ValueError(f"the state was saved with {name}={new!r} but this optimizer has {name}={own!r}")
