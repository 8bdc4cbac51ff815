"""MNIST's four files: found in the documented order, verified whatever their way, fetched only when asked."""

import gzip
import logging
import os
import shutil
import sys
from hashlib import sha256
from types import SimpleNamespace

import numpy as np
import pytest

from autograd_ae.data import DataError, cache_dir, load_digits, load_fashion_mnist, load_mnist, sources, write_idx
from autograd_ae.data.digits import build
from autograd_ae.data.mnist import load
from autograd_ae.data.sources import ENVIRONMENT, PARTS, Source

NAMES = {part: f"{part}-idx{3 if part.endswith('images') else 1}-ubyte" for part in PARTS}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A machine with an empty home and no system folder; the folder that the real environment names, for who asks."""
    real = os.environ.get(ENVIRONMENT)
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.setattr(sources, "SYSTEM_FOLDER", str(tmp_path / "system"))
    return real


@pytest.fixture
def tiny(tmp_path):
    """A source of 7 and 3 images of 2×3 pixels, its files in the folder `original`."""
    rng, folder = np.random.default_rng(0), tmp_path / "original"
    folder.mkdir()
    arrays = [
        rng.integers(0, 256, (n, 2, 3), dtype=np.uint8) if d == 3 else np.arange(n, dtype=np.uint8) for n, d in SHAPES
    ]
    for part, array in zip(PARTS, arrays, strict=True):
        write_idx(folder / NAMES[part], array)
    digests = tuple(sha256((folder / NAMES[part]).read_bytes()).hexdigest() for part in PARTS)
    return Source("tiny", "Tiny", digests, ("https://one.example/", "https://two.example/"), "ours", (7, 3), (2, 3))


SHAPES = [(7, 3), (7, 1), (3, 3), (3, 1)]  # images or labels, dimensions


@pytest.fixture
def install(tmp_path, tiny):
    """Copy the tiny set's files into a folder, plain or compressed."""

    def copy(folder, *, ending="", parts=PARTS, mark="-"):
        folder.mkdir(parents=True, exist_ok=True)
        for part in parts:
            content = (tmp_path / "original" / NAMES[part]).read_bytes()
            name = NAMES[part].replace("-idx", f"{mark}idx") + ending
            (folder / name).write_bytes(gzip.compress(content) if ending else content)
        return folder

    return copy


@pytest.fixture
def pooch(monkeypatch, tmp_path):
    """A stand-in for pooch that serves `original`, spoilt as `broken` says of a mirror, and records the requests."""
    asked, broken = [], {}

    def retrieve(url, known_hash, fname, path, progressbar):
        assert known_hash is None
        asked.append(url)
        mirror = url.removesuffix(fname)
        content = gzip.compress((tmp_path / "original" / fname.removesuffix(".gz")).read_bytes())
        if mirror in broken:
            content = broken[mirror](content)
        target = os.path.join(path, fname)
        with open(target, "wb") as file:
            file.write(content)
        return target

    module = SimpleNamespace(
        retrieve=retrieve, get_logger=lambda: logging.getLogger("stand-in"), asked=asked, broken=broken
    )
    monkeypatch.setitem(sys.modules, "pooch", module)
    return module


def unreachable(content):
    raise ConnectionError("no route to host")


def test_images_become_rows_and_keep_their_labels(tiny, tmp_path):
    data = load(tiny, tmp_path / "original", scale="binary", dtype=np.float64)
    assert (data.name, data.notice) == ("tiny", "ours")
    for part, n in ((data.train, 7), (data.test, 3)):
        assert part.pixels.shape == (n, 6)
        assert part.labels.tolist() == list(range(n))
        assert (part.shape, part.images.dtype) == ((2, 3), np.float64)
        assert set(np.unique(part.images)) <= {0, 1}


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("mark", ["-", "."])
def test_files_may_be_plain_or_compressed_under_their_usual_names(ending, mark, tiny, install, tmp_path):
    assert len(load(tiny, install(tmp_path / "there", ending=ending, mark=mark)).train) == 7


