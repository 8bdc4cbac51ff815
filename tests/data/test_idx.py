"""IDX files: what is written is read back bit for bit; what is damaged, forged or too large gives one DataError."""

import gzip
import os
import tracemalloc
from hashlib import sha256

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_ae.data import DataError, read_idx, write_idx

DTYPES = ("uint8", "int8", "int16", "int32", "float32", "float64")
CODES = dict(zip(DTYPES, (0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E), strict=True))
SAMPLE = np.array([[1, -2, 300], [4, 5, -32768]], np.int16)

arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4))
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A path to write to, again and again."""
    return tmp_path_factory.mktemp("idx") / "file"


def header(code, *shape):
    return bytes([0, 0, code, len(shape)]) + b"".join(d.to_bytes(4, "big") for d in shape)


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("ending", ["", ".gz"])
@settings(max_examples=100)
@given(array=arrays)
def test_every_element_type_is_read_back_bit_for_bit(array, ending, file):
    path = file.with_suffix(ending)
    write_idx(path, array)
    back = read_idx(path)
    assert same_bits(back, array)
    assert back.dtype.isnative
    assert back.flags.c_contiguous
    assert back.flags.writeable


@given(array=arrays)
def test_memory_order_and_byte_order_do_not_change_the_file(array, file):
    write_idx(file, array)
    expected = file.read_bytes()
    for other in (np.array(array, order="F"), array.astype(array.dtype.newbyteorder("S")), array[...][()]):
        write_idx(file, other)
        assert file.read_bytes() == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("00 00 08 01 00 00 00 03  05 00 ff", np.array([5, 0, 255], np.uint8)),
        ("00 00 09 01 00 00 00 02  80 7f", np.array([-128, 127], np.int8)),
        ("00 00 0b 02 00 00 00 01 00 00 00 02  01 02 ff fe", np.array([[258, -2]], np.int16)),
        ("00 00 0c 01 00 00 00 01  00 01 00 00", np.array([65536], np.int32)),
        ("00 00 0d 01 00 00 00 02  3f 80 00 00 c0 20 00 00", np.array([1, -2.5], np.float32)),
        ("00 00 0e 01 00 00 00 01  bf e0 00 00 00 00 00 00", np.array([-0.5], np.float64)),
        ("00 00 08 00  07", np.array(7, np.uint8)),
        ("00 00 0d 02 00 00 00 00 00 00 00 05", np.empty((0, 5), np.float32)),
    ],
)
def test_bytes_mean_what_the_specification_says(content, expected, file):
    file.write_bytes(bytes.fromhex(content))
    assert same_bits(read_idx(file), expected)
    write_idx(file, expected)
    assert file.read_bytes() == bytes.fromhex(content)


def test_compression_is_recognised_by_content_not_by_name(tmp_path):
    write_idx(tmp_path / "a.gz", SAMPLE)
    (tmp_path / "a").write_bytes((tmp_path / "a.gz").read_bytes())
    write_idx(tmp_path / "b", SAMPLE)
    (tmp_path / "b.gz").write_bytes((tmp_path / "b").read_bytes())
    assert same_bits(read_idx(tmp_path / "a"), SAMPLE)
    assert same_bits(read_idx(tmp_path / "b.gz"), SAMPLE)


def test_concatenated_gzip_members_and_zero_padding_are_read_as_gzip_reads_them(file):
    content = header(CODES["int16"], *SAMPLE.shape) + SAMPLE.astype(">i2").tobytes()
    file.write_bytes(gzip.compress(content[:7]) + gzip.compress(content[7:]) + bytes(512))
    assert same_bits(read_idx(file), SAMPLE)


def test_the_same_array_gives_the_same_file(tmp_path):
    for name in ("a.gz", "b.gz"):
        write_idx(tmp_path / name, SAMPLE)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert (tmp_path / "a.gz").read_bytes()[4:8] == bytes(4)  # no time of writing


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_every_truncation_gives_the_error(ending, tmp_path):
    path = tmp_path / f"whole{ending}"
    write_idx(path, SAMPLE)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=str(path)):
            read_idx(path)


@pytest.mark.parametrize(
    "tail",
    [b"\1", b"\xff", b"\1\0\0", gzip.compress(b"\0"), gzip.compress(bytes(5000))],
    ids=["1", "255", "1 0 0", "gzip of a byte", "gzip of zeros"],  # gzip's bytes hold the time: no name for a test
)
def test_bytes_after_the_array_are_refused(tail, tmp_path):
    for name in ("a", "a.gz"):
        write_idx(tmp_path / name, SAMPLE)
        with open(tmp_path / name, "ab") as f:
            f.write(tail)
        with pytest.raises(DataError):
            read_idx(tmp_path / name)


def test_a_zero_byte_after_a_plain_array_is_refused(file):
    write_idx(file, SAMPLE)
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(DataError, match="trailing bytes"):
        read_idx(file)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_with_a_checksum_no_flipped_bit_passes_unless_the_content_is_the_same(ending, tmp_path):
    path = tmp_path / f"whole{ending}"
    write_idx(tmp_path / "plain", SAMPLE)
    digest = sha256((tmp_path / "plain").read_bytes()).hexdigest()
    write_idx(path, SAMPLE)
    whole = path.read_bytes()
    assert same_bits(read_idx(path, sha256=digest), SAMPLE)
    passed = 0
    for bit in range(8 * len(whole)):
        forged = bytearray(whole)
        forged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(forged)
        try:
            assert same_bits(read_idx(path, sha256=digest), SAMPLE)
            passed += 1  # time, flags and operating system in a gzip header say nothing about the content
        except DataError:
            pass
    assert passed == 0 if not ending else passed <= 8 * 10


@settings(max_examples=200)
@given(content=st.binary(max_size=64))
def test_any_bytes_are_an_array_of_exactly_that_length_or_the_error(content, file):
    file.write_bytes(content)
    try:
        array = read_idx(file)
    except DataError:
        return
    assert len(content) == 4 + 4 * array.ndim + array.nbytes


@settings(max_examples=300)
@given(
    code=st.sampled_from([*CODES.values()]),
    shape=st.lists(st.sampled_from([0, 1, 2, 3, 255, 65536, 2**31, 2**32 - 1]), max_size=70),
    tail=st.binary(max_size=24),
    zipped=st.booleans(),
)
def test_any_claim_is_true_or_the_error(code, shape, tail, zipped, file):
    content = header(code, *shape) + tail
    file.write_bytes(gzip.compress(content) if zipped else content)
    try:
        array = read_idx(file)
    except DataError:
        return
    assert array.shape == tuple(shape)
    assert array.nbytes == len(tail)


@pytest.mark.parametrize(
    "magic", ["00 01 08 01", "01 00 08 01", "00 00 0a 01", "00 00 00 01", "00 00 08 41", "50 4b 03 04"]
)
def test_a_foreign_magic_number_is_named(magic, file):
    file.write_bytes(bytes.fromhex(magic) + bytes(300))
    with pytest.raises(DataError, match=f"begins with {magic}"):
        read_idx(file)


def peak_of_refusal(path, **options):
    """The most memory, in bytes, that was in use while `path` was refused."""
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            read_idx(path, **options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


FORGERIES = {
    "plain": header(0x0E, 2**32 - 1, 2**32 - 1, 2**32 - 1) + b"x",
    "empty but huge": header(0x0E, 0, 2**32 - 1, 2**32 - 1),
    "below max_bytes, plain": header(0x08, 2**29) + b"x",
    "gz": gzip.compress(header(0x08, 2**32 - 1, 2**32 - 1) + b"x"),
    "below max_bytes, gz": gzip.compress(header(0x08, 2**29) + b"x"),
    "within deflate's ratio": gzip.compress(header(0x08, 2**29) + np.random.default_rng(0).bytes(2**19 + 2**10)),
    "a bomb behind a small claim": gzip.compress(header(0x08, 16) + bytes(2**26)),
    "an honest bomb": gzip.compress(header(0x08, 2**26) + bytes(2**26)),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_header_does_not_allocate(forgery, file):
    file.write_bytes(FORGERIES[forgery])
    limit = {"max_bytes": 2**24} if forgery == "an honest bomb" else {}
    peak_of_refusal(file, **limit)  # what the first call imports does not count
    assert peak_of_refusal(file, **limit) < 2**22


def test_a_claim_that_the_file_cannot_hold_is_refused_before_it_is_read(file):
    for length, reason in ((1031, "0 arrived"), (10**6, "gzip file of .* bytes cannot hold")):
        file.write_bytes(gzip.compress(header(0x08, length)))
        with pytest.raises(DataError, match=reason):
            read_idx(file)
    file.write_bytes(header(0x08, 2) + b"x")
    with pytest.raises(DataError, match="plain file of 9 bytes cannot hold"):
        read_idx(file)


def test_max_bytes_bounds_the_array(file):
    write_idx(file, SAMPLE)
    assert same_bits(read_idx(file, max_bytes=12), SAMPLE)
    with pytest.raises(DataError, match="max_bytes = 11"):
        read_idx(file, max_bytes=11)


def test_the_wrong_shape_and_the_wrong_checksum_say_what_arrived_and_what_was_needed(file):
    write_idx(file, SAMPLE)
    digest = sha256(file.read_bytes()).hexdigest()
    assert same_bits(read_idx(file, shape=(2, 3), sha256=digest.upper()), SAMPLE)
    with pytest.raises(DataError, match=r"\(2, 3\), but \(3, 2\) is needed"):
        read_idx(file, shape=(3, 2))
    with pytest.raises(DataError, match=f"SHA-256 {digest}, but {'0' * 64} is needed"):
        read_idx(file, sha256="0" * 64)


def test_a_file_that_is_not_there_or_no_file_gives_the_error(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_idx(tmp_path / "absent")
    with pytest.raises(DataError, match="not a regular file"):
        read_idx(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError):
        read_idx(tmp_path / "file" / "below")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_without_a_writer_is_refused_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="not a regular file"):
        read_idx(tmp_path / "pipe")


@pytest.mark.parametrize("dtype", [bool, np.int64, np.uint16, np.float16, np.complex64, str, object])
def test_only_the_six_element_types_are_written(dtype, file):
    with pytest.raises(TypeError, match="astype"):
        write_idx(file, np.zeros(3, dtype))


def test_a_dimension_beyond_32_bits_is_not_written(file):
    with pytest.raises(ValueError, match="32 bits"):
        write_idx(file, np.empty((0, 2**32), np.uint8))
