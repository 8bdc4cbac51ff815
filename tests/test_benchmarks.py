"""The harness on synthetic timings, the agreement of the contenders that are installed, and one run from end to end.

Nothing here asserts how long anything takes.
"""

import doctest
import io
import json
import math
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
import benchmarks
from benchmarks import __main__ as command
from benchmarks import (
    accuracy,
    child,
    eager_overhead,
    environment,
    harness,
    networks,
    pca,
    processes,
    summary,
    training_peers,
    training_step,
    worker,
)
from benchmarks.workload import Contender, Options, Workload

POSITIVE = st.floats(1e-6, 1e3)


# Statistics.


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=9), POSITIVE)
def test_a_disturbance_that_slows_a_whole_round_leaves_the_ratios(rounds, factor):
    ours, theirs = zip(*rounds, strict=True)
    quiet = summary.ratios(theirs, ours)
    disturbed = summary.ratios([theirs[0] * factor, *theirs[1:]], [ours[0] * factor, *ours[1:]])
    assert disturbed == pytest.approx(quiet, rel=1e-12)


@given(st.lists(POSITIVE, min_size=1, max_size=9))
def test_the_spread_is_that_of_the_sorted_values(values):
    spread, ordered = summary.spread(values), sorted(values)
    assert (spread.low, spread.high) == (ordered[0], ordered[-1])
    assert spread.median == (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2


def test_the_median_ratio_is_of_rounds_and_not_of_medians():
    times = {"ours": [1.0, 10.0, 100.0], "theirs": [3.0, 20.0, 100.0]}
    statistics = summary.summarise(times, "ours")
    assert statistics["theirs"]["ratio"] == (2.0, 1.0, 3.0)
    assert statistics["ours"]["ratio"] == (1.0, 1.0, 1.0)
    assert statistics["theirs"]["seconds"] == (20.0, 3.0, 100.0)


@pytest.mark.parametrize("values", [[], [0.0], [-1.0], [math.nan], [math.inf]])
def test_a_time_that_is_no_time_is_refused(values):
    with pytest.raises(ValueError, match="finite positive times are needed"):
        summary.spread(values)


def test_ratios_need_the_same_rounds():
    with pytest.raises(ValueError, match="2 and 1 arrived"):
        summary.ratios([1.0, 2.0], [1.0])


def test_disagreement_is_relative_to_each_array_and_infinite_where_arrays_do_not_match():
    reference = [[[1000.0, 0.0], [0.5]], [[1.0, 1.0], [0.25]]]
    assert summary.disagreement(reference, reference) == 0
    assert summary.disagreement([[[1000.0, 1.0], [0.5]], [[1.0, 1.0], [0.25]]], reference) == pytest.approx(1e-3)
    assert summary.disagreement([[[1000.0, 0.0], [0.5]], [[1.0, 1.0], [0.5]]], reference) == pytest.approx(1.0)
    assert summary.disagreement([[[1000.0, math.nan], [0.5]], [[1.0, 1.0], [0.25]]], reference) == math.inf
    assert summary.disagreement([[[1000.0], [0.5]], [[1.0, 1.0], [0.25]]], reference) == math.inf
    assert summary.disagreement(reference[:1], reference) == math.inf


def test_the_examples_of_the_summary_are_true():
    failed, tried = doctest.testmod(summary)
    assert failed == 0
    assert tried > 0


# Visits.


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


# The contenders.


def installed(contenders):
    return [pytest.param(c, id=c.name) for c in contenders if c.checked and not c.missing()]


def results(contender, problem, last):
    _, facts = worker.check(contender, lambda: problem, last)
    return facts["results"]


@pytest.fixture(scope="module")
def tiny():
    """A network of 12-5-2-5-12 on random data."""
    X = np.random.default_rng(1).uniform(size=(40, 12)).astype(np.float32)
    return networks.problem_of(X, (12, 5, 2, 5, 12), 8, batches=4)


@pytest.mark.parametrize("contender", installed([*training_step.CONTENDERS, training_step.MICROGRAD]))
def test_training_steps_agree_at_step_0_and_after_20(contender, tiny):
    reference = results(training_step.CONTENDERS[0], tiny, 20)
    found = results(contender, tiny, 20)
    assert summary.disagreement(found, reference) <= 1e-5
    assert found[1][0][0] < found[0][0][0]  # it learns: step 20 sees the batch of step 0


def test_a_slightly_wrong_optimiser_is_seen(tiny, monkeypatch):
    reference = results(training_step.CONTENDERS[0], tiny, 20)
    monkeypatch.setattr(networks, "RATE", 1.01e-3)
    by_hand = Contender("NumPy by hand", training_peers.numpy_by_hand)
    assert summary.disagreement(results(by_hand, tiny, 20), reference) > 1e-5


def test_contenders_do_not_change_the_problem(tiny):
    before = [array.copy() for array in (*tiny.weights, *tiny.biases, *tiny.batches)]
    for parameter in installed(training_step.CONTENDERS):
        results(parameter.values[0], tiny, 2)
    after = (*tiny.weights, *tiny.biases, *tiny.batches)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_floor_does_the_matrix_products_of_a_step_and_no_more(tiny, monkeypatch):
    shapes = []
    step = training_peers.matrix_products(tiny)
    multiply = np.matmul

    def counted(a, b, out):
        shapes.append((*a.shape, b.shape[1]))
        return multiply(a, b, out=out)

    monkeypatch.setattr(np, "matmul", counted)
    step()
    forward = [(8, 12, 5), (8, 5, 2), (8, 2, 5), (8, 5, 12)]
    weights = [(5, 8, 12), (2, 8, 5), (5, 8, 2), (12, 8, 5)]
    inputs = [(8, 12, 5), (8, 5, 2), (8, 2, 5)]
    assert sorted(shapes) == sorted(forward + weights + inputs)


def test_micrograd_agrees_on_one_element():
    if missing := eager_overhead.MICROGRAD.missing():
        pytest.skip(f"{missing} is not installed")
    start = eager_overhead.start(Options(), shape=(1,))
    reference = results(eager_overhead.CONTENDERS[0], start, 2)
    assert summary.disagreement(results(eager_overhead.MICROGRAD, start, 2), reference) <= 1e-5


@pytest.mark.parametrize("contender", installed(eager_overhead.CONTENDERS))
@pytest.mark.parametrize("shape", [(1,), (3, 4)])
def test_chains_agree_on_the_sum_and_on_the_gradient(contender, shape):
    make = partial(eager_overhead.start, Options(), shape=shape)
    reference = results(eager_overhead.CONTENDERS[0], make(), 2)
    assert summary.disagreement(results(contender, make(), 2), reference) <= 1e-5


def test_the_chain_has_the_length_that_its_figure_is_divided_by():
    class Counter:
        """Counts the operations that are applied to it."""

        def __init__(self, count=0):
            self.count = count

        def apply(self, *_):
            return Counter(self.count + 1)

        __mul__ = __add__ = __neg__ = apply

    assert eager_overhead.chain(Counter(), Counter.apply).count == eager_overhead.LENGTH


@pytest.mark.parametrize("contender", installed(pca.CONTENDERS))
def test_principal_components_agree_to_nine_digits(contender):
    problem = pca.Problem(pca.synthetic(600, side=12), k=5)
    reference = results(pca.CONTENDERS[0], problem, 1)
    assert summary.disagreement(results(contender, problem, 1), reference) <= 1e-9


def test_a_problem_survives_the_file_that_a_child_process_reads(tiny, tmp_path):
    child.save(tiny, tmp_path / "problem.npz")
    again = child.load(tmp_path / "problem.npz")
    for kept, array in zip(
        (*again.weights, *again.biases, *again.batches), (*tiny.weights, *tiny.biases, *tiny.batches), strict=True
    ):
        assert kept.dtype == array.dtype
        np.testing.assert_array_equal(kept, array)


def test_a_child_process_reports_the_loss_of_its_last_step_and_its_own_memory(tiny):
    saved = processes.Saved(tempfile.TemporaryDirectory())
    child.save(tiny, saved.path)
    ballast = np.ones(50_000_000)  # of the parent: 400 MB that are not the child's
    step = processes.started(saved, name="NumPy by hand", steps=3, memory=True)
    loss, peak = step()
    del ballast
    by_hand = training_peers.numpy_by_hand(tiny)
    assert [by_hand() for _ in range(3)][-1][0] == pytest.approx(loss, rel=1e-6)
    assert 10e6 < peak < 300e6
    with pytest.raises(RuntimeError, match="StopIteration"):
        processes.started(saved, name="no such contender", steps=1, memory=True)()
    saved.folder.cleanup()


@pytest.mark.parametrize("contender", installed(accuracy.CONTENDERS[:-1]))  # all but the one that compiles for minutes
def test_the_race_starts_alike_and_ends_at_the_target(contender):
    digits = ae.data.load_digits()
    race = accuracy.Race(digits.train.images[:256], digits.test.images[:64], 60.0)
    first, seconds = contender.build(race)()
    reference, _ = accuracy.own(race)()
    assert first == pytest.approx(reference, rel=1e-4)
    assert seconds > 0


def test_a_race_that_does_not_reach_its_target_fails():
    clock = accuracy.Clock(40.0)
    clock.start()
    assert not clock.epoch(lambda: 41.0)
    with pytest.raises(RuntimeError, match="after 1 epochs the error is 41"):
        clock.outputs()
    assert clock.epoch(lambda: 39.0)
    assert clock.outputs()[0] == 41.0


# The command.


def test_a_whole_name_picks_one_workload_and_a_beginning_all_that_begin_so():
    assert [w.name for _, w in command.chosen(["S/128"])] == ["S/128"]
    assert [w.name for _, w in command.chosen(["S/1"])] == ["S/128", "S/128@2"]
    assert [w.name for _, w in command.chosen(["E", "T"])] == ["T", "E/1", "E/32x32"]


def test_every_workload_has_a_name_of_its_own_and_a_baseline_of_ours():
    workloads = [workload for _, workload in command.chosen([])]
    assert len({w.name for w in workloads}) == len(workloads)
    for workload in workloads:
        assert workload.contenders[0].own
        assert workload.contenders[0].checked
        assert len({c.name for c in workload.contenders}) == len(workload.contenders)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Q"], "no workload begins with 'Q'"),
        (["--rounds", "3"], "ask for 7 or more"),
        (["--data", "no/such/folder"], "there is no such folder"),
        (["--threads", "0"], "choose 1 to"),
    ],
)
def test_a_wrong_command_line_says_what_to_do(arguments, message, capsys, monkeypatch):
    if "--threads" not in arguments:
        monkeypatch.setattr(environment, "prepare", lambda threads: None)  # it would pin this process
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_a_quick_run_from_end_to_end(tmp_path):
    report = tmp_path / "report.json"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--json", str(report), "E/1"],
        cwd=Path(benchmarks.__file__).parents[1],
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    measured = json.loads(report.read_text())
    assert measured["environment"]["threads"] == 1
    (workload,) = measured["workloads"]
    assert workload["name"] == "E/1"
    contenders = [*eager_overhead.CONTENDERS, eager_overhead.MICROGRAD]
    for entry, contender in zip(workload["contenders"], contenders, strict=True):
        assert entry["name"] == contender.name
        if contender.missing():
            assert entry["skipped"] == f"{contender.missing()} is not installed"
            assert f"{contender.name}: skipped, {contender.missing()} is not installed" in run.stdout
        elif contender.own:
            assert len(entry["times"]) == 7
            assert entry["disagreement"] <= 1e-5
            assert entry["ratio"][1] <= entry["ratio"][0] <= entry["ratio"][2]
