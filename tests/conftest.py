"""The project's own plugin, and a clean random stream and modes around every test."""

import os
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

import minitorch

pytest_plugins = ["pytest_minitorch"]  # the project's own, also where it is not installed


def pytest_configure(config):
    """Few examples, unless asked for more; compiled kernels are kept in pytest's own cache."""
    kernels = config.rootpath / ".pytest_cache" / "kernels"
    os.environ.setdefault("MINITORCH_CACHE_DIR", str(kernels))
    import pytest_minitorch  # by now pytest has loaded it

    pytest_minitorch.register_profiles()
    if asked := config.getoption("--hypothesis-profile", None):
        os.environ["HYPOTHESIS_PROFILE"] = asked  # tests that sample a table look there
    else:
        settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_terminal_summary(terminalreporter):
    """What needs a GPU and was not run is named, file by file, with the reason."""
    counts = Counter((report.nodeid.partition("::")[0], report.longrepr[2])
                     for report in terminalreporter.stats.get("skipped", ())
                     if "gpu" in report.keywords)
    if counts:
        terminalreporter.section("NOT RUN: tests that need a GPU", yellow=True)
        for (file, why), n in sorted(counts.items()):
            terminalreporter.line(f"{n:4} of {file}: {why.removeprefix('Skipped: ')}")


# Helpers are imported by the tests, under one name; pytest need not look for doctests in them.
collect_ignore = [str(path) for path in Path(__file__).parent.rglob("*.py")
                  if not path.name.startswith(("test_", "conftest"))]

MNIST = Path(__file__).parents[2] / "shared" / "data" / "mnist"


@pytest.fixture
def mnist_folder():
    """Where the real MNIST lies; tests that need it skip without it."""
    if not MNIST.is_dir():
        pytest.skip("real MNIST is not in ../shared/data/mnist")
    return MNIST


@pytest.fixture(autouse=True, scope="session")
def seeding_is_cheap():
    """torch.manual_seed notes for each kind of GPU that may yet come which lines it was called
    from. Deep in a test these are three times sixty lines to look up: half of the suite's time."""
    torch = sys.modules.get("torch")
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("cuda", "xpu", "mtia") if torch else ():
            patch.setattr(getattr(torch, kind), "traceback", SimpleNamespace(format_stack=list))
        yield


@pytest.fixture(autouse=True)
def restored_defaults():
    """No test leaves a default dtype or grad mode behind."""
    yield
    minitorch.set_default_dtype(minitorch.float32)
    minitorch.set_grad_enabled(True)
