"""`autograd-ae doctor`: every check on a healthy machine, and each fault that it is for."""

import doctest
import json
import re
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autograd_ae import doctor


@pytest.fixture(scope="module")
def healthy(process):
    """The doctor's word on this machine, as JSON."""
    done = process("doctor", "--json", "--quiet")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_a_machine_that_runs_these_tests_is_well(healthy):
    code, report = healthy
    assert [check for check in report["checks"] if not check["ok"]] == []
    assert (code, report["ok"]) == (0, True)


def test_every_check_says_what_it_found(healthy):
    _, report = healthy
    found = {check["name"]: check["found"] for check in report["checks"]}
    assert {*doctor.CHECKS, *doctor.PACKAGES} - {"packages"} == set(found)
    assert found["numpy"].startswith(np.__version__)
    assert all(found.values())


def test_what_is_wrong_is_exit_code_1_with_the_remedy(run, monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", {"packages": doctor.packages})
    monkeypatch.setattr(doctor, "PACKAGES", {"numpy": "999.1", "tqdm": "4.66"})
    monkeypatch.setitem(sys.modules, "tqdm", None)
    done = run("doctor --quiet")
    assert done.code == 1
    numpy = re.escape(f"{np.__version__} (needs 999.1)")
    assert re.search(rf'^WRONG  numpy  {numpy}\n +→ python -m pip install "numpy>=999.1"$', done.out, re.MULTILINE)
    assert re.search(r"^WRONG  tqdm   cannot be imported: .*\n +→ python -m pip install", done.out, re.MULTILINE)
    assert done.out.endswith("2 of 2 checks failed\n")
    report = json.loads(run("doctor --quiet --json").out)
    assert [check["name"] for check in report["checks"] if check["remedy"]] == ["numpy", "tqdm"]


def test_progress_goes_to_stderr(run, monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", {"Python": doctor.python})
    assert run("doctor").err == "Python …\n"


def test_the_versions_needed_are_those_of_the_project_file():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert [f"{name}>={floor}" for name, floor in doctor.PACKAGES.items()] == project["dependencies"]
    assert project["requires-python"] == f">={doctor.PYTHON}"


def test_a_cache_that_cannot_be_written_is_found(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUTOGRAD_AE_CACHE_DIR", str(tmp_path / "file"))
    (finding,) = doctor.kernel_cache()
    assert not finding.ok
    assert "AUTOGRAD_AE_CACHE_DIR" in finding.remedy


def test_a_check_that_raises_is_a_finding_not_a_crash():
    def check():
        yield doctor.Finding("first", True, "fine")
        raise RuntimeError("broken")

    first, second = doctor._results("second", check)
    assert first.ok
    assert (second.name, second.ok, second.found) == ("second", False, "RuntimeError: broken")


def test_a_blas_that_is_wrong_by_one_unit_in_one_entry_is_found(monkeypatch):
    class Wrong(np.ndarray):
        def __matmul__(self, other):
            product = np.asarray(self) @ np.asarray(other)
            product[17, 5] += product.dtype.kind == "f"
            return product

    honest = np.random.default_rng(0).integers(-100, 101, (2, 200, 200))
    monkeypatch.setattr(np.random, "default_rng", lambda seed: SimpleNamespace(integers=lambda *_: honest.view(Wrong)))
    assert not doctor._multiplies_exactly(np.dtype("float32"))
    monkeypatch.setattr(np.random, "default_rng", lambda seed: SimpleNamespace(integers=lambda *_: honest))
    assert doctor._multiplies_exactly(np.dtype("float32"))


@pytest.mark.parametrize("fault", ["forward", "rule"])
def test_a_kernel_that_is_wrong_by_a_thousandth_is_found(monkeypatch, fault):
    import autograd_ae.testing.specs as table
    from autograd_ae.ops import sigmoid

    monkeypatch.setattr(table, "SPECS", {"sigmoid": table.SPECS["sigmoid"]})
    (finding,) = doctor.kernels()
    assert finding.ok
    correct = sigmoid._sigmoid.run if fault == "forward" else sigmoid.dx.fn

    def wrong(out, *inputs):
        correct(out, *inputs)
        out *= 1.001

    monkeypatch.setattr(*((sigmoid._sigmoid, "run") if fault == "forward" else (sigmoid.dx, "kernel")), wrong)
    if fault == "rule":
        from autograd_ae.core import op

        monkeypatch.setattr(op, "JIT_ENABLED", True)
    (finding,) = doctor.kernels()
    assert not finding.ok
    assert "sigmoid" in finding.found
    assert "is off by" in finding.found


def test_the_doctors_examples_are_true():
    assert doctest.testmod(doctor).failed == 0
