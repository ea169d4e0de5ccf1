"""Numbers that avoid the kinks of a function, seek them, or go to the edges of their dtype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

KINDS = ("smooth", "ties", "edges")


@dataclass(frozen=True)
class Numbers:
    """What numbers look like: their kind, and for "smooth" and "ties" where they lie."""

    kind: str = "smooth"
    kinks: Sequence[float] = (0.0,)
    low: float = -2.0
    high: float = 2.0
    gap: float = 0.1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no kind '{self.kind}' of values, only {', '.join(KINDS)}")
        if not self.low < self.high:
            raise ValueError(f"low={self.low} must be less than high={self.high}")

    def pieces(self) -> np.ndarray:
        """What is left of [low, high] without the gap on either side of each kink: rows (a, b)."""
        edges = [self.low]
        for k in sorted(self.kinks):
            if self.low - self.gap < k < self.high + self.gap:
                edges += [max(k - self.gap, edges[-1]), max(k + self.gap, edges[-1])]
        pieces = np.array([*edges, self.high]).reshape(-1, 2)
        pieces = pieces[pieces[:, 0] < pieces[:, 1]]
        if not len(pieces):
            raise ValueError(f"from {self.low} to {self.high} nothing is {self.gap} away from the "
                             f"kinks {list(self.kinks)}: give a smaller gap")
        return pieces

    def smooth(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Distinct numbers in the pieces, in random order, of as few decimals as that allows."""
        a, b = self.pieces().T
        ends = np.cumsum(b - a)
        u = (rng.permutation(n) + rng.uniform(0.2, 0.8, n)) / max(n, 1) * ends[-1]
        piece = np.searchsorted(ends, u).clip(max=len(a) - 1)
        x = a[piece] + (u - (ends - (b - a))[piece])
        decimals = max(2, int(np.ceil(np.log10(10 * max(n, 1) / ends[-1]))))
        return np.round(x, decimals).clip(a[piece], b[piece])

    def few(self) -> list[float]:
        """The kinks, and a few other numbers between ``low`` and ``high``."""
        near = [*self.kinks, 0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, self.low, self.high]
        return list(dict.fromkeys(v for v in near if self.low <= v <= self.high))

    def edges(self, dtype: Any) -> list[float]:
        """Also the largest and smallest numbers, those whose exponential overflows, -0, inf, nan;
        none below 0 if ``low`` is not."""
        info = np.finfo(dtype)
        large = [float(v) for v in (1.2 * np.log(info.max), info.max, info.smallest_normal,
                                    info.smallest_subnormal, np.inf)]
        return [*self.few(), *large, *([] if self.low >= 0 else [-v for v in large] + [-0.0]),
                np.nan]

    def make(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array of them; integers (between ``low`` and ``high``) and bools may repeat."""
        dtype, n = np.dtype(dtype), int(np.prod(shape))
        if dtype.kind == "b":
            return np.asarray(rng.random(shape) < 0.5)
        if dtype.kind in "iu":
            return self.integers(rng, shape, dtype)
        if self.kind == "smooth":
            x = self.smooth(rng, n).astype(dtype)
            if len(np.unique(x)) < n:
                raise ValueError(f"{dtype} has no {n} distinct numbers from {self.low} to "
                                 f"{self.high}: draw a smaller shape, or kind='ties'")
            return x.reshape(shape)
        some = rng.choice(self.few() if self.kind == "ties" else self.edges(dtype), shape)
        kinks = [k for k in self.kinks if self.low <= k <= self.high]
        if kinks and self.kind == "ties":  # every second number is a kink
            some = np.where(rng.random(shape) < 0.5, rng.choice(kinks, shape), some)
        return np.asarray(some, dtype)

    def integers(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        info = np.iinfo(dtype)
        low, high = max(int(np.ceil(self.low)), info.min), min(int(np.floor(self.high)), info.max)
        if low > high:
            raise ValueError(f"{dtype} has no number from {self.low} to {self.high}")
        x = rng.integers(low, high, shape, dtype, endpoint=True)
        if self.kind == "edges":
            x = np.where(rng.random(shape) < 0.5, rng.choice(
                np.array([info.min, info.max], dtype), shape), x)
        return np.asarray(x, dtype)

    def single(self) -> list[float]:
        """Some float64 values, the simplest first."""
        if self.kind == "ties":
            return self.few()
        if self.kind == "edges":
            return self.edges(np.float64)
        steps = np.concatenate([np.linspace(a, b, 33) for a, b in self.pieces()])
        rounded = [*np.round(steps, 1), *np.round(steps, 2)]
        pieces = [(a, b) for a, b in self.pieces()]
        found = {float(v) for v in rounded if any(a <= v <= b for a, b in pieces)} or {
            float(v) for v in steps}
        return sorted(found, key=lambda v: (len(repr(abs(v))), v % 1 != 0, abs(v), v < 0))
