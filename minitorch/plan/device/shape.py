"""How many threads a kernel is launched with, and which part of its work each has."""

from __future__ import annotations

from dataclasses import dataclass

from minitorch.plan.device.fusing import Kernel, Phase


def power_above(n: int) -> int:
    """The smallest power of two that is not below ``n``."""
    return 1 << (n - 1).bit_length()


@dataclass(eq=False)
class Shape:
    """How many threads a block has, and ``blocks``. ``lines`` at a time, each by ``lanes``."""

    block: int
    blocks: int
    lines: int = 1
    lanes: int = 1


def shape(kernel: Kernel) -> Shape:
    """For a kernel that shares its work in the way that was chosen."""
    spaces = [p.space for p in kernel.phases if p.space != (1, 1)] or [(1, 1)]
    rows, columns = [max(s[i] for s in spaces) for i in (0, 1)]
    if kernel.way == "rows":
        lanes = power_above(min(columns, 256))
        lines = max(1, 256 // lanes)
        return Shape(lines * lanes, -(-rows // lines), lines, lanes)
    if kernel.way == "columns":
        # Eight floats are one sector of memory; wide arrays give enough blocks for whole lines.
        lines = min(8 if columns < 2048 else 32, power_above(columns))
        lanes = min(power_above(rows + 1) // 2, 1024 // lines)
        return Shape(lines * lanes, -(-columns // lines), lines, lanes)
    if kernel.way == "one":
        return Shape(1024 if kernel.size > 256 else 256, 1)
    return Shape(256, min(-(-kernel.size // 256), 1 << 14))


def within(phase: Phase, block: int) -> Shape:
    """How a kernel of one block shares a phase that folds among its threads."""
    rows, columns = phase.space
    if phase.fold == 1:
        lanes = min(power_above(columns), block)
        return Shape(block, 1, block // lanes, lanes)
    lines = min(power_above(columns), 32)
    lanes = min(block // lines, power_above(rows))
    return Shape(block, 1, block // lanes, lanes)
