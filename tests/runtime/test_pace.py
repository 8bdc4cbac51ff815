"""Which way steps are done, on machines whose steps take given times: idle, busy, busy for a while, noisy."""

import numpy as np
import pytest

from autograd_ae.runtime.pace import Pace


class Machine:
    """A clock that steps and pauses move on; `ways` says how each step was done."""

    def __init__(self):
        self.now, self.ways = 0.0, []
        self.pace = Pace(lambda: self.now)

    def steps(self, count, together, alone, pause=0.0):
        for _ in range(count):
            way = self.pace.together()
            self.now += together if way else alone
            self.pace.done()
            self.ways.append(way)
            self.now += pause
        return np.mean(self.ways[-count:])  # the share of steps done together


@pytest.mark.parametrize(("together", "alone", "least", "most"), [(1.0, 1.8, 0.98, 1.0), (2.0, 1.0, 0.0, 0.05)])
def test_the_faster_way_is_taken_and_the_other_tried_rarely(together, alone, least, most):
    machine = Machine()
    machine.steps(100, together, alone)
    assert least <= machine.steps(2_000, together, alone) <= most


def test_both_ways_are_tried_at_the_start():
    machine = Machine()
    machine.steps(2 * Pace.TRIAL, 1.0, 2.0)
    assert machine.ways == [False] * Pace.TRIAL + [True] * Pace.TRIAL


@pytest.mark.parametrize("slow", [1.3, 1.7])
def test_a_slower_machine_changes_nothing_while_two_are_faster_than_one_was(slow):
    machine = Machine()
    machine.steps(20, 1.0, 1.8)
    assert machine.steps(100, slow, 1.8 * slow) == 1.0
    assert machine.steps(1_000, 3.0, 5.4) > 0.98  # and slower than one was: a trial tells


def test_single_slow_steps_are_no_evidence():
    machine = Machine()
    machine.steps(20, 1.0, 1.8)
    for _ in range(30):
        assert machine.steps(1, 50.0, 1.8) == 1.0
        assert machine.steps(4, 1.0, 1.8) == 1.0


def test_when_the_machine_becomes_busy_or_idle_the_way_changes():
    machine = Machine()
    machine.steps(100, 1.0, 1.8)
    machine.steps(5, 5.0, 2.0)
    assert machine.steps(1_000, 5.0, 2.0) < 0.05
    machine.steps(Pace.MOST, 1.0, 1.8)
    assert machine.steps(200, 1.0, 1.8) > 0.95


def test_after_a_pause_two_threads_are_tried_at_once():
    machine = Machine()
    machine.steps(1_500, 5.0, 2.0)  # the next trial is far
    assert machine.steps(1, 1.0, 1.8, pause=1.0) == 0.0
    machine.steps(Pace.TRIAL, 1.0, 1.8)
    assert machine.steps(100, 1.0, 1.8) == 1.0


def test_a_disturbed_start_is_mended_within_few_steps():
    machine = Machine()
    machine.steps(2 * Pace.TRIAL, 9.0, 2.0)
    machine.steps(Pace.LEAST, 1.0, 1.8)
    assert machine.steps(100, 1.0, 1.8) == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_noise_of_a_shared_machine_costs_little(seed):
    rng, machine = np.random.default_rng(seed), Machine()
    for _ in range(1_000):
        noise = rng.lognormal(0.0, 0.15) + (rng.random() < 0.03) * rng.exponential(2.0)
        machine.steps(1, 1.0 * noise, 1.7 * noise)
    assert np.mean(machine.ways) > 0.9


def test_a_step_that_raised_is_not_counted():
    machine = Machine()
    machine.pace.together()
    machine.now += 100.0  # and no done()
    assert machine.steps(2 * Pace.TRIAL, 1.0, 2.0) == 0.5
    assert machine.steps(100, 1.0, 2.0) == 1.0