def test_a_folder_may_hold_the_files_or_a_subfolder_of_the_sets_name(tiny, install, tmp_path):
    install(tmp_path / "data" / "tiny")
    assert len(load(tiny, tmp_path / "data").test) == 3
    assert len(load(tiny, str(tmp_path / "data" / "tiny")).test) == 3


def test_places_are_tried_in_the_documented_order(tiny, install, tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "environment"))
    places = [
        tmp_path / "system" / "tiny",
        cache_dir() / "tiny",
        tmp_path / "environment" / "tiny",
        tmp_path / "folder",
    ]
    for number, place in enumerate(places):
        install(place)
        folder = tmp_path / "folder" if number == 3 else None
        assert {path.parent for path in sources.find(tiny, folder).values()} == {place}


def test_an_incomplete_folder_is_passed_over_for_a_complete_one(tiny, install, tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(install(tmp_path / "environment", parts=PARTS[:3])))
    install(cache_dir() / "tiny")
    assert {path.parent for path in sources.find(tiny).values()} == {cache_dir() / "tiny"}


def test_an_explicit_folder_is_the_only_place(tiny, install, tmp_path):
    install(cache_dir() / "tiny")
    assert len(load(tiny).train) == 7
    with pytest.raises(DataError, match="mistyped is no folder"):
        load(tiny, tmp_path / "mistyped")


def test_what_is_missing_is_listed_place_by_place_with_the_remedy(tiny, install, tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(install(tmp_path / "environment", parts=PARTS[1:3])))
    (tmp_path / "system").mkdir()
    with pytest.raises(DataError) as caught:
        load(tiny)
    message = str(caught.value)
    assert "environment lacks train-images, t10k-labels" in message
    assert f"{cache_dir()} is no folder" in message
    assert "system has none of the files" in message
    for remedy in (ENVIRONMENT, "download=True", 'pip install "autograd_ae[download]"'):
        assert remedy in message


@pytest.mark.parametrize("loader", [load_mnist, load_fashion_mnist])
def test_the_public_loaders_say_what_was_not_found(loader, tmp_path):
    with pytest.raises(DataError, match="MNIST was not found"):
        loader()
    with pytest.raises(DataError, match="is no folder"):
        loader(tmp_path / "absent")
    with pytest.raises(ValueError, match="unknown scale"):
        loader(scale="unitt")


@pytest.mark.parametrize("part", PARTS)
def test_one_changed_pixel_or_label_is_noticed(part, tiny, install, tmp_path):
    path = install(tmp_path / "there") / NAMES[part]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"not Tiny's {part}: its decompressed bytes have SHA-256"):
        load(tiny, tmp_path / "there")


@pytest.mark.parametrize("part", PARTS)
def test_a_truncated_or_exchanged_file_is_noticed(part, tiny, install, tmp_path):
    path = install(tmp_path / "there", ending=".gz") / f"{NAMES[part]}.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="truncated"):
        load(tiny, tmp_path / "there")
    other = PARTS[(PARTS.index(part) + 2) % 4]  # of the other half
    shutil.copy(tmp_path / "original" / NAMES[other], path)
    with pytest.raises(DataError, match="this is another file"):
        load(tiny, tmp_path / "there")


