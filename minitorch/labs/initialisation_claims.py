"""What the chapter says about how weights start, held against the initialisation lab's tables."""

from __future__ import annotations

import math

from minitorch.labs.networks import INITS, Table, add, pick
from minitorch.labs.style import name

# What the courses print for MNIST: the 256-256 networks' first and last cost, and accuracies. The
# wizard's page takes nn.Linear's own weights for LeCun's; their variance is a third of that.
PUBLISHED: Table = {
    "network": ["256-256", "256-256", *["100 tanh"] * 3, *["100 ReLU"] * 2],
    "init": ["normal", "xavier uniform", "normal", "nn.Linear", "xavier", "xavier", "he"],
    "first_cost": [129.3, 0.25, *[None] * 5],
    "last_cost": [0.8, 0.01, *[None] * 5],
    "accuracy": [0.945, 0.98, 0.9255, 0.977, 0.9749, 0.9748, 0.9739],
}
ALIKE = 10  # layers are alike if none has ten times the number of another


def claims(result: dict[str, Table]) -> Table:
    """Each claim, whether it was seen, and the numbers; the courses' own are those for MNIST."""
    table: Table = {}
    before(table, result["layers"])
    equals(table, result)
    deep(table, result["grid"])
    course(table, result["learning"], "published" in result)
    wizard(table, result["learning"])
    return table


def before(table: Table, layers: Table) -> None:
    """What is claimed of networks that are not trained yet."""
    def through(column: str, activation: str, init: str) -> list[float]:
        return pick(layers, column, activation=activation, init=init)

    def grows(activation: str, init: str, column: str = "std") -> float:
        """Forward: last layer against the first; for gradients, which go back: the other way."""
        numbers = through(column, activation, init)
        first, last = (numbers[0], numbers[-1]) if column == "std" else (numbers[-1], numbers[0])
        return last / first if first else 0.0

    def alike(activation: str, init: str) -> bool:
        return all(min(numbers) > 0 and max(numbers) < ALIKE * min(numbers)
                   for numbers in (through(c, activation, init) for c in ("std", "grad_rms")))

    relu = grows("relu", "normal")
    add(table, claim="N(0, 1) weights make ReLU's activations explode", seen=relu > ALIKE,
        numbers=f"layer 10 has {relu:.1e} times the std of layer 1")
    for activation in "sigmoid", "tanh":
        g = grows(activation, "normal", "grad_rms")
        add(table, claim=f"N(0, 1) weights saturate {activation}, so that its gradients vanish",
            seen=g < 1 / ALIKE, numbers=f"from layer 10 back to layer 1 they become {g:.2g}-fold: "
            "small slopes, times many large weights")
    for activation, init in (("tanh", "xavier"), ("sigmoid", "xavier"), ("relu", "he"),
                             ("leaky_relu", "he")):
        add(table, claim=f"{name(init)}'s weights keep activations and gradients of "
            f"{name(activation)} alike in ten layers", seen=alike(activation, init),
            numbers=f"forward {grows(activation, init):.2f}-fold, back "
            f"{grows(activation, init, 'grad_rms'):.2g}-fold")
    halved = grows("relu", "xavier") ** (2 / 9)
    add(table, claim="Xavier's weights lose half of ReLU's variance at each layer",
        seen=0.4 < halved < 0.6, numbers=f"{halved:.2f} of the variance is left at each")
    off = [max(got / wanted, wanted / got if got else math.inf) for column in ("std", "grad")
           for got, wanted in zip(layers["std" if column == "std" else "grad_rms"],
                                  layers[f"{column}_theory"]) if wanted]
    add(table, claim="theory for wide layers says what reaches each layer, within a factor of 2",
        seen=max(off) < 2, numbers=f"largest factor {max(off):.2f}, median "
        f"{sorted(off)[len(off) // 2]:.2f}, of {len(off)} numbers")


def equals(table: Table, result: dict[str, Table]) -> None:
    """What is claimed of neurons that start equal."""
    for start in "zero", "constant":
        most = max(pick(result["symmetry"], "distinct", start=start))
        other = min(pick(result["symmetry"], "distinct", start="xavier"))
        add(table, claim=f"neurons that start equal stay equal: {start} weights, biases 0",
            seen=most == 1, numbers=f"never more than {most} different ones in a layer, against "
            f"{other} with Xavier's weights")
        best = max(pick(result["equal"], "accuracy", start=start))
        free = max(pick(result["equal"], "accuracy", start="xavier"))
        add(table, claim=f"so a network with {start} weights learns next to nothing",
            seen=best < 0.25, numbers=f"accuracy at best {best:.1%}, against {free:.1%}")


