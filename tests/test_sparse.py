"""Sparse tensors against PyTorch's: making, forms, text, and what is refused."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import ops
from tests.nn.both import Raised, outcome
from tests.told import DTYPES, assert_told_alike, seeds, told


def drawn(data: Any, seed: int, count: int = 1, laid_out: bool = False) -> Any:
    """Builders of sparse tensors of one shape: up to two sparse and one dense dimensions."""
    rng = np.random.default_rng(seed)
    sparse = tuple(data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    dense = tuple(data.draw(st.lists(st.integers(1, 2), max_size=1)))
    made = []
    dtype = data.draw(st.sampled_from(DTYPES))
    for _ in range(count):
        if laid_out:
            dtype = data.draw(st.sampled_from(DTYPES))
        n = data.draw(st.integers(0, 5))
        indices = np.stack([rng.integers(0, k, n) for k in sparse])
        values = rng.standard_normal((n, *dense)).astype(dtype)
        if not laid_out and data.draw(st.integers(0, 3)) == 3:
            values = np.broadcast_to(np.asarray(2, values.dtype), values.shape)
        coalesced = data.draw(st.booleans())

        def build(t: Any, indices: Any = indices, values: Any = values,
                  coalesced: bool = coalesced) -> Any:
            v = t.from_numpy(values.copy())
            if values.size and not any(values.strides):
                v = t.from_numpy(values[:1].copy().reshape(-1)[:1].copy()).expand(values.shape)
            x = t.sparse_coo_tensor(t.from_numpy(indices.copy()), v, (*sparse, *dense))
            return x.coalesce() if coalesced else x
        build.loose = not laid_out  # type: ignore[attr-defined]
        made.append(build)
    return made


FORMS = [lambda t, x: x, lambda t, x: x.coalesce(), lambda t, x: x.to_dense(), lambda t, x: -x,
         lambda t, x: x * 2, lambda t, x: 0.5 * x, lambda t, x: x / 4, lambda t, x: x.clone(),
         lambda t, x: x.detach(), lambda t, x: x.data, lambda t, x: x.double(),
         lambda t, x: x.to(t.float32), lambda t, x: x.cpu(), lambda t, x: x.to_sparse(),
         lambda t, x: copy.deepcopy(x), lambda t, x: pickle.loads(pickle.dumps(x)),
         lambda t, x: x.zero_(), lambda t, x: t.zeros_like(x), lambda t, x: x.clone().neg_(),
         lambda t, x: x.indices(), lambda t, x: x.values(), lambda t, x: x.coalesce().indices(),
         lambda t, x: x.coalesce().values(), lambda t, x: x.type(), lambda t, x: x.numel(),
         lambda t, x: x * t.ones_like(x.to_dense()), lambda t, x: t.ones(tuple(x.shape)) * x,
         lambda t, x: t.ones(tuple(x.shape)).sparse_mask(x), lambda t, x: x.is_contiguous(),
         lambda t, x: x.requires_grad_() * 2, lambda t, x: x.numpy(), lambda t, x: x + 1]


@given(st.data(), seeds, st.sampled_from(FORMS))
def test_forms_of_a_sparse_tensor_agree_with_torch(data: Any, seed: int, form: Any) -> None:
    (build,) = drawn(data, seed)
    assert_told_alike(lambda t: form(t, build(t)))


@given(st.data(), seeds)
def test_sums_of_sparse_tensors_agree_with_torch(data: Any, seed: int) -> None:
    """Two of any dtypes, coalesced or not; and with a dense one, which gives a dense one."""
    builds = drawn(data, seed, 2, laid_out=data.draw(st.booleans()))
    alpha = data.draw(st.sampled_from([1, 2, -0.5]))
    program = data.draw(st.sampled_from([  # -y, 2 * y and y.double() are laid out anew
        lambda t, x, y: x + y, lambda t, x, y: x.clone().add_(y)] if builds[0].loose else [
        lambda t, x, y: x - y, lambda t, x, y: x.add(y, alpha=alpha), lambda t, x, y: x.sub_(x),
        lambda t, x, y: x.add_(x)]))
    assert_told_alike(lambda t: program(t, *[build(t) for build in builds]))
    dense = np.random.default_rng(seed).standard_normal(builds[0](torch).shape)
    for total in (lambda x, d: d + x, lambda x, d: d - x, lambda x, d: d.add_(x)):
        ours, theirs = (total(builds[0](t), t.from_numpy(dense.copy())).numpy()
                        for t in (minitorch, torch))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@given(st.data(), seeds)
def test_dense_and_sparse_are_inverse(data: Any, seed: int) -> None:
    dims = data.draw(st.one_of(st.none(), st.integers(0, 4)))
    shape = tuple(data.draw(st.lists(st.integers(0, 3), max_size=3)))
    numbers = np.asarray(np.random.default_rng(seed).integers(-1, 2, shape), "float64")

    def program(t: Any) -> Any:
        x = t.from_numpy(numbers.copy()).requires_grad_()
        y = x.to_sparse() if dims is None else x.to_sparse(dims)
        g, = t.autograd.grad((y * 3).to_dense().pow(2).sum(), x)
        return y.detach(), y.detach().to_dense(), g.to_dense()

    assert_told_alike(program)


def test_gradients_pass_through_sparse_tensors() -> None:
    """To the values, through coalescing, and to a sparse leaf."""
    def program(t: Any) -> Any:
        v = t.arange(3.0).requires_grad_()
        x = t.sparse_coo_tensor([[0, 2, 0], [1, 0, 1]], v, (3, 2))
        (x.to_dense() ** 2).sum().backward()
        (x.coalesce().values() ** 3).sum().backward()
        leaf = x.detach().requires_grad_()
        (leaf.to_dense() ** 2).sum().backward()
        return x, x.coalesce(), v.grad, leaf, leaf.grad

    assert_told_alike(program)


@given(st.data(), seeds, st.sampled_from([None, 40, 20]))
def test_the_text_is_torchs(data: Any, seed: int, width: Any) -> None:
    (build,) = drawn(data, seed)
    scale = data.draw(st.sampled_from([1.0, 1e6, 1e-6]))
    dtype = data.draw(st.sampled_from(["float64", "float16", "int32", "int64", "bool"]))

    def program(t: Any) -> Any:
        t.set_printoptions(linewidth=width or 80)
        try:
            return repr((build(t) * scale).to(getattr(t, dtype)))
        finally:
            t.set_printoptions(profile="default")

    assert_told_alike(program)


def test_long_ones_are_cut_as_in_torch() -> None:
    assert_told_alike(lambda t: repr(t.sparse_coo_tensor(
        t.arange(2000).reshape(1, 2000), t.arange(4000.0).reshape(2000, 2))))


MADE: dict[str, Any] = {
    "lists": lambda f: f([[0, 1]], [1, 2]),
    "a shape alone": lambda f: f((2, 3)),
    "a named shape": lambda f: f(size=(2, 3)),
    "no entries": lambda f: f([[]], [], (3,)),
    "one entry": lambda f: f([[0], [1]], [2.0], (3, 2)),
    "one that is not coalesced": lambda f: f([[0]], [2.0], (3,), is_coalesced=False),
    "promised": lambda f: f([[0, 1]], [1.0, 2.0], (3,), is_coalesced=True),
    "no promise": lambda f: f([[0, 1]], [1.0, 2.0], (3,)),
    "a number": lambda f: f([[0]], 2.0, (3,)),
    "other counts": lambda f: f([[0, 1]], [1, 2, 3], (3,)),
    "too many sizes": lambda f: f([[0, 1]], [1, 2], (3, 3)),
    "other values": lambda f: f([[0, 1]], [[1, 2], [3, 4]], (3, 3)),
    "negative": lambda f: f([[0, -5]], [1, 2]),
    "flat indices": lambda f: f([0, 1], [1, 2]),
    "checked": lambda f: f([[0, 5]], [1, 2], (3,), check_invariants=True),
    "a keyword": lambda f: f(indices=[[0, 1]], values=[1.0, 2.0], size=[3]),
}


@pytest.mark.parametrize("how", MADE)
def test_making_one_agrees_with_torch(how: str) -> None:
    assert_told_alike(lambda t: MADE[how](t.sparse_coo_tensor))


def test_options_of_making_one() -> None:
    assert_told_alike(lambda t: t.sparse_coo_tensor([[0, 1]], [1, 2], (3,), dtype=t.float64,
                                                    device="cpu", requires_grad=True))
    with pytest.raises(RuntimeError, match="size is 3 but found index 5"):  # torch lets it pass
        minitorch.sparse_coo_tensor([[0, 5]], [1, 2], (3,))
    values = minitorch.ones(2)
    assert minitorch.sparse_coo_tensor([[0, 1]], values)._values().array is values.array


@pytest.mark.parametrize("name", ["values", "indices", "coalesce", "is_coalesced", "sparse_dim",
                                  "dense_dim", "to_dense"])
def test_questions_to_dense_tensors_are_answered_as_by_torch(name: str) -> None:
    assert_told_alike(lambda t: getattr(t.ones(2, 3), name)())


def test_arrays_are_not_made_of_it_silently() -> None:
    x = minitorch.sparse_coo_tensor([[0, 1]], [1.0, 2.0], (3,))
    for make in (np.asarray, np.sum, lambda x: x.array + 1, bool):
        with pytest.raises((RuntimeError, TypeError)):
            make(x)
    with pytest.raises(BufferError):
        np.from_dlpack(x)
    with pytest.raises(NotImplementedError, match="to_dense"):
        minitorch.ones(3)[:] = x
    assert isinstance(np.ones(3) + x.array, np.ndarray)


# -- everything else is refused --------------------------------------------------------------

ENTRIES = np.array([[2, 0, 2], [1, 0, 1]]), np.array([1.0, 2.0, 3.0], "float32")
GIVEN: list[tuple[Any, ...]] = [(), ("sparse",), ("dense",), (2,), (0,), (0, 1), (1.0, 2.0),
                                ("dense", "sparse"), (0, "index"), (0, "index", "sparse"),
                                ("mask", 2.0)]
# Where PyTorch has no kernel, but sums, differences and products are well defined.
BEYOND = {"add", "sub", "subtract", "rsub", "__add__", "__radd__", "__sub__", "__rsub__", "addcmul",
          "lerp", "dist", "mse_loss", "huber_loss", "smooth_l1_loss", "l1_loss",
          "pairwise_distance", "deg2rad", "rad2deg", "bernoulli", "normal", "randint_like", "rot90",
          "type_as", "new", "is_shared", "share_memory_", "__rtruediv__"}
SKIPPED = {"register_hook", "backward", "apply_", "compile", "manual_seed", "seed", "from_dlpack"}


def argument(t: Any, kind: Any) -> Any:
    if kind == "sparse":
        return t.sparse_coo_tensor(*[t.from_numpy(part.copy()) for part in ENTRIES], (3, 2))
    arrays = {"dense": np.arange(6, dtype="float32").reshape(3, 2) + 1, "index": np.array([0, 1]),
              "mask": np.arange(6).reshape(3, 2) > 2,
              "full": np.array([[2, 0], [0, 0], [0, 4]], "float32")}
    return t.from_numpy(arrays[kind].copy()) if kind in arrays else kind


def member(t: Any, path: str) -> Any:
    for part in filter(None, path.split(".")):
        t = getattr(t, part)
    return t


def names(thing: Any, other: Any) -> list[str]:
    return [name for name in dir(thing) if hasattr(other, name) and name not in SKIPPED
            and not isinstance(getattr(thing, name), (type, ModuleType, property))
            and callable(getattr(thing, name)) and "set_" not in name]


SPECIAL = [f"__{word}__" for word in """add radd sub rsub mul rmul truediv pow matmul eq lt neg abs
getitem len iter float""".split()]


@pytest.mark.parametrize("owner", ["Tensor", "", "nn.functional", "linalg"])
def test_every_function_gives_torchs_result_or_refuses(owner: str) -> None:
    """Of every call that a dense tensor is good for: the same, or an error that says what to do."""
    refused = equal = 0
    for name in names(member(minitorch, owner), member(torch, owner)):
        if name.startswith("_") and name not in SPECIAL:
            continue
        for first, rest in [("sparse", rest) for rest in GIVEN] + [("dense", ("sparse",)),
                                                                     ("dense", ("sparse", 2))]:
            kinds = (first, *rest)

            def call(t: Any, kinds: Any = kinds, name: str = name) -> Any:
                return told(getattr(member(t, owner), name)(*[argument(t, k) for k in kinds]))

            full = tuple("full" if kind == "sparse" else kind for kind in kinds)
            if any(isinstance(outcome(lambda t, full=full: call(t, full), t), Raised)
                   for t in (minitorch, torch)):
                continue
            ours = outcome(call, minitorch)
            if isinstance(ours, Raised):
                refused += 1
                assert issubclass(ours.type, RuntimeError) or ours.type in (
                    TypeError, BufferError, ValueError), f"{name}{kinds}: {ours!r}"
                assert "parse" in ours.text or "density" in ours.text, f"{name}{kinds}: {ours!r}"
            elif name not in BEYOND and name.removesuffix("_") not in BEYOND:
                theirs = outcome(call, torch)
                equal += 1
                assert str(ours) == str(theirs), f"{name}{kinds}: {ours!r} | {theirs!r}"
    assert refused > 5


def test_every_operator_refuses_by_its_own_name() -> None:
    x = argument(minitorch, "sparse")
    for name in ("exp", "softmax", "amax", "maximum"):
        with pytest.raises(NotImplementedError, match=rf"^{name}\(\) is not implemented for"):
            getattr(ops, name)(*[x, x][:getattr(ops, name).arity])
