"""`autograd-ae data`: which sets are at hand, told by checksums, and where they are looked for."""

import json
import re
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from autograd_ae import doctor
from autograd_ae.data import sources, write_idx


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
    assert states(run("data --json")) == {"digits": "verified", "mnist": "not found", "fashion-mnist": "not found"}


@pytest.mark.parametrize(("options", "state"), [((), "found"), (("--verify",), "verified")])
def test_files_are_told_apart_by_checksum_not_by_name(run, tiny, options, state):
    done = run("data --json --folder", str(tiny["mnist"]), *options)
    assert (done.code, states(done)) == (0, {"digits": "verified", "mnist": state, "fashion-mnist": "not found"})
    done = run("data --json --folder", str(tiny["fashion-mnist"]), *options)
    assert (done.code, states(done)) == (0, {"digits": "verified", "mnist": "not found", "fashion-mnist": state})
    assert json.loads(done.out)["sets"][1]["detail"] == f"the files in {tiny['fashion-mnist']} are Fashion-MNIST's"


def test_places_are_listed_in_the_order_in_which_they_are_looked_into(run, tiny, monkeypatch, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    tiny["mnist"].rename(root / "mnist")
    monkeypatch.setenv("AUTOGRAD_AE_DATA_DIR", str(root))
    done = run("data --json")
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
    done = run("data --folder", str(tmp_path))
    assert done.code == 1
    assert f"{tmp_path}: none of the files" in done.out


def test_a_download_without_pooch_says_what_to_install(run, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pooch", None)
    done = run("data --download", "mnist")
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(r'autograd-ae: error: .*pip install "autograd_ae\[download\]".*\n', done.err)


def test_a_download_of_what_is_there_fetches_nothing(run, tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert run("data --download", "mnist", "--folder", str(tiny["mnist"])).code == 0


def test_damaged_digits_are_reported_by_data_and_doctor(run, monkeypatch, tmp_path):
    from autograd_ae.data import digits

    (tmp_path / "digits.npz").write_bytes(b"not a zip file")
    monkeypatch.setattr(digits, "FILE", str(tmp_path / "digits.npz"))
    done = run("data --json")
    assert (done.code, states(done)["digits"]) == (1, "wrong")
    (finding,) = doctor._results("embedded digits", doctor.embedded_digits)
    assert not finding.ok
    assert "embedded digits cannot be read" in finding.found
