"""The experiments in the chapter's order: a table on stdout, and a run folder with report.html, results.json, figures.

The folder is written anew after each section, so whatever stops a run, what is done is reported. Ctrl-C does so at
once: training would take a KeyboardInterrupt as "enough of this model" and go on to the next one, therefore the demo
listens itself and raises `Stopped`, which nothing catches on the way.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import perf_counter, process_time

import autograd_ae as ae
from autograd_ae.data import Dataset
from autograd_ae.lecture.chapter import SECTIONS, examine
from autograd_ae.lecture.report import Report

__all__ = ["SECTIONS", "Stopped", "run"]


class Stopped(BaseException):
    """Ctrl-C during the demo."""


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
    only : some of SECTIONS; all by default. They run in the chapter's order.
    quick : fewer epochs, fewer seeds.    quiet : nothing on stderr.

    A section that raises is reported with its traceback, and the others run. After Ctrl-C the report has
    `interrupted` set and holds the sections that were done.

    Raises
    ------
    ValueError : an unknown section.    DataError, OSError : no data, no place to write.
    """
    if unknown := set(only) - set(SECTIONS):
        raise ValueError(f"unknown section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    digits = ae.data.load_mnist(data) if data else ae.data.load_digits()
    folder = out or Path("runs") / datetime.now().strftime("%Y-%m-%d-%H%M%S")
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(
        folder, [name for name in SECTIONS if not only or name in only], _settings(digits, data, quick, seed)
    )
    started, cpu = perf_counter(), process_time()
    try:
        with _ctrl_c_stops():
            for name in report.planned:
                if not quiet:
                    print(f"{name} …", file=sys.stderr, flush=True)
                report.sections.append(examine(name, digits, seed=seed, quick=quick, verbose=not quiet))
                report.seconds, report.cpu_seconds = perf_counter() - started, process_time() - cpu
                report.write()
    except (Stopped, KeyboardInterrupt):
        report.interrupted = True
        report.seconds, report.cpu_seconds = perf_counter() - started, process_time() - cpu
        report.write()
    return report


def _settings(digits: Dataset, data: Path | None, quick: bool, seed: int) -> dict[str, object]:
    sizes = f"{len(digits.train):,} to train, {len(digits.test):,} to test"
    source = f"MNIST in {data}" if data else "embedded digits"
    return {"data": f"{source} ({sizes})", "notice": digits.notice, "seed": seed, "quick": quick}


@contextmanager
def _ctrl_c_stops() -> Iterator[None]:
    """Within, Ctrl-C raises Stopped. Only a process's main thread may listen for signals; elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
