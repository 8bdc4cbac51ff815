"""Every closed form of `theory`, held against a model that this package trained.

    from autograd_ae.lecture import theorems
    for finding in theorems.run(["1", "11"]):        # all of them by default
        print(finding)

One file per group of rows, one small function per row: its docstring is the statement and the source, what it returns
are `Measure`s, errors with the tolerance that each has to keep. `table.py` lists them in order. The rows have the
numbers of `theory`; "I" to "IV" are identities of gradients, which hold at every point of a training run.

Reading order: measure, training, linear, critical, regularised, denoising, variational, sampler, sparse, dynamics,
examples, identities, table.
"""

from autograd_ae.lecture.theorems.measure import Finding, Measure
from autograd_ae.lecture.theorems.table import THEOREMS, run, text

__all__ = ["THEOREMS", "Finding", "Measure", "run", "text"]
