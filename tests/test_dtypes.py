"""Number types: names, promotion, limits."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.twins import Given, agree, lines

NAMES = ["float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"]
names = st.sampled_from(NAMES)
NUMBERS = ["True", "3", "2.5", "np.float32(1)", "np.float64(1)", "np.int64(1)"]


@given(a=names, b=names)
def test_promotion_of_two_types_agrees_with_torch(a, b):
    agree([f"torch.promote_types(torch.{a}, torch.{b})", f"torch.can_cast(torch.{a}, torch.{b})",
           f"torch.ones(1, dtype=torch.{a}).to(torch.{b})"])


@given(kinds=st.lists(st.tuples(names, st.booleans()), min_size=2, max_size=2),
       number=st.sampled_from(NUMBERS))
def test_promotion_by_rank_agrees_with_torch(kinds, number):
    """Dimensioned tensors outrank 0-d ones, which outrank numbers, within a kind."""
    (a, a_dims), (b, b_dims) = kinds
    x = Given(np.ones((2,) if a_dims else (), a))
    y = Given(np.ones((2,) if b_dims else (), b))
    agree(["torch.result_type(x, y)", "x + y", "x * y", "x / y", "x == y",
           "torch.where(x > 0, x, y)", f"torch.result_type(x, {number})", f"x + {number}",
           f"{number} * x", f"x / {number}",
           f"torch.result_type({number}, y)"], x=x, y=y)


@given(name=names)
def test_a_dtype_is_itself_under_all_its_names(name):
    agree([f"torch.{name}", f"str(torch.{name})", f"torch.{name}.itemsize",
           f"torch.{name}.is_floating_point", f"torch.{name}.is_signed", f"torch.{name}.is_complex",
           f"torch.{name} == torch.{name}", f"torch.{name} == '{name}'",
           f"{{torch.{name}: 1}}[torch.zeros(1, dtype=torch.{name}).dtype]"])
    d = getattr(minitorch, name)
    assert pickle.loads(pickle.dumps(d)) is d and deepcopy(d) is d
    assert np.dtype(d) == np.dtype(name) and np.zeros(1, d).dtype == np.dtype(name)


def test_aliases_and_limits_agree_with_torch():
    agree(lines("""
        torch.float is torch.float32
        torch.half is torch.float16
        torch.double is torch.float64
        torch.short is torch.int16
        torch.int is torch.int32
        torch.long is torch.int64
        torch.finfo(torch.float32).eps
        torch.finfo(torch.float32).max
        torch.finfo(torch.float64).tiny
        torch.finfo(torch.float16).min
        torch.finfo(torch.float64).smallest_normal
        torch.finfo(torch.float32).bits
        torch.finfo(torch.float32).dtype
        torch.finfo().max
        torch.finfo(torch.float64).resolution
        str(torch.finfo(torch.float32))
        torch.iinfo(torch.int8).max
        torch.iinfo(torch.uint8).min
        torch.iinfo(torch.int64).max
        torch.iinfo(torch.int32).bits
        str(torch.iinfo(torch.int16))
        torch.finfo(torch.int32)
        torch.iinfo(torch.float32)
        torch.get_default_dtype()
        torch.set_default_dtype(torch.int64)
        torch.set_default_dtype("float32")
        torch.set_default_tensor_type("torch.FloatTensor"); torch.get_default_dtype()
        torch.set_default_tensor_type(torch.FloatTensor); torch.get_default_dtype()
    """))


def test_types_that_numpy_lacks_say_so():
    for name in ("bfloat16", "complex64"):
        with pytest.raises(AttributeError, match="NumPy has no such numbers"):
            getattr(minitorch, name)
    with pytest.raises(TypeError, match="supported types are: float16"):
        minitorch.from_numpy(np.zeros(1, np.complex64))
    assert torch.complex64  # (PyTorch has it)
