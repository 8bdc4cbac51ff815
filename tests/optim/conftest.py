"""Functions to minimise, and a run of L-BFGS with its steps."""

import numpy as np
import pytest

from autograd_ae.optim import lbfgs


@pytest.fixture(scope="session")
def rosenbrock():
    """Σ 100 (x_{i+1} − x_i²)² + (1 − x_i)², minimum 0 at (1, …, 1)."""

    def value_and_grad(x):
        a, b = x[1:] - x[:-1] ** 2, 1 - x[:-1]
        gradient = np.zeros_like(x)
        gradient[1:] += 200 * a
        gradient[:-1] -= 400 * a * x[:-1] + 2 * b
        return 100 * a @ a + b @ b, gradient

    return value_and_grad


@pytest.fixture(scope="session")
def quadratic():
    """`quadratic(curvatures, minimum)`: a function with these."""

    def make(curvatures, minimum, floor=0.0):
        def value_and_grad(x):
            pull = curvatures * (x - minimum)
            return 0.5 * (x - minimum) @ pull + floor, pull

        return value_and_grad

    return make


@pytest.fixture(scope="session")
def run():
    """`run(function, x0, **options)`: the result, and the steps that the callback was told of."""

    def call(function, x0, **options):
        steps = []
        result = lbfgs(function, x0, callback=steps.append, **options)
        return result, steps

    return call
