"""One table of every op: how to call it, on which shapes, on which values. It drives all tests of ops.

A spec's `case(pick)` chooses shapes and parameters through `pick(low, high)`, an integer from that range inclusive:
Hypothesis supplies one that shrinks, a plain generator supplies another. `values` draws each input away from kinks
and poles.
"""

from autograd_ae.testing.specs.dense import SPECS as _DENSE
from autograd_ae.testing.specs.elementwise import SPECS as _ELEMENTWISE
from autograd_ae.testing.specs.losses import SPECS as _LOSSES
from autograd_ae.testing.specs.spec import OpSpec
from autograd_ae.testing.specs.structural import SPECS as _STRUCTURAL

SPECS: dict[str, OpSpec] = {spec.name: spec for spec in (*_ELEMENTWISE, *_STRUCTURAL, *_DENSE, *_LOSSES)}

__all__ = ["SPECS", "OpSpec"]
