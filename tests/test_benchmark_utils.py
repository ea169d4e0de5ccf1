"""Times are what a clock says, numbers are PyTorch's, and noise is not taken for news.

The clock is a fake: it moves when the timed code moves it, and a little whenever it is read. Times
are drawn by NumPy, not by Hypothesis itself: PyTorch's float32 may round round numbers otherwise.
"""

import json
import math
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.utils.benchmark as theirs
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.benchmark.utils import common

import minitorch
import minitorch.utils.benchmark as ours
from minitorch import accelerator
from minitorch.utils.benchmark import noise
from minitorch.utils.benchmark.__main__ import main

SEEDS = st.integers(0, 2**32 - 1)


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


def drawn(rng, **spec):
    """The same times as a measurement of ours and one of PyTorch's; some all equal."""
    n, number = int(rng.integers(1, 40)), int(rng.integers(1, 1000))
    spread = rng.choice([0, 1]) * 10 ** rng.uniform(-4, 0)
    times = number * 10 ** rng.uniform(-7, 1) * np.exp(spread * rng.normal(size=n))
    spec = {"stmt": "f(x)", "setup": "pass", **spec}
    return (ours.Measurement(number, times.tolist(), ours.TaskSpec(**spec)),
            theirs.Measurement(number, times.tolist(), common.TaskSpec(**spec)))


@given(SEEDS)
def test_the_numbers_of_a_measurement_are_torchs(seed):
    mine, yours = drawn(np.random.default_rng(seed))
    for name in ("times", "median", "mean", "iqr", "has_warnings", "num_threads", "title",
                 "as_row_name"):
        expected = getattr(yours, name)
        if name in ("times", "median", "mean", "iqr"):  # a few roundings of the largest
            expected = pytest.approx(expected, rel=1e-14, abs=1e-14 * max(yours.times))
        assert getattr(mine, name) == expected, name
    for threshold in (0.02, 0.1, 0.5):
        assert mine.meets_confidence(threshold) == yours.meets_confidence(threshold)
    with pytest.raises(AttributeError, match="no attribute 'medium'"):
        mine.medium  # noqa: B018


def test_significant_figures_are_torchs():
    """The same draws each time: PyTorch's float32 may round a number near a limit otherwise."""
    rng = np.random.default_rng(777)
    found = [tuple(m.significant_figures for m in drawn(rng)) for _ in range(500)]
    assert {mine for mine, yours in found} == {1, 2, 3, 4}
    assert all(mine == yours for mine, yours in found)


@given(SEEDS, st.sampled_from(["pass", "", "x = 1", "x = 1\ny = 2"]),
       st.sampled_from(["f(x)", "f(x)\ng(x)"]), st.sampled_from([None, "L"]),
       st.sampled_from([None, "s"]), st.sampled_from([None, "d"]), st.sampled_from([1, 4]))
def test_it_is_printed_as_torchs(seed, setup, stmt, label, sub_label, description, num_threads):
    mine, yours = (repr(m).split("\n", 1) for m in drawn(
        np.random.default_rng(seed), setup=setup, stmt=stmt, label=label, sub_label=sub_label,
        description=description, num_threads=num_threads))
    assert mine[1] == yours[1]
    assert mine[0].startswith("<minitorch.utils.benchmark.measurement.Measurement object at 0x")


@given(SEEDS, st.sampled_from([[None], ["e", "other"]]), st.booleans(), st.booleans(),
       st.sampled_from([None, False, True]))
