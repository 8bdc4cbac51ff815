"""Schedules against their formulas, their ends, and bad arguments."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograd_ae.optim import SGD, constant, cosine, linear_warmup, step_decay

rates = st.floats(1e-6, 10)
steps = st.integers(0, 300)


@given(rates, steps)
def test_constant_is_constant(base, step):
    assert constant(base)(step) == base


@given(rates, st.integers(1, 200), st.data(), rates)
def test_cosine_follows_its_formula_after_a_linear_warmup(base, total, data, final):
    warmup = data.draw(st.integers(0, total))
    schedule = cosine(base, total, warmup, final)
    for t in range(total + 3):
        if t < warmup:
            expected = base * (t + 1) / warmup
        elif t < total:
            expected = final + (base - final) * math.cos(0.5 * math.pi * (t - warmup) / (total - warmup)) ** 2
        else:
            expected = final
        assert schedule(t) == pytest.approx(expected, rel=1e-13)


def test_cosine_starts_at_base_passes_the_middle_and_ends_at_final_exactly():
    schedule = cosine(0.8, total_steps=100, warmup=20, final=0.2)
    assert schedule(19) == schedule(20) == 0.8
    assert schedule(60) == pytest.approx(0.5, rel=1e-15)
    assert schedule(100) == schedule(10**6) == 0.2


@given(rates, st.integers(1, 50), st.floats(0.1, 1), steps)
def test_step_decay_multiplies_by_the_factor_once_per_period(base, every, factor, step):
    schedule = step_decay(base, every, factor)
    assert schedule(step) == base * factor ** math.floor(step / every)
    assert schedule(step + every) == pytest.approx(factor * schedule(step), rel=1e-13)


@given(rates, st.integers(1, 50))
@example(1.6737927581329255, 3)  # where rate · 3 / 3 is not the rate
def test_linear_warmup_rises_by_equal_steps_and_hands_over(base, warmup):
    after = step_decay(base, 1000, 0.5)
    for schedule in (linear_warmup(base, warmup), linear_warmup(after, warmup)):
        rise = [schedule(t) for t in range(warmup)]
        np.testing.assert_allclose(np.diff([0.0, *rise]), base / warmup, rtol=1e-11)
        assert schedule(warmup - 1) == schedule(warmup) == base


def test_no_warmup_is_the_schedule_itself():
    assert linear_warmup(0.3, 0)(0) == 0.3
    assert cosine(0.3, 10, warmup=0)(0) == 0.3


@pytest.mark.parametrize("schedule", [constant(1.0), cosine(1.0, 9), step_decay(1.0, 2, 0.5), linear_warmup(1.0, 4)])
def test_a_schedule_drives_the_optimizer_step_by_step(schedule):
    w = np.zeros(1)
    opt = SGD([w], learning_rate=schedule)
    for t in range(12):
        before = w.copy()
        assert opt.learning_rate == schedule(t)
        opt.step([np.ones(1)])
        assert w[0] == before[0] - schedule(t)


def test_schedules_print_compare_and_pickle():
    schedule = linear_warmup(cosine(0.1, 50, final=0.01), 5)
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert "cosine(base=0.1, total_steps=50, warmup=0, final=0.01)" in repr(schedule)


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: constant(-1.0), ValueError, "base is -1.0; it must be finite and not negative"),
        (lambda: constant(math.nan), ValueError, "base is nan"),
        (lambda: constant("0.1"), TypeError, "base is '0.1' of type str"),
        (lambda: constant(True), TypeError, "of type bool"),
        (lambda: cosine(0.1, 0), ValueError, "total_steps is 0; it must be at least 1"),
        (lambda: cosine(0.1, 10.0), TypeError, "total_steps is 10.0 of type float; a whole number"),
        (lambda: cosine(0.1, 10, warmup=11), ValueError, "warmup is 11; it must be at most total_steps, 10"),
        (lambda: cosine(0.1, 10, final=math.inf), ValueError, "final is inf"),
        (lambda: step_decay(0.1, 0, 0.5), ValueError, "every is 0"),
        (lambda: step_decay(0.1, 5, 1.5), ValueError, "factor is 1.5; it must be above 0 and at most 1"),
        (lambda: step_decay(0.1, 5, 0.0), ValueError, "factor is 0.0"),
        (lambda: linear_warmup(0.1, -1), ValueError, "warmup is -1"),
        (lambda: linear_warmup(-0.1, 1), ValueError, "after is -0.1"),
    ],
)
def test_bad_schedules_are_refused_when_they_are_built(build, error, words):
    with pytest.raises(error, match=words):
        build()


def test_a_schedule_that_goes_wrong_is_named_with_its_step():
    def falling(step):
        return 0.2 - 0.1 * step

    w = np.zeros(1)
    opt = SGD([w], learning_rate=falling)
    for _ in range(3):
        opt.step([np.ones(1)])
    before = w.copy()
    with pytest.raises(ValueError, match=r"falling.* gives for step 3 is -0\.1"):
        opt.step([np.ones(1)])
    assert w[0] == before[0]
    assert opt.steps == 3
