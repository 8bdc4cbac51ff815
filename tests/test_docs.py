"""`make docs`: docstrings become Markdown that says the same, public names only, links that lead somewhere."""

import re
import runpy
from pathlib import Path

import pytest

import autograd_ae as ae
from autograd_ae.ops import dense, sparsity

# The script stands in a folder that is no package; running it under another name defines, and does nothing else.
SCRIPT = runpy.run_path(str(Path(__file__).parents[1] / ".ci" / "docs"), run_name="docs")
broken, main, markdown, public, unlinked = (SCRIPT[n] for n in ("broken", "main", "markdown", "public", "unlinked"))


def test_a_section_becomes_a_list_with_one_item_for_each_name():
    text = markdown(ae.dense.__doc__.replace("\n    ", "\n"))
    assert "**Parameters**" in text
    assert "- `W`: (n, m)." in text
    assert "---" not in text


def test_several_entries_of_one_line_are_parted_and_further_lines_belong_to_the_entry_before():
    text = markdown("Parameters\n----------\na, b : of one kind.    c : a\n    long one.\n\nMore.")
    assert text.splitlines() == ["**Parameters**", "", "- `a, b`: of one kind.", "- `c`: a long one.", "", "More."]


def test_examples_are_code_and_end_at_a_blank_line():
    assert markdown("One.\n\n>>> 1 + 1\n2\n\nTwo.") == "One.\n\n```python\n>>> 1 + 1\n2\n```\n\nTwo."


@pytest.mark.parametrize("module", [dense, sparsity])
def test_formulas_of_a_lesson_stay_as_they_are(module):
    for line in module.__doc__.splitlines():
        if line.startswith("    "):
            assert line in markdown(module.__doc__).splitlines()


def test_a_smaller_sign_is_no_tag_outside_of_code():
    assert markdown("a<b, `c<d` and 0 < ρ") == "a&lt;b, `c<d` and 0 < ρ"


def test_what_is_shown_is_what_is_public():
    shown = public()
    assert set(shown["autograd_ae"]) == set(ae.__all__)
    assert shown["autograd_ae.ops.dense"] == ["dense"]
    assert "Network" in shown["autograd_ae.models.network"]  # VAE inherits fit from it
    assert not any(name.startswith("autograd_ae.cli") for name in shown)
    for name in ae.__all__:
        value = getattr(ae, name)
        home = getattr(value, "__module__", "")
        assert home in shown or not home.startswith("autograd_ae."), name


def test_links_that_lead_nowhere_are_found_and_those_within_a_page_taken_out(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#x">b</a><a href="c.html">c</a><a href="https://d.e">d</a>', "utf-8"
    )
    (tmp_path / "b.html").write_text('<p id="x"></p><pre>href="z.html"</pre><a href="#y">y</a>', "utf-8")
    assert broken(tmp_path) == ["a.html: c.html", "b.html: #y"]
    assert unlinked('<p id="x"></p><a href="#x">x</a><a href="#y">y</a>') == '<p id="x"></p><a href="#x">x</a>y'


@pytest.mark.slow
def test_the_whole_site_is_written_without_a_broken_link_or_a_need_for_a_network(tmp_path, capsys):
    pytest.importorskip("pdoc", reason="the extra dev brings pdoc")
    assert main([str(tmp_path)]) == 0
    assert "0 links lead nowhere" in capsys.readouterr().out
    for file in tmp_path.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r'<(script|link|img)[^>]*(src|href)="https?:', text), file
