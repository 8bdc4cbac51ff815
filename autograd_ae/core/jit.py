"""The project's only Numba wrapper: `@jit` on a flat loop over contiguous arrays.

A kernel is compiled when it is first called, for the argument types of that call, and kept on disk, so the next process
loads it in milliseconds. Four things that go wrong with plain `numba.njit(cache=True)` are put right here:

- a folder that cannot be written raises at import: here the kernel is compiled in memory instead;
- a truncated cache file raises at call: here it is compiled anew;
- a helper changed in another file leaves a stale cached caller: here the cache folder's name is a hash of every source
  file that defines kernels, so a change to one of them starts a new folder;
- importing Numba costs 0.5 s: here it is imported at the first call of the first kernel.

`error_model="numpy"`, so division by zero gives inf as in NumPy. No `fastmath`, so NaN is seen and results repeat bit
for bit; a kernel that asks for single flags says why beside the request. With `NUMBA_DISABLE_JIT=1` no kernel runs:
every op has a NumPy form that takes its place, and `JIT_ENABLED` says so.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import itertools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

from autograd_ae.core.native import Native
from autograd_ae.core.parts import pipeline_of_parts

_PACKAGE = Path(__file__).parent.parent
PATIENCE = 1.5  # seconds of compiling about which nothing is said
_announced, _spent = False, 0.0


# False when the environment says NUMBA_DISABLE_JIT=1: then NumPy forms run in place of kernels.
JIT_ENABLED = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")


class Kernel:
    """A function and, after its first call, its machine code. `py_func` is the function as written."""

    def __init__(self, py_func: Callable[..., Any], flags: frozenset[str]):
        self.py_func = py_func
        self.flags = flags
        self._compiled: Callable[..., Any] | None = None
        self._part: Callable[..., Any] | None = None
        self._inlined: Callable[..., Any] | None = None
        self.__name__ = py_func.__name__
        self.__doc__ = py_func.__doc__

    def __call__(self, *args: Any) -> Any:
        return (self._compiled or self.compiled())(*args)

    def compiled(self) -> Callable[..., Any]:
        """The Numba dispatcher, made on first use."""
        if self._compiled is None:
            self._compiled = _dispatcher(self)
        return self._compiled

    def part(self) -> Callable[..., Any]:
        """The same for use inside other kernels only: not to be called from Python, not kept on disk by itself."""
        if self._part is None:
            self._part = bare(parts_in(self.py_func), self.flags, part=True)
        return self._part

    def inlined(self) -> Callable[..., Any]:
        """The same, merged into every caller, so that sizes known there shape its loops."""
        if self._inlined is None:
            self._inlined = bare(parts_in(self.py_func, inlined=True), self.flags, part=True, forceinline=True)
        return self._inlined


def jit(py_func: Callable[..., Any] | None = None, *, flags: frozenset[str] = frozenset()) -> Any:
    """Make `py_func` a kernel. `flags` are LLVM fast-math flags (such as `contract`), none unless asked for."""
    if py_func is None:
        return functools.partial(jit, flags=flags)
    return Kernel(py_func, flags)


def cache_dir() -> Path:
    """Where compiled kernels are kept: `AUTOGRAD_AE_CACHE_DIR`, or the user's cache folder."""
    chosen = os.environ.get("AUTOGRAD_AE_CACHE_DIR")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autograd_ae"
    return base / f"kernels-{_source_hash()}"


@functools.cache
def _source_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        source = path.read_bytes()
        if b"@jit" in source or b"Native" in source:
            digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + source)
    return digest.hexdigest()[:16]


def _hash_outside(path: Path) -> str:
    """A kernel of a file that is not the package's is as new as that file."""
    if path.is_relative_to(_PACKAGE) or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


@functools.cache
def _number_apart() -> None:
    """Let no two processes give code the same symbol.

    Numba tells functions of one name apart by counting them, from 1 in each process. Object files of several processes
    are loaded into one (`object_code.py`), where the first definition of a symbol would serve for all.
    """
    from numba.core.bytecode import FunctionIdentity

    FunctionIdentity._unique_ids = itertools.count(int.from_bytes(os.urandom(7), "big"))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_number_apart.cache_clear)


