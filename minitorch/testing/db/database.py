"""An ordered collection of entries, each with a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar


class Entry:
    """Something with a name, under which pytest lists the tests parametrised by it."""

    name: str

    @property
    def __name__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name


E = TypeVar("E", bound=Entry)


class Database(Generic[E]):
    """Entries to iterate over, found by name: ``db["relu"]``, ``"relu" in db``.

    Raises KeyError, with the names there are, for one that is not.

    >>> from minitorch.testing import optim_db
    >>> [entry.name for entry in optim_db][:3]
    ['SGD', 'Adadelta', 'Adagrad']
    >>> "Adam" in optim_db, optim_db["Adam"].name
    (True, 'Adam')
    """

    def __init__(self, entries: Iterable[E]) -> None:
        self.entries = {entry.name: entry for entry in entries}

    def __iter__(self) -> Iterator[E]:
        return iter(self.entries.values())

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __getitem__(self, name: str) -> E:
        if name not in self.entries:
            raise KeyError(f"no entry '{name}', only {', '.join(self.entries)}")
        return self.entries[name]

    def __repr__(self) -> str:
        return f"<database of {', '.join(self.entries)}>"
