"""The house: who may import whom, and what an import costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "minitorch"

# Ground floor first; a module imports only from its own floor's package or from floors below.
FLOORS = [
    ["crossing", "devices"],
    ["special", "coo", "errors", "faster", "dtypes", "modes", "printing", "rounding", "runtime",
     "symbols"],
    ["cupy_words"],
    ["spelling", "stream"],
    ["random"],
    ["backend"],
    ["backends"],
    ["kernels"],
    ["anomaly"],
    ["engine"],
    ["views", "operands"],
    ["primitive"],
    ["ops"],
    ["autograd"],
    ["inplace", "facts"],
    ["literals"],
    ["indexing"],
    ["operators", "exchange"],
    ["tensor"],
    ["guests"],
    ["functions"],
    ["conversion"],
    ["methods", "creation"],
    ["sequences", "sampling", "legacy", "sparse"],
    ["func", "linalg"],
    ["nn"],
    ["optim"],
    ["plan"],
    ["cuda"],
    ["data", "encoding", "accelerator"],
    ["serialization"],
    ["utils"],
    ["testing"],
    ["__init__"],
    ["monitor"],
    ["labs"],
    ["cli"],
    ["__main__"],
]
FLOOR = {name: i for i, names in enumerate(FLOORS) for name in names}


def room(path):
    """The top-level module or package that a file belongs to."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0]


def imports(path):
    """Rooms that a file imports from when it runs (not those under ``if TYPE_CHECKING``)."""
    tree = ast.parse(path.read_text())
    for block in ast.walk(tree):
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING":
            block.body.clear()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] == "minitorch":
                    yield (name.name.split(".") + ["__init__"])[1]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports make two copies of a module when " \
                                    "the package stands in torch's place"
            if node.module == "minitorch":
                for name in node.names:
                    yield name.name if name.name in FLOOR else "__init__"
            elif node.module and node.module.startswith("minitorch."):
                yield node.module.split(".")[1]


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_from_floors_below(path):
    here = room(path)
    assert here in FLOOR, f"{here} has no floor yet: give it one in FLOORS"
    for target in imports(path):
        assert target in FLOOR, f"{path}: imports minitorch.{target}, which has no floor"
        assert target == here or FLOOR[target] < FLOOR[here], (
            f"{path.relative_to(ROOT)} (floor {FLOOR[here]}) imports {target} "
            f"(floor {FLOOR[target]})")


def test_import_needs_numpy_alone():
    """Neither an optional library nor a heavy part of the standard one is loaded at import."""
    code = ("import sys, numpy; before = set(sys.modules); import minitorch; "
            "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}))")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(out.stdout.split())
    heavy = {"torch", "cupy", "scipy", "matplotlib", "rich", "tqdm", "safetensors", "pooch",
             "argparse", "unittest", "numba", "asyncio", "multiprocessing"}
    assert not loaded & heavy
