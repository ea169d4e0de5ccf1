"""What a tensor is and gives away: shape, memory, numbers, arrays, text, copies."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.twins import DTYPES, agree, dims, lines, plain, same, scalars, tensors

FACTS = lines("""
    x.shape
    x.size()
    x.size(d)
    x.size(dim=d)
    x.shape[0]
    x.shape[:-1]
    x.shape + (1,)
    (1,) + x.shape
    x.shape * 2
    x.shape == tuple(x.shape)
    x.shape.numel()
    str(x.shape)
    isinstance(x.shape, tuple)
    hash(x.shape) == hash(tuple(x.shape))
    x.dim()
    x.ndim
    x.ndimension()
    x.numel()
    x.nelement()
    x.dtype
    str(x.dtype)
    x.dtype.is_floating_point
    x.dtype.is_complex
    x.dtype.is_signed
    x.dtype.itemsize
    x.device
    str(x.device)
    x.device.type
    x.is_cuda
    x.is_cpu
    x.is_sparse
    x.is_quantized
    x.is_complex()
    x.is_signed()
    x.is_floating_point()
    x.is_pinned()
    x.get_device()
    x.element_size()
    x.itemsize
    x.nbytes
    x.requires_grad
    x.is_leaf
    x.output_nr
    x.retains_grad
    x.type()
    torch.typename(x)
    str(x.layout)
    x.contiguous().is_contiguous()
    x.is_contiguous()
    torch.ones(2, 3, 4).stride()
    torch.ones(2, 1, 4).stride(1)
    torch.ones(2, 3, 4).transpose(0, 2).stride()
    torch.ones(3, 4)[1:, ::2].stride()
    torch.ones(3, 4)[1:, 2].storage_offset()
    torch.ones(3, 1).expand(3, 5).stride()
    torch.ones(5).stride(3)
    len(x)
    list(x)
    [float(v) for v in x.reshape(-1)]
    tuple(reversed(x))
    x.tolist()
    x.item()
    float(x)
    int(x)
    bool(x)
    complex(x)
    x.__index__()
    [0, 1, 2][x]
    2 in x
    x[..., :1] in x
    "a" in x
    hash(x) == hash(x)
    x is x
    {x: 1}[x]
    not x
    x and 1
    round(x.detach().double().mean().item(), 3)
    repr(x.detach())
    str(x.detach())
    f"{x.detach()}"
    format(x)
    f"{x.detach().sum().item():.4f}"
    f"{x.sum():.4f}"
    f"{x.sum():8.2e}"
    "%s" % x.detach()
    "{:.2f}".format(x.detach().double().sum())
    f"{x:.2f}"
    "%.3f" % x.detach().sum()
    "%d" % x.detach().sum()
    x.data.requires_grad
    x.detach().is_leaf
    x.grad
    x.element_size() * x.nelement()
    x.T.shape
    x.mT.shape
    x.cpu() is x
    x.to(x.dtype) is x
    x.contiguous().contiguous().shape
    x.view(x.shape)._is_view()
    x.clone()._is_view()
    (x.clone()[None]._base is None)
    x.unknown_attribute
    torch.is_tensor(x)
    torch.is_tensor([1])
    torch.numel(x)
    torch.is_nonzero(x)
""")


@given(x=tensors(), d=dims)
def test_facts_and_conversions_agree_with_torch(x, d):
    agree(FACTS, x=x, d=d)


@given(x=tensors(wild=True, dtype=["float32", "float64", "float16"], grad=False))
def test_text_and_numbers_of_nan_and_infinity_agree_with_torch(x):
    agree(["str(x)", "x.tolist()", "x.numpy()", "float(x)", "int(x)", "bool(x)"], x=x)


NUMPY = lines("""
    x.numpy()
    x.detach().numpy()
    x.numpy(force=True)
    np.asarray(x)
    np.array(x.detach())
    np.array(x.detach(), dtype=np.float32)
    np.asarray(x.detach(), np.int16)
    np.exp(x.detach().double())
    np.add(x.detach(), 1)
    np.sqrt(x)
    np.maximum(x.detach(), 0)
    np.float32(2) * x
    np.float64(2) * x
    x * np.float32(2)
    np.int64(2) + x
    x - np.int32(1)
    x / np.float64(3)
    np.float64(2) ** x.detach().double()
    np.stack([x.detach(), x.detach()])
    np.ones(2)[torch.tensor(1)]
    np.arange(5)[torch.tensor([1, 2])]
    np.allclose(x.detach(), x.detach(), equal_nan=True)
    np.shape(x)
    np.zeros(3)[torch.arange(2)]
    x.numpy().dtype.name
    np.dtype(np.float32) == np.float32
    x == np.float32(2)
    x.detach() + np.ones(1)
    x.detach() * np.ones((1, 1))
    torch.from_numpy(np.ones(2)) @ np.ones(2)
    x.detach().__array__().shape
