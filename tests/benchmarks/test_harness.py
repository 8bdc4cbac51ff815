"""Visits in turn and the worker, on synthetic contenders: what is timed, reported, refused.

Nothing here asserts how long anything takes.
"""

import io

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import (
    harness,
    worker,
)
from benchmarks.workload import Contender, Options, Workload


class Fake:
    """Takes a second a step, and writes down when it was visited."""

    def __init__(self, name, log):
        self.name, self.log = name, log

    def visit(self, seconds):
        self.log.append((self.name, seconds))
        return 1.0


def test_contenders_are_visited_in_turn():
    log: list[tuple[str, float]] = []
    times = harness.visit_in_turn({name: Fake(name, log) for name in "ABC"}, 3, 0.15)
    assert "".join(name for name, _ in log) == "ABCABCABC"
    assert {seconds for _, seconds in log} == {0.15}
    assert times == {name: [1.0] * 3 for name in "ABC"}


def serve(build, *requests, needs=(), **settings):
    """The worker's answers to requests, without a process."""
    contender = Contender("one", build, needs=needs)
    workload = Workload("X", "", lambda options: None, [contender], **settings)
    answers: list[dict] = []
    worker.serve(workload, contender, Options(), io.StringIO("".join(requests)), answers.append)
    return answers


def test_a_worker_runs_the_steps_it_is_asked_for_and_reports_the_first_and_the_last():
    calls: list[int] = []

    def build(problem):
        def step():
            calls.append(len(calls))
            return (np.float32(calls[-1]),)

        return step

    checked, visited = serve(build, "check 20\n", "visit 5\n")
    assert checked["results"] == [[[0.0]], [[20.0]]]
    assert min(checked["import_s"], checked["first_step_s"], checked["step_s"], visited["seconds"]) >= 0
    assert len(calls) == 21 + 1 + 5  # one step of a visit warms the caches
    serve(build, "check 1\n", "visit 1\n")
    assert len(calls) == 27 + 2 + 1


@pytest.mark.parametrize("busy_s", [0.0, 0.11, 60.0])
def test_an_answer_waits_for_threads_that_still_spin_but_not_for_ever(busy_s):
    now = [0.0]
    worker.come_to_rest(
        cpu_time=lambda: min(now[0], busy_s),
        clock=lambda: now[0],
        sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
    )
    assert min(busy_s, 2.0) <= now[0] <= min(busy_s, 2.0) + 0.05


def test_a_reported_figure_takes_the_place_of_the_time_and_is_no_result():
    figures = iter([5.0, 1.0, 3.0, 2.0])
    checked, visited = serve(lambda problem: lambda: (7.0, next(figures)), "check 0\n", "visit 3\n", reported=True)
    assert checked["results"] == [[[7.0]], [[7.0]]]
    assert visited["seconds"] == 2.0


def test_what_goes_wrong_in_a_contender_becomes_an_answer():
    def fails(problem):
        raise RuntimeError("first line\nno C++ compiler was found")

    assert serve(fails, "check 20\n") == [{"failed": "RuntimeError: no C++ compiler was found"}]
    (answer,) = serve(fails, "check 20\n", needs=("no_such_package",))
    assert answer["skipped"].startswith("no_such_package cannot be imported")
    assert "came before a check" in serve(fails, "visit 3\n")[0]["failed"]


def test_a_contender_with_other_results_is_refused_and_says_by_how_much():
    same = harness.compare([[[1.0]], [[2.0]]], [[[1.0]], [[2.0 + 1e-6]]], 1e-5, "ours")
    other = harness.compare([[[1.0]], [[2.1]]], [[[1.0]], [[2.0]]], 1e-5, "ours")
    assert "refused" not in same
    assert same["disagreement"] == pytest.approx(5e-7, rel=1e-3)
    assert "differ from those of ours by 5.0e-02" in other["refused"]


def test_a_contender_that_fails_while_timed_is_named_and_nothing_is_reported_as_time():
    def measure():
        raise harness.ContenderFailed("b", "out of memory")

    entries = {"a": {"name": "a", "own": True}, "b": {"name": "b", "own": False}}
    harness.entries_of_times(entries, "a", measure)
    assert entries["b"]["failed"] == "out of memory"
    assert not any("times" in entry for entry in entries.values())
    entries["a"]["failed"] = "broken"
    harness.entries_of_times(entries, "a", lambda: pytest.fail("timed without a baseline"))


def test_only_our_own_failures_and_wrong_results_make_the_run_fail():
    own, peer = {"own": True}, {"own": False}
    assert not command.broken({"contenders": [own, {**peer, "skipped": "torch is not installed"}]})
    assert not command.broken({"contenders": [own, {**peer, "failed": "no compiler"}]})
    assert command.broken({"contenders": [{**own, "failed": "ZeroDivisionError"}]})
    assert command.broken({"contenders": [own, {**peer, "refused": "differs"}]})
