"""Every reference program prints PyTorch's numbers under minitorch."""

import re

import pytest
import torch

import minitorch
from reference import data
from reference.programs import PROGRAMS

COST = re.compile(r"Epoch: \d{4} cost = (\S+)")
WITH_DATA = [name for name in PROGRAMS if name != "xor"]


@pytest.fixture(autouse=True)
def one_thread():
    """Two libraries with idle threads disturb each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def digits():
    return data.load()


def printed(capsys, engine, name, **arguments):
    capsys.readouterr()
    PROGRAMS[name](engine, **arguments)
    return capsys.readouterr().out.splitlines()


def costs(capsys, engine, name, **arguments):
    lines = printed(capsys, engine, name, **arguments)
    return [float(m[1]) for line in lines if (m := COST.fullmatch(line))]


@pytest.mark.parametrize("name", WITH_DATA)
def test_the_first_steps_agree_to_1e_6(capsys, digits, name):
    """One batch per epoch, so that every cost printed is that of one step."""
    rows = {"mnist-batchnorm": 32, "backprop-by-hand": 10}.get(name, 100)
    few = digits.head(rows, 10)
    expected = costs(capsys, torch, name, data=few, epochs=5)
    found = costs(capsys, minitorch, name, data=few, epochs=5)
    assert len(expected) == 5 and len(set(expected)) == 5, "it must be learning something"
    assert found[:3] == pytest.approx(expected[:3], rel=1e-6, abs=1e-9)
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("name", WITH_DATA)
def test_epochs_on_the_embedded_digits_agree_to_1e_4(capsys, digits, name):
    expected = printed(capsys, torch, name, data=digits, epochs=2)
    found = printed(capsys, minitorch, name, data=digits, epochs=2)
    assert [line.split()[0] for line in found] == ["Epoch:", "Epoch:", "Learning", "Accuracy:"]
    for line, other in zip(found[:2], expected[:2]):
        assert float(COST.fullmatch(line)[1]) == pytest.approx(
            float(COST.fullmatch(other)[1]), rel=1e-4)
    # One image of 382 may fall the other way.
    assert float(found[3].split()[1]) == pytest.approx(float(expected[3].split()[1]), abs=0.003)


@pytest.mark.parametrize("name", ["mnist-softmax", "mnist-nn", "mnist-deep"])
def test_a_hundred_steps_on_mnist_agree_to_1e_4(capsys, mnist_folder, name):
    mnist = data.load(mnist_folder).head(10_000, 1000)
    expected = costs(capsys, torch, name, data=mnist, epochs=1)
    found = costs(capsys, minitorch, name, data=mnist, epochs=1)
    assert found == pytest.approx(expected, rel=1e-4)


def test_xor_ends_on_the_published_values(capsys):
    found = printed(capsys, minitorch, "xor")
    assert found[-5:] == [
        "0 xor 0 = 0.00106364",
        "0 xor 1 = 0.99889404",
        "1 xor 0 = 0.99889404",
        "1 xor 1 = 0.00165861",
        "Accuracy: 1.0",
    ]
    assert found == printed(capsys, torch, "xor")


def test_pixels_are_scaled_as_torchvision_scales_them(mnist_folder):
    images, labels = data.load(mnist_folder).train
    raw = minitorch.data.MNIST(mnist_folder).data.numpy()
    exact = torch.from_numpy(raw[:100]).reshape(100, 784).to(torch.float32).div(255)
    assert images.shape == (60_000, 784) and images.dtype == "float32" and labels.dtype == "int64"
    assert (images[:100] == exact.numpy()).all()


def test_programs_name_no_engine():
    """They are written once: whichever engine is given is the only one they know."""
    for program in PROGRAMS.values():
        assert not {"torch", "minitorch"} & set(vars(__import__("sys").modules[program.__module__]))
