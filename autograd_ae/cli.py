"""The command line, `autograd-ae` or `python -m autograd_ae`.

A subcommand is one name in COMMANDS: a function that is given its parser, adds its arguments, and returns what runs it,
which turns the parsed arguments into an outcome (text, data, exit code). Its docstring is its help. The rest is seen to
here once for all: `--json`, `--quiet`, errors, interruption, closed pipes.

    stdout      results: text, or with --json one JSON object
    stderr      progress, notes, errors; with --quiet errors only. No colours anywhere, so NO_COLOR has nothing to do
    exit code   0 done · 1 something is wrong, and one line says what · 2 wrong usage · 130 interrupted

Nothing heavy is imported before a subcommand runs, so `--help` takes no longer than Python and argparse do.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import autograd_ae

if TYPE_CHECKING:
    from pathlib import Path

    from autograd_ae.data.sources import Source

Outcome = tuple[str, dict[str, Any], int]  # for people, for programs, exit code
Run = Callable[[argparse.Namespace], Outcome]

PROGRAM = "autograd-ae"
SECTIONS = ("rank-one", "pca", "autoencoder")  # of the demo
EPILOG = (
    "Exit codes: 0 done, 1 something is wrong (AUTOGRAD_AE_TRACEBACK=1 shows where), 2 wrong usage, 130 interrupted."
)


# The subcommands.


def demo(parser: argparse.ArgumentParser) -> Run:
    """Train the first models on real digits and report them against their closed forms.

    The rank-one example, PCA as a neural network, and the 8-layer sigmoid autoencoder. A table goes to stdout; figures
    and results.json into a folder.
    """
    parser.add_argument("--out", metavar="FOLDER", help="where figures and results go (default: runs/<date and time>)")
    parser.add_argument("--force", action="store_true", help="write into FOLDER even if it is not empty")
    parser.add_argument("--data", metavar="FOLDER", help="MNIST's IDX files, instead of the embedded digits")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this section only (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="fewer epochs: to see it run, not for its figures")
    parser.add_argument("--seed", type=_seed, default=0, help="of all random numbers (default: 0)")
    return _demo


def _demo(args: argparse.Namespace) -> Outcome:
    from pathlib import Path

    out = _new_folder(args.out, args.force)
    from autograd_ae.lecture.demo import run

    report = run(
        out=Path(out) if out else None,
        data=Path(args.data).expanduser() if args.data else None,
        only=tuple(dict.fromkeys(args.only or ())),
        quick=args.quick,
        seed=args.seed,
        quiet=args.quiet,
    )
    return report.table(), {"folder": str(report.folder), **report.to_dict()}, 0


def _new_folder(name: str | None, force: bool) -> str | None:
    """`name`, if results may go there."""
    folder = os.path.expanduser(name) if name else None
    if folder and os.path.exists(folder) and not os.path.isdir(folder):
        raise ValueError(f"--out {folder} is a file; name a folder")
    if folder and not force and os.path.isdir(folder) and os.listdir(folder):
        raise ValueError(f"--out {folder} is not empty; name another folder, or add --force to write into this one")
    return folder


def data(parser: argparse.ArgumentParser) -> Run:
    """Show which data sets are at hand, and where they are looked for.

    The digits embedded in the package are always verified; MNIST and Fashion-MNIST are four IDX files each.
    """
    parser.add_argument("--folder", metavar="FOLDER", help="look in this folder only")
    parser.add_argument("--verify", action="store_true", help="compare the SHA-256 of every file that is found")
    parser.add_argument(
        "--download", choices=("mnist", "fashion-mnist"), help='if not found (needs the extra "download")'
    )
    return _data


def _data(args: argparse.Namespace) -> Outcome:
    from autograd_ae.data import sources
    from autograd_ae.data.download import fetch_missing

    known = {source.name: source for source in (sources.MNIST, sources.FASHION_MNIST)}
    if args.download:
        fetch_missing(known[args.download], args.folder)
    sets = [_embedded(), *(_survey(source, args.folder, args.verify) for source in known.values())]
    looked = [_inventory(root) for root in sources._roots(args.folder)]
    wrong = any(s["state"] == "wrong" for s in sets)
    useless = args.folder is not None and all(s["state"] == "not found" for s in sets[1:])
    lines = [f"{s['title']:15}  {s['state']:9}  {s['detail']}" for s in sets]
    lines += ["", "The four IDX files of a data set are looked for, in this order, in"]
    lines += [f"  {place['folder']}: {place['text']}" for place in looked]
    return "\n".join(lines), {"sets": sets, "looked": looked}, int(wrong or useless)


def _embedded() -> dict[str, Any]:
    from autograd_ae.data import DataError, digits

    entry = {"name": "digits", "title": "embedded digits", "folder": os.path.dirname(digits.FILE)}
    try:
        digits.read(digits.FILE)
    except DataError as error:
        return {**entry, "state": "wrong", "detail": _one_line(error)}
    detail = f"{digits.N_TRAIN:,} to train, {digits.N_TEST:,} to test, part of MNIST's training set"
    return {**entry, "state": "verified", "detail": detail}


def _survey(source: Source, folder: str | None, verify: bool) -> dict[str, Any]:
    """Is `source` at hand? The smallest of its files is always verified: other data sets use the same names."""
    from autograd_ae.data import DataError, sources

    entry: dict[str, Any] = {"name": source.name, "title": source.title, "folder": None}
    try:
        files = sources.find(source, folder)
    except DataError:
        where = f" --folder {folder}" if folder else ""
        return {**entry, "state": "not found", "detail": f"to get it: {PROGRAM} data --download {source.name}{where}"}
    entry["folder"] = str(files["t10k-labels"].parent)
    try:
        for part in sources.PARTS if verify else ("t10k-labels",):
            sources.verified(source, part, files[part])
    except DataError as error:
        other = next(s for s in (sources.MNIST, sources.FASHION_MNIST) if s.name != source.name)
        try:
            sources.verified(other, "t10k-labels", files["t10k-labels"])
        except DataError:
            return {**entry, "state": "wrong", "detail": _one_line(error)}
        return {**entry, "state": "not found", "detail": f"the files in {entry['folder']} are {other.title}'s"}
    return {**entry, "state": "verified" if verify else "found", "detail": entry["folder"]}


def _inventory(root: Path) -> dict[str, Any]:
    """How many of a data set's four files are in `root`, and in its subfolders mnist and fashion-mnist."""
    from autograd_ae.data import sources

    files = {name: len(sources._files(root / name)) for name in ("", sources.MNIST.name, sources.FASHION_MNIST.name)}
    parts = [f"{n} of 4 files" + (f" in {name}" if name else "") for name, n in files.items() if n]
    text = ", ".join(parts) or ("none of the files" if root.is_dir() else "no such folder")
    return {"folder": str(root), "exists": root.is_dir(), "files": files, "text": text}


