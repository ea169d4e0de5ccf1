"""The labs: what they print is what the two engines are held to.

A lab is written once (``minitorch.labs``), for either engine; here its numbers become lines.
"""

import importlib
from collections.abc import Callable
from typing import Any

from minitorch.labs import LABS
from minitorch.labs.report import claim_lines, summary_lines
from reference.data import Data


def program(name: str) -> Callable[[Any, Data], None]:
    """The lab of that name as a program: the rows of its summary, then its claims."""
    def lab(torch: Any, data: Data) -> None:
        module = importlib.import_module(f"minitorch.labs.{name}")
        result = module.run(torch, data.train, data.test, quick=data.pixels == 64)
        print("\n".join([*summary_lines(result), *claim_lines(result)]))

    lab.__doc__ = f"The lab: {LABS[name]}."
    return lab


PROGRAMS = {f"lab-{name}": program(name) for name in LABS}
