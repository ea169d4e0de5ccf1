"""Hypothesis, which is optional: all that draws something imports it from here."""

try:
    import hypothesis
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as hnp
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "minitorch.testing.strategies, op_db, module_db and optim_db need Hypothesis: "
        "pip install 'minitorch-xp[testing]'", name="hypothesis") from error

__all__ = ["hnp", "hypothesis", "st"]
