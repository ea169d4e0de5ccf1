"""The IDX file format, in which MNIST and its relatives are kept.

An IDX file is a big-endian header and the bare elements of one array in C order::

    0  0  dtype code  number of dimensions  |  size of each dimension, uint32  |  elements

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section
"File formats". The files usually travel compressed with gzip; both forms are read.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
"""The dtype named by the third byte of an IDX file."""

GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: str | os.PathLike[str]) -> npt.NDArray[Any]:
    """Return the array stored in an IDX file, plain or compressed with gzip.

    Whether the file is compressed is told by its content, not by its name. The array has the
    shape and dtype that the header states, in this machine's byte order, and is writable.

    Raises FileNotFoundError if there is no such file, and ValueError, naming the file, if it is
    damaged: every byte is accounted for, and nothing is allocated on the word of the header.
    """
    path = Path(path)
    return parse_idx(expand(read_stored(path), path), path)


def read_stored(path: Path) -> bytes:
    """Return the bytes as they lie on the disk; FileNotFoundError says where to put the file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"there is no file {path.absolute()}. Put the IDX file there, plain or as .gz, "
            "or give the path where it is."
        ) from None


def expand(stored: bytes, path: Path) -> bytes:
    """Return the content of a file: `stored` itself, or decompressed if it starts like gzip.

    gzip carries a checksum and a length; ValueError if they or the stream are wrong.
    """
    if not stored.startswith(GZIP_MAGIC):
        return stored
    try:
        return gzip.decompress(stored)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise damaged(path, "a complete gzip stream", f"{len(stored)} bytes: {error}") from error


def parse_idx(content: bytes, path: Path) -> npt.NDArray[Any]:
    """Return the array that the bytes of a plain IDX file describe; `path` is for the messages."""
    if len(content) < 4:
        raise damaged(path, "an IDX header of at least 8 bytes", f"{len(content)} bytes")
    if content[:2] != b"\0\0":
        raise damaged(path, "two zero bytes (IDX) or 1f 8b (gzip) first", _show(content))
    code, ndim = content[2], content[3]
    if code not in DTYPES:
        codes = ", ".join(f"0x{known:02x} {DTYPES[known].name}" for known in DTYPES)
        raise damaged(path, f"a dtype code ({codes}) in byte 2", f"0x{code:02x}")
    if ndim == 0:
        raise damaged(path, "at least one dimension in byte 3", "0")
    start = 4 + 4 * ndim
    if len(content) < start:
        raise damaged(path, f"{start} bytes of header for {ndim} dimensions", f"{len(content)}")

    shape = struct.unpack(f">{ndim}I", content[4:start])
    dtype = DTYPES[code]
    # Python's integers: a damaged header may well ask for more than 2**64 bytes.
    size = math.prod(shape) * dtype.itemsize
    if len(content) - start != size:
        raise damaged(
            path,
            f"{size} bytes of elements for shape {shape} of {dtype.name}",
            f"{len(content) - start}",
        )
    try:
        array = np.frombuffer(content, dtype, offset=start).reshape(shape)
    except ValueError as error:  # too many dimensions, or one is 0 and the others overflow
        raise damaged(path, "a shape that NumPy can represent", f"{shape} ({error})") from error
    return array.astype(dtype.newbyteorder("="))  # astype copies, so the result is writable


def damaged(path: Path, expected: str, found: str) -> ValueError:
    """Return the error that every kind of damage ends in."""
    return ValueError(
        f"{path} is damaged: expected {expected}, found {found}. "
        "Delete the file and download it again."
    )


def _show(content: bytes) -> str:
    """Show how a file starts: a mirror's error page is the usual impostor."""
    start = content[:16]
    return f"{start[:4].hex(' ')} (the file starts with {start!r})"
