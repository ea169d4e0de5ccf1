"""XOR: the smallest problem that one layer cannot solve."""

from typing import Any


def program(torch: Any, epochs: int = 10_001) -> None:
    """2-2-1 with sigmoids learns XOR; SGD with lr 1 on all four points, binary cross-entropy."""
    torch.manual_seed(777)
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])

    model = torch.nn.Sequential(
        torch.nn.Linear(2, 2),
        torch.nn.Sigmoid(),
        torch.nn.Linear(2, 1),
        torch.nn.Sigmoid(),
    )
    criterion = torch.nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1)

    for epoch in range(epochs):
        optimizer.zero_grad()
        cost = criterion(model(x), y)
        cost.backward()
        optimizer.step()
        if epoch % 1000 == 0:
            print(f"step {epoch:5d}  cost {cost.item():.8f}")

    with torch.no_grad():
        hypothesis = model(x)
        correct = ((hypothesis > 0.5).float() == y).float().mean()
    for (a, b), p in zip(x.tolist(), hypothesis.flatten().tolist()):
        print(f"{a:.0f} xor {b:.0f} = {p:.8f}")
    print("Accuracy:", correct.item())
