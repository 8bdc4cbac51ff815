"""Tiles or BLAS: measured once, remembered, and no file can do harm."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.runtime import choosing
from autograd_ae.runtime.chains import find_chains
from autograd_ae.runtime.compiled import Compiled
from autograd_ae.runtime.fused import Fused, executor

pytestmark = [pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off"), pytest.mark.timeout(600)]


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Programs with one chain; how often a measurement was made."""
    monkeypatch.delenv("AUTOGRAD_AE_GEMM", raising=False)
    monkeypatch.setattr(choosing, "_known", {})
    monkeypatch.setattr(choosing, "LEAST_WORK", 0)
    monkeypatch.setattr(choosing, "_file", lambda: tmp_path / "folder" / "choices.json")
    calls, real = [], choosing._measured

    def counted(*args, **kwargs):
        calls.append(real(*args, rounds=1))
        return calls[-1]

    monkeypatch.setattr(choosing, "_measured", counted)
    return calls


def program(width=20):
    net = ae.nn.MLP.create((width, 8, width), ("sigmoid", "tanh"), rng=np.random.default_rng(0), dtype=np.float32)
    x = np.ones((4, width), np.float32)
    return ae.capture(lambda x: ae.squared_error(net(x), x), ae.constant(x), runtime="replay").program


def choose(p):
    (chain,) = find_chains(p)
    return choosing.chosen(chain, p)


def test_a_shape_is_measured_once_per_machine(measured, monkeypatch):
    answer = choose(program())
    assert answer in choosing.WAYS
    assert choose(program()) == answer
    monkeypatch.setattr(choosing, "_known", {})  # the next process
    assert choose(program()) == answer
    assert len(measured) == 1
    choose(program(21))
    assert len(measured) == 2


@pytest.mark.parametrize(("share", "processors", "way"), [
    (0.9, 1, "tiles"), (1.05, 1, "blas"), (1.05, 2, "tiles"), (1.2, 2, "blas"),
])  # fmt: skip
def test_where_threads_can_help_tiles_may_take_a_little_longer_by_one(measured, monkeypatch, share, processors, way):
    monkeypatch.setattr(choosing, "processors", lambda: processors)
    monkeypatch.setattr(choosing, "_measured", lambda chain, program: share)
    assert choose(program()) == way


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"a": 3}', '{"a": "tiles"}', "\x00\xff"])
def test_a_damaged_file_is_measured_over(measured, monkeypatch, content):
    path = choosing._file()
    path.parent.mkdir()
    path.write_text(content, encoding="latin-1")
    answer = choose(program())
    monkeypatch.setattr(choosing, "_known", {})
    assert choose(program()) == answer
    assert len(measured) == 1


def test_where_nothing_can_be_written_a_process_measures_once(measured, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(choosing, "_file", lambda: tmp_path / "file" / "choices.json")
    assert choose(program()) == choose(program())
    assert len(measured) == 1


@pytest.mark.parametrize("way", ["tiles", "blas"])
def test_the_environment_decides_without_measuring(measured, monkeypatch, way):
    monkeypatch.setenv("AUTOGRAD_AE_GEMM", way)
    assert choose(program()) == way
    assert not measured


def test_a_way_that_is_none_is_refused(measured, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_AE_GEMM", "gpu")
    with pytest.raises(ValueError, match=r"'auto', 'tiles' or 'blas'"):
        choose(program())


def test_little_work_is_left_to_the_plain_table(measured, monkeypatch):
    monkeypatch.setattr(choosing, "LEAST_WORK", 1 << 21)
    assert choose(program()) == "blas"
    assert not measured


def pair(noise):
    """Two ways and the clock on which `noise(k)` says how long the k-th run of each takes."""
    now, runs = [0.0], {"one": 0, "other": 0}

    def way(name):
        def run():
            now[0] += noise(name, runs[name])
            runs[name] += 1

        return run

    return way("one"), way("other"), lambda: now[0], runs


def test_a_clear_difference_is_seen_in_few_rounds_and_the_first_runs_do_not_count():
    one, other, clock, runs = pair(lambda name, k: 100.0 if name == "one" and k == 0 else {"one": 1, "other": 2}[name])
    assert choosing.share_of_time(one, other, rounds=15, clock=clock) == 0.5
    assert runs == {"one": 6, "other": 6}


@pytest.mark.parametrize("seed", range(5))
def test_a_machine_that_changes_its_speed_and_now_and_then_stops_does_not_change_the_answer(seed):
    rng = np.random.default_rng(seed)
    drift = np.repeat(rng.uniform(0.5, 2.0, 8), 4)  # for some rounds at a time

    def noise(name, k):
        stopped = 20.0 if rng.random() < 0.1 else 0.0
        return drift[k] * {"one": 0.9, "other": 1.0}[name] * rng.normal(1, 0.01) + stopped

    one, other, clock, _ = pair(noise)
    assert choosing.share_of_time(one, other, rounds=15, clock=clock) < choosing.GAIN


@pytest.mark.parametrize(("way", "runtime"), [("tiles", Fused), ("blas", Compiled)])
def test_models_are_trained_by_what_was_chosen(measured, monkeypatch, way, runtime):
    made = []

    def watched(*args):
        made.append(executor(*args))
        return made[-1]

    monkeypatch.setenv("AUTOGRAD_AE_GEMM", way)
    monkeypatch.setattr("autograd_ae.runtime.capture.executor", watched)
    X = np.random.default_rng(0).uniform(size=(32, 20)).astype(np.float32)
    ae.Autoencoder(3, hidden_layer_sizes=(12,), max_iter=1, batch_size=16, random_state=0).fit(X)
    assert {type(each) for each in made} == {runtime}
