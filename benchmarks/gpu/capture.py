"""PyTorch's CUDA graphs by hand: a whole training step recorded once, then replayed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

WARM = 3  # runs before the capture, on a stream of their own, as PyTorch asks


def capture(torch: Any, run: Callable[[], Any]) -> tuple[Any, Any]:
    """A graph of what ``run`` launches, after some runs of it, and its result in the graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = run()
    return graph, out


def graphed(torch: Any, step: Callable[..., Any], model: Any, optimizer: Any,
            examples: tuple[Any, ...]) -> Callable[..., Any]:
    """``step`` as one graph whose inputs are copied into the ``examples``' place.

    The runs that warm up train: parameters and running statistics are set back, and the
    optimizer's state, which is zero at first, to zero.
    """
    inputs = [x.clone() for x in examples]
    before = copy.deepcopy(model.state_dict())
    graph, loss = capture(torch, lambda: step(*inputs))
    with torch.no_grad():
        for name, x in model.state_dict().items():
            x.copy_(before[name])
        for state in optimizer.state.values():
            for x in state.values():
                x.zero_()

    def replay(*given: Any) -> Any:
        for x, new in zip(inputs, given):
            x.copy_(new)
        graph.replay()
        return loss
    return replay
