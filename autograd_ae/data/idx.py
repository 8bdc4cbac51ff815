"""IDX, the file format of MNIST: a header, then the elements of one array in C order, all of it big-endian.

    bytes 0–1     zero
    byte  2       element type: 08 uint8 · 09 int8 · 0B int16 · 0C int32 · 0D float32 · 0E float64
    byte  3       n, the number of dimensions
    next 4n       the dimensions d_1 … d_n, uint32
    the rest      d_1 · … · d_n elements, and not one byte more

A file may be compressed by gzip; that is seen from its first two bytes (1F 8B, which no IDX file has), not from its
name. Zero bytes after the compressed data are padding to gzip, and are ignored; any others are refused.

A header is a claim, so nothing is allocated on its word. A plain file shorter than its claim is refused unread, and
so is a compressed one of less than a 1032nd of it, since deflate cannot expand by more than 1032 : 1. Otherwise memory
grows with the bytes that do arrive, and never beyond the claim or `max_bytes`. Cost: one pass to read, one for the
checksum.

Source: Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten digits*, "FILE FORMATS".
"""

from __future__ import annotations

import os
import stat
from math import prod
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd_ae.data.errors import DataError

if TYPE_CHECKING:
    from gzip import GzipFile

    Stream = IO[bytes] | GzipFile

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"
MAX_BYTES = 1 << 30  # 1 GiB: the largest relative of MNIST, EMNIST by class, has 0.6
MAX_DIMENSIONS = 64  # of NumPy
MAX_EXPANSION = 1032  # of deflate: 258 bytes from 2 bits
CHUNK = 1 << 20


