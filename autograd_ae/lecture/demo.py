"""The experiments in the chapter's order, a table on stdout, figures and results.json in a run folder."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

import autograd_ae as ae
from autograd_ae.lecture import pca_as_network, rank_one, vanilla
from autograd_ae.lecture.section import Section

SECTIONS = ("rank-one", "pca", "autoencoder")


@dataclass
class Report:
    """All sections of a run and where they were written."""

    sections: list[Section]
    settings: dict[str, Any]
    folder: Path
    seconds: float

    def table(self) -> str:
        """The run as text."""
        head = f"autograd_ae {ae.__version__}, {self.settings['data']}, seed {self.settings['seed']}"
        foot = f"{self.seconds:.0f} s in all; figures and results.json in {self.folder}"
        return "\n\n".join([head, *(section.text() for section in self.sections), foot])

    def to_dict(self) -> dict[str, Any]:
        """Settings, environment and every number, ready for JSON."""
        numbers = {s.key: {"seconds": s.seconds, **s.numbers} for s in self.sections}
        return {"settings": self.settings, "environment": environment(), "seconds": self.seconds, "results": numbers}


def environment() -> dict[str, str]:
    """Versions and machine, so that figures can be compared."""
    import numba

    return {
        "autograd_ae": ae.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }


def run(
    *,
    out: Path | None = None,
    data: Path | None = None,
    only: tuple[str, ...] = (),
    quick: bool = False,
    seed: int = 0,
    quiet: bool = False,
) -> Report:
    """Run the sections and write the run folder.

    Parameters
    ----------
    out : the folder; by default runs/<date and time>.
    data : folder with MNIST's IDX files, instead of the embedded digits.
    only : some of "rank-one", "pca", "autoencoder"; all by default.
    quick : fewer epochs.    quiet : nothing on stderr.
    """
    unknown = set(only) - set(SECTIONS)
    if unknown:
        raise ValueError(f"unknown section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    started = time.perf_counter()
    digits = ae.data.load_mnist(data) if data else ae.data.load_digits()
    folder = out or Path("runs") / datetime.now().strftime("%Y-%m-%d-%H%M%S")
    folder.mkdir(parents=True, exist_ok=True)
    todo: dict[str, Callable[[], Section]] = {
        "rank-one": lambda: rank_one.run(seed=seed),
        "pca": lambda: pca_as_network.run(digits, seed=seed, verbose=not quiet),
        "autoencoder": lambda: vanilla.run(digits, seed=seed, quick=quick, verbose=not quiet),
    }
    sections = []
    for name in only or SECTIONS:
        if not quiet:
            print(f"{name} …", file=sys.stderr)
        begun = time.perf_counter()
        section = todo[name]()
        section.seconds = time.perf_counter() - begun
        sections.append(section)
        for figure_name, figure in section.figures.items():
            ae.plot.save(figure, folder / f"{figure_name}.png")
    source = f"MNIST in {data}" if data else "embedded digits (8,000 to train, 2,000 to test)"
    report = Report(sections, {"data": source, "seed": seed, "quick": quick}, folder, time.perf_counter() - started)
    (folder / "results.json").write_text(json.dumps(report.to_dict(), indent=2) + "\n")
    return report
