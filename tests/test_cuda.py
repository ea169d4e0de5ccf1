"""What programs ask of GPUs and of PyTorch's runtime, answered also without a GPU."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
import torch

import minitorch
from tests.elsewhere import use_interface
from tests.standin import gpu, ndarray
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


# -- on a stand-in -------------------------------------------------------------------------------

def test_the_interface_works_on_a_device():
    with gpu():
        use_interface()


@without_gpu
def test_what_needs_a_gpu_says_so():
    cuda = minitorch.cuda
    assert cuda.memory_reserved() == cuda.max_memory_allocated() == cuda.max_memory_reserved() == 0
    assert cuda.memory_stats() == {} and not torch.cuda.memory_stats()
    for call in (cuda.Stream, cuda.Event, cuda.current_stream, cuda.default_stream,
                 cuda.get_rng_state, cuda.initial_seed, cuda.mem_get_info,
                 cuda.get_device_properties, cuda.reset_peak_memory_stats,
                 cuda.get_sync_debug_mode, lambda: cuda.set_sync_debug_mode("warn"),
                 lambda: cuda.set_device(0), lambda: cuda.device(0).__enter__()):
        with pytest.raises(AssertionError, match=r"needs an NVIDIA GPU.*minitorch-xp\[cuda12\]"):
            call()
    with cuda.stream(None), cuda.device(None):
        pass
    cuda.manual_seed(1)
    cuda.seed_all()


def test_a_device_that_is_not_there_is_refused():
    with gpu():
        for call in (lambda: minitorch.zeros(1, device="cuda:1"), lambda: minitorch.ones(1).cuda(2),
                     lambda: minitorch.set_default_device("cuda:7")):
            with pytest.raises(RuntimeError, match="CUDA error: invalid device ordinal"):
                call()
        with pytest.raises(AssertionError, match="Invalid device id"):
            minitorch.cuda.get_device_properties(3)
        with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
            minitorch.cuda.set_device("cpu")


def test_events_ask_for_what_they_need():
    with gpu():
        plain, timed = minitorch.cuda.Event(), minitorch.cuda.Event(enable_timing=True)
        assert plain.query() and plain.cuda_event == 0 and "uninitialized" in repr(plain)
        plain.wait()
        plain.synchronize()
        with pytest.raises(ValueError, match="enable_timing=True"):
            plain.elapsed_time(timed)
        with pytest.raises(ValueError, match="must be recorded"):
            timed.elapsed_time(timed)


def test_the_gpus_generator_is_a_seed_and_an_offset_in_its_memory(monkeypatch):
    cuda = minitorch.cuda
    monkeypatch.setattr(cuda.random, "_states", {})
    with gpu():
        minitorch.manual_seed(777)
        state = cuda.random.state()
        assert cuda.initial_seed() == 777 and state.host.tolist() == [777, 0]
        state += np.uint64(12)  # as a kernel does
        state -= ndarray(np.array([12, 0], np.uint64))
        saved = cuda.get_rng_state()
        assert saved.dtype == minitorch.uint8 and saved.shape == (16,) and saved.is_cpu
        minitorch.manual_seed(5)
        assert state.host.tolist() == [5, 0], "torch.manual_seed seeds both"
        cuda.set_rng_state(saved)
        assert state.host.tolist() == [777, 12]
        cuda.set_rng_state_all([s.clone() for s in cuda.get_rng_state_all()])
        assert cuda.random.state() is state and state.host.tolist() == [777, 12]
        cuda.manual_seed(6)
        assert state.host.tolist() == [6, 0]
        cuda.manual_seed_all(-1)
        assert state.host.tolist() == [2**64 - 1, 0]
        cuda.seed()
        cuda.seed_all()
        assert cuda.initial_seed() != 2**64 - 1
        with pytest.raises(RuntimeError, match="RNG state is wrong size"):
            cuda.set_rng_state(minitorch.zeros(3, dtype=minitorch.uint8))


def test_random_tensors_are_the_cpus_on_either_device():
    with gpu():
        for draw in (minitorch.rand, minitorch.randn, lambda n, device: minitorch.randint(
                9, (n,), device=device), minitorch.randperm):
            minitorch.manual_seed(3)
            here = draw(20, device="cpu")
            minitorch.manual_seed(3)
            assert draw(20, device="cuda").tolist() == here.tolist()


def test_products_follow_the_precision_also_if_it_was_set_before_cupy_was_loaded():
    try:
        minitorch.set_float32_matmul_precision("high")
        with gpu():
            x = minitorch.ones(2, 2, device="cuda")
            core = sys.modules["cupy"]._core
            core.precision.clear()
            x.neg()
            assert core.precision == {np.float32: "TF32"}
            minitorch.set_float32_matmul_precision("highest")
            assert core.precision == {np.float32: "FP32"}
    finally:
        minitorch.set_float32_matmul_precision("highest")
