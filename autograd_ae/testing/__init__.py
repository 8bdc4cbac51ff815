"""Checks that backpropagation is right: scale-free, three-valued, tested on planted faults.

from autograd_ae.testing import check_gradient
check_gradient(lambda x: (x**2).sum(), lambda x: 2 * x, np.array([1.0, 2.0]))
"""

import autograd_ae.ops.api  # noqa: F401  gives tensors their operators, so that NumPy functions can be traced
from autograd_ae.testing.complex_step import complex_step_gradient
from autograd_ae.testing.diagnose import Diagnosis, diagnose
from autograd_ae.testing.gradcheck import assert_gradient, check_gradient, check_vjp, gradcheck
from autograd_ae.testing.verdict import Check, GradientError, Worst

__all__ = [
    "Check",
    "Diagnosis",
    "GradientError",
    "Worst",
    "assert_gradient",
    "check_gradient",
    "check_vjp",
    "complex_step_gradient",
    "diagnose",
    "gradcheck",
]
