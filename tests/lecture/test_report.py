"""The report: what it keeps when an experiment fails or is stopped, and that its page needs nothing but itself."""

import json
import os
import re
import signal
from html.parser import HTMLParser

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.lecture import chapter, demo
from autograd_ae.lecture.report import Report, plain
from autograd_ae.lecture.section import Section


def good(digits, *, seed, quick, verbose):
    section = Section("good", "A good <section>", "1 < 2 & so on", "Section 1", (r"x^2",))
    section.at_most("error", 0.5, 1.0, "theorem", key="error")
    section.at_least("NaN is no proof", 2.0, 1.0)
    section.add("a word", "5°")
    section.say(f"seed {seed}, {'quick' if quick else 'full'}")
    curve = {"loss": ([1, 2], [3.0, 2.0])}
    figure = ae.plot.learning_curves(curve, xlabel="epoch", ylabel="error")
    section.show("curve", figure, 'A "falling" curve & more', "Caption <1>")
    section.settings["epochs"] = "2"
    return section


def bad(digits, **_):
    raise RuntimeError("it <broke>")


def untrue(digits, **_):
    section = Section("untrue", "Untrue", "2 < 1")
    section.below("two", 2.0, 1.0)
    return section


def stopped(digits, **_):
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(10**6):  # the signal is delivered between two instructions
        pass
    raise AssertionError("the demo did not stop")


FAKES = {"good": good, "bad": bad, "untrue": untrue, "stopped": stopped}


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a demo of these fake sections."""

    def call(*names, **options):
        modules = {
            f"autograd_ae.lecture.{name}": type("Module", (), {"run": staticmethod(FAKES[name])}) for name in names
        }
        monkeypatch.setattr(chapter, "import_module", modules.__getitem__)
        monkeypatch.setattr(chapter, "MODULES", dict(zip(names, names, strict=True)))
        monkeypatch.setattr(demo, "SECTIONS", names)
        return demo.run(out=tmp_path / "run", quiet=True, **options)

    return call


class Page(HTMLParser):
    """Every tag with its attributes; what is opened is closed, and ids are unique."""

    VOID = ("meta", "br", "img", "hr")

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert not self.open
        ids = [a["id"] for _, a in self.tags if "id" in a]
        assert len(ids) == len(set(ids))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def assert_self_contained(text):
    """No script, nothing fetched, every picture inside and described, every link to a place in the page."""
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "form"}
    assert not re.search(r"url\(|@import|\son\w+=\"", text)
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert all(a["src"].startswith("data:image/png;base64,") and len(a["alt"]) > 15 for a in images)
    assert all(int(a["width"]) <= 800 for a in images)
    ids = {a["id"] for _, a in page.tags if "id" in a}
    links = [a["href"] for tag, a in page.tags if tag == "a"]
    assert links
    assert {link.removeprefix("#") for link in links} <= ids
    return page, images


def test_a_run_is_written_as_a_page_numbers_and_figures(run, tmp_path):
    report = run("good", seed=7)
    assert report.code == 0
    assert {p.name for p in (tmp_path / "run").iterdir()} == {"report.html", "results.json", "curve.png"}
    page, images = assert_self_contained((tmp_path / "run" / "report.html").read_text(encoding="utf-8"))
    assert [a["alt"] for a in images] == ['A "falling" curve & more']
    assert "math" in {tag for tag, _ in page.tags}
    for shown in (
        "A good <section>",
        "1 < 2 & so on",
        "seed 7, full",
        "holds",
        "2 of 2 hold",
        "Caption <1>",
        ae.__version__,
    ):
        assert shown in page.text
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["results"]["good"]["numbers"] == {"error": 0.5}
    assert results["settings"]["seed"] == 7
    assert results["environment"]["numpy"] == np.__version__


def test_a_section_that_fails_is_reported_and_the_others_run(run, tmp_path):
    report = run("bad", "good")
    assert report.code == 1
    assert [s.key for s in report.sections] == ["bad", "good"]
    assert "failed: bad" in report.table()
    assert "RuntimeError: it <broke>" in report.table()
    page, _ = assert_self_contained((tmp_path / "run" / "report.html").read_text(encoding="utf-8"))
    assert "RuntimeError: it <broke>" in page.text
    assert "Traceback" in page.text
    assert "2 of 2 claims hold" in page.text


def test_a_claim_that_does_not_hold_is_exit_code_1_and_says_so(run):
    report = run("untrue", "good")
    assert report.code == 1
    assert "FAILS" in report.table()
    assert "2 of 3 claims hold" in report.table()


def test_ctrl_c_leaves_a_report_of_what_is_done(run, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    report = run("good", "stopped", "untrue")
    assert report.code == 130
    assert report.missing == ["stopped", "untrue"]
    assert "interrupted, not done: stopped, untrue" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "run" / "results.json").read_text())["not_done"] == ["stopped", "untrue"]
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_is_not_taken_for_the_end_of_one_training(monkeypatch, tmp_path):
    """Training catches KeyboardInterrupt and keeps what it has; the demo's own exception passes through."""

    def train(digits, *, seed, quick, verbose):
        def press(model, epoch):
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(10**6):
                pass

        ae.Autoencoder(1, hidden_layer_sizes=(), max_iter=3).fit(
            np.random.default_rng(0).random((8, 3)), callback=press
        )
        raise AssertionError("training went on")

    monkeypatch.setattr(chapter, "import_module", lambda name: type("Module", (), {"run": staticmethod(train)}))
    assert demo.run(out=tmp_path / "run", only=("pca",), quiet=True).code == 130


def test_sections_run_in_the_chapters_order_and_only_those_asked_for(run):
    assert [s.key for s in run("good", "untrue", only=("untrue",)).sections] == ["untrue"]
    with pytest.raises(ValueError, match="unknown section vae; there are good"):
        run("good", only=("vae",))


@pytest.mark.parametrize(("method", "bound"), [("at_most", 1.0), ("below", 1.0), ("at_least", 1.0)])
def test_nan_proves_nothing(method, bound):
    section = Section("k", "t", "c")
    getattr(section, method)("q", float("nan"), bound)
    assert section.verdicts == [False]


def test_bounds_include_what_they_say():
    section = Section("k", "t", "c")
    section.at_most("q", 1.0, 1.0)
    section.below("q", 1.0, 1.0)
    section.at_least("q", 1.0, 1.0)
    assert section.verdicts == [True, False, True]


def test_json_has_no_nan_and_no_arrays(tmp_path):
    values = {"a": np.arange(2), "b": np.float32(np.inf), "c": (1, {"d": None}), "e": range(2)}
    assert plain(values) == {"a": [0, 1], "b": None, "c": [1, {"d": None}], "e": [0, 1]}


def test_an_empty_report_is_a_page(tmp_path):
    report = Report(tmp_path, ["pca"], {"data": "d", "notice": "", "seed": 0, "quick": True})
    report.write()
    assert_self_contained((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "running, not done: pca" in report.outcome
