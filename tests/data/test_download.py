"""Downloads: what arrives is what was asked for, or nothing is left behind."""

from __future__ import annotations

import hashlib
import sys

import pytest

from minitorch.data.download import fetch, fetch_all

CONTENT = bytes(range(256)) * 100
MD5 = hashlib.md5(CONTENT).hexdigest()
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens

needs_pooch = pytest.mark.usefixtures("pooch")


@pytest.fixture
def pooch():
    return pytest.importorskip("pooch")


@needs_pooch
def test_a_file_is_fetched_once(mirrors, tmp_path):
    mirrors.files["/good/f.gz"] = CONTENT
    folder = tmp_path / "made/on/demand"
    for _ in range(2):
        path = fetch("f.gz", MD5, [mirrors.address + "/good/"], folder)
        assert path == folder / "f.gz" and path.read_bytes() == CONTENT
    assert mirrors.log == ["/good/f.gz"]


@needs_pooch
def test_a_corrupt_mirror_is_passed_over(mirrors, tmp_path):
    mirrors.files["/bad/f.gz"] = CONTENT[:-1] + b"?"
    mirrors.files["/good/f.gz"] = CONTENT
    addresses = [f"{mirrors.address}/{name}" for name in ("bad", "gone", "good", "never asked")]
    path = fetch("f.gz", MD5, [NOWHERE, *addresses], tmp_path)
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]
    assert mirrors.log == ["/bad/f.gz", "/gone/f.gz", "/good/f.gz"]


@needs_pooch
def test_a_damaged_file_is_replaced(mirrors, tmp_path):
    (tmp_path / "f.gz").write_bytes(CONTENT[:50])
    mirrors.files["/f.gz"] = CONTENT
    assert fetch("f.gz", MD5, [mirrors.address], tmp_path).read_bytes() == CONTENT


@needs_pooch
@pytest.mark.parametrize("fault", ["wrong content", "hang-up", "no such file", "no network"])
def test_a_failure_leaves_nothing_behind_and_says_what_to_do(mirrors, tmp_path, fault):
    if fault != "no such file":
        mirrors.files["/f.gz"] = CONTENT[::-1] if fault == "wrong content" else CONTENT
    mirrors.hang_up_after = 1000 if fault == "hang-up" else None
    address = NOWHERE if fault == "no network" else mirrors.address
    with pytest.raises(RuntimeError, match=r"cannot download f\.gz") as caught:
        fetch("f.gz", MD5, [address], tmp_path)
    for part in (f"{address}/f.gz: ", f"put into {tmp_path} the files", f"f.gz    md5 {MD5}"):
        assert part in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@needs_pooch
def test_the_error_lists_every_file_still_missing(mirrors, tmp_path):
    mirrors.files["/a"] = CONTENT
    with pytest.raises(RuntimeError) as caught:
        fetch_all([("a", MD5), ("b", "0" * 32), ("c", "1" * 32)], [mirrors.address], tmp_path)
    by_hand = str(caught.value).split("put into")[1]
    assert "b    md5 000" in by_hand and "c    md5 111" in by_hand and "a    md5" not in by_hand
    assert mirrors.log == ["/a", "/b"]


def test_without_pooch_the_error_says_so(mirrors, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(RuntimeError, match=r"pooch is missing.*minitorch-xp\[data\]") as caught:
        fetch("f.gz", MD5, [mirrors.address], tmp_path)
    assert str(tmp_path) in str(caught.value) and MD5 in str(caught.value)
    assert mirrors.log == []


def test_a_file_already_there_needs_neither_pooch_nor_network(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    (tmp_path / "f.gz").write_bytes(CONTENT)
    assert fetch("f.gz", MD5, [], str(tmp_path)) == tmp_path / "f.gz"
