"""Notebooks: committed executed, and their code still gives what they show. Only the last test needs Jupyter."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import notebooks
from notebooks import __main__ as runner

NOTEBOOKS = sorted(Path(notebooks.__file__).parent.glob("*.ipynb"))
pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path, kind="code"):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def printed(path):
    """What the code cells print, as committed."""
    outputs = [output for cell in cells(path) for output in cell["outputs"]]
    return "".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream")


def test_committed_executed_from_top_to_bottom_without_errors_or_scripts(path):
    assert [cell["execution_count"] for cell in cells(path)] == list(range(1, len(cells(path)) + 1))
    kinds = {output["output_type"] for cell in cells(path) for output in cell["outputs"]}
    assert kinds <= {"stream", "display_data", "execute_result"}
    assert "<script" not in json.dumps([cell["outputs"] for cell in cells(path)]).lower()
    assert all(output.get("name") != "stderr" for cell in cells(path) for output in cell["outputs"])


def test_running_the_cells_again_prints_what_is_committed(path, request):
    if path.stem[:2] != "01" and "not slow" in request.config.option.markexpr:
        pytest.skip("`make notebooks` executes all of them; here the first stands for all")
    program = "\n".join(source(cell) for cell in cells(path))
    environment = {**os.environ, "MPLBACKEND": "agg", "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    assert run.stdout == printed(path)


def test_holds_no_volatile_metadata(path):
    notebook = json.loads(path.read_text())
    assert runner.strip(json.loads(path.read_text())) == notebook


def test_uses_the_library_and_defines_none(path):
    tree = ast.parse("\n".join(source(cell) for cell in cells(path)))
    assert not [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert all(len(ast.unparse(node).splitlines()) <= 12 for node in functions)
    assert "import autograd_ae as ae" in "\n".join(map(source, cells(path)))


def test_has_a_figure_and_exercises_with_checked_answers(path):
    outputs = [output for cell in cells(path) for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    exercises = next(source(cell) for cell in cells(path, "markdown") if "## Exercises" in source(cell))
    asked = re.findall(r"^(\d+)\. ", exercises.split("## Exercises")[1], re.MULTILINE)
    answers = {
        source(cell).split()[1].rstrip("."): source(cell) for cell in cells(path) if source(cell).startswith("# ")
    }
    assert asked
    assert all("assert " in answers[number] for number in asked)


@pytest.mark.parametrize(
    "code", ["1 / 0", "from IPython.display import HTML, display\ndisplay(HTML('<script>1</script>'))"]
)
def test_a_notebook_that_fails_or_shows_a_script_is_left_as_it_was(path, code, tmp_path, request):
    if path.stem[:2] != "01" and "not slow" in request.config.option.markexpr:
        pytest.skip("the first notebook stands for all")
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = json.loads(path.read_text())
    cell = {"cell_type": "code", "id": "one", "metadata": {}, "execution_count": None, "outputs": [], "source": code}
    copy = tmp_path / "broken.ipynb"
    copy.write_text(json.dumps({**notebook, "cells": [cell]}))
    before = copy.read_bytes()
    root = Path(notebooks.__file__).parents[1]
    command = [sys.executable, "-m", "notebooks", str(copy)]
    run = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8")
    assert run.returncode == 1
    assert "broken.ipynb: failed" in run.stderr
    assert ("ZeroDivisionError" in run.stderr) == (code == "1 / 0")
    assert copy.read_bytes() == before
    assert list(tmp_path.iterdir()) == [copy]
