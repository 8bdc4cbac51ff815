"""Bars, tables and the figure of the benchmarks, on reports that are made up."""

import json

import pytest

from benchmarks import __main__ as command
from benchmarks import bars, figure, summary, tables


def report_of(name="S/128", **times):
    """A report of contenders with these times; the first is the baseline."""
    baseline = next(iter(times))
    entries = [
        {"name": contender, "own": k == 0, "times": list(t), "import_s": 0.1, "first_step_s": 0.2}
        | {kind: list(v) for kind, v in summary.summarise(times, baseline)[contender].items()}
        for k, (contender, t) in enumerate(times.items())
    ]
    return {"name": name, "title": "a | b", "unit": "ms per step", "scale": 1e3, "contenders": entries}


def measured(*reports):
    facts = {"cpu": "A CPU", "cpus": 2, "threads": 1, "blas": [], "python": "3", "versions": {"numpy": "2"}}
    return {"environment": facts, "quick": False, "workloads": list(reports)}


BOTH = "met, stretch too"


@pytest.mark.parametrize(("theirs", "word"), [(1.349, "not met"), (1.351, "met"), (1.499, "met"), (1.501, BOTH)])
def test_a_bar_asks_how_many_times_as_fast_as_a_peer(theirs, word):
    report = report_of(autograd_ae=[1.0, 10.0, 2.0], **{bars.EAGER: [theirs, 10 * theirs, 2 * theirs]})
    verdict = next(v for v in bars.verdicts([report]) if v.bar.theirs == bars.EAGER)
    assert verdict.measured.median == pytest.approx(theirs)
    assert verdict.word == word


@pytest.mark.parametrize(("ours", "word"), [(1.151, "not met"), (1.149, "met"), (1.021, "met"), (1.019, BOTH)])
def test_a_floor_asks_how_much_more_than_it_we_take(ours, word):
    report = report_of(autograd_ae=[ours] * 3, **{bars.FLOOR: [1.0] * 3})
    assert [v.word for v in bars.verdicts([report]) if v.bar.theirs == bars.FLOOR] == [word]


def test_a_bar_whose_peer_is_absent_is_not_met_but_not_timed():
    found = list(bars.verdicts([report_of(autograd_ae=[1.0])]))
    assert {v.word for v in found} == {"not timed"}
    assert {v.bar.workload for v in found} == {"S/128"}
    assert "not timed" in tables.bars_table([report_of(autograd_ae=[1.0])])
    assert tables.bars_table([]) == ""


def test_every_bar_names_a_workload_and_contenders_that_exist():
    workloads = {w.name: {c.name for c in w.contenders} for _, w in command.chosen([])}
    for bar in bars.BARS:
        assert {bar.ours, bar.theirs} <= workloads[bar.workload]
        if bar.stretch is not None and not bar.workload.startswith(("S/512", "H/")):  # the issue asks less there
            assert bar.met_by(bar.stretch, bar.bar)


def test_the_markdown_names_the_machine_and_shows_every_figure_once():
    other = report_of("S/32", autograd_ae=[1e-3] * 3, **{bars.EAGER: [4e-3] * 3})
    text = tables.markdown(measured(report_of(autograd_ae=[2e-3] * 3, **{bars.EAGER: [3e-3] * 3}), other))
    assert text.startswith("A CPU, 2 logical CPUs")
    assert "**2.00**" in text
    assert "3.00 (1.50×)" in text
    assert "4.00 (4.00×)" in text
    for table in text.split("\n\n")[1:]:
        assert len({row.replace("\\|", "").count("|") for row in table.splitlines()}) == 1  # as many cells in each row


def test_what_was_not_timed_is_a_word_in_the_markdown():
    report = report_of(autograd_ae=[1.0])
    report["contenders"].append({"name": "peer", "own": False, "skipped": "peer is not installed"})
    assert "skipped" in tables.markdown(measured(report))


def test_the_figure_shows_each_contender_that_was_timed(tmp_path):
    report = report_of(autograd_ae=[1.0] * 3, **{bars.EAGER: [2.0, 3.0, 4.0]})
    figure.draw(measured(report), tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
    with pytest.raises(ValueError, match="nothing was timed"):
        figure.draw(measured(), tmp_path / "b.svg")


def test_runs_on_one_machine_are_put_together_and_the_later_file_counts(tmp_path):
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    first.write_text(json.dumps(measured(report_of("T", autograd_ae=[1.0]), report_of("S/32", autograd_ae=[1.0]))))
    second.write_text(json.dumps(measured(report_of("T", autograd_ae=[2.0]))))
    whole = command.read([str(first), str(second)])
    assert [(r["name"], r["contenders"][0]["times"]) for r in whole["workloads"]] == [("S/32", [1.0]), ("T", [2.0])]
    elsewhere = measured()
    elsewhere["environment"]["cpu"] = "Another"
    second.write_text(json.dumps(elsewhere))
    with pytest.raises(ValueError, match="different CPUs"):
        command.read([str(first), str(second)])
    with pytest.raises(ValueError, match="give files that --json wrote"):
        command.read([str(tmp_path / "none.json")])


def test_a_stored_run_prints_the_tables_and_draws_the_figure_without_measuring(tmp_path, capsys):
    stored, picture = tmp_path / "run.json", tmp_path / "run.png"
    stored.write_text(json.dumps(measured(report_of(autograd_ae=[1.0] * 3, **{bars.EAGER: [2.0] * 3}))))
    assert command.main(["--from", str(stored), "--table", "--plot", str(picture)]) == 0
    assert "| S/128 |" in capsys.readouterr().out
    assert picture.read_bytes().startswith(b"\x89PNG")
