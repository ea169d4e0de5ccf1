"""A lab that takes no time, for tests of what stands around labs."""

from __future__ import annotations

import math
from types import ModuleType

from minitorch.labs import style

ABOUT = {"lab": "toy", "engine": "minitorch", "version": "1", "seed": 7, "seconds": 0.25}


def tables(cost=0.5, seen=True):
    return {
        "curve": {"step": [0, 1, 2], "cost": [2.0, math.nan, cost], "who": ["a", "<b>", "nan?"]},
        "summary": {"init": ["he", "xavier"], "layer": [1, 2], "cost": [cost, -math.inf],
                    "spread": [0.0, 0.125]},
        "claims": {"claim": ["costs fall & stay", "x < y"], "seen": [seen, True],
                   "numbers": [f"{cost:.3f} < 2", "1 < 2"]},
    }


def toy():
    """A lab that takes no time."""
    lab = ModuleType("minitorch.labs.toy")

    def run(torch, train, test, quick, seed, tick):
        tick(f"falling under {torch.__name__}")
        assert quick and train[0].shape[1] == 64
        return tables(float(seed))

    def draw(result):
        for name, width in ("curve", 4.8), ("wide-curve", 9.0):
            figure, axis = style.panel("A title", "step", "cost", width)
            axis.plot(result["curve"]["step"], [2, 1, 0.5], color=style.colour("normal"))
            yield style.Picture(name, figure, "It falls.", 'A "line" that falls from 2 to 0.5.')

    lab.TITLE, lab.QUESTION, lab.CLAIM = "A toy", "Does it fall?", "It falls. <Always>."
    lab.CODE, lab.run, lab.draw = [tables], run, draw
    return lab
