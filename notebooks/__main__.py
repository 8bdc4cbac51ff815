"""`python -m notebooks [FILE …]`: execute notebooks in place, all of this folder by default.

Each runs from top to bottom in a fresh `python3` kernel, ten minutes at most for a cell. A notebook whose cells do not
all succeed is left as it was, and the exit code is 1. What would differ from run to run or from machine to machine
(times, versions, ids of widgets) is not written, so a second execution leaves a small difference or none.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
TIMEOUT = 600  # seconds for one cell: a busy machine is slow
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(path: Path) -> None:
    """Run the notebook at `path` and write it back; raises, and writes nothing, when a cell fails."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources=resources,
        extra_arguments=["--log-level=40"],  # errors only: not that the kernel talks over a local port
    )
    client.execute()
    nbformat.validate(strip(notebook))
    refuse_scripts(notebook)
    finished = path.with_suffix(".partial")
    nbformat.write(notebook, finished)
    finished.replace(path)


def strip(notebook: Any) -> Any:
    """Put fixed metadata in place of what changes from run to run; in place, and returned."""
    notebook["metadata"] = {**METADATA}
    for cell in notebook["cells"]:
        cell["metadata"] = {key: value for key, value in cell["metadata"].items() if key == "tags"}
        for output in cell.get("outputs", ()):
            if "metadata" in output:
                output["metadata"] = {}
    return notebook


def refuse_scripts(notebook: Any) -> None:
    """ValueError where an output holds a script: it would not run where notebooks are only shown."""
    for number, cell in enumerate(notebook["cells"], 1):
        if "<script" in str(cell.get("outputs", "")).lower():
            raise ValueError(f"an output of cell {number} holds a <script>; show a picture or plain HTML instead")


def main(argv: list[str] | None = None) -> int:
    """Exit code 0; 1 when a notebook fails; 2 when there is nothing to execute it with."""
    parser = argparse.ArgumentParser(prog="python -m notebooks", description="Execute notebooks in place.")
    parser.add_argument("files", nargs="*", type=Path, help="notebooks; all of the folder by default")
    paths = parser.parse_args(argv).files or sorted(FOLDER.glob("*.ipynb"))
    try:
        import ipykernel  # noqa: F401
        import nbclient  # noqa: F401
    except ImportError as error:
        print(f"{error.name} is not installed: pip install nbclient ipykernel, or make notebooks", file=sys.stderr)
        return 2
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # or the kernel warns of frozen modules
    os.environ.setdefault("AUTOGRAD_AE_QUIET", "1")  # not that kernels are compiled, which happens once
    failed = 0
    for path in paths:
        start = time.perf_counter()
        try:
            execute(path)
        except Exception as error:  # whatever a cell raises: reported, and the next notebook runs
            failed += 1
            print(f"{path.name}: failed, and was left as it was\n{error}", file=sys.stderr)
        else:
            print(f"{path.name}: {time.perf_counter() - start:.1f} s")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
