"""Pytrees: tuples, named tuples, lists and dicts, nested at will; everything else is a leaf."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any


class _Leaf:
    """Stands for a leaf in a structure."""

    def __repr__(self) -> str:
        return "*"


LEAF = _Leaf()


def children(tree: Any) -> list[Any] | None:
    """What the outermost container holds, in its order; None for a leaf."""
    if isinstance(tree, dict):
        return list(tree.values())
    return list(tree) if isinstance(tree, (tuple, list)) else None


def rebuilt(tree: Any, parts: Sequence[Any]) -> Any:
    """A container like the outermost one of ``tree`` around other parts."""
    if isinstance(tree, dict):
        return type(tree)(zip(tree, parts))
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def leaves(tree: Any) -> list[Any]:
    """
    >>> leaves((1, {"a": 2, "b": [3, 4]}))
    [1, 2, 3, 4]
    """
    parts = children(tree)
    return [tree] if parts is None else [leaf for part in parts for leaf in leaves(part)]


def mapped(f: Callable[[Any], Any], tree: Any) -> Any:
    """``f`` of every leaf, in the same structure.

    >>> mapped(str, (1, {"a": 2}))
    ('1', {'a': '2'})
    """
    parts = children(tree)
    return f(tree) if parts is None else rebuilt(tree, [mapped(f, part) for part in parts])


def structure(tree: Any) -> Any:
    """The tree with every leaf replaced by a mark, to compare and to print.

    >>> structure((1, {"a": 2}))
    (*, {'a': *})
    """
    return mapped(lambda leaf: LEAF, tree)


def filled(tree: Any, values: Sequence[Any]) -> Any:
    """``values`` in the place of the leaves of ``tree``.

    >>> filled((1, {"a": 2}), [3, 4])
    (3, {'a': 4})
    """
    rest: Iterator[Any] = iter(values)
    return mapped(lambda leaf: next(rest), tree)


def spread(prefix: Any, tree: Any) -> list[Any] | None:
    """One value of ``prefix`` for each leaf of ``tree``; None where the two do not fit.

    A leaf of ``prefix`` stands for all leaves of the subtree in its place.

    >>> spread((0, {"a": 1}), ([5, 6], {"a": 7}))
    [0, 0, 1]
    """
    parts, of = children(prefix), children(tree)
    if parts is None:
        return [prefix] * len(leaves(tree))
    if isinstance(prefix, dict) and isinstance(tree, dict) and prefix.keys() == tree.keys():
        parts = [prefix[key] for key in tree]
    elif of is None or type(prefix) is not type(tree) or isinstance(tree, dict) or (
            len(parts) != len(of)):
        return None
    found = [spread(part, sub) for part, sub in zip(parts, of or [])]
    return None if None in found else [value for values in found for value in values or []]
