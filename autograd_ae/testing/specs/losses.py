"""To be filled."""

from autograd_ae.testing.specs.spec import OpSpec

SPECS: list[OpSpec] = []
