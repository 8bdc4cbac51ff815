"""What all commands share: help, usage, exit codes, errors of one line, streams; nothing heavy to say hello."""

import os
import re
import tomllib
from pathlib import Path

import pytest

from autograd_ae import cli
from autograd_ae.data import DataError

COMMANDS = [command.__name__ for command in cli.COMMANDS]
HEAVY = {"numpy", "numba", "matplotlib", "tqdm"}


# Help and usage.


@pytest.mark.parametrize(
    "argv", ["--help", "--version", "demo --help", "train --help", "doctor --help", "demo --seed x"]
)
def test_help_and_usage_errors_load_nothing_heavy(process, argv):
    report = f"import atexit, sys; atexit.register(lambda: print(*({HEAVY} & set(sys.modules)), file=sys.stderr))"
    done = process(*argv.split(), code=report)
    assert done.stderr.splitlines()[-1] == ""


def test_the_module_is_the_command(process, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert process("--help").stdout == run("--help").out
    scripts = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["scripts"]
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
    done = run(argv)
    assert (done.code, done.out) == (2, "")
    help = rf"\(see autograd-ae{command} --help\)"
    assert re.fullmatch(rf"autograd-ae: error: .*{re.escape(message)}.* {help}\n", done.err)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_all_exit_codes(run, command):
    end = " ".join(run(command, "--help").out.split()).rpartition("Exit codes:")[2]
    codes = re.findall(r"(?:^|,) (\d+) ", end)
    assert " ".join(codes) == ("0 1 2 3 130" if command == "check" else "0 1 2 130")


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
def test_a_reader_that_has_gone_is_no_traceback(process, argv, unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    done = process(*argv.split(), stdout=writer, env={"PYTHONUNBUFFERED": unbuffered})
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 1 or argv == "--help"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_disk_is_one_line_and_exit_code_1(process):
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


def test_a_terminal_without_the_letters_shows_a_question_mark(process):
    done = process("demo", code=FAKE, env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stdout) == (0, "?\n")


def test_warnings_are_notes_of_one_line_and_quiet_silences_them(process):
    assert process("demo", code=FAKE).stderr == "autograd-ae: note: the plateau; was not left\n"
    assert process("demo", "--quiet", code=FAKE).stderr == ""
