"""Deep belief networks: RBMs on top of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minitorch.nn.activation import Sigmoid
from minitorch.nn.container import ModuleList, Sequential
from minitorch.nn.linear import Linear
from minitorch.nn.module import Module
from minitorch.nn.rbm import RBM
from minitorch.tensor import Tensor


def pretrain(rbms: Sequence[Any], batches: Iterable[Any], optimizer: Callable[[Any], Any],
             epochs: int = 5, k: int = 1, persistent: bool = False,
             generator: Any = None) -> list[list[float]]:
    """Train RBMs of either engine, lowest first, each on what those below make of the data.

    See `DBN.pretrain`, which is this.
    """
    if iter(batches) is batches:
        raise ValueError("`batches` is gone over again and again, as a list or a DataLoader can "
                         f"be; this {type(batches).__name__} would be used up after one time")
    errors: list[list[float]] = []
    for depth, rbm in enumerate(rbms):
        steps, chains = optimizer(rbm.parameters()), None
        errors.append([])
        for _ in range(epochs):
            squares = numbers = 0
            for batch in batches:
                v = batch[0] if isinstance(batch, (tuple, list)) else batch
                for below in rbms[:depth]:
                    v = below.hidden_mean(v).detach()
                if persistent and chains is None:
                    chains = rbm.gibbs(v, k, generator)
                steps.zero_grad()
                rbm.contrastive_divergence(v, k, chains, generator).backward()
                steps.step()
                wrong = rbm.reconstruct(v).detach() - v
                squares, numbers = squares + (wrong * wrong).sum().item(), numbers + wrong.numel()
            if not numbers:
                raise ValueError("`batches` holds nothing to learn from")
            errors[-1].append(squares / numbers)
    return errors


class DBN(Module):
    """A deep belief network: ``DBN([784, 500, 500, 2000])`` holds the RBMs 784-500, 500-500 and
    500-2000 in ``rbms``.

    Each is trained on what those below make of the data (`pretrain`; Hinton, Osindero and Teh,
    *A fast learning algorithm for deep belief nets*, 2006). The result begins a classifier
    (`to_mlp`), or generates (`sample`). Only the lowest has visible units of kind `visible`.
    Calling it gives the top's hidden means: (..., sizes[0]) to (..., sizes[-1]).

    Raises ValueError for fewer than two sizes.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> v = torch.tensor([[1., 1., 1., 0., 0., 0.], [0., 0., 0., 1., 1., 1.]] * 5)
    >>> dbn = torch.nn.DBN([6, 4, 3])
    >>> errors = dbn.pretrain([v], lambda params: torch.optim.SGD(params, lr=0.5), epochs=300)
    >>> errors[0][-1] < 0.1 * errors[0][0]
    True
    >>> dbn.to_mlp(2)
    Sequential(
      (0): Linear(in_features=6, out_features=4, bias=True)
      (1): Sigmoid()
      (2): Linear(in_features=4, out_features=3, bias=True)
      (3): Sigmoid()
      (4): Linear(in_features=3, out_features=2, bias=True)
    )
    """

    rbms: ModuleList

    def __init__(self, sizes: Sequence[int], visible: str = "bernoulli", device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(f"a DBN needs at least two sizes, visible units first, got {sizes}")
        kinds = [visible] + ["bernoulli"] * (len(sizes) - 2)
        self.rbms = ModuleList([RBM(n, m, kind, device=device, dtype=dtype)
                                for n, m, kind in zip(sizes, sizes[1:], kinds)])

    def forward(self, input: Tensor) -> Tensor:
        for rbm in self.rbms:
            input = rbm(input)
        return input

    def pretrain(self, batches: Iterable[Any], optimizer: Callable[[Any], Any], epochs: int = 5,
                 k: int = 1, persistent: bool = False, generator: Any = None) -> list[list[float]]:
        """Train greedily, layer by layer, by CD-k; labels are not looked at.

        `batches` is gone over `epochs` times for each layer: a DataLoader or a list, of tensors
        (N, sizes[0]), or of tuples that begin with one. ``optimizer(parameters)`` makes the
        optimizer of a layer. With `persistent` the chains of a layer begin at its first batch and
        then run on. Returns the mean squared error of reconstruction, by layer and epoch. Raises
        ValueError if `batches` gives nothing, or would give nothing the second time.
        """
        return pretrain(list(self.rbms), batches, optimizer, epochs, k, persistent, generator)

    def to_mlp(self, n_classes: int) -> Sequential:
        """A new network for `n_classes` classes, to be tuned by backpropagation.

        A Linear with a copy of the weights and hidden biases and a Sigmoid for each RBM, and a new
        Linear, whose outputs are logits. Before tuning, all but the last give what the DBN gives.
        """
        where = {"device": self.rbms[0].weight.device, "dtype": self.rbms[0].weight.dtype}
        layers: list[Module] = []
        for rbm in self.rbms:
            layer = Linear(rbm.n_visible, rbm.n_hidden, **where)
            layer.load_state_dict({"weight": rbm.weight, "bias": rbm.hidden_bias})
            layers += [layer, Sigmoid()]
        return Sequential(*layers, Linear(self.rbms[-1].n_hidden, n_classes, **where))

    def sample(self, n: int, k: int = 1000, generator: Any = None) -> Tensor:
        """Means of visible units (n, sizes[0]) of `n` things dreamt up.

        Chains at the top RBM make `k` steps of Gibbs, from units that are on with probability 1/2;
        what they come to is then sent down once, drawing at every layer but the last.
        """
        top = self.rbms[-1]
        start = top.visible_bias.detach().new_full((n, top.n_visible), 0.5)
        h = top.sample_hidden(top.gibbs(start.bernoulli(generator=generator), k, generator),
                              generator)
        for rbm in reversed(self.rbms):
            mean = rbm.visible_mean(h).detach()
            h = rbm.units.sample(mean, generator)
        return mean
