"""Threads that play one score: the bits of one thread, whoever plays, and nobody waits for a sleeper."""

import ctypes
import threading
import time

import numpy as np
import pytest

from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.core.object_code import callable_at, code_of
from autograd_ae.runtime.stack_plan import Layer, Stack
from autograd_ae.runtime.team import BOARD, Pace, Team, perform, usable_threads

needs_kernels = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")


@pytest.fixture(scope="module")
def duet():
    """A stack for two threads, its output, and what runs a score."""
    rng = np.random.default_rng(0)
    layers = [
        Layer(rng.normal(size=(n, m)), rng.normal(size=m), f, np.zeros((n, m)), np.zeros(m))
        for n, m, f in ((70, 90, "sigmoid"), (90, 50, "tanh"))
    ]
    x, y = rng.normal(size=(40, 70)), np.zeros((40, 50))
    stack, result = Stack(layers, x, y, np.zeros_like(y), threads=2), ctypes.c_int64()
    code = callable_at(code_of(perform), 1)
    return stack.forward, y, lambda: code(ctypes.addressof(result), None, stack.forward.ctypes.data)


@needs_kernels
def test_two_threads_give_the_bits_of_one_that_plays_both_parts(duet):
    score, y, run = duet
    run()
    alone = y.copy()
    team = Team(2)
    for pause in (0, 0, 0.05, 0, 0.05):  # helpers fall asleep in a pause
        y[:] = np.nan
        with team.together(score):
            assert score[BOARD] != 0
            for _ in range(3):
                run()
        np.testing.assert_array_equal(y, alone)
        time.sleep(pause)


@needs_kernels
def test_who_finds_the_helpers_taken_plays_alone(duet):
    score, y, run = duet
    other, team = score.copy(), Team(2)
    with team.together(other):
        with team.together(score):
            assert score[BOARD] == 0
            run()
        assert np.isfinite(y).all()
    assert score[BOARD] == other[BOARD] == 0  # and outside
    with team.together(score):
        assert score[BOARD] != 0


@needs_kernels
def test_a_helper_that_has_slept_is_awake_for_the_next_score(duet):
    score, y, run = duet
    team = Team(2)
    with team.together(score):
        run()
    (helper,) = team.helpers
    time.sleep(0.1)
    assert helper.is_alive()
    assert helper in threading.enumerate()
    y[:] = np.nan
    with team.together(score):
        run()
    assert np.isfinite(y).all()


@pytest.mark.parametrize("given", ["0", "-1", "two", ""])
def test_a_number_of_threads_that_is_none_is_refused(monkeypatch, given):
    monkeypatch.setenv("AUTOGRAD_AE_THREADS", given)
    with pytest.raises(ValueError, match="whole number from 1"):
        usable_threads()


def test_no_more_threads_than_processors():
    assert usable_threads(1) == 1
    assert 1 <= usable_threads(10_000) <= 9_999


@pytest.mark.parametrize(("together", "alone"), [(1.0, 2.0), (2.0, 1.0)])
def test_the_faster_way_is_taken_and_the_other_tried_now_and_then(together, alone):
    pace, ways = Pace(), []
    for step in range(1_000):
        ways.append(pace.together())
        cold = 100.0 if step < 2 else 1.0
        pace.took(ways[-1], cold * (together if ways[-1] else alone))
    assert ways[:4] == [True, False, True, False]
    slower = sum(way == (together > alone) for way in ways[4:])
    assert slower == (1_000 - 1) // Pace.EVERY[together < alone]


def test_when_a_machine_becomes_busy_or_idle_the_way_changes():
    pace, ways = Pace(), []
    for step in range(2_000):
        ways.append(pace.together())
        busy = 500 <= step < 1_500
        pace.took(ways[-1], (5.0 if busy else 1.0) if ways[-1] else 2.0)
    assert np.mean(ways[100:500]) > 0.9
    assert np.mean(ways[550:1_500]) < 0.1
    assert np.mean(ways[1_700:]) > 0.9