def _dispatcher(kernel: Kernel) -> Callable[..., Any]:
    import numba

    _number_apart()
    dispatcher = numba.njit(error_model="numpy", nogil=True, fastmath=set(kernel.flags))(parts_in(kernel.py_func))
    _keep_on_disk(dispatcher)
    return dispatcher


def bare(
    function: Callable[..., Any], flags: frozenset[str] = frozenset(), *, part: bool = False, forceinline: bool = False
) -> Any:
    """A dispatcher that Python cannot call: compiled faster, and its code stands alone. Or it is a `part` of others."""
    import numba

    _number_apart()
    without: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": forceinline}
    if part:
        without["pipeline_class"] = pipeline_of_parts()
    return numba.njit(error_model="numpy", nogil=True, fastmath=set(flags), **without)(function)


def parts_in(py_func: Callable[..., Any], *, inlined: bool = False) -> Callable[..., Any]:
    """Let one kernel call another: Numba must see dispatchers where the source names kernels (or `Native` parts)."""
    loaded = {i.argval for i in dis.get_instructions(py_func) if i.opname == "LOAD_GLOBAL"}
    helpers = {name: py_func.__globals__.get(name) for name in loaded}
    kernels = {
        name: (helper.inlined() if inlined else helper.part()) if isinstance(helper, Kernel) else helper.compiled()
        for name, helper in helpers.items()
        if isinstance(helper, Kernel | Native)
    }
    if not kernels:
        return py_func
    twin = FunctionType(
        py_func.__code__,
        {**py_func.__globals__, **kernels},
        py_func.__name__,
        py_func.__defaults__,
        py_func.__closure__,
    )
    twin.__qualname__, twin.__module__ = py_func.__qualname__, py_func.__module__
    return twin


def _announce(*, takes_long: bool = False) -> None:
    """Say once, on stderr, why the first use takes long: when kernels have taken `PATIENCE` seconds, or one will."""
    global _announced
    if _announced or (_spent < PATIENCE and not takes_long):
        return
    if not os.environ.get("AUTOGRAD_AE_QUIET"):
        print("autograd_ae: compiling kernels for this machine (once; they are kept on disk)", file=sys.stderr)
    _announced = True


def _took(seconds: float) -> None:
    """Note how long a compilation took."""
    global _spent
    _spent += seconds


def _keep_on_disk(dispatcher: Any) -> None:
    """Give the dispatcher a disk cache of our own; where that cannot be had, kernels live in memory only."""
    try:
        folder = cache_dir()
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            return
        dispatcher._cache = _disk_cache()(dispatcher.py_func)
    except (OSError, RuntimeError, ImportError, AttributeError):
        return


@functools.cache
def _disk_cache() -> type:
    from numba.core import caching

    class Locator(caching._CacheLocator):
        """Keeps compiled code in `cache_dir()`; the folder's name already holds the hash of the sources."""

        def __init__(self, py_func: Callable[..., Any], _path: str):
            self._lineno = py_func.__code__.co_firstlineno
            self._stamp = _source_hash() + _hash_outside(Path(py_func.__code__.co_filename))

        def get_cache_path(self) -> str:
            return str(cache_dir())

        def get_source_stamp(self) -> str:
            return self._stamp

        def get_disambiguator(self) -> str:
            return str(self._lineno)

        @classmethod
        def from_function(cls, py_func: Callable[..., Any], py_file: str) -> Locator:
            return cls(py_func, py_file)

    class Implementation(caching.CompileResultCacheImpl):
        _locator_classes = [Locator]  # noqa: RUF012

    class DiskCache(caching.FunctionCache):
        _missed_at = 0.0
        _impl_class = Implementation

        def load_overload(self, *args: Any, **kwargs: Any) -> Any:
            try:
                loaded = super().load_overload(*args, **kwargs)
            except Exception:  # a damaged cache file, whatever way it is damaged, is only a miss
                loaded = None
            if loaded is None:
                _announce()
                self._missed_at = time.perf_counter()
            return loaded

        def save_overload(self, *args: Any, **kwargs: Any) -> None:
            _took(min(time.perf_counter() - self._missed_at, 60.0))
            try:
                super().save_overload(*args, **kwargs)
            except OSError:  # a full or vanished disk costs a compilation next time, nothing else
                pass
            except Exception:  # the index file is damaged: start it anew
                self.flush()
                super().save_overload(*args, **kwargs)

    return DiskCache
