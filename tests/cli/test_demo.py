"""`autograd-ae demo`: how the chapter is called, its exit code, its JSON, and where it writes."""

import json
from pathlib import Path

import numpy as np
import pytest

from autograd_ae.cli.demo import SECTIONS


@pytest.mark.parametrize(
    ("argv", "options"),
    [
        ("", {}),
        ("--quick --seed 7 --quiet", {"quick": True, "seed": 7, "quiet": True}),
        ("--only pca --only rank-one --only pca", {"only": ("pca", "rank-one")}),
        ("--data somewhere", {"data": Path("somewhere")}),
        ("--data ~/mnist", {"data": Path.home() / "mnist"}),
    ],
)
def test_the_demo_is_called_with_what_was_asked_for(run, demo, argv, options):
    done = run(f"demo {argv}")
    assert demo.calls == [{"out": None, "data": None, "only": (), "quick": False, "seed": 0, "quiet": False, **options}]
    assert (done.code, done.out, done.err) == (0, "ŵ ∝ (2, 1)\n", "")


def test_the_sections_offered_are_those_of_the_demo():
    real = pytest.importorskip("autograd_ae.lecture.demo")
    assert SECTIONS == real.SECTIONS


@pytest.mark.parametrize("code", [0, 1, 130])
def test_the_reports_code_is_the_exit_code_and_the_table_is_printed_all_the_same(run, demo, tmp_path, code):
    demo.outcome = demo.report(tmp_path)
    demo.outcome.code = code
    done = run("demo")
    assert (done.code, done.out, done.err) == (code, "ŵ ∝ (2, 1)\n", "")


def test_json_is_valid_whatever_the_report_holds(run, demo, tmp_path):
    values = {
        "a": np.float32(0.5),
        "b": np.arange(3),
        "c": np.nan,
        "d": [np.inf, None, True],
        "e": tmp_path,
        2: (1, "ŵ"),
    }
    demo.outcome = demo.report(tmp_path / "run", values)
    done = run("demo --json")
    strict = json.loads(done.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert strict == {
        "folder": str(tmp_path / "run"),
        "a": 0.5,
        "b": [0, 1, 2],
        "c": None,
        "d": [None, None, True],
        "e": str(tmp_path),
        "2": [1, "ŵ"],
    }


def test_a_folder_with_something_in_it_is_refused_unless_forced(run, demo, tmp_path):
    (tmp_path / "results.json").write_text("precious")
    done = run("demo --out", str(tmp_path))
    assert (done.code, done.out, demo.calls) == (2, "", [])
    refusal = f"--out {tmp_path} is not empty; name another folder, or add --force to write into this one"
    assert done.err == f"autograd-ae: error: {refusal} (see autograd-ae demo --help)\n"
    assert run("demo --out", str(tmp_path), "--force").code == 0
    assert demo.calls[0]["out"] == tmp_path


def test_a_new_or_empty_folder_is_taken_and_a_file_is_not(run, demo, tmp_path):
    file, empty, new = tmp_path / "file", tmp_path / "empty", tmp_path / "new"
    file.write_text("")
    empty.mkdir()
    assert [run("demo --out", str(folder)).code for folder in (empty, new)] == [0, 0]
    assert [call["out"] for call in demo.calls] == [empty, new]
    done = run("demo --out", str(file), "--force")
    assert done.code == 2
    assert done.err == f"autograd-ae: error: --out {file} is a file; name a folder (see autograd-ae demo --help)\n"
