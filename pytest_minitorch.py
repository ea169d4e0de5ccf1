"""The pytest plugin of minitorch.testing: the oracle, wider searches, still random generators.

It is loaded in every pytest run where minitorch is installed. So it is a module by itself (to
import ``minitorch.testing.plugin`` would be to import minitorch), and imports minitorch, PyTorch
and Hypothesis only for a test that asks for them.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

MARKERS = (
    "torch_oracle: needs PyTorch to compare with: skipped without it, an error with "
    "--torch-oracle; tests that use the fixture same_as_torch are marked by themselves.",
    "thorough: a test with @given and no @settings of its own always searches as widely as with "
    "--hypothesis-profile thorough.",
    "frozen_random(seed=0): Python's, NumPy's, PyTorch's and minitorch's random generators start "
    "from the seed, and are put back after the test.",
)
PROFILES: dict[str, dict[str, Any]] = {
    "quick": {"max_examples": 20, "deadline": None, "derandomize": True},
    "thorough": {"max_examples": 500, "deadline": None},
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("minitorch", "minitorch.testing").addoption(
        "--torch-oracle", action="store_true", help=(
            "Insist on PyTorch: without it, tests that compare with it (the fixture same_as_torch, "
            "the marker torch_oracle) are skipped; with this option that is an error. To leave "
            "them out, -m 'not torch_oracle'. For a wider search, --hypothesis-profile thorough."))


@pytest.hookimpl(tryfirst=True)  # Hypothesis loads the profile that was asked for in its own
def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if config.getoption("--torch-oracle"):
        from minitorch.testing.oracle import pytorch

        try:
            pytorch()
        except ImportError as error:
            raise pytest.UsageError(f"--torch-oracle: {error}") from error
    if config.getoption("--hypothesis-profile", None) in PROFILES:
        register_profiles()


def register_profiles() -> None:
    """Register the Hypothesis profiles "quick" and "thorough", but none that there is already."""
    from hypothesis import HealthCheck, settings
    from hypothesis.errors import InvalidArgument

    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    for name, options in PROFILES.items():
        try:
            settings.get_profile(name)
        except InvalidArgument:
            settings.register_profile(name, suppress_health_check=quiet, **options)


def pytest_itemcollected(item: pytest.Item) -> None:
    if "same_as_torch" in getattr(item, "fixturenames", ()):
        item.add_marker("torch_oracle")
    function = getattr(item, "function", None)
    if item.get_closest_marker("thorough") and getattr(function, "is_hypothesis_test", False):
        widen(function)


def widen(function: Any) -> None:
    """Let a Hypothesis test draw as many examples as the profile "thorough" says."""
    from hypothesis import settings
    from hypothesis.errors import InvalidArgument

    register_profiles()
    try:
        settings.get_profile("thorough")(function)
    except InvalidArgument:
        pass  # it has settings of its own, or is one of several items of one function


def need_torch() -> None:
    from minitorch.testing.oracle import pytorch

    try:
        pytorch()
    except ImportError as error:
        pytest.skip(str(error))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("torch_oracle"):
        need_torch()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    marker = item.get_closest_marker("frozen_random")
    if marker is None:
        return (yield)
    with frozen_random(*marker.args, **marker.kwargs):
        return (yield)


@contextmanager
def frozen_random(seed: int = 0) -> Iterator[None]:
    """The global CPU random generators of all libraries that are loaded start from ``seed``, and
    are put back afterwards."""
    numpy = sys.modules.get("numpy")
    engines: list[Any] = [sys.modules[name] for name in ("torch", "minitorch")
                          if name in sys.modules]
    states = random.getstate(), numpy and numpy.random.get_state()
    kept = [engine.get_rng_state() for engine in engines]
    random.seed(seed)
    if numpy:
        numpy.random.seed(seed % 2**32)
    for engine in engines:
        engine.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        if numpy:
            numpy.random.set_state(states[1])
        for engine, state in zip(engines, kept):
            engine.set_rng_state(state)


@pytest.fixture(scope="session")
def same_as_torch() -> Callable[..., None]:
    """``minitorch.testing.assert_same_as_torch``; the test is skipped without PyTorch."""
    need_torch()
    from minitorch.testing import assert_same_as_torch

    return assert_same_as_torch


@pytest.fixture(scope="session")
def check_grad() -> Callable[..., Any]:
    """``minitorch.testing.check_grad``."""
    from minitorch.testing import check_grad

    return check_grad
