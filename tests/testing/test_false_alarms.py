"""A right gradient is never called wrong: every op at hard points, random programs with fan-out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.testing import gradcheck
from autograd_ae.testing import strategies as aes
from autograd_ae.testing.faults import function_of
from autograd_ae.testing.specs import SPECS

NAMES = [name for name, spec in SPECS.items() if spec.differentiable]
HARD = (1e-6, 1e-3, 1.0, 30.0, 1e3)


def verdict_at_a_hard_point(number):
    """The verdict on a right gradient: op, shapes, scale and dtype drawn by number; None where f is not defined."""
    rng = np.random.default_rng([7, number])
    spec = SPECS[NAMES[number % len(NAMES)]]
    arrays, params = spec.draw(lambda low, high: int(rng.integers(low, high + 1)), rng)
    scale, dtype = HARD[rng.integers(len(HARD))], (np.float64, np.float32)[rng.integers(2)]
    hard = [a if a.dtype == bool else np.asarray(a * scale).astype(dtype) for a in arrays]
    fn, inputs = function_of(spec, hard, params)
    if not inputs or sum(a.size for a in inputs) > 30:
        return None
    with np.errstate(all="ignore"):
        try:
            value = fn(*[ae.tensor(a) for a in inputs])
        except ValueError:  # the op refuses the point (probabilities of 30)
            return None
        if not np.isfinite(value.data).all():
            return None
        return gradcheck(fn, inputs, points=1, seed=number).verdict


def counted(numbers):
    """How often each verdict was given; the numbers of the cases that were called wrong."""
    found = {number: verdict_at_a_hard_point(number) for number in numbers}
    values = list(found.values())
    return {v: values.count(v) for v in ("agrees", "undecided", None)}, [
        n for n, v in found.items() if v == "disagrees"
    ]


def test_a_right_gradient_is_never_called_wrong_at_hard_points():
    counts, alarms = counted(range(1400))
    assert alarms == []
    assert counts["agrees"] >= 700


@pytest.mark.parametrize("x", [-687.0, -700.0, -740.0])
def test_a_complex_step_that_underflows_is_no_evidence(x):
    assert gradcheck(ae.sigmoid, np.array([x]), points=1).verdict != "disagrees"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_right_gradient_is_never_called_wrong_at_a_hundred_thousand_hard_points():
    counts, alarms = counted(range(10_000, 125_000))
    assert alarms == []
    assert sum(counts.values()) - counts[None] >= 100_000


@settings(max_examples=80)
@given(aes.programs(max_ops=4), st.sampled_from([np.float64, np.float32]))
def test_a_right_gradient_of_a_random_program_is_never_called_wrong(program, dtype):
    arrays = tuple(a.astype(dtype) for a in program.arrays)
    result = gradcheck(program, arrays, points=1)
    assert result.verdict != "disagrees", str(result)
