"""The pytest plugin, in pytest runs of its own: what it offers, and that it is not in the way."""

import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STRICT = ["-W", "error", "--strict-markers", "-q", "-rs"]


@pytest.fixture
def run(tmp_path):
    def run(tests, *options, conftest="", load=("-p", "pytest_minitorch"), torch=None):
        (tmp_path / "test_theirs.py").write_text(tests)
        (tmp_path / "conftest.py").write_text(conftest)
        if torch is not None:
            (tmp_path / "torch.py").write_text(torch)
        paths = [str(tmp_path), str(ROOT)]
        environment = {k: v for k, v in os.environ.items() if k not in ("CI", "PYTEST_ADDOPTS")}
        environment["PYTHONPATH"] = os.pathsep.join(paths)
        done = subprocess.run([sys.executable, "-m", "pytest", *load, *STRICT, *options],
                              cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr
    return run


LIGHT = """
import sys
import pytest

@pytest.mark.frozen_random
def test_light():
    assert not {"minitorch", "torch", "hypothesis", "numpy"} & set(sys.modules)
    assert "pytest_minitorch" in sys.modules
"""


ORACLE = """
import numpy as np
import pytest

def test_fixture(same_as_torch, check_grad):
    same_as_torch("x.exp()", x=np.ones(2))
    assert check_grad((np.sin, lambda v, x: v * np.cos(x)), np.ones(2)).ok
    with pytest.raises(AssertionError, match="result: value at"):
        same_as_torch(lambda torch, x: x + ("mini" in torch.__name__), np.ones(2))

@pytest.mark.torch_oracle
def test_marked():
    import torch

def test_dynamic(request):
    request.getfixturevalue("same_as_torch")

def test_other():
    pass
"""
MISSING = "raise ImportError('no such thing')"


def test_without_torch_the_oracle_skips_and_says_why(run):
    code, text = run(ORACLE, torch=MISSING)
    assert code == 0 and "1 passed, 3 skipped" in text, text
    assert "PyTorch, the oracle, cannot be imported (no such thing): pip install torch" in text
    code, text = run(ORACLE, "--collect-only", "-m", "not torch_oracle", torch=MISSING)
    assert "test_fixture" not in text and "test_marked" not in text and "test_other" in text


def test_with_the_option_a_missing_torch_is_an_error(run):
    code, text = run(ORACLE, "--torch-oracle", torch=MISSING)
    assert code == pytest.ExitCode.USAGE_ERROR and "pip install torch" in text, text


WIDE = """
import pytest
from hypothesis import given, settings, strategies as st

seen = {"plain": 0, "marked": 0, "own": 0, "method": 0}

@given(st.integers())
def test_plain(x):
    seen["plain"] += 1

@pytest.mark.thorough
@pytest.mark.parametrize("n", [0, 1])
@given(x=st.integers())
def test_marked(n, x):
    seen["marked"] += 1

@pytest.mark.thorough
@settings(max_examples=7)
@given(st.integers())
def test_own(x):
    seen["own"] += 1

@pytest.mark.thorough
class TestClass:
    @given(st.integers())
    def test_method(self, x):
        seen["method"] += 1

@pytest.mark.thorough
def test_no_search():
    pass

def test_count():
    print("drawn", *seen.values())
"""


@pytest.mark.parametrize(("options", "drawn"), [
    ([], "100 18 7 9"), (["--hypothesis-profile", "thorough"], "9 18 7 9")])
def test_the_search_is_widened_by_marker_and_option(run, options, drawn):
    """Here by a profile of their own, which the plugin's does not replace."""
    code, text = run(WIDE, "-s", *options, conftest=(
        "from hypothesis import settings; settings.register_profile('thorough', max_examples=9)"))
    assert code == 0 and f"drawn {drawn}" in text, text


def test_workers_search_as_widely(run):
    pytest.importorskip("xdist")
    code, text = run(WIDE + "    assert seen['plain'] == 500\n", "-n", "1", "-k", "plain or count",
                     "--hypothesis-profile", "thorough")
    assert code == 0 and "2 passed" in text, text


def test_where_there_is_torch_the_oracle_runs_and_generators_are_frozen(run):
    code, text = run(ORACLE + """
import random
import torch
import minitorch

def draw():
    return (random.random(), np.random.rand(), torch.rand(2).tolist(), minitorch.rand(2).tolist())

def states():
    return (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist(),
            minitorch.get_rng_state().tolist())

@pytest.fixture
def early():
    return random.random()

before = states()
seen = []

@pytest.mark.frozen_random
def test_one():
    seen.append(draw())

def test_between():
    assert states() == before

@pytest.mark.frozen_random(seed=0)
def test_two():
    seen.append(draw())
    assert seen[0] == seen[1] and seen[0][2] == seen[0][3]

@pytest.mark.frozen_random(5)
def test_three(early):
    assert early == random.Random(5).random() and draw() != seen[0]

@pytest.mark.frozen_random
def test_fails():
    assert draw() == 0

def test_after_a_failure():
    assert states() == before
""", "--torch-oracle")
    assert code == 1 and "1 failed, 9 passed" in text, text


def test_it_may_be_loaded_in_every_way_and_imports_nothing_unasked(run, tmp_path):
    """As an installed plugin, by -p and by a conftest: of these, pytest takes the first."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    entry = config["options.entry_points"]["pytest11"]
    info = tmp_path / "minitorch_again-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: minitorch-again\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[pytest11]\n{entry}\n")
    conftest = 'pytest_plugins = ["pytest_minitorch"]'
    for load, theirs in [((), conftest), (("-p", "pytest_minitorch"), conftest)]:
        code, text = run(LIGHT, load=load, conftest=theirs)
        assert code == 0 and "1 passed" in text, text
    code, text = run("", "--help", load=())
    assert "--torch-oracle" in text and "--hypothesis-profile thorough" in " ".join(text.split())
