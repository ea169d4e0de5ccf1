"""What programs ask of GPUs and of PyTorch's runtime, answered also without a GPU."""

import importlib
import subprocess
import sys

import pytest
import torch

import minitorch
from tests.twins import agree, lines

without_gpu = pytest.mark.skipif(minitorch.cuda.is_available(), reason="there is a GPU here")

if torch.cuda.is_available():
    pytest.skip("PyTorch answers for a GPU that minitorch may not see", allow_module_level=True)


@without_gpu
def test_answers_without_a_gpu_agree_with_torch():
    agree(lines("""
        torch.cuda.is_available()
        torch.cuda.device_count()
        torch.cuda.is_initialized()
        torch.cuda.manual_seed(3)
        torch.cuda.manual_seed_all(3)
        torch.cuda.empty_cache()
        torch.cuda.memory_allocated()
        torch.cuda.is_bf16_supported()
        torch.cuda.current_device()
        torch.cuda.get_device_name()
        torch.cuda.get_device_name(0)
        torch.cuda.get_device_capability()
        torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.zeros(1).to("cuda" if torch.cuda.is_available() else "cpu").device
        torch.accelerator.is_available()
        torch.accelerator.current_accelerator()
        torch.accelerator.device_count()
        torch.accelerator.synchronize()
        torch.backends.cudnn.deterministic
        torch.backends.cudnn.benchmark
        torch.backends.cudnn.enabled
        torch.backends.cudnn.is_available()
        torch.backends.cudnn.version()
        torch.backends.mps.is_available()
        torch.backends.mps.is_built()
        torch.backends.cuda.is_built()
        torch.backends.cuda.matmul.allow_tf32
        torch.version.cuda
        torch.version.hip
        torch.zeros(1).get_device()
        torch.zeros(1).is_cuda
        torch.device("cpu")
        torch.device("cuda:1")
        torch.device("cuda", 0)
        torch.device(type="cuda", index=1)
        torch.device("cpu") == torch.device("cpu")
        torch.device("cpu") == "cpu"
        torch.device("cuda:0").index
        torch.device("cuda").index
        str(torch.device("cuda:0"))
        torch.device("nowhere")
        torch.device("cuda:x")
        hash(torch.device("cpu")) == hash(torch.device("cpu"))
        torch.device(torch.device("cpu"))
    """))


@without_gpu
def test_the_gpu_is_refused_with_advice():
    x = minitorch.ones(2, requires_grad=True)
    for move in (x.cuda, lambda: x.to("cuda"), lambda: minitorch.zeros(2, device="cuda:0"),
                 lambda: minitorch.nn.Linear(2, 2).cuda()):
        with pytest.raises(RuntimeError, match=r"CuPy|no NVIDIA GPU"):
            move()
    with pytest.raises(AssertionError, match=r"get_device_name\(\) needs an NVIDIA GPU"):
        minitorch.cuda.get_device_name()
    assert minitorch.cuda.synchronize() is None  # as portable timing code expects


def test_switches_are_remembered():
    for module, name in [("cudnn", "benchmark"), ("cudnn", "deterministic"), ("cudnn", "enabled")]:
        holder = getattr(minitorch.backends, module)
        before = getattr(holder, name)
        setattr(holder, name, not before)
        assert getattr(minitorch.backends.cudnn, name) is not before
        setattr(holder, name, before)
    minitorch.backends.cuda.matmul.allow_tf32 = False
    assert importlib.import_module("minitorch.backends.cudnn") is minitorch.backends.cudnn


def test_runtime_switches_agree_with_torch():
    agree(lines("""
        torch.set_num_threads(1); torch.get_num_threads()
        torch.set_num_threads(0)
        torch.set_num_threads("a")
        isinstance(torch.get_num_interop_threads(), int)
        torch.use_deterministic_algorithms(True); torch.are_deterministic_algorithms_enabled()
        torch.use_deterministic_algorithms(False); torch.are_deterministic_algorithms_enabled()
        torch.set_float32_matmul_precision("high"); torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest"); torch.get_float32_matmul_precision()
        str(torch.strided)
        str(torch.contiguous_format)
        str(torch.preserve_format)
        str(torch.channels_last)
        torch.newaxis is None
        (torch.pi, torch.e, torch.inf)
        torch.nan != torch.nan
        torch.is_grad_enabled()
        torch.is_inference_mode_enabled()
    """))


def test_submodules_load_on_first_use():
    code = ("import sys, minitorch as torch; before = 'minitorch.nn' in sys.modules; "
            "torch.nn.Linear(1, 1); torch.backends.cudnn; torch.accelerator.is_available(); "
            "print(before, 'minitorch.nn' in sys.modules, hasattr(torch, 'nonsense'))")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "True", "False"]
