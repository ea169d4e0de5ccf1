"""The line search goes torch's way, whatever it meets, and finds what the Wolfe conditions ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.optim.lbfgs import _strong_wolfe

import minitorch
from minitorch.optim.line_search import C1, C2, Point, strong_wolfe
from minitorch.testing.db.runs import close


@given(st.integers(0, 99), st.sampled_from([0.001, 0.3, 1.0, 7.0]))
def test_the_line_search_finds_what_the_conditions_ask_for(seed: int, first: float) -> None:
    """On drawn quartics with a slope down at 0."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(0.1, 2), rng.normal(), -rng.uniform(0.1, 3)

    def phi(t: float) -> Point:
        return Point(t, a * t ** 4 + b * t ** 2 + c * t, None, 4 * a * t ** 3 + 2 * b * t + c)

    start = phi(0.0)
    end, calls = strong_wolfe(phi, start, first, 1.0, 1e-9, 25)
    assert end.loss <= start.loss + C1 * end.t * start.slope
    assert abs(end.slope) <= -C2 * start.slope
    assert calls <= 26


# What a point is to the search: its fall as a part of t times the first slope, or as low as the
# last, as the lowest yet, or lower; and its slope as a part of the first. On the bounds and beside.
FALLS = st.sampled_from([1e-4, 1.005e-4, 0.995e-4, 0.0, -1.0, 0.6, 2.5, "last", "lowest",
                         *["lower"] * 4])
SLOPES = st.sampled_from([0.9, 0.905, 0.895, -0.9, -0.905, -0.895, 0.0, 1.0, 2.5, 8.0,
                          -1.5, -2.5, -8.0])
ONWARD = st.tuples(st.sampled_from([0.6, 1.5, 2.5]), st.sampled_from([1.0, 2.5]))
BEYOND = st.tuples(st.sampled_from([1.5, 2.5, "lower"]), st.sampled_from([-0.905, -1.5, -2.5]))
POINTS = st.builds(lambda *lists: [point for points in lists for point in points],
                   st.lists(ONWARD, max_size=3), st.lists(BEYOND, max_size=1),
                   st.lists(st.tuples(FALLS, SLOPES), min_size=9, max_size=9))
SCRIPTS = st.fixed_dictionaries(dict(
    points=POINTS, tries=st.sampled_from([0, 1, 2, 3, 8, 8, 8]),
    slope=st.sampled_from([-1.0, -0.5, -3.0, -0.001]), first=st.sampled_from([1.0, 0.5, 0.01]),
    longest=st.sampled_from([1.0, 0.5]),
    tolerance=st.sampled_from([1e-9, 0.25, 0.3, 0.5, 2.0])))
# Along a straight line the cubic has no minimum, but its discriminant is 0, not less.
STRAIGHT = dict(points=[(1.0, 1.0)] * 2, tries=1, slope=-1.0, first=1.0, longest=1.0,
                tolerance=1e-9)
# Two points that are lower than the start but too high, and rise so slowly that the cubic's minimum
# lies beyond the left one.
OUTWARD = STRAIGHT | dict(points=[(2e-5, -1e-5), (9e-5, -1e-5), (0.5, 2.0), (0.5, 2.0)], tries=3)
N = 1000  # of them meet every branch, and take a few seconds


class Script:
    """A function that is made up as it is asked for, under one engine."""

    def __init__(self, engine: Any, script: dict[str, Any]) -> None:
        self.engine, self.script = engine, script
        self.ts: list[float] = []
        self.losses = [2.0]

    def values(self, t: Any) -> tuple[float, float]:
        """Loss and slope at ``t``, and a note that they were asked for."""
        fall, slope = self.script["points"][len(self.ts)]
        self.ts.append(float(t))
        lowest = min(self.losses)
        special = {"last": self.losses[-1], "lowest": lowest, "lower": lowest - 0.125}
        self.losses.append(special[fall] if fall in special
                           else 2.0 + fall * float(t) * self.script["slope"])
        return self.losses[-1], slope * self.script["slope"]

    def way(self) -> Iterator[list[Any]]:
        """The steps that it tries; then the end: loss, slope, step, number of calls."""
        search = self.ours if self.engine is minitorch else self.torchs
        end = search(**{k: v for k, v in self.script.items() if k != "points"})
        yield [np.array(self.ts)]
        yield [np.array(end, float)]

    def ours(self, tries: int, slope: float, first: float, tolerance: float,
             longest: float) -> tuple[Any, ...]:
        def phi(t: Any) -> Point:
            loss, slope = map(np.float64, self.values(t))
            return Point(t, loss, slope, slope)

        start = Point(0, *map(np.float64, (2.0, slope, slope)))
        end, calls = strong_wolfe(phi, start, first, longest, tolerance, tries)
        return end.loss, end.g, end.t, calls

    def torchs(self, tries: int, slope: float, first: float, tolerance: float,
               longest: float) -> tuple[Any, ...]:
        d = torch.tensor([longest], dtype=torch.float64)  # the slope is g @ d

        def phi(x: Any, t: Any, d: Any) -> tuple[float, Any]:
            loss, slope = self.values(t)
            return loss, slope / d

        loss, g, t, calls = _strong_wolfe(phi, None, first, d, 2.0, slope / d, (slope / d).dot(d),
                                          tolerance_change=tolerance, max_ls=tries)
        return loss, g @ d, t, calls


@settings(max_examples=max(N, settings().max_examples))
@given(SCRIPTS)
@example(STRAIGHT)
@example(OUTWARD)
def test_the_line_search_tries_what_torchs_tries(script: dict[str, Any]) -> None:
    for mine, others in zip(Script(minitorch, script).way(), Script(torch, script).way(),
                            strict=True):
        close(mine, others, 1e-12)