def test_tables_are_torchs(seed, envs, trim, warn, rowwise):
    """PyTorch counts and trims digits in float32: it is given ours for that, tested elsewhere."""
    rng = np.random.default_rng(seed)

    def one_of(*choices):
        return choices[rng.integers(len(choices))]

    pairs = [drawn(rng, stmt=one_of("f(x)", "g(x)"), label=one_of(None, "L", "a longer label"),
                   sub_label=one_of(None, "s", "ss"), description=one_of("n=1", "n=1,000,000"),
                   env=one_of(*envs), num_threads=one_of(1, 4))
             for _ in range(rng.integers(1, 9))]
    mine, yours = ours.Compare([p[0] for p in pairs[:1]]), theirs.Compare([p[1] for p in pairs])
    mine.extend_results(p[0] for p in pairs[1:])
    for c in (mine, yours):
        if trim:
            c.trim_significant_figures()
        if warn:
            c.highlight_warnings()
        if rowwise is not None:
            c.colorize(rowwise)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "trim_sigfig", ours.trim_sigfig)
        patch.setattr(theirs.Measurement, "significant_figures",
                      ours.Measurement.significant_figures)
        assert str(mine) == str(yours)


@pytest.mark.parametrize("best", [1e-7, 1e-5])
@pytest.mark.parametrize("rowwise", [False, True])
def test_colours_are_torchs(best, rowwise):
    """Near every limit; of short times also what is within 100 ns of the best."""
    tables = []
    for lib, spec in ((ours, ours.TaskSpec), (theirs, common.TaskSpec)):
        tables.append(lib.Compare([
            lib.Measurement(1, [best * x], spec("f", "", sub_label="s" if rowwise else f"{x}",
                                                description=f"{x}" if rowwise else "d"))
            for x in (1, 1.009, 1.02, 1.09, 1.11, 1.95, 2.05, 4.9, 5.1)]))
        tables[-1].colorize(rowwise)
    assert str(tables[0]) == str(tables[1]) and "\033" in str(tables[0])


def test_a_table_without_descriptions_or_with_some_envs_is_printed_all_the_same(capsys):
    """(PyTorch's raises TypeError.)"""
    ms = [ours.Measurement(1, [t], ours.TaskSpec(f"f{i}", "", env=env))
          for i, (t, env) in enumerate([(2e-3, None), (3e-3, "new")])]
    ours.Compare(ms).print()
    out = capsys.readouterr().out
    assert re.search(r"\(Unspecified env\) +f0 +\|  2.0", out)
    assert re.search(r"\(new\) +f1 +\|  3.0", out) and "milliseconds (ms)" in out


def test_what_is_no_measurement_is_refused():
    for lib in (ours, theirs):
        with pytest.raises(ValueError) as error:
            lib.Compare([1.0])
        assert str(error.value) == "Expected an instance of `Measurement`, got <class 'float'> " \
                                   "instead."
    with pytest.raises(ValueError, match="at least one time"):
        ours.Measurement(1, [], ours.TaskSpec("f", ""))


@given(SEEDS)
def test_merged_replicates_are_torchs(seed):
    rng = np.random.default_rng(seed)
    pairs = [drawn(rng, env=env) for env in "abaab"]
    mine, yours = (lib.Measurement.merge(ms) for lib, ms in zip((ours, theirs), zip(*pairs)))
    assert [(m.env, m.times) for m in mine] == [(m.env, m.times) for m in yours]


@given(SEEDS, st.integers(1, 4))
def test_digits_and_units_are_torchs(seed, n):
    x = float(10 ** np.random.default_rng(seed).uniform(-9, 4))
    place = 10.0 ** (math.ceil(math.log10(x)) - n)
    trimmed = ours.trim_sigfig(x, n)
    assert abs(trimmed - x) <= 0.5 * place * (1 + 1e-9)
    assert trimmed / place == pytest.approx(round(trimmed / place), rel=1e-12)
    assert abs(trimmed - theirs.trim_sigfig(x, n)) <= (1 + 1e-6) * place  # a tie in float32
    assert ours.trim_sigfig(-x, n) == -ours.trim_sigfig(x, n) and ours.trim_sigfig(0.0, n) == 0
    assert ours.select_unit(x) == theirs.select_unit(x)
    unit = ours.select_unit(x)[0]
    assert ours.select_unit(1e-10) == ("ns", 1e-9)  # PyTorch's says seconds
    assert ours.unit_to_english(unit) == theirs.unit_to_english(unit)


def figures(rng, n, scale=1.0, spread=0.02):
    """No figure is farther than ``spread`` from ``scale``."""
    return (scale * rng.uniform(1 - spread, 1 + spread, n)).tolist()


