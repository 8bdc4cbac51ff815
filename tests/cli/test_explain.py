"""`autograd-ae explain`: pages as text and in files, JSON, the list, the site, errors that help."""

import json
import re
from unicodedata import normalize

import pytest

from autograd_ae import cli
from autograd_ae.lecture.formulary import entries, index, site


def output(capsys, *arguments, code=0):
    assert cli.main(["explain", *arguments]) == code
    return capsys.readouterr()


def test_a_page_shows_statement_gradients_derivation_and_a_checked_example(capsys):
    out, err = output(capsys, "sigmoid", "--quiet")
    assert normalize("NFD", "X̄ = Ȳ ⊙ σ(X) ⊙ σ(-X)") in normalize("NFD", out)
    assert "From autograd_ae/ops/sigmoid.py" in out
    assert "def dx(out, g, _y, x):" in out
    digits = float(re.search(r"agrees with the complex step to at least ([\d.]+) digits", out)[1])
    assert digits > 14
    assert err == ""


def test_dense_is_shown_in_the_layout_of_the_lecture_too(capsys):
    out, _ = output(capsys, "dense", "--layout", "columns", "--quiet")
    assert normalize("NFD", "W̄ = XᵀΔ") in normalize("NFD", out)
    assert normalize("NFD", "W̄ = ΔXᵀ") in normalize("NFD", out)


def test_json_holds_the_formulas_as_latex_and_the_digits(capsys):
    values = json.loads(output(capsys, "gaussian_kl", "--json", "--seed", "3", "--quiet").out)
    assert values["name"] == "gaussian_kl"
    assert values["seed"] == 3
    assert values["digits"] > 14
    (variant,) = values["variants"]
    assert variant["formulas"][1]["rows"] == r"\bar{M} = \frac{\bar{y}}{B} \, M"


@pytest.mark.parametrize(
    ("form", "start"), [("html", "<!DOCTYPE html>"), ("latex", r"\documentclass"), ("markdown", "# square")]
)
def test_other_forms_go_to_stdout_or_to_a_file_of_their_ending(capsys, tmp_path, form, start):
    assert output(capsys, "square", f"--{form}", "--quiet").out.startswith(start)
    out, _ = output(capsys, "square", f"--{form}", "--out", str(tmp_path / "page"), "--quiet")
    (file,) = tmp_path.iterdir()
    assert out.strip() == str(file)
    assert file.suffix == {"html": ".html", "latex": ".tex", "markdown": ".md"}[form]
    assert file.read_text(encoding="utf-8").startswith(start)


def test_the_ending_of_a_file_says_its_form(capsys, tmp_path):
    output(capsys, "square", "--out", str(tmp_path / "a.tex"), "--quiet")
    assert (tmp_path / "a.tex").read_text(encoding="utf-8").startswith(r"\documentclass")
    _, err = output(capsys, "square", "--html", "--out", str(tmp_path / "a.tex"), "--quiet", code=2)
    assert "does not end in .html, as --html needs" in err


def test_list_shows_every_page_under_its_family(capsys):
    out, _ = output(capsys, "list", "--quiet")
    assert all(re.search(rf"^  {e.name} +\S", out, re.MULTILINE) for e in entries())
    values = json.loads(output(capsys, "list", "--json", "--quiet").out)
    assert [p["name"] for p in values["pages"]] == [e.name for e in entries()]


def test_a_misspelt_name_is_an_error_of_one_line_with_a_suggestion(capsys):
    out, err = output(capsys, "gausian_kl", "--quiet", code=2)
    assert out == ""
    assert "no page 'gausian_kl'; did you mean gaussian_kl" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "explain what?"),
        (["sum", "--all"], "explain what?"),
        (["--all"], "name its folder, --out FOLDER"),
        (["--all", "--out", "x", "--latex"], "--latex is for one page"),
    ],
)
def test_wrong_usage_says_what_to_do(capsys, arguments, words):
    assert words in output(capsys, *arguments, "--quiet", code=2).err


def test_the_site_has_every_page_and_links_that_lead_somewhere(capsys, tmp_path, monkeypatch):
    few = [e for e in entries() if e.name in ("sparse", "add", "sigmoid", "dense")]
    monkeypatch.setattr(site, "entries", lambda: few)
    output(capsys, "--all", "--out", str(tmp_path), "--quiet")
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"index.html", *(f"{e.name}.html" for e in few)}
    for file in tmp_path.iterdir():
        text = file.read_text(encoding="utf-8")
        links = set(re.findall(r'href="([^"#]*)"', text))
        assert links <= names
        anchors = set(re.findall(r'href="#([^"]*)"', text))
        assert anchors <= set(re.findall(r'id="([^"]*)"', text))
        assert not re.search(r"<script|<link|<img|https?://(?!www\.w3\.org/)", text)
    _, err = output(capsys, "--all", "--out", str(tmp_path), "--quiet", code=2)
    assert "is not empty" in err


def test_families_cover_every_file_of_the_calculus():
    assert {e.family for e in entries()} == {*index.FAMILIES.values(), index.MODELS}
