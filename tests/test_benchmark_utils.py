"""Times are what a clock says.

The clock is a fake: it moves when the timed code moves it, and a little whenever it is read.
"""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.utils.benchmark as theirs

import minitorch
import minitorch.utils.benchmark as ours
from minitorch import accelerator

# Where threadpoolctl is not installed, the BLAS cannot be told; there is a test of that.
pytestmark = pytest.mark.filterwarnings("ignore:num_threads is:UserWarning")


class Clock:
    """Each run of the code takes the next of these times, again and again."""

    def __init__(self, *durations):
        self.now, self.runs, self.durations = 0.0, 0, durations

    def run(self):
        self.now += self.durations[self.runs % len(self.durations)]
        self.runs += 1

    def read(self):
        self.now += 1e-7
        return self.now


@pytest.mark.parametrize("durations", [
    (3e-5,), (2e-3, 3e-3, 2.5e-3), (0.5,), (1e-3, 9e-3, 1e-2, 2e-3, 1e-3)], ids=str)
@pytest.mark.parametrize("method, how", [
    ("timeit", {"number": 7}), ("timeit", {"number": 500}), ("blocked_autorange", {}),
    ("blocked_autorange", {"min_run_time": 0.03}), ("adaptive_autorange", {"max_run_time": 0.4}),
    ("adaptive_autorange", {"threshold": 0.01, "min_run_time": 0.02, "max_run_time": 0.2}),
], ids=str)
def test_a_timer_measures_what_torchs_measures(durations, method, how):
    """Warm-up, size and number of blocks, and what is told meanwhile are the same."""
    found, told = [], []
    for lib in (ours, theirs):
        clock, calls = Clock(*durations), []
        timer = lib.Timer("\n    clock.run()\n", timer=clock.read, globals={"clock": clock},
                          label="L", num_threads=2)
        extra = {} if method == "timeit" else {"callback": lambda *call, c=calls: c.append(call)}
        found.append(getattr(timer, method)(**how, **extra))
        told.append(calls)
    mine, yours = found
    assert mine.number_per_run == yours.number_per_run
    assert mine.raw_times == pytest.approx(yours.raw_times, rel=1e-9)  # sums of a moving clock
    assert vars(mine.task_spec) == vars(yours.task_spec)
    assert np.allclose(told[0], told[1], rtol=1e-9, atol=0)


def test_repeat_gives_so_many_times_after_a_warm_up():
    clock = Clock(1e-3)
    m = ours.Timer(clock.run, timer=clock.read).repeat(3, 200)
    assert m.times == pytest.approx([1e-3] * 3, rel=1e-3) and m.number_per_run == 200
    assert clock.runs == 2 + 3 * 200


def test_functions_and_code_are_timed_alike():
    clock, names = Clock(1e-2, 2e-2), []
    by_name = {"globals": {"clock": clock, "names": names}}
    for stmt, setup in ((clock.run, lambda: names.append(1)), ("clock.run()", "names.append(1)")):
        names.clear()
        clock.runs = 0
        m = ours.Timer(stmt, setup, timer=clock.read, **by_name).timeit(10)
        assert m.median == pytest.approx(1.5e-2, rel=1e-3) and names
    assert by_name["globals"].keys() == {"clock", "names"}
    here = sys._getframe().f_lineno + 1
    spec = ours.Timer(Clock.run, lambda: None)._task_spec
    assert spec.stmt == "Clock.run"
    assert spec.setup.endswith(f"<lambda> at line {here} of test_benchmark_utils.py")


def test_torch_is_minitorch_unless_the_globals_say_otherwise():
    for given_, lib in (({}, minitorch), ({"torch": torch}, torch)):
        seen = []
        ours.Timer("seen.append(torch)", globals={"seen": seen, **given_}).timeit(1)
        assert all(x is lib for x in seen) and seen


def test_what_is_for_cpp_only_is_refused_as_torch_does():
    said = []
    for lib in (ours, theirs):
        with pytest.raises(ValueError) as error:
            lib.Timer(global_setup="#include <x>")
        said.append(str(error.value))
    assert said[0] == said[1]


def test_threads_are_set_said_and_set_back():
    before = minitorch.get_num_threads(), torch.get_num_threads()
    seen = []

    def look():
        seen.append((minitorch.get_num_threads(), torch.get_num_threads()))

    m = ours.Timer(look, num_threads=before[1] + 1).timeit(1)
    pools = m.metadata["threads"]
    assert seen[-1] == (m.num_threads, m.num_threads) == (pools["minitorch"], pools["torch"])
    with pytest.raises(ZeroDivisionError):
        ours.Timer("1 / 0", num_threads=before[1] + 1).timeit(1)
    assert before == (minitorch.get_num_threads(), torch.get_num_threads())


