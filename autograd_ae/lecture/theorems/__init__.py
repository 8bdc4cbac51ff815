"""Every closed form of `theory`, held against models that this package trained.

    from autograd_ae.lecture import theorems
    for finding in theorems.check([1, 11]):        # all of them by default
        print(finding)

One file per group of rows, one function per row: its docstring is the statement and the source, what it returns are
`Measure`s, errors with the tolerance that each has to keep. `table.py` lists them in order, with the numbers of
`theory`; I to VI are the identities of gradients, which hold at every point of a training run. On the command line:
`autograd-ae theorems`.

Training is exact, so that what is left is the theorem's own error: L-BFGS to rounding, noise as designs with exact
moments (`training.py`). Only rows 12 and 13, and the check in 7 and 8 that a model draws the noise of its theorem,
are Monte Carlo, with the model's own draws and a bound of four standard errors.

Reading order: measure, training, linear, regularised, denoising, variational, sampler, sparse, dynamics, examples,
identities, table.
"""

from autograd_ae.lecture.theorems.measure import Finding, Measure, Theorem
from autograd_ae.lecture.theorems.table import THEOREMS, check, text

__all__ = ["THEOREMS", "Finding", "Measure", "Theorem", "check", "text"]
