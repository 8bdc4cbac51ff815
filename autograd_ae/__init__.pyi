"""What type checkers and editors see of `import autograd_ae as ae`: the names of the lazy table in `__init__.py`.

A misspelt name is an error to them, as it is when the program runs. `ae.explain` is a package that is called like the
function of its name, so it is that function here; what else it holds is imported from `autograd_ae.explain`.
"""

from autograd_ae import core as core
from autograd_ae import data as data
from autograd_ae import lecture as lecture
from autograd_ae import models as models
from autograd_ae import nn as nn
from autograd_ae import ops as ops
from autograd_ae import optim as optim
from autograd_ae import plot as plot
from autograd_ae import runtime as runtime
from autograd_ae import testing as testing
from autograd_ae import theory as theory
from autograd_ae.core.errors import AnomalyError as AnomalyError
from autograd_ae.core.errors import CaptureError as CaptureError
from autograd_ae.core.errors import GraphError as GraphError
from autograd_ae.core.errors import InPlaceError as InPlaceError
from autograd_ae.core.errors import ShapeError as ShapeError
from autograd_ae.core.modes import detect_anomaly as detect_anomaly
from autograd_ae.core.modes import no_grad as no_grad
from autograd_ae.core.tensor import Tensor as Tensor
from autograd_ae.core.tensor import constant as constant
from autograd_ae.core.tensor import detach as detach
from autograd_ae.core.tensor import tensor as tensor
from autograd_ae.core.transforms import backward as backward
from autograd_ae.core.transforms import grad as grad
from autograd_ae.core.transforms import hessian as hessian
from autograd_ae.core.transforms import hvp as hvp
from autograd_ae.core.transforms import jvp as jvp
from autograd_ae.core.transforms import value_and_grad as value_and_grad
from autograd_ae.core.transforms import vjp as vjp
from autograd_ae.explain import explain as explain
from autograd_ae.explain.graph import graph as graph
from autograd_ae.models import *  # noqa: F403  its __all__
from autograd_ae.ops.api import *  # noqa: F403
from autograd_ae.runtime.capture import capture as capture

__version__: str
__all__: list[str]