def doctor(parser: argparse.ArgumentParser) -> Run:
    """Check the installation: versions, BLAS, kernels against their references, cache folder, digits, figures.

    Exit code 1 if anything is wrong, with the remedy.
    """
    return _doctor


def _doctor(args: argparse.Namespace) -> Outcome:
    from autograd_ae import doctor

    note = (lambda name: None) if args.quiet else (lambda name: print(f"{name} …", file=sys.stderr))
    findings = doctor.examine(note)
    return doctor.table(findings), doctor.to_dict(findings), int(not all(f.ok for f in findings))


def check(parser: argparse.ArgumentParser) -> Run:
    """Check gradients: those of every op, your own, and the checker itself on planted faults.

    Your own: FILE.py::NAME, where the file defines NAME(x), a number, NAME_grad(x), its gradient, and NAME_point, the
    point (tuples for several arguments); for an array-valued function NAME_vjp(x, u) instead of NAME_grad. A gradient
    that disagrees is diagnosed. Exit code 0: agrees, 1: disagrees, 3: undecided.
    """
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="ops by name, or FILE.py::NAME (default: all ops)")
    parser.add_argument("--shape", action="append", type=_shape, metavar="3,4", help="random point, once per argument")
    parser.add_argument("--faults", action="store_true", help="plant faults in every rule: which do the laws kill?")
    parser.add_argument("--cases", type=_count, metavar="N", help="N correct gradients at hard points: false alarms?")
    parser.add_argument("--seed", type=_seed, default=0, help="of all random numbers (default: 0)")

    def run(args: argparse.Namespace) -> Outcome:
        from autograd_ae.testing.command import run as checked
        from autograd_ae.testing.user_file import TargetError

        try:
            return checked(args, _silent if args.quiet else _progress)
        except TargetError as error:
            parser.error(_one_line(error))

    return run


