"""Every optimizer of the package on the same problems: where its walks and its training end."""

from typing import Any

from minitorch.labs.contest import CONTESTANTS, SURFACES, train, walk
from reference.data import Data


def program(torch: Any, data: Data, epochs: int = 1) -> None:
    """All 14 optimizers on two surfaces, and on pixels-256-256-10 with ReLU; batches of 100."""
    images, labels, *test = (torch.from_numpy(array) for array in (*data.train, *data.test))
    for who in CONTESTANTS:
        for surface in SURFACES:
            x, y = walk(torch, who, surface, 200)[-1]
            print(f"{who.label:13} {surface.name:10} {x:8.5f} {y:8.5f}")
        run = train(torch, who, images, labels, (test[0], test[1]), epochs, 100, 777)
        print(f"{who.label:13} cost {run.last_cost:.6f} acc. {run.accuracy:.4f}")
