"""Where a report was made: versions and machine, so that its figures can be compared."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import numpy as np

import autograd_ae as ae


def environment() -> dict[str, str]:
    """Versions of what computes, and the machine; nothing that names a person or a folder."""
    import matplotlib
    import numba

    return {
        "autograd_ae": ae.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "matplotlib": matplotlib.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": str(os.cpu_count() or "unknown"),
    }


def processor(cpuinfo: str = "/proc/cpuinfo") -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path(cpuinfo).read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or "unknown"
