"""What the data tests share: torchvision as the oracle, the real MNIST files, local mirrors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SHARED_MNIST = Path(__file__).parents[3] / "shared/data/mnist"
declarations: list[Any] = []  # torch forgets an operator when its declaration is collected


@pytest.fixture(scope="session")
def torchvision() -> ModuleType:
    """torchvision itself, even beside a torch that it was not compiled for.

    Its Python part wants two operators of its compiled part to be declared. No data set and no
    transform uses them, so declaring them is enough.
    """
    torch = pytest.importorskip("torch")
    try:
        return pytest.importorskip("torchvision")
    except RuntimeError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float threshold) -> Tensor")
        declarations.append(library)
    try:
        return pytest.importorskip("torchvision")
    except RuntimeError as error:
        pytest.skip(f"torchvision does not import: {error}")


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """The folder with the four real files, in `shared` beside the repository."""
    if not SHARED_MNIST.exists():
        pytest.skip(f"no MNIST files in {SHARED_MNIST}")
    return SHARED_MNIST


class Mirrors:
    """A local web server: `files` maps a path to its content, `log` lists the requests."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.files: dict[str, bytes] = {}
        self.log: list[str] = []
        self.hang_up_after: int | None = None


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirrors]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.log.append(self.path)
            content = served.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: served.hang_up_after])

        def log_message(self, *_: Any) -> None:
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Mirrors(f"http://127.0.0.1:{server.server_port}")
        # A short poll: shutdown() waits for the next one.
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield served
        server.shutdown()
        thread.join()
