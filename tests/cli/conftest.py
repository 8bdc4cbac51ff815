"""Running the command line, here and in a process of its own, untouched by what this machine has."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from autograd_ae import cli
from autograd_ae.data import sources


@pytest.fixture(autouse=True)
def hermetic(monkeypatch, tmp_path):
    """No data folder of this machine is looked into; `--quiet` sets a variable, which is restored."""
    monkeypatch.setenv("AUTOGRAD_AE_QUIET", "1")
    monkeypatch.delenv("AUTOGRAD_AE_DATA_DIR", raising=False)
    monkeypatch.delenv("AUTOGRAD_AE_TRACEBACK", raising=False)
    monkeypatch.setattr(sources, "cache_dir", lambda: tmp_path / "no cache")
    monkeypatch.setattr(sources, "SYSTEM_FOLDER", str(tmp_path / "no system folder"))


@pytest.fixture
def run(capsys):
    """`run("words of a line", *further arguments)`: exit code, stdout, stderr."""

    def call(line, *arguments):
        code = cli.main([*line.split(), *map(str, arguments)])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return call


@pytest.fixture(scope="session")
def process():
    """`process(*arguments)`: the command line in a process of its own, after `code`."""

    def call(*argv, code=None, **options):
        start = ["-c", f"{code}\nfrom autograd_ae.cli import main; sys.exit(main())"] if code else ["-m", "autograd_ae"]
        environment = {**os.environ, "COLUMNS": "80", **options.pop("env", {})}
        return subprocess.run(
            [sys.executable, *start, *argv],
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment, **options},
        )

    return call


class Report:
    """What a demo hands back."""

    code = 0

    def __init__(self, folder, values=None):
        self.folder, self.values = folder, values or {}

    def table(self):
        return "ŵ ∝ (2, 1)"

    def to_dict(self):
        return self.values


@pytest.fixture
def demo(monkeypatch, tmp_path):
    """A demo that does nothing but note how it was called; `outcome` is what it returns or raises."""
    calls = []
    fake = SimpleNamespace(calls=calls, outcome=Report(tmp_path), report=Report)

    def run(**options):
        calls.append(options)
        if isinstance(fake.outcome, BaseException):
            raise fake.outcome
        return fake.outcome

    monkeypatch.setitem(sys.modules, "autograd_ae.lecture.demo", SimpleNamespace(run=run))
    return fake
