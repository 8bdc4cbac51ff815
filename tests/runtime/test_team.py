"""Threads that play one score: the bits of one, whoever plays; nobody waits for a sleeper or is left spinning."""

import contextlib
import ctypes
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.core.object_code import callable_at, code_of
from autograd_ae.runtime.stack_plan import Layer, Stack
from autograd_ae.runtime.team import Team, perform, usable_threads

needs_kernels = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")


@pytest.fixture(scope="module")
def duet():
    """The seat of a stack for two threads, its output, and what plays its forward score."""
    rng = np.random.default_rng(0)
    layers = [
        Layer(rng.normal(size=(n, m)), rng.normal(size=m), f, np.zeros((n, m)), np.zeros(m))
        for n, m, f in ((70, 90, "sigmoid"), (90, 50, "tanh"))
    ]
    x, y = rng.normal(size=(40, 70)), np.zeros((40, 50))
    stack, result = Stack(layers, x, y, np.zeros_like(y), threads=2), ctypes.c_int64()
    code = callable_at(code_of(perform), 1)
    return stack.seat, y, lambda: code(ctypes.addressof(result), None, stack.forward.ctypes.data)


@needs_kernels
def test_two_threads_give_the_bits_of_one_that_plays_both_parts(duet):
    seat, y, run = duet
    run()
    alone = y.copy()
    team = Team(2)
    for pause in (0, 0, 0.05, 0, 0.05):  # helpers fall asleep in a pause
        y[:] = np.nan
        with team.together(seat):
            assert seat[0] != 0
            for _ in range(3):
                run()
        np.testing.assert_array_equal(y, alone)
        time.sleep(pause)


@needs_kernels
def test_who_finds_the_helpers_taken_plays_alone(duet):
    seat, y, run = duet
    other, team = seat.copy(), Team(2)
    with team.together(other):
        with team.together(seat):
            assert seat[0] == 0
            run()
        assert np.isfinite(y).all()
    assert seat[0] == other[0] == 0  # and outside
    with team.together(seat):
        assert seat[0] != 0


@needs_kernels
def test_a_helper_that_has_slept_is_awake_for_the_next_score(duet):
    seat, y, run = duet
    team = Team(2)
    with team.together(seat):
        run()
    (helper,) = team.helpers
    time.sleep(0.1)
    assert helper.is_alive()
    assert helper in threading.enumerate()
    y[:] = np.nan
    with team.together(seat):
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


@needs_kernels
def test_an_error_inside_leaves_nobody_spinning_and_the_helpers_free(duet):
    seat, _, run = duet
    team = Team(2)
    with contextlib.suppress(ZeroDivisionError), team.together(seat):
        run()
        raise ZeroDivisionError
    assert seat[0] == 0
    time.sleep(0.1)
    assert cpu_used(0.1) < 0.05
    with team.together(seat):
        assert seat[0] != 0
        run()


@needs_kernels
def test_helpers_sleep_between_trainings(duet):
    seat, _, run = duet
    team = Team(2)
    with team.together(seat):
        run()
    time.sleep(0.1)
    assert cpu_used(0.1) < 0.05


def cpu_used(seconds):
    """CPU time of all threads of this process while this one sleeps; the least of three times."""

    def once():
        before = time.process_time()
        time.sleep(seconds)
        return time.process_time() - before

    return min(once() for _ in range(3))


@needs_kernels
def test_a_closed_team_has_no_helpers_and_everybody_plays_alone(duet):
    seat, y, run = duet
    for rest in (0.0, 0.1):  # a helper that spins, one that sleeps
        team = Team(2)
        with team.together(seat):
            run()
        time.sleep(rest)
        team.close()
        assert not any(helper.is_alive() for helper in team.helpers)
        y[:] = np.nan
        with team.together(seat):
            assert seat[0] == 0
            run()
        assert np.isfinite(y).all()


TRAINS = """
import os, sys, threading
import numpy as np
import autograd_ae as ae
from autograd_ae.runtime import fused, team
from autograd_ae.runtime.pace import Pace

fused.usable_threads = lambda wanted: 2
Pace.together = lambda self: True
net = ae.nn.MLP.create((40, 30, 40), ("sigmoid", "identity"), rng=np.random.default_rng(0), dtype=np.float32)
x = np.random.default_rng(1).normal(size=(32, 40)).astype(np.float32)
step = ae.capture(lambda x: ae.squared_error(net(x), x), ae.constant(x))
first = step(x)
assert [t.name for t in threading.enumerate()] == ["MainThread", "autograd_ae-1"]
"""


def run_script(body):
    environment = {**os.environ, "AUTOGRAD_AE_GEMM": "tiles", "AUTOGRAD_AE_QUIET": "1"}
    return subprocess.run(
        [sys.executable, "-c", TRAINS + body], env=environment, capture_output=True, text=True, timeout=300
    )


@needs_kernels
def test_a_process_that_ends_while_helpers_spin_ends_cleanly():
    done = run_script("print('end')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


@needs_kernels
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_starts_helpers_of_its_own():
    done = run_script("""
with team.team(2).together(step.runtime._seat):  # as if another thread forked in the midst of a step
    child = os.fork()
    if child == 0:
        same = all(step(x) == first for _ in range(3))
        names = [t.name for t in threading.enumerate()]
        print(same and names == ["MainThread", "autograd_ae-1"], flush=True)
        sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
print(step(x) == first)
""")
    assert (done.returncode, done.stdout) == (0, "True\nTrue\n"), done.stderr
