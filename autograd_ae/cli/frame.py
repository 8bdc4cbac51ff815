"""What all subcommands share.

A subcommand is a function in a file of its own: it is given its parser, adds its arguments, and returns what runs it,
which turns the parsed arguments into an outcome (text, data, exit code). Its docstring is its help. The rest is seen to
here once for all: `--json`, `--quiet`, errors, interruption, closed pipes.

    stdout      results: text, or with --json one JSON object
    stderr      progress, notes, errors; with --quiet errors only. No colours anywhere, so NO_COLOR has nothing to do
    exit code   0 done · 1 something is wrong, and one line says what · 2 wrong usage · 130 interrupted

Wrong usage is whatever the line itself gets wrong: argparse finds some of it, commands the rest (`UsageError`).

Nothing heavy is imported before a subcommand runs, so `--help` takes no longer than Python and argparse do.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import autograd_ae
from autograd_ae.cli.output import UsageError, as_json, one_line

Outcome = tuple[str, dict[str, Any], int]  # for people, for programs, exit code
Run = Callable[[argparse.Namespace], Outcome]
Command = Callable[[argparse.ArgumentParser], Run]

PROGRAM = "autograd-ae"


def exit_codes(one: str = "something is wrong", *more: str) -> str:
    """What the help of a command ends with; `one` is what code 1 means, `more` are codes of its own."""
    one = f"1 {one} (AUTOGRAD_AE_TRACEBACK=1 shows where)"
    return f"Exit codes: {', '.join(['0 done', one, '2 wrong usage', *more, '130 interrupted'])}."


class Help(argparse.HelpFormatter):
    """argparse counts the names of commands two columns short, so that the longest would get a line of its own."""

    def __init__(self, prog: str, **options: Any):
        super().__init__(prog, **options)
        self._action_max_length = 15


class Parser(argparse.ArgumentParser):
    """argparse, with errors of one line, no colours and no abbreviations."""

    def __init__(self, **options: Any):
        super().__init__(**options, allow_abbrev=False)
        self.color = False  # of Python 3.14

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{PROGRAM}: error: {message} (see {self.prog} --help)\n")


def parser_of(commands: Sequence[Command]) -> Parser:
    """The parser of the whole command line."""
    title = "The autoencoder laboratory in which every gradient is derived, checked and fast."
    whole = Parser(prog=PROGRAM, description=title, epilog=exit_codes(), formatter_class=Help)
    whole.add_argument("--version", action="version", version=f"{PROGRAM} {autograd_ae.__version__}")
    subparsers = whole.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for command in commands:
        text = command.__doc__ or ""
        sub = subparsers.add_parser(
            command.__name__, help=text.partition("\n")[0], description=text, epilog=exit_codes()
        )
        sub.set_defaults(run=command(sub), parser=sub)
        sub.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        sub.add_argument("--quiet", action="store_true", help="nothing on stderr but errors")
    return whole


def run(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """Run the command line; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without ŵ shows ?, and nothing breaks
    code = _run(parser, argv)
    try:
        print(end="", flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at exit
        if code == 0 and not isinstance(error, BrokenPipeError):
            _fail(f"error: stdout: {one_line(error)}", 1)
        return code or 1
    return code


def _run(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    try:
        args, unknown = parser.parse_known_args(argv)
        if unknown:
            args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        with _notes(args.quiet):
            text, values, code = _outcome(args)
        print(as_json(values) if args.json else text)
        return code
    except SystemExit as stop:  # --help, --version, wrong usage
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:  # the reader has gone, as in `autograd-ae data | head -1`
        return 1
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        if os.environ.get("AUTOGRAD_AE_TRACEBACK"):
            raise
        hint = f" (try: {PROGRAM} doctor)" if isinstance(error, ImportError) else ""
        return _fail(f"error: {one_line(error)}{hint}", 1)


def _outcome(args: argparse.Namespace) -> Outcome:
    try:
        return args.run(args)
    except UsageError as error:
        parser: Parser = args.parser
        parser.error(one_line(error))


@contextmanager
def _notes(quiet: bool) -> Iterator[None]:
    """Warnings become notes of one line on stderr; if quiet, nothing is said, not even that kernels get compiled."""
    with warnings.catch_warnings():
        if quiet:
            warnings.simplefilter("ignore")
            os.environ["AUTOGRAD_AE_QUIET"] = "1"
        else:
            warnings.showwarning = lambda message, *_: print(f"{PROGRAM}: note: {one_line(message)}", file=sys.stderr)
        yield


def _fail(message: str, code: int) -> int:
    print(f"{PROGRAM}: {message}", file=sys.stderr)
    return code
