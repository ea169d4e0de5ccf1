"""What a judge found with functions of its own: right ones refused and wrong ones let by."""

import numpy as np
import pytest

from minitorch.testing import check_grad

SEEDS = range(3)


def verdict(pair, *inputs, seed):
    return check_grad(pair, *inputs, seed=seed, explain=False, raise_exception=False).verdict


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("power", [2, 3, 4])
def test_a_power_is_told_to_be_flat_at_zero(power, seed, dtype):
    x = np.zeros(3, dtype)
    f = lambda x: x**power  # noqa: E731
    right, wrong = (lambda v, x, c=c: v * (power * x**(power - 1) + x.dtype.type(c))
                    for c in (0, 1e-4))
    assert verdict((f, right), x, seed=seed) == "pass"
    assert verdict((f, wrong), x, seed=seed) == "fail"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pullback_may_read_what_the_forward_kept(seed):
    class Layer:
        def forward(self, x, w):
            self.x, self.mask = x, np.random.random(x.shape) < 0.7
            return np.where(self.mask, x * w, 0)

        def backward(self, v, x, w):
            return np.where(self.mask, v * w, 0), np.where(self.mask, v * self.x, 0)

        def redrawn(self, v, x, w):
            mask = np.random.random(x.shape) < 0.7
            return np.where(mask, v * w, 0), np.where(mask, v * self.x, 0)

    layer, rng = Layer(), np.random.default_rng(seed)
    x, w = rng.normal(size=(2, 4, 8))
    assert verdict((layer.forward, layer.backward), x, w, seed=seed) == "pass"
    assert verdict((layer.forward, layer.redrawn), x, w, seed=seed) == "fail"


SHARES = {"half": (lambda v, x, y: (v * np.heaviside(x - y, 0.5), v * np.heaviside(y - x, 0.5))),
          "one": (lambda v, x, y: (v * (x >= y), v * (y > x))),
          "both": (lambda v, x, y: (v * (x >= y), v * (y >= x))),
          "neither": (lambda v, x, y: (v * (x > y), v * (y > x)))}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("share", SHARES)
def test_tied_inputs_of_a_maximum_have_the_gradient_once(share, seed):
    x, y = np.array([1.0, 2.0, 3.0, 0.5]), np.array([1.0, 5.0, 0.0, 0.5])
    right = share in ("half", "one")
    expected = "pass-at-kink" if right else "fail"
    assert verdict((np.maximum, SHARES[share]), x, y, seed=seed) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_kinks_that_are_no_ties_are_not_taken_for_one(seed):
    """relu(x) - relu(-y) at 0: moved together it is smooth, and 0 is right for each alone."""
    f = lambda x, y: np.maximum(x, 0) - np.maximum(-y, 0)  # noqa: E731
    zeros = lambda v, x, y: (v * (x > 0), v * (y < 0))  # noqa: E731
    x, y = np.array([0.0, 1.0, -1.0]), np.array([0.0, 2.0, -1.0])
    assert verdict((f, zeros), x, y, seed=seed) == "pass-at-kink"


@pytest.mark.parametrize("size", [3, 5, 6, 7, 8])
def test_ill_conditioned_equations_are_no_false_alarm(size):
    n = np.arange(size)
    hilbert, b = 1 / (n[:, None] + n + 1.0), np.random.default_rng(size).normal(size=size)

    def pullback(v, a, b, factor=1.0):
        back = np.linalg.solve(a.T, v)
        return -np.outer(back, np.linalg.solve(a, b)), factor * back

    wrong = lambda v, a, b: pullback(v, a, b, 1.001)  # noqa: E731
    for seed in SEEDS:
        right = verdict((np.linalg.solve, pullback), hilbert, b, seed=seed)
        assert right == "pass" if size <= 5 else right in ("pass", "unsure")
        assert verdict((np.linalg.solve, wrong), hilbert, b, seed=seed) == "fail"


@pytest.mark.parametrize("seed", SEEDS)
def test_one_part_in_a_thousand_is_seen_in_float32(seed):
    """A blurred third look, with whose bars much agrees, does not overrule two sharp ones."""
    x = np.random.default_rng(seed).normal(size=6).astype(np.float32)
    assert verdict((lambda x: np.roll(x, 2), lambda v, x: np.roll(v, -2)), x, seed=seed) == "pass"
    for off in (1e-3, 1e-4):
        wrong = lambda v, x, off=off: np.roll(v, -2) * np.float32(1 + off)  # noqa: E731
        assert verdict((lambda x: np.roll(x, 2), wrong), x, seed=seed) == "fail"


@pytest.mark.parametrize("limit", [1e-2, 1.0, 10.0])
def test_a_clipped_cotangent_is_wrong_whatever_the_limit(limit):
    x = np.linspace(-1, 1, 5)
    clipped = lambda v, x: np.clip(v, -limit, limit) * np.cos(x)  # noqa: E731
    assert verdict((np.sin, lambda v, x: v * np.cos(x)), x, seed=0) == "pass"
    assert verdict((np.sin, clipped), x, seed=0) == "fail"


def sorted_back(v, x):
    g = np.empty_like(x)
    g[np.argsort(x, kind="stable")] = v
    return g


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("seed", range(5))
def test_of_inputs_that_tie_in_a_sort_each_may_be_any(seed, dtype):
    """The middle one of three gets an output that no step of it alone would give it."""
    x = np.random.default_rng(seed).permutation([0, 1, 1, 1, 2, 3, 3]).astype(dtype)
    assert verdict((np.sort, sorted_back), x, seed=seed) == "pass-at-kink"
    for wrong in (lambda v, x: x.dtype.type(2) * sorted_back(v, x), lambda v, x: v,
                  lambda v, x: np.where(x == 1, v[1], sorted_back(v, x)),
                  lambda v, x: sorted_back(np.where(np.arange(7) == 2, 0, v), x)):
        assert verdict((np.sort, wrong), x, seed=seed) == "fail"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_function_with_a_pole_within_a_rounding_is_unsure(seed):
    """Of a Hilbert matrix of condition 1.5e7, float32 cannot tell the derivative."""
    n = np.arange(6, dtype=np.float32)
    a, b = 1 / (n[:, None] + n + 1), np.random.default_rng(seed).normal(size=6).astype("f4")

    def pullback(v, a, b):
        back = np.linalg.solve(a.T, v)
        return -np.outer(back, np.linalg.solve(a, b)), back

    report = check_grad((np.linalg.solve, pullback), a, b, seed=seed, raise_exception=False)
    assert report.verdict == "unsure" and "float64" in report.reason


def test_advice_on_kinks_does_not_say_that_there_are_some():
    """A batch norm far from zero has none, but in float32 its rounding looks like some."""
    def f(x):
        return (x - x.mean(0)) / np.sqrt(x.var(0) + np.float32(1e-5))

    def ddof(v, x):
        s = 1 / np.sqrt(x.var(0) + np.float32(1e-5))
        y = (x - x.mean(0)) * s
        return s * (v - v.mean(0) - y * (v * y).sum(0) / (len(x) - 1))

    reasons = set()
    for seed in range(12):
        x = (np.random.default_rng(seed).normal(size=(6, 3)) + 1e3).astype(np.float32)
        report = check_grad((f, ddof), x, seed=seed, explain=False, raise_exception=False)
        assert not report.ok
        reasons.add(report.reason)
    for reason in reasons:
        assert "move the inputs off the kinks" not in reason or "if f has none" in reason
    assert any("if f has none" in reason for reason in reasons)
