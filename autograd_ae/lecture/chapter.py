"""The chapter in order: the name of each section, as `--only` takes it, and the experiment that runs it.

An experiment is `run(digits, *, seed, quick, verbose) -> Section`. Its module is imported when its turn comes.
"""

from __future__ import annotations

import traceback
from importlib import import_module
from time import perf_counter, process_time

from autograd_ae.data import Dataset
from autograd_ae.lecture.section import Section

MODULES = {
    "rank-one": "rank_one",
    "pca": "pca_as_network",
    "circle": "circle",
    "autoencoder": "vanilla",
    "compression": "compression",
    "sparse": "sparse",
    "denoising": "denoising",
    "resolution": "resolution",
    "generation": "generation",
    "vae": "variational",
    "traversal": "traversal",
    "theorems": "theorem_table",
}
SECTIONS = tuple(MODULES)


def examine(name: str, digits: Dataset, *, seed: int, quick: bool, verbose: bool) -> Section:
    """Run the section `name` and time it; one that raises comes back with its traceback, so that others still run."""
    started, cpu = perf_counter(), process_time()
    module = import_module(f"autograd_ae.lecture.{MODULES[name]}")
    try:
        section: Section = module.run(digits, seed=seed, quick=quick, verbose=verbose)
    except Exception as error:
        section = Section(name, (module.__doc__ or name).partition("\n")[0], "This experiment did not come to its end.")
        section.error = "".join(traceback.format_exception(error))
    section.seconds, section.cpu_seconds = perf_counter() - started, process_time() - cpu
    return section
