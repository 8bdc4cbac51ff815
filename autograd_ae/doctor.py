"""`autograd-ae doctor`: is this machine fit to run the package? Each check says what it found and, if not, the remedy.

    Python, packages    recent enough, and importable
    processor, BLAS     which, with how many threads; and that a product of integer matrices comes out exactly
    kernel cache        its folder can be written
    kernels             every line, forward and backward, of every op's program: machine code against its NumPy form
    embedded digits     SHA-256 of all pixels and labels
    figures             one is drawn

A sum of products of integers has no rounding as long as every partial sum is below 2²⁴ in float32 (2⁵³ in float64), in
whatever order a BLAS adds them up, so equality is the test. Kernels may differ from NumPy in the last bits (another
exponential function), so there it is 1e-12 of the largest entry in float64, 1e-5 in float32.

A check that raises is a finding, not a crash: what this is for is machines on which things are broken. So nothing but
the standard library is imported before the check that needs it.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd_ae.core.program import Program

# As pyproject.toml asks.
PYTHON = "3.11"
PACKAGES = {"numpy": "2.0", "numba": "0.61", "matplotlib": "3.9", "tqdm": "4.66", "latex2mathml": "3.77"}
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}


@dataclass(frozen=True)
class Finding:
    """What one check found; `remedy` is what to do if it is not ok."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def examine(progress: Callable[[str], None] = lambda name: None) -> list[Finding]:
    """Run all checks, in order; `progress` is told the name of each before it begins."""
    findings = []
    for name, check in CHECKS.items():
        progress(name)
        findings += _results(name, check)
    return findings


def _results(name: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """A check's findings; its exception, if it raises one."""
    found = []
    try:
        for finding in check():
            found.append(finding)
    except Exception as error:
        remedy = "see the checks above; if they are ok, install autograd_ae again, or report this as a bug"
        found.append(Finding(name, False, f"{type(error).__name__}: {error}", remedy))
    return found


def table(findings: list[Finding]) -> str:
    """The findings as text."""
    width = max(len(f.name) for f in findings)
    lines = []
    for f in findings:
        lines.append(f"{'ok   ' if f.ok else 'WRONG'}  {f.name:{width}}  {f.found}")
        lines += [] if f.ok else [f"{'':{width + 9}}→ {f.remedy}"]
    wrong = sum(not f.ok for f in findings)
    return "\n".join([*lines, f"{wrong} of {len(findings)} checks failed" if wrong else "all is well"])


def to_dict(findings: list[Finding]) -> dict[str, Any]:
    """The findings, ready for JSON; remedies where they are needed."""
    return {
        "ok": all(f.ok for f in findings),
        "checks": [asdict(f if not f.ok else replace(f, remedy="")) for f in findings],
    }


def python() -> Iterator[Finding]:
    found = f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"
    yield Finding("Python", _at_least(platform.python_version(), PYTHON), found, f"install Python {PYTHON} or newer")


def packages() -> Iterator[Finding]:
    from importlib import import_module

    for name, floor in PACKAGES.items():
        remedy = f'python -m pip install "{name}>={floor}"'
        try:
            version = import_module(name).__version__
        except Exception as error:  # a broken binary raises anything
            yield Finding(name, False, f"cannot be imported: {error}".splitlines()[0], remedy)
        else:
            yield Finding(name, _at_least(version, floor), f"{version} (needs {floor})", remedy)


def processor() -> Iterator[Finding]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("processor", True, f"{_processor_name()}, {usable} usable, {platform.system()}")


def blas() -> Iterator[Finding]:
    import numpy as np

    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    wrong = [dtype for dtype in TOLERANCE if not _multiplies_exactly(np.dtype(dtype))]
    found = f"{built['name']} {built['version']}, {_threads()}"
    if wrong:
        found += f"; a product of integer matrices is wrong in {' and '.join(wrong)}"
    yield Finding("BLAS", not wrong, found, "install numpy again; on a new processor try OPENBLAS_CORETYPE=Haswell")


def kernel_cache() -> Iterator[Finding]:
    from tempfile import TemporaryFile

    from autograd_ae.core.jit import cache_dir

    folder = cache_dir()
    remedy = "set AUTOGRAD_AE_CACHE_DIR to a folder that can be written; until then every process compiles anew"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            yield Finding("kernel cache", True, str(folder))
    except OSError as error:
        yield Finding("kernel cache", False, f"{folder} cannot be written ({error.strerror or error})", remedy)


def kernels() -> Iterator[Finding]:
    from autograd_ae.core.jit import JIT_ENABLED, Kernel
    from autograd_ae.testing.specs import SPECS

    wrong = {f"{name} ({d}): {e}": None for name in SPECS for d in TOLERANCE for e in _disagreements(name, d)}
    modules = [m for name, m in list(sys.modules.items()) if name.startswith("autograd_ae.")]
    compiled = {id(v) for m in modules for v in vars(m).values() if isinstance(v, Kernel) and v._compiled is not None}
    how = f"{len(compiled)} compiled" if JIT_ENABLED else "off (NUMBA_DISABLE_JIT), NumPy in their place"
    found = f"{how}; {len(SPECS)} ops, " + (
        f"of which wrong: {'; '.join(wrong)}" if wrong else "all as their reference"
    )
    remedy = "remove the kernel cache folder; if that does not help, set NUMBA_DISABLE_JIT=1 and report this as a bug"
    yield Finding("kernels", not wrong, found, remedy)


def embedded_digits() -> Iterator[Finding]:
    from autograd_ae.data import digits

    pixels, _ = digits.read(digits.FILE)  # raises if its checksum is wrong
    yield Finding("embedded digits", True, f"{len(pixels):,} images, SHA-256 verified")


def figures() -> Iterator[Finding]:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from autograd_ae import plot

    figure = plot.line_data([[2, 1], [-2, -1]], {"w": [1, -1]})
    with TemporaryDirectory() as folder:
        size = plot.save(figure, Path(folder) / "figure.png").stat().st_size
    yield Finding(
        "figures", size > 0, f"one drawn, {size:,} bytes", "python -m pip install --force-reinstall matplotlib"
    )


CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "Python": python,
    "packages": packages,
    "processor": processor,
    "BLAS": blas,
    "kernel cache": kernel_cache,
    "kernels": kernels,
    "embedded digits": embedded_digits,
    "figures": figures,
}


