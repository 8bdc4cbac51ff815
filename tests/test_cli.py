"""The command line: what goes where, which exit code, and that nothing heavy is loaded to say hello."""

import doctest
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autograd_ae import cli, doctor
from autograd_ae.cli.demo import SECTIONS
from autograd_ae.data import DataError, sources, write_idx

COMMANDS = [command.__name__ for command in cli.COMMANDS]
HEAVY = {"numpy", "numba", "matplotlib", "tqdm"}


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
    """Run the command line here: exit code, stdout, stderr."""

    def call(*argv):
        code = cli.main(argv)
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return call


class Report:
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
    fake = SimpleNamespace(calls=calls, outcome=Report(tmp_path))

    def run(**options):
        calls.append(options)
        if isinstance(fake.outcome, BaseException):
            raise fake.outcome
        return fake.outcome

    monkeypatch.setitem(sys.modules, "autograd_ae.lecture.demo", SimpleNamespace(run=run))
    return fake


def process(*argv, code=None, **options):
    """The command line in a process of its own, after `code`."""
    start = ["-c", f"{code}\nfrom autograd_ae.cli import main; sys.exit(main())"] if code else ["-m", "autograd_ae"]
    environment = {**os.environ, "COLUMNS": "80", **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, *start, *argv],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment, **options},
    )


# Help and usage.


@pytest.mark.parametrize(
    "argv", ["--help", "--version", "demo --help", "train --help", "doctor --help", "demo --seed x"]
)
def test_help_and_usage_errors_load_nothing_heavy(argv):
    report = f"import atexit, sys; atexit.register(lambda: print(*({HEAVY} & set(sys.modules)), file=sys.stderr))"
    done = process(*argv.split(), code=report)
    assert done.stderr.splitlines()[-1] == ""


def test_the_module_is_the_command(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert process("--help").stdout == run("--help").out
    scripts = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"autograd-ae": "autograd_ae.cli:main"}


def test_the_version_is_the_packages(run):
    import autograd_ae

    assert run("--version").out == f"autograd-ae {autograd_ae.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_of_each_common_option(run, command):
    assert re.search(rf"^    {command} +\w", run("--help").out, re.MULTILINE)
    done = run(command, "--help")
    assert (done.code, done.err) == (0, "")
    assert {"--json", "--quiet"} <= set(done.out.split())


@pytest.mark.parametrize(
    ("argv", "message", "command"),
    [
        ("", "COMMAND", ""),
        ("fly", "invalid choice: 'fly'", ""),
        ("demo --seed -1", "a seed is an integer that is not negative, not '-1'", " demo"),
        ("demo --seed 1.5", "not '1.5'", " demo"),
        ("demo --only gan", "invalid choice: 'gan'", " demo"),
        ("demo --qui", "unrecognized arguments: --qui", " demo"),
        ("data --download cifar", "invalid choice: 'cifar'", " data"),
        ("doctor now", "unrecognized arguments: now", " doctor"),
        ("check sigmod", "there is no op 'sigmod'", " check"),
        ("check --shape 3", "--shape is for a function in a file", " check"),
        ("explain sigmod", "there is no page 'sigmod'", " explain"),
        ("theorems --only 99", "there is no row '99'", " theorems"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_commands_help_and_exit_code_2(run, argv, message, command):
    done = run(*argv.split())
    assert (done.code, done.out) == (2, "")
    help = rf"\(see autograd-ae{command} --help\)"
    assert re.fullmatch(rf"autograd-ae: error: .*{re.escape(message)}.* {help}\n", done.err)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_all_exit_codes(run, command):
    end = " ".join(run(command, "--help").out.split()).rpartition("Exit codes:")[2]
    codes = re.findall(r"(?:^|,) (\d+) ", end)
    assert " ".join(codes) == ("0 1 2 3 130" if command == "check" else "0 1 2 130")


# The demo.


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
    done = run("demo", *argv.split())
    assert demo.calls == [{"out": None, "data": None, "only": (), "quick": False, "seed": 0, "quiet": False, **options}]
    assert (done.code, done.out, done.err) == (0, "ŵ ∝ (2, 1)\n", "")


def test_the_sections_offered_are_those_of_the_demo():
    real = pytest.importorskip("autograd_ae.lecture.demo")
    assert SECTIONS == real.SECTIONS


@pytest.mark.parametrize("code", [0, 1, 130])
def test_the_reports_code_is_the_exit_code_and_the_table_is_printed_all_the_same(run, demo, tmp_path, code):
    demo.outcome = Report(tmp_path)
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
    demo.outcome = Report(tmp_path / "run", values)
    done = run("demo", "--json")
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
    done = run("demo", "--out", str(tmp_path))
    assert (done.code, done.out, demo.calls) == (2, "", [])
    refusal = f"--out {tmp_path} is not empty; name another folder, or add --force to write into this one"
    assert done.err == f"autograd-ae: error: {refusal} (see autograd-ae demo --help)\n"
    assert run("demo", "--out", str(tmp_path), "--force").code == 0
    assert demo.calls[0]["out"] == tmp_path


def test_a_new_or_empty_folder_is_taken_and_a_file_is_not(run, demo, tmp_path):
    file, empty, new = tmp_path / "file", tmp_path / "empty", tmp_path / "new"
    file.write_text("")
    empty.mkdir()
    assert [run("demo", "--out", str(folder)).code for folder in (empty, new)] == [0, 0]
    assert [call["out"] for call in demo.calls] == [empty, new]
    done = run("demo", "--out", str(file), "--force")
    assert done.code == 2
    assert done.err == f"autograd-ae: error: --out {file} is a file; name a folder (see autograd-ae demo --help)\n"


# What goes wrong.


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("k is 3\nbut L is 2"), "k is 3; but L is 2"),
        (
            DataError("Looked in:\n  /a has none\n  /b is no folder\nName one."),
            "Looked in: /a has none; /b is no folder. Name one.",
        ),
        (PermissionError(13, "Permission denied", "/root/x"), "/root/x: Permission denied"),
        (ModuleNotFoundError("No module named 'numba'"), "No module named 'numba' (try: autograd-ae doctor)"),
        (ValueError(), "ValueError"),
    ],
)
def test_a_users_error_is_one_line_and_exit_code_1(run, demo, monkeypatch, error, line):
    demo.outcome = error
    done = run("demo")
    assert (done.code, done.out, done.err) == (1, "", f"autograd-ae: error: {line}\n")
    monkeypatch.setenv("AUTOGRAD_AE_TRACEBACK", "1")
    with pytest.raises(type(error)):
        run("demo")