def deep(table: Table, grid: Table) -> None:
    """What is claimed of the ten layers after training."""
    def right(activation: str, init: str) -> float:
        return float(pick(grid, "accuracy", activation=activation, init=init)[0])

    for activation, suited in (("sigmoid", "xavier"), ("tanh", "xavier"), ("relu", "he"),
                               ("leaky_relu", "he")):
        best = max((i for i in INITS if i in grid["init"]), key=lambda i: right(activation, i))
        own = max(right(activation, i) for i in INITS
                  if i in grid["init"] and i.startswith(suited))
        add(table, claim=f"ten layers of {name(activation)} learn best from {name(suited)}'s "
            "weights (within 1 pp)", seen=own >= right(activation, best) - 0.01 and own > 0.25,
            numbers=f"accuracy {own:.1%}; best is {name(best)}, {right(activation, best):.1%}; "
            f"N(0, 1) {right(activation, 'normal'):.1%}")


def course(table: Table, learning: Table, published: bool) -> None:
    """What the course prints of its networks 784-256-256-10."""
    def of(init: str, network: str = "256-256") -> tuple[float, float, float]:
        costs, right = (pick(learning, column, network=network, init=init)
                        for column in ("cost", "accuracy"))
        return costs[0], costs[-1], right[-1]

    def said(numbers: tuple[float, float, float]) -> str:
        return f"cost {numbers[0]:.4g} to {numbers[1]:.2g}, accuracy {numbers[2]:.2%}"

    normal, xavier, he = of("normal"), of("xavier uniform"), of("he uniform")
    add(table, claim="256-256: N(0, 1) begins at over a hundred times Xavier's cost, and ends "
        "with more errors", seen=normal[0] > 100 * xavier[0] and normal[2] < xavier[2],
        numbers=f"{said(normal)} (course, MNIST: 129.3 to about 0.8, 94.5%); Xavier "
        f"{said(xavier)} (course: 0.25 to about 0.01, 98%)")
    if published:
        seen = (abs(normal[0] / 129.3 - 1) < 0.05 and abs(xavier[0] / 0.25 - 1) < 0.05
                and abs(normal[2] - 0.945) < 0.01 and abs(xavier[2] - 0.98) < 0.01)
        add(table, claim="these are the numbers that the course prints: first costs to 5%, "
            "accuracies to 1 pp", seen=seen,
            numbers=f"{normal[0]:.1f} for 129.3, {xavier[0]:.3f} for 0.25; {normal[2]:.3f} for "
            f"0.945, {xavier[2]:.3f} for 0.98")
    add(table, claim="256-256: He's weights suit ReLU better than Xavier's: fewer errors",
        seen=he[2] > xavier[2], numbers=f"He {said(he)}; Xavier {said(xavier)}")
    wide = of("xavier uniform", "512-512-512-512")
    add(table, claim="Xavier's weights let five layers learn as well", seen=wide[2] > 0.9,
        numbers=f"512-512-512-512, 5 epochs: {said(wide)}")


def wizard(table: Table, learning: Table) -> None:
    """What the Deep Learning Wizard prints of its networks 784-100-10."""
    def right(init: str, network: str = "100 tanh") -> float:
        return float(pick(learning, "accuracy", network=network, init=init)[-1])

    normal, own, lecun, xavier, he, zero = (
        right(i) for i in ("normal", "nn.Linear", "lecun", "xavier", "he", "zero"))
    add(table, claim="100 tanh: N(0, 1) costs over 2 pp of accuracy against LeCun's and Xavier's",
        seen=normal < min(own, lecun, xavier) - 0.02,
        numbers=f"N(0, 1) {normal:.2%} (wizard, MNIST: 92.55%), LeCun {lecun:.2%} (97.70% with "
        f"nn.Linear's own, which it calls LeCun's, though their variance is a third: here "
        f"{own:.2%}), Xavier {xavier:.2%} (97.49%), He {he:.2%}")
    add(table, claim="100 tanh: with zero weights it does not learn", seen=zero < 0.25,
        numbers=f"accuracy {zero:.2%}: only weights are zero, and nn.Linear's random biases "
        "make the neurons differ")
    x, h = right("xavier", "100 ReLU"), right("he", "100 ReLU")
    add(table, claim="100 ReLU: He's weights do better than Xavier's", seen=h > x,
        numbers=f"{h:.2%} (wizard, MNIST: 97.39%), Xavier {x:.2%} (97.48%)")
