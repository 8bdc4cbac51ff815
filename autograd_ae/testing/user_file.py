"""A function and its gradient in a file: `autograd-ae check derivation.py::loss`.

The convention is one of names. For a function `loss` the file defines

    loss(x, …)          a number, written with NumPy or with this project's functions
    loss_grad(x, …)     its gradient: an array of x's shape, or a tuple with one for each argument
    loss_point          the point: an array, or a tuple of arrays for several arguments; or say --shape 3,4
                        on the command line, once for each argument, for a random point

For an array-valued function, `loss_vjp(x, …, u)` takes the place of `loss_grad`. With neither, the function must take
and return tensors, and what is checked is this project's backward pass through it. `derivation.py` alone stands for
every function in it that has a `_grad` or `_vjp`.
"""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograd_ae.testing.diagnose import Diagnosis, diagnose
from autograd_ae.testing.gradcheck import check_gradient, check_vjp, gradcheck
from autograd_ae.testing.verdict import DISAGREES, Check

Shape = tuple[int, ...]
PARTS = ("_grad", "_vjp", "_point")


class TargetError(ValueError):
    """The file, or what it is to define, is not there: wrong usage, rather than a wrong gradient."""


@dataclass(frozen=True)
class FileReport:
    """The check of one function of a file; a diagnosis where it disagrees."""

    name: str
    check: Check
    diagnosis: Diagnosis | None = None

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.check}"]
        if self.diagnosis is not None:
            lines.append(f"  diagnosis     {self.diagnosis}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        found = None if self.diagnosis is None else vars(self.diagnosis)
        return {"name": self.name, **self.check.to_dict(), "diagnosis": found}


def is_file_target(target: str) -> bool:
    """Whether a target names a file, and not an op."""
    return target.partition("::")[0].endswith(".py")


def check_file(target: str, shapes: Sequence[Shape] = (), *, seed: int = 0) -> list[FileReport]:
    """Check `file.py::function`, or with `file.py` every function that has a gradient in it.

    Raises
    ------
    TargetError : no such file or function, no gradient, no point, or shapes that do not fit.
    ValueError : the file's own code failed; the message names the line.
    """
    path, _, name = target.partition("::")
    module = load(Path(path))
    names = [name] if name else functions_of(module)
    if not names:
        raise TargetError(
            f"{path} has no function with a gradient: define NAME(x) and NAME_grad(x), or name one: {path}::NAME"
        )
    return [_check_function(module, path, name, shapes, seed) for name in names]


def load(path: Path) -> ModuleType:
    """The file as a module, executed."""
    if not path.is_file():
        raise TargetError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(f"checked_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    _guarded(str(path), lambda: spec.loader.exec_module(module))  # type: ignore[union-attr]
    return module


def functions_of(module: ModuleType) -> list[str]:
    """Names of the functions in a module that have a `_grad` or `_vjp`, in the file's order."""
    names = [name for name, value in vars(module).items() if callable(value)]
    return [name for name in names if callable(_part(module, name, "_grad")) or callable(_part(module, name, "_vjp"))]


def _part(module: ModuleType, name: str, part: str) -> Any:
    return getattr(module, name + part, None)


def _check_function(module: ModuleType, path: str, name: str, shapes: Sequence[Shape], seed: int) -> FileReport:
    f, grad, vjp = getattr(module, name, None), _part(module, name, "_grad"), _part(module, name, "_vjp")
    if not callable(f):
        defined = ", ".join(
            k for k, v in vars(module).items() if callable(v) and not k.startswith("_") and not k.endswith(PARTS)
        )
        raise TargetError(f"{path} defines no function {name!r}; it has {defined or 'none'}")
    x = _point(module, path, name, shapes, seed)
    if callable(grad):
        check = _guarded(path, lambda: check_gradient(f, grad, x, seed=seed))
        wrong = check.verdict == DISAGREES
        return FileReport(name, check, _guarded(path, lambda: diagnose(f, grad, x, seed=seed)) if wrong else None)
    if callable(vjp):
        return FileReport(name, _guarded(path, lambda: check_vjp(f, vjp, x, seed=seed)))
    try:
        return FileReport(name, _guarded(path, lambda: gradcheck(f, x, seed=seed)))
    except _OwnError as error:
        if not isinstance(error.__cause__, TypeError):
            raise
        raise TargetError(
            f"{path} defines no {name}_grad, and {name} is no function of tensors: define {name}_grad(x), its gradient"
        ) from error


def _point(module: ModuleType, path: str, name: str, shapes: Sequence[Shape], seed: int) -> Any:
    """Random numbers of the shapes that were asked for, else the file's own point."""
    if shapes:
        rng = np.random.default_rng(seed)
        arrays = tuple(np.asarray(rng.normal(size=shape)) for shape in shapes)
        return arrays if len(arrays) > 1 else arrays[0]
    point = _part(module, name, "_point")
    if point is None:
        raise TargetError(
            f"no point to check {name} at: define {name}_point in {path}, or add --shape 3,4 (once for each argument)"
        )
    return tuple(np.asarray(a) for a in point) if isinstance(point, tuple) else np.asarray(point)


class _OwnError(ValueError):
    """The file's own code, or what it was given, failed."""


def _guarded(path: str, call: Callable[[], Any]) -> Any:
    """The call's result; an error in the file's code becomes one line that says where."""
    try:
        return call()
    except Exception as error:
        name = Path(path).resolve()
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).resolve() == name]
        if isinstance(error, SyntaxError):
            lines = [error.lineno]
        place = f"{path}:{lines[-1]}" if lines else path
        raise _OwnError(f"{place}: {type(error).__name__}: {error}") from error
