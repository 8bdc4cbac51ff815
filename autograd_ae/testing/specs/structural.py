"""Ops that move numbers between places: reductions, shaping, joining, indexing, products."""

from autograd_ae.testing.specs.spec import OpSpec
from autograd_ae.testing.specs.structural_indexing import SPECS as _INDEXING
from autograd_ae.testing.specs.structural_products import SPECS as _PRODUCTS
from autograd_ae.testing.specs.structural_reductions import SPECS as _REDUCTIONS
from autograd_ae.testing.specs.structural_shaping import SPECS as _SHAPING

SPECS: list[OpSpec] = [*_REDUCTIONS, *_SHAPING, *_INDEXING, *_PRODUCTS]