def _silent(_text: str) -> None:
    """With --quiet."""


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text} …", end="\r", file=sys.stderr, flush=True)


COMMANDS = (demo, data, doctor, check)


# What all of them share.


class Parser(argparse.ArgumentParser):
    """argparse, with errors of one line, no colours and no abbreviations."""

    def __init__(self, **options: Any):
        super().__init__(**options, allow_abbrev=False)
        self.color = False  # of Python 3.14

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{PROGRAM}: error: {message} (see {self.prog} --help)\n")


def parser() -> Parser:
    """The parser of the whole command line."""
    title = "The autoencoder laboratory in which every gradient is derived, checked and fast."
    whole = Parser(prog=PROGRAM, description=title, epilog=EPILOG)
    whole.add_argument("--version", action="version", version=f"{PROGRAM} {autograd_ae.__version__}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for command in COMMANDS:
        text = command.__doc__ or ""
        sub = commands.add_parser(command.__name__, help=text.partition("\n")[0], description=text, epilog=EPILOG)
        sub.set_defaults(run=command(sub))
        sub.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        sub.add_argument("--quiet", action="store_true", help="nothing on stderr but errors")
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without ŵ shows ?, and nothing breaks
    code = _run(argv)
    try:
        print(end="", flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at exit
        if code == 0 and not isinstance(error, BrokenPipeError):
            _fail(f"error: stdout: {_one_line(error)}", 1)
        return code or 1
    return code


def _run(argv: Sequence[str] | None) -> int:
    try:
        args = parser().parse_args(argv)
        with _notes(args.quiet):
            text, values, code = args.run(args)
        print(_json(values) if args.json else text)
        return code
    except SystemExit as stop:  # --help, --version, wrong usage
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:  # the reader has gone, as in `autograd-ae data | head -1`
        return 1
    except (ValueError, OSError, ImportError) as error:
        if os.environ.get("AUTOGRAD_AE_TRACEBACK"):
            raise
        hint = f" (try: {PROGRAM} doctor)" if isinstance(error, ImportError) else ""
        return _fail(f"error: {_one_line(error)}{hint}", 1)


@contextmanager
def _notes(quiet: bool) -> Iterator[None]:
    """Warnings become notes of one line on stderr; if quiet, nothing is said, not even that kernels get compiled."""
    with warnings.catch_warnings():
        if quiet:
            warnings.simplefilter("ignore")
            os.environ["AUTOGRAD_AE_QUIET"] = "1"
        else:
            warnings.showwarning = lambda message, *_: print(f"{PROGRAM}: note: {_one_line(message)}", file=sys.stderr)
        yield


def _fail(message: str, code: int) -> int:
    print(f"{PROGRAM}: {message}", file=sys.stderr)
    return code


def _one_line(error: object) -> str:
    """A message of several lines as one."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = ""
    for line in filter(None, map(str.strip, str(error).splitlines())):
        mark = "" if not text or text.endswith((":", ",", ".")) else "." if line[0].isupper() else ";"
        text += f"{mark} {line}"
    return text.strip() or type(error).__name__


def _json(values: Any) -> str:
    import json

    return json.dumps(_plain(values), indent=2, allow_nan=False, ensure_ascii=True)


def _plain(value: Any) -> Any:
    """Only what JSON has: NumPy's numbers and arrays, tuples and paths converted, NaN and infinity null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _seed(text: str) -> int:
    try:
        seed = int(text)
    except ValueError:
        seed = -1
    if seed < 0:
        raise argparse.ArgumentTypeError(f"a seed is an integer that is not negative, not {text!r}")
    return seed


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number of cases is a positive integer, not {text!r}")
    return int(text)


def _shape(text: str) -> tuple[int, ...]:
    """`3,4` is (3, 4); an empty text is the shape of a number, ()."""
    sizes = [size.strip() for size in text.split(",") if size.strip()]
    if not all(map(str.isdecimal, sizes)):
        raise argparse.ArgumentTypeError(f"a shape is sizes with commas, such as 3,4, not {text!r}")
    return tuple(map(int, sizes))
