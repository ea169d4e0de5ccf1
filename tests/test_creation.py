"""Making tensors: PyTorch's inference of dtypes, values, options and errors; shared memory."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.twins import agree, lines, tensors

FROM_DATA = lines("""
    torch.tensor([])
    torch.tensor([[], []])
    torch.tensor(3)
    torch.tensor(2.5)
    torch.tensor(True)
    torch.tensor([1, 2])
    torch.tensor((1.0, 2))
    torch.tensor([True, 1])
    torch.tensor([True, 1.5])
    torch.tensor([[1, 2], [3, 4.5]])
    torch.tensor(range(4))
    torch.tensor([range(2), range(2)])
    torch.tensor([np.float64(1)])
    torch.tensor([np.float32(1), 2])
    torch.tensor(np.float64(1))
    torch.tensor(np.float32(1))
    torch.tensor([np.int32(1)])
    torch.tensor(np.int32(1))
    torch.tensor(np.bool_(True))
    torch.tensor(np.arange(3))
    torch.tensor(np.arange(3.0))
    torch.tensor(np.zeros((2, 0), np.float32))
    torch.tensor([np.arange(2), np.arange(2)])
    torch.tensor([np.arange(2.0), [1, 2]])
    torch.tensor([torch.tensor(1), torch.tensor(2.0)])
    torch.tensor([torch.tensor([1.0]), torch.tensor([2.0])])
    torch.tensor([torch.tensor([1.0, 2.0]), torch.tensor([2.0, 3.0])])
    torch.tensor([torch.tensor(1), 2.5])
    torch.tensor(torch.arange(3.0))
    torch.tensor("a")
    torch.tensor(["a"])
    torch.tensor(b"ab")
    torch.tensor(None)
    torch.tensor([None])
    torch.tensor([[1, 2], [3]])
    torch.tensor({1})
    torch.tensor([2**40])
    torch.tensor(2**70)
    torch.tensor([2**63])
    torch.tensor([1e400])
    torch.tensor([300], dtype=torch.uint8)
    torch.tensor([-1], dtype=torch.uint8)
    torch.tensor([1.5], dtype=torch.int64)
    torch.tensor(1.5, dtype=torch.bool)
    torch.tensor([1], dtype=float)
    torch.tensor([1], dtype=int)
    torch.tensor([0, 1], dtype=bool)
    torch.tensor([1, 2], dtype=torch.float16)
    torch.tensor([1, 2], requires_grad=True)
    torch.tensor([1, 2], dtype=torch.float32, requires_grad=True)
    torch.tensor([1.0], device="cpu")
    torch.tensor([1.0], device=torch.device("cpu"))
    torch.tensor([1.0], device="nowhere")
    torch.tensor(np.array(["a"]))
    torch.tensor(np.array([1], dtype=object))
    torch.as_tensor([1, 2])
    torch.as_tensor([1, 2], dtype=torch.float64)
    torch.as_tensor(np.float32(2))
    torch.as_tensor(np.arange(3.0), dtype=torch.float32)
    torch.asarray([1, 2], dtype=torch.float32)
    torch.scalar_tensor(3)
    torch.from_numpy(np.arange(3))
    torch.from_numpy([1])
    torch.from_numpy(np.float32(1))
    torch.from_numpy(np.array("a"))
    torch.from_numpy(np.arange(3)[::-1])
    torch.from_numpy(np.arange(6.0).reshape(2, 3).T)
    torch.from_dlpack(np.arange(3))
    torch.frombuffer(bytearray(b"abcd"), dtype=torch.uint8)
    torch.Tensor()
    torch.Tensor(3).shape
    torch.Tensor(2, 3).shape
    torch.Tensor([1, 2])
    torch.Tensor((2, 3))
    torch.Tensor([[1, 2], [3, 4]])
    torch.Tensor(torch.Size([2, 3])).shape
    torch.Tensor(2.0)
    torch.Tensor("a")
    torch.Tensor(-1)
    torch.Tensor(torch.arange(3))
    torch.Tensor(np.arange(3))
    torch.FloatTensor([1, 2])
    torch.FloatTensor(2, 3).shape
    torch.FloatTensor(np.arange(3.0))
    torch.FloatTensor(torch.Size([2])).shape
    torch.FloatTensor(torch.arange(3))
    torch.FloatTensor(2.5)
    torch.LongTensor([1.7, -1.7])
    torch.LongTensor([True])
    torch.LongTensor(3).shape
    torch.LongTensor(torch.ones(2))
    torch.ByteTensor([1, 0])
    torch.BoolTensor([1, 0])
    torch.IntTensor([[1]])
    torch.DoubleTensor([1])
    torch.HalfTensor([1])
    isinstance(torch.ones(1), torch.FloatTensor)
    isinstance(torch.ones(1), torch.DoubleTensor)
    isinstance(torch.arange(2), torch.LongTensor)
    isinstance(torch.ones(1), torch.Tensor)
    str(torch.FloatTensor)
    str(type(torch.ones(1)))
    torch.autograd.Variable(torch.ones(2), requires_grad=True)
    torch.autograd.Variable(torch.ones(2), volatile=True)
    torch.autograd.Variable(torch.arange(2), requires_grad=True)
    isinstance(torch.ones(1), torch.autograd.Variable)