def test_a_bug_is_not_dressed_up_as_a_users_error(run, demo):
    demo.outcome = AssertionError("never")
    with pytest.raises(AssertionError):
        run("demo")


def test_an_interruption_is_exit_code_130_without_traceback(run, demo):
    demo.outcome = KeyboardInterrupt()
    done = run("demo")
    assert (done.code, done.out, done.err) == (130, "", "autograd-ae: interrupted\n")


@pytest.mark.parametrize(("argv", "unbuffered"), [("data", ""), ("data --json", "1"), ("--help", ""), ("--help", "1")])
def test_a_reader_that_has_gone_is_no_traceback(argv, unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    done = process(*argv.split(), stdout=writer, env={"PYTHONUNBUFFERED": unbuffered})
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 1 or argv == "--help"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_disk_is_one_line_and_exit_code_1():
    with open("/dev/full", "w") as full:
        done = process("data", stdout=full)
    assert done.returncode == 1
    assert re.fullmatch(r"autograd-ae: error: .*\n", done.stderr)


FAKE = """
import sys, types, warnings
class Report:
    folder, code = "runs", 0
    table = lambda self: "ŵ"
    to_dict = lambda self: {}
def run(**options):
    warnings.warn("the plateau\\nwas not left")
    return Report()
sys.modules["autograd_ae.lecture.demo"] = types.SimpleNamespace(run=run)
"""


def test_a_terminal_without_the_letters_shows_a_question_mark():
    done = process("demo", code=FAKE, env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stdout) == (0, "?\n")


def test_warnings_are_notes_of_one_line_and_quiet_silences_them():
    assert process("demo", code=FAKE).stderr == "autograd-ae: note: the plateau; was not left\n"
    assert process("demo", "--quiet", code=FAKE).stderr == ""


# The data sets.


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """MNIST and Fashion-MNIST of three images each, known by their checksums; writes one of them into a folder."""
    contents = {}
    for name in ("MNIST", "FASHION_MNIST"):
        source = replace(getattr(sources, name), sizes=(2, 1), image_shape=(2, 2))
        rng = np.random.default_rng(len(name))
        arrays = {part: rng.integers(0, 256, source.shape(part)).astype(np.uint8) for part in sources.PARTS}
        (tmp_path / name).mkdir()
        for part, array in arrays.items():
            write_idx(tmp_path / name / f"{part}-idx{array.ndim}-ubyte", array)
        digests = [sha256(path(tmp_path / name, part).read_bytes()).hexdigest() for part in sources.PARTS]
        monkeypatch.setattr(sources, name, replace(source, sha256=tuple(digests)))
        contents[source.name] = tmp_path / name
    return contents


def path(folder, part):
    return next(folder.glob(f"{part}-idx?-ubyte"))


def states(done):
    return {entry["name"]: entry["state"] for entry in json.loads(done.out)["sets"]}


def test_without_any_files_the_embedded_digits_are_there_and_the_rest_can_be_fetched(run):
    done = run("data")
    assert (done.code, done.err) == (0, "")
    assert re.search(r"^embedded digits +verified +8,000 to train, 2,000 to test", done.out, re.MULTILINE)
    assert re.search(r"^MNIST +not found +to get it: autograd-ae data --download mnist$", done.out, re.MULTILINE)
    assert "no system folder: no such folder" in done.out
    assert states(run("data", "--json")) == {"digits": "verified", "mnist": "not found", "fashion-mnist": "not found"}


@pytest.mark.parametrize(("options", "state"), [((), "found"), (("--verify",), "verified")])
def test_files_are_told_apart_by_checksum_not_by_name(run, tiny, options, state):
    done = run("data", "--json", "--folder", str(tiny["mnist"]), *options)
    assert (done.code, states(done)) == (0, {"digits": "verified", "mnist": state, "fashion-mnist": "not found"})
    done = run("data", "--json", "--folder", str(tiny["fashion-mnist"]), *options)
    assert (done.code, states(done)) == (0, {"digits": "verified", "mnist": "not found", "fashion-mnist": state})
    assert json.loads(done.out)["sets"][1]["detail"] == f"the files in {tiny['fashion-mnist']} are Fashion-MNIST's"


def test_places_are_listed_in_the_order_in_which_they_are_looked_into(run, tiny, monkeypatch, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    tiny["mnist"].rename(root / "mnist")
    monkeypatch.setenv("AUTOGRAD_AE_DATA_DIR", str(root))
    done = run("data", "--json")
    looked = json.loads(done.out)["looked"]
    assert [Path(place["folder"]).name for place in looked] == ["root", "no cache", "no system folder"]
    assert looked[0]["files"] == {"": 0, "mnist": 4, "fashion-mnist": 0}
    assert states(done)["mnist"] == "found"
    assert json.loads(done.out)["sets"][1]["folder"] == str(root / "mnist")
    assert f"{root}: 4 of 4 files in mnist" in run("data").out


def test_a_forged_file_is_found_by_verify(run, tiny):
    images = path(tiny["mnist"], "train-images")
    images.write_bytes(images.read_bytes()[:-1] + b"\0")
    arguments = ("data", "--json", "--folder", str(tiny["mnist"]))
    assert states(run(*arguments))["mnist"] == "found"
    done = run(*arguments, "--verify")
    assert (done.code, states(done)["mnist"]) == (1, "wrong")
    assert "train-images" in json.loads(done.out)["sets"][1]["detail"]


def test_a_folder_that_was_named_and_has_nothing_is_exit_code_1(run, tmp_path):
    done = run("data", "--folder", str(tmp_path))
    assert done.code == 1
    assert f"{tmp_path}: none of the files" in done.out


def test_a_download_without_pooch_says_what_to_install(run, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pooch", None)
    done = run("data", "--download", "mnist")
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(r'autograd-ae: error: .*pip install "autograd_ae\[download\]".*\n', done.err)


def test_a_download_of_what_is_there_fetches_nothing(run, tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert run("data", "--download", "mnist", "--folder", str(tiny["mnist"])).code == 0


def test_damaged_digits_are_reported_by_data_and_doctor(run, monkeypatch, tmp_path):
    from autograd_ae.data import digits

    (tmp_path / "digits.npz").write_bytes(b"not a zip file")
    monkeypatch.setattr(digits, "FILE", str(tmp_path / "digits.npz"))
    done = run("data", "--json")
    assert (done.code, states(done)["digits"]) == (1, "wrong")
    (finding,) = doctor._results("embedded digits", doctor.embedded_digits)
    assert not finding.ok
    assert "embedded digits cannot be read" in finding.found


# The doctor.


@pytest.fixture(scope="module")
def healthy():
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
    done = run("doctor", "--quiet")
    assert done.code == 1
    numpy = re.escape(f"{np.__version__} (needs 999.1)")
    assert re.search(rf'^WRONG  numpy  {numpy}\n +→ python -m pip install "numpy>=999.1"$', done.out, re.MULTILINE)
    assert re.search(r"^WRONG  tqdm   cannot be imported: .*\n +→ python -m pip install", done.out, re.MULTILINE)
    assert done.out.endswith("2 of 2 checks failed\n")
    report = json.loads(run("doctor", "--quiet", "--json").out)
    assert [check["name"] for check in report["checks"] if check["remedy"]] == ["numpy", "tqdm"]


def test_progress_goes_to_stderr(run, monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", {"Python": doctor.python})
    assert run("doctor").err == "Python …\n"


def test_the_versions_needed_are_those_of_the_project_file():
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
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