def test_numpys_blas_gets_so_many_threads():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    seen = []
    m = ours.Timer(lambda: seen.append(threadpoolctl.threadpool_info())).timeit(1)
    assert {pool["num_threads"] for pool in seen[-1]} == {1} == set(m.metadata["threads"].values())


def test_a_blas_that_cannot_be_told_is_warned_of(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    assert ours.Timer().timeit(1).metadata["threads"]["BLAS"] == 1  # as the environment says
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    with pytest.warns(UserWarning, match="num_threads is 1, but NumPy's BLAS may use 3") as said:
        assert ours.Timer().repeat(1, 1).metadata["threads"]["BLAS"] == 3
    assert said[0].filename == __file__


def test_the_clock_is_read_when_the_gpu_is_done(monkeypatch):
    order = []
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace())
    monkeypatch.setattr(accelerator, "is_available", lambda: True)
    monkeypatch.setattr(accelerator, "synchronize", lambda: order.append("done"))
    monkeypatch.setattr("timeit.default_timer", lambda: order.append("read") or 1.0)
    assert ours.timer() == 1.0 and order == ["done", "read"]


def test_it_is_not_loaded_before_it_is_imported():
    code = ("import sys, minitorch; minitorch.utils; "
            "sys.exit(any('benchmark' in name for name in sys.modules))")
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


class Gpu:
    """A device with PyTorch's names whose work takes a time of its own, and a host's clock."""

    def __init__(self, host=1e-4, device=3e-4, aside=0.0):
        self.now, self.free = 0.0, 0.0  # the host's clock, and when the device will have done
        self.host, self.device, self.aside = host, device, aside
        self.other = 0.0  # when another stream will have done
        self.runs = self.waits = 0

    def run(self):
        self.now += self.host
        self.free = max(self.free, self.now) + self.device
        self.other = max(self.other, self.now) + self.aside
        self.runs += 1

    def synchronize(self):
        self.now = max(self.now, self.free, self.other)
        self.waits += 1

    def is_available(self):
        return True

    def Event(self, enable_timing):
        assert enable_timing
        gpu = self

        class Event:
            def record(self):
                self.at = max(gpu.now, gpu.free)

            def synchronize(self):
                gpu.now = max(gpu.now, self.at)

            def elapsed_time(self, other):
                return (other.at - self.at) * 1e3
        return Event()


@pytest.mark.parametrize("host, device", [(1e-4, 3e-4), (3e-4, 1e-5)])
def test_host_and_device_time_are_told_apart(host, device, monkeypatch):
    """The host is free before the device has done; a fast device waits for the host."""
    gpu = Gpu(host, device)
    monkeypatch.setattr("timeit.default_timer", lambda: gpu.now)
    m = ours.Timer(gpu.run, description="d").device_autorange(0.2, gpu)
    rel = 2 / m.wall.number_per_run  # the first run and the last overlap with nothing
    assert m.host.median == pytest.approx(host, rel=1e-9)
    assert m.wall.median == pytest.approx(max(host, device), rel=rel)
    assert m.device.median == pytest.approx(max(host, device), rel=rel)
    assert [x.description for x in m] == ["d, wall", "d, host", "d, device"]
    assert m.wall.number_per_run > 30
    assert gpu.waits < gpu.runs / 10 and len(m.wall.times) >= 3
    assert sum(m.wall.raw_times) == pytest.approx(0.2, rel=0.1)


def test_work_that_events_do_not_see_gives_no_device_time(monkeypatch):
    gpu = Gpu(aside=1e-3)
    monkeypatch.setattr("timeit.default_timer", lambda: gpu.now)
    with pytest.warns(UserWarning, match="stream other than the current one") as said:
        m = ours.Timer(gpu.run).device_autorange(0.05, gpu)
    assert m.device is None and m.wall.median == pytest.approx(1e-3, rel=0.1)
    assert said[0].filename == __file__


def test_without_events_or_a_gpu_there_is_no_device_time():
    bare = SimpleNamespace(waits=0)
    bare.synchronize = lambda: setattr(bare, "waits", bare.waits + 1)
    m = ours.Timer("pass").device_autorange(0.01, bare)
    assert m.device is None and bare.waits >= 6
    if not minitorch.cuda.is_available():
        assert ours.Timer("torch.ones(2)").device_autorange(0.01).device is None


def test_the_gpu_is_asked_and_described(tmp_path, monkeypatch):
    """A program named nvidia-smi answers; without one, and where it fails, nothing is said.

    One that does not know a field refuses them all: then each is asked for.
    """
    from minitorch.utils.benchmark import machine

    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.gpu("name") == {}
    program = tmp_path / "nvidia-smi"
    for text, said in [("echo 'GPU X, 580.1'", {"name": "GPU X", "driver_version": "580.1"}),
                       ('case "$1" in *=name) echo GPU Y;; *) exit 2;; esac', {"name": "GPU Y"}),
                       ("exit 9", {}), ("exit 0", {})]:
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        assert machine.gpu("name", "driver_version") == said
