"""IDX files: what is written comes back, and no damaged file is ever taken for a good one."""

from __future__ import annotations

import gzip
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minitorch.data.idx import DTYPES, read_idx

MNIST = Path(__file__).parents[3] / "shared/data/mnist"
CODES = {dtype.newbyteorder("="): code for code, dtype in DTYPES.items()}


def write_idx(array: np.ndarray, compress: bool = False) -> bytes:
    """The definition of the format, the other way round: element by element with struct."""
    letter = {"u1": "B", "i1": "b", "i2": "h", "i4": "i", "f4": "f", "f8": "d"}[array.dtype.str[1:]]
    header = bytes([0, 0, CODES[array.dtype], array.ndim]) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    content = header + struct.pack(f">{array.size}{letter}", *array.ravel().tolist())
    return gzip.compress(content, 1) if compress else content


def arrays(min_side: int = 0, **options) -> st.SearchStrategy[np.ndarray]:
    shapes = hnp.array_shapes(min_dims=1, max_dims=5, min_side=min_side, max_side=4)
    return hnp.arrays(st.sampled_from(list(CODES)), shapes, **options)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to write to; its name says nothing about its content."""
    return tmp_path_factory.mktemp("idx") / "some.bytes"


def assert_refused(file: Path, content: bytes) -> str:
    file.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        read_idx(file)
    message = str(caught.value)
    for part in (str(file), "expected", "found", "Delete the file and download it again"):
        assert part in message
    return message


@given(array=arrays(), compress=st.booleans())
def test_what_was_written_is_read(file, array, compress):
    file.write_bytes(write_idx(array, compress))
    read = read_idx(str(file))
    np.testing.assert_array_equal(read, array)  # NaN equals NaN here, as it should
    assert read.dtype == array.dtype and read.dtype.isnative
    assert read.shape == array.shape
    assert read.flags.writeable and read.flags.c_contiguous


def test_bytes_are_big_endian(file):
    file.write_bytes(bytes.fromhex("00000b01 00000002 0102 fffe"))
    np.testing.assert_array_equal(read_idx(file), np.array([258, -2], np.int16))


@given(array=arrays(), compress=st.booleans(), data=st.data())
def test_a_truncated_file_is_refused(file, array, compress, data):
    content = write_idx(array, compress)
    assert_refused(file, content[: data.draw(st.integers(0, len(content) - 1))])


@given(array=arrays(), extra=st.binary(min_size=1, max_size=9), compress=st.booleans())
def test_bytes_too_many_are_refused(file, array, extra, compress):
    content = write_idx(array) + extra
    assert_refused(file, gzip.compress(content, 1) if compress else content)


@given(array=arrays(), extra=st.binary(min_size=1, max_size=9).filter(lambda b: b.strip(b"\0")))
def test_bytes_after_a_gzip_stream_are_refused(file, array, extra):
    assert_refused(file, write_idx(array, compress=True) + extra)


@given(
    dtype=st.sampled_from(list(CODES)), shape=hnp.array_shapes(max_dims=4), bit=st.integers(0, 31)
)
def test_a_flipped_bit_in_the_magic_number_is_refused(file, dtype, shape, bit):
    # Elements of ff bytes: taken for a dimension, they never happen to fit the length.
    content = bytearray(write_idx(np.zeros(shape, dtype)))
    content[4 + 4 * len(shape) :] = b"\xff" * (len(content) - 4 - 4 * len(shape))
    content[bit // 8] ^= 1 << bit % 8
    other = DTYPES.get(content[2])
    if bit // 8 == 2 and other is not None and other.itemsize == dtype.itemsize:
        # uint8 for int8, int32 for float32: a good file of another array; only MD5 can tell.
        file.write_bytes(content)
        assert read_idx(file).dtype == other.newbyteorder("=")
    else:
        assert_refused(file, bytes(content))


@given(array=arrays(min_side=1), axis=st.integers(0, 4), size=st.integers(0, 2**32 - 1))
def test_a_wrong_count_is_refused(file, array, axis, size):
    axis %= array.ndim
    if size == array.shape[axis]:
        size += 1
    content = bytearray(write_idx(array))
    content[4 + 4 * axis : 8 + 4 * axis] = struct.pack(">I", size)
    message = assert_refused(file, bytes(content))
    assert str(size) in message and str(array.nbytes) in message


@given(array=arrays(), data=st.data())
def test_a_flipped_bit_in_a_gzip_file_never_changes_the_array(file, array, data):
    content = bytearray(write_idx(array, compress=True))
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)
    try:
        read = read_idx(file)  # the time stamp and such may be anything
    except ValueError as error:
        assert str(file) in str(error)
    else:
        np.testing.assert_array_equal(read, array)
        assert read.dtype == array.dtype


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>404 Not Found</body></html>",
        b"PK\x03\x04 a zip archive",
        bytes.fromhex("00000800"),
        bytes.fromhex("00000800 07"),  # no dimensions, and the one element that makes
        bytes.fromhex("000008ff" + 255 * "00000001" + "07"),  # more dimensions than NumPy has
        bytes.fromhex("00000803 00000000 ffffffff ffffffff"),  # empty, and yet too large
        bytes.fromhex("00000803 80000000 80000000 00000004"),  # 2**64 elements: 0 in 64 bits
        bytes.fromhex("1f8b"),
        gzip.compress(b""),
    ],
    ids=["empty", "html", "zip", "header only", "0-d", "255-d", "overflow", "wrap", "gzip magic",
         "empty gzip"],
)
def test_what_is_no_idx_file_is_refused(file, content):
    assert_refused(file, content)


@pytest.mark.parametrize("compress", [False, True])
def test_a_damaged_header_allocates_nothing(file, compress):
    content = bytes.fromhex("00000e03 ffffffff ffffffff ffffffff") + bytes(100)
    tracemalloc.start()
    try:
        assert_refused(file, gzip.compress(content) if compress else content)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_missing_file_says_where_to_put_it(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte"
    with pytest.raises(FileNotFoundError, match="Put the IDX file there") as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


@pytest.mark.skipif(not MNIST.exists(), reason=f"no MNIST files in {MNIST}")
def test_mnist_reads_in_well_under_a_second():
    start = time.process_time()
    images = read_idx(MNIST / "train-images-idx3-ubyte.gz")
    labels = read_idx(MNIST / "train-labels-idx1-ubyte.gz")
    assert time.process_time() - start < 1
    assert images.shape == (60000, 28, 28) and labels.shape == (60000,)
    assert images.dtype == labels.dtype == np.uint8
