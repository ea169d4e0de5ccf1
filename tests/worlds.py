"""An engine with drawn tensors, and what a transform made of them in terms that engines share."""

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

import minitorch

# Raised by PyTorch itself when its forward mode is loaded.
FORWARD_MODE = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated",
                                          "ignore:We've integrated functorch into PyTorch")
ENGINES = (minitorch, torch)
seeds = st.integers(0, 2**32 - 1)


def described(x):
    """The structure, with arrays in place of tensors and whether each has a graph."""
    if isinstance(x, (tuple, list)):
        return type(x)(described(y) for y in x)
    if isinstance(x, dict):
        return {key: described(y) for key, y in x.items()}
    if hasattr(x, "detach"):
        return {"array": x.detach().numpy(), "graph": x.requires_grad}
    return x


def same(ours, theirs):
    assert type(ours) is type(theirs)
    if isinstance(ours, (tuple, list)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs):
            same(a, b)
    elif isinstance(ours, dict):
        assert list(ours) == list(theirs)
        for key in ours:
            same(ours[key], theirs[key])
    elif isinstance(ours, np.ndarray):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-11)  # summation order
    else:
        assert ours == theirs


class World:
    """An engine with the same drawn tensors in each: x, y, and w, which requires a gradient."""

    def __init__(self, lib, seed):
        rng = np.random.default_rng(seed)
        self.lib, self.F = lib, lib.func
        self.x, self.y, self.w = (lib.from_numpy(rng.normal(size=3)) for _ in range(3))
        self.m = lib.from_numpy(rng.normal(size=(4, 3)))
        self.s = self.x[0]
        self.w.requires_grad_()


def smooth(x):
    return (x.sin() * x).sum()


def tensors_in(x):
    if isinstance(x, dict):
        x = list(x.values())
    return [t for y in x for t in tensors_in(y)] if isinstance(x, (tuple, list)) else [x]


def gradient_through(world, result):
    """The gradient by w of a function of all that is part of its graph, if anything is."""
    parts = [(t * t).sum() for t in tensors_in(result) if t.requires_grad]
    if not parts:
        return None
    (g,) = world.lib.autograd.grad(sum(parts), world.w)
    return g.numpy()