""")

FILLED = lines("""
    torch.zeros(2, 3)
    torch.zeros((2, 3))
    torch.zeros([2, 3])
    torch.zeros(size=(2, 3))
    torch.zeros(torch.Size([2]))
    torch.zeros(())
    torch.zeros()
    torch.zeros(2, 0)
    torch.zeros(-1)
    torch.zeros(2.0)
    torch.zeros("a")
    torch.zeros(torch.tensor(2)).shape
    torch.zeros(np.int64(2))
    torch.zeros(2, dtype=torch.int64)
    torch.zeros(2, dtype=float)
    torch.zeros(2, requires_grad=True)
    torch.zeros(2, dtype=torch.int64, requires_grad=True)
    torch.zeros(2, device="cpu", layout=torch.strided, pin_memory=False)
    torch.zeros(2, out=torch.ones(2))
    torch.zeros(2, 3, out=torch.ones(2, 3, dtype=torch.float64))
    torch.zeros(2, colour=1)
    torch.ones(2, dtype=torch.bool)
    torch.ones(1, 2, 3)
    torch.empty(2, 3).shape
    torch.empty(0)
    torch.full((2,), True)
    torch.full((2,), 1)
    torch.full((2, 2), 1.5)
    torch.full((2,), 1.5, dtype=torch.int64)
    torch.full((2,), torch.tensor(3.0))
    torch.full([2], "a")
    torch.full(2, 1)
    torch.full((2,), 300, dtype=torch.uint8)
    torch.full((), 7)
    torch.eye(3)
    torch.eye(2, 3)
    torch.eye(3, 2, dtype=torch.int64)
    torch.eye(-1)
    torch.tril_indices(3, 3)
    torch.triu_indices(2, 3, 1)
    torch.linspace(0, 1)
    torch.arange("a")
    torch.arange(float("nan"))
    torch.arange(float("inf"))
    torch.arange(torch.tensor(3.0))
    torch.arange(np.int32(3))
    torch.arange(True)
    torch.arange(end=3)
    torch.arange(start=1, end=3)
    torch.range
""")[:-1]

LIKE = lines("""
    torch.zeros_like(x)
    torch.ones_like(x)
    torch.ones_like(x, dtype=torch.float64)
    torch.zeros_like(x, requires_grad=True)
    torch.full_like(x, 3)
    torch.full_like(x, 2.7)
    torch.full_like(x, True)
    torch.empty_like(x).shape
    torch.empty_like(x).dtype
    torch.zeros_like([1])
    torch.rand_like(x).shape
    torch.randn_like(x).dtype
    torch.randint_like(x, 5).dtype
    torch.randint_like(x, 1, 5).shape
    x.new_zeros(2)
    x.new_zeros((2, 3))
    x.new_ones(2, 3, dtype=torch.int64)
    x.new_full((2,), 3)
    x.new_full((2,), True)
    x.new_tensor([1, 2])
    x.new_tensor(3, requires_grad=True)
    x.new_empty(2, 0)
    x.new(2, 3).shape
    x.new([1, 2])
    x.new().shape
