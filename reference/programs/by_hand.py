"""Backpropagation written out: the chain rule in tensor operations, no autograd."""

from typing import Any

from reference.data import Data


def program(torch: Any, data: Data, epochs: int = 3) -> None:
    """784-30-10 with sigmoids and squared error, the chain rule by hand; SGD, lr 3, batches of 10.

    The cost of one example is half the squared distance from its one-hot label. With
    s = sigmoid(z), ds/dz = s (1 - s).
    """
    torch.manual_seed(777)
    lr, batch_size = 3.0, 10
    images, labels = (torch.from_numpy(array) for array in data.train)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(images, labels),
        batch_size=batch_size,
        shuffle=True,
        drop_last=True,
    )
    w1, b1 = torch.randn(data.pixels, 30), torch.randn(30)
    w2, b2 = torch.randn(30, 10), torch.randn(10)

    def sigmoid(z: Any) -> Any:
        return 1.0 / (1.0 + torch.exp(-z))

    for epoch in range(epochs):
        avg_cost = 0
        for x, y in loader:
            target = torch.zeros(batch_size, 10).scatter_(1, y.unsqueeze(1), 1.0)

            a1 = sigmoid(torch.add(torch.matmul(x, w1), b1))
            a2 = sigmoid(torch.add(torch.matmul(a1, w2), b2))
            error = a2 - target
            cost = (error * error).sum() / (2 * batch_size)

            # The chain rule, from the cost back to the weights.
            d_z2 = error / batch_size * a2 * (1 - a2)
            d_w2 = torch.matmul(torch.transpose(a1, 0, 1), d_z2)
            d_b2 = torch.sum(d_z2, 0)
            d_a1 = torch.matmul(d_z2, torch.transpose(w2, 0, 1))
            d_z1 = d_a1 * a1 * (1 - a1)
            d_w1 = torch.matmul(torch.transpose(x, 0, 1), d_z1)
            d_b1 = torch.sum(d_z1, 0)

            w1 = w1 - lr * d_w1
            b1 = b1 - lr * d_b1
            w2 = w2 - lr * d_w2
            b2 = b2 - lr * d_b2
            avg_cost += cost / len(loader)
        print("Epoch:", f"{epoch + 1:04d}", "cost =", f"{avg_cost:.9f}")
    print("Learning finished")

    images, labels = (torch.from_numpy(array) for array in data.test)
    a2 = sigmoid(sigmoid(images @ w1 + b1) @ w2 + b2)
    correct = (torch.argmax(a2, 1) == labels).sum().item()
    print("Accuracy:", f"{correct / len(labels):.4f}")
