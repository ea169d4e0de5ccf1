"""Tensors of another dtype or device, and copies."""

import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.twins import Given, agree, drawn, lines, seeds, tensors

CONVERSIONS = lines("""
    x.to(torch.float64)
    x.to(torch.int64)
    x.to(torch.bool)
    x.to("cpu")
    x.to("cpu", torch.float32)
    x.to(torch.device("cpu"), torch.float32)
    x.to(torch.device("cpu"), dtype=torch.float64, non_blocking=True)
    x.to(dtype=torch.float16)
    x.to(device="cpu", non_blocking=True)
    x.to(y)
    x.to(x.dtype, copy=True)
    x.to(torch.float32, copy=True)
    x.to(None)
    x.to("nowhere")
    x.to(torch.float32, memory_format=torch.contiguous_format)
    x.float()
    x.double()
    x.half()
    x.long()
    x.int()
    x.short()
    x.char()
    x.byte()
    x.bool()
    x.type()
    x.type(torch.float64)
    x.type(torch.LongTensor)
    x.type("torch.DoubleTensor")
    x.type("nonsense")
    x.type_as(y)
    x.cpu()
    x.clone()
    torch.clone(x)
    x.clone(memory_format=torch.contiguous_format).is_contiguous()
    x.contiguous()
    x.contiguous().is_contiguous()
    x.detach()
    x.double().float().double()
    x.to(torch.float64) is x
    x.to(x.dtype) is x
    x.float() is x
    x.to(x.dtype, copy=True) is x
    x.to(x.dtype, True) is x
    x.to("cpu", x.dtype, False, True) is x
    x.to(torch.ones(1), True, True) is x
    x.to(x.dtype, False, True, True)
    x.contiguous() is x
    x.is_contiguous()
""")


@given(x=tensors(), y=tensors())
def test_conversions_agree_with_torch(x, y):
    agree(CONVERSIONS, x=x, y=y)


OUT = lines("""
    torch.add(x, 1, out=o); o
    torch.exp(x.abs(), out=o); o
    torch.mul(x, x, out=o); o
    torch.matmul(x, x.t(), out=o).shape
    torch.mm(x, x.t(), out=o).shape
    torch.sum(x, 0, out=o); o
    o = o.clone(); torch.cat([x, x], out=o); o
    torch.stack([x, x], out=o.clone()).shape
    torch.eq(x, 1, out=o); o
    torch.max(x, out=o); o
    torch.clamp(x, 0, 1, out=o); o
    torch.sqrt(x.abs(), out=o) is o
    torch.add(o, 1, out=o); o
    torch.norm(x.double(), dim=0, out=o.double())
""")


@given(kind=st.sampled_from(["float32", "float64", "int64"]), seed=seeds)
def test_out_takes_the_result_or_refuses_it(kind, seed):
    x, o = [Given(drawn((2, 2), kind, seed + i)) for i in range(2)]
    agree(OUT, x=x, o=o)


def test_out_never_hides_a_result_from_the_graph():
    programs = lines("""
        torch.add(x, 1, out=torch.zeros(3))
        torch.add(x.detach(), 1, out=x)
        torch.add(x.detach(), 1, out=torch.zeros(3))
        torch.set_grad_enabled(False); torch.add(x, 1, out=torch.zeros(3))
    """)
    for program in programs:
        def run(engine, program=program):
            names = {"torch": engine, "x": engine.ones(3, requires_grad=True)}
            *statements, last = program.split(";")
            try:
                exec("\n".join(s.strip() for s in statements), names)
                return eval(last.strip(), names).tolist()
            except RuntimeError as error:
                return type(error)
            finally:
                engine.set_grad_enabled(True)
        assert run(minitorch) == run(torch), program
