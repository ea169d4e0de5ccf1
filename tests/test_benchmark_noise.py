"""Noise is not taken for news, between measurements and between files of them."""

import json
import os
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
import minitorch.utils.benchmark as ours
from minitorch.utils.benchmark import noise
from minitorch.utils.benchmark.__main__ import main

SEEDS = st.integers(0, 2**32 - 1)


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