def test_another_known_set_is_called_by_its_name(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MNIST", tiny)
    sister = Source("sister", "Sister", tuple("0" * 64 for _ in PARTS), (), "", (7, 3), (2, 3))
    with pytest.raises(DataError, match="this is Tiny's train-images, not Sister's train-images"):
        load(sister, tmp_path / "original")


def test_the_published_sets_are_described_alike_and_share_no_checksum():
    digests = [digest for source in (sources.MNIST, sources.FASHION_MNIST) for digest in source.sha256]
    assert len({*digests}) == 8
    assert all(len(digest) == 64 and set(digest) <= set("0123456789abcdef") for digest in digests)
    assert sources.MNIST.shape("train-images") == sources.FASHION_MNIST.shape("train-images") == (60_000, 28, 28)
    assert sources.MNIST.shape("t10k-labels") == (10_000,)


def test_nothing_is_fetched_unless_asked(tiny, pooch):
    with pytest.raises(DataError, match="was not found"):
        load(tiny)
    assert not pooch.asked


def test_nothing_is_fetched_that_is_there(tiny, pooch, install):
    install(cache_dir() / "tiny")
    load(tiny, download=True)
    assert not pooch.asked


def test_a_download_goes_to_the_cache_and_is_used_from_there(tiny, pooch):
    assert len(load(tiny, download=True).train) == 7
    assert pooch.asked == [f"https://one.example/{NAMES[part]}.gz" for part in PARTS]
    assert sorted(os.listdir(cache_dir() / "tiny")) == sorted(f"{name}.gz" for name in NAMES.values())
    assert len(load(tiny).train) == 7


def test_a_download_goes_to_the_folder_that_was_named(tiny, pooch, tmp_path):
    load(tiny, tmp_path / "mine" / "deep", download=True)
    assert len(os.listdir(tmp_path / "mine" / "deep")) == 4
    assert not cache_dir().exists()


@pytest.mark.parametrize(
    "fault", [unreachable, lambda c: c[:-1], lambda c: b"<html>", lambda c: gzip.compress(b"wrong")]
)
def test_a_mirror_that_fails_or_lies_is_replaced_by_the_next(fault, tiny, pooch):
    pooch.broken["https://one.example/"] = fault
    assert len(load(tiny, download=True).train) == 7
    assert pooch.asked[:2] == [f"https://{mirror}.example/{NAMES['train-images']}.gz" for mirror in ("one", "two")]


def test_when_every_mirror_fails_the_reasons_are_given_and_nothing_stays_behind(tiny, pooch):
    pooch.broken |= {"https://one.example/": unreachable, "https://two.example/": lambda content: content[:-1]}
    with pytest.raises(DataError, match="could not be fetched") as caught:
        load(tiny, download=True)
    for reason in ("https://one.example/: no route to host", "https://two.example/: ", "truncated"):
        assert reason in str(caught.value)
    assert not os.listdir(cache_dir() / "tiny")


def test_without_pooch_the_extra_is_named(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataError, match=r'pip install "autograd_ae\[download\]"'):
        load(tiny, download=True)


@pytest.mark.parametrize(
    ("platform", "folder"), [("linux", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData/Local")]
)
def test_the_cache_is_where_the_system_keeps_caches(platform, folder, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("LOCALAPPDATA")
    assert cache_dir() == tmp_path / "home" / folder / "autograd_ae"


def test_the_whole_of_mnist_begins_with_the_embedded_digits(home):
    if not home:
        pytest.skip(f"set {ENVIRONMENT} to a folder with MNIST's four IDX files")
    try:
        mnist = load_mnist(home)
    except DataError as error:
        if "was not found" not in str(error):
            raise
        pytest.skip(str(error))
    assert (len(mnist.train), len(mnist.test)) == (60_000, 10_000)
    mean = mnist.train.pixels.mean(axis=0) / 255
    errors = [np.sum((part.pixels / 255 - mean) ** 2) / len(part) for part in (mnist.train, mnist.test)]
    np.testing.assert_allclose(errors, [52.725035, 52.896533], rtol=0, atol=1e-6)
    digits, first = load_digits(), mnist.train.take(slice(10_000))
    embedded = np.concatenate([digits.train.pixels, digits.test.pixels])[np.argsort(build.shuffled(10_000))]
    assert np.array_equal(first.pixels[np.argsort(first.labels, kind="stable")], embedded)
