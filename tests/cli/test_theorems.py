"""`autograd-ae theorems`: the table, JSON, exit codes."""

import json

from autograd_ae import cli
from autograd_ae.lecture.theorems import examples, table
from autograd_ae.lecture.theorems.measure import Measure, Theorem


def test_a_row_is_a_line_with_error_tolerance_and_verdict(capsys):
    assert cli.main(["theorems", "--only", "18", "--quiet"]) == 0
    out, err = capsys.readouterr()
    line, _, end = out.splitlines()
    assert "18  One line, many encoders" in line
    assert "≤" in line
    assert "holds" in line
    assert end.startswith("1 of 1 theorems hold")
    assert err == ""


def test_json_and_details_have_statement_source_and_every_measure(capsys):
    assert cli.main(["theorems", "--only", "18", "--only", "18", "--seed", "3", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["seed"], values["ok"], len(values["theorems"])) == (3, True, 1)
    assert values["theorems"][0]["source"] == "the lecture; elementary"
    assert cli.main(["theorems", "--only", "18", "--details"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(values["theorems"][0]["measures"]) + 3


def test_a_missed_tolerance_is_exit_code_1(capsys, monkeypatch):
    def missed(seed):
        """Nothing holds."""
        return [Measure("a number", 2.0, 1.0), Measure("none", float("nan"), 1.0)]

    monkeypatch.setitem(table.THEOREMS, "18", Theorem("18", "Missed", missed))
    assert cli.main(["theorems", "--only", "18", "--json"]) == 1
    values = json.loads(capsys.readouterr().out)
    assert [m["ok"] for m in values["theorems"][0]["measures"]] == [False, False]
    assert values["theorems"][0]["measures"][1]["error"] is None


def test_a_row_that_is_not_there_is_wrong_usage(capsys):
    assert cli.main(["theorems", "--only", "nine"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("autograd-ae: error: there is no row 'nine'; there are 1, 2, 3")
    assert err.endswith("(see autograd-ae theorems --help)\n")


def test_the_table_has_the_examples_row():
    assert table.THEOREMS["19"].run is examples.circle
