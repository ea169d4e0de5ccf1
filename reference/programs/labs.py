"""The labs: what they print is what the two engines are held to.

A lab is written once (``minitorch.labs``), for either engine; here its numbers become lines.
"""

from typing import Any

from minitorch.labs import activations as activations_lab
from minitorch.labs.report import claim_lines
from reference.data import Data


def activations(torch: Any, data: Data) -> None:
    """Gradients by depth before training; costs and claims after it: seven activations."""
    result = activations_lab.run(torch, data.train, data.test, quick=data.pixels == 64)
    table = result["gradients"]
    for depth, activation, layer, std, grad in zip(*table.values()):
        print(f"depth {depth:2} {activation:10} layer {layer:2} {std:.5f} {grad:.4e}")
    table = result["accuracies"]
    for depth, activation, cost, right in zip(*table.values()):
        print(f"depth {depth:2} {activation:10} cost {cost:.4f} acc. {right:.3f}")
    for line in claim_lines(result):
        print(line)
