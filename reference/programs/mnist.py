"""The course's networks for handwritten digits: one way to train, eight networks.

The widths in the docstrings are those for MNIST; the first is the number of pixels of an image,
64 for the embedded digits.
"""

from itertools import pairwise
from typing import Any

from reference.data import Data


def softmax(torch: Any, data: Data, epochs: int = 15) -> None:
    """Softmax regression, 784-10; Adam with lr 0.001, batches of 100."""
    torch.manual_seed(777)
    model = torch.nn.Linear(data.pixels, 10)
    learn(torch, model, data, epochs)


def nn(torch: Any, data: Data, epochs: int = 15) -> None:
    """784-256-256-10 with ReLU, weights from N(0, 1); Adam with lr 0.001, batches of 100."""
    torch.manual_seed(777)
    model = perceptron(torch, [data.pixels, 256, 256, 10], torch.nn.init.normal_)
    learn(torch, model, data, epochs)


def xavier(torch: Any, data: Data, epochs: int = 15) -> None:
    """784-256-256-10 with ReLU, Xavier's weights; Adam with lr 0.001, batches of 100."""
    torch.manual_seed(777)
    model = perceptron(torch, [data.pixels, 256, 256, 10], torch.nn.init.xavier_uniform_)
    learn(torch, model, data, epochs)


def deep(torch: Any, data: Data, epochs: int = 15) -> None:
    """784-512-512-512-512-10 with ReLU, Xavier's weights; Adam with lr 0.001, batches of 100."""
    torch.manual_seed(777)
    widths = [data.pixels, 512, 512, 512, 512, 10]
    model = perceptron(torch, widths, torch.nn.init.xavier_uniform_)
    learn(torch, model, data, epochs)


def dropout(torch: Any, data: Data, epochs: int = 15) -> None:
    """As mnist-deep, with 30% of the hidden units dropped at every step."""
    torch.manual_seed(777)
    widths = [data.pixels, 512, 512, 512, 512, 10]
    model = perceptron(torch, widths, torch.nn.init.xavier_uniform_, [torch.nn.Dropout(p=0.3)])
    learn(torch, model, data, epochs)


def batchnorm(torch: Any, data: Data, epochs: int = 10) -> None:
    """784-32-32-10 with batch norm after each ReLU; Adam with lr 0.01, batches of 32."""
    torch.manual_seed(777)
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(data.pixels, 32), nn.ReLU(), nn.BatchNorm1d(32),
        nn.Linear(32, 32), nn.ReLU(), nn.BatchNorm1d(32),
        nn.Linear(32, 10),
    )  # fmt: skip
    learn(torch, model, data, epochs, lr=0.01, batch_size=32)


def selu(torch: Any, data: Data, epochs: int = 15) -> None:
    """784-256-256-10 with SELU, LeCun's weights, alpha dropout 0.1; Adam, batches of 100."""
    torch.manual_seed(777)
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(data.pixels, 256), nn.SELU(), nn.AlphaDropout(0.1),
        nn.Linear(256, 256), nn.SELU(), nn.AlphaDropout(0.1),
        nn.Linear(256, 10),
    )  # fmt: skip
    for layer in model[::3]:
        # LeCun's scheme under the name PyTorch has for it: std = 1 / sqrt(fan_in).
        nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
        nn.init.zeros_(layer.bias)
    learn(torch, model, data, epochs)


def perceptron(torch: Any, widths: list[int], initialise: Any, after: Any = ()) -> Any:
    """Linear layers with ReLU and the modules `after` between them, weights drawn in order."""
    linear = [torch.nn.Linear(n, m) for n, m in pairwise(widths)]
    for layer in linear:
        initialise(layer.weight)
    modules = [linear[0]]
    for layer in linear[1:]:
        modules += [torch.nn.ReLU(), *after, layer]
    return torch.nn.Sequential(*modules)


def learn(
    torch: Any, model: Any, data: Data, epochs: int, lr: float = 0.001, batch_size: int = 100
) -> None:
    """Train and test as the course does: the cost printed is the mean over the batches.

    The course tests on pixels of 0..255 after training on [0, 1]; here both are [0, 1].
    """
    images, labels = (torch.from_numpy(array) for array in data.train)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(images, labels),
        batch_size=batch_size,
        shuffle=True,
        drop_last=True,
    )
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)

    model.train()
    for epoch in range(epochs):
        avg_cost = 0
        for x, y in loader:
            optimizer.zero_grad()
            cost = criterion(model(x), y)
            cost.backward()
            optimizer.step()
            avg_cost += cost.detach() / len(loader)
        print("Epoch:", f"{epoch + 1:04d}", "cost =", f"{avg_cost:.9f}")
    print("Learning finished")

    model.eval()
    images, labels = (torch.from_numpy(array) for array in data.test)
    with torch.no_grad():
        correct = (torch.argmax(model(images), 1) == labels).sum().item()
    print("Accuracy:", f"{correct / len(labels):.4f}")
