"""Restricted Boltzmann machines: learning by sampling, and exactly how likely it makes the data."""

from typing import Any

from minitorch.labs.machines import batches, machine, network
from minitorch.nn.dbn import pretrain
from reference.data import Data


def program(torch: Any, data: Data, epochs: int = 5) -> None:
    """RBMs 784-12 by CD and persistent CD, their exact log-likelihood; a DBN 784-64-32-10."""
    torch.manual_seed(777)
    images, labels, *test = (torch.from_numpy(array) for array in (*data.train, *data.test))
    scaled = (images - images.mean(0)) / images.std()
    for name, x, visible, lr, options in [
        ("CD-1", images, "bernoulli", 0.1, {}),
        ("CD-5", images, "bernoulli", 0.1, {"k": 5}),
        ("PCD", images, "bernoulli", 0.1, {"persistent": True}),
        ("Gauss", scaled, "gaussian", 0.01, {}),
    ]:
        rbm = machine(torch, data.pixels, 12, visible)
        rbm.fit_visible_bias(x)
        rates = sgd(torch, lr, momentum=0.5, weight_decay=0.0002)
        for epoch, error in enumerate(pretrain([rbm], batches(torch, x, size=10), rates, epochs,
                                               **options)[0]):
            print(f"{name:5} epoch {epoch + 1:2} error {error:.6f}")
        exact = rbm.log_partition().detach()
        print(f"{name:5} log-likelihood {rbm.log_likelihood(x, exact).mean().item():.4f}")
        estimate, error = rbm.ais(chains=50, betas=200, data=x)
        print(f"{name:5} log Z {exact.item():.4f} AIS {estimate:.4f} +- {error:.4f}")

    rbms = [machine(torch, data.pixels, 64), machine(torch, 64, 32)]
    pretrain(rbms, batches(torch, images, size=10), sgd(torch, 0.1, momentum=0.5), epochs)
    model = network(torch, rbms, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    for epoch in range(epochs):
        for x, y in batches(torch, images, labels, size=10):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        print(f"DBN   epoch {epoch + 1:2} cost {loss.item():.6f}")
    correct = (model(test[0]).argmax(1) == test[1]).float().mean().item()
    print(f"DBN   accuracy {correct:.4f}")


def sgd(torch: Any, lr: float, **options: float) -> Any:
    """What `pretrain` makes each machine's optimizer with."""
    return lambda parameters: torch.optim.SGD(parameters, lr=lr, **options)
