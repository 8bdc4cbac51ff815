"""The demo as a user runs it: through the command line, on the embedded digits."""

import json

import pytest

from autograd_ae import cli
from autograd_ae.lecture import demo


def test_the_command_writes_a_report_and_prints_its_table(capsys, tmp_path):
    folder = tmp_path / "run"
    code = cli.main(["demo", "--quick", "--only", "circle", "--out", str(folder), "--quiet", "--json"])
    out, err = capsys.readouterr()
    printed = json.loads(out)
    assert (code, err) == (0, "")
    assert list(printed["results"]) == ["circle"]
    assert printed["results"] == json.loads((folder / "results.json").read_text())["results"]
    assert {p.name for p in folder.iterdir()} == {
        "report.html",
        "results.json",
        "circle.png",
        "circle_codes.png",
    }


@pytest.mark.slow
def test_every_claim_of_the_quick_chapter_holds_at_the_default_seed(tmp_path):
    report = demo.run(out=tmp_path / "run", quick=True, quiet=True)
    assert report.code == 0, report.table()
    assert not report.missing
    numbers = {section.key: section.numbers for section in report.sections}
    vae, autoencoder = (
        numbers[key]["invalid_" + name + "_decodings"] for key, name in (("vae", "prior"), ("generation", "regions"))
    )
    assert len(vae) >= 3
    assert max(vae) < min(autoencoder)  # not in the mean only
    assert report.cpu_seconds < 180
