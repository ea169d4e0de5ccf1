"""The command line: what it prints, saves and refuses."""

import io
import os
import re
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import minitorch
from minitorch.__main__ import main
from minitorch.cli.recipes import ACTIVATIONS, INITS
from minitorch.cli.screen import Bar, Screen

EPOCH = re.compile(r"Epoch: (\d{4}) cost = (\d+\.\d{9})")


def run(*arguments, cwd=None, **environment):
    return subprocess.run(
        [sys.executable, "-m", "minitorch", *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=120, env=os.environ | environment,
    )


def without(tmp_path, *libraries):
    """A folder for PYTHONPATH in which these libraries cannot be imported."""
    for name in libraries:
        (tmp_path / f"{name}.py").write_text("raise ImportError('not here')\n")
    return str(tmp_path)


def png_pixels(path):
    """Width, height and the set of byte values of a PNG's picture data."""
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    data, at = b"", 8
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        if content[at + 4 : at + 8] == b"IDAT":
            data += content[at + 8 : at + 8 + size]
        at += size + 12
    return width, height, set(zlib.decompress(data))


def test_train_prints_the_epochs_a_table_and_saves_the_curves(tmp_path):
    done = run("train", "--epochs", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    epochs = [m for line in lines if (m := EPOCH.fullmatch(line))]
    assert [m[1] for m in epochs] == ["0001", "0002", "0003"]
    costs = [float(m[2]) for m in epochs]
    assert costs == sorted(costs, reverse=True) and costs[0] > 2 * costs[-1] > 0
    accuracy = float(next(line for line in lines if line.startswith("Accuracy: ")).split()[1])
    assert 0.8 < accuracy < 1

    head = next(i for i, line in enumerate(lines) if "images per second" in line)
    assert re.split(r"  +", lines[head].strip()) == [
        "epochs", "cost", "accuracy", "time", "images per second"]
    last = lines[head + 4].split()
    assert last[0] == "3"
    assert float(last[1]) == pytest.approx(costs[-1], abs=1e-6)
    assert float(last[2].rstrip("%")) / 100 == pytest.approx(accuracy, abs=1e-4)
    assert float(last[3]) > 0 and int(last[5].replace(",", "")) > 0

    assert lines[-1] == "Curves saved in curves.png"
    width, height, values = png_pixels(tmp_path / "curves.png")
    assert width > 800 and height > 300 and len(values) > 50


def test_output_that_is_not_a_terminal_is_clean(tmp_path):
    done = run("train", "--epochs", "2", "--no-plot", cwd=tmp_path)
    assert done.returncode == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", done.stdout), "control codes"
    assert len(done.stdout.splitlines()) < 15
    assert list(tmp_path.iterdir()) == []


def test_the_same_seed_gives_the_same_run(capsys):
    def costs(*arguments):
        assert main(["train", "--epochs", "1", "--no-plot", *arguments]) == 0
        return EPOCH.findall(capsys.readouterr().out)

    assert costs() == costs("--seed", "777") != costs("--seed", "778")


@pytest.mark.parametrize("init", INITS)
def test_every_init_and_some_activation(init, capsys):
    activation = list(ACTIVATIONS)[list(INITS).index(init) % len(ACTIVATIONS)]
    assert main(["train", "--epochs", "1", "--init", init, "--activation", activation,
                 "--batch-size", "100", "--lr", "0.01", "--no-plot"]) == 0
    out = capsys.readouterr().out
    assert f"{activation}, {init} weights" in out and EPOCH.search(out)
    if init == "zero":
        # Nothing tells the hidden units apart: only the last biases learn.
        assert float(out.partition("Accuracy: ")[2].split()[0]) < 0.2


def test_without_rich_and_matplotlib_it_still_runs(tmp_path):
    done = run("train", "--epochs", "1", cwd=tmp_path,
               PYTHONPATH=without(tmp_path, "rich", "matplotlib"))
    assert done.returncode == 0, done.stderr
    assert EPOCH.search(done.stdout) and "images per second" in done.stdout
    assert "matplotlib is not installed" in done.stdout
    assert not (tmp_path / "curves.png").exists()


def test_mnist_nn_prints_the_courses_lines(mnist_folder, capsys):
    assert main(["train", "mnist-nn", "--data", str(mnist_folder), "--epochs", "1",
                 "--no-plot"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("Epoch"))
    # The cost that PyTorch prints for the same program (see reference/programs/mnist.py).
    assert float(EPOCH.fullmatch(lines[at])[2]) == pytest.approx(128.770568848, rel=1e-3)
    assert lines[at + 1] == "Learning finished"
    assert re.fullmatch(r"Accuracy: 0\.8\d{3}", lines[at + 2])


def test_ctrl_c_ends_with_what_was_trained(tmp_path):
    # A shell may start us with SIGINT ignored; a terminal never does.
    code = ("import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
            "from minitorch.__main__ import main; sys.exit(main(sys.argv[1:]))")
    process = subprocess.Popen(
        [sys.executable, "-c", code, "train", "--epochs", "10000"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("Epoch: 0002"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert re.search(r"Stopped in epoch \d+ of 10000", out)
    assert "images per second" in out and (tmp_path / "curves.png").stat().st_size > 1000


def test_help_and_version():
    bare, helped, version = run(), run("train", "--help"), run("--version")
    assert bare.returncode == helped.returncode == version.returncode == 0
    assert "train" in bare.stdout and "info" in bare.stdout
    for option in ("--data", "--epochs", "--batch-size", "--lr", "--seed", "--device", "--init",
                   "--activation", "--plot", "--no-plot"):
        assert option in helped.stdout
    assert version.stdout == f"minitorch {minitorch.__version__}\n"


def test_info_names_what_it_runs_on(capsys):
    import numpy

    assert main(["info"]) == 0
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert rows["minitorch"] == minitorch.__version__ and rows["NumPy"] == numpy.__version__
    assert {"Python", "BLAS", "CPU", "GPU", "rich"} <= set(rows)


@pytest.mark.parametrize(("arguments", "says"), [
    (["train", "nothing"], "invalid choice"),
    (["train", "--epochs", "0"], "whole number of at least 1"),
    (["train", "--epochs", "two"], "whole number of at least 1"),
    (["train", "--lr", "-1"], "number above 0"),
    (["train", "--lr", "nan"], "number above 0"),
    (["train", "--init", "random"], "invalid choice"),
    (["train", "--plot", "x.png", "--no-plot"], "not allowed with"),
    (["nothing"], "invalid choice"),
])  # fmt: skip
def test_bad_arguments_are_refused(arguments, says, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "says"), [
    (["mnist-nn"], "--data DIR"),
    (["--download"], "--data DIR"),
    (["--data", "nowhere"], "train-images-idx3-ubyte.gz"),
    (["--batch-size", "5000"], "1415 images"),
    (["--plot", "no/such/folder/x.png"], "make it first"),
    (["--device", "tpu"], "cpu, cuda"),
])  # fmt: skip
def test_what_cannot_work_is_said_before_training(arguments, says, capsys):
    assert main(["train", *arguments]) == 2
    out, err = capsys.readouterr()
    assert says in err and err.startswith("minitorch train: error: ")
    assert out == ""


def test_damaged_data_is_refused(tmp_path, capsys):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"not found")
    assert main(["train", "--data", str(tmp_path)]) == 2
    assert "damaged" in capsys.readouterr().err


def test_a_cost_that_is_not_finite_gets_a_hint(capsys):
    assert main(["train", "--epochs", "1", "--lr", "1e30", "--no-plot"]) == 0
    assert "Try a smaller --lr" in capsys.readouterr().out


def test_the_bar_is_drawn_five_times_a_second_at_most(monkeypatch):
    from rich.console import Console

    screen = Screen()
    screen.console = Console(force_terminal=True, file=io.StringIO())
    with Bar(screen, epochs=2, batches=500) as bar:
        drawn = []
        update = bar.progress.update
        monkeypatch.setattr(bar.progress, "update",
                            lambda *a, **k: (drawn.append(1), update(*a, **k)))
        for _ in range(1000):
            bar.tick()
        assert bar.done == 1000
    assert 1 <= len(drawn) <= 10


def test_the_console_script_is_declared():
    setup = (Path(__file__).parents[1] / "setup.cfg").read_text()
    assert "minitorch = minitorch.__main__:main" in setup