def _at_least(version: str, floor: str) -> bool:
    """
    >>> [_at_least(v, "3.9") for v in ("3.10.0", "3.9", "3.8.5", "4.0rc1", "3.9.0.dev3")]
    [True, True, False, True, True]
    """
    have, need = ([int(n) for n in re.findall(r"\d+", v)] for v in (version, floor))
    return have >= need


def _processor_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _threads() -> str:
    """What threadpoolctl (in the extra `bench`) says of the loaded library, or else what the environment asks for."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        asked = [f"{name}={os.environ[name]}" for name in THREADS if name in os.environ]
        return ", ".join(asked) or "threads not limited by the environment"
    loaded = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return (
        "; ".join(f"{p['num_threads']} threads, {p.get('architecture', 'any')} kernels" for p in loaded)
        or "threads unknown"
    )


def _multiplies_exactly(dtype: Any, n: int = 200) -> bool:
    import numpy as np

    rng = np.random.default_rng(0)
    A, B = rng.integers(-100, 101, (2, n, n))
    return np.array_equal(A.astype(dtype) @ B.astype(dtype), (A @ B).astype(dtype))  # |sums| ≤ 200 · 100² < 2²⁴


def _disagreements(name: str, dtype: str) -> Iterator[str]:
    """Lines of the op's program, at random data, where the compiled form is not its NumPy form."""
    import numpy as np

    from autograd_ae.core.program import accumulate

    program = _program(name, dtype)
    values = list(program.arrays)
    if program.seed:
        seed = program.values[program.seed]
        values[program.seed] = np.random.default_rng(1).normal(size=seed.shape).astype(seed.dtype)
    for line in (*program.forward, *program.backward):
        place = program.values[line.out]
        y = np.full(place.shape, np.nan).astype(place.dtype)  # a line must write all of it, unless it adds
        y = np.array(values[line.out]) if line.run is accumulate else y
        z = y.copy()
        with np.errstate(all="ignore"):
            line.run(y, *[values[a] for a in line.args], **line.params)
            line.analytic(z, *[values[a] for a in line.args], **line.params)
        error, scale = np.abs(y - 1.0 * z).max(initial=0.0), np.abs(z).max(initial=0)
        if not error <= TOLERANCE[dtype] * scale:
            yield f"{program.text(line)} is off by {error:.1e}"
        values[line.out] = y


def _program(name: str, dtype: str) -> Program:
    """The op's forward and backward lines on its largest test case, so on arrays that are not empty."""
    import numpy as np

    from autograd_ae.core.program import Program
    from autograd_ae.core.tensor import Tensor
    from autograd_ae.ops import api  # noqa: F401  gives tensors their operators
    from autograd_ae.testing.specs import SPECS

    arrays, params = SPECS[name].draw(lambda low, high: high, np.random.default_rng(0))
    leaves = [
        Tensor(a, traced=False) if a.dtype == bool else Tensor(np.asarray(a, dtype=dtype, order="C")) for a in arrays
    ]
    return Program([SPECS[name].call(*leaves, **params)])
