"""Optimisers on plain NumPy arrays, in place.  They know nothing of tensors, models or losses.

First order, one gradient per step:      SGD, Adam, AdamW; schedules constant, cosine, step_decay, linear_warmup
Gradients before the step:               global_norm, clip_by_global_norm, clip_by_value
Second order, the whole data per step:   lbfgs over a flat vector, lbfgs_in_place over a list of arrays

Reading order: schedules, clipping, optimizer, sgd, adam; then inverse_hessian, line_search, lbfgs, packing.
"""

from autograd_ae.optim.adam import Adam, AdamW
from autograd_ae.optim.clipping import clip_by_global_norm, clip_by_value, global_norm
from autograd_ae.optim.lbfgs import lbfgs
from autograd_ae.optim.lbfgs_types import LBFGSResult, LBFGSStep
from autograd_ae.optim.optimizer import Optimizer
from autograd_ae.optim.packing import lbfgs_in_place, pack, unpack
from autograd_ae.optim.schedules import Schedule, constant, cosine, linear_warmup, step_decay
from autograd_ae.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "LBFGSResult",
    "LBFGSStep",
    "Optimizer",
    "Schedule",
    "clip_by_global_norm",
    "clip_by_value",
    "constant",
    "cosine",
    "global_norm",
    "lbfgs",
    "lbfgs_in_place",
    "linear_warmup",
    "pack",
    "step_decay",
    "unpack",
]
