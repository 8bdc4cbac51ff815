"""A run of the chapter: as text, as JSON, and as a folder with report.html, results.json and the figures as PNG."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import autograd_ae as ae
from autograd_ae.lecture.environment import environment
from autograd_ae.lecture.section import Section


@dataclass
class Report:
    """The sections of a run and where they are written.

    folder : the run folder.   planned : names of the sections that were asked for.   settings : data, seed, quick.
    sections : those that are done.   interrupted : whether Ctrl-C came before all were.
    seconds, cpu_seconds : of the whole run, by the clock and of all its threads.
    """

    folder: Path
    planned: list[str]
    settings: dict[str, Any]
    sections: list[Section] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    interrupted: bool = False
    environment: dict[str, str] = field(default_factory=environment)

    @property
    def missing(self) -> list[str]:
        """Sections that were asked for and not done."""
        return self.planned[len(self.sections) :]

    @property
    def code(self) -> int:
        """The exit code: 0, 1 where a section failed or a law does not hold, 130 after Ctrl-C."""
        return 130 if self.interrupted else int(not all(section.ok for section in self.sections))

    @property
    def verdicts(self) -> list[bool]:
        return [holds for section in self.sections for holds in section.verdicts]

    @property
    def outcome(self) -> str:
        """The run in a sentence."""
        parts = [f"{sum(self.verdicts)} of {len(self.verdicts)} claims hold"]
        if failed := [section.key for section in self.sections if section.error]:
            parts.append(f"failed: {', '.join(failed)}")
        if self.missing:
            parts.append(f"{'interrupted' if self.interrupted else 'running'}, not done: {', '.join(self.missing)}")
        return "; ".join(parts)

    def table(self) -> str:
        """The run as text."""
        head = f"autograd_ae {ae.__version__}, {self.settings['data']}, seed {self.settings['seed']}"
        foot = f"{self.outcome}; {self.seconds:.0f} s in all ({self.cpu_seconds:.0f} CPU-s)\n"
        foot += f"report: {self.folder / 'report.html'} (figures and results.json beside it)"
        return "\n\n".join([head, *(section.text() for section in self.sections), foot])

    def to_dict(self) -> dict[str, Any]:
        """Settings, environment and every number, ready for JSON."""
        return {
            "settings": self.settings,
            "environment": self.environment,
            "outcome": self.outcome,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "interrupted": self.interrupted,
            "not_done": self.missing,
            "results": {section.key: section.to_dict() for section in self.sections},
        }

    def write(self) -> None:
        """Figures that are not there yet, results.json, report.html."""
        from autograd_ae.lecture.report_page import document

        pngs = {name: self._png(name, picture) for s in self.sections for name, picture in s.pictures.items()}
        (self.folder / "results.json").write_text(json.dumps(plain(self.to_dict()), indent=2, allow_nan=False) + "\n")
        (self.folder / "report.html").write_text(document(self, pngs), encoding="utf-8")

    def _png(self, name: str, picture: Any) -> bytes:
        """A figure as the bytes of its file, drawn once."""
        if name not in self._drawn:
            self._drawn[name] = ae.plot.save(picture.figure, self.folder / f"{name}.png").read_bytes()
        return self._drawn[name]

    _drawn: dict[str, bytes] = field(default_factory=dict, init=False, repr=False)


def plain(value: Any) -> Any:
    """Only what JSON has: arrays as lists, NaN and infinity as null, anything else as text.

    >>> plain({"a": (1, float("nan")), 2: Path("x")})
    {'a': [1, None], '2': 'x'}
    """
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
