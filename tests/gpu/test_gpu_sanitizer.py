"""compute-sanitizer finds no access out of bounds and no race in our kernels."""

import shutil
import subprocess
import sys

import pytest

from tests.gpu import where

# Training is with both; and these operators, whose kernels are ours.
OPERATORS = """relu tanh sigmoid gelu exp add multiply sum mean linear matmul softmax log_softmax
cross_entropy nll_loss mse_loss batch_norm layer_norm embedding index_add masked_scale""".split()
TOOLS = {"memcheck": OPERATORS, "racecheck": []}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_sanitizer_finds_nothing(tool):
    if where.DEVICE == "cpu":
        subprocess.run([sys.executable, "-m", "tests.gpu.exercise", *TOOLS[tool]], check=True)
        return
    program = shutil.which("compute-sanitizer")
    if program is None:
        pytest.skip("compute-sanitizer is not installed")
    found = subprocess.run([program, "--tool", tool, "--error-exitcode", "9",
                            sys.executable, "-m", "tests.gpu.exercise", *TOOLS[tool]],
                           capture_output=True, text=True)
    said = (found.stdout + found.stderr)[-4000:]
    if "not supported" in said or "Unable to" in said:
        pytest.skip(f"compute-sanitizer cannot watch this machine: {said[-300:]}")
    assert found.returncode == 0, said