""")


def test_tensors_from_data_agree_with_torch():
    agree(FROM_DATA)


def test_filled_tensors_agree_with_torch():
    agree(FILLED)


@given(x=tensors())
def test_tensors_like_another_agree_with_torch(x):
    agree(LIKE, x=x)


@given(default=st.sampled_from(["float16", "float32", "float64"]))
def test_the_default_dtype_is_that_of_pythons_floats(default):
    programs = lines("""
        torch.tensor(1.5)
        torch.tensor([1, 2.0])
        torch.zeros(2)
        torch.full((2,), 1.5)
        torch.arange(2.0)
        torch.linspace(0, 1, 3)
        torch.eye(2)
        torch.rand(2).dtype
        torch.Tensor([1])
        torch.FloatTensor([1])
        torch.tensor([1, 2]) / 2
        torch.tensor([True]) * 1.5
        torch.arange(3).sum() / 2
        torch.tensor(np.arange(2.0))
        torch.get_default_dtype()
    """)
    before = torch.get_default_dtype()
    try:
        for engine in (torch, minitorch):
            engine.set_default_dtype(getattr(engine, default))
        agree(programs)
    finally:
        torch.set_default_dtype(before)
        minitorch.set_default_dtype(minitorch.float32)


NUMBERS = st.one_of(st.integers(-9, 9), st.sampled_from([0.1, 0.25, 1.5, -2.75, 1e-3, 7.0, 1 / 3]))
SPACED = ["float32", "float64", "int64", "int32", "uint8", "float16"]


@given(start=NUMBERS, end=NUMBERS, step=NUMBERS, dtype=st.sampled_from(["", *SPACED]))
def test_arange_agrees_with_torch(start, end, step, dtype):
    option = f", dtype=torch.{dtype}" if dtype else ""
    agree([f"torch.arange({start}, {end}, {step}{option})", f"torch.arange({end}{option})",
           f"torch.arange({start}, {end}{option})"])


@given(start=NUMBERS, end=NUMBERS, steps=st.integers(-1, 30), dtype=st.sampled_from(SPACED[:4]))
def test_linspace_and_logspace_agree_with_torch(start, end, steps, dtype):
    agree([f"torch.linspace({start}, {end}, {steps}, dtype=torch.{dtype})",
           f"torch.linspace(start={start}, end={end}, steps={steps})",
           f"torch.logspace({start} / 3, {end} / 3, {steps}, base=2.0)"])


def test_sequences_are_exact():
    """Not a bit of difference to PyTorch's loops."""
    for text in ("linspace(-10, 10, 1000)", "linspace(0, 1, 11, dtype=torch.float64)",
                 "linspace(-3.14159, 3.14159, 2000)", "linspace(-5, 5, 999, dtype=torch.float64)",
                 "arange(0, 100)", "arange(0.0, 50.0)", "arange(0, 10, 0.1)", "arange(0, 1, 0.001)",
                 "arange(-5, 5, 0.013)", "arange(-5, 5, 0.013, dtype=torch.float64)", "eye(7)",
                 "full((3,), 0.1)"):
        theirs = eval(f"torch.{text}", {"torch": torch}).numpy()
        ours = eval(f"torch.{text}", {"torch": minitorch}).numpy()
        assert ours.tobytes() == theirs.tobytes(), text


# -- memory ----------------------------------------------------------------------------------

@given(x=tensors(grad=False))
def test_what_shares_memory_and_what_copies(x):
    array = x.array.copy()
    for make, shares in [(minitorch.from_numpy, True), (minitorch.as_tensor, True),
                         (minitorch.asarray, True), (minitorch.from_dlpack, True),
                         (minitorch.tensor, False)]:
        t = make(array)
        assert np.shares_memory(t.numpy(), array) is (shares and array.size > 0)
    assert minitorch.as_tensor(t) is t
    assert minitorch.tensor(t) is not t


def test_new_tensors_go_to_the_default_device():
    minitorch.set_default_device("cpu")
    assert minitorch.zeros(1).device == minitorch.device("cpu")
    assert minitorch.get_default_device() == minitorch.device("cpu")
    if not minitorch.cuda.is_available():
        with pytest.raises(RuntimeError, match=r"GPU|CuPy"):
            minitorch.set_default_device("cuda")
        with pytest.raises(RuntimeError, match=r"GPU|CuPy"):
            minitorch.zeros(1, device="cuda")
    assert minitorch.zeros(1).device.type == "cpu"


def test_uneven_data_is_explained():
    with pytest.raises(ValueError, match=r"dim 1.*'2', '3'"):
        minitorch.tensor([[1, 2], [1, 2, 3]])
    with pytest.raises(ValueError, match=r"torch.stack"):
        minitorch.tensor([minitorch.zeros(2), minitorch.zeros(2)])