""")


@given(x=tensors())
def test_numpy_beside_tensors_agrees_with_torch(x):
    agree(NUMPY, x=x)


@given(x=tensors(dtype=["float32", "float64", "int64"]))
def test_an_array_times_a_tensor_stays_a_tensor(x):
    """With this NumPy, PyTorch refuses ``array * tensor``; we answer as for ``tensor * array``."""
    t = x.tensor(minitorch)[1]
    array = np.full(x.array.shape or (1,), 2.5)
    for text in ("a * t", "a + t", "a - t", "a / (t + 9)", "a < t", "a @ t.t().double()"):
        if "@" in text and x.array.ndim != 2:
            continue
        result = eval(text, {"a": array, "t": t})
        assert isinstance(result, minitorch.Tensor) and result.requires_grad is (
            t.requires_grad and "<" not in text)
        reference = eval(text, {"a": torch.from_numpy(array), "t": x.tensor(torch)[1]})
        assert not same(plain(result), plain(reference))


@given(x=tensors(grad=False))
def test_memory_is_shared_with_numpy_and_dlpack_consumers(x):
    t = minitorch.from_numpy(x.array.copy())
    for other in (t.numpy(), np.asarray(t), np.from_dlpack(t)):
        assert np.shares_memory(other, t.array) or not t.numel()
    theirs = torch.from_dlpack(t)
    assert theirs.numpy().tobytes() == t.numpy().tobytes()
    back = minitorch.from_dlpack(theirs)
    t.fill_(1)
    assert back.tolist() == theirs.tolist() == t.tolist()


def test_what_requires_a_gradient_is_not_given_away():
    x = minitorch.ones(2, requires_grad=True)
    for leave in (x.numpy, lambda: np.asarray(x), lambda: np.exp(x), lambda: torch.from_dlpack(x)):
        with pytest.raises((RuntimeError, BufferError), match="detach"):
            leave()


# -- copies ----------------------------------------------------------------------------------

@given(x=tensors(), s=scalars)
def test_deep_copies_and_pickles_are_independent(x, s):
    leaf = x.tensor(minitorch)[0]
    leaf.colour = "red"
    for again in (copy.deepcopy(leaf), pickle.loads(pickle.dumps(leaf)),
                  copy.deepcopy([leaf, leaf])[1]):
        assert not same(plain(again), plain(leaf))
        assert again.is_leaf and again._version == 0
        with minitorch.no_grad():
            again.zero_()
        assert not same(plain(leaf.detach()), plain(x.tensor(minitorch)[0].detach()))
    twice = copy.deepcopy([leaf, leaf])
    assert twice[0] is twice[1] and twice[0].colour == "red"


def test_deep_copies_keep_the_gradient_and_refuse_what_was_computed():
    x = minitorch.ones(2, requires_grad=True)
    (x * 3).sum().backward()
    assert copy.deepcopy(x).grad.tolist() == [3, 3]
    for refuse in (copy.deepcopy, pickle.dumps):
        with pytest.raises(RuntimeError, match=r"leaves|leaf"):
            refuse(x * 2)


def test_a_dropped_tensor_is_freed_at_once():
    gc.disable()
    try:
        x = minitorch.ones(3, requires_grad=True)
        y = (x * 2)[0:2]
        y.add_(1)
        y.sum().backward()
        refs = [weakref.ref(t) for t in (x, y)]
        del x, y
        assert [r() for r in refs] == [None, None]
    finally:
        gc.enable()


@given(dtype=st.sampled_from(DTYPES))
def test_a_parameterless_subclass_prints_its_own_name(dtype):
    class Mine(minitorch.Tensor):
        pass
    assert "Mine" in repr(Mine) and repr(minitorch.Tensor) == "<class 'torch.Tensor'>"
    assert isinstance(Mine([1.0]), minitorch.Tensor)
    assert minitorch.ones(1, dtype=getattr(minitorch, dtype)).dtype.name == dtype
