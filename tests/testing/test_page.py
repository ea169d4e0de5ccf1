"""What docs/gradcheck.md shows is what happens."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "gradcheck.md"


def test_the_examples_of_the_page():
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags,
                                     encoding="utf-8")
    assert tried > 10 and not failed
