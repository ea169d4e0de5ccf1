"""These tests read PyTorch's own test inputs, which need the package expecttest to be imported."""

from importlib.util import find_spec

# Doctests are looked for in every file: without expecttest these cannot be imported.
collect_ignore = [] if find_spec("expecttest") else [
    "__main__.py", "operators.py", "modules.py", "optimizers.py", "schedulers.py"]
