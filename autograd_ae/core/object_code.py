"""Machine code of kernels at addresses: compiled once, kept on disk, loaded without importing Numba.

A kernel that is to be called by its address, from a table or through ctypes, takes and returns 64-bit integers only.
Numba compiles it; the object file that it makes is kept beside Numba's own cache (see `jit.py`, whose folder name is a
hash of all kernels' sources) under a name that also hashes the processor and the versions of Numba and llvmlite. The
next process hands that file to llvmlite, whose import takes a fraction of Numba's.

Numba's calling convention: status = code(&result, &error, arguments…). Kernels cannot raise here, so status and error
are not looked at.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograd_ae.core.jit import Kernel, _announce, _hash_outside, _took, bare, cache_dir, parts_in
from autograd_ae.core.native import blas_symbols

_addresses: dict[Path, int] = {}
_symbols: set[str] = set()  # of the object files that were loaded
_kept: list[Any] = []  # what must live as long as the addresses that were given out


@functools.cache
def code_of(kernel: Kernel, arguments: int = 1) -> int:
    """The address of a kernel's machine code, for `arguments` 64-bit integers."""
    return machine_code(_name(kernel), lambda: parts_in(kernel.py_func), arguments)


def _name(kernel: Kernel) -> str:
    stamp = _hash_outside(Path(kernel.py_func.__code__.co_filename))
    return f"{kernel.py_func.__module__}.{kernel.py_func.__qualname__}{stamp}"


def is_code_kept(kernel: Kernel, arguments: int = 1) -> bool:
    """Whether a kernel's machine code lies on disk."""
    return is_kept(_name(kernel), arguments)


def is_kept(name: str, arguments: int = 1) -> bool:
    """Whether code lies on disk under a name."""
    return _path(name, arguments).is_file()


def machine_code(
    name: str, make: Callable[[], Callable[..., int]], arguments: int = 1, *, takes_long: bool = False
) -> int:
    """The address of the code kept under `name`; where there is none yet, of what `make()` gives, compiled.

    Each is loaded once in a process: to load it again for every program would use up the process's memory maps.
    """
    path = _path(name, arguments)
    if path not in _addresses:
        try:
            header, code = path.read_bytes().split(b"\n", 1)
            _addresses[path] = _loaded(*header.decode().split(" "), code=code)
        except (OSError, ValueError, RuntimeError):  # not there yet, or damaged
            _addresses[path] = _compiled(make(), arguments, path, takes_long=takes_long)
    return _addresses[path]


def _path(name: str, arguments: int) -> Path:
    return cache_dir() / f"{name}-{arguments}-{_platform()}.o"


def callable_at(address: int, arguments: int) -> Callable[..., int]:
    """What runs the code at an address from Python: `run(&result, None, *arguments)`; other threads run meanwhile."""
    words = [ctypes.c_int64] * arguments
    return ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *words)(address)


class Call:
    """Calls of the code at an address: `call = Call(address, 3)`, then `call(1, 2, 3)` for its result.

    `call.fixed(1, 2, 3)` is a function without arguments that leaves its result in `call.result`: half the time a call.
    Other threads may run meanwhile, unless `brief` says that it is not worth while.
    """

    def __init__(self, address: int, *, brief: bool = False):
        self.result = ctypes.c_int64()
        self._run = (ctypes.PYFUNCTYPE if brief else ctypes.CFUNCTYPE)(None)(address)
        self._start = ctypes.c_void_p(ctypes.addressof(self.result)), ctypes.c_void_p(None)

    def fixed(self, *arguments: int) -> Callable[[], None]:
        return functools.partial(self._run, *self._start, *map(ctypes.c_int64, arguments))

    def __call__(self, *arguments: int) -> int:
        self._run(*self._start, *map(ctypes.c_int64, arguments))
        return self.result.value


@functools.cache
def _platform() -> str:
    """A hash of what machine code depends on, beside its source."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    parts = [binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()]
    for package in ("numba", "llvmlite"):
        spec = importlib.util.find_spec(package)
        origin = Path(spec.origin if spec is not None and spec.origin else ".")
        parts.append((origin.parent / "_version.py").read_text() if origin.name == "__init__.py" else "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


@functools.cache
def _engine() -> Any:
    from llvmlite import binding

    for name, address in blas_symbols().items():
        binding.add_symbol(name, address)
    if not binding.address_of_symbol("NRT_MemInfo_call_dtor"):  # frees arrays that a kernel allocates; none does
        binding.add_symbol("NRT_MemInfo_call_dtor", ctypes.cast(ctypes.CDLL(None).abort, ctypes.c_void_p).value)
    machine = binding.Target.from_default_triple().create_target_machine(jit=True)
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine)


def _loaded(symbol: str, *needed: str, code: bytes) -> int:
    from llvmlite import binding

    digest, code = code[:32], code[32:]
    if hashlib.sha256(code).digest() != digest:
        raise ValueError("a damaged file")
    if symbol in _symbols:  # its first definition would be taken
        raise ValueError(f"{symbol} was loaded from another file")
    engine = _engine()
    if not all(binding.address_of_symbol(name) for name in needed):  # LLVM would end the process
        raise ValueError(f"{symbol} needs what only Numba has")
    object_file = binding.ObjectFileRef.from_data(code)
    _kept.append(object_file)
    engine.add_object_file(object_file)
    engine.finalize_object()
    _symbols.add(symbol)
    address: int = engine.get_function_address(symbol)
    if not address:
        raise ValueError(f"{symbol} is not in its object file")
    return address


def from_assembly(text: str, *symbols: str) -> list[int]:
    """The addresses of functions written in LLVM's assembly language, small enough not to be kept on disk."""
    from llvmlite import binding

    _platform()  # prepares LLVM for this processor
    engine = _engine()
    engine.add_module(binding.parse_assembly(text))
    engine.finalize_object()
    return [engine.get_function_address(symbol) for symbol in symbols]


def _compiled(function: Callable[..., int], arguments: int, path: Path, *, takes_long: bool = False) -> int:
    import numba

    _announce(takes_long=takes_long)
    start = time.perf_counter()
    dispatcher = bare(function)
    dispatcher.compile((numba.int64,) * arguments)
    _took(time.perf_counter() - start)
    (result,) = dispatcher.overloads.values()
    symbol, library = result.fndesc.llvm_func_name, result.library
    _kept.append(dispatcher)
    needed = [f.name for f in library._final_module.functions if f.is_declaration and not f.name.startswith("llvm.")]
    _keep(path, " ".join([symbol, *needed]), library._get_compiled_object())
    address: int = library.get_pointer_to_function(symbol)
    return address


def _keep(path: Path, header: str, code: bytes) -> None:
    """Write a file that is whole or not there; where that cannot be done it is compiled again next time."""
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(header.encode() + b"\n" + hashlib.sha256(code).digest() + code)
        temporary.replace(path)
    except OSError:
        return