@given(SEEDS, st.integers(3, 60), st.integers(3, 60), st.sampled_from([1.2, 0.8]))
def test_a_fifth_is_seen_through_a_spread_of_two_percent(seed, n, m, factor):
    """The medians differ by 0.16 at least, and the spreads sum to 0.09 at most."""
    rng = np.random.default_rng(seed)
    before, after = figures(rng, n), figures(rng, m, factor)
    slow = max(n // 4 - 1, 0)
    before[:slow] = [50.0] * slow  # what something else on the machine does to some
    assert noise.moved(before, after)
    assert not noise.moved(before, before)


def test_small_changes_and_large_spreads_are_no_news():
    assert noise.moved([1.0] * 5, [1.06] * 5) and not noise.moved([1.0] * 5, [1.04] * 5)
    assert noise.moved([1.0, 1.1, 1.05], [1.2, 1.3, 1.28])
    assert not noise.moved([1.0, 1.1, 1.05], [1.15, 1.3, 1.25])


@pytest.mark.parametrize("n, often", [(3, 1 / 70), (4, 1 / 1000), (5, 1 / 7000), (8, 1 / 7000),
                                      (30, 1 / 7000)])
def test_noise_alone_is_seldom_taken_for_news(n, often):
    """No oftener than is said, up to four standard deviations of such a count."""
    rng = np.random.default_rng(777)
    pairs = rng.normal(1.0, 0.1, (4000, 2, n)).tolist()
    alarms = sum(noise.moved(a, b) for a, b in pairs)
    assert alarms <= 4000 * often + 4 * (4000 * often) ** 0.5 + 1


def test_files_are_read_as_they_were_written_and_compared(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (1000.0, 0.0, 0.0), raising=False)
    rng = np.random.default_rng(777)

    def run(name, slower):
        """A file of two tasks in three processes each, and one that ran once."""
        def task(stmt):
            return ours.TaskSpec(stmt, "", label=f"L{stmt}", description="n=2", num_threads=2)

        results = [ours.Measurement(10, figures(rng, 4, scale), task(stmt), {"threads": {"x": 1}})
                   for _ in range(3) for stmt, scale in (("f", 1e-5), ("g", 3e-3 * slower))]
        results.append(ours.Measurement(1, [1.0], task("once")))
        ours.save(tmp_path / name, results)
        again, about = ours.load(tmp_path / name)
        assert again == results
        assert about["machine"]["minitorch"] == minitorch.__version__
        assert "load 1000.0" in about["busy"]
        assert {"processor", "numpy BLAS", "python", "cores"} <= about["machine"].keys()
        return str(tmp_path / name)

    old, same, slow = run("old.json", 1.0), run("same.json", 1.0), run("slow.json", 1.2)
    assert main(["compare", old, same]) == 0
    out = capsys.readouterr().out
    assert "nothing moved" in out and "only 2 of 3" in out
    assert main(["compare", old, slow]) == 0
    news = [x for x in capsys.readouterr().out.splitlines() if "more" in x and "->" in x]
    assert len(news) == 1
    assert re.fullmatch(r"  more \+(1[89]|2[012])%  Lg, n=2, 2 thread\(s\): "
                        r"29\d us-30\d us -> 35\d us-36\d us", news[0])

    other = json.loads((tmp_path / "old.json").read_text())
    other["machine"]["cores"] = 96
    (tmp_path / "other.json").write_text(json.dumps(other))
    assert main(["compare", old, str(tmp_path / "other.json")]) == 0
    assert "is 96" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"measurements": [{"raw_times": []}]}'])
def test_what_is_no_such_file_is_named(text, tmp_path, capsys):
    path = tmp_path / "x.json"
    path.write_text(text)
    assert main(["compare", str(path), str(path)]) == 2
    assert "x.json was not written by minitorch.utils.benchmark.save" in capsys.readouterr().err
    assert main(["compare", str(tmp_path / "none.json"), str(path)]) == 2
    assert "none.json" in capsys.readouterr().err


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
