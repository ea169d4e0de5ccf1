"""Fetching data files from public mirrors, checked and cached by the `pooch` library."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterable, Sequence
from pathlib import Path


def fetch(
    name: str, md5: str, mirrors: Sequence[str], folder: str | os.PathLike[str]
) -> Path:
    """Return the path of the file `name` in `folder`, downloading it if it is not there.

    The mirrors, addresses to which `/name` is added, are tried in turn until one delivers
    a file with this MD5. The download goes to a temporary file and is renamed when it is
    complete and checked, so a half or wrong file is never left behind. A file that is already
    there and has this MD5 is returned without touching the network.

    Raises RuntimeError, saying which file to put where by hand, if no mirror delivers or pooch
    is not installed.
    """
    return fetch_all([(name, md5)], mirrors, folder)[0]


def fetch_all(
    files: Iterable[tuple[str, str]], mirrors: Sequence[str], folder: str | os.PathLike[str]
) -> list[Path]:
    """Fetch several files, given as (name, MD5); the error lists all that are still missing."""
    files, folder = list(files), Path(folder).absolute()
    for name, md5 in files:
        if (why := _try_mirrors(name, md5, mirrors, folder)) is not None:
            missing = [file for file in files if not matches(folder / file[0], file[1])]
            raise RuntimeError(f"cannot download {name}:\n{why}\n{by_hand(missing, folder)}")
    return [folder / name for name, _ in files]


def by_hand(files: Iterable[tuple[str, str]], folder: Path) -> str:
    """Return the instructions for those who must carry the files over themselves."""
    rows = "\n".join(f"    {name}    md5 {md5}" for name, md5 in files)
    return f"To do it by hand, put into {folder.absolute()} the files\n{rows}"


def matches(path: Path, md5: str) -> bool:
    """Whether there is a file with this MD5."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, _md5).hexdigest() == md5


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)  # a checksum; FIPS builds refuse it otherwise


def _try_mirrors(name: str, md5: str, mirrors: Sequence[str], folder: Path) -> str | None:
    """Fetch one file; None, or the reasons why it could not be had."""
    if matches(folder / name, md5):
        return None
    try:
        import pooch
    except ImportError:
        return "    the library pooch is missing: pip install 'minitorch-xp[data]'"

    reasons = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{name}"
        try:
            pooch.retrieve(
                url,
                known_hash=f"md5:{md5}",
                fname=name,
                path=folder,
                progressbar=importlib.util.find_spec("tqdm") is not None,
            )
            return None
        except (OSError, ValueError) as error:  # no route, HTTP error, wrong MD5
            reasons.append(f"    {url}: {error}")
    return "\n".join(reasons) or "    no mirror is known"
