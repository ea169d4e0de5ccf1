"""What moved between two runs, and what is only noise: the one place where that is judged."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

LEAST = 0.05  # a smaller change is not worth a line
FEWEST = 3  # from fewer figures no spread can be seen

Key = TypeVar("Key", bound=Hashable)


def middle(figures: list[float]) -> tuple[float, float]:
    """The ends of the middle half and one figure more on each side: of fewer than eight, of all.

    >>> middle([3, 1, 2]), middle([9, 1, 5, 6, 7, 5, 4, 8])
    ((1, 3), (4, 8))
    """
    left_out = max(len(figures) // 4 - 1, 0)
    figures = sorted(figures)
    return figures[left_out], figures[-1 - left_out]


def moved(before: list[float], after: list[float]) -> bool:
    """Whether the medians are farther apart than both spreads together, and by 5% at least.

    A spread is the width of ``middle``. Of noise alone (normal, simulated) it happens to 1
    pair in 70 of three figures each, to 1 in 1,000 of four and to fewer than 1 in 7,000 of more.
    A machine that is slower all the while is no noise within a run: take figures from several.
    """
    (a, b), (c, d) = middle(before), middle(after)
    x, y = statistics.median(before), statistics.median(after)
    return abs(y - x) > max((b - a) + (d - c), LEAST * x)


def line(name: str, before: list[float], after: list[float], show: Callable[[float], str]) -> str:
    """A change and the ranges it was seen in."""
    x, y = statistics.median(before), statistics.median(after)
    (a, b), (c, d) = middle(before), middle(after)
    return (f"{'more' if y > x else 'less'} {f'{y / x - 1:+.0%}' if x else 'than 0'}  {name}: "
            f"{show(a)}-{show(b)} -> {show(c)}-{show(d)}")


def comparison(old: Mapping[Key, list[float]], before: dict[str, Any],
               new: Mapping[Key, list[float]], now: dict[str, Any],
               name: Callable[[Key], str], show: Callable[[float], str] = "{:.3g}".format) -> str:
    """What moved, and what else differs between two runs of ``date`` and ``machine``."""
    was, is_ = before["machine"], now["machine"]
    lines = [f"Compared with {before['date']}:"]
    lines += [f"  {k} was {was.get(k)}, is {is_.get(k)}" for k in {**is_, **was}
              if was.get(k) != is_.get(k)]
    both = [key for key in new if key in old and min(len(old[key]), len(new[key])) >= FEWEST]
    if both:
        lines += [f"  {line(name(key), old[key], new[key], show)}" for key in both
                  if moved(old[key], new[key])] or ["  nothing moved beyond the noise"]
    if len(both) < len(new):
        lines.append(f"  only {len(both)} of {len(new)} have {FEWEST} figures or more in both "
                     f"runs, and are compared")
    return "\n".join(lines)