class Header(NamedTuple):
    """What an IDX file says that it holds."""

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of the header itself."""
        return 4 + 4 * len(self.shape)

    @property
    def payload(self) -> int:
        """Bytes that must follow it."""
        return prod(self.shape) * self.dtype.itemsize


def read_idx(
    path: str | os.PathLike[str],
    *,
    shape: tuple[int, ...] | None = None,
    sha256: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> NDArray:
    """The array in an IDX file, plain or gz, in native byte order.

    Parameters
    ----------
    path : the file.
    shape : the shape that it must have; another one is refused before any element is read.
    sha256 : checksum, in hexadecimal, that its *decompressed* bytes, header and elements, must have.
    max_bytes : the largest array to accept.

    Raises
    ------
    DataError : the file is missing, unreadable, truncated, too long, damaged, no IDX file, larger than `max_bytes`, or
        not the one that `shape` and `sha256` describe.

    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = os.path.join(folder, "labels-idx1-ubyte.gz")
    ...     write_idx(file, np.array([5, 0, 4], np.uint8))
    ...     read_idx(file, shape=(3,))
    array([5, 0, 4], dtype=uint8)
    """
    array, digest = read_idx_and_digest(path, shape=shape, max_bytes=max_bytes)
    if sha256 is not None and digest != sha256.lower():
        raise DataError(
            f"{path}: its decompressed bytes have SHA-256 {digest}, but {sha256} is needed; get the file again"
        )
    return array


def read_idx_and_digest(
    path: str | os.PathLike[str], *, shape: tuple[int, ...] | None = None, max_bytes: int = MAX_BYTES
) -> tuple[NDArray, str]:
    """The array, and the SHA-256 of the decompressed file."""
    from gzip import BadGzipFile
    from zlib import error as DeflateError

    try:
        return _read(path, shape, max_bytes)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except (EOFError, BadGzipFile, DeflateError) as error:
        raise DataError(f"{path}: truncated or damaged gzip data ({error}); get the file again") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read(path: str | os.PathLike[str], shape: tuple[int, ...] | None, max_bytes: int) -> tuple[NDArray, str]:
    from gzip import GzipFile
    from hashlib import sha256

    if not stat.S_ISREG(os.stat(path).st_mode):  # before open, which would wait for the writer of a pipe
        raise DataError(f"{path}: this is not a regular file; an IDX file, plain or gz, is needed")
    with open(path, "rb") as file:
        length, zipped = os.fstat(file.fileno()).st_size, file.read(2) == GZIP_MAGIC
        file.seek(0)
        stream = GzipFile(fileobj=file) if zipped else file
        head = _header_bytes(path, stream)
        header = _header(head)
        _check_claim(path, header, shape, max_bytes)
        _check_length(path, header, length, zipped)
        payload = _payload(path, stream, header)
    digest = sha256(head)
    digest.update(payload)
    array = np.frombuffer(payload, header.dtype).reshape(header.shape)
    return array.astype(header.dtype.newbyteorder("="), copy=False), digest.hexdigest()


def _header_bytes(path: object, stream: Stream) -> bytes:
    """The magic number and the dimensions, as they stand in the file."""
    magic = stream.read(4)
    if len(magic) < 4:
        raise DataError(
            f"{path}: {len(magic)} bytes are no IDX file; its header alone has 4 or more; get the file again"
        )
    if magic[:2] != b"\0\0" or magic[2] not in DTYPES or magic[3] > MAX_DIMENSIONS:
        raise DataError(
            f"{path}: this is no IDX file: it begins with {magic.hex(' ')}, but 00 00, an element type "
            f"({' '.join(f'{code:02x}' for code in DTYPES)}) and at most {MAX_DIMENSIONS} dimensions are needed"
        )
    dimensions = stream.read(4 * magic[3])
    if len(dimensions) < 4 * magic[3]:
        raise DataError(f"{path}: truncated: the file ends within its header of {4 + 4 * magic[3]} bytes; get it again")
    return magic + dimensions


def _header(head: bytes) -> Header:
    return Header(np.dtype(DTYPES[head[2]]), tuple(np.frombuffer(head, ">u4", offset=4).tolist()))


def _check_claim(path: object, header: Header, shape: tuple[int, ...] | None, max_bytes: int) -> None:
    """Is the claimed shape the one that is needed, and small enough? Axes of length 0 do not hide a huge one."""
    if shape is not None and header.shape != tuple(shape):
        raise DataError(
            f"{path}: the header says shape {header.shape}, but {tuple(shape)} is needed; this is another file"
        )
    claim = prod(max(d, 1) for d in header.shape) * header.dtype.itemsize
    if claim > max_bytes:
        raise DataError(
            f"{path}: the header claims shape {header.shape}, {claim} bytes, more than max_bytes = {max_bytes}; "
            "if you trust the file, pass a larger max_bytes to read_idx"
        )


def _check_length(path: object, header: Header, length: int, zipped: bool) -> None:
    """Can a file of `length` bytes hold what its header claims?"""
    needed = header.size + header.payload
    if needed > (MAX_EXPANSION * length if zipped else length):
        raise DataError(
            f"{path}: truncated or forged: the header claims shape {header.shape}, {needed} bytes in all, which a "
            f"{'gzip' if zipped else 'plain'} file of {length} bytes cannot hold; get the file again"
        )


def _payload(path: object, stream: Stream, header: Header) -> bytearray:
    """The elements, as they stand in the file, and a check that nothing follows (which makes gzip verify its CRC)."""
    payload, needed = bytearray(), header.payload
    while len(payload) < needed and (chunk := stream.read(min(CHUNK, needed - len(payload)))):
        payload += chunk
    if len(payload) < needed:
        raise DataError(
            f"{path}: truncated: shape {header.shape} needs {needed} bytes after the header, "
            f"{len(payload)} arrived; get the file again"
        )
    if stream.read(1):
        raise DataError(
            f"{path}: trailing bytes after the {needed} that shape {header.shape} needs; get the file again"
        )
    return payload


def write_idx(path: str | os.PathLike[str], array: ArrayLike) -> None:
    """Write `array`, of one of the six IDX element types, to `path`; compressed if its name ends in .gz.

    The same array gives the same bytes: no time or file name goes into the gzip header. TypeError: another element
    type.
    """
    import gzip

    a = np.asarray(array)
    codes = {np.dtype(name): code for code, name in DTYPES.items()}
    big = a.dtype.newbyteorder(">")
    if big not in codes:
        raise TypeError(
            f"IDX has no element type {a.dtype}; convert with astype to uint8, int8, int16, int32, float32 or float64"
        )
    if max(a.shape, default=0) >= 1 << 32:
        raise ValueError(f"IDX stores each dimension in 32 bits, which shape {a.shape} does not fit; write it in parts")
    content = bytes([0, 0, codes[big], a.ndim]) + np.array(a.shape, ">u4").tobytes() + a.astype(big).tobytes()
    with open(path, "wb") as file:
        file.write(gzip.compress(content, mtime=0) if os.fspath(path).endswith(".gz") else content)
