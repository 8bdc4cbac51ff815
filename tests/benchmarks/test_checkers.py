"""The benchmark of gradient checkers: right tasks are right, wrong ones are wrong, and what ours makes of them."""

import numpy as np
import pytest

from benchmarks import checkers
from benchmarks.checker_tasks import Task, hard_tasks, subjects, wrong_vjps

SUBJECTS = {subject.name: subject for subject in subjects()}


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_right_vjp_is_the_complex_steps_and_every_wrong_one_is_not(name):
    subject, strict = SUBJECTS[name], checkers.complex_step(rtol=1e-10, atol=0.0)
    assert not strict(Task(subject, subject.vjp, subject.x))
    for fault, vjp in wrong_vjps(subject):
        assert strict(Task(subject, vjp, subject.x)), fault


@pytest.mark.parametrize("method", ["auto", "differences"])
def test_ours_catches_every_fault_at_every_scale_and_raises_no_false_alarm(monkeypatch, method):
    monkeypatch.setattr(checkers, "subjects", lambda: [SUBJECTS["two paths"]])
    monkeypatch.setattr(checkers, "hard_tasks", lambda: [t for t in hard_tasks() if t[0].startswith("two paths")])
    result = checkers.judge(checkers.ours(method))
    assert result["faults"] > 10
    assert not any(result["missed"].values())
    assert result["alarms"] == []


def test_the_table_counts_what_was_caught_and_a_missing_checker_is_named(monkeypatch, capsys):
    def missing():
        raise ImportError("No module named 'nothing'")

    monkeypatch.setattr(checkers, "subjects", lambda: [SUBJECTS["log-sum-exp"]])
    monkeypatch.setattr(checkers, "hard_tasks", list)
    lenient = {"never rejects": lambda: lambda task: False, "absent": missing}
    monkeypatch.setattr(checkers, "CHECKERS", lenient)
    assert checkers.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["never", "rejects", *["0/14"] * 5, "0/0"]
    assert "skipped: No module named 'nothing'" in lines[2]


def test_our_own_checker_decides_the_exit_code(monkeypatch):
    monkeypatch.setattr(checkers, "subjects", lambda: [SUBJECTS["sigmoid"]])
    monkeypatch.setattr(checkers, "hard_tasks", list)
    monkeypatch.setattr(checkers, "CHECKERS", {"autograd_ae check_vjp": lambda: lambda task: np.False_})
    assert checkers.main([]) == 1
