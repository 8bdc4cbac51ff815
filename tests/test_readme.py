"""The README's Python runs as it stands, from top to bottom, and its links lead somewhere."""

import contextlib
import io
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()


def test_the_examples_run_and_say_what_the_text_says():
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(blocks) == 4
    namespace: dict = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for block in blocks:
            exec(block, namespace)
    assert namespace["auto"].loss_ < namespace["auto"].plateau(namespace["X"])
    assert "largest angle" in printed.getvalue()
    assert "plateau" in printed.getvalue()
    assert "missing_batch_mean" in printed.getvalue()
    assert "the gradient disagrees" in printed.getvalue()
    assert "Every gradient agrees with the complex step" in printed.getvalue()
    assert namespace["page"].startswith("<!DOCTYPE html>")
    assert namespace["drawing"].startswith("<svg")


def test_the_changelog_counts_ops_as_the_commands_do():
    from autograd_ae.ops import api
    from autograd_ae.testing.suite import differentiable_ops

    functions, ops = re.search(
        r"^- (\d+) functions, in the tests (\d+) ops that have a gradient", CHANGELOG, re.M
    ).groups()
    assert (int(functions), int(ops)) == (len(api.__all__), len(differentiable_ops()))


def test_prose_is_no_wider_than_120_columns():
    """But for what the benchmarks print."""
    for name in ("README.md", "CHANGELOG.md"):
        text = re.sub(r"```.*?```|^## Every step fast$.*?^## ", "", (ROOT / name).read_text(), flags=re.S | re.M)
        wide = [line for line in text.splitlines() if len(line) > 120 and not line.startswith(("|", "!["))]
        assert not wide, (name, wide)


def test_links_lead_to_files():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_nothing_is_left_to_fill_in():
    assert not re.findall(r"^[A-Z]+_[A-Z]+$", README, re.M)
