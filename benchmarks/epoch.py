"""One epoch of MNIST, start to finish: a program of the course, the same for both engines.

"files" reads the images from their files and goes through a DataLoader, as a course writes it;
"memory" has them in memory as one array of floats, and slices it.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.networks import NETWORKS
from benchmarks.table import Table, Unfit, Work

FOLDER = "MINITORCH_BENCHMARK_MNIST"  # the environment variable that tells workers where
IMAGES = "MINITORCH_BENCHMARK_IMAGES"  # how many images, if not all
NAMES = [f"{split}-{kind}-ubyte" for split in ("train", "t10k")
         for kind in ("images-idx3", "labels-idx1")]
DECLARED: list[Any] = []  # they vanish with the object
FIRST = 10  # losses that are compared before the clock starts


def prepare(data: Path, folder: Path) -> str:
    """Lay the four files out as torchvision wants them, unpacked; what is wrong, or "".

    Reading them here also puts them into the system's cache, where every engine finds them.
    """
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in NAMES:
        found = [p for home in (data, data / "raw", data / "MNIST" / "raw")
                 for p in (home / name, home / f"{name}.gz") if p.exists()]
        if not found:
            return f"{name}[.gz] is not in {data}"
        content = found[0].read_bytes()
        (raw / name).write_bytes(gzip.decompress(content) if found[0].suffix else content)
    os.environ[FOLDER] = str(folder)
    return ""


def vision(engine: Any) -> tuple[Any, Any]:
    """The data sets and the transforms that a program imports."""
    if engine.module == "torch":
        try:
            from torchvision import datasets, transforms
        except ImportError:
            raise Unfit("torchvision is not installed") from None
        except RuntimeError:  # compiled for another build of torch
            declare(engine.lib)
            from torchvision import datasets, transforms
        return datasets, transforms
    from minitorch import data
    return data, data.transforms


def declare(torch: Any) -> None:
    """The two compiled operators that torchvision's import asks for and no data set uses."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float threshold) -> Tensor")
    DECLARED.append(library)


def batches(torch: Any, datasets: Any, transforms: Any) -> Iterator[Any]:
    train = datasets.MNIST(os.environ[FOLDER], train=True, transform=transforms.ToTensor())
    for x, y in torch.utils.data.DataLoader(train, batch_size=100, shuffle=True):
        yield x.view(-1, 784), y


def slices(torch: Any, images: Any, labels: Any) -> Iterator[Any]:
    order = torch.randperm(len(images))
    for i in range(0, len(images), 100):
        yield images[order[i:i + 100]], labels[order[i:i + 100]]


def program(engine: Any, source: Callable[[], Iterator[Any]], steps: int | None) -> list[float]:
    """An epoch of 784-256-256-10: its losses, one read per step."""
    step = engine.step(*engine.parts(NETWORKS["A"]))
    return [step(x, y).item() for x, y in islice(source(), steps)]


def steps() -> int:
    return int(os.environ.get(IMAGES, 60_000)) // 100


def where() -> str:
    if FOLDER not in os.environ:
        raise Unfit("no MNIST: say --data FOLDER")
    return os.environ[FOLDER]


def files(engine: Any) -> Work:
    where()
    datasets, transforms = vision(engine)

    def source() -> Iterator[Any]:
        return batches(engine.lib, datasets, transforms)
    return Work(lambda: program(engine, source, steps()), lambda: program(engine, source, FIRST))


def arrays() -> tuple[Any, Any]:
    """The training images (60000, 784) in [0, 1] and their labels."""
    raw = Path(where()) / "MNIST" / "raw"
    images = np.frombuffer((raw / NAMES[0]).read_bytes(), np.uint8, offset=16).reshape(-1, 784)
    labels = np.frombuffer((raw / NAMES[1]).read_bytes(), np.uint8, offset=8)
    return images.astype(np.float32) / 255, labels.astype(np.int64)


def memory(engine: Any) -> Work:
    x, y = map(engine.lib.from_numpy, arrays())

    def source() -> Iterator[Any]:
        return slices(engine.lib, x, y)
    return Work(lambda: program(engine, source, steps()), lambda: program(engine, source, FIRST))


TABLE = Table(f"An epoch of MNIST with {NETWORKS['A']}", {"files": files, "memory": memory},
              engines=("minitorch", "compiled", "torch", "fused"), unit="s", seconds=0, rounds=3,
              least=1, warm=0, setup=9)
