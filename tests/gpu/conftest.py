"""Every test here has the marker ``gpu``; without a GPU all are skipped, and named at the end."""

from pathlib import Path

import pytest

from tests.gpu import where

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    why = where.why_not()
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("gpu")
            if why:
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture
def graphs():
    """For tests of CUDA graphs, which a rehearsal on the CPU has none of."""
    if where.DEVICE == "cpu":
        pytest.skip("a rehearsal on the CPU: there are no graphs")
