"""MNIST's files: found where they usually are, and none believed before its MD5 is known."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitorch.data.mnist import MNIST
from tests.data.tiny_mnist import CONTENTS, NAMES, PACKED, Tiny, assert_is_tiny, write

# ---- finding the files and trusting them


@pytest.mark.parametrize("folder", ["Tiny/raw", "raw", "."])
@pytest.mark.parametrize("files", [CONTENTS, PACKED], ids=["plain", "gz"])
def test_files_are_found_where_they_usually_are(tmp_path, folder, files):
    write(tmp_path / folder, files)
    assert_is_tiny(Tiny(str(tmp_path)))
    assert_is_tiny(Tiny(tmp_path, train=False), "t10k")


def test_files_compressed_once_more_are_accepted(tmp_path):
    write(tmp_path, {f"{name}.gz": gzip.compress(c, 1, mtime=1) for name, c in CONTENTS.items()})
    assert_is_tiny(Tiny(tmp_path))


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "data", CONTENTS)
    assert_is_tiny(Tiny("~/data"))


def test_missing_files_are_named_with_their_place_and_md5(tmp_path):
    with pytest.raises(RuntimeError, match="use download=True to download it") as caught:
        MNIST(tmp_path)
    assert str(tmp_path / "MNIST/raw") in str(caught.value)
    for name, published in MNIST.resources:
        assert f"{name}    md5 {published}" in str(caught.value)


@given(
    name=st.sampled_from(NAMES[:2]),
    packed=st.booleans(),
    place=st.floats(0, 1, exclude_max=True),
    change=st.integers(1, 255),
    cut=st.booleans(),
)
def test_a_damaged_file_is_refused(name, packed, place, change, cut):
    files = PACKED if packed else CONTENTS
    name += ".gz" * packed
    content = bytearray(files[name])
    at = int(place * len(content))
    if cut:
        del content[at:]
    else:
        content[at] ^= change
    try:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), files | {name: bytes(content)})
            dataset = Tiny(folder)
    except ValueError as error:
        assert str(Path(folder) / name) in str(error) and "download it again" in str(error)
    else:  # only gzip's time stamp and the like may differ: the content has the published MD5
        assert packed and not cut and at < 10
        assert_is_tiny(dataset)


def test_without_a_known_content_only_the_published_file_is_accepted(tmp_path):
    class Strict(Tiny):
        content_md5 = {}

    write(tmp_path, CONTENTS)
    with pytest.raises(ValueError, match=r"as published, \.gz"):
        Strict(tmp_path)
    write(tmp_path, PACKED)
    assert_is_tiny(Strict(tmp_path))


def test_a_damaged_copy_does_not_hide_a_good_one(tmp_path):
    write(tmp_path / "Tiny/raw", {name: b"damaged" for name in CONTENTS})
    write(tmp_path, PACKED)
    assert_is_tiny(Tiny(tmp_path))


# ---- downloading


def test_download_fetches_what_is_missing_or_damaged(mirrors, tmp_path, monkeypatch):
    pytest.importorskip("pooch")
    monkeypatch.setattr(Tiny, "mirrors", [mirrors.address + "/corrupt", mirrors.address])
    for name, content in PACKED.items():
        mirrors.files[f"/{name}"] = content
        mirrors.files[f"/corrupt/{name}"] = content[:-1]
    write(tmp_path, {NAMES[0]: CONTENTS[NAMES[0]], NAMES[1]: b"damaged"})
    assert_is_tiny(Tiny(tmp_path, download=True))
    assert_is_tiny(Tiny(tmp_path, train=False), "t10k")
    fetched = [f"{name}.gz" for name in NAMES[1:]]
    assert mirrors.log == [path for name in fetched for path in (f"/corrupt/{name}", f"/{name}")]
    assert sorted(path.name for path in (tmp_path / "Tiny/raw").iterdir()) == sorted(fetched)
    mirrors.log.clear()
    Tiny(tmp_path, download=True)
    assert mirrors.log == []


def test_download_without_a_network_says_what_to_put_where(tmp_path, monkeypatch):
    pytest.importorskip("pooch")
    monkeypatch.setattr(Tiny, "mirrors", ["http://127.0.0.1:9"])
    with pytest.raises(RuntimeError, match="cannot download") as caught:
        Tiny(tmp_path, download=True)
    assert str(tmp_path / "Tiny/raw") in str(caught.value)
    for name, published in Tiny.resources:
        assert f"{name}    md5 {published}" in str(caught.value)
