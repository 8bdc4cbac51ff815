"""Threads and CPUs before anything is loaded, and the header that says on what machine the figures were taken."""

from __future__ import annotations

import functools
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "AUTOGRAD_AE_THREADS",
)
FORCED_KERNELS = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
)  # set on some machines for older builds; they slow a current NumPy
ONE_XLA_THREAD = "--xla_cpu_multi_thread_eigen=false"
PACKAGES = ("autograd_ae", "numpy", "numba", "torch", "jax", "autograd", "mygrad", "micrograd", "scikit-learn")


def prepare(threads: int) -> list[int] | None:
    """Limit this process, and so those it starts, to `threads` CPUs and threads. First called before NumPy is imported.

    Returns
    -------
    The CPUs it is pinned to, the last ones it may use, since the first serves most interrupts; None where the system
    cannot pin.
    """
    allowed = allowed_cpus()
    available = len(allowed) if allowed is not None else os.cpu_count() or 1
    if not 1 <= threads <= available:
        raise ValueError(f"--threads {threads}: this process may use {available} CPU(s); choose 1 to {available}")
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    for variable in FORCED_KERNELS:
        os.environ.pop(variable, None)
    flags = os.environ.get("XLA_FLAGS", "").replace(ONE_XLA_THREAD, "")
    os.environ["XLA_FLAGS"] = f"{flags} {ONE_XLA_THREAD if threads == 1 else ''}".strip()
    if allowed is None:
        return None
    chosen = list(allowed[-threads:])
    os.sched_setaffinity(0, chosen)
    return chosen


@functools.cache
def allowed_cpus() -> tuple[int, ...] | None:
    """The CPUs that this process might use when it started."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else None


def describe(threads: int, cpus: list[int] | None) -> dict[str, Any]:
    """Machine, threads, BLAS and versions, for the header and for JSON."""
    return {
        "cpu": cpu_name(),
        "cpus": os.cpu_count(),
        "threads": threads,
        "pinned_to": cpus,
        "load_before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "blas": blas_kernels(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version for name in PACKAGES if (version := version_of(name)) is not None},
    }


def header(facts: dict[str, Any]) -> str:
    """The facts as lines of text."""
    pinned = f"pinned to CPU {', '.join(map(str, facts['pinned_to']))}" if facts["pinned_to"] else "not pinned"
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    lines = [
        f"CPU       {facts['cpu']} ({facts['cpus']} logical)",
        f"threads   {facts['threads']}, {pinned}",
        f"BLAS      {'; '.join(facts['blas']) or 'unknown: pip install threadpoolctl'}",
        f"versions  Python {facts['python']}, {versions}",
    ]
    if facts["load_before"] is not None and facts["load_before"] > 0.5:
        lines.append(
            f"load      {facts['load_before']:.1f} before the start: not a quiet machine, only the ratios count"
        )
    return "\n".join(lines)


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def blas_kernels() -> list[str]:
    """NumPy's BLAS with its kernel and threads, as threadpoolctl names it; empty where that is not installed."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return []
    import numpy  # noqa: F401  it loads the BLAS

    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return [
        f"{p['internal_api']} {p['version']}, {p.get('architecture') or 'unknown'} kernel, {p['num_threads']} thread(s)"
        for p in pools
    ]


def version_of(package: str) -> str | None:
    """The installed version, or None."""
    if package == "autograd_ae":
        import autograd_ae

        return autograd_ae.__version__
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
