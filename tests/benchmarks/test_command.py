"""`python -m benchmarks`: what is chosen, refused and written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarks
from benchmarks import __main__ as command
from benchmarks import (
    eager_overhead,
    environment,
)


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
