"""All contenders that are installed compute the same."""

import tempfile
from functools import partial

import numpy as np
import pytest

import autograd_ae as ae
from benchmarks import (
    accuracy,
    child,
    eager_overhead,
    networks,
    pca,
    processes,
    summary,
    training_peers,
    training_step,
    worker,
)
from benchmarks.workload import Contender, Options


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
